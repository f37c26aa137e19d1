"""Table files with every cell as it was written, to be written again without some rows or in another order.

They are read and written in record batches, so that memory does not grow with the size of a file.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from datalint.core.errors import DatalintError
from datalint.core.writing import replacing
from datalint.sources.files import arrow_file, reason
from datalint.sources.tables import csvs
from datalint.sources.tables.csvs import CsvPartition, open_bytes
from datalint.sources.tables.lending import lending
from datalint.sources.tables.parquets import ROWS, ParquetPartition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.dataset import Dataset


WRITTEN: Final = 8_192
"""Rows of text that are Python objects at a time."""


class Table:
    """One file, read in batches as often as it is needed; it is never in memory as a whole.

    Of a text file all columns are strings, missing values being what stood there.
    """

    def __init__(self, partitions: Sequence[CsvPartition | ParquetPartition]) -> None:
        """The file that these partitions make up, in their order."""
        self.partition = partitions[0]
        """The one at the top, which knows how the file is written."""
        self._parts: list[Any] = list(partitions)
        if isinstance(self.partition, CsvPartition):
            self._parts = [_Raw(**_fields(part)) for part in partitions if isinstance(part, CsvPartition)]
        self._rows: int | None = None

    def __len__(self) -> int:
        """Rows; counted by reading the file once."""
        if self._rows is None:
            self._rows = sum(batch.num_rows for batch in self.batches(self.names[:1]))
        return self._rows

    @property
    def path(self) -> Path:
        """The file as it is now."""
        path: Path = self._parts[0].path
        return path

    @cached_property
    def schema(self) -> Any:
        """Names and types of the columns."""
        import pyarrow as pa

        if isinstance(self.partition, CsvPartition):
            return pa.schema([(name, pa.string()) for name in self.partition.dialect.names])
        return _parquet_schema(self.partition)

    @property
    def names(self) -> list[str]:
        """The columns."""
        names: list[str] = self.schema.names
        return names

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The rows in their order, as Arrow record batches of all columns or of some.

        Raises:
            DatalintError: the file cannot be read to its end.
        """
        if isinstance(self.partition, ParquetPartition):
            yield from _parquet(self._parts[0], columns)
            return
        for part in self._parts:
            for batch in part.rows():
                yield batch if columns is None else batch.select(list(columns))

    def picked(self, rows: Sequence[int], columns: Sequence[str] | None = None) -> Any:
        """Some rows as an Arrow table, in the order in which they are named."""
        import pyarrow as pa

        wanted = np.unique(np.asarray(rows, np.int64))
        found: list[Any] = []
        start = 0
        for batch in self.batches(columns):
            low, high = np.searchsorted(wanted, (start, start + batch.num_rows))
            if high > low:
                found.append(batch.take(pa.array(wanted[low:high] - start)))
            start += batch.num_rows
        schema = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
        return pa.Table.from_batches(found, schema).take(pa.array(np.searchsorted(wanted, np.asarray(rows, np.int64))))

    def write(self, path: Path, batches: Iterable[Any]) -> None:
        """Put these rows in place of the file's at ``path``, written the way its source is, and read them from now on."""
        with replacing(path) as file:
            rows = self._write_parquet(file, batches) if self._is_parquet else self._write_text(file, batches)
        self._rows = rows
        if isinstance(self.partition, ParquetPartition):
            self._parts = [replace(self.partition, path=path)]
        else:
            # Whatever it was, it is UTF-8 now, and what was seen of the head of the source need not hold for the rest.
            dialect = replace(self.partition.dialect, encoding="utf-8", newlines_in_values=True)
            self._parts = [
                _Raw(**_fields(self.partition) | {"path": path, "dialect": dialect, "starts": (0,), "stop": None})
            ]

    @property
    def _is_parquet(self) -> bool:
        return isinstance(self.partition, ParquetPartition)

    def _write_parquet(self, file: BinaryIO, batches: Iterable[Any]) -> int:
        import pyarrow.parquet as pq

        rows = 0
        with pq.ParquetWriter(file, self.schema) as writer:
            for batch in batches:
                if batch.num_rows:
                    writer.write_batch(batch)
                    rows += batch.num_rows
        return rows

    def _write_text(self, file: BinaryIO, batches: Iterable[Any]) -> int:
        partition = self.partition
        assert isinstance(partition, CsvPartition)
        dialect = partition.dialect
        quoting: dict[str, Any] = (
            {"quotechar": dialect.quote, "quoting": csv.QUOTE_MINIMAL}
            if dialect.quote
            else {"quotechar": None, "quoting": csv.QUOTE_NONE, "escapechar": "\\"}
        )
        rows = 0
        with ExitStack() as stack:
            raw: Any = file
            if dialect.compression == "gzip":
                # Without name and time, so that the same rows give the same bytes.
                raw = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0))
            text = stack.enter_context(io.TextIOWrapper(raw, encoding="utf-8", errors="replace", newline=""))
            text.write(_above(partition))
            writer = csv.writer(text, delimiter=dialect.delimiter, lineterminator="\n", **quoting)
            for batch in batches:
                for at in range(0, batch.num_rows, WRITTEN):
                    part = batch.slice(at, WRITTEN)
                    writer.writerows(zip(*(column.to_pylist() for column in part.columns), strict=True))
                rows += batch.num_rows
        return rows


def _fields(partition: CsvPartition) -> dict[str, Any]:
    return {name: getattr(partition, name) for name in partition.__dataclass_fields__}


def load(dataset: Dataset) -> list[Table]:
    """The files of a table data set, in the order of its partitions."""
    parts: dict[Path, list[CsvPartition | ParquetPartition]] = {}
    for partition in dataset.partitions:
        if isinstance(partition, CsvPartition | ParquetPartition):
            parts.setdefault(partition.path, []).append(partition)
    return [Table(found) for found in parts.values()]


def _parquet(partition: ParquetPartition, columns: Sequence[str] | None) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with arrow_file(partition.path) as raw, pq.ParquetFile(raw) as file:
            yield from file.iter_batches(ROWS, columns=None if columns is None else list(columns), use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DatalintError(f"{partition.shown} cannot be read to its end: {reason(error)}") from error


def _parquet_schema(partition: ParquetPartition) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with arrow_file(partition.path) as raw, pq.ParquetFile(raw) as file:
            return file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise DatalintError(f"{partition.shown} cannot be read: {reason(error)}") from error


def _above(partition: CsvPartition) -> str:
    """The lines above the first row (comments, declarations, names), as they are."""
    dialect = partition.dialect
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
    with (
        open_bytes(partition.path, dialect.compression) as raw,
        io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline=None) as text,
    ):
        lines = [text.readline() for _ in range(dialect.data_start)]
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


class _Everything:
    """Stands where the scan has what turns records into samples: keeps them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.columns = list(names)
        self.line = 0

    def read(self, record: Any) -> Iterator[Any]:
        self.line += record.num_rows
        if record.num_rows:
            yield record


class _Raw(CsvPartition):
    """The same rows as the scan reads, by the same parser, but every cell as the text that stands there."""

    def rows(self) -> Iterator[Any]:
        """All of them, as record batches of strings."""
        with lending() as lend:
            yield from self._rows(lend)

    def _rows(self, lend: Callable[[Any], Any]) -> Iterator[Any]:
        import pyarrow as pa

        keeper = _Everything(self.dialect.names)
        ragged = csvs._Ragged(self.dialect.quote, len(self.starts) > 1, lend)
        way: csvs._Way | None = csvs._Way(self.dialect.encoding, self.dialect.newlines_in_values, csvs.BLOCK)
        while way is not None:
            try:
                yield from self._read(keeper, way, ragged)  # type: ignore[arg-type]
                break
            except csvs._Restart:
                way = replace(way, newlines=True)
            except (pa.ArrowInvalid, UnicodeError) as error:
                way = self._other_way(way, error)
            except (OSError, EOFError, zlib.error):
                way = None

    def _records(self, columns: list[str], way: csvs._Way, ragged: csvs._Ragged) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.csv as pacsv

        dialect = self.dialect
        with self._open(ragged.lend) as stream:
            yield from pacsv.open_csv(
                stream,
                pacsv.ReadOptions(
                    column_names=list(dialect.names),
                    skip_rows=dialect.data_start if len(self.starts) == 1 else 0,
                    block_size=way.block,
                    encoding={"utf-8-sig": "utf-8"}.get(way.encoding, way.encoding),
                    use_threads=False,
                ),
                pacsv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote or False,
                    newlines_in_values=way.newlines,
                    invalid_row_handler=ragged.lend(ragged.add),
                ),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()), null_values=[], strings_can_be_null=False
                ),
            )
