"""Arrow arrays as NumPy arrays, by their buffers: ``Array.to_numpy`` would import pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def numbers_of(array: Any) -> NDArray[np.float64]:
    """The values of an array of integers, floats or decimals as float64, NaN where null."""
    import pyarrow as pa

    if not pa.types.is_float64(array.type):
        if pa.types.is_integer(array.type) or pa.types.is_float32(array.type):
            values = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype(), len(array) + array.offset)
            numbers = values[array.offset :].astype(np.float64)
        else:
            array = array.cast(pa.float64(), safe=False)
            numbers = np.frombuffer(array.buffers()[1], np.float64, len(array) + array.offset)[array.offset :]
    else:
        numbers = np.frombuffer(array.buffers()[1], np.float64, len(array) + array.offset)[array.offset :]
    if array.null_count:
        numbers = np.where(nulls(array), np.nan, numbers)
    return numbers


def nulls(array: Any) -> NDArray[np.bool_]:
    """Where an array that has nulls has them."""
    bits = np.frombuffer(array.buffers()[0], np.uint8)
    valid: NDArray[np.uint8] = np.unpackbits(bits, count=len(array) + array.offset, bitorder="little")
    return np.equal(valid[array.offset :], 0)
