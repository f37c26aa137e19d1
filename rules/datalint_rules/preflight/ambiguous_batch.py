"""PRE115."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, Loaded, Loop, LoopProfile, LoopRule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class AmbiguousBatch(LoopRule):
    """Axes of one length in a batch that mean different things, so that a swapped axis would not be noticed.

    ## Why it hurts

    With 32 samples of 32 features a transposed product, or a softmax over the wrong axis, runs without an error.

    ## How to fix it

    Try the code once with lengths that all differ, such as a batch of 7.

    ## When it is wrong

    Where the code was tried so before: then there is nothing to do.

    ## Reference

    37 reasons, item 25.
    """

    code = "PRE115"
    name = "ambiguous-batch"
    severity: ClassVar[Severity] = "info"
    item = "25"
    measures = (Loaded,)
    public = frozenset({"length"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare the number of samples with the other lengths."""
        loaded = profile[Loaded]
        lengths = dict(loaded.lengths)
        samples = lengths.pop("samples", 0)
        same = [name for name, length in lengths.items() if length == samples > 1]
        if same:
            yield Found(
                message=f"the batch has {samples} samples, and so long is {same[0]}: swapped axes would not be noticed",
                consequence="A wrong axis runs without an error.",
                remedy="Try the code once with a batch of another size, such as 7.",
                evidence={"length": samples, "axes": list(same)},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Take as many samples as there are outputs."""
        return loop.with_batch_size(loop.outputs) if loop.outputs > 1 else None
