"""PRE136."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, Loop, LoopProfile, LoopRule, Optimized, Severity, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class StaleGradients(LoopRule):
    """Gradients that stay: the optimizer's ``zero_grad()`` clears nothing, or some are there before training begins.

    ``backward()`` adds to what is there. Whether a loop calls ``zero_grad()`` at all cannot be seen in model, loss, batches and
    optimizer: what it leaves behind can.

    ## Why it hurts

    Every step goes in the direction of the sum of all gradients so far: the loss falls at first, then swings and rises.

    ## How to fix it

    Call ``optimizer.zero_grad()`` once for each step, before ``backward()``. A ``zero_grad`` of your own must set the gradients
    of all parameters to None or 0.

    ## When it is wrong

    Where gradients are kept on purpose, such as those of several batches.

    ## Reference

    37 reasons, item 34.
    """

    code = "PRE136"
    name = "stale-gradients"
    severity: ClassVar[Severity] = "error"
    item = "34"
    measures = (Optimized,)
    public = frozenset({"kept", "left"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge what was there before, and what zero_grad left."""
        held = profile[Optimized]
        if held.kept:
            yield Found(
                message=f"zero_grad() of {held.kind} leaves {counted(held.kept, 'gradient')} as they are",
                consequence="Each step adds the gradients of all steps before it.",
                remedy="Let zero_grad set the gradients of all parameters to None.",
                evidence={"kept": held.kept},
            )
        elif held.left:
            yield Found(
                message=f"{counted(held.left, 'parameter')} hold gradients of an earlier backward()",
                consequence="The first step adds them to its own, unless the loop clears them first.",
                remedy="Call optimizer.zero_grad() before backward().",
                severity="info",
                subject="left",
                evidence={"left": held.left},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Let the optimizer clear nothing."""
        return loop.keeping_gradients()
