"""Table files with every cell as it was written, to be written again without some rows or in another order."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.errors import DatalintError
from datalint.sources import csvs
from datalint.sources.csvs import CsvPartition, open_bytes
from datalint.sources.files import arrow_file, reason
from datalint.sources.parquets import ParquetPartition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from datalint.dataset import Dataset


@dataclass
class Table:
    """One file in memory."""

    data: Any
    """An Arrow table; of a text file all columns are strings, missing values being what stood there."""
    partition: CsvPartition | ParquetPartition

    def __len__(self) -> int:
        rows: int = self.data.num_rows
        return rows

    @property
    def names(self) -> list[str]:
        """The columns."""
        names: list[str] = self.data.column_names
        return names

    def cells(self, column: str, rows: Sequence[int] | None = None) -> list[Any]:
        """Values of one column as Python objects."""
        values = self.data.column(column)
        cells: list[Any] = (values if rows is None else values.take(list(rows))).to_pylist()
        return cells

    def set(self, column: str, cells: list[Any]) -> None:
        """Replace a column by values of the same type."""
        import pyarrow as pa

        at = self.names.index(column)
        kind = self.data.schema.field(at)
        self.data = self.data.set_column(at, kind, pa.array(cells, kind.type))

    def take(self, rows: NDArray[np.int64]) -> None:
        """Keep some rows, in that order."""
        self.data = self.data.take(rows)

    def write(self, path: Path) -> None:
        """Write it the way its source is written; the same table always gives the same bytes."""
        if isinstance(self.partition, ParquetPartition):
            import pyarrow.parquet as pq

            pq.write_table(self.data, path)
            return
        text = self._text(self.partition)
        data = gzip.compress(text, mtime=0) if self.partition.dialect.compression == "gzip" else text
        path.write_bytes(data)

    def _text(self, partition: CsvPartition) -> bytes:
        dialect = partition.dialect
        stream = io.StringIO(newline="")
        stream.write(_above(partition))
        quoting = (
            {"quotechar": dialect.quote, "quoting": csv.QUOTE_MINIMAL}
            if dialect.quote
            else {"quotechar": None, "quoting": csv.QUOTE_NONE, "escapechar": "\\"}
        )
        writer = csv.writer(stream, delimiter=dialect.delimiter, lineterminator="\n", **quoting)
        for batch in self.data.to_batches(max_chunksize=50_000):
            writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        return stream.getvalue().encode("utf-8", "replace")


def load(dataset: Dataset) -> list[Table]:
    """
    The files of a table data set, in the order of its partitions.

    Raises:
        DatalintError: a file cannot be read.
    """
    import pyarrow as pa

    parts: dict[Path, list[Any]] = {}
    first: dict[Path, CsvPartition | ParquetPartition] = {}
    for partition in dataset.partitions:
        if isinstance(partition, ParquetPartition):
            if partition.path not in parts:
                parts[partition.path] = [_parquet(partition)]
            first.setdefault(partition.path, partition)
        elif isinstance(partition, CsvPartition):
            raw = _Raw(**{name: getattr(partition, name) for name in partition.__dataclass_fields__})
            parts.setdefault(partition.path, []).append(raw.table())
            first.setdefault(partition.path, partition)
    return [Table(pa.concat_tables(found).combine_chunks(), first[path]) for path, found in parts.items()]


def _parquet(partition: ParquetPartition) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with arrow_file(partition.path) as raw, pq.ParquetFile(raw) as file:
            return file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DatalintError(f"{partition.shown} cannot be read to its end: {reason(error)}") from error


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

    def table(self) -> Any:
        import pyarrow as pa

        keeper = _Everything(self.dialect.names)
        ragged = csvs._Ragged(self.dialect.quote, len(self.starts) > 1)
        way: csvs._Way | None = csvs._Way(self.dialect.encoding, self.dialect.newlines_in_values, csvs.BLOCK)
        records: list[Any] = []
        while way is not None:
            try:
                records.extend(self._read(keeper, way, ragged))  # type: ignore[arg-type]
                break
            except csvs._Restart:
                way = replace(way, newlines=True)
            except (pa.ArrowInvalid, UnicodeError) as error:
                way = self._other_way(way, error)
            except (OSError, EOFError, zlib.error):
                way = None
        schema = pa.schema([(name, pa.string()) for name in self.dialect.names])
        return pa.Table.from_batches(records, schema)

    def _records(self, columns: list[str], way: csvs._Way, ragged: csvs._Ragged) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.csv as pacsv

        dialect = self.dialect
        with self._open() as stream:
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
                    invalid_row_handler=ragged.add,
                ),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()), null_values=[], strings_can_be_null=False
                ),
            )
