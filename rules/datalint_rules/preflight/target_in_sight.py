"""PRE134."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import Found, Loop, LoopProfile, LoopRule, Sequences, Severity, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class TargetInSight(LoopRule):
    """A language model that sees what it must predict, or predicts the wrong place: no causal mask, labels not moved, or moved twice.

    ## Why it hurts

    A model that sees the next token copies it: the loss falls to zero, and what it generates is nonsense. Labels that are not
    moved teach it to repeat its input; moved twice, to skip a token.

    ## How to fix it

    Use a causal mask (``is_causal=True``, ``nn.Transformer.generate_square_subsequent_mask``) and no recurrent layer in both
    directions. Move the labels by one, once: models of ``transformers`` do so themselves.

    ## When it is wrong

    Where sequences are to be reproduced, as by an autoencoder: models that see both sides and whose targets are their inputs are
    left out.

    ## Reference

    37 reasons, items 4 and 22.
    """

    code = "PRE134"
    name = "target-in-sight"
    severity: ClassVar[Severity] = "error"
    item = "4, 22"
    measures = (Sequences,)
    follows = ("PRE137",)
    public = frozenset({"shift", "sees_later"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge by how far targets are ahead and what outputs see."""
        sequences = profile[Sequences]
        if sequences.shift is None or sequences.sees_later is None:
            raise Skip("the targets are not the inputs of later places")
        ahead = sequences.shift + (sequences.inner_shift or 0)
        evidence: dict[str, Any] = {"shift": ahead, "sees_later": sequences.sees_later}
        if ahead >= 1 and sequences.sees_later:
            yield Found(
                message=f"the targets are the inputs {ahead} place{'s' if ahead > 1 else ''} later, and outputs change with later inputs",
                consequence="The model copies what it should predict: the loss falls to zero, and nothing is learnt.",
                remedy="Use a causal mask, and no recurrent layer in both directions.",
                evidence=evidence,
            )
        elif not sequences.sees_later and ahead == 0:
            yield Found(
                message="each target is the input of the same place: the model learns to repeat its input",
                consequence="The loss falls to zero, and nothing is learnt.",
                remedy="Move the labels by one: targets are tokens[:, 1:] for inputs tokens[:, :-1].",
                subject="same",
                evidence=evidence,
            )
        elif not sequences.sees_later and ahead > 1:
            yield Found(
                message=f"each target is the input {ahead} places later: labels are moved twice",
                consequence="The model learns to skip a token.",
                remedy="Move the labels once; models of transformers do so themselves.",
                severity="warning",
                subject="twice",
                evidence=evidence,
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Take the inputs themselves as targets."""
        return loop.predicting_itself() if loop.target == "tokens" else None
