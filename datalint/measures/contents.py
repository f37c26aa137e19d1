"""What every sample is, as two hashes: with these, copies are found exactly while they fit the memory budget."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings
from datalint.measures.places import Places
from datalint.measures.spool import Spooled, loaded, put_aside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch

BYTES_PER_SAMPLE = 40
"""Of the memory budget: two hashes, and what sorting them takes."""

IN_MEMORY = 2_000_000
"""Samples whose hashes are held in memory while partitions are merged: 32 MB."""

ALL = np.uint64(2**64 - 1)


@dataclass(slots=True)
class Stretch:
    """Consecutive samples of a split that lie in one partition; arrays have one entry per kept sample."""

    part: int
    start: int
    """Position of the first sample in the split."""
    size: int
    """Samples, kept or not."""
    inputs: NDArray[np.uint64] | Spooled
    """Hash of the input without its label."""
    contents: NDArray[np.uint64] | Spooled
    """Hash of input and label."""
    rows: NDArray[np.uint32] | None
    """Which samples are kept, counted from the first; None for all."""
    lines: NDArray[np.int64] | int
    """Where they lie in the partition; a number for the first of lines that follow each other."""

    def take(self, keep: NDArray[np.bool_]) -> Stretch:
        """Some of the samples."""
        offsets = self.offsets[keep]
        rows = None if len(offsets) == self.size else offsets.astype(np.uint32)
        lines = self.lines if isinstance(self.lines, int) else self.lines[keep]
        inputs, contents = loaded(self.inputs)[keep], loaded(self.contents)[keep]
        return replace(self, inputs=inputs, contents=contents, rows=rows, lines=lines)

    def up_to(self, limit: np.uint64) -> Stretch:
        """The samples whose input hash is at most ``limit``."""
        return self.take(loaded(self.inputs) <= limit)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Which samples are kept, counted from the first."""
        return np.arange(self.size, dtype=np.int64) if self.rows is None else self.rows.astype(np.int64)

    def places(self, picked: NDArray[np.int64]) -> Places:
        """Where some of the kept samples lie."""
        offsets = picked if self.rows is None else self.rows[picked].astype(np.int64)
        lines = offsets + self.lines if isinstance(self.lines, int) else self.lines[picked]
        part = np.full(len(picked), self.part, np.int32)
        contents = loaded(self.contents)[picked] if len(picked) else np.zeros(0, np.uint64)
        return Places(offsets + self.start, part, lines, contents)

    @property
    def all_lines(self) -> NDArray[np.int64]:
        """Where each kept sample lies in the partition."""
        return self.offsets + self.lines if isinstance(self.lines, int) else self.lines


class Contents(Measurement):
    """The hashes of every readable sample, in stored order.

    Beyond the memory budget only contents whose input hash is at most ``limit`` are kept, with all their copies: the
    limit is halved until they fit, so that it depends on the stream alone and not on its cuts. What is counted among the
    kept ones, divided by :attr:`rate`, is then an unbiased estimate (distinct sampling, Gibbons 2001).
    """

    reads: ClassVar[frozenset[Aspect]] = frozenset({"labels", "table", "header"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.limit = ALL
        """Largest input hash that is kept."""
        self.stretches: list[Stretch] = []
        self._kept = 0

    @property
    def capacity(self) -> int:
        """Samples that fit the budget."""
        return max(1, self.settings.memory // BYTES_PER_SAMPLE)

    @property
    def rate(self) -> float:
        """Share of all possible contents that are kept."""
        return rate_of(self.limit)

    def update(self, batch: Batch) -> None:
        """Take in one batch."""
        if batch.size == 0:
            return
        lines: NDArray[np.int64] | int = batch.start if batch.lines is None else batch.lines
        found = Stretch(batch.part, self.samples, batch.size, batch.input_hashes, batch.hashes, None, lines)
        if batch.images is not None and batch.images.readable is not None and not batch.images.readable.all():
            # What cannot be read has no content; two broken files are no copies of each other.
            found = found.take(batch.images.readable)
        if self.limit < ALL:
            found = found.up_to(self.limit)
        self.samples += batch.size
        self.stretches.append(found)
        self._kept += len(found.inputs)
        self._fit()

    def _fit(self) -> None:
        while self._kept > self.capacity:
            self.lower(np.uint64(self.limit >> np.uint64(1)))

    def lower(self, limit: np.uint64) -> None:
        """Drop the contents above a limit."""
        self.limit = limit
        for k, stretch in enumerate(self.stretches):  # one by one, so that not all are held twice
            self.stretches[k] = stretch.up_to(limit)
        self._kept = sum(len(stretch.inputs) for stretch in self.stretches)

    def merge(self, later: Self) -> Self:
        """Append; the lower limit holds for both."""
        limit = min(self.limit, later.limit)
        for state in (self, later):
            if state.limit > limit:
                state.lower(limit)
        self.stretches += [replace(stretch, start=stretch.start + self.samples) for stretch in later.stretches]
        self.samples += later.samples
        self._kept += later._kept
        self._fit()
        self._put_aside()
        return self

    def _put_aside(self) -> None:
        """Write the hashes to disk once they are many: only the end of the scan needs them again."""
        held = [stretch for stretch in self.stretches if isinstance(stretch.inputs, np.ndarray)]
        if sum(len(stretch.inputs) for stretch in held) < IN_MEMORY:
            return
        with contextlib.suppress(OSError):  # no room on disk: they stay in memory
            arrays = put_aside([a for s in held for a in (s.inputs, s.contents) if isinstance(a, np.ndarray)])
            aside = iter(arrays)
            for stretch in held:
                stretch.inputs, stretch.contents = next(aside), next(aside)

    def close(self) -> Self:
        """Join the stretches of each partition."""
        joined: list[Stretch] = []
        group: list[Stretch] = []
        for stretch in self.stretches:
            if group and group[-1].part != stretch.part:
                joined.append(_join(group))
                group = []
            group.append(stretch)
        if group:
            joined.append(_join(group))
        self.stretches = joined
        return self

    def renumber(self, part: int) -> bool:
        """Say on which partition this was measured."""
        for stretch in self.stretches:
            stretch.part = part
        return True


def rate_of(limit: np.uint64) -> float:
    """Share of all hashes that are no larger than a limit."""
    return (int(limit) + 1) / 2**64


def _join(group: list[Stretch]) -> Stretch:
    if len(group) == 1 and isinstance(group[0].lines, int) and len(group[0].inputs):
        return group[0]
    start = group[0].start
    size = sum(stretch.size for stretch in group)
    rows, lines = _lie(group)
    return Stretch(group[0].part, start, size, _together(group, "inputs"), _together(group, "contents"), rows, lines)


def _lie(group: list[Stretch]) -> tuple[NDArray[np.uint32] | None, NDArray[np.int64] | int]:
    """Which samples are kept, and where."""
    start, first = group[0].start, group[0].lines
    if isinstance(first, int) and all(
        s.rows is None and isinstance(s.lines, int) and s.lines == first + s.start - start for s in group
    ):
        return None, first
    size = sum(stretch.size for stretch in group)
    offsets = np.concatenate([stretch.offsets + (stretch.start - start) for stretch in group])
    lines = np.concatenate([stretch.all_lines for stretch in group])
    straight = len(lines) == 0 or bool((lines - offsets == lines[0] - offsets[0]).all())
    # Nothing is kept: no line is known, and none is needed.
    origin = int(lines[0] - offsets[0]) if len(lines) else 0
    return None if len(offsets) == size else offsets.astype(np.uint32), origin if straight else lines


def _together(group: list[Stretch], name: str) -> NDArray[np.uint64]:
    """The hashes of all, which the stretches give up: there need not be room for them twice."""
    whole = np.concatenate([loaded(getattr(stretch, name)) for stretch in group])
    for stretch in group:
        setattr(stretch, name, whole[:0])
    return whole
