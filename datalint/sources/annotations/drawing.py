"""Boxes and masks drawn over the small pictures of reports."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from datalint.sources.images import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Drawn = Callable[[Any, tuple[int, int]], Any]

MOST: Final = 200
"""Boxes that are drawn."""
LINE, RIM, TINT = (255, 212, 0), (0, 0, 0), (255, 60, 120)
"""Yellow within black is seen on every ground."""


def boxes_over(boxes: NDArray[np.float64], *, shares: bool) -> Drawn:
    """Draw boxes: left, top, right and bottom in shares of the picture, or in pixels of the picture as stored."""

    def draw(image: Any, stored: tuple[int, int]) -> Any:
        from PIL import ImageDraw

        scale = np.array(image.size, np.float64) / (1 if shares else np.maximum(stored, 1))
        with np.errstate(over="ignore"):  # what overflows is cut to the picture below
            places = boxes[np.isfinite(boxes).all(axis=1)][:MOST] * np.tile(scale, 2)
        pen = ImageDraw.Draw(image)
        limit = np.tile(np.array(image.size, np.float64) - 1, 2)
        for place in np.clip(places, 0, limit):
            low, high = np.minimum(place[:2], place[2:]), np.maximum(place[:2], place[2:])
            sides = [*low.tolist(), *high.tolist()]
            pen.rectangle([sides[0] - 1, sides[1] - 1, sides[2] + 1, sides[3] + 1], outline=RIM)
            pen.rectangle(sides, outline=LINE)
        return image

    return draw


def mask_over(data: bytes) -> Drawn:
    """Tint what a mask marks: all but its most frequent value, which is the ground."""

    def draw(image: Any, _: tuple[int, int]) -> Any:
        from PIL import Image

        with Image.open(io.BytesIO(data), formats=decode.FORMATS) as mask:
            if mask.width * mask.height > decode.MAX_PIXELS or max(mask.size) > decode.MAX_SIDE:
                return image
            plain = mask if mask.mode in {"L", "P"} else mask.convert("L")
            values = np.asarray(plain.resize(image.size, Image.Resampling.NEAREST))
        counts = np.bincount(values.ravel(), minlength=256)
        marked = values != (0 if counts[0] else int(counts.argmax()))
        pixels = np.asarray(image, np.float32)
        tinted = np.where(marked[..., None], 0.5 * pixels + 0.5 * np.array(TINT, np.float32), pixels)
        return Image.fromarray(tinted.round().astype(np.uint8))

    return draw
