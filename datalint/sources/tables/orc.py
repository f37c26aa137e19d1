"""Apache ORC as a table format, read in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.core.terms import Storage
from datalint.core.writing import replacing
from datalint.sources.files import reason
from datalint.sources.tables import orc_reader
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

MOST_HEAD = 500
"""Rows of each stripe that are looked at to recognise the columns."""


class OrcFormat(TableFormat):
    """Files of ORC, whatever they are called."""

    title = "ORC"
    storage = Storage.ORC
    suffixes = frozenset({".orc"})
    magic = (b"ORC",)

    def look(self, file: Candidate) -> TableFile:
        """Read rows of some stripes."""
        import pyarrow as pa

        try:
            with _reading(file.path, stripes=CHUNKS, most=MOST_HEAD) as stream:
                schema = stream.schema
                most = max(50, CELLS // max(1, len(schema)) // CHUNKS)
                read = [record.slice(0, most) for record in stream]
        except (pa.ArrowException, OSError, ValueError) as error:
            raise NotATable(f"a damaged ORC file: {reason(error)}") from error
        return arrow_table_file(file, self, schema, read, schema.metadata[b"rows"] != b"0")

    def whole(self, file: TableFile, plan: TablePlan) -> OrcPartition:
        """All stripes."""
        return OrcPartition(file.path.absolute(), file.shown, plan)


@contextmanager
def _reading(
    path: Path, columns: Sequence[str] | None = None, stripes: int | None = None, most: int | None = None
) -> Iterator[Any]:
    """The rows of a file as an Arrow stream.

    Raises:
        OSError: the file is damaged; raised at the end of the stream, too.
    """
    import subprocess
    import tempfile

    import pyarrow as pa

    order = {
        "path": os.fspath(path),
        "columns": None if columns is None else [*columns],
        "stripes": stripes,
        "most": most,
    }
    command = [sys.executable, "-P", "-m", orc_reader.__name__, json.dumps(order)]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as process,  # noqa: S603
    ):
        assert process.stdout is not None
        try:
            begun = bool(process.stdout.peek(1))  # type: ignore[attr-defined]
            if begun:
                yield pa.ipc.open_stream(process.stdout)
            process.stdout.read()
            if process.wait() or not begun:
                said.seek(0)
                lines = said.read().decode("utf-8", "replace").strip().splitlines()
                told = process.returncode == orc_reader.DAMAGED and lines
                raise OSError(lines[-1] if told else "the library that reads it breaks down")
        finally:
            process.kill()


@dataclass(frozen=True)
class OrcPartition(TablePartition):
    """One ORC file."""

    path: Path
    shown: str
    plan: TablePlan

    def sample_id(self, line: int) -> str:
        """File and 0-based row."""
        return f"{self.shown}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """As stored."""
        import pyarrow as pa

        try:
            with _reading(self.path, columns) as stream:
                step = max(1, min(ROWS, BATCH_CELLS // max(1, len(stream.schema))))
                for record in stream:
                    yield from (record.slice(at, step) for at in range(0, record.num_rows, step))
        except (pa.ArrowException, OSError, ValueError) as error:
            problems.append(self.broken(error, cells))

    @property
    def schema(self) -> Any:
        """As stored."""
        return self._told().remove_metadata()

    def _told(self) -> Any:
        import pyarrow as pa

        try:
            with _reading(self.path, stripes=0) as stream:
                return stream.schema
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DatalintError(f"{self.shown} cannot be read: {reason(error)}") from error

    def write(self, path: Path, batches: Iterable[Any]) -> OrcPartition:
        """A stripe for some of the batches, packed as the file is."""
        import pyarrow as pa
        from pyarrow import orc

        packing = self._told().metadata[b"packing"].decode()
        with replacing(path) as file, orc.ORCWriter(file, compression=packing) as writer:
            for record in batches:
                writer.write(pa.Table.from_batches([record]))
        return replace(self, path=path)
