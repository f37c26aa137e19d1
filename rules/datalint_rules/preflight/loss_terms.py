"""PRE106."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Field, Found, Loop, LoopProfile, LoopRule, RuleParams, Severity, Terms, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LossTerms(LoopRule):
    """Terms of a loss of which one moves the weights a thousand times as much as another.

    ## Why it hurts

    What the small term asks for is not learnt: the optimizer sees the large one alone.

    ## How to fix it

    Weigh the terms so that their gradients are of one size at the start, or of the proportion that is meant.

    ## When it is wrong

    Where a term is small at first and grows, or is meant as a faint regularisation of the outputs.

    ## Reference

    37 reasons, item 20.
    """

    code = "PRE106"
    name = "loss-terms"
    severity: ClassVar[Severity] = "warning"
    item = "20"
    measures = (Terms,)
    public = frozenset({"gradients", "values", "ratio"})

    class Params(RuleParams):
        """Cuts."""

        ratio: float = Field(
            1e3, gt=1, description="How many times larger the gradient of one term may be than another's."
        )
        drowned: float = Field(1e4, gt=1, description="The same, from which on the smaller term counts for nothing.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare the terms that depend on the data; those of the weights alone are PRE119's."""
        terms = [term for term in profile[Terms].terms if term.of_outputs and term.gradient > 0]
        if len(terms) < 2:
            return
        sizes = [term.gradient for term in terms]
        ratio = max(sizes) / min(sizes)
        if ratio > self.params.ratio:
            yield Found(
                message=(
                    f"of the {len(terms)} terms of the loss one has {digits(ratio)} times the gradient of another "
                    f"({', '.join(str(digits(term.value)) for term in terms[:4])} are their values)"
                ),
                consequence="The smaller term is not learnt.",
                severity="error" if ratio > self.params.drowned else None,
                remedy="Weigh the terms so that their gradients are of one size at the start.",
                evidence={
                    "ratio": ratio,
                    "gradients": [term.gradient for term in terms],
                    "values": [term.value for term in terms],
                },
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Add a second term of another kind, a hundred thousand times as large."""
        if loop.criterion not in {"mse_loss", "cross_entropy"}:
            return None
        return loop.around_loss(lambda loss, output, target: loss(output, target) + 1e5 * (output - 1).abs().mean())
