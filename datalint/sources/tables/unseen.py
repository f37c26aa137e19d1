"""Columns that no rule looks into, such as lists and objects: all that is known of them is whether two cells are equal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core import hashing
from datalint.sources.tables.buffers import numbers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEPTH = 30
"""Types within types that are told apart."""

PIECE = 4 << 20
"""Bytes of cells that are hashed at a time: numbers of lists take many times their size."""


def cell_hashes(array: Any) -> NDArray[np.uint64]:
    """One hash per cell of an Arrow array of any type; equal cells have equal ones, in whatever type they are stored."""
    if not array.nbytes > PIECE:
        return array_hashes(array)
    step = max(1, PIECE * len(array) // array.nbytes)
    return np.concatenate([array_hashes(array.slice(start, step)) for start in range(0, len(array), step)])


def array_hashes(array: Any, depth: int = DEPTH) -> NDArray[np.uint64]:
    """The same, all at once."""
    import pyarrow as pa

    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return array_hashes(array.storage, depth)
    if len(array) == 0 or depth == 0 or pa.types.is_null(kind):
        return np.full(len(array), hashing.MISSING, np.uint64)
    if pa.types.is_dictionary(kind):
        table = np.append(array_hashes(array.dictionary, depth - 1), hashing.MISSING)
        codes: NDArray[np.int64] = array.indices.fill_null(len(array.dictionary)).to_numpy()
        return table[codes]
    if pa.types.is_struct(kind):
        found = np.zeros(len(array), np.uint64)
        for j, child in enumerate(array.flatten()):
            found += hashing.scramble(array_hashes(child, depth - 1), hashing.salt_of(kind.field(j).name))
        return _present(hashing.mix(found), array)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _present(_lists(array, depth), array)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return hashing.number_bits(numbers_of(array))
    return np.fromiter(map(_of_value, array.to_pylist()), np.uint64, len(array))


def _lists(array: Any, depth: int) -> NDArray[np.uint64]:
    import pyarrow.compute as pc

    lengths = pc.list_value_length(array).fill_null(0).to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    inside = array_hashes(array.flatten(), depth - 1)
    place = (np.arange(len(inside)) - np.repeat(ends - lengths, lengths)).astype(np.uint64)
    totals = np.append(np.uint64(0), np.cumsum(hashing.mix(inside ^ hashing.mix(place)), dtype=np.uint64))
    found: NDArray[np.uint64] = totals[ends] - totals[ends - lengths] + lengths.astype(np.uint64)
    return hashing.mix(found)


def _present(hashes: NDArray[np.uint64], array: Any) -> NDArray[np.uint64]:
    if not array.null_count:
        return hashes
    return np.where(array.is_null().to_numpy(zero_copy_only=False), hashing.MISSING, hashes)


def _of_value(value: object) -> int:
    if value is None:
        return int(hashing.MISSING)
    if isinstance(value, bytes):
        return hashing.bytes_hash(value)
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return hashing.bytes_hash(text.encode("utf-8", "surrogatepass"))
