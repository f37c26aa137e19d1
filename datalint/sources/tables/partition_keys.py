"""Columns that stand in the names of folders (``year=2024/label=cat/part-0.parquet``), as Hive, Spark and pandas write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from datalint.core import vocabulary
from datalint.core.errors import DatalintError
from datalint.sources.files import printable
from datalint.sources.tables.beside import joined
from datalint.sources.tables.convert import UNASSIGNED, TablePlan, TableReader
from datalint.sources.tables.format import TableFile, TableFormat, TablePartition
from datalint.sources.tables.kinds import kind_of, text_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.dataset import Aspect, Batch
    from datalint.core.problem import Problem
    from datalint.sources.tables.format import Candidate, Cells

Keys = dict[str, str | None]
"""Columns with the value that all rows of a file have in them."""

NULL = "__HIVE_DEFAULT_PARTITION__"
"""How a missing value is written."""

ROWS, MOST = 200, 5_000
"""Rows of each file, and of all, that show what such a column holds."""

_KEY = re.compile(r"([^=]+)=(.*)", re.DOTALL)


def is_key(folder: str) -> bool:
    """Whether the name of a folder is a column and its value."""
    return _KEY.fullmatch(folder) is not None


def keys_in(folders: Iterable[str]) -> Keys:
    """The columns that the names of folders, one in another, hold."""
    found = (_KEY.fullmatch(folder) for folder in folders)
    values = {printable(unquote(match[1])): printable(unquote(match[2])) for match in found if match}
    return {name: None if value in {"", NULL} else value for name, value in values.items()}


def keyed(tables: Sequence[tuple[TableFile, Keys]]) -> list[TableFile]:
    """The tables of one data set with the columns that are the same in all rows of each; their own columns come first."""
    names = list(dict.fromkeys(name for table, keys in tables for name in keys if name not in table.kinds))
    step = max(2, MOST // max(1, len(tables)))
    rows = [min(step, ROWS, max(2, *(len(head.values) for head in table.columns), 2)) for table, _ in tables]
    heads, kinds, dtypes = {}, {}, {}
    for name in names:
        cells = [keys.get(name) for (_, keys), count in zip(tables, rows, strict=True) for _ in range(count)]
        kinds[name], dtypes[name] = kind_of(cells)
        heads[name] = text_head(name, kinds[name], dtypes[name], cells)
    return [
        replace(
            table,
            format=KeyedFormat(table.format, {name: keys.get(name) for name in new}),
            columns=(*(heads[name] for name in new), *table.columns),
            kinds={name: kinds[name] for name in new} | table.kinds,
            dtypes={name: dtypes[name] for name in new} | table.dtypes,
        )
        if (new := [name for name in names if name not in table.kinds])
        else table
        for table, keys in tables
    ]


class KeyedFormat(TableFormat):
    """Files of another format with columns that stand in no file."""

    suffixes = frozenset()

    def __init__(self, inner: TableFormat, keys: Keys) -> None:
        self.title, self.storage = inner.title, inner.storage  # type: ignore[misc] # as of all files of that format
        self._inner, self.keys = inner, keys

    def look(self, file: Candidate) -> TableFile:
        """As without the columns: no file is of this format by itself."""
        return self._inner.look(file)

    def whole(self, file: TableFile, plan: TablePlan) -> TablePartition:
        """All rows of a file."""
        return self._with_keys(self._inner.whole(file, self._without(plan)), plan)

    def partitions(self, file: TableFile, plan: TablePlan) -> Sequence[TablePartition]:
        """As the format of the files cuts them."""
        return [self._with_keys(part, plan) for part in self._inner.partitions(file, self._without(plan))]

    def _without(self, plan: TablePlan) -> TablePlan:
        return plan.part([f.name for f in plan.fields if f.name not in self.keys])

    def _with_keys(self, part: TablePartition, plan: TablePlan) -> KeyedPartition:
        if plan.split_column in self.keys:
            value = self.keys[plan.split_column] or ""
            split = plan.split_values.get(value) or vocabulary.split_of(value) or UNASSIGNED
            others = plan.part([f.name for f in plan.fields if f.name != plan.split_column])
            plan, part = replace(others, split=split), _of_split(part, split)
        return KeyedPartition(part.path, part.shown, plan, part, self.keys)


def _of_split(part: Any, split: str) -> Any:
    """The same rows as ones of a split."""
    return replace(part, plan=replace(part.plan, split=split))


@dataclass(frozen=True)
class KeyedPartition(TablePartition):
    """Rows of a file, and what the names of its folders say of all of them."""

    path: Path
    shown: str
    plan: TablePlan
    inner: TablePartition
    keys: Keys

    @property
    def files_read(self) -> tuple[str, ...]:
        """As of the rows."""
        return self.inner.files_read

    @property
    def weight(self) -> int:
        """As of the rows."""
        return self.inner.weight

    def sample_id(self, line: int) -> str:
        """As of the rows."""
        return self.inner.sample_id(line)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """The rows as samples, with the columns that no file holds."""
        plan = self.plan.part(self.keys)
        for batch in self.inner.batches(aspects):
            if batch.size:
                record = self._record([f.name for f in plan.fields], batch.size)
                for beside in TableReader(plan, labels_only="table" not in aspects).read(record):
                    batch.labels = batch.labels or beside.labels
                    if batch.table is not None and beside.table is not None:
                        batch.table = joined(beside.table, batch.table)
            yield batch

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """The rows with these columns as texts."""
        import pyarrow as pa

        own = self.inner.names if columns is None else [name for name in columns if name not in self.keys]
        added = [name for name in self.keys if columns is None or name in columns]
        for record in self.inner.records(None if columns is None else own or self.inner.names[:1], problems, cells):
            kept = record if own else record.select([])
            more = self._record(added, record.num_rows)
            yield pa.RecordBatch.from_arrays([*more.columns, *kept.columns], [*more.schema.names, *kept.schema.names])

    def _record(self, names: Sequence[str], size: int) -> Any:
        import pyarrow as pa

        values = [pa.repeat(pa.scalar(self.keys[name], pa.string()), size) for name in names]
        return pa.RecordBatch.from_arrays(values, [*names])

    @property
    def schema(self) -> Any:
        """That of the rows with texts before it."""
        import pyarrow as pa

        return pa.schema([*(pa.field(name, pa.string()) for name in self.keys), *self.inner.schema])

    def write(self, path: Path, batches: Iterable[Any]) -> KeyedPartition:
        """As the file is, without what the folders say.

        Raises:
            DatalintError: a row has another value than the folder, in which it would not lie any more.
        """
        return replace(self, path=path, inner=self.inner.write(path, map(self._own, batches)))

    def _own(self, batch: Any) -> Any:
        for name, value in self.keys.items():
            if any(cell != value for cell in batch.column(batch.schema.get_field_index(name)).to_pylist()):
                raise DatalintError(
                    f"{self.shown}: rows with another {name!r} than {value!r} belong into another folder"
                )
        return batch.select([name for name in batch.schema.names if name not in self.keys])
