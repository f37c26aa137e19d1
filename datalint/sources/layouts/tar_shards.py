"""WebDataset without pictures: tar shards of texts, objects, arrays or recordings with their labels."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources import tars
from datalint.sources.images.shards import PICTURES, samples
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.tables.build import Member, table_dataset
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import Candidate
from datalint.sources.tables.tar_shards import READ, TarShardFormat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.format import TableFile

LEAST, HEAD = 10, 100
"""Samples that an archive must hold, and of which most must have the same parts."""

LONE = frozenset({"json", "npy"})
"""Parts that make up a sample by themselves; single texts and recordings lie in folders as well."""


class TarShards(Layout):
    """Tar archives whose members of one key are a sample without a picture."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The shards of each folder; of folders that are named by splits together."""
        homes: dict[tuple[str, ...], list[tuple[Entry, TableFile]]] = {}
        for entry in folder.left:
            if tars.is_tar(entry.name):
                found = folder.once(("rows", entry.parts), lambda e=entry: _look(e))  # type: ignore[misc]
                if found is not None:
                    home = entry.folder
                    named = home and vocabulary.split_of(home[-1]) is not None
                    homes.setdefault(home[:-1] if named else home, []).append((entry, found))
        for home, shards in homes.items():
            yield _claim(folder, home, shards)


def _look(entry: Entry) -> TableFile | None:
    """The shard as a table; None if it is another archive."""
    parts: Counter[frozenset[str]] = Counter()
    names: set[str] = set()
    try:
        for sample in islice(samples(entry.path, lambda _: False, []), HEAD):
            parts[frozenset(sample.parts)] += 1
            names |= sample.parts.keys()
    except tars.DAMAGE:
        pass  # what lies before the damage says what it is
    count = parts.total()
    if count < LEAST or not names & READ or any(name.rpartition(".")[2] in PICTURES for name in names):
        return None
    usual, often = parts.most_common(1)[0]
    if 2 * often < count or not (len(usual) > 1 or usual <= LONE):
        return None
    try:
        return TarShardFormat().look(Candidate(entry.path, entry.shown, entry.name))
    except (NotATable, OSError):
        return None


def _claim(folder: Folder, home: tuple[str, ...], shards: Sequence[tuple[Entry, TableFile]]) -> Claim:
    by_name = vocabulary.split_files([entry.name for entry, _ in shards])
    members = []
    for entry, table in shards:
        inside = entry.folder[-1] if len(entry.folder) > len(home) else ""
        split = vocabulary.split_of(inside) or by_name.get(entry.name) or WHOLE
        why = f"folder {inside!r}" if inside else f"file name {entry.name!r}" if split != WHOLE else "not split"
        members.append(Member(table, split, why))
    first = members[0].file
    dataset = table_dataset(
        folder.name(home),
        folder.path(home),
        "WebDataset shards",
        f"{counted(len(shards), 'tar archive')}, samples of {', '.join([*first.kinds, *first.unseen][:6])}",
        members,
        folder.wishes.label,
    )
    return Claim([entry for entry, _ in shards], Basis.STRUCTURE, dataset.evidence, dataset)
