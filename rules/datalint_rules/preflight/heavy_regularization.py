"""PRE119."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Field,
    Found,
    Loop,
    LoopProfile,
    LoopRule,
    Modes,
    NotMeasured,
    Optimized,
    RuleParams,
    Severity,
    Terms,
    digits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class HeavyRegularization(LoopRule):
    """Regularisation that outweighs the data: weight decay, penalties in the loss, dropout that leaves hardly anything.

    ## Why it hurts

    The weights are pulled to zero faster than the data can move them, or a layer sees a tenth of its inputs. Training stalls at
    chance.

    ## How to fix it

    Begin without: weight decay 0, dropout 0. Put them back when the model learns a few samples by heart. ``p`` of
    ``nn.Dropout`` is the share that is dropped, not the share that is kept.

    ## When it is wrong

    Where a strong prior is meant.

    ## Reference

    37 reasons, items 30 and 31.
    """

    code = "PRE119"
    name = "heavy-regularization"
    severity: ClassVar[Severity] = "warning"
    item = "30, 31"
    measures = (Modes, Optimized, Terms)
    public = frozenset({"dropout", "decay", "ratio"})

    class Params(RuleParams):
        """Cuts."""

        dropout: float = Field(0.8, gt=0, lt=1, description="Share that a dropout may drop.")
        decay: float = Field(
            1.0, gt=0, description="Weight decay in the gradient against the gradient of the loss, as norms."
        )
        shrink: float = Field(0.01, gt=0, description="Learning rate times decoupled decay: the share lost per step.")
        usual: float = Field(0.1, gt=0, description="Decoupled decay up to which it is the rate that is to blame.")
        penalty: float = Field(
            10.0, gt=1, description="Gradient of a penalty of the weights against that of the other terms."
        )

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge dropout, weight decay and penalties, each as far as it was measured."""
        strong = [(name, p) for name, p in profile[Modes].dropouts if p > self.params.dropout]
        if strong:
            yield Found(
                message=f"dropout drops {strong[0][1]:.0%} of its inputs in {strong[0][0]!r}",
                consequence="Hardly anything passes.",
                remedy="p is the share that is dropped, not the share that is kept; usual are 0.1 to 0.5.",
                subject="dropout",
                evidence={"dropout": strong[0][1]},
            )
        yield from self._penalty(profile)
        held = profile[Optimized]
        decay = max(held.decays, default=0.0)
        if held.decoupled:
            shrink = max((rate * own for rate, own in zip(held.rates, held.decays, strict=True)), default=0.0)
            decay = 0.0 if decay <= self.params.usual else decay
            heavy, told = shrink > self.params.shrink, f"takes {shrink:.1%} of every weight at each step"
        else:
            heavy = held.decay_ratio > self.params.decay
            told = f"is {digits(held.decay_ratio)} times the gradient of the loss"
        if heavy and decay > 0:
            yield Found(
                message=f"weight decay of {digits(decay)} {told}",
                consequence="The weights are pulled to zero faster than the data can move them.",
                remedy="Begin without weight decay; usual are 1e-4 (SGD, Adam) to 0.05 (AdamW).",
                subject="decay",
                evidence={"decay": decay, "ratio": held.decay_ratio},
            )

    def _penalty(self, profile: LoopProfile) -> Iterator[Found]:
        try:
            terms = profile[Terms].terms
        except NotMeasured:  # a loss of one term has no penalty
            return
        data = sum(term.gradient for term in terms if term.of_outputs)
        penalty = sum(term.gradient for term in terms if not term.of_outputs)
        if data > 0 and penalty > self.params.penalty * data:
            yield Found(
                message=f"the penalty of the weights has {digits(penalty / data)} times the gradient of the rest of the loss",
                consequence="The weights are pulled to zero faster than the data can move them.",
                remedy="Give the penalty a smaller factor.",
                subject="penalty",
                evidence={"ratio": penalty / data},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Decay the weights a thousand times as much as usual."""
        return loop.with_optimizer(weight_decay=100.0)
