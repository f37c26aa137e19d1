"""Was one split made in another way than the other? Judged from the columns that both have."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.author import SampledRows

    Floats = NDArray[np.float64]

Looks = Literal["standardised", "scaled to [0, 1]", "scaled to [-1, 1]", "raw"]

MIN_ROWS = 20
"""Fewer values of a column in either split say nothing of its scale."""

MAX_VALUES = 4_000
"""Values of a column that are compared; quantiles of as many are exact to 2 %."""

ODDS = 1e-6
"""Chance, over all columns, at which a difference counts: that of two samples of one population."""


@dataclass(frozen=True)
class Column:
    """One column in two splits."""

    name: str
    location: tuple[float, float]
    """Medians."""
    spread: tuple[float, float]
    looks: tuple[Looks, Looks]
    different: bool
    """Whether two samples of one population are never so far apart."""
    distance: float
    """Largest difference of the two distribution functions."""
    same_shape: bool
    """Whether it is the same distribution but for unit and offset."""

    @property
    def factor(self) -> float:
        """How many times as wide the second split is."""
        return self.spread[1] / self.spread[0]

    @property
    def moved(self) -> bool:
        """Whether scale or place is another, as no drift of a population makes it."""
        shift = abs(self.location[1] - self.location[0])
        return self.different and (not 1 / 3 <= self.factor <= 3 or shift >= 4 * max(self.spread))


def compare(a: SampledRows, b: SampledRows, names: tuple[str, ...]) -> list[Column]:
    """The columns that both splits have enough values of; those that are nearly constant are left out."""
    at, there = ({name: j for j, name in enumerate(rows.names)} for rows in (a, b))
    columns = []
    for name in names:
        if name not in at or name not in there:
            continue
        x, y = (_values(rows.numbers[:, place[name]]) for rows, place in ((a, at), (b, there)))
        with np.errstate(over="ignore", invalid="ignore"):
            column = _column(name, x, y, len(names))
        if column is not None:
            columns.append(column)
    return columns


def _values(column: Floats) -> Floats:
    column = column[np.isfinite(column)]
    return column[:: 1 + (len(column) - 1) // MAX_VALUES] if len(column) else column


def _column(name: str, x: Floats, y: Floats, tests: int) -> Column | None:
    if min(len(x), len(y)) < MIN_ROWS or max(_most_common(x), _most_common(y)) > 0.7:
        return None
    spread = _spread(x), _spread(y)
    location = float(np.median(x)), float(np.median(y))
    if not all(math.isfinite(s) and s > 0 for s in spread):
        return None
    limit = _limit(len(x), len(y), ODDS / tests)
    distance = _distance(x, y)
    aligned = _distance((x - location[0]) / spread[0], (y - location[1]) / spread[1])
    return Column(
        name,
        location,
        spread,
        (_looks(x), _looks(y)),
        distance > limit,
        distance,
        aligned <= max(0.15, _limit(len(x), len(y), 0.05)),
    )


def _most_common(values: Floats) -> float:
    return float(np.unique(values, return_counts=True)[1].max() / len(values))


def _spread(values: Floats) -> float:
    """A range that a few wild values do not move: the middle half, or where that is one value the middle 98 %."""
    low, high = np.quantile(values, [0.25, 0.75])
    if high > low:
        return float(high - low)
    low, high = np.quantile(values, [0.01, 0.99])
    return float(high - low) if high > low else float(values.max() - values.min())


def _limit(n: int, m: int, chance: float) -> float:
    """The distance that two samples of one population exceed with this chance (Massart 1990)."""
    return math.sqrt(-math.log(chance / 2) / 2 * (1 / n + 1 / m))


def _distance(x: Floats, y: Floats) -> float:
    """Kolmogorov and Smirnov's."""
    grid = np.concatenate([x, y])
    left = np.searchsorted(np.sort(x), grid, side="right") / len(x)
    right = np.searchsorted(np.sort(y), grid, side="right") / len(y)
    return float(np.abs(left - right).max())


def _looks(values: Floats) -> Looks:
    """What a scaler would have made of it; sampling error and rows outside the fitted range are allowed for."""
    mean, deviation = float(values.mean()), float(values.std())
    low, high = float(values.min()), float(values.max())
    if low < -0.3 and 2 / 3 <= deviation <= 3 / 2 and abs(mean) <= 0.5:
        return "standardised"
    if low >= -0.2 and 0.6 <= high <= 1.2 and not set(np.unique(values)) <= {0.0, 1.0}:
        return "scaled to [0, 1]"
    if -1.2 <= low <= -0.6 and 0.6 <= high <= 1.2:
        return "scaled to [-1, 1]"
    return "raw"
