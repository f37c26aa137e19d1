"""Tensors in a ``.safetensors`` file: a header of JSON, then the values."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.sources.arrays.files import ArrayFile, NotAnArray, by_row
from datalint.sources.files import reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

HEADER = 100_000_000
"""Bytes of a header: the format's own limit."""

DTYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "|b1", "U8": "|u1", "I8": "|i1"},
    **{"I64": "<i8", "I32": "<i4", "I16": "<i2", "U64": "<u8", "U32": "<u4", "U16": "<u2"},
}
"""Types by their names; the bits of BF16 are the upper half of those of a float."""


@dataclass(frozen=True)
class Tensor(ArrayFile):
    """One tensor that lies row by row in a file, or in a member of an archive that is not packed."""

    start: int = 0
    """Where its values begin."""
    half: bool = False
    """Whether its values are the upper halves of floats."""

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in blocks of ``count`` items."""
        assert self.path is not None
        stored = np.dtype("<u2") if self.half else np.dtype(self.dtype)
        with self.path.open("rb") as file:
            file.seek(self.start)
            for block in by_row(file, self.shape, stored, count):
                yield (block.astype("<u4") << 16).view("<f4") if self.half else block


def tensors(path: Path) -> list[ArrayFile]:
    """The tensors of a file.

    Raises:
        NotAnArray: it is damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(HEADER, size - 8):
            raise NotAnArray("not a safetensors file: its header is longer than the file")
        head = file.read(length)
    try:
        content = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise NotAnArray(f"not a safetensors file: its header is no JSON: {reason(error)}") from error
    if not isinstance(content, dict):
        raise NotAnArray("not a safetensors file: its header is no object")
    return [_tensor(path, name, told, 8 + length, size) for name, told in content.items() if name != "__metadata__"]


def _tensor(path: Path, name: str, told: Any, base: int, size: int) -> Tensor:
    try:
        kind, shape, (begin, end) = told["dtype"], told["shape"], told["data_offsets"]
        numbers = [*shape, begin, end]
    except (TypeError, KeyError, ValueError) as error:
        raise NotAnArray(f"{name!r} is not described as a tensor") from error
    if not all(type(number) is int and 0 <= number < 1 << 62 for number in numbers):
        raise NotAnArray(f"{name!r} is not described as a tensor")
    dtype = DTYPES.get(kind if isinstance(kind, str) else "")
    if dtype is None:
        return Tensor(path, name, tuple(shape), "|V1", start=base)  # of a type that cannot be judged
    if begin > end or base + end > size or math.prod(shape) * np.dtype(dtype).itemsize != end - begin:
        raise NotAnArray(f"{name!r} breaks off: its header promises {' x '.join(map(str, shape))} values")
    half = kind == "BF16"
    return Tensor(path, name, tuple(shape), "<f4" if half else dtype, start=base + begin, half=half)
