"""Pictures whose objects stand in COCO JSON: ``annotations/instances_train2017.json``, ``train/_annotations.coco.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.sources.annotations.coco import CocoFile, looks_like_coco
from datalint.sources.layouts.base import Claim, Layout
from datalint.sources.layouts.object_lists import claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder


class Coco(Layout):
    """Pictures whose objects stand in COCO JSON, one file per split."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each folder that holds them, or the folders of their splits, with their pictures."""
        found = [
            file
            for entry in folder.left
            if (file := coco_file(folder, entry)) is not None and not (file.boxless and not len(file))
        ]
        yield from claims(folder, found, "COCO")


def coco_file(folder: Folder, entry: Entry) -> CocoFile | None:
    """The file, if it is one that lists pictures."""
    if entry.suffix != ".json":
        return None
    file = folder.once(("coco", entry.parts), lambda: CocoFile.read(entry) if looks_like_coco(entry) else None)
    return file if file is not None and file.names else None
