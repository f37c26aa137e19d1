"""A file at a URL that is read by ranges."""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import IO, TYPE_CHECKING, Any

from datalint.sources.remote.base import NoRanges, steadily
from datalint.sources.remote.path import BUFFER, RemotePath, place_of
from datalint.sources.remote.scratch import copy_of
from datalint.sources.remote.stores import status_of, store_of

if TYPE_CHECKING:
    from pathlib import Path

FIRST, LAST = 64 << 10, 4 << 20
"""Bytes asked for where a few are wanted, at first and after many: who reads on will go on reading."""

BLOCKS = 32
"""Pieces that are kept for a reader that jumps to and fro, as those of tables stored by columns do."""


class Ranges(io.RawIOBase):
    """The bytes of a remote file, asked for when they are wanted."""

    def __init__(self, path: RemotePath) -> None:
        """Look the file up.

        Raises:
            OSError: it is not there, or may not be read.
        """
        super().__init__()
        self._path = path
        self._status = status_of(path)
        if self._status.folder:
            raise IsADirectoryError(21, f"{path} is a folder")
        self._store = store_of(path)
        self._at = self._start = 0
        self._block = b""
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._step = FIRST
        self._copy: IO[bytes] | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where it is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read on elsewhere."""
        self._at = max(0, offset + (0, self._at, self._status.size)[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Some bytes; those that a small reader will ask for next come with them."""
        wanted = min(len(buffer), self._status.size - self._at)
        if wanted <= 0:
            return 0
        data = self._held(wanted)
        if not data:
            data = self._asked(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _held(self, wanted: int) -> bytes:
        for start, block in ((self._start, self._block), self._near()):
            if 0 <= self._at - start < len(block):
                return block[self._at - start : self._at - start + wanted]
        return b""

    def _near(self) -> tuple[int, bytes]:
        """The block of a reader that jumps to and fro which holds the place, if it is known."""
        start = self._at // FIRST * FIRST
        if start in self._blocks:
            self._blocks.move_to_end(start)
        return start, self._blocks.get(start, b"")

    def _asked(self, wanted: int) -> bytes:
        if self._copy is not None:
            self._copy.seek(self._at)
            return self._copy.read(wanted)
        few = wanted <= BUFFER
        on = self._at == self._start + len(self._block) and self._at > 0
        start = self._at if on or not few else self._at // FIRST * FIRST
        self._step = min(max(2 * self._step, wanted), LAST) if on else FIRST
        ahead = few or (on and wanted <= LAST)
        stop = min(start + (max(wanted, self._step) if ahead else wanted), self._status.size)
        try:
            data = steadily(lambda: self._store.read(self._path, start, stop, self._status))
        except NoRanges:
            self._copy = open(copy_of(self._path), "rb")  # noqa: PTH123, SIM115 - closed with this
            return self._asked(wanted)
        if few and not on:
            self._blocks[start] = data
            while len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        # Of what was asked for in one go nobody wants more than where it ended.
        self._start, self._block = (start, data) if ahead else (stop - 1, data[-1:])
        return data[self._at - start : self._at - start + wanted]

    def close(self) -> None:
        """Let go of what is held."""
        if self._copy is not None:
            self._copy.close()
        self._block = b""
        self._blocks.clear()
        super().close()


def arrow_ranges(path: Path) -> Any:
    """The file for pyarrow: by pyarrow itself where it reads the store, so that nothing goes through Python.

    Raises:
        OSError: it is not there, or may not be read.
    """
    import pyarrow as pa

    remote = place_of(path)
    assert isinstance(remote, RemotePath)
    store = store_of(remote)
    own = steadily(lambda: store.arrow_file(remote))
    return pa.PythonFile(io.BufferedReader(Ranges(remote), BUFFER), mode="r") if own is None else own
