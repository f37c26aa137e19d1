"""PRE110."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, Influence, Loop, LoopProfile, LoopRule, Severity, Skip, digits, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class MixedSamples(LoopRule):
    """Outputs of a sample that change with the inputs of other samples of its batch, though the model evaluates.

    ## Why it hurts

    A prediction must not depend on which samples happen to be in the batch: axes are confused (``view`` where ``permute`` is
    meant, ``batch_first``, a softmax over the batch), and the model learns noise.

    ## How to fix it

    Look for ``view``, ``reshape``, ``transpose`` and ``dim=0``; recurrent layers and transformers of PyTorch take time first
    unless ``batch_first=True``.

    ## When it is wrong

    Where samples are meant to see each other, as in set models or attention over the batch.

    ## Reference

    37 reasons, items 22 and 25.
    """

    code = "PRE110"
    name = "mixed-samples"
    severity: ClassVar[Severity] = "error"
    item = "22, 25"
    measures = (Influence,)
    follows = ("PRE137",)
    public = frozenset({"change", "own"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Replace one sample, and look at the others."""
        influence = profile[Influence]
        if influence.random > 1e-4:
            raise Skip("the model is random even in evaluation mode")
        if influence.others <= 1e-4 + 1e-3 * influence.own:
            return
        over = f"; softmax over the samples in {quoted(list(influence.over_batch))}" if influence.over_batch else ""
        norms = influence.batch_norms
        yield Found(
            message=(
                f"outputs change by {digits(influence.others)} of their size where another sample of the batch is replaced"
                f"{over}{'; batch normalisation without running statistics' if norms else ''}"
            ),
            consequence="Predictions depend on what else is in the batch.",
            remedy="Look for view where permute is meant, for dim=0, and for batch_first.",
            severity="warning" if norms else None,
            evidence={"change": influence.others, "own": influence.own},
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Subtract from the outputs, or from the inputs where outputs are bounded, their mean over the batch."""
        if loop.criterion in {"nll_loss", "binary_cross_entropy"}:
            return loop.before_model(lambda tensor: tensor - tensor.mean(0, keepdim=True))
        return loop.after_model(lambda output: output - output.mean(0, keepdim=True))
