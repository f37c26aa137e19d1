"""Archives as folders that are only read: ``data.zip`` and ``data.tar.gz`` hold files as a store does, and nothing is extracted.

A member of a zip file is unpacked when it is read, one of a plain tar file lies in it as it is. A packed tar file, into which
nobody can reach, is unpacked once into a plain one in a folder of ours, which is removed at the end.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, unquote

from datalint.core.problem import Problem
from datalint.core.temporary import TemporaryFolder
from datalint.sources import tars
from datalint.sources.files import Listing, printable, reason
from datalint.sources.packing import PIECE, UNPACKED, packing_at, unpacked_limit
from datalint.sources.remote.base import Found, NoRanges, Status, Store
from datalint.sources.remote.url import ARCHIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.remote.path import RemotePath

MOST = 5_000_000
"""Members of an archive that are listed."""

RATIO = 200
"""Times its own size that an archive may unpack to, beyond ``UNPACKED`` bytes: texts reach 20, deflate 1,000."""

SPARE = 1 << 30
"""Bytes that are left on the disk."""

ENDS = (".zip", *tars.PACKED)


def is_archive(name: str) -> bool:
    """Whether a file is an archive by its name."""
    return name.lower().endswith(ENDS)


def host_of(path: Path) -> str:
    """What stands for an archive among the parts of a path."""
    return quote(os.fsencode(path), safe="")


def file_of(host: str) -> Path:
    """The archive that this stands for."""
    return Path(os.fsdecode(unquote(host, errors="surrogateescape")))


@dataclass(frozen=True)
class _Member:
    """Where the content of a member is had."""

    size: int
    start: int | None = None
    """Where it lies in the plain file; None where it has to be unpacked."""
    header: int = 0
    """Where its header lies in a zip file."""
    packed: int = 0
    method: int = zipfile.ZIP_STORED
    checksum: int = 0


@dataclass
class Index:
    """What an archive holds."""

    members: dict[tuple[str, ...], _Member] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Members that are not read, and why."""
    plain: Path | None = None
    """The plain file in which its members lie."""
    state: str = ""


class Refused(OSError):
    """The archive as a whole is not read; the message says why."""


def index_of(path: Path) -> Index:
    """What an archive holds, looked up once.

    Raises:
        OSError: it is damaged, cannot be read, or unpacks to far more than data do.
    """
    status = path.stat()
    return _indexed(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _indexed(path: Path, size: int, changed: int) -> Index:
    index = Index(state=f"{size} {changed}")
    try:
        (_of_zip if path.name.lower().endswith(".zip") else _of_tar)(path, size, index)
    except OSError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, *tars.DAMAGE) as error:
        raise Refused(f"a damaged archive: {tars.damage(error)}") from error
    return index


def _add(index: Index, name: str, member: _Member) -> None:
    """Take in a member, unless its name is that of no file below the archive."""
    if why := tars.leads_out(name):
        index.refused.append((name, why))
        return
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in {"", "."})
    if parts in index.members:
        index.refused.append((name, "comes twice: the first is read"))
    elif parts:
        index.members[parts] = member
    if len(index.members) > MOST:
        raise Refused(f"holds more than {MOST:,} files: not read")


def _limit(size: int) -> int:
    return max(UNPACKED, RATIO * size)


def _of_zip(path: Path, size: int, index: Index) -> None:
    with zipfile.ZipFile(path) as archive:
        items = archive.infolist()
    total = sum(item.file_size for item in items)
    if total > _limit(size):
        raise Refused(f"unpacks from {size:,} to {total:,} bytes, far more than data do: not opened")
    for item in items:
        if item.is_dir():
            continue
        kind = item.external_attr >> 28
        if kind == 0o12:
            index.refused.append((item.filename, "a link, which is not followed"))
        elif item.flag_bits & 1:
            index.refused.append((item.filename, "is encrypted"))
        elif item.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            index.refused.append((item.filename, "is packed in a way that is not read: pack it with deflate"))
        else:
            told = (item.header_offset, item.compress_size, item.compress_type, item.CRC)
            _add(index, item.filename, _Member(item.file_size, None, *told))


def _of_tar(path: Path, size: int, index: Index) -> None:
    with path.open("rb") as file:
        start = file.read(262)
    if start[257:262] == b"ustar" or packing_at(start) is None:
        index.plain = path
    else:
        index.plain = _unpacked(path, _limit(size))
    with tarfile.open(index.plain, "r:") as archive:
        while (item := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined] # it would keep every header
            if item.isdir():
                continue
            why = tars.why_not(item, None)
            if why or item.issparse():
                index.refused.append((item.name, why or "has holes, which are not read"))
            elif item.offset_data + item.size > index.plain.stat().st_size:
                index.refused.append((item.name, "breaks off: the archive was cut short"))
            else:
                _add(index, item.name, _Member(item.size, item.offset_data))


def _unpacked(path: Path, limit: int) -> Path:
    """The plain tar file in a packed one, in a folder of ours.

    Raises:
        OSError: it is damaged, or there is no room for it.
    """
    held = TemporaryFolder()
    folder = held.path
    atexit.register(held.remove)
    Finalize(None, held.remove, exitpriority=10)  # a worker process runs these and no atexit
    goal, done = folder / "archive.tar", 0
    try:
        with tars.stream_of(path, limit) as source, goal.open("wb") as file:
            while data := source.read(PIECE):
                done += len(data)
                if done % (256 * PIECE) < PIECE and shutil.disk_usage(folder).free < SPARE:
                    raise Refused(f"there is no room in {folder.parent} to look into it")
                file.write(data)
    except EOFError as error:
        # What was unpacked so far is read; the member at its end will be missed.
        if not done:
            raise Refused(f"a damaged archive: {reason(error)}") from error
    except (OSError, zlib.error) as error:
        held.remove()
        raise Refused(f"a damaged archive: {reason(error)}") from error
    return goal


class ArchiveStore(Store):
    """The members of one archive as files."""

    def __init__(self, host: str) -> None:
        self.path = file_of(host)

    def status(self, path: RemotePath) -> Status:
        """What is known of a file or folder."""
        index = index_of(self.path)
        parts = path.parts[2:]
        member = index.members.get(parts)
        if member is not None:
            return _status(index, member)
        if any(known[: len(parts)] == parts for known in index.members):
            return Status(0, folder=True)
        raise FileNotFoundError(2, f"{path} is not in the archive")

    def listed(self, path: RemotePath) -> Iterator[Found]:
        """All files below a folder."""
        index = index_of(self.path)
        parts = path.parts[2:]
        for known, member in index.members.items():
            if known[: len(parts)] == parts and len(known) > len(parts):
                yield Found(known[len(parts) :], _status(index, member))

    def read(self, path: RemotePath, start: int, stop: int, status: Status) -> bytes:  # noqa: ARG002 - as Store has it
        """These bytes of a file; one that has to be unpacked is copied first."""
        index, member = self._member(path)
        if member.start is None or index.plain is None:
            if start == 0 and stop == member.size:
                return self._whole(member, stop)
            raise NoRanges("it has to be unpacked")
        with index.plain.open("rb") as file:
            file.seek(member.start + start)
            data = file.read(stop - start)
        if len(data) < stop - start:
            raise OSError("the archive was changed while it was read")
        return data

    def whole(self, path: RemotePath, most: int | None) -> bytes:
        """All of a file."""
        _, member = self._member(path)
        size = member.size if most is None else min(member.size, most + 1)
        if member.start is not None:
            return super().whole(path, most)
        return self._whole(member, size)

    def copy(self, path: RemotePath, file: IO[bytes], status: Status) -> None:
        """Write the whole file."""
        _, member = self._member(path)
        if member.start is not None:
            super().copy(path, file, status)
            return
        for piece in self._pieces(member):
            file.write(piece)

    def _member(self, path: RemotePath) -> tuple[Index, _Member]:
        index = index_of(self.path)
        member = index.members.get(path.parts[2:])
        if member is None:
            raise FileNotFoundError(2, f"{path} is not in the archive")
        return index, member

    def _whole(self, member: _Member, size: int) -> bytes:
        found: list[bytes] = []
        done = 0
        for piece in self._pieces(member):
            found.append(piece)
            done += len(piece)
            if done >= size:
                break
        return b"".join(found)[:size]

    def _pieces(self, member: _Member) -> Iterator[bytes]:
        """What a member of a zip file unpacks to, and an error where it is not what was packed."""
        done = checksum = 0
        with self.path.open("rb") as file:
            file.seek(member.header)
            head = file.read(30)
            if len(head) < 30 or head[:4] != b"PK\x03\x04":
                raise OSError("damaged: its header is not there")
            file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), os.SEEK_CUR)
            for piece in _inflated(file, member):
                done += len(piece)
                checksum = zlib.crc32(piece, checksum)
                if done > member.size:
                    raise OSError("unpacks to more than the archive says")
                yield piece
        if done < member.size or checksum != member.checksum:
            raise OSError("damaged within the archive: its checksum is another")


def _inflated(file: IO[bytes], member: _Member) -> Iterator[bytes]:
    unpack = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == zipfile.ZIP_DEFLATED else None
    left, rest = member.packed, b""
    while left or rest:
        data = rest or file.read(min(PIECE, left))
        if not data:
            raise OSError("the archive breaks off within it")
        left -= 0 if rest else len(data)
        if unpack is None:
            yield data
            continue
        try:
            piece = unpack.decompress(data, PIECE)
        except zlib.error as error:
            raise OSError(f"damaged within the archive: {reason(error)}") from error
        rest = unpack.unconsumed_tail
        if piece:
            yield piece
        if unpack.eof:
            return


def _status(index: Index, member: _Member) -> Status:
    return Status(member.size, tag=index.state, ranges=member.start is not None)


def root_of(path: Path) -> RemotePath:
    """The folder that an archive is."""
    from datalint.sources.remote.path import RemotePath

    return RemotePath(f"{ARCHIVE}:", host_of(path))


def walk_archive(path: Path) -> Listing:
    """The files in an archive as those of a folder, with what is refused as problems.

    Raises:
        OSError: it is damaged, or unpacks to far more than data do.
    """
    from datalint.sources.remote.listing import walk_remote

    index = index_of(path)
    listing = walk_remote(root_of(path))
    by_reason: dict[str, list[str]] = {}
    for name, why in index.refused:
        by_reason.setdefault(why, []).append(name)
    for why, names in by_reason.items():
        more = f" (and {len(names) - 1:,} more)" if len(names) > 1 else ""
        kind = "truncated" if why.startswith("breaks off") else "not-scanned"
        listing.problems.append(Problem(kind, printable(f"{path.as_posix()}: {names[0]}"), f"{why}{more}"))  # type: ignore[arg-type]
    return listing


__all__ = ["ArchiveStore", "Refused", "index_of", "is_archive", "root_of", "unpacked_limit", "walk_archive"]
