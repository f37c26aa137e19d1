"""Tables whose reader gives rows of Python values: sheets and tables of databases."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.core.problem import Problem
from datalint.sources.files import printable, reason
from datalint.sources.tables.format import TableFile, TablePartition, left_out
from datalint.sources.tables.kinds import kind_of, text_head

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Candidate, Cells, TableFormat

BATCH_CELLS = 1_000_000
"""Cells of one batch, about."""


def table_of_rows(
    file: Candidate, format_: TableFormat, inside: str, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> TableFile:
    """A table of these columns, as some of its rows show it."""
    found = TableFile(file.path, f"{file.shown}/{printable(inside)}", inside, format_, (), {}, {}, inside=inside)
    for j, name in enumerate(names):
        values = [row[j] for row in rows]
        present = [value for value in values if value is not None]
        if present and 2 * sum(isinstance(value, bytes) for value in present) > len(present):
            found.problems.append(left_out(found.shown, name, "bytes"))
            found.unseen[name] = "bytes"
            continue
        cells = [text_of(value) for value in values]
        kind, dtype = found.kinds[name], found.dtypes[name] = kind_of(cells)
        found.columns += (text_head(name, kind, dtype, cells),)
    found.empty = not rows
    return found


def text_of(value: Any) -> str | None:
    """A value as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value)


def unique_names(names: Iterable[Any]) -> list[str]:
    """Names of columns; those that are missing or there twice get their number."""
    found: dict[str, None] = {}
    for number, raw in enumerate(names, 1):
        name = printable((text_of(raw) or "").strip()) or f"column_{number}"
        found[name if name not in found else f"{name}.{number}"] = None
    return [*found]


@dataclass(frozen=True)
class RowsPartition(TablePartition):
    """One table of a file."""

    path: Path
    shown: str
    plan: TablePlan
    inside: str

    @abstractmethod
    def read(self, columns: Sequence[str], size: int) -> Generator[list[Sequence[Any]]]:
        """The values of some columns, so many rows at a time.

        Raises:
            OSError, ValueError: the file is damaged; what came before is good.
        """

    def sample_id(self, line: int) -> str:
        """File, table and 0-based row."""
        return f"{self.shown}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """Numbers as numbers, all else as text, or all as text."""
        kinds = {f.name: f.kind for f in self.plan.fields}
        known = [*kinds, *(self.plan.unseen if cells == "wanted" else ())]
        wanted = [name for name in columns or kinds if name in known]
        try:
            with closing(self.read(wanted, max(1, BATCH_CELLS // max(1, len(wanted))))) as blocks:
                for rows in blocks:
                    yield _record(wanted, rows, kinds if cells == "wanted" else dict.fromkeys(wanted, "text"))
        except (OSError, ValueError) as error:
            problems.append(Problem("truncated", self.shown, f"breaks off: {reason(error)}"))

    @property
    def names(self) -> list[str]:
        """The columns."""
        return [f.name for f in self.plan.fields]

    @property
    def schema(self) -> Any:
        """The columns as texts."""
        import pyarrow as pa

        return pa.schema([(name, pa.string()) for name in self.names])

    def write(self, path: Path, batches: Iterable[Any]) -> RowsPartition:  # noqa: ARG002
        """Not written: what else the file holds would be lost.

        Raises:
            DatalintError: always.
        """
        raise DatalintError(f"{self.shown}: such files are not written again; save the table as CSV or Parquet")


def _record(names: Sequence[str], rows: Sequence[Sequence[Any]], kinds: Mapping[str, str]) -> Any:
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else [[] for _ in names]
    return pa.RecordBatch.from_arrays(
        [_array(values, kinds.get(name, "bytes")) for name, values in zip(names, columns, strict=True)], [*names]
    )


def _array(values: Sequence[Any], kind: str) -> Any:
    import pyarrow as pa

    if kind != "text":
        try:
            return pa.array(values, pa.float64() if kind == "number" else pa.binary())
        except (pa.ArrowException, TypeError, OverflowError):
            pass  # some are something else
    return pa.array([text_of(value) for value in values], pa.string())
