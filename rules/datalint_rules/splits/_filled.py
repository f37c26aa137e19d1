"""Columns whose gaps were filled with a mean or median, and the rows from which that was taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import NumberStats, SplitProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MIN_COPIES = 5
"""Fewer equal values among fractions are no filling worth a finding."""

MIN_DISTINCT = 20
"""Fewer different values and the column is no continuous one."""

OUTSTANDING = 5
"""The filled value is at least so many times as frequent as the next; rounding alone makes no such spike."""

CHANCE = 1e-3
"""Chance, over all columns that have such a spike (few do by nature), that it lies as near to a statistic by accident."""

DECIMALS = 4
"""A column that is written with no more decimals than these was recorded so; means are not."""

BITS = 1e-9
"""Rounding of sums and of written numbers, relative to the size of the values."""


@dataclass(frozen=True)
class Filled:
    """One column that was filled."""

    name: str
    statistic: str
    """Mean or median."""
    value: float
    fitted: str
    """``pooled``: of all splits; ``train``: of the first alone; ``each``: of each split by itself; ``unsplit``."""
    copies: tuple[int, ...]
    """Cells with the value, by split, among the sampled rows."""
    train: float
    """The statistic of the first split alone."""
    rows: tuple[NDArray[np.bool_], ...]
    """The filled cells, by split."""


def filled_columns(splits: Sequence[SplitProfile], names: Sequence[str]) -> list[Filled]:
    """All the columns whose most frequent value is a mean or median of the others."""
    spiked: dict[str, list[NDArray[np.float64]]] = {}
    for name in names:
        columns = [split.rows.column(name) for split in splits]
        finite = [column[np.isfinite(column)] for column in columns]
        if any(_spike(column) is not None for column in [np.concatenate(finite), *finite]):
            spiked[name] = columns
    found = [_judge(name, splits, columns, len(spiked)) for name, columns in spiked.items()]
    return [filled for filled in found if filled is not None]


def _judge(
    name: str, splits: Sequence[SplitProfile], columns: Sequence[NDArray[np.float64]], tests: int
) -> Filled | None:
    finite = [column[np.isfinite(column)] for column in columns]
    spikes = [_spike(column) for column in finite]
    pooled = np.concatenate(finite)
    spike = _spike(pooled)
    if spike is None:
        return _each(name, splits, columns, finite, spikes, tests)
    rest = pooled[pooled != spike]
    step = _step(rest, spike)
    # The tolerance must be so small that no spike comes so near by accident: half the values lie in this range.
    width = float(np.subtract(*np.quantile(rest, [0.75, 0.25])))
    if width <= 0 or 4 * step / width > CHANCE / (2 * tests):
        return None
    exact = all(split.rows.complete for split in splits)
    for statistic in ("mean", "median") if exact else ("mean",):
        of_all = _statistic(statistic, splits, name, finite, spike, range(len(splits)))
        of_train = _statistic(statistic, splits, name, finite, spike, range(1))
        near_all, near_train = abs(of_all - spike) <= step, abs(of_train - spike) <= step
        if not (near_all or near_train):
            continue
        if len(splits) > 1 and abs(of_all - of_train) <= 4 * step:
            return None  # both are the same number: nothing leaked
        fitted = "unsplit" if len(splits) == 1 else "pooled" if near_all else "train"
        masks = tuple(np.asarray(column == spike) for column in columns)
        return Filled(name, statistic, spike, fitted, tuple(int(mask.sum()) for mask in masks), of_train, masks)
    return _each(name, splits, columns, finite, spikes, tests)


def _each(
    name: str,
    splits: Sequence[SplitProfile],
    columns: Sequence[NDArray[np.float64]],
    finite: Sequence[NDArray[np.float64]],
    spikes: Sequence[float | None],
    tests: int,
) -> Filled | None:
    """Each split filled with a statistic of its own."""
    values = [spike for spike in spikes if spike is not None]
    if len(splits) < 2 or len(values) < len(splits) or len(set(values)) < len(values):
        return None
    for statistic in ("mean", "median") if all(split.rows.complete for split in splits) else ("mean",):
        near = []
        for k, spike in enumerate(values):
            rest = finite[k][finite[k] != spike]
            step = _step(rest, spike)
            width = float(np.subtract(*np.quantile(rest, [0.75, 0.25])))
            own = _statistic(statistic, splits, name, finite, spike, range(k, k + 1))
            near.append(width > 0 and 4 * step / width <= CHANCE / (2 * tests) and abs(own - spike) <= step)
        if all(near):
            masks = tuple(np.asarray(column == spike) for column, spike in zip(columns, values, strict=True))
            return Filled(
                name, statistic, values[0], "each", tuple(int(mask.sum()) for mask in masks), values[0], masks
            )
    return None


def _spike(values: NDArray[np.float64]) -> float | None:
    """The most frequent value of a continuous column, if it stands out.

    Or the only one with more decimals than all others, however coarse these are: few recorded values are as long as a mean.
    """
    if len(values) < MIN_DISTINCT:
        return None
    long = values[np.abs(np.round(values, DECIMALS) - values) > 10.0 ** -(DECIMALS + 3)]
    if MIN_COPIES <= len(long) < 0.9 * len(values) and long.min() == long.max():
        return float(long[0])
    ordered = np.sort(values)
    if not (ordered[MIN_COPIES - 1 :] == ordered[: 1 - MIN_COPIES]).any():
        return None  # as in most continuous columns, no value has enough copies
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= MIN_DISTINCT:
        return None
    second, first = np.partition(counts, -2)[-2:]
    if first < max(MIN_COPIES, OUTSTANDING * second) or first > 0.9 * len(values):
        return None
    return float(distinct[int(counts.argmax())])


def _step(values: NDArray[np.float64], spike: float) -> float:
    """How far a filled value may be from the statistic: half its last written digit, or the rounding of sums."""
    size = float(np.abs(values).max(initial=abs(spike)))
    text = f"{spike:.15g}"
    decimals = len(text.partition(".")[2]) if "e" not in text else 15
    written = 0.5 * 10.0**-decimals if len(text.strip("-0.").replace(".", "")) < 12 else 0.0
    return max(written * 1.001, BITS * size)


def _statistic(
    statistic: str,
    splits: Sequence[SplitProfile],
    name: str,
    finite: Sequence[NDArray[np.float64]],
    spike: float,
    which: range,
) -> float:
    """Of the cells that are not filled; the mean is exact whatever was sampled, for filling with it does not move it."""
    rest = np.concatenate([finite[k] for k in which])
    if all(splits[k].rows.complete for k in which):
        rest = rest[rest != spike]
        if len(rest) == 0:
            return math.nan
        with np.errstate(over="ignore", invalid="ignore"):
            return float(rest.mean() if statistic == "mean" else np.median(rest))
    total = weight = 0.0
    for k in which:
        numbers, j = splits[k][NumberStats], splits[k].position(name)
        if j is not None:
            total += float(numbers.mean[j]) * float(numbers.count[j])
            weight += float(numbers.count[j])
    return total / weight if weight else math.nan
