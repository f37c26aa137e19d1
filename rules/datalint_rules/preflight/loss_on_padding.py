"""PRE135."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Field, Found, Loop, LoopProfile, LoopRule, RuleParams, Sequences, Severity, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LossOnPadding(LoopRule):
    """A loss that counts places of padding.

    ## Why it hurts

    Predicting padding is easy: the loss looks low, and most of the gradient is about nothing.

    ## How to fix it

    Set the targets of padding to ``ignore_index`` (-100), or give the loss ``ignore_index=`` the padding token.

    ## When it is wrong

    Where the end of a sequence is to be learnt: one end token is not counted as padding.

    ## Reference

    37 reasons, items 19 and 22.
    """

    code = "PRE135"
    name = "loss-on-padding"
    severity: ClassVar[Severity] = "warning"
    item = "19, 22"
    measures = (Sequences,)
    follows = ("PRE134",)
    public = frozenset({"padded_share", "counted_share"})

    class Params(RuleParams):
        """Cuts."""

        padded: float = Field(0.1, gt=0, lt=1, description="Share of padding from which it matters.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Look at the gradient at these places."""
        sequences = profile[Sequences]
        counted_share = sequences.loss_on_padding
        if counted_share is None:
            raise Skip("there is no padding with targets")
        if counted_share > 0.5 and sequences.padded > self.params.padded:
            yield Found(
                message=f"the loss counts padding, which fills {sequences.padded:.0%} of the places",
                consequence="Most of what is learnt is to predict padding.",
                remedy="Set the targets of padding to -100, or pass ignore_index.",
                evidence={"padded_share": sequences.padded, "counted_share": counted_share},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Let the loss count targets that it ignored."""
        return loop.counting_padding()
