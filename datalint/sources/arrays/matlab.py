"""Variables in a ``.mat`` file of MATLAB up to version 7, and of 7.3, which is HDF5."""

from __future__ import annotations

import math
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.sources.arrays.bundles import is_label_name
from datalint.sources.arrays.files import ArrayFile, NotAnArray
from datalint.sources.files import reason
from datalint.sources.packing import unpacked_limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

HDF5 = b"MATLAB 7.3"

HEAD = 128
"""Bytes before the first variable."""

TYPES = {
    **{
        "double": "<f8",
        "single": "<f4",
        "logical": "|u1",
        "int8": "|i1",
        "uint8": "|u1",
        "int16": "<i2",
        "uint16": "<u2",
    },
    **{"int32": "<i4", "uint32": "<u4", "int64": "<i8", "uint64": "<u8"},
}
"""Classes of MATLAB that hold numbers."""


@dataclass(frozen=True)
class MatlabArray(ArrayFile):
    """One variable; it is read whole."""

    last: bool = False
    """Whether its last axis is that of the samples."""

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in blocks of ``count`` items."""
        assert self.path is not None
        value = _loaded(self.path, self.key or "")
        value = np.moveaxis(value, -1, 0) if self.last else value
        if math.prod(value.shape) != math.prod(self.shape):
            raise ValueError("it was changed while it was read")
        value = value.reshape(self.shape)
        for start in range(0, len(value), count):
            yield np.ascontiguousarray(value[start : start + count]).astype(self.dtype, copy=False)


def _loaded(path: Path, name: str) -> NDArray[Any]:
    import scipy.io

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of variables of one name
        value = scipy.io.loadmat(path, variable_names=[name], mat_dtype=False)[name]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iufb":
        raise ValueError("no array of numbers")
    return value


def variables(path: Path) -> list[ArrayFile]:
    """The variables of a file that are full arrays of real numbers.

    Raises:
        NotAnArray: it is damaged, or needs a library that is not installed.
    """
    with path.open("rb") as file:
        if file.read(len(HDF5)) == HDF5:
            from datalint.sources.arrays.hdf5 import datasets

            return datasets(path)
    _check_ends(path)
    import scipy.io

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = scipy.io.whosmat(path)
    except Exception as error:  # scipy raises nearly anything on damaged files
        raise NotAnArray(f"not a readable MATLAB file: {reason(error)}") from error
    arrays = {name: (tuple(map(int, shape)), TYPES.get(kind, "|O")) for name, shape, kind in found}
    limit = unpacked_limit(path.stat().st_size)
    if sum(math.prod(shape) * 8 for shape, _ in arrays.values()) > 8 * limit:
        raise NotAnArray("unpacks to far more than arrays of this size do: not opened")
    samples = _samples(arrays)
    return [_array(path, name, shape, dtype, samples) for name, (shape, dtype) in arrays.items() if math.prod(shape)]


def _check_ends(path: Path) -> None:
    """Raise NotAnArray where the file ends within a variable: of one that is not read nobody would know."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
        order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
        if order is None:
            return  # of version 4, or no MATLAB file
        at, number = HEAD, 0
        while at < size:
            file.seek(at)
            tag = file.read(8)
            if len(tag) < 8:
                raise NotAnArray(f"breaks off within its variable {number}")
            length = int(struct.unpack(f"{order}I", tag[4:])[0])
            if at + 8 + length > size:
                raise NotAnArray(
                    f"breaks off within its variable {number}: {size - at - 8:,} of {length:,} bytes are there"
                )
            at, number = at + 8 + length, number + 1


def _samples(arrays: dict[str, tuple[tuple[int, ...], str]]) -> int | None:
    """How many samples there are, by the variable that holds a label each."""
    for name, (shape, _) in arrays.items():
        if is_label_name(name) and len(shape) == 2 and min(shape) == 1:
            return max(shape)
    return None


def _array(path: Path, name: str, shape: tuple[int, ...], dtype: str, samples: int | None) -> MatlabArray:
    last = samples is not None and shape[0] != samples and shape[-1] == samples
    shape = (shape[-1], *shape[:-1]) if last else shape
    if len(shape) == 2 and min(shape) == 1 and max(shape) > 1:
        shape = (max(shape),)
    return MatlabArray(path, name, shape, dtype, last=last)
