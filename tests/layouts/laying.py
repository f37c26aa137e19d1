"""Files of layouts that are made up: pictures, and what lies next to them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path


def put(path: Path, data: str | bytes) -> None:
    """A file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def picture(kind: int, rng: np.random.Generator) -> bytes:
    """A JPEG whose colour in the middle says its class."""
    made = io.BytesIO()
    pixels = rng.normal(90, 25, (32, 32, 3))
    pixels[8:24, 8:24, kind % 3] += 100
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(made, "JPEG")
    return made.getvalue()
