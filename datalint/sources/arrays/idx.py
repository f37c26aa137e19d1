"""The IDX files of MNIST and its like: one array of numbers each, packed or not."""

from __future__ import annotations

import contextlib
import math
import struct
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from datalint.sources.arrays.files import MAX_ITEM, ArrayFile, NotAnArray, NotLookedInto, by_row
from datalint.sources.files import reason
from datalint.sources.packing import packing_of, stream_in, unpacked_limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

TYPES = {0x08: "|u1", 0x09: "|i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""The third byte of a file, and the numbers that follow."""

MAX_AXES = 8


def looks_like_idx(start: bytes) -> bool:
    """Whether these are the first bytes of such a file."""
    return len(start) >= 4 and start[:2] == b"\0\0" and start[2] in TYPES and 1 <= start[3] <= MAX_AXES


@dataclass(frozen=True)
class IdxArray(ArrayFile):
    """The array in one file."""

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in blocks of ``count`` items, read as a stream."""
        assert self.path is not None
        with _opened(self.path) as file:
            shape, dtype = _header(file)
            if shape != self.shape or dtype.str != self.dtype:
                raise ValueError("it was changed while it was read")
            yield from by_row(file, shape, dtype, count)


def idx_array(path: Path) -> IdxArray:
    """The array in a file, by its header.

    Raises:
        NotAnArray: the file is damaged.
    """
    try:
        with _opened(path) as file:
            shape, dtype = _header(file)
        array = IdxArray(path, None, shape, dtype.str)
        if packing_of(path) is None and math.prod(shape) * dtype.itemsize > path.stat().st_size - 4 - 4 * len(shape):
            promised = " x ".join(f"{size:,}" for size in shape)
            raise NotAnArray(f"breaks off: its header promises {promised} values")
    except (OSError, EOFError, zlib.error, ValueError, struct.error) as error:
        raise NotAnArray(f"not a readable IDX file: {reason(error)}") from error
    if math.prod(shape[1:]) > MAX_ITEM:
        raise NotLookedInto(f"holds {math.prod(shape[1:]):,} values per sample; at most {MAX_ITEM:,} are read")
    return array


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with contextlib.ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("rb"))
        yield stack.enter_context(stream_in(file, unpacked_limit(path.stat().st_size)))


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    start = file.read(4)
    if not looks_like_idx(start):
        raise ValueError("it does not begin as IDX files do")
    shape = struct.unpack(f">{start[3]}I", file.read(4 * start[3]))
    return shape, np.dtype(TYPES[start[2]])
