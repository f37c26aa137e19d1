"""Columns that encode another one by a statistic of rows: the mean target of its level, or how often the level occurs.

The levels themselves may be gone. Rows with equal values are one level, or several of equal statistic: either way their mean
target is the value, and their number a multiple of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from datalint_rules.splits._scaling_rows import written_digits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Kind = Literal["mean", "count", "share"]

_AGREEING = 0.98  # share of the rows whose level must agree
_EVIDENCE = 5.0  # log10 against chance, as for scalers
_LEVELS = 4  # levels that must say something


@dataclass(frozen=True)
class Encoded:
    """One column that encodes levels by statistics of all splits together, or of each by itself."""

    name: str
    kind: Kind
    case: Literal["pooled", "each"]
    agreeing: int
    """Levels whose value is the statistic."""
    testable: int
    """Levels that say something: of several rows and, for means, targets."""
    on_train: int
    """Levels that agree with train alone."""


@dataclass(frozen=True)
class _Match:
    rows: float
    """Share of the rows in levels that agree, among those that say something."""
    agreeing: int
    testable: int
    evidence: float

    def sure(self, columns: int) -> bool:
        return (
            self.testable >= _LEVELS
            and self.rows >= _AGREEING
            and self.evidence >= _EVIDENCE + math.log10(max(columns, 1))
        )


def encoded_columns(
    splits: Sequence[Floats], targets: Sequence[Floats], names: Sequence[str], total: Sequence[int]
) -> list[Encoded]:
    """The encoded columns of splits, the training split first.

    Args:
        splits: [rows, columns] of each split.
        targets: [rows, targets] of each: the label as a number, or one column of 0 and 1 for each class.
        names: of the columns.
        total: rows of each split.
    """
    found: list[Encoded] = []
    goals, sizes = np.concatenate(targets), np.array(total)
    lowest, highest = np.fmin.reduce(goals, axis=0), np.fmax.reduce(goals, axis=0)
    for j, name in enumerate(names):
        parts = [split[:, j] for split in splits]
        whole = np.concatenate(parts)
        known = whole[~np.isnan(whole)]
        # Levels repeat; a measurement does not.
        if len(known) < 50 or 2 * len(np.unique(known)) > len(known):
            continue
        grain = written_digits(known)
        within = (known.min() >= lowest) & (known.max() <= highest)  # as means are
        kinds: list[tuple[Kind, int]] = [("mean", int(k)) for k in np.flatnonzero(within)]
        kinds += [("count", 0)] if (known == np.rint(known)).all() else [("share", 0)]
        for kind, k in kinds:

            def match(values: Floats, target: Floats, rows: int, kind: Kind = kind, grain: float = grain) -> _Match:
                return _mean(values, target, grain) if kind == "mean" else _count(values, rows, grain, kind)

            pooled = match(whole, goals[:, k], int(sizes.sum()))
            alone = [match(part, t[:, k], int(n)) for part, t, n in zip(parts, targets, sizes, strict=True)]
            if pooled.sure(len(names)) and alone[0].rows < 0.9:
                case: Literal["pooled", "each"] = "pooled"
            elif all(own.sure(len(names)) for own in alone):
                case = "each"
            else:
                continue
            shown = pooled if case == "pooled" else alone[0]
            found.append(Encoded(name, kind, case, shown.agreeing, shown.testable, alone[0].agreeing))
            break
    return found


def _levels(values: Floats) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    level, inverse, rows = np.unique(values, return_inverse=True, return_counts=True)
    return level, inverse, rows


def _mean(values: Floats, target: Floats, grain: float) -> _Match:
    known = ~np.isnan(values) & ~np.isnan(target)
    values, target = values[known], target[known]
    if not len(values):
        return _Match(0.0, 0, 0, 0.0)
    level, inverse, rows = _levels(values)
    mean = np.bincount(inverse, target) / rows
    spread = np.sqrt(np.maximum(np.bincount(inverse, target**2) / rows - mean**2, 0))
    # Levels of one target, such as only 0, are their mean wherever the column and the target are equal.
    telling = (rows >= 2) & (spread > 1e-9 * max(float(np.abs(target).max()), 1e-300))
    near = grain / 2 * 1.001 + 1e-9 * np.abs(level) + 1e-12
    agree = telling & (np.abs(mean - level) <= near)
    chance = np.maximum(2 * near / (np.maximum(spread, 1e-300) / np.sqrt(rows)), 1 / (rows + 1))
    evidence = float(-np.log10(np.clip(chance[agree], 1e-6, 1)).sum())
    return _Match(_share(rows, agree, telling), int(agree.sum()), int(telling.sum()), evidence)


def _count(values: Floats, total: int, grain: float, kind: Kind) -> _Match:
    level, _, rows = _levels(values[~np.isnan(values)])
    times, step = (total, grain) if kind == "share" else (1, 0.0)
    count = np.rint(level * times)
    # A share of many rows that is coarsely written stands for several counts.
    certain = np.abs(level * times - count) <= times * step / 2 * 1.001 + 1e-6 * np.maximum(count, 1)
    certain &= times * step < 0.5
    telling = (count >= 2) | (level < 0)
    agree = telling & certain & (count >= 2) & (rows % np.maximum(count, 1).astype(np.int64) == 0)
    evidence = float(np.log10(np.maximum(count[agree], 1)).sum())
    return _Match(_share(rows, agree, telling), int(agree.sum()), int(telling.sum()), evidence)


def _share(rows: NDArray[np.intp], agree: NDArray[np.bool_], telling: NDArray[np.bool_]) -> float:
    return float(rows[agree].sum() / max(rows[telling].sum(), 1))
