"""Tables whose columns are the pixels of square pictures, as those of MNIST are often stored: seen as pictures."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from datalint.profile.splits import SampledRows

SIDE: Final = 32
"""Pixels of a side of what is compared."""

LEAST: Final = 6
"""Pixels of a side from which something can be seen."""

NAME: Final = re.compile(r"(?:pixels?|pix|px)(?:[-_ ]?\d+){1,2}|\d+x\d+", re.IGNORECASE)


def pixel_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The columns that are pixels by their names, in stored order; none unless they fill a square."""
    found = tuple(name for name in names if NAME.fullmatch(name))
    side = math.isqrt(len(found))
    return found if side >= LEAST and side * side == len(found) else ()


def as_pictures(rows: SampledRows, names: Sequence[str], scale: tuple[float, float]) -> NDArray[np.uint8]:
    """[rows, 32, 32] grey pictures of the pixels, row by row of the picture.

    Args:
        rows: of one split.
        names: of the pixel columns in their order.
        scale: the values that become black and white.
    """
    side = math.isqrt(len(names))
    values = np.stack([rows.column(name) for name in names], axis=1)
    low, high = scale
    grey = np.clip((np.nan_to_num(values, nan=low) - low) * (255 / max(high - low, 1e-12)), 0, 255).astype(np.uint8)
    at = (np.arange(SIDE) * side) // SIDE
    return grey.reshape(-1, side, side)[:, at][:, :, at]
