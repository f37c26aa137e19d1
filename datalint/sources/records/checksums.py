"""CRC-32C (Castagnoli) of many byte strings at once, as their frames hold it.

The checksum of a string is a walk over its bytes, one table look-up each. Here all strings are cut into equal blocks that are
walked side by side, and the walks are joined: a checksum is linear, so that passing over zeros is a product with a matrix.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Words = NDArray[np.uint32]

POLYNOMIAL = 0x82F63B78
BLOCK = 64
"""Bytes of a block."""

_ONES = 0xFFFFFFFF


@cache
def _table() -> Words:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> np.uint32(1)) ^ np.uint32(POLYNOMIAL), values >> np.uint32(1))
    return values


@cache
def _double_table() -> Words:
    """For two bytes at once."""
    pairs = np.arange(1 << 16, dtype=np.uint32)
    first = _table()[pairs & 0xFF] ^ (pairs >> np.uint32(8))
    return np.asarray(_table()[first & 0xFF] ^ (first >> np.uint32(8)), np.uint32)


@cache
def _single_table() -> tuple[int, ...]:
    return tuple(map(int, _table()))


def crc32c_of_few(data: bytes) -> int:
    """The checksum of a few bytes, for which arrays are too slow."""
    table, register = _single_table(), _ONES
    for byte in data:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ _ONES


@cache
def _zeros(power: int) -> Words:
    """What passing over 2 ** ``power`` zero bytes makes of a register: four tables, one for each of its bytes."""
    if power == 0:
        registers = (np.arange(256, dtype=np.uint32)[None, :] << np.arange(0, 32, 8, dtype=np.uint32)[:, None]).ravel()
        return np.asarray(_table()[registers & 0xFF] ^ (registers >> np.uint32(8)), np.uint32).reshape(4, 256)
    half = _zeros(power - 1)
    return _applied(half, half.ravel()).reshape(4, 256)


def _applied(tables: Words, registers: Words) -> Words:
    found: Any = tables[0][registers & 0xFF]
    for k in range(1, 4):
        found = found ^ tables[k][(registers >> np.uint32(8 * k)) & 0xFF]
    return np.asarray(found, np.uint32)


def _passed(registers: Words, counts: NDArray[np.int64]) -> Words:
    """The registers after ``counts`` zero bytes each."""
    for power in range(int(counts.max(initial=0)).bit_length()):
        some = (counts >> power) & 1 == 1
        registers = np.where(some, _applied(_zeros(power), registers), registers)
    return registers


def crc32c(parts: Sequence[bytes]) -> Words:
    """The checksum of each string."""
    sizes = np.array([len(part) for part in parts], np.int64)
    blocks = np.maximum(1, -(-sizes // BLOCK))
    # Zeros before a string change nothing of a register that holds zero.
    data = b"".join(bytes(n * BLOCK - len(part)) + part for n, part in zip(blocks.tolist(), parts, strict=True))
    grid = np.ascontiguousarray(np.frombuffer(data, "<u2").reshape(-1, BLOCK // 2).T)
    table = _double_table()
    registers = np.zeros(grid.shape[1], np.uint32)
    for column in grid:
        registers = table.take((registers & 0xFFFF) ^ column) ^ (registers >> np.uint32(16))
    ends = np.cumsum(blocks)
    behind = np.repeat(ends, blocks) - np.arange(1, len(registers) + 1)
    joined = np.bitwise_xor.reduceat(_passed(registers, behind * BLOCK), ends - blocks)
    begun = _passed(np.full(len(parts), _ONES, np.uint32), sizes)
    return np.asarray(joined ^ begun ^ np.uint32(_ONES), np.uint32)


def masked(checksum: int) -> int:
    """As frames store it: a checksum of data that hold their own checksum would be weak."""
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & _ONES
