"""Rows in the order of time: splits that follow each other, and series that lie one after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import auc, group_keys, midranks
from datalint_rules._shared.times import times_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from datalint.author import Dataset, SampledRows, SplitProfile

    Columns = Callable[[SampledRows], list[NDArray[np.float64]]]

RUNS_ON = 1 / 3
"""Share of what lies between the medians of two splits that may lie between the end of the one and the start of the other."""

SERIAL = 0.5
"""Correlation of neighbours from which rows without a time are in its order."""
SMOOTH = 0.8
"""The same from which a column by itself is a series, and not only stored next to similar ones."""
PART = 15
"""Fewest values that show whether a stretch is smooth: without any order fewer than 1 in 10,000 are."""


def in_time(dataset: Dataset, splits: Sequence[SplitProfile], columns: Columns) -> bool:
    """Whether the last of these splits lies after the first in time: by a time column, or because its columns run on.

    Args:
        dataset: the data set.
        splits: the first, the last, and between them those that may lie between them in time.
        columns: the columns that should run on.
    """
    first, *_, last = splits
    for field in dataset.fields:
        if field.role == "time":
            one, two = (times[np.isfinite(times)] for times in (times_of(s.rows, field) for s in (first, last)))
            if min(len(one), len(two)) >= 10:
                return auc(np.concatenate([one, two]), np.arange(len(one) + len(two)) >= len(one)) >= 0.99
    parts = [part[np.isfinite(part)] for split in (first, last) for part in columns(split.rows)]
    return all(_of_neighbours(part) >= SERIAL for part in parts) and runs_on(dataset, splits, columns)


def runs_on(dataset: Dataset, splits: Sequence[SplitProfile], columns: Columns) -> bool:
    """Whether most columns of the last split begin where those of the first one, or of one between them, end.

    A population that drifts, or a series cut at a moment, does so; one that was prepared in another way jumps.
    """
    first, *others, last = (
        [_ordered(dataset, split.rows, column) for column in columns(split.rows)] for split in splits
    )
    chains = [(first, last), *((first, other, last) for other in others)]
    for chain in chains:
        going = []
        for parts in zip(*chain, strict=True):
            if min(map(len, parts)) < 20:
                continue
            between = abs(float(np.median(parts[-1]) - np.median(parts[0])))
            going.append([_seam(a, b) <= RUNS_ON * between for a, b in pairwise(parts)])
        if going and np.array(going).all(1).mean() > 0.5:
            return True
    return False


def _ordered(dataset: Dataset, rows: SampledRows, column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The known values of a column in the order of time, which is the stored one where no column tells it."""
    for field in dataset.fields:
        times = times_of(rows, field) if field.role == "time" else np.zeros(0)
        if np.isfinite(times).sum() >= 20:
            column = column[np.argsort(times, kind="stable")]
            break
    return column[np.isfinite(column)]


def _of_neighbours(column: NDArray[np.float64]) -> float:
    """Correlation of the ranks of neighbours."""
    places = midranks(column)
    spread = float(((places - places.mean()) ** 2).sum()) if len(places) else 0.0
    return 1 - float((np.diff(places) ** 2).sum()) / (2 * spread) if spread else 0.0


def _seam(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """How far apart the nearest ends of two stretches lie: the newest rows may come first as well as last."""
    # Of a short series more than a few values would reach far into it.
    near = [min(50, max(5, len(part) // 50)) for part in (one, two)]
    medians = [(np.median(part[:k]), np.median(part[-k:])) for part, k in zip((one, two), near, strict=True)]
    return float(min(abs(medians[0][1] - medians[1][0]), abs(medians[0][0] - medians[1][1])))


def in_series(column: NDArray[np.float64]) -> bool:
    """Whether a column in stored order moves smoothly up and down, in each part of it as a series does: nobody sorted it."""
    places = midranks(column[np.isfinite(column)])
    parts = min(10, len(places) // PART)
    if parts < 3:
        return False
    steps = np.diff(places)
    smooth = [_of_neighbours(part) >= SMOOTH for part in np.array_split(places, parts)]
    return min((steps > 0).sum(), (steps < 0).sum()) >= 0.2 * (steps != 0).sum() and float(np.mean(smooth)) > 0.8


def panel_of(dataset: Dataset, split: SplitProfile) -> str | None:
    """The key of a panel: series that lie one after the other, each in the order of its time."""
    return next((key.name for key in group_keys(dataset, [split]) if series_of(dataset, split.rows, key.codes)), None)


def series_of(dataset: Dataset, rows: SampledRows, codes: NDArray[np.int64]) -> bool:
    """Whether a time, or another counter, rises or falls throughout the rows of each source, which follow each other."""
    same = (codes[1:] == codes[:-1]) & (codes[1:] >= 0)
    if same.mean() < 0.5:
        return False
    for field in dataset.fields:
        if field.role == "time" or (field.kind == "number" and field.role in {"feature", "index"}):
            steps = np.diff(times_of(rows, field))[same]
            if max(float((steps > 0).mean()), float((steps < 0).mean())) >= 0.95:
                return True
    return False
