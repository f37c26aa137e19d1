"""Which passages the texts of a split hold: with these, what an evaluation shares with the training data is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.core.dialogues import SAID, parted
from datalint.core.passages import passages
from datalint.measures.base import Measurement, Settings
from datalint.measures.contents import ALL, rate_of
from datalint.measures.places import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch, Categories

BYTES_PER_PASSAGE = 200
"""Of the memory budget: a hash, the number of its text, and what sorting both takes."""

MAX_TEXT = 20_000
"""Characters of one text that are looked at."""

ROWS = 500
"""Rows taken in at a time."""


class Passages(Measurement):
    """The hashes of the passages of every text, with the samples that they are of.

    A turn of a conversation is a text of its own. Beyond the memory budget only passages whose hash is at most ``limit`` are
    kept, in all splits, so that those that two splits share are kept in both.
    """

    reads: ClassVar[frozenset[Aspect]] = frozenset({"table", "labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.limit = ALL
        """Largest hash that is kept."""
        self.places = Places.none()
        """The sample of each text."""
        self.owner: NDArray[np.int64] = np.zeros(0, np.int64)
        """The text of each passage."""
        self.hashes: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._parts: list[tuple[Places, NDArray[np.int64], NDArray[np.uint64]]] = []

    @property
    def capacity(self) -> int:
        """Passages that fit the budget."""
        return max(1, self.settings.memory // BYTES_PER_PASSAGE)

    @property
    def rate(self) -> float:
        """Share of the passages that are kept."""
        return rate_of(self.limit)

    def update(self, batch: Batch) -> None:
        """Take in the texts of one batch."""
        if batch.table is not None:
            wanted = batch.table.text_features
            columns = [c for c in batch.table.categories if wanted is None or c.name in wanted]
            columns.sort(key=lambda column: column.name)
            for start in range(0, batch.size if columns else 0, ROWS):
                self._add(batch, columns, np.arange(start, min(batch.size, start + ROWS)))
        self.samples += batch.size

    def _add(self, batch: Batch, columns: list[Categories], rows: NDArray[np.int64]) -> None:
        texts: list[str] = []
        whose: list[int] = []
        for row in rows.tolist():
            for column in columns:
                code = int(column.codes[row])
                if code >= 0:
                    text = column.values[code][:MAX_TEXT]
                    said = [turn.text for turn in parted(text)] if SAID in text else [text]
                    texts += said
                    whose += [row] * len(said)
        owner, hashes = passages(texts)
        self._keep(Places.of(batch, np.array(whose, np.int64), self.samples), owner, hashes)

    def _keep(self, places: Places, owner: NDArray[np.int64], hashes: NDArray[np.uint64]) -> None:
        """Put aside, without texts of which nothing is kept."""
        if self.limit < ALL:
            low = hashes <= self.limit
            owner, hashes = owner[low], hashes[low]
        used, owner = np.unique(owner, return_inverse=True)
        self._parts.append((places.take(used), owner.astype(np.int64), hashes))
        if sum(len(part[2]) for part in self._parts) > self.capacity // 4:
            self._join()

    def _join(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            places, owners, base = self.places, [self.owner], len(self.places)
            for more, owner, _ in parts:
                owners.append(owner + base)
                base += len(more)
            columns = [
                np.concatenate([getattr(places, name), *(getattr(more, name) for more, _, _ in parts)])
                for name in ("row", "part", "line", "content")
            ]
            self.places = Places(*columns)
            self.owner, self.hashes = np.concatenate(owners), np.concatenate([self.hashes, *(p[2] for p in parts)])
        while len(self.hashes) > self.capacity:
            self.lower(np.uint64(self.limit >> np.uint64(1)))

    def lower(self, limit: np.uint64) -> None:
        """Drop the passages above a limit."""
        self.limit = limit
        low = self.hashes <= limit
        used, owner = np.unique(self.owner[low], return_inverse=True)
        self.places, self.owner, self.hashes = self.places.take(used), owner.astype(np.int64), self.hashes[low]

    def merge(self, later: Self) -> Self:
        """Append; the lower limit holds for both."""
        later._join()
        self._join()
        limit = min(self.limit, later.limit)
        for state in (self, later):
            if state.limit > limit:
                state.lower(limit)
        self._parts.append((Places.none().then(later.places, self.samples), later.owner, later.hashes))
        self.samples += later.samples
        self._join()
        return self

    def close(self) -> Self:
        """Bring all together."""
        self._join()
        return self
