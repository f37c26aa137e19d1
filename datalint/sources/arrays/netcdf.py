"""Variables of a NetCDF file: the classic format is read by SciPy, NetCDF 4 is HDF5 and needs that extra."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.sources.arrays import hdf5
from datalint.sources.arrays.files import ArrayFile, NotAnArray, NotLookedInto
from datalint.sources.files import reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

CLASSIC = b"CDF"

LARGEST = 1 << 30
"""Bytes of a classic file that is read."""


@dataclass(frozen=True)
class NetCdfArray(ArrayFile):
    """One variable of a classic file."""

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The variable in blocks of ``count`` items."""
        assert self.path is not None
        with _opened(self.path) as file:
            values = file.variables[self.key]
            for start in range(0, self.shape[0], count):
                block = np.asarray(values[start : start + count])
                # SciPy gives what lies in the file, which is big-endian.
                yield block.astype(block.dtype.newbyteorder("="))


def _opened(path: Path) -> Any:
    from scipy.io import netcdf_file

    return netcdf_file(str(path), "r", mmap=False)


def variables(path: Path) -> list[ArrayFile]:
    """The variables of a file that have a dimension.

    Raises:
        NotAnArray: it is damaged, or its reader is not installed.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(3) != CLASSIC:
            return hdf5.datasets(path)
    if path.stat().st_size > LARGEST:
        raise NotLookedInto("a classic NetCDF file of more than a gigabyte, which would be read whole")
    try:
        with _opened(path) as file:
            found = {name: (tuple(held.shape), held.data.dtype) for name, held in file.variables.items() if held.shape}
    except Exception as error:  # SciPy raises nearly anything on damaged files
        raise NotAnArray(f"not a readable NetCDF file: {reason(error)}") from error
    return [
        NetCdfArray(path.absolute(), name, shape, dtype.newbyteorder("=").str)
        for name, (shape, dtype) in found.items()
        if dtype.kind in "iuf" and math.prod(shape)
    ]
