"""Small photos of two classes, cut out of those that scikit-learn brings along."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

CLASSES = ("china", "flower")


@cache
def crops(count: int, seed: int = 0) -> list[tuple[bytes, int]]:
    """So many different JPEG files, shuffled, each with its class."""
    rng = np.random.default_rng(seed)
    photos = [Image.fromarray(load_sample_image(f"{name}.jpg")) for name in CLASSES]
    made: list[tuple[bytes, int]] = []
    seen: set[tuple[int, int, int]] = set()
    while len(made) < count:
        kind, width = int(rng.integers(2)), int(rng.integers(110, 260))
        x, y = int(rng.integers(0, 640 - width)), int(rng.integers(0, 427 - width * 3 // 4))
        if (kind, x // 12, y // 12) in seen:
            continue
        seen.add((kind, x // 12, y // 12))
        box = (x, y, x + width, y + width * 3 // 4)
        picture = photos[kind].crop(box).resize((96, 72), Image.Resampling.BILINEAR)
        grey = np.asarray(picture.convert("L"), np.float64)
        if 80 < grey.mean() < 180 and grey.std() > 35:  # no patch of empty sky, no dark corner
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=90)
            made.append((out.getvalue(), kind))
    return made
