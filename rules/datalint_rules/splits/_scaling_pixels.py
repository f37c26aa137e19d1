"""On which pictures was the scaler of an array fitted? Judged from the moments of its numbers alone.

Subtracting the mean picture leaves every pixel with a mean of exactly 0 on the pictures it was taken of; one mean and one
deviation for all values, or for each channel, leave theirs at 0 and 1. On any other pictures they are off by sampling error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint_rules.splits._scaling import Case, Row, Verdict
from datalint_rules.splits._scaling_rows import row_sets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from datalint.author import PixelMoments

    Floats = NDArray[np.float64]

_EXACT = 3e-3  # sampling errors: what numbers of 32 bits lose of a mean of 100,000 pictures is less
_OFF = 0.02  # of these less than one in sixty is by chance
_EVIDENCE = 5.0  # as for columns: below 1e-5 of chance
_FEWEST = 16  # pictures in a split, and pixels that vary
_SHARE = 0.98  # of the pixels that must agree


@dataclass(frozen=True)
class _Pool:
    """Moments of the pictures of one set of splits; arrays have one entry per column."""

    names: tuple[str, ...]
    count: Floats
    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, splits: Sequence[PixelMoments]) -> _Pool:
        """The pooled moments."""
        count = np.sum([s.count for s in splits], axis=0).astype(np.float64)
        mean = np.sum([s.count * s.mean for s in splits], axis=0) / np.maximum(count, 1)
        m2 = np.sum([s.m2 + s.count * (s.mean - mean) ** 2 for s in splits], axis=0)
        return cls(splits[0].names, count, mean, np.sqrt(m2 / np.maximum(count, 1)))

    def columns(self, prefix: str) -> NDArray[np.intp]:
        """The columns of one sort, in the order of the pictures."""
        found = [k for k, name in enumerate(self.names) if name.startswith(prefix)]
        return np.array(sorted(found, key=lambda k: int(self.names[k].rsplit(" ", 1)[1])), np.intp)

    def distance(self, columns: NDArray[np.intp], mark: float = 0.0) -> Floats:
        """How many sampling errors the means of columns lie off their mark."""
        error = self.deviation[columns] / np.sqrt(np.maximum(self.count[columns], 1))
        off: Floats = np.abs(self.mean[columns] - mark) / error
        return off


@dataclass(frozen=True)
class _Sight:
    """One way in which numbers of pictures are scaled, looked for on one set of pictures."""

    exact: bool
    off: float
    """Sampling errors between the statistic and its mark."""
    evidence: float
    """log10 against chance."""


def judge_pixels(splits: Sequence[tuple[str, PixelMoments]]) -> tuple[Verdict, str] | None:
    """Infer on which pictures the scaler was fitted, and name what it was fitted to; None where nothing decides.

    ``splits`` are (name, moments), the training split first.
    """
    if len({s.names for _, s in splits}) > 1 or any(s.samples < _FEWEST for _, s in splits):
        return None
    sets = {members: _Pool.of([splits[k][1] for k in members]) for members in row_sets(len(splits))}
    ways: tuple[tuple[str, Callable[[_Pool], _Sight]], ...] = (
        ("pixels", _by_pixel),
        ("channels", _by_channel),
        ("values", _by_value),
    )
    with np.errstate(all="ignore"):  # pixels that never change divide by zero, and are not looked at
        for subject, look in ways:
            sights = {members: look(pool) for members, pool in sets.items()}
            decided = _decide(sights)
            if decided is not None:
                return _verdict(subject, *decided, sets, sights, [name for name, _ in splits]), subject
    return None


def _by_pixel(pool: _Pool) -> _Sight:
    columns = pool.columns("pixel ")
    off = pool.distance(columns[pool.deviation[columns] > 0])
    if len(off) < _FEWEST:
        return _Sight(False, math.nan, 0.0)
    exact = bool((off < _EXACT).mean() >= _SHARE)
    # Pixels are not independent: what counts is their typical distance, once.
    return _Sight(exact, float(np.median(off)), _EVIDENCE if exact else 0.0)


def _by_channel(pool: _Pool) -> _Sight:
    means, squares = pool.columns("mean of channel "), pool.columns("square of channel ")
    if len(means) < 2:
        return _Sight(False, math.nan, 0.0)
    return _standard(pool.distance(means), pool.distance(squares, 1.0))


def _by_value(pool: _Pool) -> _Sight:
    means, squares = pool.columns("mean of channel "), pool.columns("square of channel ")
    error = pool.deviation / np.sqrt(np.maximum(pool.count, 1))
    mean = abs(pool.mean[means].mean()) / error[means].min()
    square = abs(pool.mean[squares].mean() - 1) / error[squares].min()
    return _standard(np.array([mean]), np.array([square]))


def _standard(mean: Floats, square: Floats) -> _Sight:
    evidence = -np.log10(np.clip(0.8 * mean, 1e-9, 1)) - np.log10(np.clip(0.8 * square, 1e-9, 1))
    exact = bool(max(mean.max(), square.max()) < _EXACT and evidence.min() >= _EVIDENCE)
    return _Sight(exact, float(min(mean.max(), square.max())), float(evidence.min()))


def _decide(sights: dict[tuple[int, ...], _Sight]) -> tuple[Case, tuple[int, ...]] | None:
    everything, train = max(sights, key=len), (0,)
    alone = [members for members in sights if len(members) == 1]
    if len(everything) == 1:
        return ("unsplit", everything) if sights[everything].exact else None
    if all(sights[members].exact for members in alone):
        return "each", everything
    for members, sight in sights.items():
        if len(members) > 1 and sight.exact and sights[train].off > _OFF:
            return "pooled", members
    if sights[train].exact and sights[everything].off > _OFF:
        return "train", train
    return None


def _verdict(
    subject: str,
    case: Case,
    members: tuple[int, ...],
    sets: dict[tuple[int, ...], _Pool],
    sights: dict[tuple[int, ...], _Sight],
    names: list[str],
) -> Verdict:
    everything = max(sets, key=len)
    judged = sets[members if case != "each" else (0,)]
    if subject == "pixels":
        columns = judged.columns("pixel ")
        columns = columns[judged.deviation[columns] > 0]
        agreeing = int((judged.distance(columns) < _EXACT).sum())
        spread = np.abs(judged.deviation[columns] - 1)
        standard = bool(np.median(spread) < 1e-4)
    else:
        columns, standard = judged.columns("mean of channel "), True
        agreeing = len(columns)
    shown = {"all": sets[everything]} if len(names) > 1 else {}
    shown |= {names[m[0]]: pool for m, pool in sets.items() if len(m) == 1}
    fitted = [sights[m] for m in ([members] if case != "each" else [m for m in sights if len(m) == 1])]
    return Verdict(
        case=case,
        kind="standard" if standard else "centred",
        splits=tuple(names[k] for k in members),
        columns=tuple(int(k) for k in columns),
        agreeing=agreeing,
        testable=len(columns),
        fitted_deviation=max(sight.off for sight in fitted),
        other_deviation=sights[(0,)].off,
        chance=float(10.0 ** -min(sight.evidence for sight in fitted)),
        bounded=False,
        statistics=("mean", "standard deviation"),
        rows=tuple(
            Row(int(k), judged.names[k], {where: _moments(pool, int(k)) for where, pool in shown.items()})
            for k in columns[:20]
        ),
    )


def _moments(pool: _Pool, column: int) -> tuple[float, float]:
    """Mean and deviation of a pixel, or of all values of a channel."""
    name, mean = pool.names[column], float(pool.mean[column])
    if name.startswith("pixel "):
        return mean, float(pool.deviation[column])
    square = float(pool.mean[pool.names.index(name.replace("mean", "square"))])
    return mean, math.sqrt(max(0.0, square - mean**2))
