"""Quantities of which a part is written in another unit: metres among centimetres, cents among euros."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTORS = (10, 100, 1_000, 10_000, 1_000_000)
"""How many of the one unit make one of the other."""

FEWEST, LEAST = 20, 0.005
"""Values of the smaller part, as a number and as a share of all."""

DISTINCT = 10
"""Different values of either part: of fewer nobody can tell how they are distributed."""

APART = 4.0
"""Times as wide as any gap within a part the gap between the parts is, on a logarithmic scale."""

TAIL = 0.02
"""Share of a part at either end whose gaps are not looked at: extremes lie apart from each other."""

ALIKE, STRICT = 0.3, 1.7
"""Largest distance of the two cumulative distributions, and the same in units of its standard deviation."""

_EPOCH = (3e8, 3e9)
"""Seconds since 1970 of the times that data are of: from 1979 to 2065."""


@dataclass(frozen=True)
class Units:
    """Two parts of a column that are one quantity in two units."""

    factor: int
    """Times as large as the values of the lower part those of the upper one are."""
    low: tuple[float, float]
    high: tuple[float, float]
    """Smallest and largest value of either part."""
    few: NDArray[np.int64]
    """Rows of the smaller part."""
    small: bool
    """Whether that is the lower one."""


def two_units(values: NDArray[np.float64]) -> Units | None:
    """The parts of a positive quantity between which nothing lies, and which a power of ten makes one."""
    rows = np.flatnonzero(np.isfinite(values) & (values != 0))
    x = values[rows]
    least = max(FEWEST, LEAST * len(x))
    if len(x) < 3 * least or (x < 0).any():
        return None
    order = np.argsort(x, kind="stable")
    logs = np.log10(x[order])
    gaps = np.diff(logs)
    inside = gaps[int(least) : len(gaps) - int(least) + 1] if 2 * least < len(gaps) else gaps[:0]
    if not len(inside):
        return None
    cut = int(least) + int(np.argmax(inside)) + 1
    low, high = logs[:cut], logs[cut:]
    for factor in FACTORS:
        shift = np.log10(factor)
        if abs(np.median(high) - np.median(low) - shift) < 0.15 and _one(low + shift, high, gaps[cut - 1]):
            small = cut <= len(x) - cut
            few = np.sort(rows[order[:cut] if small else order[cut:]])
            ends = x[order][[0, cut - 1, cut, -1]].tolist()
            return Units(factor, (ends[0], ends[1]), (ends[2], ends[3]), few, small)
    return None


def two_clocks(values: NDArray[np.float64]) -> Units | None:
    """The parts of a column of times that counts seconds in one of them, and thousandths or millionths in the other."""
    known = np.isfinite(values)
    parts = {unit: known & (values >= _EPOCH[0] * unit) & (values < _EPOCH[1] * unit) for unit in (1, *FACTORS[2::2])}
    held = [unit for unit, rows in parts.items() if rows.sum() >= 2]
    if len(held) != 2 or sum(int(rows.sum()) for rows in parts.values()) < known.sum():
        return None
    low, high = (values[parts[unit]] for unit in held)
    small = len(low) <= len(high)
    few = np.flatnonzero(parts[held[0 if small else 1]])
    ends = [(float(part.min()), float(part.max())) for part in (low, high)]
    return Units(held[1] // held[0], ends[0], ends[1], few, small)


def _one(low: NDArray[np.float64], high: NDArray[np.float64], gap: float) -> bool:
    """Whether two parts on a logarithmic scale are distributed alike, and nothing but the gap lies between them."""
    sizes = len(low), len(high)
    if min(len(np.unique(part)) for part in (low, high)) < DISTINCT:
        return False
    for part in (low, high):
        tail = int(TAIL * len(part))
        kept = np.diff(part[tail : len(part) - tail])
        if APART * kept.max() > gap:
            return False
    both = np.sort(np.concatenate([low, high]))
    apart = np.abs(np.searchsorted(low, both, "right") / sizes[0] - np.searchsorted(high, both, "right") / sizes[1])
    return float(apart.max()) <= min(ALIKE, STRICT * math.sqrt(sum(sizes) / (sizes[0] * sizes[1])))
