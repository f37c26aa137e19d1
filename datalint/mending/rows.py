"""Mending tables: rows dropped, moved or with other cells, each with the row of the source that it was."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.errors import DatalintError
from datalint.mending import tables
from datalint.mending.stored import places
from datalint.sources.csvs import CsvPartition

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.dataset import Dataset
    from datalint.mending.plan import Change, Plan
    from datalint.mending.tables import Table


class Rows:
    """
    The files of a table data set in memory.

    Raises:
        DatalintError: they cannot be read in the way the scan reads them.
    """

    def __init__(self, dataset: Dataset, root: Path) -> None:
        self.dataset = dataset
        self.where = places(dataset, root)
        self.source = self.where
        loaded = tables.load(dataset)
        self.tables: dict[str, Table] = dict(zip(self.where.files, loaded, strict=True))
        self.first = {name: table.partition for name, table in self.tables.items()}
        """The partition at the top of each file, from which its lines are counted."""
        self.paths = {name: table.partition.path for name, table in self.tables.items()}
        self.shown = {name: table.partition.shown for name, table in self.tables.items()}
        self.origin: dict[str, NDArray[np.int64]] = {
            name: np.stack([np.full(len(table), k), np.arange(len(table))], axis=1)
            for k, (name, table) in enumerate(self.tables.items())
        }
        """Number of the file and row of the source, for every row."""
        self._check()

    def _check(self) -> None:
        counts = dict.fromkeys(self.where.files, 0)
        for stored in self.where.splits.values():
            for k, count in enumerate(np.bincount(stored.file, minlength=len(self.where.files))):
                counts[self.where.files[k]] += int(count)
        for name, count in counts.items():
            if len(self.tables[name]) != count:
                raise DatalintError(
                    f"{name} cannot be written again: {len(self.tables[name]):,} rows where the scan sees {count:,}"
                )

    def again(self, dataset: Dataset, root: Path) -> None:
        """Take note of where the samples lie after a round."""
        self.dataset, self.where = dataset, places(dataset, root)
        self._check()

    def copy(self, stage: Path) -> None:
        """The files as they are."""
        for name, path in self.paths.items():
            goal = stage / name
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, goal)

    def apply(self, plan: Plan, stage: Path, rng: np.random.Generator) -> set[str]:
        """Do what the plan says, write the files that differ, and return their names."""
        dirty = {self._file_called(name) for name in plan.rewrite} - {None}
        dirty |= self._respell(plan) | self._relabel(plan)
        kept = self._drop(plan)
        for name, rows in kept.items():
            self.tables[name].take(rows)
            self.origin[name] = self.origin[name][rows]
        dirty |= kept.keys() | self._shuffle(plan, rng)
        written = {name for name in dirty if name is not None}
        for name in sorted(written):
            if len(self.tables[name]):
                self.tables[name].write(stage / name)
            else:
                (stage / name).unlink()
                del self.tables[name], self.origin[name]
        return written

    def _file_called(self, shown: str) -> str | None:
        return next((name for name in self.tables if self.shown[name] == shown or shown.endswith(f"/{name}")), None)

    def sample(self, file: str, row: int) -> str:
        """What a person can open in the source to see this row."""
        return self._id(*(int(k) for k in self.origin[file][row]))

    def _id(self, number: int, row: int) -> str:
        name = self.source.files[number]
        partition = self.first[name]
        return partition.sample_id(row) if isinstance(partition, CsvPartition) else f"{self.shown[name]}[{row}]"

    def _respell(self, plan: Plan) -> set[str | None]:
        dirty: set[str | None] = set()
        for column, spellings, change in plan.respell:
            for name, table in self.tables.items():
                if column not in table.names:
                    continue
                cells = table.cells(column)
                for row, cell in enumerate(cells):
                    better = spellings.get(cell.strip()) if isinstance(cell, str) else None
                    if better is not None and better != cell:
                        note(change, {"id": self.sample(name, row), "column": column, "from": cell, "to": better})
                        cells[row] = better
                        dirty.add(name)
                if name in dirty:
                    table.set(column, cells)
        return dirty

    def _relabel(self, plan: Plan) -> set[str | None]:
        if not plan.relabel or self.dataset.label is None:
            return set()
        column = self.dataset.label.name
        cells = {name: table.cells(column) for name, table in self.tables.items() if column in table.names}
        written: dict[str, Any] = {}
        for stored in self.where.splits.values():
            for k, label in enumerate(stored.label):
                if label is not None and label not in written:
                    file = self.where.files[int(stored.file[k])]
                    written[label] = cells[file][int(stored.row[k])]
        dirty: set[str | None] = set()
        for (split, index), (label, change) in plan.relabel.items():
            stored = self.where.splits[split]
            file, row = self.where.files[int(stored.file[index])], int(stored.row[index])
            if label in written:
                note(change, {"id": self.sample(file, row), "from": stored.label[index], "to": label})
                cells[file][row] = written[label]
                dirty.add(file)
        for name in dirty:
            if name is not None:
                self.tables[name].set(column, cells[name])
        return dirty

    def _drop(self, plan: Plan) -> dict[str, NDArray[np.int64]]:
        keep: dict[str, NDArray[np.bool_]] = {}
        for split, picked in plan.drop.items():
            stored = self.where.splits[split]
            for index, change in picked.items():
                file, row = self.where.files[int(stored.file[index])], int(stored.row[index])
                note(change, {"id": self.sample(file, row), "split": split})
                keep.setdefault(file, np.ones(len(self.tables[file]), np.bool_))[row] = False
        return {file: np.flatnonzero(kept) for file, kept in keep.items()}

    def _shuffle(self, plan: Plan, rng: np.random.Generator) -> set[str]:
        """Mix the rows of each split over all its files; every row stays whole, and every file as long as it was."""
        import pyarrow as pa

        done: set[str] = set()
        for split, change in plan.shuffle.items():
            numbers = np.unique(self.where.splits[split].file)
            files = [self.where.files[int(k)] for k in numbers if self.where.files[int(k)] not in done]
            if not files:
                change.count += len(self.where.splits[split].file)  # mixed with another split's already
                continue
            schemas = [self.tables[name].data.schema for name in files]
            groups = [files] if all(schema.equals(schemas[0]) for schema in schemas) else [[name] for name in files]
            for group in groups:
                whole = pa.concat_tables([self.tables[name].data for name in group])
                origin = np.concatenate([self.origin[name] for name in group])
                order = rng.permutation(len(origin))
                start = 0
                for name in group:
                    rows = order[start : start + len(self.tables[name])]
                    start += len(rows)
                    self.tables[name].data, self.origin[name] = whole.take(rows), origin[rows]
                change.count += len(origin)
            done.update(files)
        return done

    def kept(self) -> list[tuple[str, int, str]]:
        """Split, position and name in the source of every sample that is left, in its new order."""
        at: dict[tuple[int, int], tuple[str, int]] = {}
        for split, stored in self.source.splits.items():
            for index, pair in enumerate(zip(stored.file.tolist(), stored.row.tolist(), strict=True)):
                at[pair] = (split, index)
        rows = []
        for stored in self.where.splits.values():
            for k, row in zip(stored.file.tolist(), stored.row.tolist(), strict=True):
                number, line = (int(part) for part in self.origin[self.where.files[k]][row])
                rows.append((*at[number, line], self._id(number, line)))
        return rows


def note(change: Change, what: dict[str, Any]) -> None:
    """Put one sample down as changed."""
    change.samples.append(what)
    change.count += 1
