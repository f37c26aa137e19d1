"""Recordings with what a table says of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.dataset import Batch
from datalint.core.problem import Problem
from datalint.core.vocabulary import WHOLE
from datalint.sources.files import inside, printable
from datalint.sources.places import reach
from datalint.sources.sounds.files import BATCH, read_sounds, spectrogram
from datalint.sources.tables.convert import TableReader, take_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datalint.core.dataset import Aspect
    from datalint.sources.sounds.decode import Stored
    from datalint.sources.tables.format import TablePartition


@dataclass(frozen=True)
class ListedSounds:
    """Some rows of a table that follow each other, and the recording that each names."""

    table: TablePartition
    first: int
    """Number of the first row."""
    names: tuple[str, ...]
    """As the table writes them."""
    files: tuple[str | None, ...]
    """Paths of the recordings; None for those that are not there."""
    size: int = 0
    """Bytes of the recordings."""
    base: Path = Path()
    """Folder from which their paths are meant."""

    @property
    def split(self) -> str | None:
        """The split of all rows, if they share one."""
        return self.table.split

    @property
    def files_read(self) -> tuple[str, ...]:
        """The table and the recordings."""
        base = str(self.base)
        return (*self.table.files_read, *dict.fromkeys(inside(base, path) for path in self.files if path is not None))

    @property
    def weight(self) -> int:
        """Bytes of the recordings."""
        return self.size

    def sample_id(self, line: int) -> str:
        """Path of the recording; the row of the table where it is not there."""
        path = self.files[line]
        return self.table.sample_id(self.first + line) if path is None else printable(path)

    def picture(self, line: int) -> bytes | None:
        """Its spectrogram as a small WebP file."""
        stored, _ = self._stored(line)
        return None if stored is None else spectrogram(stored)

    def cut(self, start: int, stop: int) -> ListedSounds:
        """A part of it."""
        return replace(self, first=self.first + start, names=self.names[start:stop], files=self.files[start:stop])

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """The rows as samples with their recordings."""
        reader = TableReader(self.table.plan, labels_only="table" not in aspects)
        problems: list[Problem] = []
        at, last = 0, self.first + len(self.files)
        for record in self.table.records(reader.columns, problems, "wanted"):
            low, high = max(self.first, at), min(last, at + record.num_rows)
            if low < high:
                for batch in reader.read(record.slice(low - at, high - low)):
                    yield from sounding(batch, aspects, self._stored)
            at += record.num_rows
            if at >= last and self.first:
                break
        problems += reader.remarks(self.table.shown)
        if problems and not self.first:  # what is wrong with the table is told once
            yield Batch(self.split or WHOLE, reader.line, 0, problems=problems)

    def _stored(self, line: int) -> tuple[str | Path | None, str]:
        path = self.files[line]
        return (None, self.names[line]) if path is None else (reach(self.base, path), path)


def sounding(
    batch: Batch, aspects: frozenset[Aspect], stored: Callable[[int], tuple[Stored | None, str]]
) -> Iterator[Batch]:
    """The samples with what their recordings sound like, some at a time; ``stored`` tells where each is and its name."""
    if not aspects & {"header", "pixels"}:
        yield batch
        return
    for start in range(0, batch.size, BATCH):
        rows = np.arange(start, min(start + BATCH, batch.size), dtype=np.int64)
        lines = batch.where[rows]
        part = Batch(
            batch.split,
            batch.start + start,
            len(rows),
            lines=lines,
            labels=batch.labels and batch.labels.take(rows),
            table=batch.table and take_rows(batch.table, rows),
        )
        if part.table is not None and batch.table is not None and not start:
            part.table.tokens = batch.table.tokens  # counted per batch: they must be told once
        files, names = zip(*map(stored, lines.tolist()), strict=True)
        part.problems += batch.problems if not start else []
        for k, file in enumerate(files):
            if file is None:
                known = Problem("absent", printable(names[k]), "is listed and not there", part.start + k)
                part.problems.append(known)
        part.sounds = read_sounds(files, names, part.start, part.problems)
        yield part
