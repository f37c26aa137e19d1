"""Boxes that the items of detection data sets in memory hold: torchvision's targets, COCO's lists, detections of supervision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from datalint.core.annotations import MALFORMED, ObjectBlock
from datalint.sources.files import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.annotations import Form

BOXES: Final[dict[str, Form]] = {"boxes": "corners", "bbox": "sizes"}
"""Parts of a target that hold boxes, and what their four numbers are."""

KINDS: Final = ("labels", "category_id", "category", "class_labels", "label")
"""Parts that hold the class of each box."""

PIXELS = 2.0
"""A coordinate beyond it is told in pixels, and not as a share of the picture."""


@dataclass(frozen=True)
class Boxed:
    """Where the objects of a picture are."""

    part: int | str
    """Of the item."""
    boxes: str
    kinds: str

    @property
    def form(self) -> Form:
        """What the four numbers of a box are."""
        return BOXES[self.boxes]


def targets_of(values: Sequence[Any]) -> dict[str, list[Any]] | None:
    """Targets that are no mappings of arrays as if they were; None for all else."""
    if values and all(hasattr(value, "xyxy") and hasattr(value, "class_id") for value in values):
        ids = [[] if value.class_id is None else value.class_id for value in values]
        return {"boxes": [value.xyxy for value in values], "labels": ids}
    listed = [value for value in values if isinstance(value, list)]
    entries = [entry for value in listed for entry in value]
    if entries and len(listed) == len(values) and all(isinstance(e, Mapping) and "bbox" in e for e in entries):
        return {
            "bbox": [[entry["bbox"] for entry in value] for value in listed],
            "category_id": [[entry.get("category_id") for entry in value] for value in listed],
        }
    return None


def boxed_in(columns: Mapping[Any, Any]) -> Boxed | None:
    """The part of some items that holds boxes in pixels, with their classes."""
    for part, column in columns.items():
        if not isinstance(column, dict):
            continue
        boxes = next((name for name in BOXES if name in column), None)
        kinds = next((name for name in KINDS if name in column), None)
        if boxes is None or kinds is None:
            continue
        shown = [row for held in column[boxes] for row in ([] if held is None else held)]
        if all(np.shape(row) == (4,) for row in shown) and any(np.max(row) > PIXELS for row in shown):
            return Boxed(part, boxes, kinds)
    return None


def object_block(column: Mapping[str, Any], where: Boxed, size: int, names: Sequence[str]) -> ObjectBlock:
    """The objects of some pictures.

    Args:
        column: boxes and classes, picture by picture.
        where: how they are called.
        size: how many pictures there are.
        names: of the classes 0, 1, ...; others are called by their numbers.

    Raises:
        ValueError, TypeError: there are not as many classes as boxes, or they are none.
    """
    boxes: list[Any] = []
    codes: list[int] = []
    picture: list[int] = []
    flags: list[int] = []
    classes: dict[str, int] = {}
    for k in range(size):
        held, kinds = (column[name][k] for name in (where.boxes, where.kinds))
        held, kinds = (() if part is None else part for part in (held, kinds))
        if len(held) != len(kinds):
            raise ValueError(f"{len(kinds):,} classes for {len(held):,} boxes")
        for row, kind in zip(held, kinds, strict=True):
            values = np.asarray(row, np.float64)
            sound = values.shape == (4,)
            boxes.append(values if sound else np.full(4, np.nan))
            flags.append(0 if sound else MALFORMED)
            codes.append(classes.setdefault(_name(kind, names), len(classes)))
            picture.append(k)
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    if where.form == "sizes":
        corners[:, 2:] += corners[:, :2]
    return ObjectBlock(
        np.array(picture, np.int64),
        corners,
        np.array(codes, np.int32),
        list(classes),
        np.full(len(boxes), -1, np.int64),
        np.array(flags, np.uint8),
        np.zeros((size, 2), np.int32),
        np.ones(size, np.bool_),
    )


def _name(kind: Any, names: Sequence[str]) -> str:
    try:
        number = int(kind)
    except (TypeError, ValueError):
        return printable(str(kind))
    return names[number] if 0 <= number < len(names) else str(number)
