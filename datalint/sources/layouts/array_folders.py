"""Arrays in a ``.npy`` file each, in class folders: features of sounds, patches, spectrograms, point clouds."""

from __future__ import annotations

import math
import os
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from datalint.core import hashing
from datalint.core.dataset import Batch, Dataset, Field, Label, Problem, Split, TableBlock, split_order
from datalint.core.terms import Storage
from datalint.sources.arrays.bundles import MAX_COLUMNS
from datalint.sources.arrays.files import (
    ROWS_BYTES,
    ArrayFile,
    ItemReader,
    NotAnArray,
    array_files,
    column_names,
    grey_scale,
    head_of,
    layout_of,
)
from datalint.sources.arrays.files import (
    Layout as Axes,
)
from datalint.sources.files import printable, reason
from datalint.sources.folder import strays
from datalint.sources.images.decode import content
from datalint.sources.images.files import image_partitions
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import CLASSLESS, arranged
from datalint.sources.places import at, reach
from datalint.sources.sample_files import SampleFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.layouts.class_folders import Pictures

FEWEST, FEWEST_OF_CLASS = 20, 3
"""Fewer files are arrays of several samples each."""

LOOKED_AT = 20
"""Files of which nearly all must have one shape."""


class ArrayFolders(Layout):
    """Arrays of one shape in class folders, with or without split folders."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The arrays of each data set, if they have one shape."""
        entries = [entry for entry in folder.left if entry.suffix == ".npy"]
        if len(entries) < FEWEST:
            return
        for found in arranged(entries, ()):
            level = found.class_depth
            if level is None or not _are_samples(found, level):
                continue
            looked_at = folder.once(("arrays of", found.parts), lambda found=found: arrays_of(found.entries))  # type: ignore[misc]
            if 10 * len(looked_at) < 9 * min(len(found.entries), LOOKED_AT):
                continue  # of objects, or damaged
            dataset = _dataset(folder, found, level, one_of_most(looked_at))
            yield Claim([*found.entries, *found.strays], Basis.STRUCTURE, dataset.evidence, dataset, found.left_out)


def _are_samples(found: Pictures, level: int) -> bool:
    counts = Counter(entry.parts[level] for entry in found.entries if len(entry.parts) > level + 1)
    several = sum(count >= FEWEST_OF_CLASS for count in counts.values())
    return len(counts) > 1 and counts.total() >= FEWEST and 2 * several > len(counts)


def arrays_of(entries: Sequence[Entry]) -> list[ArrayFile]:
    """Those of some files that are arrays of real numbers."""
    step = max(1, len(entries) // LOOKED_AT)
    looked_at: list[ArrayFile] = []
    for entry in entries[::step][:LOOKED_AT]:
        try:
            looked_at += array_files(entry.path)
        except (NotAnArray, OSError):
            continue
    return [array for array in looked_at if array.shape and np.dtype(array.dtype).kind in "iufb"]


def one_of_most(looked_at: Sequence[ArrayFile]) -> ArrayFile | None:
    """The first of those whose shape nearly all have; None if there is no such shape, or samples of it are too large."""
    shape, count = Counter(array.shape for array in looked_at).most_common(1)[0]
    if 10 * count < 9 * len(looked_at) or math.prod(shape) < 1:
        return None
    first = next(array for array in looked_at if array.shape == shape)
    table = layout_of((1, *shape), np.dtype(first.dtype)) == "table"
    return None if table and math.prod(shape) > MAX_COLUMNS else first


def _dataset(folder: Folder, found: Pictures, level: int, like: ArrayFile | None) -> Dataset:
    by_split: dict[str, list[tuple[Entry, str]]] = {}
    for split in sorted(found.by_split, key=split_order):
        entries = [entry for entry in found.by_split[split] if len(entry.parts) > level + 1]
        entries.sort(key=lambda e: (e.parts[level], e.parts))
        by_split[split] = [(entry, printable(entry.parts[level])) for entry in entries]
    names = sorted({name for held in by_split.values() for _, name in held})
    shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    dataset = arrays_dataset(folder, found.parts, by_split, found.why, like)
    return replace(
        dataset,
        layout="array class folders" + (" in split folders" if len(by_split) > 1 else ""),
        label=Label("class folder", f"{len(names)} folders: {shown}", "high"),
        problems=[*strays([*found.classless, *found.strays], CLASSLESS), *dataset.problems],
        by_class=True,
    )


def arrays_dataset(
    folder: Folder,
    parts: tuple[str, ...],
    by_split: Mapping[str, Sequence[tuple[Entry, str]]],
    why: Mapping[str, str],
    like: ArrayFile | None,
) -> Dataset:
    """The data set of arrays in a file each, with their classes; the label is not told yet.

    Args:
        folder: where they lie.
        parts: their place in it.
        by_split: the files, each with its class, "" where that is not known.
        why: what tells each split.
        like: one of the shape that nearly all have; None where there is no such shape.
    """
    shape = like.shape if like else ()
    axes: Axes = layout_of((1, *shape), np.dtype(like.dtype)) if like else "table"
    scale = grey_scale(head_of(like, shape[0])) if like and axes != "table" else (0.0, 1.0)
    partitions: list[SampleArrays] = []
    for split, held in by_split.items():
        partitions += [
            SampleArrays(p.base, p.files, p.classes, p.split, p.weight, shape=shape, axes=axes, scale=scale)
            for p in image_partitions(split, [entry for entry, _ in held], [name for _, name in held])
        ]
    fields: tuple[Field, ...] = ()
    problems: list[Problem] = []
    if like is None:
        fields = (Field("array", "other", "ignored"),)
        text = "the arrays differ in shape, so their values are not looked into"
        problems.append(Problem("unseen", folder.path(parts), text))
    elif axes == "table":
        fields = tuple(Field(name, "number", "feature", like.dtype) for name in column_names(math.prod(shape)))
    what = f"the shape {_axes(shape)}" if like else "several shapes"
    return Dataset(
        name=folder.name(parts),
        path=folder.path(parts),
        layout="arrays in files",
        modality="table" if axes == "table" else "images",
        evidence=f"{sum(len(p.files) for p in partitions):,} .npy files of {what}",
        partitions=partitions,
        splits=tuple(Split(split, why[split]) for split in by_split),
        label=None,
        fields=fields,
        problems=problems,
        storage=Storage.OTHER,
    )


@dataclass(frozen=True)
class SampleArrays(SampleFiles):
    """Consecutive arrays of one split, a sample each."""

    shape: tuple[int, ...] = ()
    """Of all; empty where they differ, of which no more is known than whether two are equal."""
    axes: Axes = "table"
    scale: tuple[float, float] = (0.0, 1.0)

    def picture(self, line: int) -> bytes | None:
        """The array as a small WebP file, if it is a picture."""
        if self.axes == "table":
            return None
        try:
            return ItemReader(self.axes, self.scale).picture(self._value(at(self.base, self.files[line])))
        except (NotAnArray, OSError, ValueError):
            return None

    def _value(self, path: Path) -> NDArray[np.generic]:
        (array,) = array_files(path)
        if array.shape != self.shape:
            raise NotAnArray(f"has the shape {_axes(array.shape)} and the others {_axes(self.shape)}")
        if np.dtype(array.dtype).kind not in "iufb":
            raise NotAnArray(f"holds {np.dtype(array.dtype)} values and no real numbers")
        return np.concatenate(list(array.rows(max(1, array.shape[0])))).reshape(self.shape)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the files; each is opened once."""
        item = max(1, math.prod(self.shape) * 8)
        count = max(1, min(256, ROWS_BYTES // item))
        reader = ItemReader(self.axes, self.scale)
        for start in range(0, len(self.files), count):
            names = self.files[start : start + count]
            batch = Batch(self.split, start, len(names), labels=self._labels(start, len(names)))
            if aspects & {"table", "header", "pixels"}:
                if not self.shape:
                    batch.table = self._unlike(names, batch.problems)
                    yield batch
                    continue
                block, readable = self._block(names, start, batch.problems)
                if self.axes == "table":
                    batch.table = reader.table(block)
                else:
                    batch.images = reader.images(block, aspects)
                    batch.images.readable = readable
            yield batch

    def _unlike(self, names: Sequence[str], problems: list[Problem]) -> TableBlock:
        hashes = np.zeros(len(names), np.uint64)
        for k, name in enumerate(names):
            hashes[k] = hashing.bytes_hash(os.fsencode(name))
            try:
                array_files(at(self.base, name))
                hashes[k] = hashing.bytes_hash(content(reach(self.base, name)))
            except (NotAnArray, OSError) as error:
                problems.append(Problem("unreadable", printable(name), reason(error)))
        return TableBlock((), np.zeros((len(names), 0)), unseen=hashes)

    def _block(
        self, names: Sequence[str], start: int, problems: list[Problem]
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        values: list[NDArray[np.generic] | None] = []
        for k, name in enumerate(names):
            try:
                values.append(self._value(at(self.base, name)))
            except (NotAnArray, OSError, ValueError) as error:
                position = -1 if self.axes == "table" else start + k
                problems.append(Problem("unreadable", printable(name), reason(error), position))
                values.append(None)
        held = [value for value in values if value is not None]
        kind = np.result_type(*held) if held else np.dtype(np.float64)
        if len(held) < len(values) and self.axes == "table":
            kind = np.dtype(np.float64)
        gap = np.full(self.shape, np.nan if kind.kind == "f" else 0, kind)
        block = np.stack([gap if value is None else value for value in values]).astype(kind, copy=False)
        return block, np.array([value is not None for value in values])


def _axes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "of a single value"
