"""Columns that belong together row by row, and do so a few rows further on where one of them slipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 100
"""Rows that are compared at a time."""

MOST = 16
"""Rows by which a column may have slipped."""

TOGETHER, APART = 0.7, 0.35
"""Correlation of what goes together, and of what does not."""

SHARP = 0.6
"""Correlation with the own row and with any other one at most, as a share of that with the row that a value belongs to."""

LEAST = 2
"""Blocks in a row that have to slip alike."""


@dataclass(frozen=True)
class Slip:
    """A part in which one of two columns slipped against the other."""

    start: int
    end: int
    """Rows, the last one not included, as far as blocks tell."""
    lag: int
    """How many rows further on the values of the second column stand that belong to a row of the first."""
    there: float
    here: float
    """Correlation with that row and with the own one."""


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values by their order, so that no extreme decides; those that are missing in the middle."""
    known = np.isfinite(values)
    found = np.zeros(len(values))
    if known.any():
        _, codes, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - (counts + 1) / 2
        found[known] = middle[codes] - middle[codes].mean()
    return found


def blocks_of(a: NDArray[np.float64], b: NDArray[np.float64], lag: int) -> NDArray[np.float64]:
    """Correlation of each block of the one with the rows of the other that stand ``lag`` further on; NaN beyond the ends."""
    count = len(a) // BLOCK
    found = np.full(count, np.nan)
    first = -(-max(0, -lag) // BLOCK)
    last = min(count, (len(b) - lag) // BLOCK)
    if last <= first:
        return found
    x = a[first * BLOCK : last * BLOCK].reshape(-1, BLOCK)
    y = b[first * BLOCK + lag : last * BLOCK + lag].reshape(-1, BLOCK)
    x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
    size = np.sqrt((x * x).sum(1) * (y * y).sum(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found[first:last] = (x * y).sum(1) / size
    return found


def slip(a: NDArray[np.float64], b: NDArray[np.float64]) -> Slip | None:
    """The longest part in which ranks of two columns agree at another row than their own, and at no third one."""
    lags = [lag for lag in range(-MOST, MOST + 1) if lag]
    own = blocks_of(a, b, 0)
    if not (np.abs(own) <= APART).any():
        return None
    others = np.array([blocks_of(a, b, lag) for lag in lags])
    sizes = np.nan_to_num(np.abs(others), nan=0.0)
    best = sizes.argmax(0)
    at = sizes[best, np.arange(len(best))]
    rest = sizes.copy()
    rest[best, np.arange(len(best))] = 0
    slipped = (at >= TOGETHER) & (np.maximum(np.nan_to_num(np.abs(own), nan=1.0), rest.max(0)) <= SHARP * at)
    longest: tuple[int, int] = (0, 0)
    start = 0
    for k in range(len(best) + 1):
        if k == len(best) or not slipped[k] or (k > start and best[k] != best[start]):
            longest = max(longest, (start, k), key=lambda run: run[1] - run[0])
            start = k if k < len(best) and slipped[k] else k + 1
    first, last = longest
    if last - first < LEAST:
        return None
    here, there = (float(np.median(part[first:last])) for part in (np.abs(own), at))
    # At the ends of the file there is nothing to compare with.
    known = np.flatnonzero(np.isfinite(others[best[first]]))
    start = 0 if first == known[0] else first * BLOCK
    end = len(a) if last == known[-1] + 1 else last * BLOCK
    return Slip(start, end, lags[int(best[first])], there, here)


def broken(columns: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs of columns, as ranks, that go together in some block and not in another."""
    count = len(columns) // BLOCK
    if count < LEAST + 1:
        return []
    strong = np.zeros((columns.shape[1],) * 2, np.bool_)
    weak = strong.copy()
    for k in range(count):
        part = columns[k * BLOCK : (k + 1) * BLOCK]
        part = part - part.mean(0)
        size = np.sqrt((part * part).sum(0))
        size[size == 0] = np.inf
        close = np.abs((part / size).T @ (part / size))
        strong |= close >= TOGETHER
        weak |= close <= APART
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(np.triu(strong & weak, 1)), strict=True)]
