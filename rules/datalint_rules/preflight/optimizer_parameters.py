"""PRE112."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import Found, Loop, LoopProfile, LoopRule, Optimized, Severity, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class OptimizerParameters(LoopRule):
    """Trainable parameters that the optimizer does not have, or parameters in it that the model does not have.

    ## Why it hurts

    What the optimizer does not have is not trained. After ``model = Net()``, a new head, or a move that makes new tensors, an
    older optimizer steps weights that nobody uses.

    ## How to fix it

    Make the optimizer last: after the model has all of its layers and lies on its device.

    ## When it is wrong

    Where several optimizers share a model: give each of them the part that it trains.

    ## Reference

    37 reasons, items 23 and 34.
    """

    code = "PRE112"
    name = "optimizer-parameters"
    severity: ClassVar[Severity] = "warning"
    item = "23, 34"
    measures = (Optimized,)
    public = frozenset({"missing", "missing_share", "foreign"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare both lists of parameters."""
        held = profile[Optimized]
        evidence: dict[str, Any] = {
            "missing": len(held.missing),
            "missing_share": held.missing_share,
            "foreign": held.foreign,
        }
        if held.missing:
            old = f", and has {counted(held.foreign, 'parameter')} that the model does not have" if held.foreign else ""
            yield Found(
                message=(
                    f"the optimizer lacks {counted(len(held.missing), 'trainable parameter')}, such as {held.missing[0]} "
                    f"({held.missing_share:.0%} of what is trainable){old}"
                ),
                consequence="They are not trained.",
                remedy="Make the optimizer after the model has all of its layers, of model.parameters().",
                severity="error" if held.foreign or held.missing_share > 0.5 else None,
                evidence=evidence,
            )
        elif held.foreign:
            yield Found(
                message=f"the optimizer has {counted(held.foreign, 'parameter')} that neither model nor loss has",
                consequence="It steps weights that nobody uses.",
                remedy="Make the optimizer of model.parameters() again.",
                severity="info",
                subject="foreign",
                evidence=evidence,
            )
        if held.twice:
            yield Found(
                message=f"{counted(held.twice, 'parameter')} stand twice in the optimizer",
                consequence="They are stepped twice.",
                remedy="Give each parameter once.",
                subject="twice",
                evidence=evidence,
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Make the optimizer without the first layers."""
        parameters = [p for p in loop.model.parameters() if p.requires_grad]
        return loop.with_optimizer(parameters=parameters[len(parameters) // 2 :])
