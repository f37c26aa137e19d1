"""A path that is a URL, for all that opens paths."""

from __future__ import annotations

import io
import os
import re
import stat
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, unquote, unquote_to_bytes

from datalint.core.errors import DatalintError
from datalint.sources.remote.url import ARCHIVE, masked, scheme_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    _Path = Path
else:
    _Path = type(Path())

BUFFER = 32 << 10
"""Bytes that a reader of lines gets at a time."""

_PASSWORD = re.compile("^[^@]*:[^@]*@")
_WEB = frozenset({"http", "https"})
_ALIASES = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "abfss": "abfs", "az": "abfs"}


class RemotePath(_Path):
    """A file or folder at a URL.

    ``open("rb")`` reads the parts that are asked for, ``stat`` and ``iterdir`` ask the server, and whatever takes the name of
    a file (``os.fspath``) gets a copy in a bounded folder of ours. As text it is the URL without what gives access to it.
    """

    @classmethod
    def of(cls, text: str) -> RemotePath:
        """The path at a URL.

        Raises:
            DatalintError: it names no place.
        """
        scheme = scheme_of(text)
        if scheme == ARCHIVE:
            held, _, path = whole(text).partition("://")[2].partition("!/")
            return cls(f"{scheme}:", quote(os.fsencode(held), safe=""), *path.split("/"))
        host, _, path = whole(text).partition("://")[2].partition("/")
        if scheme is None or not host:
            raise DatalintError(f"{masked(text)!r} names no place: a URL is like https://host/folder/data.csv")
        scheme = _ALIASES.get(scheme, scheme)
        if scheme not in _WEB:
            return cls(f"{scheme}:", host, *path.split("/"))
        host, query = (host, "") if "?" not in host else (host.partition("?")[0], host.partition("?")[2])
        path, _, asked = path.partition("#")[0].partition("?")
        login, _, host = host.rpartition("@")
        # What gives access belongs to the host, so that it holds for all that lies below.
        secrets = f"?{quote(login, safe='')}?{quote(asked or query, safe='')}" if login or asked or query else ""
        return cls(f"{scheme}:", host.lower() + secrets, *unquote(path, errors="surrogateescape").split("/"))

    @classmethod
    def below(cls, base: Path, text: str) -> RemotePath:
        """The path at a URL that was made text, with the secrets of a path on the same server."""
        path = cls.of(text)
        if isinstance(base, RemotePath) and base.host == path.host and base.scheme == path.scheme:
            return cls(*base.parts[:2], *path.parts[2:])
        return path

    @property
    def scheme(self) -> str:
        """How the place is reached."""
        return self.parts[0][:-1]

    @property
    def host(self) -> str:
        """The server, or the bucket."""
        return _PASSWORD.sub("", self.parts[1].partition("?")[0])

    @property
    def key(self) -> str:
        """Where it lies there."""
        return "/".join(self.parts[2:])

    @property
    def login(self) -> str:
        """User and password, as they stand in a URL."""
        return unquote(self.parts[1].split("?")[1]) if "?" in self.parts[1] else ""

    @property
    def query(self) -> str:
        """What stood behind the question mark, such as a signature."""
        return unquote(self.parts[1].split("?")[2]) if "?" in self.parts[1] else ""

    @property
    def target(self) -> str:
        """What is asked of a web server."""
        raw = os.fsencode(self.key) if self.key.isprintable() else self.key.encode("utf-8", "surrogateescape")
        place = "/" + quote(raw, safe="/:@!$&'()*+,;=~")
        return f"{place}?{self.query}" if self.query else place

    def __str__(self) -> str:
        if self.parts[:1] == (f"{ARCHIVE}:",) and len(self.parts) > 1:
            held = os.fsdecode(unquote_to_bytes(self.parts[1]))
            return f"{ARCHIVE}://{held}!/{'/'.join(self.parts[2:])}"
        return (
            f"{self.parts[0]}//{'/'.join([self.host, *self.parts[2:]])}" if len(self.parts) > 1 else "".join(self.parts)
        )

    def __fspath__(self) -> str:
        from datalint.sources.remote.scratch import copy_of

        return copy_of(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.parts)

    def as_posix(self) -> str:
        """As text."""
        return str(self)

    def is_absolute(self) -> bool:
        """Every URL is."""
        return True

    def absolute(self) -> RemotePath:
        """Itself."""
        return self

    def resolve(self, strict: bool = False) -> RemotePath:
        """Itself: where a server keeps it is not for us to know."""
        if strict:
            self.stat()
        return self

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:  # noqa: ARG002 - as Path has it
        """Size and time.

        Raises:
            OSError: it is not there, or cannot be asked for.
        """
        from datalint.sources.remote.stores import status_of

        found = status_of(self)
        mode = stat.S_IFDIR | 0o555 if found.folder else stat.S_IFREG | 0o444
        seconds, exact = int(found.time), {"st_mtime_ns": int(found.time * 1e9), "st_ctime_ns": int(found.time * 1e9)}
        return os.stat_result((mode, 0, 0, 1, 0, 0, found.size, seconds, seconds, seconds), exact)

    def exists(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002 - as Path has it
        """Whether something lies there that can be read."""
        return self.is_file() or self.is_dir()

    def is_file(self, **_: Any) -> bool:
        """Whether it is a file that can be read."""
        try:
            return stat.S_ISREG(self.stat().st_mode)
        except OSError:
            return False

    def is_dir(self, **_: Any) -> bool:
        """Whether files lie below it."""
        try:
            return stat.S_ISDIR(self.stat().st_mode)
        except OSError:
            return False

    def is_symlink(self) -> bool:
        """No URL is, for all that can be known."""
        return False

    def iterdir(self) -> Iterator[RemotePath]:  # type: ignore[override]
        """What lies in it.

        Raises:
            OSError: the server does not say.
        """
        yield from dict.fromkeys(self / found.parts[0] for found in self._listed())

    def rglob(self, pattern: str, **_: Any) -> Iterator[RemotePath]:  # type: ignore[override]
        """The files below it whose names match.

        Raises:
            OSError: the server does not say.
        """
        for found in self._listed():
            if fnmatch(found.parts[-1], pattern):
                yield self.joinpath(*found.parts)

    def _listed(self) -> Iterator[Any]:
        from datalint.sources.remote.stores import store_of

        return store_of(self).listed(self)

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,  # noqa: ARG002 - as Path has it
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """Read it from the place where it lies.

        Raises:
            OSError: it cannot be read.
        """
        from datalint.sources.remote.ranges import Ranges

        if set(mode) - {"r", "b", "t"}:
            raise OSError(f"{self} is only read")
        raw = io.BufferedReader(Ranges(self), BUFFER)
        if "b" in mode:
            return raw
        return io.TextIOWrapper(raw, encoding or "utf-8", errors, newline)

    def read_bytes(self, most: int | None = None) -> bytes:
        """All of it; of a larger one than ``most`` bytes one byte more than that.

        Raises:
            OSError: it cannot be read.
        """
        from datalint.sources.remote.base import steadily
        from datalint.sources.remote.stores import store_of

        return steadily(lambda: store_of(self).whole(self, most))


def local(source: str | Path, what: str) -> Path:
    """A path of this machine.

    Raises:
        DatalintError: it is a URL, on which that cannot be done.
    """
    path = place_of(source)
    if isinstance(path, RemotePath):
        raise DatalintError(f"{what} reads files of this machine, and {path} is a URL: copy the data here first")
    return path


def place_of(text: str | Path) -> Path:
    """The path that a text is, whether of this machine or at a URL.

    Raises:
        DatalintError: a URL that names no place.
    """
    if isinstance(text, RemotePath):
        return text
    scheme = scheme_of(str(text))
    if scheme is None:
        return Path(text)
    if scheme == "file":
        host, _, path = whole(str(text)).partition("://")[2].partition("/")
        if host not in {"", "localhost"}:
            raise DatalintError(f"{masked(str(text))} lies on another machine: file:// is a path of this one")
        return Path(os.fsdecode(unquote_to_bytes(f"/{path}")))
    return RemotePath.of(str(text))
