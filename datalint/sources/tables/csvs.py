"""Reading and writing delimited text as a stream of record batches."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import Batch, Problem
from datalint.core.missing import READ_AS_GAPS
from datalint.sources.files import reason
from datalint.sources.places import arrow_file
from datalint.sources.tables.convert import TableReader
from datalint.sources.tables.dialect import squeeze
from datalint.sources.tables.format import TablePartition
from datalint.sources.tables.lending import lending
from datalint.sources.tables.packed import DAMAGE, Filtered, Sound, open_bytes, replacing_bytes
from datalint.sources.tables.quotes import ends_open, unclosed
from datalint.sources.tables.unlike import SWALLOWED, header_rows, last_row_spans, reader_hazards, swallowed_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from datalint.core.dataset import Aspect
    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.dialect import Dialect
    from datalint.sources.tables.format import Cells

BLOCK = 4 << 20
"""Bytes parsed at a time: large enough for speed, small enough for memory to stay flat."""

FIRST_BLOCK = 64 << 10
"""The same where the first rows are all that is wanted; longer lines are met by larger blocks."""

MAX_EXAMPLES = 20
MAX_BLOCK = 64 << 20
"""A line longer than this is no line of a table."""

RANGE = 128 << 20
"""Bytes of one partition of a large file, about."""

WINDOW = 64 << 10
"""Bytes on either side of a cut in which every line must have its quotes closed: no value is longer than that."""

WIDE = 5_000
"""Columns from which pyarrow's own memory counts: some 400 bytes for each word that may be a gap, in each column."""

WRITTEN = 8_192
"""Rows that are Python objects at a time while they are written."""

_LINE_END = ord("\n")
_CONVERSION = re.compile(r"In CSV column #(\d+)")


@dataclass(frozen=True)
class CsvPartition(TablePartition):
    """One delimited text file, or some whole lines of a large one."""

    path: Path
    shown: str
    dialect: Dialect
    plan: TablePlan
    starts: tuple[int, ...] = (0,)
    """Byte at which this partition starts, after those of the partitions before it."""
    stop: int | None = None
    """Byte before which it ends; None for the end of the file."""

    @property
    def weight(self) -> int:
        """Bytes to be read."""
        return (self.path.stat().st_size if self.stop is None else self.stop) - self.starts[-1]

    def sample_id(self, line: int) -> str:
        """File and line; a quoted line break in an earlier row makes the line too small."""
        return f"{self.shown}:{line + 1 + self.lines_above}"

    @property
    def lines_above(self) -> int:
        """Lines of the file above the first row of this partition."""
        if len(self.starts) == 1:
            return self.dialect.data_start
        try:
            changed = self.path.stat().st_mtime_ns
            return sum(_line_count(self.path, a, b, changed) for a, b in pairwise(self.starts))
        except OSError:
            return 0

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """The rows as samples; what cannot be parsed, and what other readers stumble over, becomes a problem."""
        # A block of a row or two costs as much as one of many: every column is converted by itself.
        few = min(BLOCK, max(FIRST_BLOCK, 256 * len(self.dialect.names)))
        with lending() as lend:
            reading = _Reading(self, lend, few if "head" in aspects else BLOCK)
            reader = TableReader(self.plan, labels_only="table" not in aspects)
            headers = inside = 0
            spans = False
            for record in reading.records(reader.columns, self._wanted):
                for batch in reader.read(record):
                    headers += header_rows(batch)
                    inside = max(inside, swallowed_lines(batch, self.dialect.delimiter, len(self.dialect.names)))
                    spans = last_row_spans(batch)
                    yield batch
            problems = [*reading.problems(), *reader.remarks(self.shown), *reader_hazards(self.shown, headers)]
            swallowed, doubtful = reading.ragged.swallowed, spans or reading.ragged.swallowed > 0
            if reading.to_the_end and (max(inside, swallowed) >= SWALLOWED or self._ends_open(spans, doubtful)):
                start, stop, above = self.starts[-1], self.stop, self.lines_above
                problems += unclosed(self.path, self.shown, self.dialect, start, stop, above)
            if problems:
                yield Batch(reader.home, reader.line, 0, problems=problems)

    def _ends_open(self, spans: bool, may_span: bool) -> bool:
        return self.stop is None and ends_open(self.path, self.dialect, self.starts[-1], spans, may_span)

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """As numbers and texts, or as texts alone; stored ones without what the dialect puts around or into them."""
        with lending() as lend:
            reading = _Reading(self, lend, BLOCK)
            kinds = self._wanted if cells == "wanted" else {}
            for record in reading.records(columns or self.dialect.names, kinds, verbatim=cells == "verbatim"):
                yield self._plain(record) if cells == "stored" else record
            problems += reading.problems()

    def _plain(self, record: Any) -> Any:
        """With decimal points, and without the blanks that follow delimiters."""
        import pyarrow as pa
        import pyarrow.compute as pc

        columns = record.columns
        if self.dialect.skip_initial_space:
            columns = [pc.utf8_ltrim_whitespace(column) for column in columns]
        if self.dialect.decimal == ",":
            numbers = {name for name, kind in self._wanted.items() if kind == "number"}
            columns = [
                pc.replace_substring(column, ",", ".") if name in numbers else column
                for name, column in zip(record.schema.names, columns, strict=True)
            ]
        return pa.RecordBatch.from_arrays(columns, record.schema.names)

    @property
    def _wanted(self) -> dict[str, str]:
        """The kinds of the columns as the plan wants them."""
        kinds: dict[str, str] = {f.name: f.kind for f in self.plan.fields}
        return kinds if self.plan.label is None else kinds | {self.plan.label: self.plan.label_kind}

    @property
    def schema(self) -> Any:
        """All columns are text."""
        import pyarrow as pa

        return pa.schema([(name, pa.string()) for name in self.dialect.names])

    def write(self, path: Path, batches: Iterable[Any]) -> CsvPartition:
        """In the same dialect, below the same lines above the rows, but as UTF-8."""
        dialect = self.dialect
        quoting: dict[str, Any] = (
            {"quotechar": dialect.quote, "quoting": csv.QUOTE_MINIMAL}
            if dialect.quote
            else {"quotechar": None, "quoting": csv.QUOTE_NONE, "escapechar": "\\"}
        )
        with (
            replacing_bytes(path, dialect.compression) as raw,
            io.TextIOWrapper(raw, encoding="utf-8", errors="replace", newline="") as text,
        ):
            text.write(self._above())
            writer = csv.writer(text, delimiter=dialect.delimiter, lineterminator="\n", **quoting)
            for batch in batches:
                for at in range(0, batch.num_rows, WRITTEN):
                    part = batch.slice(at, WRITTEN)
                    writer.writerows(zip(*(column.to_pylist() for column in part.columns), strict=True))
        # What was seen of the head of the source need not hold for the rest.
        dialect = replace(dialect, encoding="utf-8", newlines_in_values=True)
        return replace(self, path=path, dialect=dialect, starts=(0,), stop=None)

    def _above(self) -> str:
        """The lines above the first row (comments, declarations, names), as they are."""
        encoding = "utf-8-sig" if self.dialect.encoding == "utf-8" else self.dialect.encoding
        with (
            open_bytes(self.path, self.dialect.compression) as raw,
            io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline=None) as text,
        ):
            lines = [text.readline() for _ in range(self.dialect.data_start)]
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


class _Reading:
    """One reading of a partition: how it is read, and what was met on the way."""

    def __init__(self, part: CsvPartition, lend: Callable[[Any], Any], block: int) -> None:
        self._part = part
        self._way = _Way(part.dialect.encoding, part.dialect.newlines_in_values, block)
        self._problem: Problem | None = None
        self.ragged = _Ragged(part.dialect.quote, len(part.starts) > 1, lend)
        self._sound: Sound | None = None
        self.to_the_end = False
        """Whether all rows were read."""

    def records(self, columns: Sequence[str], kinds: Mapping[str, str], *, verbatim: bool = False) -> Iterator[Any]:
        """The rows, numbers where ``kinds`` says so and else texts; read in another way where one breaks down."""
        import pyarrow as pa

        part, done = self._part, 0
        way: _Way | None = self._way
        while way is not None:
            self._way, seen = way, 0
            self.ragged.clear()
            try:
                for record in self._parsed(columns, kinds, verbatim):
                    if self.ragged.quoted and not way.newlines:
                        # What looks like a row of the wrong length may be the half of a quoted value that spans lines.
                        raise _Restart
                    # Those that an earlier way has read are passed over.
                    fresh = record.slice(max(0, min(done - seen, record.num_rows)))
                    seen += record.num_rows
                    done = max(done, seen)
                    if fresh.num_rows:
                        yield fresh
                if self._sound is not None and self._sound.damage is not None:
                    raise self._sound.damage
                self._problem, self.to_the_end = None, True
                return
            except _Restart:
                way = replace(way, newlines=True)
            except (pa.ArrowInvalid, UnicodeError) as error:
                self._problem = Problem("unreadable", part.shown, f"is no table throughout: {reason(error)}")
                way = self._other_way(error)
            except DAMAGE as error:
                self._problem = Problem("truncated", part.shown, f"breaks off: {reason(error)}")
                return

    def problems(self) -> list[Problem]:
        """What was left out, and what was read otherwise than the head promised."""
        part, encoding = self._part, self._way.encoding
        found = [self._problem] if self._problem else []
        if self.to_the_end and encoding != part.dialect.encoding:
            text = f"begins as {part.dialect.encoding} and goes on in another encoding: read as {encoding}"
            found.append(Problem("encoding", part.shown, text))
        if self.ragged.count > self.ragged.drawn:
            found.append(Problem("ragged", part.shown, self.ragged.message(part.lines_above)))
        return found

    def _other_way(self, error: Exception) -> _Way | None:
        """Another way of reading that may get past this error."""
        way, text = self._way, str(error)
        if isinstance(error, UnicodeError) or "UTF8" in text or "UTF-8" in text:
            usable = way.encoding not in {"latin-1", "utf-16"}
            return replace(way, encoding="latin-1") if usable else None
        if "newlines_in_values" in text:
            return None if way.newlines else replace(way, newlines=True)
        if "straddl" in text:
            return replace(way, block=way.block * 4) if way.block < MAX_BLOCK else None
        match = _CONVERSION.search(text)
        column = self._part.dialect.names[int(match[1])] if match else None
        return replace(way, as_text=way.as_text | {column}) if column and column not in way.as_text else None

    def _open(self) -> Any:
        import pyarrow as pa

        part, lend = self._part, self.ragged.lend
        if part.dialect.collapse or part.dialect.compression:
            stream = open_bytes(part.path, part.dialect.compression)
            if not part.dialect.encoding.startswith("utf-16"):  # there a line ends in the midst of a character
                self._sound = Sound(stream)
                stream = io.BufferedReader(self._sound)
            if part.dialect.collapse:
                stream = io.BufferedReader(_Squeezed(stream))
            return pa.PythonFile(lend(stream), mode="r")
        if part.starts == (0,) and part.stop is None:
            return arrow_file(part.path)
        return arrow_file(part.path).get_stream(part.starts[-1], part.weight)

    def _parsed(self, columns: Sequence[str], kinds: Mapping[str, str], verbatim: bool) -> Iterator[Any]:
        """The rows, read in the present way."""
        import pyarrow as pa
        import pyarrow.csv as pacsv

        part, way, ragged = self._part, self._way, self.ragged
        names = part.dialect.names
        # A split may lack columns that others have, such as the label; one column at least says how many rows there are.
        present = frozenset(names)
        types = {
            name: pa.float64() if kinds.get(name) == "number" and name not in way.as_text else pa.string()
            for name in [name for name in columns if name in present] or names[:1]
        }
        options = parsing(
            part.dialect,
            types,
            ragged.lend(ragged.add),
            block=way.block,
            encoding={"utf-8-sig": "utf-8"}.get(way.encoding, way.encoding),
            skip_rows=part.dialect.data_start if len(part.starts) == 1 else 0,
            newlines=way.newlines,
            nulls=() if verbatim else self._gaps(),
        )
        with self._open() as stream, pacsv.open_csv(stream, *options) as reader:
            try:
                yield from reader
            finally:
                del reader  # or an error would hold it, and it what was lent

    def _gaps(self) -> Sequence[str]:
        """The words that stand for gaps; of a wide table only those that its bytes hold anywhere."""
        part = self._part
        if len(part.dialect.names) < WIDE or self._way.encoding.startswith("utf-16"):
            return READ_AS_GAPS
        sought, tail, left = set(READ_AS_GAPS) - {""}, b"", part.weight
        with open_bytes(part.path, part.dialect.compression) as stream:
            if part.starts[-1]:
                stream.seek(part.starts[-1])
            while sought and (block := stream.read(BLOCK)) and (part.dialect.compression or left > 0):
                left -= len(block)
                held = tail + block
                # Single bytes are sought many times as fast as words, and wide tables hold hardly a letter.
                there = {sign for sign in set("".join(sought).encode()) if sign in held}
                sought -= {word for word in sought if there.issuperset(word.encode()) and word.encode() in held}
                tail = block[-max(map(len, READ_AS_GAPS)) :]
        return [word for word in READ_AS_GAPS if word not in sought]


def parsing(
    dialect: Dialect,
    types: Mapping[str, Any],
    broken: Callable[[Any], str],
    *,
    block: int,
    encoding: str = "utf-8",
    skip_rows: int = 0,
    newlines: bool | None = None,
    nulls: Sequence[str] = READ_AS_GAPS,
) -> tuple[Any, Any, Any]:
    """How pyarrow reads columns of a dialect; rows of another length go to ``broken``."""
    import pyarrow.csv as pacsv

    return (
        pacsv.ReadOptions(
            column_names=list(dialect.names),
            skip_rows=skip_rows,
            block_size=block,
            encoding=encoding,
            use_threads=False,  # the rows' numbers are known only then
        ),
        pacsv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            newlines_in_values=dialect.newlines_in_values if newlines is None else newlines,
            invalid_row_handler=broken,
        ),
        pacsv.ConvertOptions(
            column_types=dict(types),
            include_columns=list(types),
            null_values=list(nulls),
            true_values=[],  # no column is read as truth values, and pyarrow keeps these words for each column
            false_values=[],
            strings_can_be_null=bool(nulls),
            quoted_strings_can_be_null=bool(nulls),
            decimal_point=dialect.decimal,
        ),
    )


@dataclass(frozen=True)
class _Way:
    """What may turn out otherwise than the head of the file promised."""

    encoding: str
    newlines: bool
    """Whether quoted values may span lines, which costs time."""
    block: int
    as_text: frozenset[str] = frozenset()
    """Columns of numbers that hold something else further on."""


class _Ragged:
    """Rows that do not have as many fields as there are columns."""

    def __init__(self, quote: str, within: bool, lend: Callable[[Any], Any]) -> None:
        self.lend = lend
        self._quote = quote
        self._within = within
        """Whether the lines that are read do not begin with the file's first."""
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self.count = self._expected = self.swallowed = self.drawn = 0
        self._open = self._taken = 0
        self._lines: list[int] = []
        self.quoted = False
        """Whether one of them holds a quote, so that it may be the half of a value that spans lines."""

    def add(self, row: Any) -> str:
        """What pyarrow calls for each."""
        self.count += 1
        self._expected = row.expected_columns
        # Lines that an open quote has drawn into one row.
        lines = row.text.count("\n")
        self.swallowed = max(self.swallowed, lines)
        self.drawn += lines >= SWALLOWED
        self._open += lines > 0
        self._taken += lines
        self.quoted = self.quoted or (bool(self._quote) and self._quote in row.text)
        if row.number is not None and len(self._lines) < MAX_EXAMPLES:
            self._lines.append(row.number)
        return "skip"

    def message(self, above: int) -> str:
        """Which they are; ``above``: lines of the file above those that were read."""
        lines = [line + above for line in self._lines] if self._within else self._lines
        more = ", ..." if self.count > len(lines) else ""
        where = f" (lines {', '.join(map(str, lines))}{more})" if lines else ""
        count = f"{self.count:,} rows do" if self.count > 1 else "1 row does"
        opened = ""
        if self._open:
            some = "all" if self._open == self.count else f"{self._open:,} of them"
            which = "it opens" if self.count == 1 else f"{some} open"
            lines_more = "1 more line" if self._taken == 1 else f"{self._taken:,} more lines"
            opened = f": {which} a quote that is not closed on its line, and so {'takes' if self.count == 1 else 'take'} in {lines_more}"
        return f"{count} not have {self._expected} fields{where}{opened}; left out of the scan"


class _Restart(Exception):
    """Read again with quoted line breaks."""


class _Squeezed(Filtered):
    """A file whose fields are set apart by runs of blanks, as if by single ones."""

    _rest = b""

    def fill(self) -> None:
        block = self._raw.read(BLOCK)
        whole, end, self._rest = (self._rest + block).rpartition(b"\n") if block else (self._rest, b"", b"")
        self._ready, self._over = memoryview(squeeze(whole + end)), not block


def csv_partitions(whole: CsvPartition, size: int | None = None) -> list[CsvPartition]:
    """A file as one partition, or a large one cut at line ends into partitions of about ``size`` bytes.

    A line end may lie within a quoted value: a cut is made only where all lines around it have their quotes closed.

    Raises:
        OSError: the file cannot be read.
    """
    size = size or RANGE
    total = whole.path.stat().st_size
    starts = [0]
    dialect = whole.dialect
    # Compressed text cannot be entered in the middle; UTF-16 has line ends that are no single byte.
    if not (dialect.compression or dialect.collapse or dialect.encoding == "utf-16" or dialect.newlines_in_values):
        with whole.path.open("rb") as file:
            for near in range(size, total - size // 2, size):
                cut = _safe_cut(file, near, dialect.quote.encode())
                if cut is not None and starts[-1] < cut < total:
                    starts.append(cut)
    stops = [*starts[1:], None]
    return [replace(whole, starts=tuple(starts[: k + 1]), stop=stops[k]) for k in range(len(starts))]


def _safe_cut(file: IO[bytes], near: int, quote: bytes) -> int | None:
    """The first line end behind ``near`` if no value spans lines around it; None if one may, or lines are too long."""
    begin = max(0, near - WINDOW)
    file.seek(begin)
    window = file.read(near - begin + WINDOW)
    cut = window.find(b"\n", near - begin) + 1
    whole = window[window.find(b"\n") + 1 : window.rfind(b"\n") + 1]
    if cut == 0 or (quote and any(line.count(quote) % 2 for line in whole.split(b"\n"))):
        return None
    return begin + cut


@lru_cache(maxsize=4096)
def _line_count(path: Path, start: int, stop: int, changed: int) -> int:  # noqa: ARG001 - the file's time: part of the key
    """Line ends between two bytes of a file that changed last at that time."""
    count = 0
    with path.open("rb") as file:
        file.seek(start)
        while start < stop:
            block = file.read(min(1 << 20, stop - start))
            if not block:
                break
            count += int(np.count_nonzero(np.frombuffer(block, np.uint8) == _LINE_END))
            start += len(block)
    return count
