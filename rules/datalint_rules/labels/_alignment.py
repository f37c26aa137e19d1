"""Whether similar samples carry similar labels, at the same row or some rows further on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGMAS = 6.0
"""Standard errors beyond chance: of 129 lags in three parts of a split none reaches that by chance (1 in 10 million)."""
LEAST = 0.2
"""And by at least this share of what perfect agreement would give: less is a weak problem, where nothing can be told."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of neighbours' labels: 0 is chance, 1 is perfect."""

    kappa: float
    error: float
    """Standard error where labels and inputs are unrelated."""
    raw: float
    """Share of pairs with one label; for numeric targets the rank correlation."""
    pairs: int

    @property
    def sure(self) -> bool:
        return self.kappa >= max(LEAST, SIGMAS * self.error)

    @property
    def none(self) -> bool:
        return self.kappa <= 3 * self.error


NOTHING = Agreement(0.0, 1.0, 0.0, 0)


def neighbours(X: NDArray[np.float32], queries: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each query row the nearest other row among some."""
    base = X[among]
    norms = (base * base).sum(1)
    place = np.full(len(X), -1, np.int64)
    place[among] = np.arange(len(among))
    found = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), 500):
        rows = queries[start : start + 500]
        distance = norms[None] - 2 * X[rows] @ base.T
        own = place[rows]
        distance[np.flatnonzero(own >= 0), own[own >= 0]] = np.inf
        found[start : start + 500] = among[distance.argmin(1)]
    return found


def agreement(a: NDArray[np.float64], b: NDArray[np.float64], numeric: bool) -> Agreement:
    """Agreement of the labels of pairs."""
    if len(a) < 50:
        return NOTHING
    if numeric:
        x, y = (np.unique(v, return_inverse=True)[1].astype(np.float64) for v in (a, b))
        if x.std() == 0 or y.std() == 0:
            return NOTHING
        r = float(np.corrcoef(x, y)[0, 1])
        return Agreement(r, 1.5 / math.sqrt(len(a)), r, len(a))
    classes = np.unique(np.concatenate([a, b]), return_inverse=True)[1]
    first, second = classes[: len(a)], classes[len(a) :]
    width = int(classes.max()) + 1
    chance = float((np.bincount(first, minlength=width) / len(a)) @ (np.bincount(second, minlength=width) / len(a)))
    if chance > 0.95:
        return NOTHING
    share = float((first == second).mean())
    # Pairs that are each other's neighbours count twice.
    error = math.sqrt(2 * chance / (1 - chance) / len(a))
    return Agreement((share - chance) / (1 - chance), error, share, len(a))


@dataclass(frozen=True)
class Shift:
    """Labels that fit the inputs some rows further on."""

    lag: int
    at_lag: Agreement
    at_zero: Agreement
    part: str
    """Whole, first half or second half."""


def find_shift(
    position: NDArray[np.int64],
    label: NDArray[np.float64],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    samples: int,
    most: int,
    numeric: bool,
) -> tuple[Shift | None, Agreement]:
    """Look for a lag at which neighbours agree while they do not at their own rows.

    Args:
        position: [m] ascending places of the known rows in the split.
        label: [m] their labels.
        pairs: rows and their neighbours, as positions in the split.
        samples: samples in the split.
        most: the largest lag.
        numeric: whether labels are quantities.

    Returns:
        The shift, if there is one, and the agreement at the rows themselves.
    """

    def labels_at(places: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        at = np.minimum(np.searchsorted(position, places), len(position) - 1)
        return label[at], position[at] == places

    def at(lag: int, inside: NDArray[np.bool_]) -> Agreement:
        a, known_a = labels_at(pairs[0][inside] + lag)
        b, known_b = labels_at(pairs[1][inside] + lag)
        both = known_a & known_b
        return agreement(a[both], b[both], numeric)

    half = samples // 2
    parts = {
        "whole": np.ones(len(pairs[0]), np.bool_),
        "second half": (pairs[0] >= half) & (pairs[1] >= half),
        "first half": (pairs[0] < half) & (pairs[1] < half),
    }
    whole = at(0, parts["whole"])
    for name, inside in parts.items():
        if inside.sum() < 50:
            continue
        zero = at(0, inside)
        if zero.sure and zero.kappa >= 0.6:
            continue  # nothing could be twice that
        best = max(
            ((lag, at(lag, inside)) for lag in range(-most, most + 1) if lag),
            key=lambda item: (item[1].kappa, -abs(item[0])),
        )
        if best[1].sure and zero.kappa <= 0.5 * best[1].kappa:
            return Shift(best[0], best[1], zero, name), whole
    return None, whole


def serial(X: NDArray[np.float32], position: NDArray[np.int64], lag: int) -> bool:
    """Whether rows so far apart are related: in a time series the next row may say what this one's label is."""
    for step in {1, abs(lag)}:
        at = np.minimum(np.searchsorted(position, position + step), len(position) - 1)
        both = np.flatnonzero(position[at] == position + step)
        if len(both) < 50:
            continue
        a, b = X[both], X[at[both]]
        a, b = a - a.mean(0), b - b.mean(0)
        scale = np.outer(np.sqrt((a * a).mean(0)), np.sqrt((b * b).mean(0)))
        # Columns that hardly vary reach any correlation by chance.
        related = np.abs(a.T @ b / len(both)) > max(0.2, 7 / math.sqrt(len(both))) * scale
        if (related & (scale > 0.05)).any():
            return True
    return False
