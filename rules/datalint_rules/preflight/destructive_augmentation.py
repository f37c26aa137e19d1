"""PRE130."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Collated, Field, Found, Loop, LoopProfile, LoopRule, RuleParams, Severity, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class DestructiveAugmentation(LoopRule):
    """Augmentation after which a simple model can no longer tell the classes that it tells in the raw samples.

    ## Why it hurts

    What the label says is no longer in the input: the model learns noise by heart.

    ## How to fix it

    Make the augmentation weaker, and look at some samples as the model gets them.

    ## When it is wrong

    Where a simple model depends on what augmentation takes away, such as places of pixels, and the network does not.

    ## Reference

    37 reasons, items 3 and 13.
    """

    code = "PRE130"
    name = "destructive-augmentation"
    severity: ClassVar[Severity] = "warning"
    item = "3, 13"
    measures = (Collated,)
    public = frozenset({"raw_accuracy", "loaded_accuracy", "majority_accuracy"})

    class Params(RuleParams):
        """Cuts."""

        kept: float = Field(
            0.25, gt=0, lt=1, description="Share of the raw accuracy above the majority that must be left."
        )
        raw: float = Field(0.25, gt=0, lt=1, description="Raw accuracy above the majority that must be there at all.")

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare both scores with the share of the largest class."""
        collated = profile[Collated]
        raw, loaded, majority = collated.raw_score, collated.loaded_score, collated.majority
        if raw is None or loaded is None or majority is None:
            raise Skip("there is no random transform of samples with classes to compare")
        if raw - majority > self.params.raw and loaded - majority < self.params.kept * (raw - majority):
            yield Found(
                message=f"a simple model tells {raw:.0%} of the raw samples, and {loaded:.0%} of them as they are loaded ({majority:.0%} is the largest class)",
                consequence="What the label says is hardly in the input any more.",
                remedy="Make the augmentation weaker, and look at some samples as the model gets them.",
                evidence={"raw_accuracy": raw, "loaded_accuracy": loaded, "majority_accuracy": majority},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Add noise of ten deviations in the transform."""
        return loop.with_noisy_transform(10.0)
