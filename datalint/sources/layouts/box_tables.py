"""Pictures whose boxes stand in a table, one in each row: ``_annotations.csv``, ``train_labels.csv``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.sources.annotations.box_tables import BoxTable
from datalint.sources.annotations.listed import Gallery
from datalint.sources.files import IMAGES
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.object_lists import claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.folder import Folder

SUFFIXES = frozenset({".csv", ".tsv"})


class BoxTables(Layout):
    """Pictures whose boxes stand in tables, one per split."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The tables whose columns are those of boxes, with their pictures."""
        if not any(entry.suffix in IMAGES for entry in folder.entries):
            return
        found = []
        for entry in folder.left:
            if entry.suffix in SUFFIXES:
                table = folder.once(("boxes", entry.parts), lambda entry=entry: BoxTable.read(entry))  # type: ignore[misc]
                if table is not None:
                    found.append(table)
        gallery = Gallery(folder.entries) if found else None
        for table in found:
            assert gallery is not None
            pictures = gallery.resolve(table.names, table.entry.folder, None).entries.values()
            if pictures and all(entry.parts in folder.claimed for entry in pictures):
                text = "boxes of pictures that are read with other annotations: left out"
                folder.unread[table.entry.parts] = Problem("not-scanned", table.entry.shown, text)
        free = [table for table in found if table.entry.parts not in folder.unread]
        bare = [table for table in free if len(table) == len(table.names) and len(table.class_names) < 2]
        yield from claims(folder, [table for table in free if table not in bare], "a table of boxes")
        # One box without a class in each picture may only say where that is which another table labels.
        yield from claims(folder, bare, "a table of boxes", Basis.STRUCTURE)
