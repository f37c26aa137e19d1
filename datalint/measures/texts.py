"""Values of text columns, exact: how many cells are empty, and which values there are while they are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch, Categories

MAX_VALUES = 1_000
"""A column with more distinct values than this keeps none of them."""


class TextStats(Measurement):
    """Cells present, the distinct values with their counts, and how many of them had blanks around, per text column.

    A column that a part of the data lacks counts as missing there.
    """

    reads: ClassVar[frozenset[Aspect]] = frozenset({"table"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.present: dict[str, int] = {}
        """Cells that hold a text."""
        self.values: dict[str, dict[str, int] | None] = {}
        """Rows per distinct value, without surrounding blanks; None where there are more than MAX_VALUES."""
        self.padded: dict[str, dict[str, int] | None] = {}
        """Rows per value that had blanks around it; None where there are more than MAX_VALUES of these."""
        self.label_padded: dict[str, int] | None = {}
        """The same of the label."""

    def missing(self, name: str) -> int:
        """Cells without a text."""
        return self.samples - self.present.get(name, 0)

    def update(self, batch: Batch) -> None:
        """Take in the text columns of one batch."""
        if batch.table is None:
            return
        self.samples += batch.size
        if batch.labels is not None and batch.labels.padded:
            self.label_padded = _add(self.label_padded, batch.labels.padded)
        for column in batch.table.categories:
            name = column.name
            self.present[name] = self.present.get(name, 0) + int(np.count_nonzero(column.codes >= 0))
            if self.values.setdefault(name, {}) is not None:
                self.values[name] = _add(self.values[name], _counts(column))
            if self.padded.setdefault(name, {}) is not None and column.padded:
                self.padded[name] = _add(self.padded[name], column.padded)

    def merge(self, later: Self) -> Self:
        """Add the counts up."""
        self.samples += later.samples
        self.label_padded = _add(self.label_padded, later.label_padded)
        for name, present in later.present.items():
            self.present[name] = self.present.get(name, 0) + present
            self.values[name] = _add(self.values.get(name, {}), later.values[name])
            self.padded[name] = _add(self.padded.get(name, {}), later.padded[name])
        return self

    def close(self) -> Self:
        """Order columns and values by name, so that no part decides the order."""
        self.present = dict(sorted(self.present.items()))
        self.label_padded = self.label_padded and dict(sorted(self.label_padded.items()))
        self.values = {name: v and dict(sorted(v.items())) for name, v in sorted(self.values.items())}
        self.padded = {name: v and dict(sorted(v.items())) for name, v in sorted(self.padded.items())}
        return self


def _counts(column: Categories) -> dict[str, int] | None:
    """Rows per value of one batch."""
    # The shift gives the missing ones, whose code is -1, a place of their own.
    counts = np.bincount(column.codes + 1, minlength=len(column.values) + 1)[1:]
    used = np.flatnonzero(counts)
    if len(used) > MAX_VALUES:
        return None
    return {column.values[k]: int(counts[k]) for k in used}


def _add(a: dict[str, int] | None, b: dict[str, int] | None) -> dict[str, int] | None:
    if a is None or b is None:
        return None
    total = dict(a)
    for value, count in b.items():
        total[value] = total.get(value, 0) + count
    return total if len(total) <= MAX_VALUES else None
