"""Moments of the numbers that pictures are stored as, place by place and channel by channel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from datalint.measures.columns import NumberStats

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch


class PixelMoments(NumberStats):
    """:class:`NumberStats` of some pixels of pictures that are arrays of floating-point numbers; empty for all others.

    Its columns are those of :attr:`datalint.core.dataset.ImageBlock.numbers`.
    """

    reads: ClassVar[frozenset[Aspect]] = frozenset({"header", "pixels"})

    def update(self, batch: Batch) -> None:
        """Take in the pixels of one batch."""
        numbers = None if batch.images is None else batch.images.numbers
        if numbers is not None:
            super().update(replace(batch, table=numbers))
