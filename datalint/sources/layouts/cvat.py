"""Pictures whose objects stand in the XML of CVAT for images: ``annotations.xml`` next to ``images/``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from datalint.sources import files
from datalint.sources.annotations.elements import Elements
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


class _Reader(Elements):
    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.records = Records(entry, lines=True)
        self._at = -1

    def begin(self, tag: str, given: Mapping[str, str]) -> None:
        """Take in a picture, or a shape in one."""
        if self.path == ["annotations", "image"]:
            name = given.get("name", "")
            self._at = self.records.picture(name, side(given.get("width")), side(given.get("height"))) if name else -1
        elif self.path[:2] == ["annotations", "image"] and len(self.path) == 3 and tag in SHAPES and self._at >= 0:
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

    def end(self, _: str, text: str) -> None:
        """Take in the name of a class."""
        if self.path[-3:] == ["labels", "label", "name"]:
            self.records.class_names.append(files.printable(text))


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
