"""The objects of one picture as records hold them: lists of boxes and of classes side by side, or a list of objects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BOXES: Final = ("bbox", "bboxes", "boxes", "box")
KINDS: Final = ("categories", "category", "labels", "label", "category_id", "classes", "class")
IDS: Final = ("id", "ids", "bbox_id")


@dataclass(frozen=True)
class ObjectCell:
    """One object as it is stored."""

    box: tuple[float, float, float, float] | None
    """None if it is not four numbers."""
    kind: Any
    """Its class; None for none."""
    ref: Any = None


def drawn_in(objects: Any) -> Iterator[ObjectCell]:
    """Each object of a picture."""
    if isinstance(objects, list):
        for one in objects:
            if isinstance(one, dict):
                yield ObjectCell(_four(_first(one, BOXES)), _first(one, KINDS), _first(one, IDS))
    elif isinstance(objects, dict):
        boxes, kinds, ids = (_first(objects, keys) for keys in (BOXES, KINDS, IDS))
        for k, box in enumerate(boxes if isinstance(boxes, list) else []):
            yield ObjectCell(_four(box), _at(kinds, k), _at(ids, k))


def _first(item: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((item[key] for key in keys if key in item), None)


def _at(values: Any, k: int) -> Any:
    return values[k] if isinstance(values, list) and k < len(values) else None


def _four(box: Any) -> tuple[float, float, float, float] | None:
    try:
        first, second, third, fourth = (math.nan if number is None else float(number) for number in box)
    except (TypeError, ValueError, OverflowError):
        return None
    return first, second, third, fourth
