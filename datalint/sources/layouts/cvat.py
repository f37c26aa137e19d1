"""Pictures whose objects stand in the XML of CVAT for images: ``annotations.xml`` beside ``images/``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from datalint.sources import files
from datalint.sources.annotations.records import Records
from datalint.sources.annotations.shapes import around, side
from datalint.sources.files import IMAGES
from datalint.sources.layouts.base import Claim, Layout
from datalint.sources.layouts.object_lists import claims

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

SHAPES = {"box", "polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton"}
_PIECE = 1 << 20
_DEEPEST = 50


class Cvat(Layout):
    """Pictures whose objects stand in the XML of CVAT."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each folder that holds them, or the folders of their splits, with their pictures."""
        if not any(entry.suffix in IMAGES for entry in folder.entries):
            return
        found = []
        for entry in folder.left:
            if entry.suffix == ".xml":
                file = folder.once(("cvat", entry.parts), lambda entry=entry: _read(entry))  # type: ignore[misc]
                if file is not None:
                    found.append(file)
        yield from claims(folder, found, "CVAT")


def _read(entry: Entry) -> Records | None:
    """The file, if it is one that lists pictures."""
    try:
        head, _ = files.head_of(entry.path, 64 << 10)
    except OSError:
        return None
    if b"<annotations" not in head or (b"<image" not in head and b"<meta" not in head):
        return None
    reader = _Reader(entry)
    try:
        with entry.path.open("rb") as file:
            while piece := file.read(_PIECE):
                reader.parser.Parse(piece, False)
            reader.parser.Parse(b"", True)
    except (OSError, expat.ExpatError, ValueError, LookupError) as error:
        reader.records.problem = files.reason(error)
    return reader.records if reader.records.names else None


class _Reader:
    """Takes in the elements of one file, and builds no tree of them."""

    def __init__(self, entry: Entry) -> None:
        self.records = Records(entry, lines=True)
        self._path: list[str] = []
        self._text: list[str] = []
        self._at = -1
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = _refuse

    def _start(self, tag: str, given: Mapping[str, str]) -> None:
        self._path.append(tag)
        self._text = []
        if len(self._path) > _DEEPEST:
            raise ValueError("elements are nested too deeply")
        if self._path == ["annotations", "image"]:
            name = given.get("name", "")
            self._at = self.records.picture(name, side(given.get("width")), side(given.get("height"))) if name else -1
        elif self._path[:2] == ["annotations", "image"] and len(self._path) == 3 and tag in SHAPES and self._at >= 0:
            self._shape(tag, given)

    def _shape(self, tag: str, given: Mapping[str, str]) -> None:
        try:
            corners = _corners(tag, given)
        except (KeyError, ValueError):
            corners = None
        else:
            if corners is None:
                self.records.boxless += 1
                return
        self.records.add(self._at, given.get("label", ""), corners, self.parser.CurrentLineNumber)

    def _characters(self, text: str) -> None:
        if len(self._text) < 100:
            self._text.append(text[:200])

    def _end(self, _: str) -> None:
        if self._path[-3:] == ["labels", "label", "name"]:
            self.records.class_names.append(files.printable("".join(self._text).strip()[:200]))
        self._path.pop()
        self._text = []


def _refuse(*_: object) -> None:
    raise ValueError("a document type, which may declare entities, is not read")


def _corners(tag: str, given: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom; None for what has no extent.

    Raises:
        KeyError, ValueError: numbers are missing or none.
    """
    if tag == "box":
        left, top, right, bottom = (float(given[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
        return left, top, right, bottom
    if tag == "ellipse":
        x, y, across, down = (float(given[key]) for key in ("cx", "cy", "rx", "ry"))
        return x - across, y - down, x + across, y + down
    if tag == "mask":
        left, top, width, height = (float(given[key]) for key in ("left", "top", "width", "height"))
        return left, top, left + width, top + height
    if tag in {"polygon", "polyline"}:
        found = around(point.split(",") for point in given["points"].split(";"))
        if found is None:
            raise ValueError("no points")
        return found
    return None
