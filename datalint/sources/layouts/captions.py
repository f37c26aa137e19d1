"""Texts of the same names as pictures, next to them: ``001.png`` with what it shows in ``001.txt``, as image generators learn."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.core.vocabulary import WHOLE
from datalint.sources.files import head_of
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import arranged
from datalint.sources.layouts.text_folders import FEWEST, hold_words, text_dataset
from datalint.sources.tables.build import Member, table_dataset
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.formats import look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.format import TableFile

SUFFIXES = frozenset({".txt", ".caption"})

LINES = frozenset({".txt", ".token", ".tsv"})

_PICTURE = re.compile(r"\.[A-Za-z]+(#\d+)?$")
"""How the name of a picture ends that has several captions."""

MOST = 0.9
"""Share of the texts of a folder that have a picture of their name."""


class Captions(Layout):
    """What pictures show, in a file of words for each."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The texts; the pictures are for other layouts."""
        texts = [entry for entry in folder.left if entry.suffix in SUFFIXES]
        if len(texts) < FEWEST or not folder.pictures.known:
            return
        paired = _next_to_pictures(folder, texts)
        for found in arranged(paired, ()) if len(paired) >= FEWEST else ():
            if not folder.once(("captions", found.parts), lambda found=found: hold_words(found.entries)):  # type: ignore[misc]
                continue
            dataset = text_dataset(folder, found, None)
            name = f"{dataset.name} captions"
            dataset = replace(dataset, name=name, evidence=f"{dataset.evidence}, each next to a picture of its name")
            yield Claim(found.entries, Basis.STRUCTURE, dataset.evidence, dataset, found.left_out)


class CaptionLists(Layout):
    """Lines of a picture's name and what it shows: ``1000268201.jpg#0``, a tab, and a sentence (Flickr8k, Flickr30k)."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """One such file; others with other forms of the same sentences are told."""
        maybe = [e for e in folder.left if e.suffix in LINES and e.size] if folder.pictures.known else []
        stems = {e.name.rpartition(".")[0] for e in folder.pictures.known.values()} if maybe else set()
        found = [
            (entry, table)
            for entry in maybe
            if (table := folder.once(("caption lines", entry.parts), lambda e=entry: _caption_lines(e, stems)))  # type: ignore[misc]
        ]
        homes: dict[tuple[str, ...], list[tuple[Entry, TableFile]]] = {}
        for entry, table in found:
            homes.setdefault(entry.folder, []).append((entry, table))
        for home, several in homes.items():
            (entry, table), *others = sorted(several, key=lambda item: (len(item[0].name), item[0].name))
            name = f"{folder.name(home)} captions"
            dataset = table_dataset(
                name, folder.path(home), "captions", table.name, [Member(table, WHOLE, "not split")], None
            )
            for other, _ in others:
                text = f"other captions of the pictures of {entry.name!r}"
                folder.unread[other.parts] = Problem("not-scanned", other.shown, text)
            left_out = [other for other, _ in others]
            yield Claim([entry, *left_out], Basis.STRUCTURE, dataset.evidence, dataset, left_out)


def _caption_lines(entry: Entry, stems: set[str]) -> TableFile | None:
    """The file as a table, if nearly all of its lines begin with the name of a picture and go on in words."""
    try:
        head, _ = head_of(entry.path, 64 << 10)
        lines = [line for line in head.decode("utf-8", "replace").splitlines()[:-1] if line.strip()]
        pairs = [line.split("\t") for line in lines]
        named = sum(len(p) == 2 and _PICTURE.sub("", p[0]) in stems and " " in p[1].strip() for p in pairs)
        if len(lines) < FEWEST or named < MOST * len(lines):
            return None
        return look(entry.path, entry.shown, entry.name)
    except (OSError, NotATable):
        return None


def _next_to_pictures(folder: Folder, texts: list[Entry]) -> list[Entry]:
    stems = {(*e.folder, e.name.rpartition(".")[0]) for e in folder.pictures.known.values()}
    places: dict[tuple[str, ...], list[Entry]] = {}
    for entry in texts:
        places.setdefault(entry.folder, []).append(entry)
    kept: list[Entry] = []
    for place, inside in places.items():
        paired = [entry for entry in inside if (*place, entry.name.rpartition(".")[0]) in stems]
        kept += paired if len(paired) >= MOST * len(inside) else []
    return kept
