"""Damage that needs to know nothing of a format: bits, bytes, blocks, lengths."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

NUMBERS = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
"""Where the arithmetic of readers turns over."""
HUGE_NUMBERS = (2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


def damaged(r: Random, data: bytes, others: Sequence[bytes] = (), times: int = 4, within: slice | None = None) -> bytes:
    """The data after a few blows, all of them ``within`` a part of it if that is given."""
    whole = data
    if within is not None:
        data = whole[within]
    for _ in range(r.randint(1, times)):
        data = r.choice(_BLOWS)(r, data, others)
    if within is None:
        return data
    start, stop, _ = within.indices(len(whole))
    return whole[:start] + data + whole[max(start, stop) :]


def lying_number(r: Random, data: bytes, at: int | None = None) -> bytes:
    """Another number of one to eight bytes, in either byte order."""
    size = r.choice((1, 2, 4, 4, 8))
    if len(data) < size:
        return data
    at = r.randrange(len(data) - size + 1) if at is None else at
    number = r.choice(NUMBERS + (HUGE_NUMBERS if size == 8 else ())) % (1 << (8 * size))
    return data[:at] + number.to_bytes(size, r.choice(("little", "big"))) + data[at + size :]


def _range(r: Random, data: bytes, most: int = 64) -> tuple[int, int]:
    start = r.randrange(len(data) + 1)
    return start, min(len(data), start + r.randint(1, r.choice((1, 4, most, max(1, len(data) // 2)))))


def _flip(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = r.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << r.randrange(8)]) + data[at + 1 :]


def _byte(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = r.randrange(len(data))
    return data[:at] + r.choice((b"\0", b"\xff", b"\x7f", b"\x80", b'"', b"\n", r.randbytes(1))) + data[at + 1 :]


def _number(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return lying_number(r, data)


def _insert(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = r.randrange(len(data) + 1)
    return data[:at] + r.choice((r.randbytes(r.randint(1, 40)), bytes(r.randint(1, 200)), b"\xff" * 8)) + data[at:]


def _delete(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _range(r, data)
    return data[:start] + data[stop:]


def _double(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _range(r, data)
    return data[:stop] + data[start:stop] * r.choice((1, 1, 2, 30)) + data[stop:]


def _blank(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _range(r, data)
    return data[:start] + r.choice((b"\0", b"\xff")) * (stop - start) + data[stop:]


def _truncate(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: r.randrange(len(data) + 1)]


def _behead(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[r.randint(0, min(len(data), 64)) :]


def _swap(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    a, b, c = sorted(r.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _append(r: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data + r.choice((r.randbytes(r.randint(1, 64)), bytes(64), data, *others[:1]))


def _splice(r: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The beginning of one and the end of another."""
    other = r.choice(others) if others else data
    return data[: r.randrange(len(data) + 1)] + other[r.randrange(len(other) + 1) :]


def _float(r: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if len(data) < 8:
        return data
    at = r.randrange(len(data) - 7)
    value = r.choice((float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324, -0.0))
    return data[:at] + struct.pack(r.choice("<>") + "d", value) + data[at + 8 :]


_BLOWS = (
    *(_flip, _flip, _byte, _byte, _number, _number, _number),
    *(_insert, _delete, _double, _blank, _truncate, _behead, _swap, _append, _splice, _float),
)
