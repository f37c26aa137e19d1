"""PRE118."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import Field, Found, Gradients, Loop, LoopProfile, LoopRule, RuleParams, Severity, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class InitialWeights(LoopRule):
    """Initial weights that are all the same, or of a size that does not suit the layer.

    ## Why it hurts

    Units that begin equal get the same gradient and stay equal: a layer of a thousand is worth one. Weights ten times too
    large saturate what follows, far too small ones let nothing through.

    ## How to fix it

    Leave the initial weights that PyTorch draws, or use ``torch.nn.init`` (He for ReLU, Glorot for tanh). Only the last layer of
    a branch may begin at zero.

    ## When it is wrong

    Where fixed weights are meant: set ``requires_grad`` to False for them.

    ## Reference

    37 reasons, item 28.
    """

    code = "PRE118"
    name = "initial-weights"
    severity: ClassVar[Severity] = "warning"
    item = "28"
    measures = (Gradients,)
    public = frozenset({"scale", "layers"})

    class Params(RuleParams):
        """Cuts."""

        large: float = Field(
            6.0,
            gt=1,
            description="Deviation of the weights times the root of the inputs; He's is 1.4, a trained layer's up to 3.",
        )
        small: float = Field(0.003, gt=0, description="The same for weights that are too small.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge the weight matrices."""
        weights = [
            p
            for p in profile[Gradients].parameters
            if p.trainable
            and p.axes > 1
            and p.called
            and "Embedding" not in p.layer
            and "Norm" not in p.layer
            and p.layer
        ]
        alike = [p for p in weights if p.alike and p.weight > 0 and p.fan_in > 1]
        if alike:
            yield Found(
                message=f"all rows of {alike[0].name} are the same{_more(alike)}: the units of the layer begin the same",
                consequence="They get the same gradient and stay the same.",
                remedy="Draw initial weights at random, as PyTorch does by itself.",
                severity="error",
                subject="alike",
                evidence={"layers": [p.name for p in alike]},
            )
        zero = [p for p in weights if p.weight == 0 and not p.moving]
        if zero:
            yield Found(
                message=f"{zero[0].name} is zero and gets no gradient{_more(zero)}",
                consequence="The layer never moves.",
                remedy="Draw initial weights at random; only the last layer of a branch may begin at zero.",
                severity="error",
                subject="zero",
                evidence={"layers": [p.name for p in zero]},
            )
        drawn = [(p, p.spread * p.fan_in**0.5) for p in weights if p.weight > 0 and p.size >= 32 and not p.alike]
        large = [(p, scale) for p, scale in drawn if scale > self.params.large and not p.normalised]
        if large:
            yield self._scale(large, "large", "what follows saturates, and the first loss is far from chance")
        small = [(p, scale) for p, scale in drawn if scale < self.params.small and not p.normalised]
        if len(small) > 1 or (small and small[0][0] is not weights[-1]):
            yield self._scale(small, "small", "the signal fades from layer to layer")

    def _scale(self, layers: list[tuple[Any, float]], kind: str, consequence: str) -> Found:
        p, scale = layers[0]
        return Found(
            message=(
                f"the weights of {p.name} are {'far too ' if kind == 'large' else 'very '}{kind}: deviation "
                f"{digits(p.spread)} for {p.fan_in:,} inputs, where about {digits(1 / p.fan_in**0.5)} keeps the variance"
                f"{_more([item for item, _ in layers])}"
            ),
            consequence=f"{consequence[0].upper()}{consequence[1:]}.",
            remedy="Use the initial weights of torch.nn.init that suit the activation.",
            subject=kind,
            evidence={"scale": scale, "layers": [item.name for item, _ in layers]},
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Fill the weights of the first layers with one value."""
        layers = [layer for kind in ("Linear", "Conv") for layer in loop.layers(kind).values()]
        if len(layers) < 2 or loop.layers("Embedding"):
            return None
        for layer in layers[:-1]:
            layer.weight.data.fill_(0.05)
        return loop


def _more(items: list[Any]) -> str:
    return f", and {len(items) - 1} more layers" if len(items) > 1 else ""
