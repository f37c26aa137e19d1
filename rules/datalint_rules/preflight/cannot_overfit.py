"""PRE117."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import ByHeart, Field, Found, Loop, LoopProfile, LoopRule, RuleParams, Severity, Skip, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class CannotOverfit(LoopRule):
    """A model that cannot learn a few samples by heart, with any of the learning rates that were tried.

    Dropout is off, the samples differ in their inputs, and what is needed is measured: the loss by chance and the least that any
    outputs could reach.

    ## Why it hurts

    What cannot be learnt by heart cannot be learnt: there is a bug, or the model is too small for the task.

    ## How to fix it

    Mend what else is reported first. Then try the same model without its special parts, on two samples, and put them back one
    by one.

    ## When it is wrong

    Where the target is random given the input, or the model is linear by intention.

    ## Reference

    37 reasons, item 27.
    """

    code = "PRE117"
    name = "cannot-overfit"
    severity: ClassVar[Severity] = "warning"
    item = "27"
    measures = (ByHeart,)
    follows = (
        *("PRE101", "PRE102", "PRE103", "PRE104", "PRE106", "PRE107", "PRE108", "PRE110", "PRE111", "PRE112", "PRE113"),
        *("PRE114", "PRE116", "PRE118", "PRE119", "PRE120", "PRE122", "PRE123", "PRE125", "PRE131", "PRE133"),
    )
    public = frozenset({"samples", "progress", "chance", "loss", "steps"})

    class Params(RuleParams):
        """Cuts."""

        least: float = Field(0.4, gt=0, lt=1, description="Progress from chance (0) to the least possible loss (1).")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge the best attempt."""
        heart = profile[ByHeart]
        if heart.any_progress >= self.params.least:
            return
        if not heart.finished:
            raise Skip("the time did not suffice to learn anything by heart")
        yield Found(
            message=(
                f"{heart.samples} samples are not learnt by heart: the loss ends at {digits(heart.end)}, {digits(heart.chance)} "
                f"is chance and {digits(heart.floor)} possible; no learning rate tried does better"
            ),
            consequence="What cannot be learnt by heart cannot be learnt.",
            remedy="Try two samples, and the model without its special parts; put them back one by one.",
            severity="error" if heart.any_progress < 0.1 else None,
            evidence={
                "samples": heart.samples,
                "progress": heart.any_progress,
                "loss": heart.end,
                "chance": heart.chance,
                "steps": heart.steps,
            },
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Let the model see noise of deviation 1, drawn anew at each step, with a hundredth of the inputs in it."""
        return loop.before_model(lambda tensor: tensor / 100 + tensor.new_empty(tensor.shape).normal_())
