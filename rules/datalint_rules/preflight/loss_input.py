"""PRE102."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from datalint.author import FirstStep, Found, Loop, LoopProfile, LoopRule, LossCall, Severity, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


SURE = {"softmax", "log_softmax", "sigmoid", "tanh", "relu", "hardtanh", "hardsigmoid"}
RANGES = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, float("inf"))}
PAIRED = {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"}


class LossInput(LoopRule):
    """A loss that gets outputs of another kind than it expects: probabilities, logits or logarithms in the wrong place.

    ``cross_entropy`` and ``binary_cross_entropy_with_logits`` want logits, ``nll_loss`` and ``kl_div`` logarithms of
    probabilities, ``binary_cross_entropy`` probabilities. Outputs that end in an activation reach only its range.

    ## Why it hurts

    With a softmax too many the loss of ten classes cannot fall below 1.46, and gradients nearly vanish; with one too few it
    has no lower bound. Training seems to work, and stops early or ends in NaN.

    ## How to fix it

    Take the activation at the end of the model away where the loss has its own, or put in the one that it wants.

    ## When it is wrong

    Where outputs are bounded on purpose and the loss is meant to stay above zero.

    ## Reference

    37 reasons, items 18 and 19.
    """

    code = "PRE102"
    name = "loss-input"
    severity: ClassVar[Severity] = "error"
    item = "18, 19"
    measures = (FirstStep,)
    public = frozenset({"loss_function", "activation", "kind"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge each loss function by what it gets."""
        seen = set()
        for call in profile[FirstStep].calls:
            for kind, message, remedy, severity in _wrong(call):
                if (call.name, kind) in seen:
                    continue
                seen.add((call.name, kind))
                yield Found(
                    message=message,
                    consequence="The loss cannot reach its minimum, or has none.",
                    remedy=remedy,
                    severity=severity,
                    subject=f"{call.name} {kind}",
                    evidence={"loss_function": call.name, "activation": call.maker, "kind": kind},
                )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Put a softmax or a sigmoid behind the last layer."""
        if loop.criterion == "cross_entropy":
            return loop.after_model(lambda output: output.softmax(1 if output.ndim == 4 else -1))
        if loop.criterion == "binary_cross_entropy_with_logits":
            return loop.after_model(lambda output: output.sigmoid())
        return None


def _wrong(call: LossCall) -> Iterator[tuple[str, str, str, Severity | None]]:
    """What is wrong with one call: a kind, a message, a remedy and a severity."""
    name, maker = call.name, call.maker
    if not math.isfinite(call.low):  # what is no number is of no kind
        return
    if name == "cross_entropy":
        yield from _cross_entropy(call)
    elif name == "cross_entropy of probabilities":
        if not call.sums_to_one:
            yield (
                "no probabilities",
                f"the cross-entropy expects probabilities and gets values from {digits(call.low)} to {digits(call.high)}",
                "Let the loss take logits (from_logits=True), or put a softmax behind the last layer.",
                None,
            )
    elif name in {"nll_loss", "kl_div"} and not call.logs_sum_to_one and len(call.shape) > 1 and call.shape[1] > 1:
        what = "probabilities" if call.sums_to_one else "logits"
        yield (
            "no logarithms",
            f"{name} expects logarithms of probabilities and gets {what} ({digits(call.low)} to {digits(call.high)})",
            "Put log_softmax behind the last layer, or use cross_entropy with logits.",
            None,
        )
    elif name == "binary_cross_entropy_with_logits" and maker in {"sigmoid", "softmax", "hardsigmoid", "relu", "tanh"}:
        yield (
            "activation twice",
            f"{name} applies a sigmoid itself, and gets the output of a {maker}",
            f"Take the {maker} at the end of the model away.",
            None if maker in {"sigmoid", "softmax"} else "warning",
        )
    elif name == "binary_cross_entropy" and ("between 0 and 1" in call.error or call.low < 0 or call.high > 1):
        yield (
            "logits",
            f"{name} expects probabilities and gets values from {digits(call.low)} to {digits(call.high)}",
            "Use the loss that takes logits (binary_cross_entropy_with_logits), or put a sigmoid behind the last layer.",
            None,
        )
    elif name in PAIRED and maker in RANGES and call.target_shape:
        low, high = RANGES[maker]
        if call.target_low < low - 1e-3 or call.target_high > high + 1e-3:
            yield (
                "out of reach",
                f"the outputs end in a {maker}, and the targets go from {digits(call.target_low)} to {digits(call.target_high)}",
                f"Take the {maker} at the end of the model away, or scale the targets into its range.",
                None,
            )


def _cross_entropy(call: LossCall) -> Iterator[tuple[str, str, str, Severity | None]]:
    classes = call.shape[1 if len(call.shape) > 1 else 0] if call.shape else 0
    if classes == 1:
        yield (
            "one output",
            "cross_entropy gets a single output per sample, whose softmax is always 1: the loss is always 0",
            "Give the last layer an output for each class, or use binary_cross_entropy_with_logits.",
            None,
        )
    elif call.sums_to_one and call.maker != "log_softmax":
        yield (
            "softmax twice",
            "cross_entropy applies a softmax itself, and gets probabilities that already sum to 1",
            "Take the softmax at the end of the model away: cross_entropy expects logits.",
            None,
        )
    elif call.maker in {"sigmoid", "hardsigmoid", "tanh", "hardtanh", "relu"}:
        yield (
            "bounded logits",
            f"cross_entropy expects logits, and gets the output of a {call.maker}, which bounds them",
            f"Take the {call.maker} at the end of the model away.",
            "warning",
        )
