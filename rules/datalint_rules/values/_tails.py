"""Values far beyond what the tail of their own column leads one to expect."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 30
"""Values on one side of the median below which there is no tail to speak of."""

LEVELS = 15
"""Distinct values on that side below which there is none either."""

NEIGHBOURS = 5
REFERENCES = 2_000
MAX_DIMENSIONS = 100


@dataclass(frozen=True)
class Stray:
    """The outermost values of one side."""

    rows: NDArray[np.int64]
    ratio: float
    """How many times as far from the median as the next value."""
    value: float
    """The one next to the gap."""
    next_value: float
    sure: bool
    """Whether the tail is too light for any doubt."""


def strays(values: NDArray[np.float64], top: bool, tests: int) -> Stray | None:
    """The values beyond a gap that the tail does not explain.

    In a tail that falls like a power of index a, j * a * log(d_j / d_j+1) of the ordered distances d is exponential, and
    any lighter tail (normal, exponential, log-normal) has smaller steps. So the index that Hill's estimator finds in
    the outer tenth, less 1.5 standard errors, bounds the chance of the gap.

    Args:
        values: one column, NaN or infinite where there is no number.
        top: the upper side or the lower.
        tests: how many columns and sides are tested.
    """
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) < LEAST:
        return None
    half = np.ldexp(values[finite], -1)  # differences of huge numbers overflow
    distance = (half - np.median(half)) * (1 if top else -1)
    order = np.argsort(-distance, kind="stable")
    d = distance[order][: int((distance > 0).sum())]
    k = max(20, len(d) // 10)
    most = max(3, min(20, len(finite) // 200))
    # A count with a few levels has steps by nature.
    if len(d) < max(LEAST, k + most + 1) or len(np.unique(d)) < LEVELS:
        return None
    best: Stray | None = None
    with np.errstate(over="ignore"):
        logs = np.log(d[: k + most + 1])
    for j in range(1, most + 1):
        step = float(logs[j - 1] - logs[j])
        if step < math.log(3) or (j >= 5 and d[0] == d[j - 1]):  # one value many times is a code, not outliers
            continue
        mean = float((logs[j : j + k] - logs[j + k]).mean())
        index = 1 / max(mean, 1e-9)
        chance = math.exp(-min(700.0, j * step * index * (1 - 1.5 / math.sqrt(k))))
        light = index * (1 - 1 / math.sqrt(k)) >= 3 and step >= math.log(10)
        if chance < 1e-4 / (tests * most) or light:
            inner, outer = (float(values[finite[order[at]]]) for at in (j, j - 1))
            best = Stray(finite[order[:j]], math.exp(min(step, 700.0)), outer, inner, light)
    return best


def wrong_sign(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The rows of up to three negative values of a quantity that is positive otherwise and keeps away from zero.

    Its lowest other value is at least a fifth of the median, and these lie as far on the other side of zero. For a
    normal quantity that is 4.5 deviations from the mean, which one in 300,000 reaches.
    """
    rows = np.flatnonzero(np.isfinite(values))
    x = values[rows]
    wrong = x < 0
    if len(x) < 100 or not 1 <= wrong.sum() <= min(3, len(x) // 100):
        return rows[:0]
    middle, low = float(np.median(x)), float(x[~wrong].min())
    return rows[wrong] if 0 < 0.2 * middle <= low and x[wrong].max() <= -0.2 * middle else rows[:0]


def lonely(columns: list[NDArray[np.float64]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows far from all others: their distance to the fifth neighbour lies beyond a gap in the tail of these distances.

    Columns are brought to their interquartile range and taken as logarithms beyond it, so that a heavy tail makes
    nobody lonely.

    Returns:
        The rows and how many times as far they are as the next.
    """
    none = np.zeros(0, np.int64), np.zeros(0)
    scaled = [s for column in columns[:MAX_DIMENSIONS] if (s := _calm(column)) is not None]
    if len(scaled) < 2 or len(scaled[0]) < 4 * LEAST:
        return none
    points = np.column_stack(scaled)
    step = max(1, len(points) // REFERENCES)
    picked = np.arange(0, len(points), step)
    found = _nearest(points, points[picked])
    # A row of the reference is its own nearest neighbour.
    distance = found[:, NEIGHBOURS - 1].copy()
    distance[picked] = found[picked, NEIGHBOURS]
    stray = strays(distance, top=True, tests=10)
    if stray is None:
        return none
    return stray.rows, np.full(len(stray.rows), stray.ratio)


def _nearest(points: NDArray[np.float64], references: NDArray[np.float64]) -> NDArray[np.float64]:
    """[rows, NEIGHBOURS + 1] distances to the nearest references, ascending; block by block, in single precision."""
    centre = references.mean(0)
    references = (references - centre).astype(np.float32)
    squares = np.square(references).sum(1)
    out = np.empty((len(points), NEIGHBOURS + 1))
    for start in range(0, len(points), 1_000):
        block = (points[start : start + 1_000] - centre).astype(np.float32)
        apart = block @ references.T
        apart *= -2
        apart += squares
        nearest = np.argpartition(apart, NEIGHBOURS, axis=1)[:, : NEIGHBOURS + 1]
        # Of the nearest the distance is recomputed: the difference of large squares has lost its digits.
        exact = np.square(block[:, None, :] - references[nearest]).sum(2)
        out[start : start + 1_000] = np.sqrt(np.sort(exact, axis=1))
    return out


def _calm(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    finite = values[np.isfinite(values)]
    if len(finite) < 0.5 * len(values):
        return None
    low, middle, high = (float(q) for q in np.percentile(finite, [25, 50, 75]))
    if not math.isfinite(high - low) or high - low <= 1e-9 * max(abs(low), abs(high)):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        z = (np.where(np.isfinite(values), values, middle) - middle) / (high - low)
        z = np.nan_to_num(z, posinf=1e300, neginf=-1e300)
    size = np.abs(z)
    return np.where(size <= 1, z, np.sign(z) * (1 + np.log(np.maximum(size, 1))))
