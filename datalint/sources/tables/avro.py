"""Avro object containers, block by block. Needs the extra ``avro``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Problem
from datalint.core.errors import DatalintError
from datalint.core.project import install
from datalint.sources.files import reason
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat, TablePartition
from datalint.sources.tables.kinds import arrow_table_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells

ROWS = 10_000
"""Rows of a batch, at most."""

DEPTH = 20
"""Types within types that are told apart."""

_PLAIN = {
    "int": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "boolean": "bool_",
    "string": "string",
    "enum": "string",
    "bytes": "binary",
    "fixed": "binary",
    "null": "null",
}


class AvroFormat(TableFormat):
    """Avro, whatever the file is called."""

    title = "Avro"
    suffixes = frozenset({".avro"})
    magic = (b"Obj\x01",)

    def look(self, file: Candidate) -> TableFile:
        """Read the first rows."""
        fastavro = _library("an Avro file")
        try:
            with file.path.open("rb") as raw:
                reader = fastavro.reader(raw)
                schema = _schema(reader.writer_schema)
                most = max(50, min(5_000, CELLS // max(1, len(schema.names))))
                head = next(_batches(reader, schema, None, most), None)
        except NotATable:
            raise
        except Exception as error:  # it raises nearly anything on damaged files
            raise NotATable(f"a damaged Avro file: {reason(error)}") from error
        records = [] if head is None else [head]
        return arrow_table_file(file, self, schema, records, bool(records), lambda _: head)

    def whole(self, file: TableFile, plan: TablePlan) -> AvroPartition:
        """All rows."""
        return AvroPartition(file.path.absolute(), file.shown, plan)


def _library(what: str) -> Any:
    """The package that reads Avro.

    Raises:
        NotJudged: it is not installed.
    """
    try:
        import fastavro
    except ImportError as error:
        raise NotJudged(f"{what}: {install('avro')} reads it") from error
    return fastavro


def records_of(path: Path, what: str) -> Iterator[dict[str, Any]]:
    """The records of a file of metadata.

    Raises:
        NotJudged: the reader is not installed.
        ValueError: the file is damaged.
    """
    fastavro = _library(what)
    try:
        with path.open("rb") as raw:
            yield from fastavro.reader(raw)
    except Exception as error:  # as above
        raise ValueError(f"{path.name}: {reason(error)}") from error


def _schema(written: Any) -> Any:
    """The Arrow schema of the records.

    Raises:
        NotATable: the file holds no records.
    """
    import pyarrow as pa

    if not isinstance(written, dict) or written.get("type") != "record" or not written.get("fields"):
        raise NotATable("an Avro file of values that are no records")
    named: dict[str, Any] = {}
    return pa.schema([(item["name"], _type(item["type"], named)) for item in written["fields"]])


def _type(kind: Any, named: dict[str, Any], depth: int = DEPTH) -> Any:
    """The Arrow type of an Avro type; texts for what has none."""
    import pyarrow as pa

    if isinstance(kind, list):
        inner = [one for one in kind if one != "null"]
        return _type(inner[0], named, depth) if len(inner) == 1 else pa.string() if inner else pa.null()
    if isinstance(kind, str):
        return getattr(pa, _PLAIN[kind])() if kind in _PLAIN else named.get(kind, pa.string())
    if depth == 0:
        return pa.string()
    logical, plain = kind.get("logicalType"), kind["type"]
    times = {
        "date": pa.date32(),
        "timestamp-millis": pa.timestamp("ms", "UTC"),
        "timestamp-micros": pa.timestamp("us", "UTC"),
    }
    if logical in times:
        return times[logical]
    if logical:  # decimals, times of day, UUIDs: as they are written
        return pa.string()
    if plain == "record":
        found = pa.struct([(item["name"], _type(item["type"], named, depth - 1)) for item in kind["fields"]])
    elif plain == "array":
        found = pa.list_(_type(kind["items"], named, depth - 1))
    elif plain == "map":
        found = pa.map_(pa.string(), _type(kind["values"], named, depth - 1))
    else:
        found = _type(plain, named, depth - 1)
    if "name" in kind:
        named[kind["name"]] = found
    return found


def _batches(reader: Iterable[dict[str, Any]], schema: Any, columns: Sequence[str] | None, size: int) -> Iterator[Any]:
    """The records as Arrow record batches of some columns."""
    held: list[dict[str, Any]] = []
    broken: Exception | None = None
    rows = iter(reader)
    while broken is None:
        try:
            held += islice(rows, size - len(held))
        except Exception as error:  # it raises nearly anything on damaged files; what came before is good
            broken = error
        if not held:
            break
        yield _batch(held, schema, columns)
        held = []
    if broken is not None:
        raise broken


def _batch(held: Sequence[dict[str, Any]], schema: Any, columns: Sequence[str] | None) -> Any:
    import pyarrow as pa

    names = schema.names if columns is None else [name for name in columns if name in schema.names]
    arrays = [_array([record.get(name) for record in held], schema.field(name).type) for name in names]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([schema.field(name) for name in names]))


def _array(values: Sequence[Any], kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_string(kind):
        values = [None if v is None else v if isinstance(v, str) else _text(v) for v in values]
    elif pa.types.is_map(kind):
        values = [None if v is None else list(v.items()) for v in values]
    return pa.array(values, kind)


def _text(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)


@dataclass(frozen=True)
class AvroPartition(TablePartition):
    """One file."""

    path: Path
    shown: str
    plan: TablePlan

    def sample_id(self, line: int) -> str:
        """File and 0-based row."""
        return f"{self.shown}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """As they are stored."""
        done = 0
        try:
            with self.path.open("rb") as raw:
                reader = _library(self.shown).reader(raw)
                schema = _schema(reader.writer_schema)
                wanted = columns and ([name for name in columns if name in schema.names] or schema.names[:1])
                for batch in _batches(reader, schema, wanted, ROWS):
                    yield batch
                    done += batch.num_rows
        except GeneratorExit:
            raise
        except Exception as error:  # it raises nearly anything on damaged files
            if cells != "wanted":
                raise DatalintError(f"{self.shown} cannot be read to its end: {reason(error)}") from error
            problems.append(Problem("truncated", self.shown, f"breaks off after row {done:,}: {reason(error)}"))

    @property
    def schema(self) -> Any:
        """As the file's own schema says."""
        try:
            with self.path.open("rb") as raw:
                return _schema(_library(self.shown).reader(raw).writer_schema)
        except Exception as error:  # as above
            raise DatalintError(f"{self.shown} cannot be read: {reason(error)}") from error

    def write(self, path: Path, batches: Iterable[Any]) -> AvroPartition:  # noqa: ARG002
        """Not written: not all of its types are kept.

        Raises:
            DatalintError: always.
        """
        raise DatalintError(f"{self.shown}: such files are not written again; save the table as CSV or Parquet")
