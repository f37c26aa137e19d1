"""Parquet as a table format, read as a stream of record batches."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Problem
from datalint.core.errors import DatalintError
from datalint.core.terms import Storage
from datalint.core.writing import replacing
from datalint.sources.files import reason
from datalint.sources.places import arrow_file
from datalint.sources.tables import nested
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import CELLS as LOOKED_AT
from datalint.sources.tables.format import CHUNKS, Candidate, TableFile, TableFormat, TablePartition
from datalint.sources.tables.kinds import arrow_kind, arrow_table_file, is_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells

NO_CUT = 1 << 62
PARTITION_ROWS = 1_000_000
"""Rows of a partition, about."""

PARTITION_PICTURES = 2_000
"""The same where the rows hold pictures."""

ROWS = 65_536
"""Rows decoded at a time, at most."""

BATCH_CELLS = 4_000_000
BATCH_BYTES = 64 << 20
"""Cells and bytes decoded at a time, about."""

CELLS = 200_000_000
CELLS_PER_BYTE = 20
"""Cells read of a file of any size, and per byte of a larger one: a run of equal values takes no room."""

UNPACKED = 256 << 20
"""Bytes that the values of one column in one row group may unpack to: a page of them is decoded at once."""

DICTIONARIES = {"RLE_DICTIONARY", "PLAIN_DICTIONARY"}
"""Encodings of values as places in a list of those that differ."""

HEAD = 8
"""Rows of columns that may hold large values."""

PAGE = 64 << 10
"""Bytes read at a time of a file on a server of which little is wanted."""

AHEAD = 16 << 20
"""Bytes of such a file that are asked for before they are decoded, unless one row group holds more."""

SMALL = 32 << 20
"""Bytes of a file whose texts are decoded with their dictionaries, which is slower where there are many different ones."""


class ParquetFormat(TableFormat):
    """Parquet, whatever the file is called."""

    title = "Parquet"
    storage = Storage.PARQUET
    suffixes = frozenset({".parquet", ".pq"})
    magic = (b"PAR1",)

    def look(self, file: Candidate) -> TableFile:
        """Read rows of some row groups."""
        import pyarrow as pa

        try:
            with arrow_file(file.path) as raw:
                stored = Decoder(raw, file.path.stat().st_size, glance=True)
                typed = zip(stored.names, stored.schema.types, strict=True)
                places = nested.within(stored.schema)
                held = {place[0] for place in places}
                wanted = [n for n, kind in typed if n in held or arrow_kind(kind)[0] != "other" or is_list(kind)]
                count = len(stored.groups)
                groups = sorted({count * k // CHUNKS for k in range(CHUNKS)}) if count else []
                readable, _ = stored.decodable(wanted, groups)
                rows = max(50, min(5_000, LOOKED_AT // max(1, len(stored.names))) // CHUNKS)
                read = [next(stored.records(readable, [group], rows), None) for group in groups] if readable else []
                records = [record for record in read if record is not None]
                return arrow_table_file(file, self, stored.schema, records, stored.rows > 0, stored.head, places)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise NotATable(f"a damaged Parquet file: {reason(error)}") from error

    def whole(self, file: TableFile, plan: TablePlan) -> ParquetPartition:
        """All row groups."""
        (part,) = row_group_partitions(file.path.absolute(), file.shown, plan, NO_CUT)
        return part

    def partitions(self, file: TableFile, plan: TablePlan) -> list[ParquetPartition]:
        """Some row groups each."""
        rows = PARTITION_PICTURES if file.pictures or file.sounds else PARTITION_ROWS
        return row_group_partitions(file.path.absolute(), file.shown, plan, rows)


@dataclass(frozen=True)
class ParquetPartition(TablePartition):
    """Some row groups of one Parquet file."""

    path: Path
    shown: str
    groups: tuple[int, ...]
    first_row: int
    """Row of the file at which the first of these row groups starts."""
    plan: TablePlan
    most: int | None = None
    """Rows after which the rest of the file is left out; None to read all of these row groups."""

    def sample_id(self, line: int) -> str:
        """File and 0-based row."""
        return f"{self.shown}[{line + self.first_row}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """As they are stored; texts that a small file repeats with their dictionary, where it need not be as stored."""
        import pyarrow as pa

        done = 0
        try:
            with arrow_file(self.path) as raw:
                file = Decoder(raw, self.path.stat().st_size)
                present = set(file.names)
                places = nested.within(file.schema) if columns and not present.issuperset(columns) else frozenset()
                leads = {name: nested.path_of(name, places)[0] for name in columns or file.names}
                wanted = [*dict.fromkeys(lead for lead in leads.values() if lead in present)] or file.names[:1]
                readable, bombs = file.decodable(wanted, self.groups)
                if bombs and cells != "wanted":
                    raise DatalintError(f"{self.shown} cannot be read whole: {bombs[0]}")
                problems += [Problem("unreadable", self.shown, text) for text in bombs]
                for whole in file.records(readable, self.groups, ROWS, cells == "wanted") if readable else ():
                    record = whole
                    if places:
                        inner = set(nested.leaves(record.schema, places).names)
                        record = nested.columns(record, [name for name in leads if name in inner], places)
                    yield record if self.most is None else record.slice(0, self.most - done)
                    done += record.num_rows
                    if self.most is not None and done >= self.most:
                        text = (
                            f"its rows from {self.first_row + self.most:,} on, of {file.rows:,}: so few bytes "
                            f"({file.size:,}) hold that many only by repeating themselves"
                        )
                        problems.append(Problem("not-scanned", self.shown, text))
                        break
        except (pa.ArrowException, OSError, ValueError) as error:
            problems.append(self.broken(error, cells))

    @property
    def schema(self) -> Any:
        """As stored."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with arrow_file(self.path) as raw, pq.ParquetFile(raw) as file:
                return file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise DatalintError(f"{self.shown} cannot be read: {reason(error)}") from error

    def write(self, path: Path, batches: Iterable[Any]) -> ParquetPartition:
        """With the same schema, in row groups of its batches."""
        import pyarrow.parquet as pq

        with replacing(path) as file, pq.ParquetWriter(file, self.schema) as writer:
            for batch in batches:
                if batch.num_rows:
                    writer.write_batch(batch)
        (whole,) = row_group_partitions(path, self.shown, self.plan, NO_CUT)
        return whole


class _Unread(io.RawIOBase):
    """A file of some size that remembers whether any of it was asked for, and gives nothing."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0
        self.asked = False

    def readable(self) -> bool:
        """As a file."""
        return True

    def seekable(self) -> bool:
        """As a file."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As a file."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        """As a file."""
        return self._at

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - as a file's
        """Nothing, which ends the reader; an exception raised here would cost it several times as much."""
        self.asked = True
        return b""


def _text_bytes(array: Any) -> int:
    """Bytes of the texts that lie in lists and point into a dictionary."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        lengths = pc.binary_length(array.dictionary)
        return int(pc.sum(lengths.take(array.indices)).as_py() or 0)
    if pa.types.is_map(kind):
        return _text_bytes(array.keys) + _text_bytes(array.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _text_bytes(array.flatten())
    return sum(map(_text_bytes, array.flatten())) if pa.types.is_struct(kind) else 0


class Decoder:
    """A Parquet file that is decoded in pieces of bounded size, whatever its pages unpack to.

    Raises:
        OSError, pyarrow.ArrowException: the file is not Parquet or is damaged.
    """

    def __init__(self, raw: Any, size: int, glance: bool = False) -> None:
        """``glance``: whether a few rows of some row groups are all that is wanted."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.size = size
        self._raw = raw
        self._far = not isinstance(raw, pa.OSFile)
        # What comes from a server is asked for in few large pieces, unless most of them would not be looked at; of a file that is
        # at hand these would pile up in memory.
        self._how: dict[str, Any] = {"pre_buffer": self._far and not glance}
        if self._far and glance:
            self._how["buffer_size"] = PAGE
        self._file: Any = pq.ParquetFile(raw, **self._how)
        self._metadata: Any = self._file.metadata
        self.schema: Any = self._file.schema_arrow
        self.names: list[str] = self.schema.names
        self.rows: int = self._metadata.num_rows
        self.groups = range(self._metadata.num_row_groups)

    def _chunks(self, group: int, columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """The stored pieces of some columns in one row group; of a nested column all of its leaves."""
        wanted = set(columns)
        stored = self._metadata.row_group(group)
        for j in range(stored.num_columns):
            chunk = stored.column(j)
            path = chunk.path_in_schema
            name = path if path in wanted else path.partition(".")[0]
            if name in wanted:
                yield name, chunk

    def _check(self, groups: Sequence[int]) -> None:
        """Raise what is wrong with the metadata of some row groups: pyarrow ends the process if damaged ones are looked at.

        A reader meets the same errors, and raises them before it asks for the first byte.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        source = _Unread(self.size)
        # With a buffer for each column none is read before all are set up.
        file = pq.ParquetFile(pa.PythonFile(source, mode="r"), metadata=self._metadata, buffer_size=1024)
        for group in groups:
            source.asked = False
            try:
                next(file.iter_batches(1, row_groups=[group], use_threads=False), None)
            except (pa.ArrowException, OSError, ValueError):
                if not source.asked:
                    raise

    def decodable(self, columns: Sequence[str], groups: Sequence[int]) -> tuple[list[str], list[str]]:
        """The columns without those that unpack to far more than data do, and what to say of these."""
        self._check(groups)
        bombs: dict[str, str] = {}
        for group in groups:
            for name, chunk in self._chunks(group, columns):
                unpacked, packed = chunk.total_uncompressed_size, max(0, chunk.total_compressed_size)
                most = max(UNPACKED, 100 * packed)
                if name != chunk.path_in_schema and unpacked * chunk.num_values > most:
                    unpacked = max(unpacked, self._texts_in_lists(group, chunk))
                if unpacked > most:
                    bombs[name] = f"column {name!r} unpacks from {packed:,} to {unpacked:,} bytes; it is left out"
        return [name for name in columns if name not in bombs], list(bombs.values())

    def _texts_in_lists(self, group: int, chunk: Any) -> int:
        """What the texts in lists of a small file come to, which may be many times one of its dictionary."""
        import pyarrow.parquet as pq

        if chunk.physical_type != "BYTE_ARRAY" or not DICTIONARIES & set(chunk.encodings) or self.size >= SMALL:
            return 0
        path = chunk.path_in_schema
        file = pq.ParquetFile(self._raw, metadata=self._metadata, read_dictionary=[path], **self._how)
        rows = BATCH_CELLS * self._metadata.row_group(group).num_rows // max(1, chunk.num_values)
        records = file.iter_batches(max(1, min(ROWS, rows)), row_groups=[group], columns=[path], use_threads=False)
        return sum(_text_bytes(column) for record in records for column in record.columns)

    def head(self, columns: Sequence[str]) -> Any:
        """A few rows of some columns; None where they cannot be had."""
        groups = list(self.groups[:1])
        readable, _ = self.decodable(columns, groups)
        return next(self.records(readable, groups, HEAD), None) if readable and groups else None

    def records(
        self, columns: Sequence[str], groups: Sequence[int], rows: int, folded_texts: bool = True
    ) -> Iterator[Any]:
        """The rows of some row groups as record batches of at most so many rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = zip(self.names, self.schema.types, strict=True)
        texts = {name for name, kind in kinds if pa.types.is_string(kind) or pa.types.is_large_string(kind)}
        stored = held = 0
        folded: set[str] = set()
        for group in groups:
            held += self._metadata.row_group(group).num_rows
            for name, chunk in self._chunks(group, columns):
                # A dictionary holds what repeats once; of lists the number of values tells what they come to.
                stored += max(
                    chunk.total_uncompressed_size, 8 * chunk.num_values if name != chunk.path_in_schema else 0
                )
                if name in texts and DICTIONARIES & set(chunk.encodings):
                    folded.add(name)
        per_row = max(1, stored // max(1, held))
        step = max(1, min(rows, BATCH_CELLS // max(1, len(columns)), BATCH_BYTES // per_row))
        file = self._file
        if folded and folded_texts and self.size < SMALL:
            # Their sizes say nothing of how long the texts are that a few bytes repeat.
            file = pq.ParquetFile(self._raw, metadata=self._metadata, read_dictionary=sorted(folded), **self._how)
        for some in self._pieces(groups, columns):
            yield from file.iter_batches(step, row_groups=some, columns=list(columns), use_threads=False)

    def _pieces(self, groups: Sequence[int], columns: Sequence[str]) -> Iterator[list[int]]:
        """Row groups to be read in one go: pyarrow gets all their bytes from a server before it decodes the first."""
        some: list[int] = []
        held = 0
        for group in groups if self._far else ():
            size = sum(chunk.total_compressed_size for _, chunk in self._chunks(group, columns))
            if some and (held + size > AHEAD or some[0] == groups[0]):  # the first alone: there may be no more wanted
                yield some
                some, held = [], 0
            some.append(group)
            held += size
        if some or not self._far:
            yield some or list(groups)


def row_group_partitions(path: Path, shown: str, plan: TablePlan, rows: int) -> list[ParquetPartition]:
    """Cut a file at row groups into partitions of about ``rows`` rows.

    Raises:
        OSError, pyarrow.ArrowException: the file is not Parquet or is damaged.
    """
    import pyarrow.parquet as pq

    with arrow_file(path) as raw, pq.ParquetFile(raw) as file:
        sizes = [file.metadata.row_group(k).num_rows for k in range(file.metadata.num_row_groups)]
    left = max(CELLS, CELLS_PER_BYTE * path.stat().st_size) // max(1, len(plan.fields))
    parts: list[ParquetPartition] = []
    groups: list[int] = []
    first = held = 0
    for k, size in enumerate(sizes):
        if groups and held + size > rows:
            parts.append(ParquetPartition(path, shown, tuple(groups), first, plan))
            first, held, groups = first + held, 0, []
        groups.append(k)
        held += size
        if first + held > left:
            return [*parts, ParquetPartition(path, shown, tuple(groups), first, plan, left - first)]
    if groups or not parts:
        parts.append(ParquetPartition(path, shown, tuple(groups), first, plan))
    return parts
