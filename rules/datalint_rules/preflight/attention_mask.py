"""PRE133."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import Found, Loop, LoopProfile, LoopRule, Sequences, Severity, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class AttentionMask(LoopRule):
    """An attention mask that hides nothing though there is padding, hides the words or everything, or is not used.

    ## Why it hurts

    The model attends to padding, or to nothing else.

    ## How to fix it

    Pass the tokenizer's ``attention_mask``; in ``transformers`` 1 means to look, in ``key_padding_mask`` of PyTorch True means
    to ignore.

    ## When it is wrong

    Where padding is a word on purpose.

    ## Reference

    37 reasons, item 22.
    """

    code = "PRE133"
    name = "attention-mask"
    severity: ClassVar[Severity] = "warning"
    item = "22"
    measures = (Sequences,)
    follows = ("PRE108", "PRE123", "PRE137")
    public = frozenset({"padded_share", "ones_share", "agreement_share"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare the mask with the padding, then see what it hides."""
        sequences = profile[Sequences]
        if sequences.mask_ones is None:
            if sequences.words_seen is not False:
                raise Skip("the batch has no attention mask")
            yield Found(
                message="outputs change with the padding, and with none of the words",
                consequence="The model sees padding alone.",
                remedy="In key_padding_mask of PyTorch True means to ignore; look at what the mask is multiplied with, too.",
                severity="error",
                subject="words",
                evidence={"padded_share": sequences.padded},
            )
            return
        evidence: dict[str, Any] = {"padded_share": sequences.padded, "ones_share": sequences.mask_ones}
        if sequences.mask_ones == 0:
            yield Found(
                message="the attention mask is 0 everywhere: it hides every token",
                consequence="The model sees none of its input.",
                remedy="1 means to look at a place, 0 to ignore it; pass the mask that the tokenizer makes.",
                severity="error",
                evidence=evidence,
            )
            return
        agrees = sequences.mask_agrees
        if agrees is not None and sequences.padded > 0.02:
            evidence["agreement_share"] = agrees
            if agrees < 0.1:
                yield Found(
                    message="the attention mask is inverted: it hides the words and shows the padding",
                    consequence="The model sees padding alone.",
                    remedy="1 means to look at a place, 0 to ignore it.",
                    severity="error",
                    evidence=evidence,
                )
                return
            if sequences.mask_ones == 1:
                yield Found(
                    message=f"the attention mask is 1 everywhere, though {sequences.padded:.0%} of the places are padding",
                    consequence="The model attends to padding.",
                    remedy="Pass the mask that the tokenizer makes when it pads.",
                    evidence=evidence,
                )
                return
        if sequences.mask_used is False:
            yield Found(
                message="outputs change with tokens that the attention mask hides",
                consequence="The mask is not used, or used the other way round.",
                remedy="Look at what becomes of attention_mask in forward().",
                subject="unused",
                evidence=evidence,
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Invert the mask."""
        return loop.with_key("attention_mask", lambda mask: 1 - mask)
