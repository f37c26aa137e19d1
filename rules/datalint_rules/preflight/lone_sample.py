"""PRE128."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import Collated, Found, Loop, LoopProfile, LoopRule, Modes, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LoneSample(LoopRule):
    """A last batch of a single sample, which batch normalisation refuses or learns nothing from.

    ## Why it hurts

    Training fails at the end of the first epoch, after hours.

    ## How to fix it

    Set ``drop_last=True``, or take another batch size.

    ## When it is wrong

    Where the sampler changes the number of samples.

    ## Reference

    37 reasons, item 11.
    """

    code = "PRE128"
    name = "lone-sample"
    severity: ClassVar[Severity] = "error"
    item = "11"
    measures = (Collated, Modes)
    public = frozenset({"samples", "batch_size"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Count, then try the model on one sample."""
        collated = profile[Collated]
        if not collated.lone:
            return
        evidence: dict[str, Any] = {"samples": profile.samples, "batch_size": profile.batch_size}
        if collated.lone_error:
            yield Found(
                message=f"the last of the batches of {profile.batch_size} holds a single sample, and the model fails on it: {collated.lone_error}",
                consequence="Training fails at the end of the first epoch.",
                remedy="Set drop_last=True, or take another batch size.",
                evidence=evidence,
            )
        elif profile[Modes].batch_norms:
            yield Found(
                message=f"the last of the batches of {profile.batch_size} holds a single sample, whose statistics batch normalisation takes",
                consequence="One step per epoch is taken on odd statistics.",
                remedy="Set drop_last=True, or take another batch size.",
                severity="info",
                evidence=evidence,
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Take a batch size that leaves one sample."""
        return loop.leaving_one() if loop.layers("BatchNorm1d") else None
