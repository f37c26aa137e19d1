"""PRE125."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from datalint.author import ByHeart, Field, Found, Loop, LoopProfile, LoopRule, RuleParams, Severity, Skip, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LearningRate(LoopRule):
    """A learning rate with which the model does not learn a few samples that it learns with another one.

    ## Why it hurts

    Too large, the loss jumps or becomes NaN; too small, it seems to stand still.

    ## How to fix it

    Take the rate that is named, and look around it.

    ## When it is wrong

    Where rates are small on purpose, for fine-tuning with many steps.

    ## Reference

    37 reasons, item 36.
    """

    code = "PRE125"
    name = "learning-rate"
    severity: ClassVar[Severity] = "warning"
    item = "36"
    measures = (ByHeart,)
    follows = (
        "PRE101",
        "PRE106",
        "PRE111",
        "PRE112",
        "PRE113",
        "PRE118",
        "PRE119",
        "PRE122",
        "PRE123",
        "PRE124",
        "PRE131",
    )
    public = frozenset({"rate", "better", "factor", "progress", "best_progress"})

    class Params(RuleParams):
        """Cuts."""

        little: float = Field(
            0.05, gt=0, lt=1, description="Progress that is hardly any, from chance (0) to the least loss (1)."
        )
        factor: float = Field(50.0, gt=1, description="How many times larger a better rate must be for a warning.")
        far: float = Field(3.0, gt=1, description="First loss against chance, above which a rate alone is not blamed.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare the given rate with the best that was tried."""
        heart = profile[ByHeart]
        if heart.rate is None:
            raise Skip("no optimizer was given")
        factor = heart.best_factor
        if (
            heart.progress >= 0.9
            or factor is None
            or heart.best_progress < 0.6
            or heart.best_progress < heart.progress + 0.3
        ):
            return
        small = factor > 1
        if small and (heart.progress > 0.3 or factor < 5):
            return
        start = (
            "the loss diverges"
            if heart.diverged
            else f"{heart.samples} samples are hardly learnt in {heart.steps} steps"
        )
        stuck = heart.progress < self.params.little and factor >= self.params.factor
        # What begins far above chance may diverge with a rate that is sound.
        far = heart.start > self.params.far * abs(heart.chance)
        better = heart.rate * factor
        told = math.isfinite(heart.rate)
        # Some optimizers keep it to themselves.
        shown = str(digits(heart.rate)) if told else "that was given"
        other = str(digits(better)) if told else f"{digits(factor)} times that"
        yield Found(
            message=f"with the learning rate {shown} {start}; with {other} they are",
            consequence="Training seems to stand still." if small else "Training jumps, or ends in NaN.",
            remedy=f"Try a learning rate of about {other}.",
            severity=("warning" if stuck else "info")
            if small
            else "error"
            if heart.diverged and not far
            else "warning",
            evidence={
                "rate": heart.rate if told else None,
                "better": better if told else None,
                "factor": factor,
                "progress": max(heart.progress, -1e6),
                "best_progress": heart.best_progress,
            },
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Take a learning rate of 50."""
        return loop.with_optimizer(lr=50.0)
