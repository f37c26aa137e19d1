"""Files of Pascal VOC: the objects in one picture as XML."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from xml.parsers import expat

from datalint.core.annotations import MALFORMED, UNDECLARED
from datalint.sources import files
from datalint.sources.annotations.elements import Elements
from datalint.sources.annotations.pictures import Note
from datalint.sources.annotations.shapes import LONGEST, NOTHING, side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.core.annotations import Form
    from datalint.sources.files import Entry

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_TURNED = ("cx", "cy", "w", "h", "angle")


@dataclass(frozen=True)
class VocNotes:
    """``object`` elements with a ``name`` and a ``bndbox`` in pixels."""

    shares: ClassVar[bool] = False
    form: ClassVar[Form] = "corners"

    def read(self, data: bytes) -> Note:
        """The objects of a file, as far as it can be read."""
        reader = _Reader()
        try:
            reader.parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:  # an encoding that is not known is a LookupError
            reader.note.problem = f"no XML that can be read: {files.reason(error)}"
        else:
            if reader.root != "annotation":
                reader.note.problem = f"no annotation of a picture: its root is {files.printable(reader.root)!r}"
        return reader.note


class _Reader(Elements):
    def __init__(self) -> None:
        super().__init__()
        self.note = Note()
        self.root = ""
        self._line = 0
        self._name = ""
        self._box: dict[str, str] = {}
        self._points: dict[str, list[str]] = {}
        self._size: dict[str, str] = {}

    def begin(self, tag: str, _: Mapping[str, str]) -> None:
        """Note the root, and begin an object."""
        self.root = self.root or tag[:LONGEST]
        if self.path == ["annotation", "object"]:
            self._line, self._name = self.parser.CurrentLineNumber, ""
            self._box, self._points = {}, {"x": [], "y": []}

    def end(self, tag: str, text: str) -> None:
        """Take in what the element said."""
        path = self.path[1:]
        if path == ["object"]:
            self._add()
        elif path == ["size"]:
            self.note.size = (side(self._size.get("width")), side(self._size.get("height")))
        elif path[:1] == ["size"]:
            self._size[tag] = text
        elif path == ["object", "name"]:
            self._name = text
        elif path == ["filename"]:
            self.note.picture = text
        # The parts of an object (head, hand) have boxes of their own, a level further down.
        elif len(path) == 3 and path[:2] in (["object", "bndbox"], ["object", "robndbox"]):
            self._box[tag] = text
        elif path[:3] == ["object", "polygon", "pt"] and tag in self._points:
            self._points[tag].append(text)

    def _add(self) -> None:
        name = files.printable(self._name)
        corners = _corners(self._box) if self._box else _extent(self._points)
        flags = MALFORMED if corners is None else 0
        self.note.add(corners or NOTHING, name, self._line, flags | (0 if name else UNDECLARED))


def _corners(box: Mapping[str, str]) -> tuple[float, ...] | None:
    """Left, top, right and bottom, also of the box around a turned one; None if they are no numbers."""
    try:
        if "cx" in box and "xmin" not in box:
            x, y, width, height, angle = (float(box[key]) for key in _TURNED)
            across, down = abs(math.cos(angle)), abs(math.sin(angle))
            half = (width * across + height * down) / 2, (width * down + height * across) / 2
            return x - half[0], y - half[1], x + half[0], y + half[1]
        return tuple(float(box[key]) for key in _CORNERS)
    except (KeyError, ValueError):
        return None


def _extent(points: Mapping[str, Sequence[str]]) -> tuple[float, ...] | None:
    """The box around an outline, as LabelMe has it in such files; None if there is none."""
    try:
        across, down = ([float(text) for text in points[axis]] for axis in ("x", "y"))
    except ValueError:
        return None
    return (min(across), min(down), max(across), max(down)) if across and down else None


def looks_like_voc(entry: Entry) -> bool:
    """Whether the first bytes of a file are those of an annotation."""
    try:
        head, _ = files.head_of(entry.path, 4096)
    except OSError:
        return False
    return b"<annotation" in head and b"<annotations" not in head
