"""PRE108."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, Influence, Loop, LoopProfile, LoopRule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class IgnoredInput(LoopRule):
    """Outputs that do not depend on the inputs: they are the same for all samples, even after some steps of training.

    ## Why it hurts

    The loss falls to that of the best constant and stays there.

    ## How to fix it

    Look for what makes every sample equal: a softmax over a single output, an activation that is zero everywhere, a
    normalisation over the wrong axis, inputs that are overwritten.

    ## When it is wrong

    Where the model is a constant on purpose, such as a table of parameters.

    ## Reference

    37 reasons, items 2 and 22.
    """

    code = "PRE108"
    name = "ignored-input"
    severity: ClassVar[Severity] = "error"
    item = "2, 22"
    measures = (Influence,)
    follows = ("PRE102", "PRE113", "PRE114", "PRE118", "PRE123", "PRE131")
    public = frozenset({"samples"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Look at the outputs of samples that differ."""
        influence = profile[Influence]
        if influence.constant:
            yield Found(
                message=f"the output is the same for all {influence.samples} samples tried, whatever their inputs",
                consequence="The model can learn one constant.",
                remedy="Follow a batch through the layers, and look where its samples become equal.",
                evidence={"samples": influence.samples},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Let the model see zeros."""
        return loop.before_model(lambda tensor: tensor * 0)
