"""Tar shards of samples without pictures: texts, objects, arrays and recordings, a row for each key."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from datalint.core.problem import Problem
from datalint.sources import tars
from datalint.sources.images.shards import Sample, samples
from datalint.sources.sounds.suffixes import SOUNDS
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import Candidate, TableFile, TableFormat
from datalint.sources.tables.sample_rows import HEAD, Row, RowsPartition, array_row, json_row, rows_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.tables.convert import TablePlan

CLASS = ("cls", "label", "class", "target")
"""Parts that are classes by their names."""

TEXTS = frozenset({"txt", "text", "transcript", "cls.txt", "caption"})
NUMBERS = frozenset({"cls", "cls2", "index", "inx", "id"})
ARRAYS = frozenset({"npy"})
RECORDINGS = frozenset(suffix[1:] for suffix in SOUNDS)

READ = TEXTS | NUMBERS | ARRAYS | RECORDINGS | {"json", *CLASS}
"""Parts that are looked into; pickles and what else WebDataset decodes are not."""

LARGEST = 64 << 20
"""Bytes of a part that is read."""


def row_of(sample: Sample) -> Row:
    """The parts of a sample as columns."""
    row: Row = {}
    for part, data in sample.parts.items():
        if data is None:
            continue
        if part == "json":
            row |= json_row(part, data)
        elif part in ARRAYS:
            row |= array_row(part, data)
        elif part in RECORDINGS:
            row[part] = data
        elif part in NUMBERS or part in CLASS:
            text = data.decode("utf-8", "replace").strip()
            row[part] = int(text) if text.isascii() and text.lstrip("-").isdigit() else text
        elif part in TEXTS:
            row[part] = data.decode("utf-8", "replace")
    return row


class TarShardFormat(TableFormat):
    """Tar archives of samples, which a layout tells from others."""

    title = "WebDataset shards"
    suffixes = frozenset()

    def recognises(self, start: bytes, name: str) -> bool:  # noqa: ARG002 - as TableFormat has it
        """Never by itself."""
        return False

    def look(self, file: Candidate) -> TableFile:
        """Read the first samples."""
        rows: list[Row] = []
        try:
            rows += [
                row for s in islice(samples(file.path, READ.__contains__, [], LARGEST), HEAD) if (row := row_of(s))
            ]
        except tars.DAMAGE as error:
            if not rows:
                raise NotATable(tars.damage(error)) from error
        if not rows:
            raise NotATable("no samples")
        label = next((part for part in CLASS if part in rows[0]), None)
        table = rows_file(file, self, rows, label)
        table.sounds = tuple(part for part in rows[0] if part in RECORDINGS)
        return table

    def whole(self, file: TableFile, plan: TablePlan) -> TarShardPartition:
        """All samples."""
        return TarShardPartition(file.path.absolute(), file.shown, plan, file.about)


@dataclass(frozen=True)
class TarShardPartition(RowsPartition):
    """One shard."""

    def rows(self, problems: list[Problem]) -> Iterator[Row]:
        """The samples; members that are of none are told."""
        odd: list[tuple[str, str]] = []
        lost: dict[str, int] = {}
        usual: set[str] = set()
        count = 0
        try:
            for sample in samples(self.path, READ.__contains__, odd, LARGEST):
                if not count:
                    usual = set(sample.parts)
                for part in usual - sample.parts.keys():
                    lost[part] = lost.get(part, 0) + 1
                count += 1
                yield row_of(sample)
        except tars.DAMAGE as error:
            problems.append(Problem("truncated", self.shown, tars.damage(error)))
        for part, lacking in lost.items():
            if 2 * lacking < count:
                text = f"{lacking:,} of {count:,} samples without .{part}, which the others have"
                problems.append(Problem("absent", self.shown, text))
        if odd:
            text = f"{len(odd):,} members that are part of no sample, such as {odd[0][0]!r}: {odd[0][1]}"
            problems.append(Problem("not-scanned", self.shown, text))
