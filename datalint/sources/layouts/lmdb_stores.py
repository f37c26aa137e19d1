"""LMDB databases: folders of ``data.mdb`` and ``lock.mdb``, or single files; splits are told by the names of either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources.files import head_of, printable
from datalint.sources.folder import unread
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.records.lmdb import HEADER, MARK
from datalint.sources.tables.build import Member, table_dataset
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import Candidate
from datalint.sources.tables.lmdb_store import LmdbFormat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

NAME = "data.mdb"
"""What the file is called in a folder of its own."""

LOCK = "lock.mdb"
SUFFIXES = frozenset({".mdb", ".lmdb"})


class LmdbStores(Layout):
    """Databases with the locks next to them."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Those of one home that differ in their splits alone are one data set."""
        left = folder.left
        groups: dict[tuple[tuple[str, ...], str], list[tuple[Entry, str]]] = {}
        for entry in left:
            if (entry.suffix in SUFFIXES or "lmdb" in entry.name.lower()) and _is_store(folder, entry):
                home, family, split = _place(entry)
                groups.setdefault((home, family), []).append((entry, split))
        for (home, _), stores in groups.items():
            locks = {_lock(entry) for entry, _ in stores}
            files = [*(entry for entry, _ in stores), *(entry for entry in left if entry.parts in locks)]
            key = ("lmdb", *(entry.parts for entry in files))
            yield folder.once(key, lambda h=home, s=stores, f=files: _claim(folder, h, s, f))  # type: ignore[misc]


def _is_store(folder: Folder, entry: Entry) -> bool:
    try:
        head, _ = folder.once(("head", entry.parts), lambda: head_of(entry.path, 64))
    except OSError:
        return False
    return head[HEADER:].startswith(MARK)


def _lock(entry: Entry) -> tuple[str, ...]:
    return (*entry.folder, LOCK if entry.name == NAME else f"{entry.name}-lock")


def _place(entry: Entry) -> tuple[tuple[str, ...], str, str]:
    """The folder of the data set, what its name is without the split, and the split; the whole where none is named."""
    own = entry.folder if entry.name == NAME else entry.parts
    for k, part in enumerate(own):
        split = vocabulary.split_of(part)
        if split is not None:
            return own[:k], vocabulary.family_of(part), split
    return own[:-1], vocabulary.family_of(own[-1]) if own else "", WHOLE


def _claim(folder: Folder, home: tuple[str, ...], stores: Sequence[tuple[Entry, str]], files: Sequence[Entry]) -> Claim:
    members: list[Member] = []
    splits = {split for _, split in stores}
    sure = len(splits) > 1 or "train" in splits
    left_out = []
    for entry, named in stores:
        split = named if sure else WHOLE
        try:
            table = LmdbFormat().look(Candidate(entry.path, entry.shown, entry.name))
        except (NotATable, OSError) as error:
            problem = unread(entry, error)
            folder.unread[entry.parts] = problem
            left_out.append(entry)
            continue
        place = "/".join(entry.folder if entry.name == NAME else entry.parts)
        members.append(Member(table, split, f"name {printable(place)!r}" if split != WHOLE else "not split"))
    if not members:
        return Claim(files, Basis.STRUCTURE, "LMDB databases that are not read", None, files)
    return _read(folder, home, members, files, left_out)


def _read(
    folder: Folder,
    home: tuple[str, ...],
    members: Sequence[Member],
    files: Sequence[Entry],
    left_out: Sequence[Entry],
) -> Claim:
    first = members[0].file
    alone = files[0].folder if files[0].name == NAME else files[0].parts
    place = alone if len(members) == 1 and alone else home
    dataset = table_dataset(
        folder.name(place),
        folder.path(place),
        "LMDB",
        f"{counted(len(members), 'database')} of {', '.join([*first.kinds, *first.unseen][:6])}",
        members,
        folder.wishes.label,
    )
    return Claim(files, Basis.STRUCTURE, dataset.evidence, dataset, left_out)
