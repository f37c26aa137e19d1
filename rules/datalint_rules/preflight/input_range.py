"""PRE131."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Field,
    Found,
    Input,
    Loaded,
    Loop,
    LoopProfile,
    LoopRule,
    RuleParams,
    Severity,
    digits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class InputRange(LoopRule):
    """Inputs of a range that no fresh network suits: pixels from 0 to 255, features in the thousands, zeros, or tiny numbers.

    ## Why it hurts

    Initial weights expect inputs of a deviation of about 1. Pretrained weights expect the mean and deviation that they were
    trained with: other inputs are noise to them.

    ## How to fix it

    Divide pixels by 255 and normalise as the weights were trained; standardise features with the numbers of the training
    split.

    ## When it is wrong

    Where the model scales its inputs itself: a normalisation as its first layer is recognised.

    ## Reference

    37 reasons, items 1, 4, 12 and 14.
    """

    code = "PRE131"
    name = "input-range"
    severity: ClassVar[Severity] = "warning"
    item = "1, 4, 12, 14"
    measures = (Loaded,)
    follows = ("PRE123",)
    public = frozenset({"size", "zero_share"})

    class Params(RuleParams):
        """Cuts."""

        large: float = Field(20.0, gt=1, description="Root of the mean square from which inputs are far too large.")
        small: float = Field(
            0.004, gt=0, description="The same from which they are far too small: pixels divided by 255 twice."
        )
        zeros: float = Field(0.5, gt=0, le=1, description="Share of samples that are zero all over.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge each tensor of numbers."""
        for item in profile[Loaded].inputs:
            if item.zeros >= self.params.zeros:
                yield self._found(
                    item, f"{item.zeros:.0%} of the samples are zero all over", "Look at how they are loaded.", "error"
                )
            elif item.expected is not None:
                yield from self._pretrained(item, *item.expected)
            elif item.normalised:
                continue
            elif item.size > self.params.large:
                yield self._found(
                    item,
                    f"inputs go from {digits(item.low)} to {digits(item.high)}, of size {digits(item.size)} where 1 is expected",
                    "Divide pixels by 255, or standardise with the numbers of the training split.",
                )
            elif item.size < self.params.small and item.deviation < self.params.small:
                yield self._found(
                    item,
                    f"inputs go from {digits(item.low)} to {digits(item.high)}, of size {digits(item.size)} where 1 is expected: scaled twice?",
                    "Scale once; standardise with the numbers of the training split.",
                    "error",
                )

    def _pretrained(self, item: Input, mean: float, deviation: float) -> Iterator[Found]:
        low, high = (0 - mean) / deviation, (1 - mean) / deviation
        width = high - low
        if item.low >= low - 0.35 * width and item.high <= high + 0.35 * width and (item.low < 0 or low >= -0.1):
            return
        yield self._found(
            item,
            f"the weights were trained on inputs from {digits(low)} to {digits(high)}, and get {digits(item.low)} to {digits(item.high)}",
            f"Scale pixels to 0..1, subtract {digits(mean)} and divide by {digits(deviation)}, for each channel as the weights say.",
        )

    def _found(self, item: Input, message: str, remedy: str, severity: Severity | None = None) -> Found:
        return Found(
            message=message,
            consequence="The first layer's outputs have the wrong size, and all that follows.",
            remedy=remedy,
            severity=severity,
            evidence={"size": item.size, "zero_share": item.zeros, "low": item.low, "high": item.high},
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Leave inputs as they are recorded, a hundred times as large."""
        return loop.scaling_inputs(100.0)
