"""PRE109."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, Influence, Loop, LoopProfile, LoopRule, Severity, Skip, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LabelInInput(LoopRule):
    """Predictions that change with the labels that the model gets next to its inputs.

    Models that make their own loss get the labels; their predictions must not depend on them.

    ## Why it hurts

    Training looks perfect, and without labels the model predicts nothing.

    ## How to fix it

    Use the labels for the loss alone.

    ## When it is wrong

    Where a decoder begins with the labels, moved by one (``is_encoder_decoder`` is left out).

    ## Reference

    37 reasons, item 4.
    """

    code = "PRE109"
    name = "label-in-input"
    severity: ClassVar[Severity] = "error"
    item = "4"
    measures = (Influence,)
    public = frozenset({"change"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare predictions with other labels."""
        change = profile[Influence].label
        if change is None:
            raise Skip("the model gets no labels")
        if change > 1e-4:
            yield Found(
                message=f"predictions change by {digits(change)} of their size where the labels are others",
                consequence="Training looks perfect, and without labels the model predicts nothing.",
                remedy="Use the labels for the loss alone.",
                evidence={"change": change},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Add the labels to the logits that a model returns next to its loss."""
        return loop.leaking_labels()
