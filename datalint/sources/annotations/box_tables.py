"""Tables of boxes, one in each row: of TensorFlow, Roboflow, RetinaNet, Open Images and competitions."""

from __future__ import annotations

import math
import re
from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.core.annotations import MALFORMED, Form, ObjectBlock, objects_of
from datalint.core.missing import ANYWHERE
from datalint.sources import files
from datalint.sources.annotations.readings import WORDS, are_shares, corners_of, reading_of
from datalint.sources.annotations.shapes import side
from datalint.sources.files import IMAGES
from datalint.sources.tables.dialect import NotATable
from datalint.sources.tables.formats import look
from datalint.sources.tables.named_files import rows_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from datalint.sources.files import Entry

_PICTURE = "filename file fname image imageid imagename imagepath imagefilename img imgid imgname imgpath path filepath"
_CLASS = (
    "class classname label labelname category categoryname name classid categoryid labelid object objectclass species"
)
_LEFT, _TOP = "xmin x1 left bboxxmin bboxx1 boxxmin", "ymin y1 top bboxymin bboxy1 boxymin"
_RIGHT, _BOTTOM = "xmax x2 right bboxxmax bboxx2 boxxmax", "ymax y2 bottom bboxymax bboxy2 boxymax"
_X, _Y = "x bboxx boxx xmin x1 left bboxleft", "y bboxy boxy ymin y1 top bboxtop"
_MIDDLE = "xcenter xcentre centerx centrex cx xc bboxxcenter", "ycenter ycentre centery centrey cy yc bboxycenter"
_WIDE, _HIGH = "w bw boxwidth bboxwidth bboxw boxw", "h bh boxheight bboxheight bboxh boxh"
_BOX = "bbox bboxes box boxes boundingbox"
_SIZE = "width imagewidth imgwidth", "height imageheight imgheight"

_HEAD = 16 << 10
_NUMBERS = re.compile(r"[-+.\deE]+")


@dataclass(frozen=True)
class BoxColumns:
    """Which columns hold what."""

    picture: str
    box: tuple[str, ...]
    """Four columns, or one of four numbers."""
    form: Form
    name: str | None
    """The class."""
    size: tuple[str, str] | None
    """Width and height of the picture."""


def columns_of(names: Sequence[str]) -> BoxColumns | None:
    """The columns of a table of boxes; None if it is something else."""
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(names)}

    def first(words: str) -> str | None:
        return next((plain[word] for word in words.split() if word in plain), None)

    def four(*words: str) -> tuple[str, ...] | None:
        found = tuple(name for name in map(first, words) if name is not None)
        return found if len(set(found)) == 4 else None

    picture = first(_PICTURE)
    sized = tuple(name for name in map(first, _SIZE) if name is not None)
    size = (sized[0], sized[1]) if len(sized) == 2 else None
    one = first(_BOX)
    readings: list[tuple[Form, tuple[str, ...] | None, bool]] = [
        ("corners", four(_LEFT, _TOP, _RIGHT, _BOTTOM), False),
        ("centres", four(*_MIDDLE, _WIDE, _HIGH), False),
        ("centres", four(*_MIDDLE, *_SIZE), True),
        ("sizes", four(_X, _Y, _WIDE, _HIGH), False),
        ("sizes", four(_X, _Y, *_SIZE), True),
        ("sizes", (one,) if one else None, False),
    ]
    form, box, of_box = next((item for item in readings if item[1] is not None), ("corners", None, False))
    if picture is None or box is None or picture in box:
        return None
    size = None if of_box else size
    name = first(_CLASS)
    return BoxColumns(picture, box, form, name if name not in {picture, *box} else None, size)


@dataclass
class BoxTable:
    """What one table says."""

    entry: Entry
    reading: str = ""
    """How its numbers are meant."""
    form: Form = "corners"
    shares: bool = False
    names: list[str] = field(default_factory=list)
    """Of the pictures, as they are listed, each once."""
    class_names: Sequence[str] = ()
    problem: str = ""
    boxless: int = 0
    lines: ClassVar[bool] = True
    numbered: ClassVar[Mapping[Hashable, str]] = {}
    _sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    _at: dict[str, int] = field(default_factory=dict)
    _kinds: dict[str, int] = field(default_factory=dict)
    _of: array[int] = field(default_factory=lambda: array("q"))
    _kind: array[int] = field(default_factory=lambda: array("i"))
    _boxes: array[float] = field(default_factory=lambda: array("d"))
    _refs: array[int] = field(default_factory=lambda: array("q"))
    _flags: bytearray = field(default_factory=bytearray)

    @classmethod
    def read(cls, entry: Entry) -> BoxTable | None:
        """Read a table; None if its columns are not those of boxes, or it cannot be read."""
        if not _may_be(entry):
            return None
        try:
            table = look(entry.path, entry.shown, entry.name)
        except NotATable:
            return None
        names = list(table.kinds)
        columns = columns_of(names) if table.header else _retinanet(names)
        if columns is None or not set(columns.box) <= {*names}:
            return None
        if columns.name is None:
            # The only other column of words is the class, whatever it is called.
            others = [name for name in names if name not in {columns.picture, *columns.box, *(columns.size or ())}]
            words = [name for name in others if table.kinds[name] == "text"]
            columns = replace(columns, name=words[0] if len(words) == 1 else None)
        found = cls(entry)
        wanted = [columns.picture, *columns.box, *([columns.name] if columns.name else []), *(columns.size or ())]
        first = 2 if table.header else 1
        for number, row in enumerate(rows_of(table, wanted), first):
            found._row(row, columns, number)
        found._settle(columns)
        return found if found.names else None

    def _row(self, row: Sequence[str], columns: BoxColumns, number: int) -> None:
        picture = row[0].strip()
        if not picture:
            return
        at = self._at.setdefault(picture, len(self.names))
        if at == len(self.names):
            self.names.append(picture)
        stop = 1 + len(columns.box)
        cells = row[1:stop]
        if columns.size:
            width, height = (side(text) for text in row[-2:])
            self._sizes.setdefault(at, (width, height))
        if all(cell.strip().casefold() in ANYWHERE for cell in cells):
            return  # a picture in which there is nothing
        numbers = _numbers(cells)
        self._boxes.extend(numbers or (math.nan,) * 4)
        self._flags.append(0 if numbers else MALFORMED)
        self._of.append(at)
        name = row[stop].strip() if columns.name else "object"
        self._kind.append(self._kinds.setdefault(files.printable(name), len(self._kinds)))
        self._refs.append(number)

    def _settle(self, columns: BoxColumns) -> None:
        """Say how the numbers are meant, and make corners of them."""
        boxes = np.array(self._boxes).reshape(-1, 4)
        form = columns.form
        self.shares = are_shares(boxes)
        if len(columns.box) == 1:
            sizes = np.array([self._sizes.get(at, (0, 0)) for at in self._of], np.float64).reshape(-1, 2)
            form = reading_of(boxes, np.ones_like(sizes) if self.shares else sizes)
        boxes = corners_of(boxes, form)
        self._boxes = array("d", boxes.ravel())
        self.form = form
        self.reading = f"{WORDS[form]} in {'shares of the picture' if self.shares else 'pixels'}"

    def __len__(self) -> int:
        return len(self._flags)

    def dangling(self) -> Mapping[Hashable, int]:
        """Objects of pictures that are not listed: none, as each row lists its own."""
        return {}

    def objects(self, kept: Sequence[int]) -> ObjectBlock:
        """The objects in the pictures at some of the positions."""
        order, picture = objects_of(np.array(self._of, np.int64), kept, len(self.names))
        return ObjectBlock(
            picture,
            np.array(self._boxes).reshape(-1, 4)[order],
            (np.frombuffer(self._kind, np.int32) if self._kind else np.zeros(0, np.int32))[order],
            list(self._kinds),
            np.array(self._refs, np.int64)[order],
            np.frombuffer(bytes(self._flags), np.uint8)[order],
            np.array([self._sizes.get(k, (0, 0)) for k in kept], np.int32).reshape(-1, 2),
            np.ones(len(kept), np.bool_),
        )


def _may_be(entry: Entry) -> bool:
    """Whether the first line may be that of such a table; cheaper than to look for columns."""
    try:
        head, _ = files.head_of(entry.path, _HEAD)
    except OSError:
        return False
    line = head.lstrip(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace").strip()
    fields = [cell.strip().strip('"') for cell in re.split(r"[,;\t]", line)]
    return columns_of(fields) is not None or _is_retinanet(fields)


def _is_retinanet(fields: Sequence[str]) -> bool:
    """Whether a line is ``path,x1,y1,x2,y2,class``."""
    return len(fields) == 6 and _is_image(fields[0]) and all(cell.isdecimal() or not cell for cell in fields[1:5])


def _retinanet(names: Sequence[str]) -> BoxColumns | None:
    return BoxColumns(names[0], tuple(names[1:5]), "corners", names[5], None) if len(names) == 6 else None


def _is_image(name: str) -> bool:
    return "." + name.rpartition(".")[2].lower() in IMAGES


def _numbers(cells: Sequence[str]) -> tuple[float, ...] | None:
    words = _NUMBERS.findall(cells[0]) if len(cells) == 1 else list(cells)
    try:
        found = tuple(float(word) for word in words)
    except ValueError:
        return None
    return found if len(found) == 4 else None
