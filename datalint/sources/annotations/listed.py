"""Which pictures of a folder the names in annotations mean."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.sources import files
from datalint.sources.files import IMAGES, shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from datalint.sources.files import Entry

_FOREIGN = re.compile(r"^([A-Za-z]:)?/|^\.\./|/\.\./")
"""Paths of another machine or place, of which the end alone can be followed."""


@dataclass(frozen=True)
class Resolved:
    """The pictures that a list names."""

    entries: Mapping[int, Entry]
    """By position in the list."""
    absent: Sequence[str]
    """Where those that are not there would lie, as people call it."""


class Gallery:
    """The pictures of a folder, to be found by what a list calls them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_name: defaultdict[str, list[Entry]] = defaultdict(list)
        """Under their stems as well: some lists leave the suffix out."""
        self._by_folder: defaultdict[tuple[str, ...], list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.suffix in IMAGES:
                self._by_name[entry.name].append(entry)
                self._by_name[entry.name.rpartition(".")[0]].append(entry)
                self._by_folder[entry.folder].append(entry)

    def resolve(self, names: Sequence[str], home: tuple[str, ...], split: str | None) -> Resolved:
        """The pictures that the names in a file mean.

        Args:
            names: as they stand in the file.
            home: the folder of the file.
            split: that the file is about.
        """
        found = {k: candidates for k, name in enumerate(names) if (candidates := self._candidates(name))}
        # Names may be the same in every split: what lies in the folder of another is not meant.
        own = {k: [e for e in several if _split(e) in {None, split}] for k, several in found.items()}
        if split is None or not any(own.values()):
            own = found
        seen = Counter(several[0].folder for several in own.values() if len(several) == 1)
        entries = {
            k: several[0] if len(several) == 1 else max(several, key=lambda e: (seen[e.folder], shared(e.folder, home)))
            for k, several in own.items()
            if several
        }
        usual = Counter(entry.where.removesuffix(_plain(names[k])) for k, entry in entries.items()).most_common(1)
        base = usual[0][0] if usual else "/".join([*home, ""])
        absent = [files.printable(base + _plain(name)) for k, name in enumerate(names) if k not in entries]
        return Resolved(entries, absent)

    def _candidates(self, name: str) -> list[Entry]:
        plain = _plain(name)
        parts = tuple(plain.split("/"))
        several = self._by_name.get(parts[-1], [])
        above = parts[-2::-1]
        whole = [entry for entry in several if entry.folder[::-1][: len(above)] == above]
        if whole or not _FOREIGN.search(name.replace("\\", "/")):
            return whole
        longest = max((shared(entry.folder[::-1], above) for entry in several), default=0)
        return [entry for entry in several if shared(entry.folder[::-1], above) == longest]

    def neighbours(self, entries: Iterable[Entry]) -> list[Entry]:
        """All pictures in the folders of these."""
        folders = dict.fromkeys(entry.folder for entry in entries)
        return [entry for folder in folders for entry in self._by_folder[folder]]


def _plain(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")


def _split(entry: Entry) -> str | None:
    return next((split for part in reversed(entry.folder) if (split := vocabulary.split_of(part))), None)
