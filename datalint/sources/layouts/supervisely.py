"""Projects of Supervisely: ``dataset/img/a.jpg`` next to ``dataset/ann/a.jpg.json``, and ``meta.json`` with the classes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from datalint.core.annotations import MALFORMED, UNDECLARED
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

_META = 16 << 20


class Supervisely(Layout):
    """Pictures with a JSON file of objects for each, as Supervisely exports them."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The pictures of each project."""
        left = folder.left
        notes = folder.once(("supervisely", len(folder.claimed)), lambda: notes_in(left, ".json", _looks_like))
        if not notes:
            return
        metas = [entry for entry in left if entry.name == "meta.json"]
        classes = {entry: _classes(entry) for entry in metas}
        names = tuple(dict.fromkeys(name for own in classes.values() for name in own))
        called = {note: note.name.removesuffix(".json") for note in notes}
        called = {note: name if "." in name else f"{name}.json" for note, name in called.items()}
        yield from claims_of_pairs(folder, notes, SuperviselyNotes(names), "Supervisely", called, classes)


def _looks_like(entry: Entry) -> bool:
    if entry.folder[-1:] != ("ann",):
        return False
    try:
        head, _ = files.head_of(entry.path, 16 << 10)
    except OSError:
        return False
    return head.lstrip().startswith(b"{") and b'"objects"' in head and b'"size"' in head


def _classes(entry: Entry) -> tuple[str, ...]:
    try:
        with entry.path.open("rb") as file:
            found = json.loads(file.read(_META)).get("classes", ())
        return tuple(files.printable(str(item["title"])[:LONGEST]) for item in found)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return ()


@dataclass(frozen=True)
class SuperviselyNotes:
    """``objects`` of a ``classTitle`` and the points of a rectangle or an outline."""

    classes: tuple[str, ...] = ()
    shares: ClassVar[bool] = False
    form: ClassVar[Form] = "corners"

    def read(self, data: bytes) -> Note:
        """The objects of a file; they are known by their ids."""
        note = Note()
        try:
            document = json.loads(data)
            objects, size = document.get("objects", ()), document.get("size") or {}
            note.size = (side(size.get("width")), side(size.get("height")))
        except (ValueError, AttributeError, RecursionError) as error:
            note.problem = f"no JSON of Supervisely that can be read: {files.reason(error)}"
            return note
        for item in objects if isinstance(objects, list) else ():
            if isinstance(item, dict) and item.get("geometryType") in {None, "rectangle", "polygon", "polyline"}:
                corners = _corners(item)
                name = files.printable(str(item.get("classTitle", ""))[:LONGEST])
                number = item.get("id")
                flags = (0 if corners else MALFORMED) | (UNDECLARED if self.classes and name not in self.classes else 0)
                note.add(corners or NOTHING, name, number if type(number) is int and abs(number) < 2**63 else -1, flags)
        return note


def _corners(item: dict[str, Any]) -> tuple[float, float, float, float] | None:
    points = item.get("points")
    outer = points.get("exterior") if isinstance(points, dict) else None
    return around(outer) if isinstance(outer, list) else None
