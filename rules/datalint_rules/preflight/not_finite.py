"""PRE123."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Finite, Found, Loop, LoopProfile, LoopRule, Severity, counted, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class NotFinite(LoopRule):
    """Numbers that are not finite: in the inputs, behind a layer, in the loss or in its gradient.

    ## Why it hurts

    After one step with NaN all weights are NaN.

    ## How to fix it

    Look at the module that is named: logarithms and roots of 0, divisions by 0, exponentials, a mask that hides all. Add a
    small number, or clamp.

    ## When it is wrong

    Never for the loss; activations beyond 65,504 matter only in half precision, and are a note.

    ## Reference

    37 reasons, item 37.
    """

    code = "PRE123"
    name = "not-finite"
    severity: ClassVar[Severity] = "error"
    item = "37"
    measures = (Finite,)
    public = frozenset({"values", "largest", "precision"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Name the first place."""
        finite = profile[Finite]
        remedy = (
            "Look for logarithms and roots of 0, divisions by 0 and exponentials there; add a small number, or clamp."
        )
        if finite.inputs or finite.targets:
            where = "inputs" if finite.inputs else "targets"
            yield Found(
                message=f"{finite.inputs or finite.targets:,} values in the {where} of the first batches are NaN or infinite",
                consequence="The loss becomes NaN, and after one step all weights are.",
                remedy="Find them with datalint scan, and fill or drop them.",
                evidence={"values": finite.inputs or finite.targets},
            )
        elif finite.first:
            kind = f" in {finite.precision}" if finite.precision else ""
            message = f"the output of {finite.first!r} is not finite{kind} though its inputs are"
            if finite.before:
                message = (
                    f"what {finite.first!r} gets is not finite{kind}, though the modules before it give finite numbers"
                )
            half = (
                "float16 ends at 65,504: use bfloat16, or compute this part in single precision, outside of autocast."
            )
            yield Found(
                message=message,
                consequence="The loss becomes NaN, and after one step all weights are.",
                remedy=half if finite.precision == "float16" else remedy,
                evidence={"place": finite.first, "precision": finite.precision},
            )
        elif not finite.loss:
            yield Found(
                message="the loss is not finite though the outputs are",
                consequence="After one step all weights are NaN.",
                remedy=remedy,
            )
        elif finite.gradients:
            yield Found(
                message=f"the gradient of {finite.gradients[0]} is not finite though the loss is ({counted(len(finite.gradients), 'parameter')})",
                consequence="After one step these weights are NaN.",
                remedy="Look for sqrt, norm, log and pow whose argument can be 0: the slope is infinite there.",
                evidence={"parameters": list(finite.gradients[:20])},
            )
        elif finite.largest > 65504:
            yield Found(
                message=f"the output of {finite.largest_at!r} reaches {digits(finite.largest)}, which half precision cannot hold",
                consequence="Under float16 it becomes infinite.",
                remedy="Use bfloat16, or scale what comes before.",
                severity="info",
                subject="half",
                evidence={"largest": finite.largest},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Take the logarithm of outputs that may be negative."""
        return loop.after_model(lambda output: (output * 0).log() + output)
