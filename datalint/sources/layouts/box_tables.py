"""Pictures whose boxes stand in a table, one in each row: ``_annotations.csv``, ``train_labels.csv``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.sources.annotations.box_tables import BoxTable
from datalint.sources.files import IMAGES
from datalint.sources.layouts.base import Claim, Layout
from datalint.sources.layouts.object_lists import claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.folder import Folder

SUFFIXES = frozenset({".csv", ".tsv"})


class BoxTables(Layout):
    """Pictures whose boxes stand in tables, one per split."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The tables whose columns are those of boxes, with their pictures."""
        left = folder.left
        if not any(entry.suffix in IMAGES for entry in left):
            return
        found = []
        for entry in left:
            if entry.suffix in SUFFIXES:
                table = folder.once(("boxes", entry.parts), lambda entry=entry: BoxTable.read(entry))  # type: ignore[misc]
                if table is not None:
                    found.append(table)
        yield from claims(folder, found, "a table of boxes")
