"""The bytes of text tables, packed or not."""

from __future__ import annotations

import contextlib
import io
import zlib
from abc import abstractmethod
from typing import IO, TYPE_CHECKING, Any, Final

from datalint.core.writing import replacing
from datalint.sources.packing import PIECE, Over, packed_into, stream_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.sources.packing import Packing

UNPACKED = 256 << 20
"""Bytes that any compressed table may unpack to; beyond it a hundred times its size."""

UNPACK_LIMIT = 64 << 20
"""Decompressed bytes read of a compressed file to recognise it."""


def open_bytes(path: Path, compression: Packing | None) -> IO[bytes]:
    """The file's bytes, decompressed up to the limit of what a table of its size unpacks to."""
    raw = path.open("rb")
    return raw if compression is None else stream_in(raw, max(UNPACKED, 100 * path.stat().st_size))


DAMAGE: Final = (OSError, EOFError, zlib.error)
"""What reading a packed file that is damaged, or unpacks to too much, ends in."""

LONGEST_LINE = 64 << 20
"""Bytes of a line that is held back until it is known to be whole."""


class Filtered(Over):
    """A file whose bytes are changed on the way."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__(raw)
        self._ready = memoryview(b"")
        self._over = False

    @abstractmethod
    def fill(self) -> None:
        """Make the next bytes ready, if there are any, or say that it is over."""

    def readinto(self, buffer: Any) -> int:
        """Some of the bytes that are ready."""
        while not self._ready and not self._over:
            self.fill()
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


class Sound(Filtered):
    """The whole lines of a file up to its damage.

    Whoever reads ahead would lose, with the error, what lies before it: the sooner it is met, the more.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__(raw)
        self._torn: list[bytes] = []
        self.damage: Exception | None = None
        """What the file ends in, if not in its end."""

    def fill(self) -> None:
        """Some bytes of whole lines, or of the last."""
        try:
            block = self._raw.read1(PIECE) if isinstance(self._raw, io.BufferedReader) else self._raw.read(PIECE)
        except DAMAGE as error:
            self.damage, self._over = error, True
            return
        end = 1 + max(block.rfind(b"\n"), block.rfind(b"\r"))
        if end or not block or sum(map(len, self._torn)) > LONGEST_LINE:
            self._over = not block
            self._ready = memoryview(b"".join([*self._torn, block[:end]]))
            self._torn = []
        self._torn.append(block[end:])


@contextlib.contextmanager
def replacing_bytes(path: Path, compression: Packing | None) -> Iterator[Any]:
    """A new file to write bytes to, which takes the place of ``path`` once it is whole."""
    with replacing(path) as raw:
        if compression is None:
            yield raw
            return
        with packed_into(raw, compression) as packed:
            yield packed


def readable(file: IO[bytes], size: int) -> bytes:
    """The first bytes of a compressed file as far as it is sound; the scan will say where it is not."""
    blocks: list[bytes] = []
    with contextlib.suppress(*DAMAGE):
        while size > 0 and (block := file.read(min(size, 1 << 20))):
            blocks.append(block)
            size -= len(block)
    return b"".join(blocks)


def chunks(path: Path, compression: Packing | None, count: int, start: int, length: int) -> list[bytes]:
    """Blocks of whole lines, of at most ``length`` bytes, from evenly spread places after ``start``; none overlap."""
    with open_bytes(path, compression) as file:
        # A compressed file can only be read through: keep a block of every few.
        data = None if compression is None else readable(file, UNPACK_LIMIT)
        source, size = (file, path.stat().st_size) if data is None else (io.BytesIO(data), len(data))
        length = min(length, max(0, size - start) // count)
        blocks = []
        for k in range(count):
            source.seek(size - length - (size - length - start) * (count - 1 - k) // max(1, count - 1))
            torn = source.readline(length)
            blocks.append(source.read(length - len(torn)))
        return blocks
