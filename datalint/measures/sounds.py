"""What the recordings of a split are, and what their values say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings
from datalint.measures.places import Places

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch

TEXT = np.dtype("S16")
"""Names of formats: bytes, which take a quarter of the room of text."""

FIELDS = ("rate", "channels", "seconds", "loudest", "clipped", "offset", "spread", "dead", "hashes")
"""See :class:`datalint.core.sounds.SoundBlock`."""


class SoundStats(Measurement):
    """Header, length, level and faults of every recording: some 100 bytes each."""

    reads: ClassVar[frozenset[Aspect]] = frozenset({"header", "pixels", "labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.places = Places.none()
        self.rate = np.zeros(0, np.int32)
        """Samples per second; 0 where the recording could not be read."""
        self.channels = np.zeros(0, np.int16)
        self.seconds = np.zeros(0)
        self.format = np.zeros(0, TEXT)
        self.depth = np.zeros(0, TEXT)
        self.loudest = self.clipped = self.offset = self.spread = np.zeros(0, np.float32)
        self.dead = np.zeros(0, np.bool_)
        self.hashes = np.zeros(0, np.uint64)

    def update(self, batch: Batch) -> None:
        """Take in one batch."""
        sounds = batch.sounds
        if sounds is None or batch.size == 0:
            return
        part = type(self)(self.settings)
        part.samples = batch.size
        part.places = Places.of(batch, np.arange(batch.size, dtype=np.int64), 0)
        part.format, part.depth = np.array(sounds.format, TEXT), np.array(sounds.depth, TEXT)
        for name in FIELDS:
            setattr(part, name, getattr(sounds, name))
        self.merge(part)

    def merge(self, later: Self) -> Self:
        """Append."""
        self.places = self.places.then(later.places, self.samples)
        self.samples += later.samples
        for name in ("format", "depth", *FIELDS):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(later, name)]))
        return self

    def close(self) -> Self:
        """Nothing to do: the state is canonical."""
        return self
