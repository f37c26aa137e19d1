"""Samples with any number of labels: how often each label occurs, and with which others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings
from datalint.measures.order import MAX_CLASSES

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch

MAX_PAIRED = 300
"""Where there are more labels than this, pairs of them are not counted."""


class LabelSets(Measurement):
    """Samples per label and per pair of labels; nothing where samples have one label each."""

    reads: ClassVar[frozenset[Aspect]] = frozenset({"labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        """Samples whose labels are known, be it that there are none."""
        self.without = 0
        """Of these, the samples without any label."""
        self.counts: dict[str, int] | None = {}
        """Samples per label, 0 for those that are only declared; None for more than MAX_CLASSES."""
        self.pairs: dict[tuple[str, str], int] | None = {}
        """Samples per pair of labels that occurs; None for more than MAX_PAIRED labels."""
        self.strange: dict[str, int] = {}
        """Samples per kind of entry that is no label."""

    def update(self, batch: Batch) -> None:
        """Take in the labels of one batch."""
        block = batch.labels
        if block is None or block.sets is None or block.codes is None:
            return
        part = type(self)(self.settings)
        repeats = np.bincount(block.codes[block.codes >= 0], minlength=len(block.sets))
        met = [(one, count) for one, count in zip(block.sets, repeats.tolist(), strict=True) if count]
        part.samples = sum(count for _, count in met)
        part.without = sum(count for one, count in met if not one.labels)
        part.counts = counts = dict.fromkeys(block.declared, 0)
        for one, count in met:
            _add(counts, dict.fromkeys(one.labels, count))
            _add(part.strange, dict.fromkeys(one.strange, count))
        if len(counts) <= MAX_PAIRED:
            at = {label: k for k, label in enumerate(sorted(counts))}
            has = np.zeros((len(met), len(at)))
            for k, (one, _) in enumerate(met):
                has[k, [at[label] for label in one.labels]] = 1
            both = np.triu((has.T * [count for _, count in met]) @ has, 1).astype(np.int64)
            names = list(at)
            part.pairs = {(names[a], names[b]): int(both[a, b]) for a, b in np.argwhere(both)}
        self.merge(part)

    def merge(self, later: Self) -> Self:
        """Add the counts up."""
        self.samples += later.samples
        self.without += later.without
        _add(self.strange, later.strange)
        if self.counts is None or later.counts is None:
            self.counts = self.pairs = None
            return self
        _add(self.counts, later.counts)
        if self.pairs is None or later.pairs is None or len(self.counts) > MAX_PAIRED:
            self.pairs = None
        else:
            _add(self.pairs, later.pairs)
        if len(self.counts) > MAX_CLASSES:
            self.counts = None
        return self

    def close(self) -> Self:
        """Order the labels by name."""
        self.counts = self.counts and dict(sorted(self.counts.items()))
        self.pairs = self.pairs and dict(sorted(self.pairs.items()))
        self.strange = dict(sorted(self.strange.items()))
        return self


def _add(counts: dict[Any, int], more: dict[Any, int]) -> None:
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count
