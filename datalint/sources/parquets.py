"""Reading Parquet files as a stream of record batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.dataset import Batch, Problem
from datalint.sources.convert import TableFilePartition, TableReader
from datalint.sources.files import arrow_file, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.dataset import Aspect
    from datalint.sources.convert import TablePlan

ROWS = 65_536


@dataclass(frozen=True)
class ParquetPartition(TableFilePartition):
    """Some row groups of one Parquet file."""

    path: Path
    shown: str
    groups: tuple[int, ...]
    first_row: int
    """Row of the file at which the first of these row groups starts."""
    plan: TablePlan

    def sample_id(self, line: int) -> str:
        """File and 0-based row."""
        return f"{self.shown}[{line + self.first_row}]"

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the rows; what cannot be decoded becomes a problem."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        reader = TableReader(self.plan, labels_only="table" not in aspects)
        try:
            with arrow_file(self.path) as raw, pq.ParquetFile(raw) as file:
                present = set(file.schema_arrow.names)
                columns = [name for name in reader.columns if name in present] or file.schema_arrow.names[:1]
                for record in file.iter_batches(ROWS, row_groups=list(self.groups), columns=columns, use_threads=False):
                    yield from reader.read(record)
        except (pa.ArrowException, OSError, ValueError) as error:
            message = f"breaks off: {reason(error)}"
            problem = Problem("truncated", self.shown, message)
            yield Batch(reader.home, reader.line, 0, problems=[problem])


def row_group_partitions(path: Path, shown: str, plan: TablePlan, rows: int) -> list[ParquetPartition]:
    """
    Cut a file at row groups into partitions of about ``rows`` rows.

    Raises:
        OSError, pyarrow.ArrowException: the file is not Parquet or is damaged.
    """
    import pyarrow.parquet as pq

    with arrow_file(path) as raw, pq.ParquetFile(raw) as file:
        sizes = [file.metadata.row_group(k).num_rows for k in range(file.metadata.num_row_groups)]
    parts: list[ParquetPartition] = []
    groups: list[int] = []
    first = held = 0
    for k, size in enumerate(sizes):
        if groups and held + size > rows:
            parts.append(ParquetPartition(path, shown, tuple(groups), first, plan))
            first, held, groups = first + held, 0, []
        groups.append(k)
        held += size
    if groups or not parts:
        parts.append(ParquetPartition(path, shown, tuple(groups), first, plan))
    return parts
