"""Mending tables: rows dropped, moved or with other cells, each with the row of the source that it was."""

from __future__ import annotations

import shutil
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.errors import DatalintError
from datalint.mending import tables
from datalint.mending.shuffling import cut, mixed
from datalint.mending.stored import places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset
    from datalint.mending.plan import Change, Plan
    from datalint.mending.tables import Table

    Mask = NDArray[np.bool_]
    """One per row of a file: whether it is kept."""


class Rows:
    """The files of a table data set, changed one batch of rows after the other.

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
        self.paths = {name: table.path for name, table in self.tables.items()}
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
        dirty = {name for name in map(self._file_called, plan.rewrite) if name is not None}
        # Every change is decided before a file is written; then each file is read once more and copied with its changes.
        edits = self._respelt(plan)
        for (name, column), cells in self._relabelled(plan).items():
            edits.setdefault(name, {}).setdefault(column, {}).update(cells)
        kept = self._kept(plan)
        groups = self._shuffled(plan, kept)
        dirty |= edits.keys() | kept.keys()
        for name in sorted(dirty - {name for group in groups for name in group}):
            rows = self._changed(name, edits.get(name, {}), kept.get(name))
            self._take(name, stage, rows, self.origin[name][kept.get(name, slice(None))])
        for group in groups:
            self._mix(group, edits, kept, stage, rng)
        return dirty | {name for group in groups for name in group}

    def _take(self, name: str, stage: Path, rows: Iterator[Any], origin: NDArray[np.int64]) -> None:
        if not len(origin):
            (stage / name).unlink()
            del self.tables[name], self.origin[name]
            return
        self.tables[name].write(stage / name, rows)
        self.origin[name] = origin

    def _changed(self, name: str, edits: Mapping[str, Mapping[int, Any]], keep: Mask | None) -> Iterator[Any]:
        """The rows of a file with other cells, and without those that are dropped."""
        import pyarrow as pa

        sorted_rows = {column: np.array(sorted(cells), np.int64) for column, cells in edits.items()}
        start = 0
        for batch in self.tables[name].batches():
            stop = start + batch.num_rows
            for column, rows in sorted_rows.items():
                here = rows[slice(*np.searchsorted(rows, (start, stop)))]
                if len(here):
                    at = batch.schema.get_field_index(column)
                    cells = batch.column(at).to_pylist()
                    for row in here.tolist():
                        cells[row - start] = edits[column][row]
                    field = batch.schema.field(at)
                    batch = batch.set_column(at, field, pa.array(cells, field.type))  # noqa: PLW2901
            yield batch if keep is None else batch.filter(pa.array(keep[start:stop]))
            start = stop

    def _file_called(self, shown: str) -> str | None:
        return next((name for name in self.tables if self.shown[name] == shown or shown.endswith(f"/{name}")), None)

    def sample(self, file: str, row: int) -> str:
        """What a person can open in the source to see this row."""
        return self._id(*(int(k) for k in self.origin[file][row]))

    def _id(self, number: int, row: int) -> str:
        return self.first[self.source.files[number]].sample_id(row)

    def _respelt(self, plan: Plan) -> dict[str, dict[str, dict[int, Any]]]:
        """By file and column, the new cells by row."""
        edits: dict[str, dict[str, dict[int, Any]]] = {}
        for column, spellings, change in plan.respell:
            for name, table in self.tables.items():
                if column not in table.names:
                    continue
                done = edits.get(name, {}).get(column, {})
                start = 0
                for batch in table.batches([column]):
                    for row, cell in enumerate(batch.column(0).to_pylist(), start):
                        old = done.get(row, cell)
                        better = spellings.get(old.strip()) if isinstance(old, str) else None
                        if better is not None and better != old:
                            note(change, {"id": self.sample(name, row), "column": column, "from": old, "to": better})
                            edits.setdefault(name, {}).setdefault(column, {})[row] = better
                    start += batch.num_rows
        return edits

    def _relabelled(self, plan: Plan) -> dict[tuple[str, str], dict[int, Any]]:
        """The same of labels, by file and column at once."""
        if not plan.relabel or self.dataset.label is None:
            return {}
        column = self.dataset.label.name
        first: dict[str, tuple[str, int]] = {}
        for stored in self.where.splits.values():
            for k, label in enumerate(stored.label):
                if label is not None and label not in first:
                    first[label] = self.where.files[int(stored.file[k])], int(stored.row[k])
        wanted = {label for label, _ in plan.relabel.values()} & first.keys()
        # A label is written as its first sample has it.
        written = {
            label: self.tables[file].picked([row], [column]).column(0)[0].as_py()
            for label, (file, row) in first.items()
            if label in wanted
        }
        edits: dict[tuple[str, str], dict[int, Any]] = {}
        for (split, index), (label, change) in plan.relabel.items():
            stored = self.where.splits[split]
            file, row = self.where.files[int(stored.file[index])], int(stored.row[index])
            if label in written:
                note(change, {"id": self.sample(file, row), "from": stored.label[index], "to": label})
                edits.setdefault((file, column), {})[row] = written[label]
        return edits

    def _kept(self, plan: Plan) -> dict[str, Mask]:
        """Which rows are left of the files that lose some."""
        keep: dict[str, Mask] = {}
        for split, picked in plan.drop.items():
            stored = self.where.splits[split]
            for index, change in picked.items():
                file, row = self.where.files[int(stored.file[index])], int(stored.row[index])
                note(change, {"id": self.sample(file, row), "split": split})
                if file not in keep:
                    keep[file] = np.ones(len(self.tables[file]), np.bool_)
                keep[file][row] = False
        return keep

    def _shuffled(self, plan: Plan, kept: Mapping[str, Mask]) -> list[list[str]]:
        """Files whose rows are mixed with each other."""
        left = {name: int(kept[name].sum()) if name in kept else len(table) for name, table in self.tables.items()}
        done: set[str] = set()
        groups: list[list[str]] = []
        for split, change in plan.shuffle.items():
            numbers = np.unique(self.where.splits[split].file)
            files = [self.where.files[int(k)] for k in numbers]
            files = [name for name in files if name not in done and left[name]]
            if not files:
                change.count += len(self.where.splits[split].file)  # mixed with another split's already
                continue
            schemas = [self.tables[name].schema for name in files]
            alike = all(schema.equals(schemas[0]) for schema in schemas)
            groups += [files] if alike else [[name] for name in files]
            change.count += sum(left[name] for name in files)
            done.update(files)
        return groups

    def _mix(
        self,
        files: Sequence[str],
        edits: Mapping[str, Mapping[str, Mapping[int, Any]]],
        kept: Mapping[str, Mask],
        stage: Path,
        rng: np.random.Generator,
    ) -> None:
        """Mix rows over all the files of a split; every row stays whole, and every file as long as it was."""
        origins = [self.origin[name][kept.get(name, slice(None))] for name in files]
        lengths = [len(origin) for origin in origins]
        origin = np.concatenate(origins)
        order = rng.permutation(len(origin))
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        whole = chain.from_iterable(self._changed(name, edits.get(name, {}), kept.get(name)) for name in files)
        size = sum(self.tables[name].path.stat().st_size for name in files)
        rows = mixed(whole, places, size, stage.parent)
        ends = np.cumsum([0, *lengths])
        for k, (name, piece) in enumerate(zip(files, cut(rows, lengths), strict=True)):
            self._take(name, stage, piece, origin[order[ends[k] : ends[k + 1]]])

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
