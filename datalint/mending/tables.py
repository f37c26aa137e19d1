"""Table files with every cell as it was written, to be written again without some rows or in another order.

They are read and written in record batches, so that memory does not grow with the size of a file.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.sources.tables.format import TablePartition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.dataset import Dataset


class Table:
    """One file, read in batches as often as it is needed; it is never in memory as a whole."""

    def __init__(self, partitions: Sequence[TablePartition]) -> None:
        """The file that these partitions make up, in their order."""
        self.partition = partitions[0]
        """The one at the top, which knows how the file is written."""
        self._parts = list(partitions)
        self._rows: int | None = None

    def __len__(self) -> int:
        """Rows; counted by reading the file once."""
        if self._rows is None:
            self._rows = sum(batch.num_rows for batch in self.batches(self.names[:1]))
        return self._rows

    @property
    def path(self) -> Path:
        """The file as it is now."""
        return self._parts[0].path

    @cached_property
    def schema(self) -> Any:
        """Names and types of the columns, and of what else a format needs to write them."""
        return self.partition.schema

    @cached_property
    def names(self) -> list[str]:
        """The columns."""
        return self.partition.names

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The rows in their order, as Arrow record batches of some columns, or of all with what is needed to write them.

        Raises:
            DatalintError: the file cannot be read to its end.
        """
        for part in self._parts:
            yield from part.raw_rows(columns, verbatim=True)

    def picked(self, rows: Sequence[int], columns: Sequence[str]) -> Any:
        """Some columns of at least one row as an Arrow table, in the order in which they are named."""
        import pyarrow as pa

        wanted = np.unique(np.asarray(rows, np.int64))
        found: list[Any] = []
        start = 0
        for batch in self.batches(columns):
            low, high = np.searchsorted(wanted, (start, start + batch.num_rows))
            if high > low:
                found.append(batch.take(pa.array(wanted[low:high] - start)))
            start += batch.num_rows
        return pa.Table.from_batches(found, found[0].schema).take(
            pa.array(np.searchsorted(wanted, np.asarray(rows, np.int64)))
        )

    def write(self, path: Path, batches: Iterable[Any]) -> None:
        """Put these rows in place of the file's at ``path``, written the way its source is, and read them from now on."""
        self._parts, self._rows = [self.partition.write(path, batches)], None


def load(dataset: Dataset) -> list[Table]:
    """The files of a table data set, in the order of its partitions."""
    parts: dict[Path, list[TablePartition]] = {}
    for partition in dataset.partitions:
        if isinstance(partition, TablePartition):
            parts.setdefault(partition.path, []).append(partition)
    return [Table(found) for found in parts.values()]
