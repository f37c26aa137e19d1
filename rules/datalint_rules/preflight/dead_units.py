"""PRE113."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Activations, Field, Found, Loop, LoopProfile, LoopRule, RuleParams, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class DeadUnits(LoopRule):
    """Layers whose units let nothing through: ReLUs that are zero for every sample, sigmoids and tanhs at their ends.

    ## Why it hurts

    No gradient passes where a unit is zero or saturated for all samples: such a layer never recovers.

    ## How to fix it

    Scale the inputs to a standard deviation of about 1, use the initial weights that suit the activation (He for ReLU, Glorot
    for tanh) and biases of 0.

    ## When it is wrong

    Where sparse activations are meant; a few dead units per layer are normal and not reported.

    ## Reference

    37 reasons, items 24 and 33.
    """

    code = "PRE113"
    name = "dead-units"
    severity: ClassVar[Severity] = "warning"
    item = "24, 33"
    measures = (Activations,)
    follows = ("PRE118", "PRE123", "PRE131")
    public = frozenset({"dead_share", "saturated_share", "units"})

    class Params(RuleParams):
        """Cuts."""

        dead: float = Field(0.9, gt=0, le=1, description="Share of the units of a ReLU that are zero for all samples.")
        saturated: float = Field(
            0.8, gt=0, le=1, description="Share of the values of a sigmoid or tanh within 1 % of either end."
        )

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge each activation; the first bad one leads to the others."""
        record = profile[Activations]
        dead = [a for a in record.activities if a.kind == "relu" and a.dead >= self.params.dead]
        full = [a for a in record.activities if a.kind != "relu" and a.saturated >= self.params.saturated]
        if dead:
            worst = dead[0]
            yield Found(
                message=(
                    f"{worst.dead:.0%} of the {worst.units:,} units of the ReLU in {worst.place!r} are zero for all "
                    f"{record.samples} samples{f', and {len(dead) - 1} more layers are similar' if len(dead) > 1 else ''}"
                ),
                consequence="No gradient passes through them.",
                remedy="Check the scale of the inputs and the initial weights and biases of the layer before.",
                severity="error" if worst.dead == 1 else None,
                subject="dead",
                evidence={"place": worst.place, "dead_share": worst.dead, "units": worst.units},
            )
        if full:
            worst = full[0]
            yield Found(
                message=(
                    f"{worst.saturated:.0%} of the values of the {worst.kind} in {worst.place!r} lie at the ends of its range"
                    f"{f', and {len(full) - 1} more layers are similar' if len(full) > 1 else ''}"
                ),
                consequence="The gradient there is nearly zero.",
                remedy="Scale the inputs, and make the initial weights of the layer before smaller.",
                subject="saturated",
                evidence={"place": worst.place, "saturated_share": worst.saturated, "units": worst.units},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Put biases of -1,000 before a ReLU."""
        layers = list(loop.layers().items())
        for k, (_, layer) in enumerate(layers[:-1]):
            bias, after = getattr(layer, "bias", None), layers[k + 1][1]
            if "ReLU" in type(after).__name__ and bias is not None:
                bias.data.fill_(-1000.0)
                return loop
        return None
