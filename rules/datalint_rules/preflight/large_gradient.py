"""PRE124."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Field,
    Found,
    Gradients,
    Loop,
    LoopProfile,
    LoopRule,
    NotMeasured,
    Optimized,
    RuleParams,
    Severity,
    digits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LargeGradient(LoopRule):
    """A first gradient that is so large that clipping always bites, or that a plain step would throw the weights away.

    ## Why it hurts

    Clipped at every step the gradient's size says nothing any more: the learning rate is another than the one that was chosen.

    ## How to fix it

    Scale inputs, targets and initial weights; then choose the bound so that it bites rarely.

    ## When it is wrong

    Where clipping at every step is meant, as in normalised gradient descent.

    ## Reference

    37 reasons, item 35.
    """

    code = "PRE124"
    name = "large-gradient"
    severity: ClassVar[Severity] = "info"
    item = "35"
    measures = (Gradients, Optimized)
    follows = ("PRE101", "PRE104", "PRE105", "PRE106", "PRE107", "PRE118", "PRE123", "PRE131")
    public = frozenset({"norm", "clip"})

    class Params(RuleParams):
        """What is known of the loop."""

        clip: float = Field(0.0, ge=0, description="Norm at which the loop clips gradients; 0 for none.")
        times: float = Field(10.0, gt=1, description="How many times that norm the first gradient may be.")
        norm: float = Field(1e4, gt=0, description="Norm of a first gradient that is large by any measure.")
        step: float = Field(
            0.5, gt=0, description="Median over the weights of the change in one step, from which on it is an error."
        )

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare with the bound, if one is given."""
        norm = profile[Gradients].norm
        clipped = self.params.clip > 0 and norm > self.params.times * self.params.clip
        if clipped or norm > self.params.norm:
            bound = f", {digits(norm / self.params.clip)} times the norm at which it is clipped" if clipped else ""
            yield Found(
                message=f"the norm of the first gradient is {digits(norm)}{bound}",
                consequence="Clipping decides the size of every step."
                if clipped
                else "A plain step throws the weights away.",
                remedy="Scale inputs, targets and initial weights.",
                severity="error" if self._thrown(profile) else None,
                evidence={"norm": norm, "clip": self.params.clip},
            )

    def _thrown(self, profile: LoopProfile) -> bool:
        """Whether the step that was measured throws the weights away; one of Adam does not depend on the gradient's size."""
        try:
            ratio = profile[Optimized].ratio
        except NotMeasured:
            return False
        return ratio is not None and ratio > self.params.step

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Multiply the loss by a million."""
        if not loop.criterion:
            return None
        return loop.around_loss(lambda loss, output, target: loss(output, target) * 1e6)
