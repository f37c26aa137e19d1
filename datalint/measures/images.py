"""What the headers of image files say, and which could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings
from datalint.measures.places import Places

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch


TEXT = np.dtype("S8")
"""Names of pixel and file formats: bytes, which take a quarter of the room of text."""


class ImageHeaders(Measurement):
    """Size, EXIF orientation, pixel format, file every image: format and bytes of every image: some 80 bytes each."""

    reads: ClassVar[frozenset[Aspect]] = frozenset({"header", "labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.places = Places.none()
        self.width = np.zeros(0, np.int32)
        """Pixels as stored; 0 where the header could not be read."""
        self.height = np.zeros(0, np.int32)
        self.orientation = np.zeros(0, np.uint8)
        self.mode = np.zeros(0, TEXT)
        """Pixel format of each; empty where unreadable."""
        self.format = np.zeros(0, TEXT)
        """File format, or the data type of an array's items."""
        self.file_size = np.zeros(0, np.int64)
        """Bytes of each file; 0 for array items."""
        self.declared = np.zeros((0, 2), np.int32)
        """[images, 2] width and height that a list of the pictures says; zeros where there is none."""
        self.modes: dict[str, int] = {}
        """Images per pixel format."""

    def update(self, batch: Batch) -> None:
        """Take in one batch."""
        if batch.images is None:
            return
        part = type(self)(self.settings)
        part.samples = batch.size
        part.places = Places.of(batch, np.arange(batch.size, dtype=np.int64), 0)
        part.width, part.height = batch.images.width, batch.images.height
        part.orientation = batch.images.orientation
        part.mode = np.array(batch.images.mode, TEXT)
        part.format = np.array(batch.images.format or [""] * batch.size, TEXT)
        size = batch.images.file_size
        part.file_size = np.zeros(batch.size, np.int64) if size is None else size
        told = batch.images.declared
        part.declared = np.zeros((batch.size, 2), np.int32) if told is None else told
        for mode in batch.images.mode:
            part.modes[mode] = part.modes.get(mode, 0) + 1
        self.merge(part)

    def merge(self, later: Self) -> Self:
        """Append."""
        self.places = self.places.then(later.places, self.samples)
        self.samples += later.samples
        self.width = np.concatenate([self.width, later.width])
        self.height = np.concatenate([self.height, later.height])
        self.orientation = np.concatenate([self.orientation, later.orientation])
        self.mode = np.concatenate([self.mode, later.mode])
        self.format = np.concatenate([self.format, later.format])
        self.file_size = np.concatenate([self.file_size, later.file_size])
        self.declared = np.concatenate([self.declared, later.declared])
        self.modes = {mode: self.modes.get(mode, 0) + later.modes.get(mode, 0) for mode in self.modes | later.modes}
        return self

    def close(self) -> Self:
        """Order the pixel formats by name."""
        self.modes = dict(sorted(self.modes.items()))
        return self
