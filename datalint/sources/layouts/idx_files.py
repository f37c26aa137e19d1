"""IDX files, as MNIST and its like are published: ``train-images-idx3-ubyte``, ``t10k-labels-idx1-ubyte.gz``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Problem
from datalint.sources.arrays.bundles import INPUTS, LABELS, array_dataset, bundle_of
from datalint.sources.arrays.files import NotAnArray, NotLookedInto
from datalint.sources.arrays.idx import idx_array, looks_like_idx
from datalint.sources.files import head_of
from datalint.sources.folder import unread
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.packing import without_packing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.arrays.files import ArrayFile
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

_NAMES = re.compile(r"idx|ubyte", re.IGNORECASE)
_STORED = re.compile(r"[-_.](idx\d?|ubyte|byte|short|int|float|double|gz)(?=[-_.]|$)", re.IGNORECASE)
"""What the name of a file says of how it is stored."""


class IdxFiles(Layout):
    """Arrays of pictures and of labels in IDX files."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each folder and family, ``emnist-letters`` apart from ``emnist-digits``."""
        named = [entry for entry in folder.left if _NAMES.search(entry.name)]
        groups: dict[tuple[tuple[str, ...], str], list[Entry]] = {}
        for entry in [e for e in named if folder.once(("idx", e.parts), lambda e=e: _is_idx(e))]:  # type: ignore[misc]
            groups.setdefault((_home(entry), _family(entry.name)), []).append(entry)
        homes = [home for home, _ in groups]
        for (home, family), entries in groups.items():
            claim = _claim(folder, home, family if homes.count(home) > 1 else "", entries)
            if claim is not None:
                yield claim


def _is_idx(entry: Entry) -> bool:
    try:
        return looks_like_idx(head_of(entry.path, 4)[0])
    except OSError:
        return entry.suffix in {"", ".idx", ".ubyte"}  # a packed file that is damaged


def _bare(name: str) -> str:
    return _STORED.sub("", name)


def _home(entry: Entry) -> tuple[str, ...]:
    """Where the data set lies: Kaggle puts each file into a folder of its name."""
    folder = entry.folder
    return folder[:-1] if folder and _bare(folder[-1]) == _bare(entry.name) else folder


def _family(name: str) -> str:
    words = vocabulary.family_of(_bare(name)).split("_")
    return "_".join(word for word in words if word not in INPUTS | LABELS)


def _claim(folder: Folder, home: tuple[str, ...], family: str, entries: Sequence[Entry]) -> Claim | None:
    chosen: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda e: (without_packing(e.name) != e.name, len(e.parts), e.parts)):
        chosen.setdefault(_bare(entry.name), entry)  # the same array is there packed and unpacked
    arrays: list[ArrayFile] = []
    read = []
    for entry in sorted(chosen.values(), key=lambda e: e.parts):
        try:
            arrays.append(idx_array(entry.path))
            read.append(entry)
        except NotAnArray as error:
            folder.unread[entry.parts] = unread(entry, error)
    if not arrays:
        return None
    place = folder.path(home) if len(entries) > 1 else entries[0].shown
    parts = (*home, family) if family else home
    try:
        dataset = array_dataset(folder.name(parts), place, bundle_of(arrays))
    except NotLookedInto as error:
        folder.unread.setdefault(read[0].parts, Problem("not-scanned", read[0].shown, str(error)))
        return None
    pictures = " of pictures" if dataset.modality == "images" else ""
    dataset = replace(dataset, layout=f"IDX files{pictures}")
    return Claim(entries, Basis.STRUCTURE, dataset.evidence, dataset, [e for e in entries if e not in read])
