"""PRE121."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Field,
    Found,
    Loop,
    LoopProfile,
    LoopRule,
    Optimized,
    RuleParams,
    Severity,
    Skip,
    digits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class UpdateSize(LoopRule):
    """Steps of the optimizer that are far too large or too small for the weights that they change.

    A step of about a thousandth of the weights is usual.

    ## Why it hurts

    Steps as large as the weights themselves forget what was learnt at every batch; steps of a millionth of a percent take
    for ever.

    ## How to fix it

    Divide or multiply the learning rate; scale inputs and targets.

    ## When it is wrong

    With optimizers whose first steps are larger or smaller than the later ones, and with a warm-up.

    ## Reference

    37 reasons, items 33 and 36.
    """

    code = "PRE121"
    name = "update-size"
    severity: ClassVar[Severity] = "warning"
    item = "33, 36"
    measures = (Optimized,)
    follows = (
        "PRE101",
        "PRE102",
        "PRE106",
        "PRE107",
        "PRE113",
        "PRE114",
        "PRE118",
        "PRE119",
        "PRE122",
        "PRE123",
        "PRE124",
        "PRE125",
        "PRE131",
    )
    public = frozenset({"ratio"})

    class Params(RuleParams):
        """Cuts."""

        large: float = Field(0.5, gt=0, description="Median over the weights of the change against the weight.")
        small: float = Field(1e-8, ge=0, description="The same; below it nothing moves in a million steps.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge the first step."""
        held = profile[Optimized]
        if held.ratio is None or (held.rates and not any(held.rates)):
            raise Skip("no weight moved")
        if self.params.small <= held.ratio <= self.params.large:
            return
        large = held.ratio > self.params.large
        rate = f"; learning rate {digits(held.rates[0])}" if held.rates else ""
        yield Found(
            message=f"one step changes the weights by {digits(held.ratio)} of their size (0.001 is usual{rate})",
            consequence="Every step forgets what was learnt." if large else "Nothing is learnt in reasonable time.",
            remedy=f"Take a {'smaller' if large else 'larger'} learning rate.",
            severity="error" if held.moved == 0 else None,
            evidence={"ratio": held.ratio, "rates": list(held.rates)},
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Take a learning rate of a billionth."""
        return loop.with_optimizer(lr=1e-12)
