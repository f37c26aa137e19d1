"""Learning a few samples by heart: which attempts are made and what they show, the same for every framework."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from datalint.loops.limits import EITHER, ENOUGH, HEART, LARGER, RATES, SMALLER, STILL
from datalint.profile.loop import ByHeart, NotMeasured

if TYPE_CHECKING:
    from collections.abc import Callable

Trained = TypeVar("Trained")


@dataclass
class Tried(Generic[Trained]):
    """One attempt."""

    losses: list[float]
    trained: Trained
    """What was trained, as it is afterwards."""
    diverged: bool
    finished: bool

    @property
    def end(self) -> float:
        """The mean of the last losses."""
        last = [loss for loss in self.losses[-3:] if math.isfinite(loss)]
        return sum(last) / len(last) if last else math.inf


def ended(losses: list[float], trained: Trained, goal: float, diverged: bool) -> Tried[Trained]:
    """An attempt that was not cut short; it diverged as well if it ends far above its start."""
    if losses and math.isfinite(losses[-1]):
        diverged = diverged or losses[-1] > 3 * max(losses[0], goal) > 0
    else:
        losses.append(math.inf)
    return Tried(losses, trained, diverged, True)


class Levels(NamedTuple):
    """Losses of the samples."""

    chance: float
    floor: float
    """The least that there can be."""
    start: float

    @property
    def goal(self) -> float:
        """The loss at which they are learnt."""
        return self.chance - ENOUGH * (self.chance - self.floor)

    def progress(self, loss: float) -> float:
        """From chance (0) to the least possible loss (1)."""
        return (self.chance - loss) / (self.chance - self.floor) if math.isfinite(loss) else -math.inf


class Clock(Protocol):
    """How much time is left."""

    def left(self) -> float:
        """Seconds."""

    def short(self) -> bool:
        """Whether it is too little to begin anything."""


class Attempt(Protocol):
    """Trains with the optimizer that was given, at its rate times a factor, or with one of our own where there is none."""

    def __call__(self, seconds: float, factor: float = 1.0) -> Tried[Any]:
        """For at most so long."""


def levels(chance: float, least: float, start: float) -> Levels:
    """The levels, where there is room between them.

    Raises:
        NotMeasured: the loss has no lower bound, or a constant prediction reaches it.
    """
    if not math.isfinite(least) or least < chance - 20 * max(1.0, abs(chance)):
        raise NotMeasured("the loss has no lower bound")
    found = Levels(chance, 0.0 if 0 <= least < 0.2 * chance else least, start)
    if not chance - found.floor > 1e-6 * max(1.0, abs(chance)):
        raise NotMeasured("a constant prediction is as good as any for these samples")
    return found


def distinct(size: int, key_of: Callable[[int], int]) -> list[int]:
    """A few samples of a batch with different inputs.

    Raises:
        NotMeasured: there are not two.
    """
    first: dict[int, int] = {}
    for row in range(min(size, 4 * HEART)):
        first.setdefault(key_of(row), row)
        if len(first) == HEART:
            break
    if len(first) < 2:
        raise NotMeasured("the batch does not hold two different samples")
    return [*first.values()]


def learnt(
    clock: Clock,
    count: int,
    known: Levels,
    rate: float | None,
    own: Attempt,
    other: Callable[[float, float], Tried[Any]],
    gap: Callable[[Tried[Any]], tuple[float, float]],
) -> ByHeart:
    """Train with the optimizer that was given, and where that fails with others.

    Args:
        clock: what bounds the attempts.
        count: of the samples.
        known: their losses.
        rate: of the optimizer that was given, NaN where it does not tell; None where none was given.
        own: trains with that optimizer.
        other: trains with one of our own at a rate, for at most so many seconds.
        gap: the loss of what was trained, in training and in evaluation.
    """
    share = max(0.5, clock.left() / 3)
    first = own(share)
    best, best_factor = known.progress(first.end), None
    overall, finished = best, first.finished
    if best < ENOUGH:
        for fresh in RATES:
            if clock.short() or overall >= ENOUGH:
                break
            overall = max(overall, known.progress(other(fresh, min(share, clock.left())).end))
        if rate is not None and overall >= 0.5:
            best, best_factor = _better_factor(clock, known, own, first, share)
        overall = max(overall, best)
        finished = finished and not clock.short()
    train, evaluated = gap(first)
    return ByHeart(
        count,
        known.start,
        known.chance,
        known.floor,
        first.end,
        known.progress(first.end),
        len(first.losses),
        first.diverged,
        rate,
        best_factor,
        best,
        overall,
        train,
        evaluated,
        finished,
    )


def _better_factor(
    clock: Clock, known: Levels, own: Attempt, first: Tried[Any], share: float
) -> tuple[float, float | None]:
    """What other rates of the same optimizer reach: the best progress, and how many times the rate has it."""
    best, better = known.progress(first.end), None
    moved = max((abs(loss - first.losses[0]) for loss in first.losses), default=0.0)
    still = moved < STILL * (known.chance - known.floor)
    for factor in SMALLER if first.diverged else LARGER if still else EITHER:
        if clock.short() or best >= ENOUGH:
            break
        reached = known.progress(own(min(share, clock.left()), factor).end)
        if reached > best + 0.05:
            best, better = reached, factor
    return best, better
