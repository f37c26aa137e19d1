"""Reading delimited text as a stream of record batches."""

from __future__ import annotations

import contextlib
import io
import re
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import Batch, Problem
from datalint.core.missing import READ_AS_GAPS
from datalint.sources.files import arrow_file, reason, unpacked
from datalint.sources.tables.convert import TableFilePartition, TableReader
from datalint.sources.tables.dialect import squeeze
from datalint.sources.tables.lending import lending
from datalint.sources.tables.unlike import SWALLOWED, header_rows, last_row_spans, reader_hazards, swallowed_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from datalint.core.dataset import Aspect
    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.dialect import Dialect

BLOCK = 4 << 20
"""Bytes parsed at a time: large enough for speed, small enough for memory to stay flat."""

FIRST_BLOCK = 64 << 10
"""The same where the first rows are all that is wanted; longer lines are met by larger blocks."""

MAX_EXAMPLES = 20
MAX_BLOCK = 64 << 20
"""A line longer than this is no line of a table."""

UNPACKED = 256 << 20
"""Bytes that any compressed table may unpack to; beyond it a hundred times its size."""

RANGE = 128 << 20
"""Bytes of one partition of a large file, about."""

WINDOW = 64 << 10
"""Bytes on either side of a cut in which every line must have its quotes closed: no value is longer than that."""

_LINE_END = ord("\n")
_CONVERSION = re.compile(r"In CSV column #(\d+)")


@dataclass(frozen=True)
class CsvPartition(TableFilePartition):
    """One delimited text file, or some whole lines of a large one."""

    path: Path
    shown: str
    dialect: Dialect
    plan: TablePlan
    starts: tuple[int, ...] = (0,)
    """Byte at which this partition starts, after those of the partitions before it."""
    stop: int | None = None
    """Byte before which it ends; None for the end of the file."""
    block: int = BLOCK
    """Bytes parsed at a time."""

    def glance(self) -> CsvPartition:
        """The same rows for one who wants the first few only."""
        # A block of a row or two costs as much as one of many: every column is converted by itself.
        return replace(self, block=min(BLOCK, max(FIRST_BLOCK, 256 * len(self.dialect.names))))

    @property
    def weight(self) -> int:
        """Bytes to be read."""
        return (self.path.stat().st_size if self.stop is None else self.stop) - self.starts[-1]

    def sample_id(self, line: int) -> str:
        """File and line; a quoted line break in an earlier row makes the line too small."""
        return f"{self.shown}:{line + 1 + self._lines_above}"

    @property
    def _lines_above(self) -> int:
        """Lines of the file above the first row of this partition."""
        if len(self.starts) == 1:
            return self.dialect.data_start
        try:
            changed = self.path.stat().st_mtime_ns
            return sum(_line_count(self.path, a, b, changed) for a, b in pairwise(self.starts))
        except OSError:
            return 0

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the rows; what cannot be parsed becomes a problem."""
        with lending() as lend:
            yield from self._batches(aspects, lend)

    def _batches(self, aspects: frozenset[Aspect], lend: Callable[[Any], Any]) -> Iterator[Batch]:
        import pyarrow as pa

        reader = TableReader(self.plan, labels_only="table" not in aspects)
        ragged = _Ragged(self.dialect.quote, len(self.starts) > 1, lend)
        problem: Problem | None = None
        headers = inside = 0
        spans = False
        way: _Way | None = _Way(self.dialect.encoding, self.dialect.newlines_in_values, self.block)
        while way is not None:
            try:
                for batch in self._read(reader, way, ragged):
                    headers += header_rows(batch)
                    inside = max(inside, swallowed_lines(batch, self.dialect.delimiter, len(self.dialect.names)))
                    spans = last_row_spans(batch)
                    yield batch
                problem = None
                break
            except _Restart:
                way = replace(way, newlines=True)
            except (pa.ArrowInvalid, UnicodeError) as error:
                problem = Problem("unreadable", self.shown, f"is no table throughout: {reason(error)}")
                way = self._other_way(way, error)
            except (OSError, EOFError, zlib.error) as error:
                problem = Problem("truncated", self.shown, f"breaks off: {reason(error)}")
                way = None
        problems = [problem] if problem else []
        if way is not None and way.encoding != self.dialect.encoding:
            text = f"begins as {self.dialect.encoding} and goes on in another encoding: read as {way.encoding}"
            problems.append(Problem("encoding", self.shown, text))
        problems += reader.remarks(self.shown)
        problems += reader_hazards(self.shown, headers)
        swallowed = max(inside, ragged.swallowed) >= SWALLOWED
        if way is not None and (swallowed or self._ends_open(spans, spans or ragged.swallowed > 0)):
            problems += self._unclosed()
        if ragged.count > ragged.drawn:
            problems.append(Problem("ragged", self.shown, ragged.told(self._lines_above)))
        if problems:
            yield Batch(reader.home, reader.line, 0, problems=problems)

    def _ends_open(self, spans: bool, may_span: bool) -> bool:
        """Whether the file may end within quotes: an answer from its last line, for most files.

        ``spans``: whether the last row has several lines, so that its last one begins within quotes; ``may_span``: whether
        one that was left out may.
        """
        if self.stop is not None or self._plain is None:
            return False
        if self.dialect.compression:
            return may_span
        with self.path.open("rb") as file:
            file.seek(max(self.starts[-1], self.path.stat().st_size - WINDOW))
            line = file.read().rstrip(b"\r\n").rpartition(b"\n")[2]
        return _after(line, spans, *self._plain) or (may_span and _after(line, True, *self._plain))

    @property
    def _plain(self) -> tuple[bytes, bytes] | None:
        """Delimiter and quote as they are in the file; None where lines cannot be cut at the bytes of line ends."""
        if not self.dialect.quote or self.dialect.collapse or self.dialect.encoding == "utf-16":
            return None
        return self.dialect.delimiter.encode(), self.dialect.quote.encode()

    def _unclosed(self) -> list[Problem]:
        """The value with the most lines that are rows, or that the end of the file cuts short, and where it begins."""
        if self._plain is None:
            return [Problem("quote", self.shown, "a quote that is not closed draws other lines into its row")]
        delimiter, quote = self._plain
        first = best = lines = rows = 0
        opened = False
        commas = len(self.dialect.names) - 1
        with open_bytes(self.path, self.dialect.compression) as file:
            if self.starts[-1]:
                file.seek(self.starts[-1])
            else:
                for _ in range(self.dialect.data_start):
                    file.readline()
            for number, line in enumerate(file, start=1 + self._lines_above):
                if self.stop is not None and file.tell() > self.stop:
                    break
                if opened:
                    lines += 1
                    rows += line.count(delimiter) == commas
                before, opened = opened, _after(line.rstrip(b"\r\n"), opened, delimiter, quote)
                if opened and not before:
                    start, lines, rows = number, 0, 0
                elif before and not opened and lines >= SWALLOWED and rows > 0.8 * lines and lines > best:
                    first, best = start, lines
        if opened:
            drawn = f", and draws {_counted(lines)} after it into one row" if lines else ""
            return [
                Problem(
                    "quote", self.shown, f"a quote that opens in line {start:,} is not closed before the end{drawn}"
                )
            ]
        if best:
            return [
                Problem(
                    "quote", self.shown, f"a quote that opens in line {first:,} draws {_counted(best)} into one row"
                )
            ]
        return []

    def _read(self, reader: TableReader, way: _Way, ragged: _Ragged) -> Iterator[Batch]:
        """The rows, read in one way; those that an earlier way has read are passed over."""
        done, seen = reader.line, 0
        ragged.clear()
        for record in self._records(reader.columns, way, ragged):
            if ragged.quoted and not way.newlines:
                # What looks like a row of the wrong length may be the half of a quoted value that spans lines.
                raise _Restart
            fresh = record.slice(max(0, min(done - seen, record.num_rows)))
            seen += record.num_rows
            yield from reader.read(fresh)

    def _other_way(self, way: _Way, error: Exception) -> _Way | None:
        """Another way of reading that may get past this error."""
        text = str(error)
        if isinstance(error, UnicodeError) or "UTF8" in text or "UTF-8" in text:
            usable = way.encoding not in {"latin-1", "utf-16"}
            return replace(way, encoding="latin-1") if usable else None
        if "newlines_in_values" in text:
            return None if way.newlines else replace(way, newlines=True)
        if "straddl" in text:
            return replace(way, block=way.block * 4) if way.block < MAX_BLOCK else None
        match = _CONVERSION.search(text)
        column = self.dialect.names[int(match[1])] if match else None
        return replace(way, as_text=way.as_text | {column}) if column and column not in way.as_text else None

    def _open(self, lend: Callable[[Any], Any]) -> Any:
        import pyarrow as pa

        if self.dialect.collapse:
            packed = open_bytes(self.path, self.dialect.compression)
            return pa.PythonFile(lend(io.BufferedReader(_Squeezed(packed))))
        if self.dialect.compression:
            return pa.PythonFile(lend(open_bytes(self.path, self.dialect.compression)), mode="r")
        if self.starts == (0,) and self.stop is None:
            return arrow_file(self.path)
        return arrow_file(self.path).get_stream(self.starts[-1], self.weight)

    def _records(self, columns: list[str], way: _Way, ragged: _Ragged) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.csv as pacsv

        dialect = self.dialect
        kinds = {f.name: f.kind for f in self.plan.fields}
        if self.plan.label is not None:
            kinds[self.plan.label] = self.plan.label_kind
        # A split may lack columns that others have, such as the label; one column at least says how many rows there are.
        present = frozenset(dialect.names)
        columns = [name for name in columns if name in present] or [dialect.names[0]]
        types = {
            name: pa.float64() if kinds[name] == "number" and name not in way.as_text else pa.string()
            for name in columns
        }

        with (
            self._open(ragged.lend) as stream,
            pacsv.open_csv(
                stream,
                pacsv.ReadOptions(
                    column_names=list(dialect.names),
                    skip_rows=dialect.data_start if len(self.starts) == 1 else 0,
                    block_size=way.block,
                    encoding={"utf-8-sig": "utf-8"}.get(way.encoding, way.encoding),
                    use_threads=False,  # the rows' numbers are known only then
                ),
                pacsv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote or False,
                    newlines_in_values=way.newlines,
                    invalid_row_handler=ragged.lend(ragged.add),
                ),
                pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=columns,
                    null_values=READ_AS_GAPS,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                    decimal_point=dialect.decimal,
                ),
            ) as reader,
        ):
            try:
                yield from reader
            finally:
                del reader  # or an error would hold it, and it what was lent


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
        self.quoted = self.quoted or (bool(self._quote) and self._quote in row.text)
        if row.number is not None and len(self._lines) < MAX_EXAMPLES:
            self._lines.append(row.number)
        return "skip"

    def told(self, above: int) -> str:
        """For a problem's message; ``above``: lines of the file above those that were read."""
        lines = [line + above for line in self._lines] if self._within else self._lines
        more = ", ..." if self.count > len(lines) else ""
        where = f" (lines {', '.join(map(str, lines))}{more})" if lines else ""
        count = f"{self.count:,} rows do" if self.count > 1 else "1 row does"
        return f"{count} not have {self._expected} fields{where}; left out of the scan"


def _counted(lines: int) -> str:
    return f"{lines:,} {'lines' if lines > 1 else 'line'}"


def _after(line: bytes, opened: bool, delimiter: bytes, quote: bytes) -> bool:
    """Whether a quoted value is open after a line, as pyarrow reads it: quotes within a plain value are its text."""
    at = 0
    while True:
        if not opened:
            if line[at : at + 1] != quote:
                at = line.find(delimiter, at) + 1
                if not at:
                    return False
                continue
            at += 1
        end = line.find(quote, at)
        if end < 0:
            return True
        opened = line[end + 1 : end + 2] == quote
        at = end + 2 if opened else line.find(delimiter, end + 1) + 1
        if not opened and not at:
            return False


class _Restart(Exception):
    """Read again with quoted line breaks."""


class _Squeezed(io.RawIOBase):
    """A file whose fields are set apart by runs of blanks, as if by single ones."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self._raw = raw
        self._rest = b""
        self._ready = b""

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._raw.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            block = self._raw.read(BLOCK)
            whole, end, self._rest = (self._rest + block).rpartition(b"\n") if block else (self._rest, b"", b"")
            self._ready = squeeze(whole + end)
            if not block:
                break
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


def csv_partitions(
    path: Path, shown: str, dialect: Dialect, plan: TablePlan, size: int | None = None
) -> list[CsvPartition]:
    """A file as one partition, or a large one cut at line ends into partitions of about ``size`` bytes.

    A line end may lie within a quoted value: a cut is made only where all lines around it have their quotes closed.

    Raises:
        OSError: the file cannot be read.
    """
    size = size or RANGE
    total = path.stat().st_size
    starts = [0]
    # Compressed text cannot be entered in the middle; UTF-16 has line ends that are no single byte.
    if not (dialect.compression or dialect.collapse or dialect.encoding == "utf-16" or dialect.newlines_in_values):
        with path.open("rb") as file:
            for near in range(size, total - size // 2, size):
                cut = _safe_cut(file, near, dialect.quote.encode())
                if cut is not None and starts[-1] < cut < total:
                    starts.append(cut)
    stops = [*starts[1:], None]
    return [CsvPartition(path, shown, dialect, plan, tuple(starts[: k + 1]), stops[k]) for k in range(len(starts))]


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


def open_bytes(path: Path, compression: str | None) -> IO[bytes]:
    """The file's bytes, decompressed up to the limit of what a table of its size unpacks to."""
    if compression != "gzip":
        return path.open("rb")
    return unpacked(path.open("rb"), max(UNPACKED, 100 * path.stat().st_size))


def readable(file: IO[bytes], size: int) -> bytes:
    """The first bytes of a compressed file as far as it is sound; the scan will say where it is not."""
    blocks: list[bytes] = []
    with contextlib.suppress(OSError, EOFError, zlib.error):
        while size > 0 and (block := file.read(min(size, 1 << 20))):
            blocks.append(block)
            size -= len(block)
    return b"".join(blocks)
