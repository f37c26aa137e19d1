"""PRE105."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import FirstStep, Found, Loop, LoopProfile, LoopRule, Severity, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LossReduction(LoopRule):
    """A loss that is a number per sample, which has no gradient, or a sum over the batch, which grows with it.

    ## Why it hurts

    ``backward()`` needs a single number. With a sum the gradient, and so the step of SGD, grows with the batch size: a
    learning rate that works for 16 samples diverges for 256, and the last, smaller batch counts less.

    ## How to fix it

    Take ``reduction="mean"``, or divide by the number of samples.

    ## When it is wrong

    Where the learning rate was chosen for the sum.

    ## Reference

    37 reasons, item 18.
    """

    code = "PRE105"
    name = "loss-reduction"
    severity: ClassVar[Severity] = "error"
    item = "18"
    measures = (FirstStep,)
    follows = ("PRE104",)
    public = frozenset({"values", "growth"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge the number of values, then how the loss grows with the batch."""
        first = profile[FirstStep]
        if first.values > 1:
            yield Found(
                message=f"the loss is {first.values:,} numbers, and backward() needs one",
                consequence="Training fails at the first step.",
                remedy='Take reduction="mean", or call .mean() on the loss.',
                evidence={"values": first.values},
            )
        elif 1.8 < first.growth < 2.2 and profile.batch_size >= 8:
            yield Found(
                message=f"the loss is a sum over the batch: twice the samples, {digits(first.growth)} times the loss",
                consequence="The size of a step of SGD depends on the batch size.",
                remedy='Take reduction="mean", or divide by the number of samples.',
                severity="info",
                subject="sum",
                evidence={"growth": first.growth},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Leave the loss of the samples unreduced."""
        if loop.criterion != "mse_loss":
            return None
        return loop.around_loss(lambda _loss, output, target: (output - target) ** 2)
