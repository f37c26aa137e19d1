"""The files that the user named for each split."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from datalint.core.errors import DatalintError
from datalint.sources.arrays.bundles import Bundle, array_dataset, bundle_of
from datalint.sources.arrays.files import NotAnArray, NotLookedInto, array_files
from datalint.sources.files import ARRAYS, IMAGES
from datalint.sources.folder import unread
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import Pictures, picture_dataset
from datalint.sources.tables.build import Member
from datalint.sources.tables.folders import TableFolders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder


class ChosenSplits(Layout):
    """Tables or pictures whose splits the user chose."""

    surest = Basis.ASKED

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files that match the patterns of a split.

        Raises:
            DatalintError: no file matches a pattern, or one matches those of two splits.
        """
        if not folder.wishes.splits or folder.claimed:
            return
        chosen = _chosen(folder)
        asked = {split: f"--split {split}={','.join(folder.wishes.splits[split])}" for split in chosen}
        why = {split: folder.wishes.why or typed for split, typed in asked.items()}
        images = {split: [e for e in hits if e.suffix in IMAGES] for split, hits in chosen.items()}
        if any(images.values()):
            # Where the splits lie is up to the user, so the class is the folder that holds the file.
            depth = {len(e.parts) - 2 for hits in images.values() for e in hits}
            level = depth.pop() if len(depth) == 1 else None
            if level is not None and (level < 0 or _tells_splits(images, level)):
                level = None
            found = Pictures(images, why, level, (), "images")
            yield Claim(found.entries, Basis.ASKED, ", ".join(why.values()), picture_dataset(folder, found))
            return
        if all(e.suffix in ARRAYS for hits in chosen.values() for e in hits):
            try:
                dataset = array_dataset(folder.name(()), folder.path(()), _arrays(chosen, folder))
            except NotLookedInto as error:
                raise DatalintError(f"{', '.join(why.values())}: {error}") from error
            files = [entry for hits in chosen.values() for entry in hits]
            yield Claim(files, Basis.ASKED, ", ".join(why.values()), dataset)
            return
        tables = TableFolders(folder)
        members = [Member(table, split, why[split]) for split, hits in chosen.items() for table in tables.look(hits)]
        files = [entry for hits in chosen.values() for entry in hits]
        for dataset in tables.grouped(members, (), "one file per split"):
            yield Claim(files, Basis.ASKED, ", ".join(why.values()), dataset)


def _arrays(chosen: Mapping[str, list[Entry]], folder: Folder) -> Bundle:
    """The inputs and labels of each split."""
    whole = Bundle(evidence="given by split")
    for split, hits in chosen.items():
        arrays = []
        for entry in hits:
            try:
                arrays += array_files(entry.path)
            except NotAnArray as error:
                folder.unread[entry.parts] = unread(entry, error)
        own = bundle_of(arrays)
        if len(own.inputs) > 1:
            whole.others += own.arrays
            continue
        for name, array in own.inputs.items():
            whole.inputs[split] = array
            if name in own.labels:
                whole.labels[split] = own.labels[name]
        whole.others += own.others
    return whole


def _tells_splits(images: Mapping[str, list[Entry]], level: int) -> bool:
    """Whether the folders at a level are one for each split, so that they are no classes."""
    names = [{entry.parts[level] for entry in hits} for hits in images.values() if hits]
    return len(names) > 1 and all(len(own) == 1 for own in names) and len(set().union(*names)) == len(names)


def _chosen(folder: Folder) -> Mapping[str, list[Entry]]:
    chosen: dict[str, list[Entry]] = {}
    seen: set[Entry] = set()
    for split, patterns in folder.wishes.splits.items():
        hits = [e for e in folder.entries if any(_matches(e, pattern) for pattern in patterns)]
        if not hits:
            raise DatalintError(f"--split {split}={','.join(patterns)}: no file below {folder.root} matches")
        chosen[split] = hits
    for split, hits in chosen.items():
        twice = seen.intersection(hits)
        if twice:
            raise DatalintError(f"--split {split}: {min(twice, key=lambda e: e.parts).shown} is in two splits")
        seen |= set(hits)
    return chosen


def _matches(entry: Entry, pattern: str) -> bool:
    below = "/".join(entry.parts)
    plain = pattern.removeprefix("./").rstrip("/")
    return fnmatch.fnmatch(below, plain) or fnmatch.fnmatch(entry.name, plain) or below.startswith(plain + "/")
