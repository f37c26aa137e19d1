"""Do a few extreme values hold most of the sum of squares, and are they of another order of magnitude?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOP = 0.001
"""Share of the values that counts as a few; one value at least."""

MIN_VALUES = 100
"""Fewer values than this away from the most common one show no tail."""

WILD = 1e4
"""A gap of this ratio comes up in one of 10,000 columns even with the tails of Cauchy's distribution."""


@dataclass(frozen=True)
class Tail:
    """What the few most extreme values of a column weigh."""

    values: int
    """Values away from the most common one, if most are equal to it."""
    top: int
    """How many are the few."""
    share: float
    """Share of the sum of squared distances from the centre that the few hold."""
    by_chance: float
    """Largest share that a column with exponential tails would give."""
    gap: float
    """How many times as far out the few begin as the next value does, at their widest gap."""
    farthest: float
    """The most extreme value."""
    low: float
    """The smallest value."""

    @property
    def heavy(self) -> bool:
        """Whether the share is beyond chance."""
        return self.share > self.by_chance

    @property
    def wild(self) -> bool:
        """Whether even a logarithm does not mend it: some values are of another order of magnitude altogether."""
        return self.gap >= WILD


def tail_of(values: NDArray[np.float64], columns: int) -> Tail | None:
    """Weigh the tails of one column.

    Args:
        values: its values, or a uniform sample of them.
        columns: how many columns are looked at, for the correction of the chance.

    Returns:
        None where too few values differ from the most common one.
    """
    values = values[np.isfinite(values)]
    if len(values) < MIN_VALUES:
        return None
    distinct, counts = np.unique(values, return_counts=True)
    common = int(counts.argmax())
    # Where most values are equal (nothing bought, no rain), the others are judged.
    mostly = 2 * counts[common] > len(values)
    centre = float(distinct[common]) if mostly else float(np.median(values))
    with np.errstate(over="ignore"):
        away = np.abs(values - centre)
    if mostly:
        away = away[away > 0]
    largest = float(away.max(initial=0.0))
    typical = float(np.median(away[away > 0])) if largest > 0 else 0.0
    if len(away) < MIN_VALUES or not math.isfinite(largest) or typical <= 0:
        return None
    top = math.ceil(TOP * len(away))
    extreme = np.maximum(np.sort(away)[-top - 1 :], typical)
    far = int(np.abs(values - centre).argmax())
    return Tail(
        len(away),
        top,
        _share(away / largest, top),
        exponential_share(len(away), top, 1e-3 / columns),
        float((extreme[1:] / extreme[:-1]).max()),
        float(values[far]),
        float(distinct[0]),
    )


def _share(away: NDArray[np.float64], top: int) -> float:
    squares = np.sort(away**2)
    return float(squares[-top:].sum() / squares.sum())


def exponential_share(count: int, top: int, chance: float) -> float:
    """The share that the largest ``top`` of ``count`` exponential distances exceed with no more than this chance."""
    # The k-th largest exceeds t with a chance of at most (count * exp(-t)) ** k / k!, so each has its own limit.
    limits = (math.log(count) - (math.log(chance / top) + math.lgamma(k + 1)) / k for k in range(1, top + 1))
    return min(1.0, sum(limit**2 for limit in limits) / (2 * count))
