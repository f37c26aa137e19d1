"""Where every sample of a data set lies: from the positions that a report names to files and rows."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.errors import DatalintError
from datalint.sources.images.files import ImagePartition
from datalint.sources.tables.format import TablePartition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset

FORMS = "tables and class folders of images"


@dataclass
class Stored:
    """The samples of one split in stored order."""

    file: NDArray[np.int64]
    """Number of the file."""
    row: NDArray[np.int64]
    """Row of the file; 0 for images."""
    label: list[str | None]
    """Class of each; None where it has none."""


@dataclass
class Places:
    """The files of a data set, relative to its root, and the samples of its splits."""

    files: list[str]
    splits: dict[str, Stored]
    ids: list[str] = field(default_factory=list)
    """Of images: what the report calls each."""


def only(datasets: list[Dataset], path: Path, verb: str) -> Dataset:
    """The one data set at a path, if it is of a kind whose files can be written again.

    Raises:
        DatalintError: there are several, or it is of another kind.
    """
    if len(datasets) > 1:
        names = ", ".join(dataset.name for dataset in datasets[:4])
        raise DatalintError(f"{path} holds {len(datasets)} data sets ({names}): {verb} one at a time")
    (dataset,) = datasets
    images = {type(partition) for partition in dataset.partitions} == {ImagePartition}
    if not images and not all(isinstance(partition, TablePartition) for partition in dataset.partitions):
        raise DatalintError(f"{path} is of the layout {dataset.layout!r}, and only {FORMS} can be written again")
    return dataset


def places(dataset: Dataset, root: Path) -> Places:
    """Where the samples of a data set lie; reads labels only.

    Raises:
        DatalintError: a file does not lie below the root.
    """
    found = Places([], {})
    numbers: dict[str, int] = {}
    parts: dict[str, tuple[list[NDArray[np.int64]], list[NDArray[np.int64]], list[str | None]]] = {}
    rows: dict[str, int] = {}
    for partition in dataset.partitions:
        names = [_below(path, root) for path in partition.files_read]
        first = len(found.files)
        for name in names:
            if name not in numbers:
                numbers[name] = len(found.files)
                found.files.append(name)
        images = isinstance(partition, ImagePartition)
        if images:
            found.ids += [partition.sample_id(k) for k in range(len(names))]
        base, count = rows.get(names[0], 0), 0
        for batch in partition.batches(frozenset({"labels"})):
            files, lines, labels = parts.setdefault(batch.split, ([], [], []))
            where = batch.where if not images else np.arange(batch.start, batch.start + batch.size)
            count += batch.size
            files.append(first + where if images else np.full(batch.size, numbers[names[0]], np.int64))
            lines.append(np.zeros(batch.size, np.int64) if images else base + where)
            block = batch.labels
            if block is None or block.codes is None:
                labels += [None] * batch.size
            else:
                classes = [*block.classes, None]
                labels += [classes[int(code)] for code in block.codes]
        rows[names[0]] = base + count
    for split, (files, lines, labels) in parts.items():
        found.splits[split] = Stored(np.concatenate(files), np.concatenate(lines), labels)
    return found


def _below(path: str, root: Path) -> str:
    if not root.is_dir():
        return Path(path).name
    name = Path(os.path.relpath(os.path.abspath(path), os.path.abspath(root)))  # noqa: PTH100 - links are not followed
    if name.parts[:1] == ("..",):
        raise DatalintError(f"{path} does not lie in {root}: scan the folder that holds it")
    return name.as_posix()
