"""PRE127."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Collated, Found, Loop, LoopProfile, LoopRule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class MisalignedBatch(LoopRule):
    """Batches whose targets are not those of their inputs: the order is lost on the way, or only the input is turned.

    ## Why it hurts

    The model learns targets of other samples, or masks that lie elsewhere: at best the average.

    ## How to fix it

    Collate inputs and targets together; sort or permute both or none. Draw random changes once for an input and its mask.

    ## When it is wrong

    Where targets are exchanged on purpose, as in mixing augmentations.

    ## Reference

    37 reasons, items 3 and 4.
    """

    code = "PRE127"
    name = "misaligned-batch"
    severity: ClassVar[Severity] = "error"
    item = "3, 4"
    measures = (Collated,)
    public = frozenset({"compared", "displaced"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare batches with items."""
        collated = profile[Collated]
        if collated.displaced:
            yield Found(
                message=f"{collated.displaced} of {collated.compared} samples of a batch have the target of another item",
                consequence="The model learns targets of other samples.",
                remedy="Look at collate_fn: inputs and targets must keep one order.",
                evidence={"compared": collated.compared, "displaced": collated.displaced},
            )
        if collated.unlike:
            yield Found(
                message=f"inputs are {collated.unlike[0]} at random, and their targets of the same size are not",
                consequence="Masks lie elsewhere than what they mark.",
                remedy="Draw the change once, and apply it to both.",
                subject="turned",
                evidence={"changes": list(collated.unlike)},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Turn the order of the targets within each batch."""
        return loop.collating(lambda inputs, targets: (inputs, targets.flip(0)))
