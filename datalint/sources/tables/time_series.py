"""Time series with a class or a value each, as sktime, aeon and the UCR archive keep them: ``@data``, then a series per line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from datalint.core.problem import Problem
from datalint.sources.files import reason
from datalint.sources.packing import packing_of
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.format import Candidate, TableFile, TableFormat
from datalint.sources.tables.packed import open_bytes
from datalint.sources.tables.sample_rows import HEAD, Row, RowsPartition, rows_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan

CLASS, TARGET = "class", "target"

MAX_COLUMNS = 5_000
"""Values of all dimensions of a series that are read."""

LONGEST = 64 << 20
"""Bytes of a line; none of series of so many values is longer."""

_GAPS = frozenset({"", "?", "nan"})


@dataclass
class _Head:
    """What the lines above the data say."""

    label: str = ""
    classes: tuple[str, ...] = ()
    stamped: bool = False


class TimeSeriesFormat(TableFormat):
    """Series in text, one or several dimensions each; TypeScript has the same suffix."""

    title = "time series"
    suffixes = frozenset({".ts"})
    sure = False

    def look(self, file: Candidate) -> TableFile:
        """Read the first series."""
        head = _Head()
        try:
            rows = [*islice(_series(file.path, head), HEAD)]
        except (OSError, EOFError) as error:
            raise NotATable(reason(error)) from error
        if not rows:
            raise NotATable("no time series, which have a line @data above them")
        if max(map(len, rows)) > MAX_COLUMNS:
            raise NotJudged(f"series of {max(map(len, rows)):,} values; at most {MAX_COLUMNS:,} are read")
        return rows_file(file, self, rows, head.label)

    def whole(self, file: TableFile, plan: TablePlan) -> TimeSeriesPartition:
        """All series."""
        return TimeSeriesPartition(file.path.absolute(), file.shown, plan, file.about)


def _series(path: Path, head: _Head) -> Iterator[Row]:
    """The series as rows; what stands above them goes into ``head``.

    Raises:
        OSError, EOFError: the file cannot be read.
    """
    begun = False
    with open_bytes(path, packing_of(path)) as file:
        for raw in iter(lambda: file.readline(LONGEST), b""):
            if len(raw) == LONGEST:
                raise NotATable(f"a line of more than {LONGEST:,} bytes")
            line = raw.decode("utf-8", "replace").strip()
            if begun and line:
                yield _row(line, head)
            elif line.lower().startswith("@data"):
                begun = True
            elif line.startswith("@"):
                _take(line.split(), head)
            elif line and not line.startswith(("#", "%")):
                raise NotATable("no time series: text stands above the line @data")


def _take(words: list[str], head: _Head) -> None:
    key, on = words[0].lower(), words[1:2] == ["true"]
    if key == "@classlabel" and on:
        head.label, head.classes = CLASS, tuple(words[2:])
    elif key == "@targetlabel" and on:
        head.label = TARGET
    elif key == "@timestamps":
        head.stamped = on


def _row(line: str, head: _Head) -> Row:
    dimensions = line.split(":")
    row: Row = {}
    label = dimensions.pop().strip() if head.label and len(dimensions) > 1 else None
    for d, dimension in enumerate(dimensions):
        prefix = f"d{d}.t" if len(dimensions) > 1 else "t"
        # With stamps a value is "(time,value)".
        cells = [pair.rpartition(",")[2] for pair in dimension.split(")")] if head.stamped else dimension.split(",")
        row |= {f"{prefix}{k}": _number(cell) for k, cell in enumerate(cells) if cell.strip() or not head.stamped}
    if head.label:
        row[head.label] = label if head.label == CLASS else _number(label or "")
    return row


def _number(cell: str) -> float | str | None:
    text = cell.strip()
    if text.casefold() in _GAPS:
        return None
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class TimeSeriesPartition(RowsPartition):
    """One file of series."""

    def rows(self, problems: list[Problem]) -> Iterator[Row]:
        """The series in their order; those whose class is none that is declared are told."""
        head, odd, first = _Head(), 0, ""
        try:
            for row in _series(self.path, head):
                label = row.get(CLASS)
                if head.classes and label not in head.classes:
                    odd, first = odd + 1, first or str(label)
                yield row
        except (OSError, EOFError, NotATable) as error:
            problems.append(Problem("truncated", self.shown, f"breaks off: {reason(error)}"))
        if odd:
            text = f"{odd:,} series of a class that @classLabel does not name, such as {first!r}"
            problems.append(Problem("ragged", self.shown, text))
