"""Small image trees for the tests of image rules."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.report.models import Report


def textured(rng: np.random.Generator, height: int = 96, width: int = 128) -> NDArray[np.uint8]:
    """A colour picture with detail at all scales and full contrast."""
    total = np.zeros((height, width))
    for step in (1, 2, 4, 8, 16, 32):
        coarse = rng.normal(size=(height // step + 2, width // step + 2))
        total += np.kron(coarse, np.ones((step, step)))[:height, :width] * step**0.5
    total = (total - total.min()) / np.ptp(total) * 255
    return np.repeat(total.astype(np.uint8)[..., None], 3, axis=2)


def write(folder: Path, pictures: Sequence[Any], classes: int = 2, kind: str = "png", **options: Any) -> Path:
    """Pictures (arrays, Pillow images or bytes) dealt out to class folders: ``a/000.png``, ``b/001.png`` ..."""
    for k, item in enumerate(pictures):
        path = folder / chr(ord("a") + k % classes) / f"{k:03d}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item if isinstance(item, bytes) else encoded(item, kind, **options))
    return folder


def encoded(item: Any, kind: str = "png", **options: Any) -> bytes:
    """The bytes of an image file."""
    out = io.BytesIO()
    image = item if isinstance(item, Image.Image) else Image.fromarray(item)
    image.save(out, "JPEG" if kind == "jpg" else kind.upper(), **options)
    return out.getvalue()


def scan(source: Any, code: str, **options: Any) -> Report:
    """A scan with one rule."""
    return datalint.scan(source, select=[code], **options)


def state(report: Report, code: str) -> tuple[str, str | None]:
    """What became of the rule, and why."""
    (dataset,) = report.datasets
    return next((item.status, item.reason) for item in dataset.rules if item.code == code)


def stems(report: Report, code: str) -> set[str]:
    """The affected files."""
    return {str(name).rpartition("/")[2].partition(".")[0] for name in report.affected(code)["id"]}
