"""Data sets of NumPy files, and of other files that hold arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Problem
from datalint.core.vocabulary import WHOLE
from datalint.sources.arrays.bundles import Bundle, array_dataset, bundle_of
from datalint.sources.arrays.files import ArrayFile, NotAnArray, NotLookedInto
from datalint.sources.arrays.readers import NUMPY, arrays_in, titled
from datalint.sources.files import ARRAYS
from datalint.sources.folder import stem, unread
from datalint.sources.layouts.base import Basis, Claim, Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

MAX_LOOSE = 20
"""Arrays of one folder, with names that say nothing, that are each a data set; more are samples in files of their own."""


class NumpyFiles(Layout):
    """Files of arrays."""

    surest = Basis.NAMES

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Every file of several arrays is a data set, or a split of one; the .npy files of one folder are one together."""
        loose: dict[tuple[str, ...], list[Entry]] = {}
        bundles: dict[tuple[tuple[str, ...], str], list[Entry]] = {}
        for entry in [e for e in folder.left if e.suffix in ARRAYS]:
            if entry.suffix == ".npy":
                loose.setdefault(entry.folder, []).append(entry)
            else:
                bundles.setdefault((entry.folder, entry.suffix), []).append(entry)
        for (place, suffix), entries in bundles.items():
            yield from _files(folder, place, suffix, entries)
        for place, inside in _joined_folders(loose).items():
            yield from _claims(folder, place, inside, _bundles)


def _files(folder: Folder, place: tuple[str, ...], suffix: str, entries: list[Entry]) -> Iterator[Claim]:
    """The data sets of files that hold several arrays each."""
    splits = vocabulary.split_files([entry.name for entry in entries])
    if len(set(splits.values())) > 1 and len(set(splits.values())) == len(splits):
        named = [entry for entry in entries if entry.name in splits]
        by_path = {entry.path: splits[entry.name] for entry in named}
        joined = [*_claims(folder, place, named, lambda arrays: _by_split(arrays, by_path))]
        yield from joined
        entries = [entry for entry in entries if entry not in named or not joined]
    if suffix not in NUMPY and len(entries) > MAX_LOOSE:
        return  # one of each sample
    for entry in entries:
        yield from _claims(folder, (*place, stem(entry.name)), [entry], lambda arrays: [bundle_of(arrays)])


def _by_split(arrays: list[ArrayFile], splits: dict[Path, str]) -> list[Bundle]:
    """The arrays of files that are a split each; none where a file holds several, or no inputs."""
    whole = Bundle(evidence="file and array names")
    for path, split in splits.items():
        own = bundle_of([array for array in arrays if array.path == path])
        if own.inputs.keys() != {WHOLE} or not own.labels.keys() <= {WHOLE}:
            return []
        whole.inputs[split] = own.inputs[WHOLE]
        if WHOLE in own.labels:
            whole.labels[split] = own.labels[WHOLE]
        whole.others += own.others
    return [whole]


def _claims(
    folder: Folder,
    parts: tuple[str, ...],
    entries: list[Entry],
    bundles: Callable[[list[ArrayFile]], list[Bundle]],
) -> Iterator[Claim]:
    arrays: list[ArrayFile] = []
    whose: dict[Path | None, Entry] = {}
    for entry in entries:
        whose[entry.path] = entry
        try:
            arrays += folder.once(("arrays", entry.parts), lambda entry=entry: arrays_in(entry.path))  # type: ignore[misc]
        except NotAnArray as error:
            folder.unread[entry.parts] = unread(entry, error)
    place = entries[0].shown if len(entries) == 1 else folder.path(parts)
    related = bundles(arrays) if arrays or entries[0].parts not in folder.unread else []
    for bundle in related:
        own = parts if len(related) == 1 else (*parts, bundle.first.name)
        try:
            dataset = titled(array_dataset(folder.name(own), place, bundle), entries[0].name)
        except NotLookedInto as error:
            folder.unread[own] = Problem("not-scanned", place, str(error))
        else:
            files, others = (
                dict.fromkeys(whose[array.path] for array in arrays) for arrays in (bundle.arrays, bundle.others)
            )
            read = {whose[array.path] for array in [*bundle.inputs.values(), *bundle.labels.values()]}
            left_out = [entry for entry in others if entry not in read]
            yield Claim([*files], Basis.NAMES, f"{dataset.layout}: {dataset.evidence}", dataset, left_out)


def _joined_folders(loose: dict[tuple[str, ...], list[Entry]]) -> dict[tuple[str, ...], list[Entry]]:
    """The .npy files by folder; those in sibling folders that are splits belong together."""
    parents: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for folder in loose:
        parents.setdefault(folder[:-1], []).append(folder)
    joined = dict(loose)
    for parent, folders in parents.items():
        if len(folders) > 1 and vocabulary.split_folders([folder[-1] for folder in folders if folder]):
            joined[parent] = joined.get(parent, []) + [entry for folder in folders for entry in joined.pop(folder)]
    return joined


def _bundles(arrays: list[ArrayFile]) -> list[Bundle]:
    """The arrays of one folder: one data set, or as many as there are arrays."""
    bundle = bundle_of(arrays)
    return [bundle] if bundle.related or len(arrays) > MAX_LOOSE else [Bundle.alone(array) for array in arrays]
