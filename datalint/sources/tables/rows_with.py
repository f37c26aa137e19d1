"""Rows of a table of which one column holds the files of samples, such as pictures or recordings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.core.problem import Problem
    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells


class Rows(Protocol):
    """Where the rows come from: a partition of a table file, or a data set in memory."""

    @property
    def plan(self) -> TablePlan:
        """Which column is the label, and what says the split."""

    @property
    def split(self) -> str | None:
        """The split of all rows, if they share one."""

    @property
    def files_read(self) -> tuple[str, ...]:
        """The files whose content decides what is read."""

    @property
    def weight(self) -> int:
        """Bytes to be read, roughly."""

    def sample_id(self, line: int) -> str:
        """What a person can open to see the row at this place."""

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """The rows in their order as Arrow record batches."""


@dataclass(frozen=True)
class RowsWith(ABC):
    """Some rows with the files in one of their columns."""

    rows: Rows
    column: str

    @abstractmethod
    def shown(self, row: Mapping[str, Any], line: int) -> bytes | None:
        """What a report shows of a row, as a small WebP file; None where it cannot be read."""

    @property
    def beside(self) -> tuple[str, ...]:
        """Other columns that are shown."""
        return ()

    @property
    def split(self) -> str | None:
        """The split of all rows, if they share one."""
        return self.rows.split

    @property
    def files_read(self) -> tuple[str, ...]:
        """The files whose content decides what is read."""
        return self.rows.files_read

    @property
    def weight(self) -> int:
        """Bytes to be read, roughly."""
        return self.rows.weight

    def sample_id(self, line: int) -> str:
        """As the row's."""
        return self.rows.sample_id(line)

    def picture(self, line: int) -> bytes | None:
        """What one row holds as a small WebP file."""
        return self.pictures([line])[0]

    def pictures(self, lines: Sequence[int]) -> list[bytes | None]:
        """Those of several rows, in one pass."""
        made: dict[int, bytes | None] = {}
        wanted, start = sorted(set(lines)), 0
        for record in self.rows.records([self.column, *self.beside], [], "wanted") if wanted else ():
            while wanted and wanted[0] < start + record.num_rows:
                line = wanted.pop(0)
                made[line] = self.shown(record.slice(line - start, 1).to_pylist()[0], line)
            start += record.num_rows
            if not wanted:
                break
        return [made.get(line) for line in lines]
