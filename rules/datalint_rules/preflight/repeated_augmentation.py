"""PRE129."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Collated, Found, Loop, LoopProfile, LoopRule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class RepeatedAugmentation(LoopRule):
    """Workers of a loader that all draw the same random numbers, so that augmentation repeats.

    ## Why it hurts

    Each worker applies the same changes, and often the same in every epoch: there is far less variety than it seems.

    ## How to fix it

    Draw from PyTorch's or NumPy's global generators, which the loader seeds for each worker, or seed an own generator in
    ``worker_init_fn`` from ``torch.initial_seed()``.

    ## When it is wrong

    Where the same random numbers are meant for all.

    ## Reference

    37 reasons, items 3 and 13.
    """

    code = "PRE129"
    name = "repeated-augmentation"
    severity: ClassVar[Severity] = "warning"
    item = "3, 13"
    measures = (Collated,)

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Say why, if they do."""
        why = profile[Collated].same_seeds
        if why:
            yield Found(
                message=why,
                consequence="All workers apply the same changes.",
                remedy="Use the global generators, or seed with torch.initial_seed() in worker_init_fn.",
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Add noise of a generator that the data set holds, and take two workers."""
        return loop.with_own_noise()
