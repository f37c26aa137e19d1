"""Tar archives as streams: members one after the other, bounded, nothing extracted."""

from __future__ import annotations

import contextlib
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from datalint.sources.files import reason
from datalint.sources.packing import PIECE, stream_in, unpacked_limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKED = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
"""Ends of the names of tar archives."""

DAMAGE = (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, MemoryError, zlib.error)
"""What reading a damaged archive raises."""

MAX_MEMBER = 512 << 20
"""Bytes of a member that is read."""


@dataclass(frozen=True)
class Member:
    """What one header of an archive says."""

    name: str
    """Path within the archive, without ``./`` before it."""
    size: int
    refused: str = ""
    """Why it is not read: a link, a device, a name that leads out of the archive."""


class Cut(ValueError):
    """The archive ends within a member."""


def is_tar(name: str) -> bool:
    """Whether a file is a tar archive by its name."""
    return name.lower().endswith(PACKED)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Iterator[tuple[Member, Any]]]:
    """The members of an archive with what reads each, which must be called before the next is asked for.

    Raises:
        Exception: one of ``DAMAGE``, here or while members are read.
    """
    with contextlib.ExitStack() as stack:
        counting: Any = _Counting(stack.enter_context(stream_of(path)))
        archive = stack.enter_context(tarfile.open(fileobj=counting, mode="r|", bufsize=PIECE))
        yield _members(archive, counting)


class _Counting:
    """A stream that counts what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.done = 0

    def read(self, size: int) -> bytes:
        """As of the stream."""
        data = self._stream.read(size)
        self.done += len(data)
        return data


def _members(archive: tarfile.TarFile, stream: _Counting) -> Iterator[tuple[Member, Any]]:
    while (item := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined] # it would keep every header
        if item.isdir():
            continue
        member = Member(item.name.removeprefix("./"), item.size, why_not(item))
        yield member, lambda item=item, member=member: _content(archive, item, member)
    rest: Any = archive.fileobj
    while data := rest.read(PIECE):
        if data.strip(b"\0"):
            raise Cut("holds more after the mark of its end, where readers stop: archives that were joined")
    if stream.done % tarfile.BLOCKSIZE:
        raise Cut("ends within a header")


def _content(archive: tarfile.TarFile, item: tarfile.TarInfo, member: Member) -> bytes:
    if member.refused:
        raise ValueError(member.refused)
    file = archive.extractfile(item)
    data = b"" if file is None else file.read()
    if len(data) < item.size:
        raise Cut(f"ends within {member.name!r}: {len(data):,} of its {item.size:,} bytes are there")
    return data


def why_not(item: tarfile.TarInfo, most: int | None = MAX_MEMBER) -> str:
    """Why a member is not read; empty if it is."""
    if item.issym() or item.islnk():
        return "a link, which is not followed"
    if not item.isreg():
        return "a device or pipe"
    if most is not None and item.size > most:
        return f"has {item.size:,} bytes: not read"
    return leads_out(item.name)


def leads_out(name: str) -> str:
    """Why a name of a member is refused; empty if it stays below the folder into which it would be unpacked."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or ".." in PurePosixPath(plain).parts or plain[1:3] == ":/" or "\0" in plain:
        return "a name that leads out of the archive"
    return ""


@contextlib.contextmanager
def stream_of(path: Path, limit: int | None = None) -> Iterator[IO[bytes]]:
    """The bytes of the archive, unpacked if it is packed; more than data unpack to are an error."""
    with path.open("rb") as raw, stream_in(raw, limit or unpacked_limit(path.stat().st_size)) as stream:
        yield stream


def damage(error: BaseException) -> str:
    """What went wrong with an archive, in words."""
    if isinstance(error, Cut):
        return str(error)
    if str(error) in {"empty header", "truncated header", "unexpected end of data"}:
        return "ends within a member: it was cut short"
    return f"breaks off: {reason(error)}"
