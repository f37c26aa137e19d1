"""Data sets of NumPy files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Problem
from datalint.sources.arrays.bundles import Bundle, array_dataset, bundle_of
from datalint.sources.arrays.files import ArrayFile, NotAnArray, NotLookedInto, array_files
from datalint.sources.folder import stem, unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

MAX_LOOSE = 20
"""Arrays of one folder, with names that say nothing, that are each a data set; more are samples in files of their own."""


class ArrayFolders:
    """The array data sets of a folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def datasets(self, entries: list[Entry]) -> list[Dataset]:
        """Every .npz is a data set; the .npy files of one folder are one together."""
        found: list[Dataset] = []
        loose: dict[tuple[str, ...], list[Entry]] = {}
        for entry in entries:
            if entry.suffix == ".npz":
                parts = (*entry.folder, stem(entry.name))
                found += self._array_dataset(parts, [entry], lambda arrays: [bundle_of(arrays)])
            else:
                loose.setdefault(entry.folder, []).append(entry)
        for folder, inside in _joined_folders(loose).items():
            found += self._array_dataset(folder, inside, _bundles)
        return found

    def _array_dataset(
        self, parts: tuple[str, ...], entries: list[Entry], bundles: Callable[[list[ArrayFile]], list[Bundle]]
    ) -> list[Dataset]:
        arrays: list[ArrayFile] = []
        for entry in entries:
            try:
                arrays += array_files(entry.path)
            except NotAnArray as error:
                self.folder.unread[entry.parts] = unread(entry, error)
        place = entries[0].shown if len(entries) == 1 else self.folder.path(parts)
        found = []
        related = bundles(arrays) if arrays or entries[0].parts not in self.folder.unread else []
        for bundle in related:
            own = parts if len(related) == 1 else (*parts, bundle.first.name)
            try:
                found.append(array_dataset(self.folder.name(own), place, bundle))
            except NotLookedInto as error:
                self.folder.unread[own] = Problem("not-scanned", place, str(error))
        return found


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
