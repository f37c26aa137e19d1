"""PRE126."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import Found, Loaded, Loop, LoopProfile, LoopRule, Severity, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class RepeatedBatch(LoopRule):
    """A loader that gives the same batch again, or batches of one class.

    ## Why it hurts

    A model that sees one batch learns it by heart and nothing else; one that sees one class at a time forgets the others.

    ## How to fix it

    Look at the index that the data set uses, at ``iter()`` within the loop, and shuffle (``shuffle=True``).

    ## When it is wrong

    Where a single batch is meant, to overfit it.

    ## Reference

    37 reasons, items 1, 7 and 10.
    """

    code = "PRE126"
    name = "repeated-batch"
    severity: ClassVar[Severity] = "error"
    item = "1, 7, 10"
    measures = (Loaded,)
    public = frozenset({"batches", "repeated", "single"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare the first batches."""
        loaded = profile[Loaded]
        if loaded.batches < 2:
            raise Skip("the loader has one batch")
        if loaded.repeated:
            yield Found(
                message=f"{loaded.repeated} of the first {loaded.batches} batches {'repeat' if loaded.repeated > 1 else 'repeats'} an earlier one exactly",
                consequence="The model learns this batch by heart and nothing else.",
                remedy="Look at the index that the data set uses.",
                evidence={"batches": loaded.batches, "repeated": loaded.repeated},
            )
        elif loaded.single == loaded.batches and loaded.labelled >= 32 and profile.batch_size >= 8:
            yield Found(
                message=f"each of the first {loaded.batches} batches holds one class alone",
                consequence="Each step forgets the other classes.",
                remedy="Shuffle: shuffle=True, or a shuffle buffer for streams.",
                severity="warning",
                subject="single",
                evidence={"batches": loaded.batches, "single": loaded.single},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Give the first batch always."""
        held: list[Any] = []

        def first(batch: Any, _number: int) -> Any:
            if not held:
                held.append(batch)
            return held[0]

        return loop.of_batches(first)
