"""CIFAR as it is published: pickled batches (``data_batch_1``, ``train``) or binary records (``data_batch_1.bin``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Label, Problem, Split, split_order
from datalint.core.terms import Storage
from datalint.sources.arrays.cifar import PIXELS, pickled_arrays, plain_batch, record_arrays
from datalint.sources.arrays.files import ArrayPartition, NotAnArray, NotLookedInto
from datalint.sources.files import printable
from datalint.sources.folder import unread
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.tables.labels import ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.sources.arrays.files import ArrayFile
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

_NAMES = {"labels": "label_names", "fine_labels": "fine_label_names", "coarse_labels": "coarse_label_names"}
"""Labels in the order in which they are preferred, and what the lists of their classes are called."""

MAX_NAMES = 1 << 20
"""Bytes of a list of class names."""


@dataclass(frozen=True)
class _Batch:
    """One file."""

    entry: Entry
    split: str
    pictures: ArrayFile
    labels: Mapping[str, ArrayFile]


class Cifar(Layout):
    """Batches of pictures with their labels in each file."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The batches of each folder, with the names of their classes."""
        by_folder: dict[tuple[str, ...], list[Entry]] = {}
        for entry in folder.left:
            if entry.suffix in {"", ".bin", ".meta", ".txt", ".html"}:
                by_folder.setdefault(entry.folder, []).append(entry)
        for home, entries in by_folder.items():
            for read in (_pickled, _records):
                found, about, names = read(folder, entries)
                if found:
                    dataset = _dataset(folder, home, found, names)
                    taken = [*(batch.entry for batch in found), *about]
                    yield Claim(taken, Basis.STRUCTURE, dataset.evidence, dataset)


_Found = tuple[list[_Batch], list["Entry"], dict[str, tuple[str, ...]]]


def _pickled(folder: Folder, entries: Sequence[Entry]) -> _Found:
    found: list[_Batch] = []
    failed: list[tuple[Entry, NotAnArray]] = []
    for entry in entries:
        split = vocabulary.split_of(entry.name)
        if entry.suffix or split is None or not _is_pickle(entry):
            continue
        try:
            found.append(_Batch(entry, split, *_arrays(folder, entry)))
        except NotAnArray as error:
            failed.append((entry, error))
    for entry, why in failed:
        # Without a single batch that is one these are pickles of something else.
        folder.unread.setdefault(entry.parts, unread(entry, why if found else NotLookedInto(str(why))))
    names: dict[str, tuple[str, ...]] = {}
    about = [e for e in entries if found and e.name in {"meta", "batches.meta"} and _is_pickle(e)]
    for entry in about:
        try:
            held = plain_batch(entry.path)
        except NotAnArray as error:
            folder.unread[entry.parts] = unread(entry, error)
        else:
            names |= {label: _texts(held[key]) for label, key in _NAMES.items() if key in held}
    return found, about, names


def _arrays(folder: Folder, entry: Entry) -> tuple[ArrayFile, Mapping[str, ArrayFile]]:
    return folder.once(("cifar", entry.parts), lambda: pickled_arrays(entry.path))


def _records(folder: Folder, entries: Sequence[Entry]) -> _Found:
    lists = {entry.name: entry for entry in entries if entry.suffix == ".txt"}
    coarse, fine, only = (
        lists.get(f"{name}.txt") for name in ("coarse_label_names", "fine_label_names", "batches.meta")
    )
    if coarse and fine:
        about = {"coarse_labels": coarse, "fine_labels": fine}
    elif only:
        about = {"labels": only}
    else:
        return [], [], {}
    names = {label: _lines(entry) for label, entry in about.items()}
    found: list[_Batch] = []
    for entry in entries:
        split = vocabulary.split_of(entry.name)
        if entry.suffix != ".bin" or split is None:
            continue
        try:
            found.append(_Batch(entry, split, *record_arrays(entry.path, tuple(about))))
        except (NotAnArray, OSError) as error:
            folder.unread[entry.parts] = unread(entry, error)
    return found, [*about.values()], names


def _is_pickle(entry: Entry) -> bool:
    try:
        with entry.path.open("rb") as file:
            start = file.read(4)
    except OSError:
        return False
    return len(start) == 4 and start[0] == 0x80 and 2 <= start[1] <= 5


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        return ()
    texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
    return tuple(map(printable, texts)) if len(set(texts)) == len(texts) else ()


def _lines(entry: Entry) -> tuple[str, ...]:
    try:
        with entry.path.open("rb") as file:
            text = file.read(MAX_NAMES).decode("utf-8", "replace")
    except OSError:
        return ()
    return _texts([line.strip() for line in text.splitlines() if line.strip()])


def _dataset(
    folder: Folder, home: tuple[str, ...], batches: Sequence[_Batch], names: Mapping[str, tuple[str, ...]]
) -> Dataset:
    batches = sorted(batches, key=lambda batch: (*split_order(batch.split), batch.entry.parts))
    held = {name for batch in batches for name in batch.labels}
    wish = folder.wishes.label
    asked = next((name for name in held if wish in {name, name.removesuffix("_labels")}), None) if wish else None
    chosen = asked or next((name for name in _NAMES if name in held), None)
    problems = []
    for batch in batches:
        label = batch.labels.get(chosen or "")
        if label is not None and label.shape[0] != batch.pictures.shape[0]:
            text = f"{label.shape[0]:,} labels for {batch.pictures.shape[0]:,} pictures: they cannot be matched"
            problems.append(Problem("unreadable", batch.entry.shown, text))
        if batch.entry.suffix == ".bin" and batch.entry.size % (len(batch.labels) + PIXELS):
            problems.append(Problem("truncated", batch.entry.shown, "ends within a record"))
    others = sorted(held - {chosen})
    evidence = f"{len(batches)} batches of pictures with their labels"
    splits = {batch.split: batch for batch in reversed(batches)}
    return Dataset(
        name=folder.name(home),
        path=folder.path(home),
        layout="CIFAR batches",
        modality="images",
        evidence=f"{evidence}; {others[0]} are not read (--label {others[0]})" if others else evidence,
        partitions=[
            ArrayPartition(
                batch.split, batch.pictures, _label(batch, chosen), "NCHW", (0.0, 1.0), names.get(chosen or "", ())
            )
            for batch in batches
        ],
        splits=tuple(
            Split(split, f"file name {splits[split].entry.name!r}", splits[split].pictures.shape)
            for split in sorted(splits, key=split_order)
        ),
        label=Label(chosen, ASKED if asked else f"each batch holds its {chosen}", "certain") if chosen else None,
        problems=problems,
        skipped_label="the batches hold no labels",
        storage=Storage.NUMPY,
    )


def _label(batch: _Batch, name: str | None) -> ArrayFile | None:
    label = batch.labels.get(name or "")
    return label if label is not None and label.shape[0] == batch.pictures.shape[0] else None
