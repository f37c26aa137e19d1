"""Object stores that pyarrow reads: S3, Google Cloud Storage, Azure."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datalint.sources.remote.base import Found, Status, Store, Unsteady
from datalint.sources.remote.url import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.remote.path import RemotePath

SCHEMES: Final = frozenset({"s3", "gs", "abfs"})

_DENIED: Final = (
    "ACCESS_DENIED",
    "INVALID_ACCESS_KEY",
    "SIGNATURE_DOES_NOT_MATCH",
    "403",
    "401",
    "Permission denied",
    "PERMISSION_DENIED",
    "AuthenticationFailed",
    "UNAUTHENTICATED",
    "InvalidAccessKeyId",
)
_EXPIRED: Final = ("ExpiredToken", "EXPIRED_TOKEN", "expired")
_UNREACHED: Final = ("NETWORK_CONNECTION", "UNAVAILABLE", "Could not resolve", "Could not connect")

_WHERE: Final = {
    "s3": "AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_REGION, or AWS_ENDPOINT_URL of another store",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login",
    "abfs": "AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or az login",
}


class ObjectStore(Store):
    """One bucket or container; who may read it is found in the usual environment."""

    def __init__(self, scheme: str, bucket: str) -> None:
        self._scheme, self._bucket = scheme, bucket.partition("@")[0]
        self._host = bucket
        self._systems = _systems(scheme, bucket)
        try:
            self._system = next(self._systems)
        except OSError as error:  # the region of a bucket is asked for
            raise self._failure(error) from error

    def status(self, path: RemotePath) -> Status:
        """Size and time; what has no file of its name and files below it is a folder."""
        import pyarrow.fs as pafs

        found = self._asked(lambda system: system.get_file_info(self._place(path)))
        if found.type == pafs.FileType.NotFound:
            raise FileNotFoundError(2, "there is no such file")
        if found.type == pafs.FileType.Directory:
            return Status(0, folder=True)
        return _status(found)

    def listed(self, path: RemotePath) -> Iterator[Found]:
        """All that lies below; the store is asked page by page."""
        import pyarrow.fs as pafs

        place = self._place(path)
        selector = pafs.FileSelector(place, recursive=True)
        for found in self._asked(lambda system: system.get_file_info(selector)):
            if found.type == pafs.FileType.File:
                inside = found.path[len(place) :].strip("/").split("/")
                if all(part not in {"", ".", ".."} for part in inside):
                    yield Found(tuple(inside), _status(found))

    def read(self, path: RemotePath, start: int, stop: int, status: Status) -> bytes:  # noqa: ARG002 - as a store has it
        """A range."""

        def once(system: Any) -> bytes:
            with system.open_input_file(self._place(path)) as file:
                data: bytes = file.read_at(stop - start, start)
            if len(data) != stop - start:
                raise Unsteady(f"the answer broke off after {len(data):,} of {stop - start:,} bytes")
            return data

        found: bytes = self._asked(once)
        return found

    def whole(self, path: RemotePath, most: int | None) -> bytes:
        """In one go."""

        def once(system: Any) -> bytes:
            with system.open_input_file(self._place(path)) as file:
                size = file.size() if most is None else min(file.size(), most + 1)
                data: bytes = file.read_at(size, 0)
            if len(data) != size:
                raise Unsteady(f"the answer broke off after {len(data):,} of {size:,} bytes")
            return data

        found: bytes = self._asked(once)
        return found

    def arrow_file(self, path: RemotePath) -> object:
        """As pyarrow reads it, without a way through Python."""
        return self._asked(lambda system: system.open_input_file(self._place(path)))

    def _place(self, path: RemotePath) -> str:
        return f"{self._bucket}/{path.key}".rstrip("/")

    def _asked(self, ask: Any) -> Any:
        """The answer, as whom it is given: where nobody is known, first as anybody."""
        while True:
            try:
                return ask(self._system)
            except OSError as error:
                failure = self._failure(error)
                other = next(self._systems, None) if isinstance(failure, PermissionError) else None
                if other is None:
                    raise failure from error
                self._system = other

    def _failure(self, error: OSError) -> OSError:
        text = masked(str(error)).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if isinstance(error, (Unsteady, FileNotFoundError)):
            return error
        if any(word in text for word in _EXPIRED):
            return PermissionError(13, f"the credentials have expired: renew them ({_WHERE[self._scheme]})")
        if any(word in text for word in _DENIED) or isinstance(error, PermissionError):
            return PermissionError(13, f"it may not be read: check the credentials ({_WHERE[self._scheme]})")
        if "NO_SUCH_BUCKET" in text or "NoSuchBucket" in text:
            return FileNotFoundError(2, f"there is no bucket {self._bucket!r}")
        if "curlCode: 18" in text or "partial" in text:
            return OSError("the connection broke off, each time that it was tried")
        if any(word in text for word in _UNREACHED):  # the library has tried again already
            return OSError(
                f"the store cannot be reached; its address is found in the environment ({_WHERE[self._scheme]})"
            )
        return OSError(text.rpartition("AWS Error ")[2][:200])


def _status(found: Any) -> Status:
    when = (found.mtime_ns or 0) / 1e9
    return Status(found.size or 0, when)


def _systems(scheme: str, bucket: str) -> Iterator[Any]:
    """The file system as pyarrow has it, for whom the environment names; for anybody where it names nobody."""
    import pyarrow.fs as pafs

    if scheme == "s3":
        yield from _s3(bucket)
    elif scheme == "gs":
        endpoint = os.environ.get("STORAGE_EMULATOR_HOST", "")
        kind, _, host = endpoint.rpartition("://")
        other = {"endpoint_override": host, "scheme": kind or "http"} if host else {}
        named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or _is_file(
            "~/.config/gcloud/application_default_credentials.json"
        )
        options: dict[str, Any] = {"retry_time_limit": timedelta(seconds=30), **other}
        if not named:
            yield pafs.GcsFileSystem(anonymous=True, **options)
        if named or not host:
            yield pafs.GcsFileSystem(**options)
    else:
        account = (
            bucket.partition("@")[2].partition(".")[0]
            or os.environ.get("AZURE_STORAGE_ACCOUNT")
            or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME", "")
        )
        if not account:
            raise OSError(
                "no storage account is named: abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/..., or AZURE_STORAGE_ACCOUNT"
            )
        key = os.environ.get("AZURE_STORAGE_KEY") or os.environ.get("AZURE_STORAGE_ACCOUNT_KEY")
        sas = os.environ.get("AZURE_STORAGE_SAS_TOKEN")
        yield pafs.AzureFileSystem(account, **({"account_key": key} if key else {"sas_token": sas} if sas else {}))


def _s3(bucket: str) -> Iterator[Any]:
    import pyarrow.fs as pafs

    environment = os.environ
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or ""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    options: dict[str, Any] = {
        "retry_strategy": pafs.AwsStandardS3RetryStrategy(max_attempts=4),
        "connect_timeout": 10,
        "request_timeout": 30,
    }
    if endpoint:
        kind, _, host = endpoint.rpartition("://")
        options |= {"endpoint_override": host.rstrip("/"), "scheme": kind or "https"}
    elif region is None:
        region = pafs.resolve_s3_region(bucket)
    if region:
        options["region"] = region
    named = any(
        environment.get(name)
        for name in (
            "AWS_ACCESS_KEY_ID",
            "AWS_PROFILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        )
    )
    named = (
        named
        or _is_file(environment.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
        or _is_file(environment.get("AWS_CONFIG_FILE", "~/.aws/config"))
    )
    if not named:
        yield pafs.S3FileSystem(anonymous=True, **options)
    if named or not endpoint:
        yield pafs.S3FileSystem(**options)


def _is_file(name: str) -> bool:
    try:
        return Path(name).expanduser().is_file()
    except (OSError, RuntimeError):
        return False
