"""The stored values of pictures, whether they are arrays or tables with a column per pixel."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import ImageHeaders, NumberStats, PixelStats, Places, Profile, SplitProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

_PIXEL = re.compile(r"(pixel|pixels|pix|px|img|image)[ _.-]?\d+([_x.-]\d+)*|\d+x\d+(x\d+)?|r\d+c\d+", re.IGNORECASE)

LEAST = 64
"""Columns from which a table can be one of pictures: 8 x 8 pixels."""


@dataclass(frozen=True)
class Values:
    """The stored pixel values of one split; arrays have one entry per item, NaN where all is missing."""

    split: str
    items: int
    low: float
    """Of all values."""
    high: float
    item_low: NDArray[np.float64]
    item_high: NDArray[np.float64]
    places: Places
    whole: bool
    """Whether all values are whole numbers by their type or content."""
    standard: bool
    """Whether every column was standardised by itself."""

    @property
    def shown(self) -> str:
        """The range in words."""
        return f"{self.low:.4g} to {self.high:.4g}"


def pixel_values(profile: Profile) -> list[Values] | None:
    """The values by split; None where the data set holds no arrays of pictures and is no table of pixels."""
    if profile.dataset.modality == "images":
        if all(split.info.shape is None for split in profile.splits):
            return None
        found = [_of_array(split) for split in profile.splits]
    else:
        names = pixel_columns(profile)
        if not names:
            return None
        found = [_of_table(split, names) for split in profile.splits]
    return [values for values in found if math.isfinite(values.low) and math.isfinite(values.high)]


def _of_array(split: SplitProfile) -> Values:
    stats, headers = split[PixelStats], split[ImageHeaders]
    low, high = stats.low.astype(np.float64), stats.high.astype(np.float64)
    known = np.isfinite(low) & np.isfinite(high)
    whole = all(kind.startswith((b"u", b"i", b"b")) for kind in np.unique(headers.format).tolist())
    return Values(
        split.name,
        split.samples,
        float(low[known].min()) if known.any() else math.nan,
        float(high[known].max()) if known.any() else math.nan,
        np.where(known, low, np.nan),
        np.where(known, high, np.nan),
        headers.places,
        whole,
        standard=False,
    )


def _of_table(split: SplitProfile, names: Sequence[str]) -> Values:
    stats, rows = split[NumberStats], split.rows
    wanted = set(names)
    at = [j for j, name in enumerate(stats.names) if name in wanted and stats.count[j]]
    cells = rows.numbers[:, [j for j, name in enumerate(rows.names) if name in wanted]]
    cells = np.where(np.isfinite(cells), cells, np.nan)
    low = np.fmin.reduce(cells, axis=1) if cells.shape[1] else np.full(len(cells), np.nan)
    high = np.fmax.reduce(cells, axis=1) if cells.shape[1] else np.full(len(cells), np.nan)
    deviation = stats.deviation[at]
    moving = deviation > 0
    standard = bool(
        moving.any()
        and (abs(stats.mean[at][moving]) < 0.2).mean() > 0.9
        and (abs(deviation[moving] - 1) < 0.3).mean() > 0.8
    )
    return Values(
        split.name,
        split.samples,
        float(stats.low[at].min()) if at else math.nan,
        float(stats.high[at].max()) if at else math.nan,
        low,
        high,
        rows.places,
        bool(stats.whole[at].all()),
        standard,
    )


def pixel_columns(profile: Profile) -> tuple[str, ...]:
    """The columns of a table that are pixels; none if it is no table of pictures.

    Either nine in ten numeric features are called like pixels, or there are as many as a square picture has, grey or
    colour, and they share their extremes as pixels do: the smallest value half of them, the largest a quarter.
    """
    names = profile.feature_names
    called = tuple(name for name in names if _PIXEL.fullmatch(name))
    if len(called) >= LEAST and len(called) >= 0.9 * len(names):
        return called
    square = [len(names)] + ([len(names) // 3] if len(names) % 3 == 0 else [])
    if len(names) < LEAST or not any(math.isqrt(n) ** 2 == n for n in square):
        return ()
    stats = max((split[NumberStats] for split in profile.splits), key=lambda numbers: numbers.samples)
    wanted = set(names)
    at = [j for j, name in enumerate(stats.names) if name in wanted and stats.count[j]]
    at = [j for j in at if stats.low[j] < stats.high[j]]
    if len(at) < LEAST // 2:
        return ()
    low, high = stats.low[at], stats.high[at]
    shared = (low == low.min()).mean() >= 0.5 and (high == high.max()).mean() >= 0.25
    return names if shared else ()


def pixel_frame(table: pd.DataFrame, label: str | None) -> list[str]:
    """Columns of a clean table that are called like pixels, for planting."""
    names = [str(name) for name in table.columns if name != label]
    called = [name for name in names if _PIXEL.fullmatch(name)]
    return called if len(called) >= max(LEAST, 0.9 * len(names)) else []
