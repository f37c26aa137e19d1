"""Streaming data sets of MosaicML (MDS): ``index.json`` next to its shards, for each split a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Problem
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import are, counted
from datalint.sources.files import printable
from datalint.sources.folder import unread
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.tables.build import Member, table_dataset
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import Candidate
from datalint.sources.tables.mds import MdsFormat, missing, shards_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.mds import Shard

LARGEST = 64 << 20
"""Bytes of an index that is read."""


class MdsSets(Layout):
    """Shards that an ``index.json`` lists with their columns."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The indexes of each data set with their shards."""
        homes: dict[tuple[str, ...], list[tuple[Entry, list[Shard]]]] = {}
        for entry in folder.left:
            if entry.name == "index.json" and entry.size <= LARGEST:
                shards = folder.once(("mds", entry.parts), lambda e=entry: _shards(e))  # type: ignore[misc]
                if shards:
                    home = entry.folder
                    named = bool(home) and vocabulary.split_of(home[-1]) is not None
                    homes.setdefault(home[:-1] if named else home, []).append((entry, shards))
        for home, indexes in homes.items():
            if (claim := _claim(folder, home, indexes)) is not None:
                yield claim


def _shards(entry: Entry) -> list[Shard]:
    try:
        return shards_in(entry.path)
    except OSError:
        return []


def _claim(folder: Folder, home: tuple[str, ...], indexes: Sequence[tuple[Entry, list[Shard]]]) -> Claim | None:
    known = {entry.parts: entry for entry in folder.left}
    members, files, problems, read = [], [], [], 0
    for index, shards in indexes:
        files.append(index)
        inside = index.folder[-1] if len(index.folder) > len(home) else ""
        split = vocabulary.split_of(inside) or WHOLE
        there = {shard.name for shard in shards if (*index.folder, shard.name) in known}
        lost = missing(shards, there)
        if lost:
            text = (
                f"lists {counted(len(lost), 'shard')} that {are(len(lost))} not there, such as {printable(lost[0])!r}"
            )
            problems.append(Problem("unreadable", index.shown, text))
        for shard in shards:
            if shard.name not in there:
                continue
            entry = known[(*index.folder, shard.name)]
            files.append(entry)
            try:
                table = MdsFormat(shard.columns).look(Candidate(entry.path, entry.shown, entry.name))
            except NotATable as error:
                folder.unread[entry.parts] = unread(entry, error)
                continue
            members.append(Member(table, split, f"folder {inside!r}" if inside else "not split"))
            read += shard.samples
    if not members:
        return None
    first = members[0].file
    dataset = table_dataset(
        folder.name(home),
        folder.path(home),
        "MDS shards",
        f"{counted(len(members), 'shard')} of {read:,} samples with {', '.join([*first.kinds, *first.unseen][:6])}",
        members,
        folder.wishes.label,
    )
    dataset.problems += problems
    return Claim(files, Basis.DECLARED, dataset.evidence, dataset)
