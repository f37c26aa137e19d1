"""Several paths: those that make up one data set are read as one, as if nothing else lay in their folder."""

from __future__ import annotations

import os
from dataclasses import replace
from glob import escape
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.errors import DatalintError
from datalint.sources.files import Entry, Listing
from datalint.sources.places import entry_at
from datalint.sources.recognise import Recognised, Search, nearest, recognise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from datalint.core.dataset import Dataset
    from datalint.sources.folder import Wishes


def recognise_together(paths: Sequence[Path], wishes: Wishes) -> Recognised:
    """The data sets at several paths.

    Files are one data set where a folder that holds nothing else would be one: splits by name, shards of the same columns,
    inputs next to their labels. So are files of different folders with the same columns that are named by split, and folders
    of one place that are named by split. All others are read by themselves.

    Raises:
        DatalintError: there is no such path, or nothing is a data set.
    """
    paths = list(dict.fromkeys(paths))
    if len(paths) == 1:
        return recognise(paths[0], wishes)
    if wishes.splits and all(path.is_file() for path in paths):
        return _search(paths, wishes).found()
    if (folders := _split_folders(paths, wishes)) is not None:
        return folders
    found = _files([path for path in paths if path.is_file()], wishes)
    for path in paths:
        if not path.is_file():
            found += recognise(path, wishes)
    order = {str(path.absolute()): number for number, path in enumerate(paths)}
    found.datasets.sort(key=lambda dataset: min((order.get(name, len(paths)) for name in _read(dataset)), default=0))
    return found


def recognise_splits(parts: Mapping[str, Sequence[Path]], wishes: Wishes) -> Recognised:
    """The one data set of which the user says where each split lies.

    Raises:
        DatalintError: there is no such path, two splits have one name or share files, or nothing can be read.
    """
    named: dict[str, list[Path]] = {}
    for raw, paths in parts.items():
        split = vocabulary.split_of(raw) or raw
        if split in named:
            raise DatalintError(f"two of the parts are the split {split!r}: give each split once")
        named[split] = [*paths]
    for path in [path for paths in named.values() for path in paths]:
        if not (path.is_file() or path in wishes.folders):
            recognise(path, wishes)  # says what is wrong with it
    return _by_split(named, wishes, "given")


def _by_split(named: Mapping[str, Sequence[Path]], wishes: Wishes, why: str) -> Recognised:
    every = [path for paths in named.values() for path in paths]
    root, listing = _listed(every, wishes)
    patterns = {
        split: [_pattern(path.relative_to(root), path in wishes.folders) for path in _below(paths, root)]
        for split, paths in named.items()
    }
    return Search(root, replace(wishes, splits=patterns, why=why), listing).found()


def _pattern(place: Path, folder: bool) -> str:
    inside = escape(place.as_posix())
    return inside if not folder else f"{inside}/*" if place.parts else "*"


def _split_folders(paths: Sequence[Path], wishes: Wishes) -> Recognised | None:
    """Folders side by side that are named as splits, as the folder in which nothing else lies; None if they are not."""
    if not all(path in wishes.folders for path in paths) or len({path.absolute().parent for path in paths}) > 1:
        return None
    splits = vocabulary.split_folders([path.name for path in paths])
    if not splits or len(set(splits.values())) < 2:
        return None
    try:
        return _search(paths, wishes).found()
    except DatalintError:
        return None  # what is said of each tells more


def _files(files: Sequence[Path], wishes: Wishes) -> Recognised:
    """The data sets that files make up together, and those that are one file each."""
    if len(files) < 2:
        return Recognised() if not files else recognise(files[0], wishes)
    search = _search(files, wishes)
    try:
        found = search.found()
    except DatalintError:
        found = Recognised()
    own = {str(path.absolute()) for path in files}  # of an archive its members are read
    taken = {name for dataset in found.datasets if len(read := _read(dataset) & own) > 1 for name in read}
    alone, failed = _alone([path for path in files if str(path.absolute()) not in taken], wishes)
    if not alone:
        if not found.datasets:
            raise failed[0]
        return found
    others = [path for path in files if path not in alone]
    if taken:
        found = _search(others, wishes).found()
        return sum(_apart(alone, wishes), found)
    left = [entry for entry in search.listing.entries if entry.path.absolute() in {path.absolute() for path in others}]
    found = sum(_apart(alone, wishes), Recognised(unread=left))
    for entry in found.unread:
        if (problem := search.folder.unread.get(entry.parts)) is not None:
            nearest(problem, found.datasets).problems.append(problem)
    return found


def _alone(files: Iterable[Path], wishes: Wishes) -> tuple[dict[Path, Recognised], list[DatalintError]]:
    """What each file is by itself, and what is wrong with those that are nothing."""
    alone: dict[Path, Recognised] = {}
    failed: list[DatalintError] = []
    for path in files:
        try:
            alone[path] = recognise(path, wishes)
        except DatalintError as error:
            failed.append(error)
    return alone, failed


def _apart(alone: Mapping[Path, Recognised], wishes: Wishes) -> list[Recognised]:
    """The same, with tables of different folders joined that have the same columns and are named by split."""
    tables = {
        path: one
        for path, one in alone.items()
        if len(one.datasets) == 1 and one.datasets[0].modality == "table" and one.datasets[0].fields
    }
    families: dict[str, list[Path]] = {}
    for path in tables:
        families.setdefault(vocabulary.family_of(path.name), []).append(path)
    joined: dict[Path, Recognised] = {}
    for family in families.values():
        splits = vocabulary.split_files([path.name for path in family])
        if len(splits) < len(family) or len(set(splits.values())) < len(family) or len(family) < 2:
            continue
        columns = [{field.name for field in tables[path].datasets[0].fields} for path in family]
        if all(2 * len(columns[0] & other) >= max(len(columns[0]), len(other)) for other in columns[1:]):
            one = _by_split({splits[path.name]: [path] for path in family}, wishes, "file name")
            joined |= dict.fromkeys(family, one)
    return list({id(one): one for one in {**alone, **joined}.values()}.values())


def _read(dataset: Dataset) -> set[str]:
    """The files of a data set."""
    return {name for partition in dataset.partitions for name in partition.files_read}


def _below(paths: Iterable[Path], root: Path) -> list[Path]:
    """The paths in the form in which the root is given."""
    return [path.absolute() if root.is_absolute() else path for path in paths]


def _search(paths: Sequence[Path], wishes: Wishes) -> Search:
    root, listing = _listed(paths, wishes)
    return Search(root, wishes, listing)


def _listed(paths: Sequence[Path], wishes: Wishes) -> tuple[Path, Listing]:
    """The folder around some paths, as if nothing else lay in it."""
    root = _around(paths)
    whole = Listing([], [], [])
    for path, place in zip(paths, _below(paths, root), strict=True):
        inside = place.relative_to(root).parts
        listing = wishes.folders.get(path)
        if listing is None:
            whole.entries.append(entry_at(place, inside))
            continue
        prefix = place.as_posix()

        def moved(entry: Entry, inside: tuple[str, ...] = inside, prefix: str = prefix) -> Entry:
            parts = (*inside, *entry.parts)
            where = entry.where if entry.place else os.path.join(prefix, *entry.parts)  # noqa: PTH118
            return replace(entry, where=where, parts=parts)

        whole.entries += map(moved, listing.entries)
        whole.passed += [(moved(entry), why) for entry, why in listing.passed]
        whole.problems += listing.problems
        whole.empty += [(*inside, *parts) for parts in listing.empty]
        whole.hidden += [(*inside, *parts) for parts in listing.hidden]
        whole.hidden_pictures += [(*inside, *parts) for parts in listing.hidden_pictures]
    whole.entries.sort(key=lambda entry: entry.parts)
    return root, whole


def _around(paths: Sequence[Path]) -> Path:
    """The closest folder that holds all of them, as they are given if that can be."""
    if any(path.is_absolute() for path in paths) or any(".." in path.parts for path in paths):
        paths = [path.absolute() for path in paths]
    around = paths[0].parent
    while not all(path.is_relative_to(around) and path != around for path in paths):
        if around == around.parent:
            raise DatalintError(f"{paths[0]} and {paths[-1]} lie in different places: they cannot be one data set")
        around = around.parent
    return around
