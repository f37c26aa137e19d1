"""Samples whose whole input is zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings
from datalint.measures.places import Places

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch

MAX_LISTED = 1_000_000
"""All-zero samples listed one by one; beyond it only their number is kept."""


class ZeroSamples(Measurement):
    """Where the all-zero samples lie."""

    reads: ClassVar[frozenset[Aspect]] = frozenset({"table", "pixels", "labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.count = 0
        self.places = Places.none()
        """The first MAX_LISTED in stored order."""

    def update(self, batch: Batch) -> None:
        """Take in one batch."""
        rows = np.flatnonzero(batch.all_zero)
        listed = rows[: MAX_LISTED - len(self.places)] if len(self.places) < MAX_LISTED else rows[:0]
        if len(listed):
            self.places = self.places.then(Places.of(batch, listed, self.samples))
        self.samples += batch.size
        self.count += len(rows)

    def merge(self, later: Self) -> Self:
        """Append."""
        room = max(0, MAX_LISTED - len(self.places))
        if room:
            self.places = self.places.then(later.places.take(np.arange(min(room, len(later.places)))), self.samples)
        self.samples += later.samples
        self.count += later.count
        return self

    def close(self) -> Self:
        """Nothing to do: the state is canonical."""
        return self
