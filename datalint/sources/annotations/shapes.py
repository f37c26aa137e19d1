"""The boxes around what annotation tools draw: points of outlines, circles, ellipses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTHING = (math.nan,) * 4
LARGEST_SIDE = 2**31 - 1
LONGEST = 200
"""Characters of a name that are kept."""


def around(points: Iterable[Any]) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom of pairs of numbers; None if they are none."""
    try:
        pairs = [(float(point[0]), float(point[1])) for point in points]
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        return None
    if not pairs:
        return None
    across, down = zip(*pairs, strict=True)
    return min(across), min(down), max(across), max(down)


def side(value: Any) -> int:
    """A declared width or height, as a number or a text; 0 for none."""
    try:
        length = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return int(length) if 0 < length <= LARGEST_SIDE else 0
