"""Reading delimited text as a stream of record batches."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, cast

from datalint.dataset import Batch, Problem
from datalint.sources.convert import TableFilePartition, TableReader
from datalint.sources.dialect import squeeze
from datalint.sources.files import arrow_file, reason, unpacked_limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.dataset import Aspect
    from datalint.sources.convert import TablePlan
    from datalint.sources.dialect import Dialect

BLOCK = 4 << 20
"""Bytes parsed at a time: large enough for speed, small enough for memory to stay flat."""

NULLS = ["", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "null", "NULL", "None", "#N/A", "<NA>"]
MAX_EXAMPLES = 20
MAX_BLOCK = 64 << 20
"""A line longer than this is no line of a table."""

_CONVERSION = re.compile(r"In CSV column #(\d+)")


@dataclass(frozen=True)
class CsvPartition(TableFilePartition):
    """One delimited text file."""

    path: Path
    shown: str
    dialect: Dialect
    plan: TablePlan

    def sample_id(self, line: int) -> str:
        """File and line; a quoted line break in an earlier row makes the line too small."""
        return f"{self.shown}:{line + 1 + self.dialect.data_start}"

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the rows; what cannot be parsed becomes a problem."""
        import pyarrow as pa

        reader = TableReader(self.plan, labels_only="table" not in aspects)
        ragged = _Ragged(self.dialect.quote)
        problem: Problem | None = None
        way: _Way | None = _Way(self.dialect.encoding, self.dialect.newlines_in_values, BLOCK)
        while way is not None:
            try:
                yield from self._read(reader, way, ragged)
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
        if ragged.count:
            problems.append(Problem("ragged", self.shown, ragged.told()))
        if problems:
            yield Batch(reader.home, reader.line, 0, problems=problems)

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

    def _open(self) -> Any:
        import pyarrow as pa

        if self.dialect.collapse:
            return pa.PythonFile(io.BufferedReader(_Squeezed(open_bytes(self.path, self.dialect.compression))))
        if self.dialect.compression:
            return pa.PythonFile(open_bytes(self.path, self.dialect.compression), mode="r")
        return arrow_file(self.path)

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

        with self._open() as stream:
            yield from pacsv.open_csv(
                stream,
                pacsv.ReadOptions(
                    column_names=list(dialect.names),
                    skip_rows=dialect.data_start,
                    block_size=way.block,
                    encoding={"utf-8-sig": "utf-8"}.get(way.encoding, way.encoding),
                    use_threads=False,  # the rows' numbers are known only then
                ),
                pacsv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote or False,
                    newlines_in_values=way.newlines,
                    invalid_row_handler=ragged.add,
                ),
                pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=columns,
                    null_values=NULLS,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
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

    def __init__(self, quote: str) -> None:
        self._quote = quote
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self.count = self._expected = 0
        self._lines: list[int] = []
        self.quoted = False
        """Whether one of them holds a quote, so that it may be the half of a value that spans lines."""

    def add(self, row: Any) -> str:
        """What pyarrow calls for each."""
        self.count += 1
        self._expected = row.expected_columns
        self.quoted = self.quoted or (bool(self._quote) and self._quote in row.text)
        if row.number is not None and len(self._lines) < MAX_EXAMPLES:
            self._lines.append(row.number)
        return "skip"

    def told(self) -> str:
        """For a problem's message."""
        more = ", ..." if self.count > len(self._lines) else ""
        where = f" (lines {', '.join(map(str, self._lines))}{more})" if self._lines else ""
        count = f"{self.count:,} rows do" if self.count > 1 else "1 row does"
        return f"{count} not have {self._expected} fields{where}; left out of the scan"


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


def open_bytes(path: Path, compression: str | None) -> IO[bytes]:
    """The file's bytes, decompressed."""
    return cast("IO[bytes]", _Unpacked(path) if compression == "gzip" else path.open("rb"))


class _Unpacked(gzip.GzipFile):
    """A gzip file that ends in an error where it unpacks to far more than a table does."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._budget = unpacked_limit(path.stat().st_size)

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() > self._budget:
            raise OSError(f"unpacks to more than {self._budget:,} bytes, which no table of this size does")
        return data
