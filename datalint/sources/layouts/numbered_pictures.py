"""Pictures of which lists say the class: ``images.txt`` with ``image_class_labels.txt`` (CUB-200, NABirds), ``imagelabels.mat``, JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import Dataset, Label, Problem, Split, split_order
from datalint.core.vocabulary import TEST, TRAIN, VALIDATION, WHOLE, split_of
from datalint.core.wording import counted
from datalint.sources.annotations.listed import Gallery
from datalint.sources.arrays.files import NotAnArray
from datalint.sources.arrays.readers import arrays_in
from datalint.sources.files import IMAGES, printable
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import picture_dataset, pictures_of
from datalint.sources.layouts.coco import coco_file
from datalint.sources.layouts.listed_pictures import listed_partitions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.layouts.class_folders import Pictures

LARGEST = 64 << 20
"""Bytes of a list that is read."""

MOST = 20
"""MATLAB files of one folder that are looked at."""

_SETS = {"trnid": TRAIN, "valid": VALIDATION, "tstid": TEST}
"""Names of the sets of Oxford's flowers; ``valid`` is one of ids too."""


@dataclass
class _Told:
    """What lists say of pictures."""

    rows: Mapping[str, list[tuple[Entry, str]]]
    """Pictures with their labels, by split."""
    why: Mapping[str, str]
    label: str
    lists: list[Entry]
    lost: list[str]
    """Pictures that are listed and not there."""
    layout: str = "images listed by number"


class NumberedPictures(Layout):
    """Pictures in files that number them, with others that give each number its class and its split, or in JSON that does both."""

    surest = Basis.DECLARED

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The pictures with their lists."""
        if not folder.pictures.known:
            return
        taken: set[tuple[str, ...]] = set()
        for told in [*_cub(folder), *_matlab(folder), *_json(folder)]:
            dataset, files = _dataset(folder, told)
            if taken.isdisjoint(files):
                taken |= files.keys()
                yield Claim([*files.values()], Basis.DECLARED, dataset.evidence, dataset)


def _cub(folder: Folder) -> Iterator[_Told]:
    """What ``images.txt`` and the files next to it say."""
    by_place = {entry.parts: entry for entry in folder.left}
    for entry in folder.left:
        beside = by_place.get((*entry.folder, "image_class_labels.txt")) if entry.name == "images.txt" else None
        if beside is None:
            continue
        names, labels = _pairs(entry), _pairs(beside)
        home = [*entry.folder]
        pictures = {
            key: next((by_place[place] for place in _places(home, name) if place in by_place), None)
            for key, name in names.items()
        }
        if 2 * sum(picture is not None for picture in pictures.values()) < len(pictures) or not labels:
            continue
        lists = [entry, beside]
        for name in ("train_test_split.txt", "classes.txt"):
            lists += [by_place[place] for place in [(*home, name)] if place in by_place]
        splits = next((_pairs(one) for one in lists if one.name == "train_test_split.txt"), {})
        classes = next((_pairs(one) for one in lists if one.name == "classes.txt"), {})
        rows: dict[str, list[tuple[Entry, str]]] = {}
        for key, picture in pictures.items():
            if picture is not None:
                split = {"1": TRAIN, "0": TEST}.get(splits.get(key, ""), WHOLE)
                label = labels.get(key, "")
                rows.setdefault(split, []).append((picture, classes.get(label, label)))
        why = dict.fromkeys(rows, "list 'train_test_split.txt'" if splits else "not split")
        lost = [names[key] for key, picture in pictures.items() if picture is None]
        yield _Told(rows, why, f"{len(set(labels.values()))} classes in 'image_class_labels.txt'", lists, lost)


def _places(home: Sequence[str], name: str) -> list[tuple[str, ...]]:
    parts = name.split("/")
    return [(*home, "images", *parts), (*home, *parts)]


def _pairs(entry: Entry) -> dict[str, str]:
    """The first word of each line with the others."""
    if entry.size > LARGEST:
        return {}
    try:
        lines = entry.path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    return {key: rest.strip() for key, _, rest in (line.strip().partition(" ") for line in lines) if rest}


def _matlab(folder: Folder) -> Iterator[_Told]:
    """What MATLAB files say that hold a number for each of the pictures, in the order of their names."""
    files = [entry for entry in folder.left if entry.suffix == ".mat"]
    flat = [found for found in pictures_of(folder) if found.class_depth is None] if 0 < len(files) <= MOST else []
    for found in flat:
        entries = sorted(found.entries, key=lambda entry: entry.parts)
        if len(entries) >= MOST and all(entry.suffix in IMAGES for entry in entries):
            told = folder.once(("numbered", found.parts), lambda f=found, e=entries: _of_arrays(f, e, files))  # type: ignore[misc]
            if told is not None:
                yield told


def _of_arrays(found: Pictures, entries: Sequence[Entry], files: Sequence[Entry]) -> _Told | None:
    labels: tuple[Entry, NDArray[np.int64]] | None = None
    sets: dict[str, NDArray[np.int64]] = {}
    lists = []
    for file in files:
        for name, values in _numbers(file).items():
            split = _SETS.get(name) or split_of(name)
            if len(values) == len(entries) and labels is None and len(np.unique(values)) <= len(values) / 2:
                labels = file, values
                lists.append(file)
            elif split is not None and len(np.unique(values)) == len(values) and values.min() >= 1:
                sets[split] = values
                lists += [file] if file not in lists else []
    if labels is None:
        return None
    joined = np.concatenate([*sets.values()]) if sets else np.arange(1, len(entries) + 1)
    if len(np.unique(joined)) < len(joined) or joined.max() > len(entries):
        return None
    file, values = labels
    if not sets:
        sets = {WHOLE: joined}
    rows = {split: [(entries[k - 1], str(values[k - 1])) for k in sorted(own.tolist())] for split, own in sets.items()}
    others = [other for other in lists if other is not file]
    why = dict.fromkeys(rows, f"numbers in {others[0].name!r}" if others else "not split")
    text = f"{len(np.unique(values))} numbers in {file.name!r}, one for each of {found.parts[-1] if found.parts else '.'!r} in the order of names"
    return _Told(rows, why, text, lists, [])


def _json(folder: Folder) -> Iterator[_Told]:
    """What JSON says of pictures of one class each: of COCO's form without objects (iNaturalist), or as FiftyOne exports it."""
    homes: dict[tuple[str, ...], list[tuple[Entry, dict[str, str]]]] = {}
    for entry in folder.left:
        if entry.suffix == ".json":
            classes = folder.once(("classes", entry.parts), lambda e=entry: _classes(folder, e))  # type: ignore[misc]
            if classes:
                home = entry.folder
                named = bool(home) and (split_of(home[-1]) is not None or home[-1].lower() == "annotations")
                homes.setdefault(home[:-1] if named else home, []).append((entry, classes))
    gallery = Gallery(folder.left) if homes else None
    for files in homes.values():
        assert gallery is not None
        rows: dict[str, list[tuple[Entry, str]]] = {}
        why: dict[str, str] = {}
        lost: list[str] = []
        for entry, classes in files:
            name = entry.name.rpartition(".")[0]
            inside = entry.folder[-1] if entry.folder else ""
            split = split_of(name) or split_of(inside)
            names = [*classes]
            found = gallery.resolve(names, entry.folder, split)
            rows.setdefault(split or WHOLE, []).extend(
                (picture, printable(classes[names[k]])) for k, picture in sorted(found.entries.items())
            )
            why.setdefault(split or WHOLE, f"name of {entry.name!r}" if split else "not split")
            lost += found.absent
        count = sum(map(len, rows.values()))
        kinds = len({label for own in rows.values() for _, label in own})
        if count and len(lost) <= count:
            lists = [entry for entry, _ in files]
            text = f"{counted(kinds, 'class')} in {lists[0].name!r}"
            yield _Told({k: own for k, own in rows.items() if own}, why, text, lists, lost, "images listed in JSON")


def _classes(folder: Folder, entry: Entry) -> dict[str, str]:
    """The class of each picture that a file names."""
    file = coco_file(folder, entry)
    if file is not None:
        return file.classes_of_pictures()
    if entry.name != "labels.json" or entry.size > LARGEST:
        return {}
    try:
        held: Any = json.loads(entry.path.read_bytes())
        classes, labels = held["classes"], held["labels"]
        return {str(stem): str(classes[k] if classes else k) for stem, k in labels.items() if isinstance(k, (int, str))}
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return {}


def _numbers(file: Entry) -> dict[str, NDArray[np.int64]]:
    """The arrays of whole numbers in a file."""
    found: dict[str, NDArray[np.int64]] = {}
    try:
        for array in arrays_in(file.path):
            blocks = [*array.rows(LARGEST)]
            if (blocks and blocks[0].dtype.kind in "iu") or (
                blocks and blocks[0].dtype.kind == "f" and np.isfinite(blocks[0]).all()
            ):
                found[array.name] = np.concatenate(blocks).reshape(-1).astype(np.int64)
    except (NotAnArray, OSError, ValueError, MemoryError):
        return {}
    return found


def _dataset(folder: Folder, told: _Told) -> tuple[Dataset, dict[tuple[str, ...], Entry]]:
    every = [entry for rows in told.rows.values() for entry, _ in rows]
    known = {entry.parts for entry in every}
    found = next(one for one in pictures_of(folder) if any(entry.parts in known for entry in one.entries))
    splits = sorted(told.rows, key=split_order)
    plain = picture_dataset(folder, found)
    beside = [entry for entry in found.entries if entry.parts not in known]
    problems = [problem for problem in plain.problems if problem.kind != "stray"]
    if told.lost:
        text = f"names {counted(len(told.lost), 'picture')} that are not there, such as {printable(told.lost[0])!r}"
        problems.append(Problem("absent", told.lists[0].shown, text))
    if beside:
        text = f"{counted(len(beside), 'picture')} that no list names, this the first"
        problems.append(Problem("not-scanned", beside[0].shown, text))
    names = ", ".join(repr(entry.name) for entry in told.lists)
    dataset = replace(
        plain,
        layout=told.layout,
        evidence=f"{len(every):,} image files, told of in {names}",
        partitions=[part for split in splits for part in listed_partitions(split, told.rows[split])],
        splits=tuple(Split(split, told.why[split]) for split in splits),
        label=Label("class", told.label, "high"),
        problems=problems,
        by_class=plain.by_class,
    )
    return dataset, {entry.parts: entry for entry in [*every, *told.lists]}
