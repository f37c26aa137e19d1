"""The masks of pictures: their sizes, formats and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings
from datalint.measures.images import TEXT

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch


class Masks(Measurement):
    """Every mask; some 40 bytes each, and 24 for each of its values."""

    reads: ClassVar[frozenset[Aspect]] = frozenset({"masks"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.size = np.zeros((0, 2), np.int32)
        """[pictures, 2] width and height; zeros where there is no mask, or none that can be read."""
        self.mode = np.zeros(0, TEXT)
        """[pictures] Pixel format."""
        self.format = np.zeros(0, TEXT)
        """[pictures] File format."""
        self.distinct = np.zeros(0, np.int32)
        """[pictures] How many values the mask has."""
        self.picture = np.zeros(0, np.int64)
        """[values] Position of its picture in the split."""
        self.values = np.zeros(0, np.int64)
        """[values] The most frequent of each mask."""
        self.pixels = np.zeros(0, np.int64)
        """[values] How many pixels have it."""

    def update(self, batch: Batch) -> None:
        """Take in one batch."""
        part, block = type(self)(self.settings), batch.masks
        part.samples = batch.size
        if block is None:
            part.size, part.distinct = np.zeros((batch.size, 2), np.int32), np.zeros(batch.size, np.int32)
            part.mode = part.format = np.zeros(batch.size, TEXT)
        else:
            part.size, part.distinct = block.size, block.distinct
            part.mode, part.format = np.array(block.mode, TEXT), np.array(block.format, TEXT)
            part.picture, part.values, part.pixels = block.picture, block.values, block.pixels
        self.merge(part)

    def merge(self, later: Self) -> Self:
        """Append."""
        self.picture = np.concatenate([self.picture, later.picture + self.samples])
        self.samples += later.samples
        self.size = np.concatenate([self.size, later.size])
        self.mode = np.concatenate([self.mode, later.mode])
        self.format = np.concatenate([self.format, later.format])
        self.distinct = np.concatenate([self.distinct, later.distinct])
        self.values = np.concatenate([self.values, later.values])
        self.pixels = np.concatenate([self.pixels, later.pixels])
        return self

    def close(self) -> Self:
        """Nothing to do: the state is canonical."""
        return self
