"""The files that the user named for each split."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from datalint.core.errors import DatalintError
from datalint.sources.files import IMAGES
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
        why = {split: f"--split {split}={','.join(folder.wishes.splits[split])}" for split in chosen}
        images = {split: [e for e in hits if e.suffix in IMAGES] for split, hits in chosen.items()}
        if any(images.values()):
            # Where the splits lie is up to the user, so the class is the folder that holds the file.
            depth = {len(e.parts) - 2 for hits in images.values() for e in hits}
            level = depth.pop() if len(depth) == 1 else None
            found = Pictures(images, why, level if level is None or level >= 0 else None, (), "images")
            yield Claim(found.entries, Basis.ASKED, ", ".join(why.values()), picture_dataset(folder, found))
            return
        tables = TableFolders(folder)
        members = [Member(table, split, why[split]) for split, hits in chosen.items() for table in tables.look(hits)]
        files = [entry for hits in chosen.values() for entry in hits]
        for dataset in tables.grouped(members, (), "one file per split"):
            yield Claim(files, Basis.ASKED, ", ".join(why.values()), dataset)


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
