"""Image folders of Hugging Face with objects: ``metadata.jsonl`` whose lines hold ``file_name`` and ``objects``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from datalint.sources import files
from datalint.sources.annotations.object_cells import BOXES, drawn_in
from datalint.sources.annotations.records import Records
from datalint.sources.annotations.shapes import side
from datalint.sources.files import IMAGES
from datalint.sources.layouts.base import Claim, Layout
from datalint.sources.layouts.object_lists import claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

_LONGEST_LINE = 64 << 20


class ObjectRecords(Layout):
    """Image folders whose metadata holds the objects of each picture."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each folder that holds them, or the folders of their splits, with their pictures."""
        if not any(entry.suffix in IMAGES for entry in folder.entries):
            return
        found = []
        for entry in folder.left:
            if entry.suffix in {".jsonl", ".ndjson"}:
                file = folder.once(("objects", entry.parts), lambda entry=entry: _read(entry))  # type: ignore[misc]
                if file is not None:
                    found.append(file)
        yield from claims(folder, found, "image folder with objects")


def _read(entry: Entry) -> Records | None:
    """The file, if its first lines have objects with boxes."""
    try:
        head, _ = files.head_of(entry.path, 64 << 10)
    except OSError:
        return None
    if b'"file_name"' not in head or not any(f'"{key}"'.encode() in head for key in BOXES):
        return None
    records = Records(entry, form="sizes", lines=True)
    try:
        with entry.path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
                if line.strip():
                    _picture(records, json.loads(line), number)
    except (OSError, ValueError, RecursionError) as error:
        records.problem = files.reason(error)
    return records if records.names else None


def _picture(records: Records, row: Any, number: int) -> None:
    if not isinstance(row, dict) or not isinstance(row.get("file_name"), str):
        return
    at = records.picture(row["file_name"], side(row.get("width")), side(row.get("height")))
    objects = row.get("objects")
    for item in drawn_in(objects if objects is not None else row):
        name = "object" if item.kind is None else str(item.kind)
        records.add(at, name, None if item.box is None else _corners(*item.box), number)


def _corners(left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
    return left, top, left + width, top + height
