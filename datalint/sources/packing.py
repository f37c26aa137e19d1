"""Files that are packed with gzip, zstd, bzip2 or xz, as streams of what they unpack to: bounded, whatever they are called."""

from __future__ import annotations

import io
import re
import zlib
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNPACKED = 1 << 30
"""Bytes that any packed file may unpack to."""

PIECE = 1 << 20
"""Bytes of a packed file that are unpacked at a time."""

STEP = 1 << 16
"""Bytes of other packings that are unpacked at a time."""

Packing = Literal["gzip", "zstd", "bzip2", "xz"]

_MARKS: dict[Packing, re.Pattern[bytes]] = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd"),
    "bzip2": re.compile(rb"BZh[1-9]1AY&SY"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
}
"""What each begins with."""

_LONGEST_MARK = 10

SUFFIXES = (".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz")


def without_packing(name: str) -> str:
    """The name of a file without the suffix that says how it is packed."""
    end = name.lower()
    return next((name[: -len(suffix)] for suffix in SUFFIXES if end.endswith(suffix)), name)


def packing_in(raw: IO[bytes]) -> Packing | None:
    """How a file that is open is packed, by its first bytes."""
    raw.seek(0)
    start = raw.read(_LONGEST_MARK)
    raw.seek(0)
    return packing_at(start)


def packing_at(start: bytes) -> Packing | None:
    """The same by the first bytes themselves."""
    return next((kind for kind, mark in _MARKS.items() if mark.match(start)), None)


def packing_of(path: Path) -> Packing | None:
    """How a file is packed, whatever its name."""
    with path.open("rb") as raw:
        return packing_in(raw)


def unpacked_limit(size: int) -> int:
    """Bytes that a packed file of ``size`` bytes may unpack to: deflate reaches 1,000 times, tables and arrays 100."""
    return max(UNPACKED, 100 * size)


def stream_in(raw: IO[bytes], most: int) -> IO[bytes]:
    """What a file holds, unpacked if it is packed; reading more than ``most`` bytes of that ends in an error."""
    stream = unbuffered_in(raw, most)
    return io.BufferedReader(stream, PIECE) if isinstance(stream, io.RawIOBase) else stream


def unbuffered_in(raw: IO[bytes], most: int) -> IO[bytes] | io.RawIOBase:
    """The same, of which no byte more is unpacked than is read."""
    packing = packing_in(raw)
    if packing is None:
        return raw
    return _Members(raw, most) if packing == "gzip" else _Bounded(raw, packing, most)


def _reader(raw: IO[bytes], packing: Packing) -> Callable[[int], bytes]:
    if packing == "bzip2":
        import bz2

        return bz2.BZ2File(raw).read1
    if packing == "xz":
        import lzma

        return lzma.LZMAFile(raw).read1
    import pyarrow as pa

    stream: Any = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), packing)
    return stream.read  # type: ignore[no-any-return]


class Over(io.RawIOBase):
    """A stream over a file, which it closes."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self._raw = raw

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file too."""
        self._raw.close()
        super().close()


class _Unpacked(Over):
    """What a file unpacks to, up to a number of bytes."""

    def __init__(self, raw: IO[bytes], most: int) -> None:
        super().__init__(raw)
        self._most, self._done = most, 0

    def _count(self, size: int) -> None:
        self._done += size
        if self._done > self._most:
            raise OSError(f"unpacks to more than {self._most:,} bytes, which no data of this size do")


class _Bounded(_Unpacked):
    """What a file of another kind than gzip unpacks to; what its library raises is an OSError."""

    def __init__(self, raw: IO[bytes], packing: Packing, most: int) -> None:
        super().__init__(raw, most)
        self._read = _reader(raw, packing)
        self._damage: Exception | None = None

    def readinto(self, buffer: Any) -> int:
        if self._damage is not None:
            raise self._damage
        filled = 0
        # In small steps: what comes before damage is good, and a library that meets it gives nothing of the step.
        while filled < len(buffer):
            try:
                data = self._read(min(len(buffer) - filled, STEP))
            except Exception as error:
                self._damage = error if isinstance(error, (OSError, EOFError)) else OSError(f"broken content: {error}")
                if filled:
                    break
                raise self._damage from error
            if not data:
                break
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        self._count(filled)
        return filled


class _Members(_Unpacked):
    """What the members of a gzip file unpack to, one after the other.

    gzip.GzipFile reads on for ever in the zeros that pad a file, of which a hole of the file system holds any number.
    """

    def __init__(self, raw: IO[bytes], most: int) -> None:
        super().__init__(raw, most)
        self._rest = b""
        self._member: Any = None
        self._begun = False

    def _skip_padding(self) -> None:
        """Pass over zeros between members; more than any tape pads with are the end."""
        passed = 0
        while self._rest and passed <= PIECE:
            rest = self._rest.lstrip(b"\0")
            passed += len(self._rest) - len(rest)
            self._rest = rest
            if rest:
                return
            self._rest = self._raw.read(PIECE)
        self._rest = b""

    def readinto(self, buffer: Any) -> int:
        while True:
            self._rest = self._rest or self._raw.read(PIECE)
            if self._member is None:
                if self._begun:
                    self._skip_padding()
                if not self._rest:
                    return 0
                self._member, self._begun = zlib.decompressobj(wbits=31), True
            if not self._rest:
                raise EOFError("the file ends before its compressed content does")
            data: bytes = self._member.decompress(self._rest, len(buffer))
            self._rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if self._member.eof:
                self._member = None
            self._count(len(data))
            if data:
                buffer[: len(data)] = data
                return len(data)


def packed_into(raw: IO[bytes], packing: Packing) -> Any:
    """A file to write to whose content is packed into ``raw``, without names and times: the same content is the same file."""
    if packing == "gzip":
        import gzip

        return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
    if packing == "bzip2":
        import bz2

        return bz2.BZ2File(raw, "wb")
    if packing == "xz":
        import lzma

        return lzma.LZMAFile(raw, "wb")
    import pyarrow as pa

    return pa.CompressedOutputStream(pa.PythonFile(raw, mode="w"), packing)
