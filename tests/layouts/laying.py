"""Files of layouts that are made up, and what a scan says of them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


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


def scanned(path: Path) -> Report:
    """A quick scan."""
    return datalint.scan(path, cache=False, jobs=1, preset="fast")


def splits(report: Report) -> dict[str, int]:
    """The samples of each split of the only data set."""
    (dataset,) = report.datasets
    return {split.name: split.samples for split in dataset.splits}


def errors(report: Report) -> list[str]:
    """What is wrong for sure."""
    return [found.message for found in report.findings if found.severity == "error"]
