"""PRE120."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    ByHeart,
    Field,
    Found,
    Influence,
    Loop,
    LoopProfile,
    LoopRule,
    Modes,
    RuleParams,
    Severity,
    digits,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class TrainEvalGap(LoopRule):
    """A model that is another in evaluation: samples known by heart in training mode are not known in evaluation mode.

    ## Why it hurts

    The validation loss stays high or jumps, though training goes well. Running statistics of batch normalisation that do not
    follow, dropout that stays active and layers in the wrong mode are the usual reasons.

    ## How to fix it

    Give batch normalisation a momentum of 0.1, pass ``training=self.training`` to ``F.dropout``, and call ``model.train()``
    and ``model.eval()`` where they belong.

    ## When it is wrong

    Where evaluation is random on purpose, as in Monte Carlo dropout or sampling: then there is a note alone.

    ## Reference

    37 reasons, items 32 and 35.
    """

    code = "PRE120"
    name = "train-eval-gap"
    severity: ClassVar[Severity] = "warning"
    item = "32"
    measures = (Modes, Influence, ByHeart)
    follows = ("PRE123", "PRE131")
    public = frozenset({"train_loss", "eval_loss", "chance"})

    class Params(RuleParams):
        """Cuts."""

        numbers: int = Field(
            100, gt=0, description="Numbers of a batch for each channel from which its statistics are good to a tenth."
        )

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge layers that do not follow their mode, then the losses in both."""
        modes = profile[Modes]
        if not modes.training and (modes.dropouts or modes.batch_norms):
            yield Found(
                message="the model is in evaluation mode",
                consequence="Dropout is off and running statistics stand still, unless the loop calls model.train().",
                remedy="Call model.train() before training.",
                severity="info",
                subject="mode",
            )
        if modes.still_norms:
            yield Found(
                message=f"the running statistics of {quoted(list(modes.still_norms[:3]))} stand still: their momentum is 0 or nearly so",
                consequence="In evaluation the model normalises by what it was made with.",
                remedy="momentum is the weight of the new batch; 0.1 is usual.",
                subject="still",
            )
        hasty = [(name, count) for name, count in modes.hasty_norms if count < self.params.numbers]
        if hasty:
            name, count = hasty[0]
            yield Found(
                message=f"the running statistics of {name!r} are those of the last batch: {count} numbers for each channel",
                consequence="In evaluation the model is another after each step.",
                remedy="momentum is the weight of the new batch: what is 0.99 in Keras is 0.01 here; 0.1 is usual.",
                subject="hasty",
            )
        influence = profile[Influence]
        if influence.dropouts:
            yield Found(
                message=f"dropout in {quoted(list(influence.dropouts[:3]))} is active though the model evaluates",
                consequence="Predictions are random, and worse than the model is.",
                remedy="Pass training=self.training to F.dropout, or use nn.Dropout.",
                subject="dropout",
            )
        heart = profile[ByHeart]
        gap = heart.eval_loss - heart.train_loss
        room = heart.chance - heart.floor
        if heart.progress >= 0.9 and gap > 0.5 * room and not modes.still_norms and not influence.dropouts:
            yield Found(
                message=(
                    f"after learning {heart.samples} samples by heart the loss is {digits(heart.train_loss)} in training mode and "
                    f"{digits(heart.eval_loss)} in evaluation mode ({digits(heart.chance)} is chance)"
                ),
                consequence="The validation loss stays high, though training goes well.",
                remedy="Look at batch normalisation: its momentum, small batches, and layers that several inputs share.",
                subject="gap",
                evidence={"train_loss": heart.train_loss, "eval_loss": heart.eval_loss, "chance": heart.chance},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Keep batch normalisation from following."""
        norms = [layer for layer in loop.layers("BatchNorm").values() if layer.training]
        for layer in norms:
            layer.momentum = 0.0
        return loop if norms else None
