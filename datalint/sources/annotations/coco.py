"""The JSON of COCO: pictures, categories, and objects with boxes."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.core.annotations import (
    CROWD,
    MALFORMED,
    OTHER_SIZE,
    OUTLINED,
    UNDECLARED,
    UNSEEN,
    ObjectBlock,
    objects_of,
)
from datalint.sources import files
from datalint.sources.annotations.json_items import BrokenJson, json_items

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from datalint.core.annotations import Form
    from datalint.sources.files import Entry

_HEAD = re.compile(rb'"(images|annotations)"\s*:\s*\[')
_NAN = (float("nan"),) * 4
_LARGEST = 2**31 - 1


def looks_like_coco(entry: Entry) -> bool:
    """Whether the first bytes of a file are those of such a JSON."""
    try:
        head, _ = files.head_of(entry.path)
    except OSError:
        return False
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and _HEAD.search(head) is not None


@dataclass
class CocoFile:
    """What one file says."""

    entry: Entry
    names: list[str] = field(default_factory=list)
    """Of the pictures, as they are listed."""
    sizes: array[int] = field(default_factory=lambda: array("i"))
    """Width and height of each picture, zeros where not declared."""
    categories: dict[Hashable, str] = field(default_factory=dict)
    """Names by id; of the same id the first."""
    class_names: list[str] = field(default_factory=list)
    """All of them, in their order."""
    problem: str = ""
    """Why it was not read to its end."""
    boxless: int = 0
    """Annotations without box or outline, such as captions."""
    tags: list[tuple[Hashable, Hashable]] = field(default_factory=list)
    """Picture and class of each of these that has a class."""
    reading: ClassVar[str] = ""
    shares: ClassVar[bool] = False
    form: ClassVar[Form] = "sizes"
    lines: ClassVar[bool] = False
    _pictures: dict[Hashable, int] = field(default_factory=dict)
    """Position by id."""
    _of: array[int] = field(default_factory=lambda: array("q"))
    """Of each object, the position of the id of its picture among all ids that were met."""
    _ids: dict[Hashable, int] = field(default_factory=dict)
    _kinds: dict[Hashable, int] = field(default_factory=dict)
    """Position by class, as it stands in the objects."""
    _kind: array[int] = field(default_factory=lambda: array("i"))
    _boxes: array[float] = field(default_factory=lambda: array("d"))
    _refs: array[int] = field(default_factory=lambda: array("q"))
    _flags: bytearray = field(default_factory=bytearray)
    _rasters: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Width and height of the masks in run lengths, by the position of their object."""

    @classmethod
    def read(cls, entry: Entry) -> CocoFile:
        """Read a file; what is wrong with it becomes its problem."""
        found = cls(entry)
        take = {"images": found._picture, "annotations": found._object, "categories": found._category}
        try:
            with entry.path.open(encoding="utf-8-sig", errors="surrogateescape") as text:
                for name, item in json_items(text):
                    if name in take and isinstance(item, dict):
                        take[name](item)
        except (OSError, BrokenJson) as error:
            found.problem = files.reason(error)
        return found

    def __len__(self) -> int:
        return len(self._flags)

    def _picture(self, item: dict[str, Any]) -> None:
        name = item.get("file_name")
        if not isinstance(name, str) or not name:
            return
        self._pictures.setdefault(_key(item.get("id")), len(self.names))
        self.names.append(name)
        self.sizes.extend((_side(item.get("width")), _side(item.get("height"))))

    def _category(self, item: dict[str, Any]) -> None:
        name = item.get("name")
        name = name if isinstance(name, str) else str(_key(item.get("id")))
        self.categories.setdefault(_key(item.get("id")), name)
        self.class_names.append(files.printable(name))

    def _object(self, item: dict[str, Any]) -> None:
        outline = item.get("segmentation")
        flags = (CROWD if item.get("iscrowd") else 0) | (OUTLINED if _is_drawn(outline) else 0)
        flags |= UNSEEN if _is_unseen(item.get("keypoints"), item.get("num_keypoints")) else 0
        box = item.get("bbox")
        if box is None:
            box = _extent(outline)
            if box is None:
                self.boxless += 1
                if item.get("category_id") is not None:
                    self.tags.append((_key(item.get("image_id")), _key(item["category_id"])))
                return
        corners = _corners(box)
        if corners is None:
            corners, flags = _NAN, flags | MALFORMED
        if (size := _raster(outline)) is not None:
            self._rasters[len(self._flags)] = size
        self._boxes.extend(corners)
        self._of.append(self._ids.setdefault(_key(item.get("image_id")), len(self._ids)))
        self._kind.append(self._kinds.setdefault(_key(item.get("category_id")), len(self._kinds)))
        ref = item.get("id")
        self._refs.append(ref if type(ref) is int and abs(ref) < 2**63 else -1)
        self._flags.append(flags)

    def classes_of_pictures(self) -> dict[str, str]:
        """The class of each picture, where nearly every one has one and no objects are drawn; else nothing."""
        names = dict(zip(self._pictures, self.names, strict=False)) if len(self._pictures) == len(self.names) else {}
        found = {names[key]: self.categories.get(kind, str(kind)) for key, kind in self.tags if key in names}
        sure = not len(self) and len(self.tags) == len(found) and 10 * len(found) >= 9 * len(self.names)
        return found if sure else {}

    @property
    def numbered(self) -> Mapping[Hashable, str]:
        """Names of the classes by their ids."""
        return self.categories

    def dangling(self) -> dict[Hashable, int]:
        """How many objects name each picture that is not listed."""
        missing = {number: key for key, number in self._ids.items() if key not in self._pictures}
        counts = np.bincount(np.frombuffer(self._of, np.int64), minlength=len(self._ids)) if self._of else ()
        return {key: int(counts[number]) for number, key in missing.items()}

    def objects(self, kept: Sequence[int]) -> ObjectBlock:
        """The objects in the pictures at some of the positions."""
        by_id = np.array([self._pictures.get(key, -1) for key in self._ids] or [-1], np.int64)
        order, picture = objects_of(by_id[np.array(self._of, np.int64)], kept, len(self.names))
        known = np.array([not self.categories or key in self.categories for key in self._kinds] or [True])
        codes = np.frombuffer(self._kind, np.int32)[order] if self._kind else np.zeros(0, np.int32)
        flags = np.frombuffer(bytes(self._flags), np.uint8)[order]
        sizes = np.array(self.sizes, np.int32).reshape(-1, 2)[list(kept)]
        rasters = np.zeros((len(self._flags), 2), np.int32)
        for k, size in self._rasters.items():
            rasters[k] = size
        declared, raster = sizes[picture], rasters[order]
        other = (declared > 0).all(axis=1) & (raster > 0).all(axis=1) & (declared != raster).any(axis=1)
        return ObjectBlock(
            picture,
            np.array(self._boxes).reshape(-1, 4)[order],
            codes,
            [files.printable(self.categories.get(key, str(key))) for key in self._kinds],
            np.array(self._refs, np.int64)[order],
            flags
            | np.where(known[codes], 0, UNDECLARED).astype(np.uint8)
            | np.where(other, OTHER_SIZE, 0).astype(np.uint8),
            sizes,
            np.ones(len(kept), np.bool_),
        )


def _key(value: Any) -> Hashable:
    """An id as it can be looked up."""
    return value if isinstance(value, (int, float, str)) else None


def _side(value: Any) -> int:
    """A declared width or height; 0 for none."""
    return int(value) if isinstance(value, (int, float)) and 0 < value <= _LARGEST else 0


def _corners(box: Any) -> tuple[float, ...] | None:
    """The corners of a box of left, top, width and height; None if it is not four numbers."""
    try:
        left, top, width, height = box
        return left + 0.0, top + 0.0, left + width + 0.0, top + height + 0.0
    except (TypeError, ValueError, OverflowError):
        return None


def _is_drawn(outline: Any) -> bool:
    """Whether polygons or a mask are there, be they right or wrong."""
    return any(outline) if isinstance(outline, list) else bool(outline)


def _raster(outline: Any) -> tuple[int, int] | None:
    """Width and height of a mask in run lengths, which tells rows first; None if it is none."""
    size = outline.get("size") if isinstance(outline, dict) else None
    if not isinstance(size, list) or len(size) != 2:
        return None
    return _side(size[1]), _side(size[0])


def _is_unseen(keypoints: Any, number: Any) -> bool:
    """Whether keypoints have places though all of them, or their number, say that there is none."""
    if not isinstance(keypoints, list) or len(keypoints) < 3 or not all(type(v) in {int, float} for v in keypoints):
        return False
    placed = any(keypoints[0::3]) or any(keypoints[1::3])
    return placed and (not any(keypoints[2::3]) or (type(number) is int and number == 0))


def _extent(outline: Any) -> list[float] | None:
    """The box around polygons."""
    if not isinstance(outline, list):
        return None
    points = [
        number for part in outline if isinstance(part, list) for number in part if isinstance(number, (int, float))
    ]
    across, down = points[::2], points[1::2]
    if not down:
        return None
    return [min(across), min(down), max(across) - min(across), max(down) - min(down)]
