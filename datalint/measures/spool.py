"""Long arrays of a merged measurement, put aside on disk so that memory stays flat while the data grows."""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class _File:
    """A temporary file without a name: it is gone when the last of its arrays is, even if the process is killed."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="datalint-")
        Path(name).unlink()
        self.handle = handle
        self.size = 0
        weakref.finalize(self, os.close, handle)

    def append(self, array: NDArray[np.uint64]) -> int:
        """Write an array; returns where it begins."""
        start, data = self.size, np.ascontiguousarray(array).data.cast("B")
        while len(data):
            written = os.pwrite(self.handle, data, self.size)
            data, self.size = data[written:], self.size + written
        return start


class Spooled:
    """An array of hashes that lies on disk; pickling and copying bring it back into memory."""

    def __init__(self, file: _File, start: int, count: int) -> None:
        self._file, self._start, self._count = file, start, count

    def __len__(self) -> int:
        return self._count

    def load(self) -> NDArray[np.uint64]:
        """The array."""
        out = np.empty(self._count, np.uint64)
        if self._count == 0:
            return out
        view, done = out.data.cast("B"), 0
        while done < len(view):
            read = os.preadv(self._file.handle, [view[done:]], self._start + done)
            if read == 0:
                raise OSError("a temporary file of datalint was cut short")
            done += read
        return out

    def __reduce__(self) -> tuple[Any, ...]:
        return np.asarray, (self.load(),)


def put_aside(arrays: Sequence[NDArray[np.uint64]]) -> list[Spooled]:
    """Write arrays to disk.

    Raises:
        OSError: there is no place to write to, or it is full.
    """
    file = _File()
    return [Spooled(file, file.append(a) if len(a) else 0, len(a)) for a in arrays]


def loaded(array: NDArray[np.uint64] | Spooled) -> NDArray[np.uint64]:
    """The array, wherever it is."""
    return array.load() if isinstance(array, Spooled) else array
