"""What the pixels of every image say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch

FIELDS = ("low", "high", "colour", "spread", "levels", "sharpness", "blank", "wrapped")
"""See :class:`datalint.core.dataset.PixelBlock`."""


class PixelStats(Measurement):
    """Range, colour, contrast and sharpness of every image: 42 bytes each.

    Entry k is the k-th image of the split; :class:`~datalint.measures.images.ImageHeaders` has its place.
    """

    reads: ClassVar[frozenset[Aspect]] = frozenset({"header", "pixels", "labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.low = self.high = self.sharpness = np.zeros(0, np.float32)
        self.colour = self.spread = np.zeros((0, 3), np.float32)
        self.levels = np.zeros((0, 4), np.uint8)
        self.blank = self.wrapped = np.zeros(0, np.bool_)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which images could be read."""
        return ~np.isnan(self.colour[:, 0])

    @property
    def brightness(self) -> NDArray[np.float64]:
        """Mean brightness, 0 to 255."""
        mean: NDArray[np.float64] = self.colour.astype(np.float64) @ np.array([77, 150, 29]) / 256
        return mean

    @property
    def contrast(self) -> NDArray[np.float64]:
        """Brightness between the darkest and the brightest 1 %."""
        return self.levels[:, 3].astype(np.float64) - self.levels[:, 0]

    def update(self, batch: Batch) -> None:
        """Take in one batch."""
        if batch.images is None:
            return
        part = type(self)(self.settings)
        part.samples = batch.size
        pixels = batch.images.pixels
        for name in FIELDS:
            if pixels is not None:
                setattr(part, name, getattr(pixels, name))
                continue
            like = getattr(part, name)
            unknown = np.nan if like.dtype.kind == "f" else 0
            setattr(part, name, np.full((batch.size, *like.shape[1:]), unknown, like.dtype))
        self.merge(part)

    def merge(self, later: Self) -> Self:
        """Append."""
        self.samples += later.samples
        for name in FIELDS:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(later, name)]))
        return self

    def close(self) -> Self:
        """Nothing to do: the state is canonical."""
        return self
