"""Stores that fsspec reads, such as the hub of Hugging Face."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from datalint.sources.remote.base import Found, Status, Store, Unsteady
from datalint.sources.remote.url import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.remote.path import RemotePath

_TAGS = ("ETag", "etag", "blob_id", "md5Hash", "checksum", "uuid", "oid", "sha256")


class FsspecStore(Store):
    """A file system of fsspec; who may read it is found in the usual environment."""

    def __init__(self, scheme: str, host: str) -> None:
        """Load it.

        Raises:
            ImportError: it, or what it needs, is not installed.
            ValueError: there is none for this scheme.
            OSError: it cannot be reached.
        """
        import fsspec

        self._class = fsspec.get_filesystem_class(scheme)
        try:
            self._system: Any = fsspec.core.url_to_fs(f"{scheme}://{host}/")[0]
        except (ImportError, ValueError):
            raise
        except Exception as error:  # some connect at once
            raise _failure(error) from error

    def status(self, path: RemotePath) -> Status:
        """What it tells of a file or folder."""
        return _status(self._asked(lambda: self._system.info(self._place(path))))

    def listed(self, path: RemotePath) -> Iterator[Found]:
        """All that lies below."""
        top = self._place(path).strip("/")
        found = self._asked(lambda: self._system.find(self._place(path), detail=True))
        for name, told in sorted(found.items()):
            inside = self._plain(name).strip("/").removeprefix(self._plain(top)).strip("/").split("/")
            if all(part not in {"", ".", ".."} for part in inside):
                yield Found(tuple(inside), _status(told))

    def read(self, path: RemotePath, start: int, stop: int, status: Status) -> bytes:  # noqa: ARG002 - as a store has it
        """A range."""
        data: bytes = self._asked(lambda: self._system.cat_file(self._place(path), start=start, end=stop))
        if len(data) != stop - start:
            raise Unsteady(f"the answer broke off after {len(data):,} of {stop - start:,} bytes")
        return data

    def _place(self, path: RemotePath) -> str:
        return str(self._class._strip_protocol(f"{path.scheme}://{path.parts[1]}/{path.key}".rstrip("/")))

    @staticmethod
    def _plain(name: str) -> str:
        """Without the revision, which a listing adds to the name of a repository."""
        return "/".join(part.partition("@")[0] if k < 3 else part for k, part in enumerate(name.split("/")))

    def _asked(self, ask: Any) -> Any:
        try:
            return ask()
        except FileNotFoundError as error:
            raise FileNotFoundError(2, "there is no such file") from error
        except Exception as error:  # each system raises what its library does
            raise _failure(error) from error


def _failure(error: Exception) -> OSError:
    text = (masked(str(error)).strip().splitlines() or [""])[0][:200] or type(error).__name__
    answer = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "status", None)
    if isinstance(error, PermissionError) or answer in {401, 403}:
        return PermissionError(13, "it may not be read: check the credentials (for hf://, HF_TOKEN)")
    if answer == 404:
        return FileNotFoundError(2, "there is no such file")
    kind = type(error).__name__
    if (
        isinstance(error, (ConnectionError, TimeoutError))
        or "Timeout" in kind
        or "Connect" in kind
        or answer in {429, 500, 502, 503, 504}
    ):
        return Unsteady(f"the server cannot be reached ({kind})")
    return OSError(f"{kind}: {text}")


def _status(told: dict[str, Any]) -> Status:
    when = told.get("mtime") or told.get("LastModified") or told.get("last_modified") or told.get("created") or 0.0
    if isinstance(when, datetime):
        when = when.timestamp()
    tag = next((str(told[name]) for name in _TAGS if told.get(name)), "")
    folder = told.get("type") == "directory"
    return Status(int(told.get("size") or 0), float(when) if isinstance(when, (int, float)) else 0.0, tag, folder)
