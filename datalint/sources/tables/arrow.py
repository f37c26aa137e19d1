"""Arrow IPC as a table format: Feather and ``.arrow`` files, and the streams that ``Dataset.save_to_disk`` writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.core.terms import Storage
from datalint.core.writing import replacing
from datalint.sources.files import reason
from datalint.sources.places import arrow_file
from datalint.sources.tables.arrow_stream import FILE, STREAM, ArrowStream
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import CELLS, CHUNKS, Candidate, TableFile, TableFormat, TablePartition
from datalint.sources.tables.kinds import arrow_table_file
from datalint.sources.tables.parquets import BATCH_CELLS, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.problem import Problem
    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells


class ArrowFormat(TableFormat):
    """Arrow files and streams, whatever they are called."""

    title = "Arrow"
    storage = Storage.ARROW
    suffixes = frozenset({".arrow", ".feather"})
    magic = (FILE, STREAM)

    def look(self, file: Candidate) -> TableFile:
        """Read rows from all over the file."""
        import pyarrow as pa

        try:
            with arrow_file(file.path) as raw:
                stream = ArrowStream(raw)
                batches = list(stream.batches())
                count, read = sum(batch.rows for batch in batches), []
                most = max(50, min(5_000, CELLS // max(1, len(stream.schema.names))) // CHUNKS)
                above = 0
                for batch in batches:
                    rows = range(above, above := above + batch.rows)
                    places = [k for k in range(CHUNKS) if count * k // CHUNKS in rows and batch.rows]
                    record: Any = stream.read(batch) if places else None
                    for k in places:
                        first = count * k // CHUNKS
                        read.append(record.slice(first - rows[0], min(most, count * (k + 1) // CHUNKS - first)))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise NotATable(f"a damaged Arrow file: {reason(error)}") from error
        return arrow_table_file(file, self, stream.schema, read, count > 0)

    def whole(self, file: TableFile, plan: TablePlan) -> ArrowPartition:
        """All record batches: a dictionary may stand in any before the one that needs it."""
        return ArrowPartition(file.path.absolute(), file.shown, plan)


@dataclass(frozen=True)
class ArrowPartition(TablePartition):
    """One Arrow file or stream."""

    path: Path
    shown: str
    plan: TablePlan

    def sample_id(self, line: int) -> str:
        """File and 0-based row."""
        return f"{self.shown}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """As they are stored."""
        import pyarrow as pa

        try:
            with arrow_file(self.path) as raw:
                stream = ArrowStream(raw, columns)
                step = max(1, min(ROWS, BATCH_CELLS // max(1, len(stream.schema.names))))
                for batch in stream.batches():
                    record = stream.read(batch)
                    yield from (record.slice(at, step) for at in range(0, record.num_rows, step))
        except (pa.ArrowException, OSError, ValueError) as error:
            problems.append(self.broken(error, cells))

    @property
    def schema(self) -> Any:
        """As stored."""
        import pyarrow as pa

        try:
            with arrow_file(self.path) as raw:
                return ArrowStream(raw).schema
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DatalintError(f"{self.shown} cannot be read: {reason(error)}") from error

    def write(self, path: Path, batches: Iterable[Any]) -> ArrowPartition:
        """As a file or stream like this one, packed like its first batch."""
        import pyarrow as pa

        with arrow_file(self.path) as raw:
            stream = ArrowStream(raw)
            codec = next((batch.codec for batch in stream.batches()), None)
        new = pa.ipc.new_file if stream.begin else pa.ipc.new_stream
        options = pa.ipc.IpcWriteOptions(compression=codec, emit_dictionary_deltas=True)
        with replacing(path) as file, new(file, stream.schema, options=options) as writer:
            for record in batches:
                writer.write_batch(record)
        return replace(self, path=path)
