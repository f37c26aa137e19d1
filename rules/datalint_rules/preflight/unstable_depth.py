"""PRE114."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Field,
    Found,
    Gradients,
    Loop,
    LoopProfile,
    LoopRule,
    RuleParams,
    Severity,
    Skip,
    digits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class UnstableDepth(LoopRule):
    """Gradients that vanish or explode on their way through the layers.

    The size of the gradient of each weight matrix against that of the weights is compared over the layers.

    ## Why it hurts

    One learning rate cannot suit layers whose gradients differ by a factor of a million: some stand still, or others jump.

    ## How to fix it

    Use ReLU or GELU instead of sigmoid and tanh, initial weights that keep the variance (He, Glorot), normalisation layers and
    residual connections.

    ## When it is wrong

    Where layers begin at zero on purpose: they are left out while their gradient is zero.

    ## Reference

    37 reasons, items 33 and 35.
    """

    code = "PRE114"
    name = "unstable-depth"
    severity: ClassVar[Severity] = "warning"
    item = "33, 35"
    measures = (Gradients,)
    follows = ("PRE101", "PRE102", "PRE113", "PRE118", "PRE123", "PRE131")
    public = frozenset({"ratio", "layers"})

    class Params(RuleParams):
        """Cuts."""

        ratio: float = Field(1e5, gt=1, description="Largest against smallest gradient per weight.")
        lost: float = Field(
            1e7, gt=1, description="The same, from which on vanishing is an error: single precision ends."
        )

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare first and last layers."""
        layers = [
            p
            for p in profile[Gradients].parameters
            if p.trainable
            and p.axes > 1
            and p.gradient > 0
            and p.weight > 0
            and p.order >= 0
            and "Embedding" not in p.layer
        ]
        if len(layers) < 4:
            raise Skip("the model has fewer than four weight matrices")
        sizes = [p.gradient / p.weight for p in layers]
        third = max(1, len(layers) // 3)
        front, back = sorted(sizes[:third])[third // 2], sorted(sizes[-third:])[third // 2]
        ratio = max(front, back) / min(front, back)
        if ratio > self.params.ratio:
            what = "vanish" if front < back else "explode"
            yield Found(
                message=(
                    f"gradients {what} towards the inputs: {digits(front)} of the weight in {layers[0].name}, "
                    f"{digits(back)} in {layers[-1].name}"
                ),
                consequence="The first layers do not learn."
                if front < back
                else "The first layers jump at every step.",
                remedy="Use ReLU or GELU, initial weights that keep the variance, normalisation or residual connections.",
                severity="error" if front < back and ratio > self.params.lost else None,
                evidence={"ratio": ratio, "layers": len(layers)},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Make the first layers' outputs, and with them their gradients, vanish behind a factor."""
        names = [name for name in loop.layers() if any(p.ndim > 1 for p in loop.layers()[name].parameters())]
        if (
            len(names) < 4
            or loop.layers("Norm")
            or loop.layers("Embedding")
            or loop.layers("LSTM")
            or loop.layers("GRU")
        ):
            return None
        return loop.replace_layer(
            names[len(names) // 2 - 1], lambda output: output.detach() + (output - output.detach()) * 1e-9
        )
