"""Tables that lie side by side: the inputs in one file, their labels (and groups) row by row in others.

``X_train.csv`` next to ``y_train.csv`` is one table whose columns are stored apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.dataset import Batch, Problem, TableBlock
from datalint.core.vocabulary import WHOLE
from datalint.sources.tables.convert import take_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.core.dataset import Aspect
    from datalint.sources.tables.format import TablePartition


@dataclass(frozen=True)
class BesidePartition:
    """One whole file of inputs and the files that hold further columns of the same rows, joined by position."""

    inputs: TablePartition
    sides: tuple[TablePartition, ...]

    @property
    def split(self) -> str | None:
        """The split of all rows."""
        return self.inputs.split

    @property
    def files_read(self) -> tuple[str, ...]:
        """The files whose content decides what is read."""
        return tuple(name for part in (self.inputs, *self.sides) for name in part.files_read)

    @property
    def weight(self) -> int:
        """Bytes to be read, roughly."""
        return sum(part.weight for part in (self.inputs, *self.sides))

    def sample_id(self, line: int) -> str:
        """Where the inputs lie; the label has the same row of its own file."""
        return self.inputs.sample_id(line)

    def picture(self, line: int) -> bytes | None:  # noqa: ARG002 - as Partition has it
        """Rows are no pictures."""
        return None

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the files in step; one that has not as many rows as the inputs is left out and told."""
        rows = rows_of(self.inputs)
        sides, problems = [], []
        for side in self.sides:
            own = rows_of(side)
            if own == rows:
                sides.append(_Feed(side.batches(aspects)))
            else:
                problems.append(_unmatched(side, own, self.inputs, rows))
        feeds = [_Feed(self.inputs.batches(aspects)), *sides]
        start = 0
        while all(feed.ready() for feed in feeds):
            size = min(feed.left for feed in feeds)
            batch = replace(feeds[0].take(size), start=start)
            for feed in feeds[1:]:
                beside = feed.take(size)
                batch.labels = batch.labels or beside.labels
                if batch.table is not None and beside.table is not None:
                    batch.table = joined(batch.table, beside.table)
            start += size
            yield batch
        for feed in feeds:
            feed.ready()  # what comes after the last row are its problems
        problems += [problem for feed in feeds for problem in feed.problems]
        if problems:
            yield Batch(self.split or WHOLE, start, 0, problems=problems)


class _Feed:
    """A stream of batches from which as many rows are taken as are wanted, but not across two batches."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._batch: Batch | None = None
        self._done = 0
        self.problems: list[Problem] = []

    @property
    def left(self) -> int:
        """Rows of the present batch that have not been taken."""
        return 0 if self._batch is None else self._batch.size - self._done

    def ready(self) -> bool:
        """Whether there are rows to take."""
        while not self.left:
            self._batch, self._done = next(self._batches, None), 0
            if self._batch is None:
                return False
            self.problems += self._batch.problems
        return True

    def take(self, size: int) -> Batch:
        """The next ``size`` rows, of which there must be so many left."""
        batch, first = self._batch, self._done
        if batch is None:
            raise ValueError("no rows are left")
        self._done += size
        if size == batch.size:
            return replace(batch, problems=[])
        rows = np.arange(first, first + size, dtype=np.int64)
        table = batch.table and take_rows(batch.table, rows)
        if table is not None and batch.table is not None and first == 0:
            table.tokens = batch.table.tokens  # counted per batch: they must be told once
        labels = batch.labels and batch.labels.take(rows)
        lines = batch.where[rows]
        return replace(batch, size=size, labels=labels, table=table, lines=lines, problems=[])


def joined(left: TableBlock, right: TableBlock) -> TableBlock:
    """The columns of both, row by row."""
    return TableBlock(
        left.names + right.names,
        np.asfortranarray(np.column_stack([left.numbers, right.numbers])),
        left.categories + right.categories,
        _both_flags(left, right),
        _both(left.text_features, right.text_features),
        _both(left.hashed, right.hashed),
        left.tokens | right.tokens,
        left.unseen if right.unseen is None else right.unseen if left.unseen is None else left.unseen + right.unseen,
    )


def _both_flags(left: TableBlock, right: TableBlock) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    flags = [
        np.ones(len(block.names), np.bool_) if block.features is None else block.features for block in (left, right)
    ]
    return np.concatenate(flags)


def _both(left: frozenset[str] | None, right: frozenset[str] | None) -> frozenset[str] | None:
    return None if left is None or right is None else left | right


@dataclass(frozen=True)
class _Version:
    """A file in a known state."""

    path: Path
    changed: int
    size: int
    first: str
    """What its first row is called, which differs with the lines above it."""
    partition: TablePartition = field(compare=False)


def rows_of(partition: TablePartition) -> int:
    """Rows that a partition yields, by reading it once.

    Only what the reader really takes counts: lines say nothing of quoted line breaks, blank lines and ragged rows.
    """
    try:
        status = partition.path.stat()
    except OSError:
        return 0
    return _counted(_Version(partition.path, status.st_mtime_ns, status.st_size, partition.sample_id(0), partition))


@lru_cache(maxsize=256)
def _counted(version: _Version) -> int:
    return sum(batch.size for batch in version.partition.batches(frozenset({"labels"})))


def _unmatched(side: TablePartition, own: int, inputs: TablePartition, rows: int) -> Problem:
    message = f"{own:,} rows for the {rows:,} of {inputs.shown}: they cannot be matched, so they are left out"
    return Problem("unreadable", side.shown, message)
