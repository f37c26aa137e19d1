"""Whether boxes lie on what they were drawn for: a model tells what is in them from what is in boxes of other pictures.

Both are taken from the same picture, and the boxes of other pictures have the same sizes and places. So a model can tell
them apart by nothing but what they show; where boxes have nothing to do with their pictures it is right half of the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from datalint.core.statistics import binomial_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from datalint.profile.learn.object_views import ObjectViews

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PICTURES = 300
"""Pictures of a split that are looked at."""
NEEDED = 40
"""Fewer say nothing."""
OBJECTS = 6
"""Of each picture."""
FOLDS = 5
RIDGE = 0.3
"""Of squares of standardised features, for each sample."""
SHIFT = 0.16
"""Share of the picture by which boxes are shifted: far enough that most leave their object."""


def _flip(axis: int) -> Callable[[Floats], Floats]:
    def flipped(boxes: Floats) -> Floats:
        out = boxes.copy()
        out[:, axis], out[:, axis + 2] = 1 - boxes[:, axis + 2], 1 - boxes[:, axis]
        return out

    return flipped


def _shift(right: float, down: float) -> Callable[[Floats], Floats]:
    return lambda boxes: boxes + np.array([right, down, right, down])


_MIRROR, _UPSIDE = _flip(0), _flip(1)


def _transpose(boxes: Floats) -> Floats:
    return boxes[:, [1, 0, 3, 2]]


MOVES: Final[Mapping[str, Callable[[Floats], Floats]]] = {
    "mirrored from left to right": _MIRROR,
    "turned upside down": _UPSIDE,
    "turned by 180 degrees": lambda boxes: _MIRROR(_UPSIDE(boxes)),
    "with x and y exchanged": _transpose,
    "turned clockwise": lambda boxes: _MIRROR(_transpose(boxes)),
    "turned anticlockwise": lambda boxes: _UPSIDE(_transpose(boxes)),
    "shifted to the right": _shift(SHIFT, 0),
    "shifted to the left": _shift(-SHIFT, 0),
    "shifted down": _shift(0, SHIFT),
    "shifted up": _shift(0, -SHIFT),
}
AFTER, BEFORE = "of the next picture", "of the picture before"


@dataclass(frozen=True)
class Placement:
    """How well the boxes of a split fit its pictures, and how well they fit when they are put elsewhere."""

    pictures: int
    fit: float
    """How often what is in a box looks more like an object than what is in a box of another picture: 0.5 by chance."""
    better: str = ""
    """What was done with the boxes that then fit better, all of them; empty for nothing."""
    better_fit: float = 0.0
    z: float = 0.0
    """By how many standard errors."""
    move: str = ""
    """What was done with the boxes of some pictures alone that then fit."""
    rows: Ints | None = None
    """Those pictures, by their position in the split, the surest first."""
    chance: float = 1.0
    """Of so many, where boxes that fit elsewhere are as frequent among all pictures."""


@dataclass(frozen=True)
class Cuts:
    """From when on boxes are said to be misplaced."""

    gain: float
    z: float
    level: float


class _Model:
    """Ridge regression of objects against what lies elsewhere, by folds of pictures."""

    def __init__(self, views: ObjectViews, rng: np.random.Generator) -> None:
        count = len(views)
        self.views = views
        self.fold = rng.permutation(count) % FOLDS
        self.shown = [rng.permutation(len(boxes))[:OBJECTS] for boxes in views.boxes]
        self.boxes = [boxes[some] for boxes, some in zip(views.boxes, self.shown, strict=True)]
        by = 1 + int(rng.integers(count - 1))
        self.others = [self.boxes[(k + by) % count] for k in range(count)]
        self.known: dict[str, tuple[NDArray[np.float32], Ints]] = {}

    def seen(self, move: str, *, others: bool = False) -> tuple[NDArray[np.float32], Ints]:
        """Features of boxes that were moved, and their pictures."""
        key = f"{move}{others}"
        if key not in self.known:
            views = self.views
            if move in {AFTER, BEFORE} and not others:
                every = views.after if move == AFTER else views.before
                self.known[key] = views.crops([boxes[:OBJECTS] for boxes in every])[:2]
            else:
                source = self.others if others else self.boxes
                change = MOVES.get(move)
                self.known[key] = views.crops([change(boxes) if change else boxes for boxes in source])[:2]
        return self.known[key]

    def scores(self, move: str, asked: list[str]) -> tuple[Floats, Floats, dict[str, Floats]]:
        """Of moved boxes against those of others, moved in the same way; and of boxes moved otherwise, by the same model."""
        good, owner = self.seen(move)
        bad, bad_owner = self.seen(move, others=True)
        mean, spread = good.mean(axis=0), good.std(axis=0) + 1e-3
        good, bad = (good - mean) / spread, (bad - mean) / spread
        mine, theirs = np.zeros(len(good)), np.zeros(len(bad))
        more = {name: np.zeros(len(self.seen(name)[0])) for name in asked}
        for fold in range(FOLDS):
            train, other = self.fold[owner] != fold, self.fold[bad_owner] != fold
            weights, middle = _ridge(good[train], bad[other])
            mine[~train] = (good[~train] - middle) @ weights
            theirs[~other] = (bad[~other] - middle) @ weights
            for name in asked:
                values, whose = self.seen(name)
                here = self.fold[whose] == fold
                more[name][here] = ((values[here] - mean) / spread - middle) @ weights
        return mine, theirs, more

    def wins(self, move: str, mine: Floats, theirs: Floats) -> Floats:
        """Of each picture, how often its boxes score more than those of another; NaN where there are none."""
        owner, bad_owner = self.seen(move)[1], self.seen(move, others=True)[1]
        out = np.full(len(self.views), np.nan)
        for k in range(len(out)):
            a, b = mine[owner == k], theirs[bad_owner == k]
            if len(a) and len(b):
                out[k] = (a[:, None] > b).mean()
        return out


def _ridge(good: NDArray[np.float32], bad: NDArray[np.float32]) -> tuple[Floats, Floats]:
    both = np.concatenate([good, bad]).astype(np.float64)
    target = np.concatenate([np.ones(len(good)), -np.ones(len(bad))])
    middle = both.mean(axis=0)
    both -= middle
    matrix = both.T @ both
    matrix[np.diag_indices_from(matrix)] += RIDGE * len(both)
    return np.linalg.solve(matrix, both.T @ (target - target.mean())), middle


def placement(views: ObjectViews, cuts: Cuts) -> Placement:
    """Judge the boxes of a split."""
    model = _Model(views, np.random.default_rng(0))
    moves = [*MOVES, AFTER, BEFORE]
    mine, theirs, moved = model.scores("", moves)
    wins = model.wins("", mine, theirs)
    fit = float(np.nanmean(wins)) if np.isfinite(wins).any() else 0.5
    found = Placement(int(np.isfinite(wins).sum()), fit)
    # What fits as well as this cannot fit better by as much as counts.
    if fit < 1 - cuts.gain:
        found = _better(model, moves, wins, found, cuts)
    return found if found.better else _misplaced(model, mine, theirs, moved, found, cuts)


def _better(model: _Model, moves: list[str], wins: Floats, found: Placement, cuts: Cuts) -> Placement:
    """The move after which all boxes fit better, if there is one."""
    for move in moves:
        there, elsewhere, _ = model.scores(move, [])
        fits = model.wins(move, there, elsewhere)
        gains = fits - wins
        gains = gains[np.isfinite(gains)]
        if len(gains) < NEEDED or gains.mean() < cuts.gain or float(np.nanmean(fits)) < 0.5 + 2 * cuts.gain:
            continue
        z = float(gains.mean() / (gains.std() / math.sqrt(len(gains)) + 1e-9))
        if z >= cuts.z and float(np.nanmean(fits)) > found.better_fit:
            found = Placement(found.pictures, found.fit, move, float(np.nanmean(fits)), z)
    return found


def _misplaced(
    model: _Model, mine: Floats, theirs: Floats, moved: dict[str, Floats], found: Placement, cuts: Cuts
) -> Placement:
    """Pictures whose boxes show no object, and do if they are moved; more than move onto an object by chance."""
    if found.fit < 0.5 + cuts.gain:
        return found
    low, high = float(np.median(theirs)), float(np.median(mine))
    count = len(model.views)
    own = _means(mine, model.seen("")[1], count)
    empty = own <= low + 0.25 * (high - low)
    full = own >= (low + high) / 2
    best = found
    for move, scores in moved.items():
        there = _means(scores, model.seen(move)[1], count)
        onto = there >= low + 0.75 * (high - low)
        hit = np.flatnonzero(empty & onto)
        by_chance = (float((onto & full).sum()) + 1) / (float(full.sum()) + 2)
        chance = binomial_tail(len(hit), int(empty.sum()), by_chance) if len(hit) else 1.0
        if chance < min(cuts.level, best.chance):
            order = hit[np.argsort(own[hit] - there[hit])]
            best = Placement(found.pictures, found.fit, move=move, rows=model.views.rows[order], chance=chance)
    return best


def _means(values: Floats, owner: Ints, count: int) -> Floats:
    """The mean of each picture; NaN where there is none."""
    number = np.bincount(owner, minlength=count)
    sums = np.bincount(owner, values, minlength=count)
    means: Floats = np.where(number > 0, sums / np.maximum(number, 1), np.nan)
    return means
