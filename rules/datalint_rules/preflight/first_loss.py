"""PRE101."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Chance, Field, Found, Loop, LoopProfile, LoopRule, RuleParams, Severity, Skip, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class FirstLoss(LoopRule):
    """A first loss far above what a model that knows nothing would have.

    Before training a classifier should hold all classes for about equally likely: its loss is the logarithm of their number,
    or less where it already knows how frequent they are. A model of numbers should not be far above the variance of the
    target.

    ## Why it hurts

    The first hundreds of steps unlearn what the initial weights are sure of, with gradients that are far too large: training
    looks like a hockey stick, diverges, or ends in a worse place.

    ## How to fix it

    Scale the inputs to a standard deviation of about 1, and the initial weights of the last layer down (a standard deviation
    of 0.01 to 0.02). Give the bias of the last layer the mean of the target, or the logarithms of the classes' shares;
    standardise targets that are large numbers.

    ## When it is wrong

    Where the model was trained on something else before and is wrong with certainty at first.

    ## Reference

    37 reasons, item 17; A. Karpathy, A Recipe for Training Neural Networks, "verify loss @ init".
    """

    code = "PRE101"
    name = "first-loss"
    severity: ClassVar[Severity] = "warning"
    item = "17"
    measures = (Chance,)
    follows = ("PRE102", "PRE103", "PRE104", "PRE106", "PRE107", "PRE118", "PRE119", "PRE123", "PRE131")
    public = frozenset({"loss", "chance", "classes", "best_constant", "ratio"})

    class Params(RuleParams):
        """Cuts."""

        excess: float = Field(
            1.5,
            gt=0,
            description="Nats above chance from which a classifier is sure of nothing it knows: logits of 1.7 deviations.",
        )
        share: float = Field(0.5, gt=0, description="The same as a share of chance; the larger of both counts.")
        times: float = Field(
            100.0, gt=1, description="How many times the loss of the best constant a loss of numbers is a warning."
        )
        info_times: float = Field(4.0, gt=1, description="The same for a mere info.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge by what is known of the loss."""
        chance = profile[Chance]
        if chance.uniform is not None and profile.target != "other":
            limit = chance.uniform + max(self.params.excess, self.params.share * chance.uniform)
            if chance.loss > limit:
                yield self._classes(chance, chance.uniform)
            return
        if profile.target != "numbers" or chance.constant <= 0:
            raise Skip("what the loss would be by chance is not known")
        times = chance.loss / chance.constant
        if times > self.params.info_times:
            yield Found(
                message=(
                    f"the first loss is {digits(chance.loss)}, {digits(times)} times that of the best constant "
                    f"({digits(chance.constant)})"
                ),
                consequence="The first steps only move the outputs to where the targets are, with gradients of that size.",
                remedy="Standardise the target, or set the bias of the last layer to its mean; check the scale of the inputs.",
                severity="warning" if times > self.params.times else "info",
                evidence={"loss": chance.loss, "best_constant": chance.constant, "ratio": times},
            )

    def _classes(self, chance: Chance, uniform: float) -> Found:
        return Found(
            message=(
                f"the first loss is {digits(chance.loss)}; for {chance.classes} classes {digits(uniform)} is expected of a "
                f"model that knows nothing (ln {chance.classes})"
            ),
            consequence="The initial model is sure of wrong answers, and the first steps do nothing but unlearn that.",
            remedy="Check the scale of the inputs, and make the initial weights of the last layer smaller.",
            evidence={
                "loss": chance.loss,
                "chance": uniform,
                "classes": chance.classes,
                "best_constant": chance.constant,
            },
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Make the outputs a hundred times as large, as initial weights of deviation 1 do."""
        if loop.criterion not in {"cross_entropy", "binary_cross_entropy_with_logits"}:
            return None
        return loop.after_model(lambda output: output * 100)
