"""TFRecord files: each record a ``tf.train.Example``, whose features are the columns; other records are told apart, no more."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal

from datalint.core.dataset import Problem
from datalint.core.errors import DatalintError
from datalint.core.writing import replacing
from datalint.sources.files import HEAD_BYTES, printable, reason
from datalint.sources.packing import stream_in, unpacked_limit
from datalint.sources.records.examples import NoExample, Values, example, features_of
from datalint.sources.records.frames import Broken, frame, groups, starts_as_frame
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import Candidate, TableFile, TableFormat, TablePartition
from datalint.sources.tables.kinds import arrow_table_file
from datalint.sources.tables.picture_columns import is_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells

HEAD = 1_000
"""Records that are looked at."""

LOOKED_AT = 64 << 20
"""Bytes of records that are looked at."""

RECORD = "record"
"""The column of records that are no Examples."""

MAX_COLUMNS = 10_000

NAME = re.compile(r".*\.tfrecords?(-\d+-of-\d+)?")
"""Names of files, in lower case, as TensorFlow Datasets writes them too."""

Kind = Literal["bytes", "text", "float", "int", "floats", "ints", "list"]


class TfRecordFormat(TableFormat):
    """Files of framed records."""

    title = "TFRecord"
    suffixes: ClassVar[frozenset[str]] = frozenset({".tfrecord", ".tfrecords"})

    def recognises(self, start: bytes, name: str) -> bool:  # noqa: ARG002 - as TableFormat has it
        """By the name: a record may begin with anything."""
        return NAME.fullmatch(name) is not None

    def look(self, file: Candidate) -> TableFile:
        """Read the first records."""
        if not starts_as_frame(file.start[0]):
            raise NotATable(
                "an empty file" if not file.start[0] else "no TFRecord: the checksum of its first length is wrong"
            )
        records: list[bytes] = []
        held = 0
        try:
            with _stream(file.path) as stream:
                for group in groups(stream, check=False):
                    records += group
                    held += sum(map(len, group))
                    if len(records) >= HEAD or held >= LOOKED_AT:
                        break
        except (Broken, OSError, EOFError, zlib.error) as error:
            if not records:
                raise NotATable(f"a damaged TFRecord file: {reason(error)}") from error
        kinds = kinds_of(records[:HEAD])
        table = _batch(records[:HEAD], kinds, None)
        found = arrow_table_file(file, self, table.schema, [table], bool(records))
        found.about = tuple(kinds.items())
        if [*kinds] == [RECORD]:
            text = "its records are no Examples: no more than their frames and checksums are looked at"
            found.problems = [Problem("unseen", file.shown, text)]
        return found

    def whole(self, file: TableFile, plan: TablePlan) -> TfRecordPartition:
        """All records."""
        return TfRecordPartition(file.path.absolute(), file.shown, plan, file.about)


def kinds_of(records: Sequence[bytes]) -> dict[str, Kind]:
    """What each feature holds, as some records show it; a single column of whole records where they are no Examples."""
    rows = []
    for record in records:
        try:
            rows.append(features_of(record))
        except NoExample:
            return {RECORD: "bytes"}
    values: dict[str, list[Values]] = {}
    for row in rows:
        for name, held in row.items():
            values.setdefault(name, []).append(held)
    if not values or len(values) > MAX_COLUMNS:
        return {RECORD: "bytes"}
    return {name: _kind(values[name]) for name in sorted(values)}


def _kind(held: Sequence[Values]) -> Kind:
    single = all(len(values) <= 1 for values in held)
    flat = [value for values in held for value in values]
    if all(isinstance(value, int) for value in flat):
        return "int" if single else "ints"
    if all(isinstance(value, float | int) for value in flat):
        return "float" if single else "floats"
    texts = [value for value in flat if isinstance(value, bytes)]
    if not single or len(texts) < len(flat):
        return "list"
    return "bytes" if any(map(is_picture, texts)) or not all(map(_is_text, texts)) else "text"


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False


@dataclass(frozen=True)
class TfRecordPartition(TablePartition):
    """One file of records."""

    path: Path
    shown: str
    plan: TablePlan
    kinds: tuple[tuple[str, Kind], ...]

    def sample_id(self, line: int) -> str:
        """File and 0-based record."""
        return f"{self.shown}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """Some records at a time, each checked against its checksum."""
        kinds = dict(self.kinds)
        wanted = None if columns is None else [name for name in kinds if name in columns] or [*kinds][:1]
        strange = 0
        try:
            with _stream(self.path) as stream:
                for group in groups(stream):
                    batch = _batch(group, kinds, wanted)
                    strange += batch.schema.metadata is not None and int(batch.schema.metadata.get(b"strange", b"0"))
                    yield batch.replace_schema_metadata(None)
        except Broken as error:
            if cells != "wanted":
                raise DatalintError(f"{self.shown} cannot be read to its end: {error}") from error
            problems.append(Problem("truncated", self.shown, str(error)))
        except (OSError, EOFError, ValueError, zlib.error) as error:
            problems.append(self.broken(error, cells))
        if strange:
            text = f"{strange:,} records that are no Examples among those that are"
            problems.append(Problem("unreadable", self.shown, text))

    @property
    def schema(self) -> Any:
        """Of the kinds that its first records show."""
        return _batch([], dict(self.kinds), None).schema

    def write(self, path: Path, batches: Iterable[Any]) -> TfRecordPartition:
        """With the same features."""
        with replacing(path) as file:
            for batch in batches:
                for row in batch.to_pylist():
                    file.write(frame(_stored(row)))
        return TfRecordPartition(path, self.shown, self.plan, self.kinds)


def _stored(row: dict[str, Any]) -> bytes:
    if row.keys() == {RECORD}:
        return row[RECORD] or b""
    lists = {name: value if isinstance(value, list) else [value] for name, value in row.items() if value is not None}
    held = {name: [v.encode() if isinstance(v, str) else v for v in values] for name, values in lists.items()}
    return example(held)


def _stream(path: Path) -> IO[bytes]:
    return stream_in(path.open("rb", buffering=HEAD_BYTES), unpacked_limit(path.stat().st_size))


def _batch(records: Sequence[bytes], kinds: dict[str, Kind], wanted: Sequence[str] | None) -> Any:
    """Records as an Arrow record batch, whose metadata say how many of them are no Examples."""
    import pyarrow as pa

    names = [*kinds] if wanted is None else [*wanted]
    strange = 0
    if [*kinds] == [RECORD]:
        return pa.RecordBatch.from_arrays([pa.array(records, pa.binary())], [RECORD])
    rows: list[dict[str, Values]] = []
    for record in records:
        try:
            rows.append(features_of(record))
        except NoExample:
            rows.append({})
            strange += 1
    arrays = [_array([row.get(name, []) for row in rows], kinds[name]) for name in names]
    batch = pa.RecordBatch.from_arrays(arrays, list(map(printable, names)))
    return batch.replace_schema_metadata({"strange": str(strange)}) if strange else batch


def _array(held: Sequence[Values], kind: Kind) -> Any:
    import pyarrow as pa

    if kind in {"bytes", "text"}:
        cells = [next((value for value in values if isinstance(value, bytes)), None) for values in held]
        texts = kind == "text"
        return pa.array(
            [c and c.decode("utf-8", "replace") for c in cells] if texts else cells,
            pa.string() if texts else pa.binary(),
        )
    if kind in {"int", "float"}:
        numbers = [next((value for value in values if not isinstance(value, bytes)), None) for values in held]
        if kind == "int" and all(isinstance(value, int) or value is None for value in numbers):
            return pa.array(numbers, pa.int64())
        return pa.array([None if value is None else float(value) for value in numbers], pa.float64())
    if kind == "ints" and all(isinstance(value, int) for values in held for value in values):
        return pa.array(held, pa.list_(pa.int64()))
    if kind == "list":
        return pa.array(
            [[value if isinstance(value, bytes) else str(value).encode() for value in values] for values in held],
            pa.list_(pa.binary()),
        )
    return pa.array(
        [[float(value) for value in values if not isinstance(value, bytes)] for values in held], pa.list_(pa.float64())
    )
