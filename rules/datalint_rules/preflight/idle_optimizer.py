"""PRE122."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, Loop, LoopProfile, LoopRule, Optimized, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class IdleOptimizer(LoopRule):
    """An optimizer whose step changes nothing.

    ## Why it hurts

    The loss stays exactly where it is.

    ## How to fix it

    Look at the learning rate (a scheduler may have taken it to 0), and at which parameters the optimizer was given.

    ## When it is wrong

    Where a warm-up begins at 0: then there is a note alone.

    ## Reference

    37 reasons, item 34.
    """

    code = "PRE122"
    name = "idle-optimizer"
    severity: ClassVar[Severity] = "error"
    item = "34"
    measures = (Optimized,)
    follows = ("PRE112",)
    public = frozenset({"moved_share"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge the rates, then what a step moved."""
        held = profile[Optimized]
        if held.rates and not any(held.rates):
            warming = any(held.scheduled)
            yield Found(
                message=f"the learning rate is 0{', set so by a scheduler' if warming else ''}",
                consequence="Nothing is learnt while it stays so.",
                remedy="Look at the scheduler." if warming else "Give the optimizer a learning rate.",
                severity="info" if warming else None,
                evidence={"rates": list(held.rates)},
            )
        elif held.moved == 0 and not held.ratio:  # what single precision alone rounds away is a matter of size
            yield Found(
                message="a step of the optimizer changes none of the weights that have a gradient",
                consequence="Nothing is learnt.",
                remedy="Look at the learning rate: it is too small for the precision of the weights, or the optimizer does nothing.",
                evidence={"moved_share": 0.0},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Take a learning rate of 0."""
        return loop.with_optimizer(lr=0.0)
