"""Data sets of NumPy files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Problem
from datalint.sources.arrays.bundles import Bundle, array_dataset, bundle_of
from datalint.sources.arrays.files import ArrayFile, NotAnArray, NotLookedInto, array_files
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
    """NumPy files."""

    surest = Basis.NAMES

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Every .npz is a data set; the .npy files of one folder are one together."""
        loose: dict[tuple[str, ...], list[Entry]] = {}
        for entry in [e for e in folder.left if e.suffix in ARRAYS]:
            if entry.suffix == ".npz":
                parts = (*entry.folder, stem(entry.name))
                yield from _claims(folder, parts, [entry], lambda arrays: [bundle_of(arrays)])
            else:
                loose.setdefault(entry.folder, []).append(entry)
        for place, inside in _joined_folders(loose).items():
            yield from _claims(folder, place, inside, _bundles)


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
            arrays += array_files(entry.path)
        except NotAnArray as error:
            folder.unread[entry.parts] = unread(entry, error)
    place = entries[0].shown if len(entries) == 1 else folder.path(parts)
    related = bundles(arrays) if arrays or entries[0].parts not in folder.unread else []
    for bundle in related:
        own = parts if len(related) == 1 else (*parts, bundle.first.name)
        try:
            dataset = array_dataset(folder.name(own), place, bundle)
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
