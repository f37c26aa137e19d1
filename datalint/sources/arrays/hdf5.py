"""Data sets in an HDF5 file. Needs the extra ``hdf5``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.project import install
from datalint.sources.arrays.files import ROWS_BYTES, ArrayFile, NotAnArray, NotLookedInto
from datalint.sources.files import reason
from datalint.sources.packing import unpacked_limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MOST = 1_000
"""Data sets of one file, and members of its groups, that are looked at."""

DEPTH = 10


@dataclass(frozen=True)
class Hdf5Array(ArrayFile):
    """One data set."""

    text: bool = False

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in blocks of ``count`` items, more where it is stored in larger pieces."""
        assert self.path is not None
        with _opened(self.path) as file:
            found = file[self.key]
            if found.size != math.prod(self.shape):
                raise ValueError("it was changed while it was read")
            source = found.asstr("utf-8", "replace") if self.text else found
            if found.shape != self.shape:  # of a single row or column
                yield from _pieces(np.asarray(source[()]).reshape(self.shape), count)
                return
            stored = found.chunks[0] if found.chunks else 1
            item = max(1, found.dtype.itemsize * math.prod(found.shape[1:]))
            step = max(count, min(stored, max(1, ROWS_BYTES // item)))
            for start in range(0, len(found), step):
                yield from _pieces(np.asarray(source[start : start + step]), count)


def _pieces(values: NDArray[Any], count: int) -> Iterator[NDArray[Any]]:
    for start in range(0, len(values), count):
        block = values[start : start + count]
        yield np.asarray([str(value) for value in block], np.str_) if block.dtype.hasobject else block


def _opened(path: Path) -> Any:
    """The file, to be read.

    Raises:
        NotLookedInto: the library is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise NotLookedInto(f"HDF5: {install('hdf5')} reads it") from error
    return h5py.File(path, "r", locking=False)


def datasets(path: Path) -> list[ArrayFile]:
    """The data sets of a file; what lies in other files is not looked at.

    Raises:
        NotAnArray: it is damaged, or the library is not installed.
    """
    found: list[ArrayFile] = []
    try:
        with _opened(path) as file:
            _collect(file, path, "", found, 0)
    except NotAnArray:
        raise
    except Exception as error:  # h5py raises nearly anything on damaged files
        raise NotAnArray(f"not a readable HDF5 file: {reason(error)}") from error
    total = sum(math.prod(array.shape) * np.dtype(array.dtype).itemsize for array in found if array.dtype != "|O")
    if total > unpacked_limit(path.stat().st_size):
        raise NotAnArray(f"unpacks to {total:,} bytes, far more than arrays of this size do: not opened")
    return found


def _collect(group: Any, path: Path, prefix: str, found: list[ArrayFile], depth: int) -> None:
    import h5py

    for number, name in enumerate(group):
        if number >= MOST or len(found) >= MOST or depth > DEPTH:
            return
        if name.startswith("#") or not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue  # MATLAB's own, or a link, which may lead into another file
        item = group[name]
        key = f"{prefix}{name}"
        if isinstance(item, h5py.Group):
            _collect(item, path, f"{key}/", found, depth + 1)
        elif isinstance(item, h5py.Dataset) and item.shape is not None and not item.external and not item.is_virtual:
            text = h5py.check_string_dtype(item.dtype) is not None and item.dtype.hasobject
            shape = tuple(map(int, item.shape))
            if len(shape) == 2 and min(shape) == 1 and max(shape) > 1:
                shape = (max(shape),)
            found.append(Hdf5Array(path, key, shape, "<U1" if text else item.dtype.str, text=text))
