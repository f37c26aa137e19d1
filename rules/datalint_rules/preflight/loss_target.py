"""PRE103."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import (
    Field,
    FirstStep,
    Found,
    Loaded,
    Loop,
    LoopProfile,
    LoopRule,
    LossCall,
    RuleParams,
    Severity,
    digits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LossTarget(LoopRule):
    """Targets that the loss refuses, or takes for something else: wrong type or shape, labels out of range, ignored targets.

    ## Why it hurts

    Some losses fail at the first batch, and their message speaks of tensors; others take what they get and learn
    something else: ``binary_cross_entropy_with_logits`` has no minimum for a target of 2.

    ## How to fix it

    Count classes from 0, give the last layer as many outputs as there are classes, and give each loss the type of target that
    it wants: whole numbers for classes, fractions for ``binary_cross_entropy``.

    ## When it is wrong

    Where outputs are kept for classes that come later: the warning about unused outputs is then meant.

    ## Reference

    37 reasons, items 18 and 19.
    """

    code = "PRE103"
    name = "loss-target"
    severity: ClassVar[Severity] = "error"
    item = "18, 19"
    measures = (FirstStep, Loaded)
    follows = ("PRE102", "PRE104", "PRE123")
    public = frozenset({"loss_function", "outputs", "classes", "low", "high", "ignored_share"})

    class Params(RuleParams):
        """Cuts."""

        spare: float = Field(4.0, gt=1, description="How many times more outputs than labels there may be.")
        ignored: float = Field(0.95, gt=0, le=1, description="Share of ignored targets that is a fault.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge what the loss said first, then what it took."""
        first = profile[FirstStep]
        if first.error:
            if not any("between 0 and 1" in call.error and "target" not in call.error for call in first.calls):
                yield self._refused(first)
            return
        for call in first.calls[:1]:
            yield from self._taken(call, profile)

    def _refused(self, first: FirstStep) -> Found:
        call = next((call for call in first.calls if call.error), None)
        name = call.name if call is not None else "the loss"
        remedy = "Give it outputs and targets of the shape and type that it expects."
        if call is not None and call.shape and call.target_shape:
            classes = call.shape[1 if len(call.shape) > 1 else 0]
            if "bounds" in call.error and call.name in {"cross_entropy", "nll_loss"}:
                shown = f"labels from {digits(call.target_low)} to {digits(call.target_high)} for {classes} outputs"
                return self._found(
                    f"{name} fails: {shown}", "Count classes from 0 and give the last layer one output for each.", call
                )
            remedy = (
                f"It got outputs of shape {call.shape} and {'whole' if call.target_whole else 'fractional'} targets of shape "
                f"{call.target_shape}; cross_entropy wants one whole number per sample, binary losses fractions of the outputs' shape."
            )
        return self._found(f"{name} refuses what it is given: {first.error}", remedy, call)

    def _taken(self, call: LossCall, profile: LoopProfile) -> Iterator[Found]:
        classes = call.shape[1] if len(call.shape) > 1 else 0
        if call.ignored > self.params.ignored:
            yield self._found(
                f"{call.ignored:.0%} of the targets are ignored by {call.name}", "Look at how targets are masked.", call
            )
        if call.name.startswith("binary_cross_entropy") and (call.target_low < 0 or call.target_high > 1):
            yield self._found(
                f"{call.name} expects targets between 0 and 1, and gets {digits(call.target_low)} to {digits(call.target_high)}",
                "Turn the labels into 0 and 1; for several classes use cross_entropy.",
                call,
            )
        if call.name not in {"cross_entropy", "nll_loss"} or not call.target_whole or profile.target != "classes":
            return
        loaded = profile[Loaded]
        if loaded.shuffled is False or loaded.single or loaded.repeated:
            return  # the first batches do not show which labels there are
        if loaded.classes and classes > self.params.spare * (loaded.high + 1) and loaded.labelled >= 32:
            yield Found(
                message=f"the model has {classes:,} outputs, and the labels go from {loaded.low} to {loaded.high}",
                consequence="The first loss is that of far more classes, and the model must first unlearn the rest.",
                remedy=f"Give the last layer {loaded.high + 1} outputs.",
                severity="warning",
                subject="outputs",
                evidence={"outputs": classes, "low": loaded.low, "high": loaded.high},
            )
        elif loaded.low == 1 and classes == loaded.high + 1 and loaded.labelled >= 20 * classes:
            yield Found(
                message=f"labels go from 1 to {loaded.high} for {classes} outputs: output 0 is never used",
                consequence="One output is wasted.",
                remedy="Count classes from 0.",
                severity="info",
                subject="from one",
                evidence={"outputs": classes, "low": loaded.low, "high": loaded.high},
            )

    def _found(self, message: str, remedy: str, call: LossCall | None) -> Found:
        evidence: dict[str, Any] = (
            {} if call is None else {"loss_function": call.name, "low": call.target_low, "high": call.target_high}
        )
        return Found(
            message=message, consequence="Training fails, or learns something else.", remedy=remedy, evidence=evidence
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Count classes from 1 where the last layer has no output for the last, or yes as 2."""
        if loop.target == "classes" and loop.criterion == "cross_entropy":
            return loop.around_loss(
                lambda loss, output, target: loss(output, target - target.min() + output.shape[1] - 1)
            )
        if loop.criterion == "binary_cross_entropy_with_logits":
            return loop.around_loss(lambda loss, output, target: loss(output, target * 2))
        return None
