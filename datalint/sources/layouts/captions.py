"""Texts of the same names as pictures, next to them: ``001.png`` with what it shows in ``001.txt``, as image generators learn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import arranged
from datalint.sources.layouts.text_folders import FEWEST, hold_words, text_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

SUFFIXES = frozenset({".txt", ".caption"})

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
