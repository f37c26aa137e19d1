"""Pictures with a JSON file of LabelMe for each: shapes of a label and points."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from datalint.core.annotations import MALFORMED
from datalint.sources import files
from datalint.sources.annotations.pictures import Note
from datalint.sources.annotations.shapes import LONGEST, NOTHING, around, side
from datalint.sources.layouts.base import Claim, Layout
from datalint.sources.layouts.pairs import claims_of_pairs, notes_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.annotations import Form
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder


class LabelMe(Layout):
    """Pictures with a JSON file of shapes for each."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The pictures next to such files, or in a folder next to theirs."""
        left = folder.left
        notes = folder.once(("labelme", len(folder.claimed)), lambda: notes_in(left, ".json", _looks_like))
        yield from claims_of_pairs(folder, notes, LabelMeNotes(), "LabelMe")


def _looks_like(entry: Entry) -> bool:
    try:
        head, _ = files.head_of(entry.path, 16 << 10)
    except OSError:
        return False
    marks = (b'"imagePath"', b'"shape_type"', b'"imageHeight"', b'"flags"')
    return head.lstrip().startswith(b"{") and b'"shapes"' in head and any(mark in head for mark in marks)


@dataclass(frozen=True)
class LabelMeNotes:
    """``shapes`` of two corners, of an outline, or of a centre and a point of the circle around it."""

    shares: ClassVar[bool] = False
    form: ClassVar[Form] = "corners"

    def read(self, data: bytes) -> Note:
        """The shapes of a file; they are known by their number."""
        note = Note()
        try:
            document = json.loads(data)
            shapes = document.get("shapes", ())
        except (ValueError, AttributeError, RecursionError) as error:
            note.problem = f"no JSON of LabelMe that can be read: {files.reason(error)}"
            return note
        note.size = (side(document.get("imageWidth")), side(document.get("imageHeight")))
        note.picture = str(document.get("imagePath") or "")
        for number, shape in enumerate(shapes if isinstance(shapes, list) else (), 1):
            if not isinstance(shape, dict) or shape.get("shape_type") in {"point", "points", "line"}:
                continue
            corners = _corners(shape)
            name = files.printable(str(shape.get("label", ""))[:LONGEST])
            note.add(corners or NOTHING, name, number, 0 if corners else MALFORMED)
        return note


def _corners(shape: dict[str, Any]) -> tuple[float, float, float, float] | None:
    points = shape.get("points")
    found = around(points) if isinstance(points, list) else None
    if found is None or not isinstance(points, list):
        return None
    if shape.get("shape_type") == "circle" and len(points) == 2:
        (x, y), (a, b) = points
        radius = math.hypot(a - x, b - y)
        return x - radius, y - radius, x + radius, y + radius
    return found
