"""How the four numbers of boxes are meant, where nobody says it: by the reading that keeps boxes in their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.annotations import Form

WORDS: Final[dict[Form, str]] = {
    "corners": "left, top, right and bottom",
    "sizes": "left, top, width and height",
    "centres": "centre, width and height",
}

OUT: Final = 0.1
"""Share of the boxes that lead out of their pictures by a reading that is wrong."""

SHARES: Final = 2.0
"""Largest number of boxes in shares, those that reach out of their picture included; pixels are beyond it in any other."""


def are_shares(boxes: NDArray[np.float64]) -> bool:
    """Whether the numbers of some boxes are shares of their pictures, and not pixels."""
    good = boxes[np.isfinite(boxes).all(axis=1)]
    return len(good) > 0 and float(np.quantile(abs(good), 0.99)) <= SHARES


def reading_of(boxes: NDArray[np.float64], limits: NDArray[np.float64]) -> Form:
    """What four numbers are that stand in one cell.

    They are taken for left, top, width and height unless a tenth of the boxes lead out of their pictures then, and another
    reading fits: in all of the boxes the second corner is beyond the first, or nearly none leads out around its centre.

    Args:
        boxes: [boxes, 4] as stored.
        limits: [boxes, 2] width and height of the picture of each; zeros where they are not known.
    """
    good = boxes[np.isfinite(boxes).all(axis=1)]
    known = (limits > 0).all(axis=1)
    first, second = boxes[:, :2], boxes[:, 2:]
    with np.errstate(invalid="ignore", over="ignore"):
        over = (first + second > limits * 1.01).any(axis=1) & known
        if not len(good) or over.mean() <= OUT:
            return "sizes"
        if (good[:, 2:] > good[:, :2]).all():
            return "corners"
        around = ((first - second / 2 < -0.01 * limits) | (first + second / 2 > limits * 1.01)).any(axis=1) & known
    return "centres" if around.mean() <= OUT / 10 else "sizes"


def corners_of(boxes: NDArray[np.float64], form: Form) -> NDArray[np.float64]:
    """[boxes, 4] left, top, right and bottom."""
    first, second = boxes[:, :2], boxes[:, 2:]
    if form == "corners":
        return boxes
    with np.errstate(invalid="ignore", over="ignore"):
        low = first if form == "sizes" else first - second / 2
        return np.column_stack([low, low + second])
