"""Segmentation data sets of torchvision: the masks of their items are judged, one by one and from a loader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import VOCSegmentation
from torchvision.transforms.functional import pil_to_tensor, to_tensor

import datalint

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, HEIGHT = 64, 48


def lay(root: Path) -> None:
    """Pascal VOC with 60 pictures; two masks are of nothing."""
    base = root / "VOCdevkit" / "VOC2012"
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (base / name).mkdir(parents=True)
    for k in range(60):
        rng = np.random.default_rng(k)
        picture = rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        top, left = rng.integers(0, 25, 2)
        mask[top : top + 12, left : left + 20] = 0 if k in {5, 6} else 1 + k % 2
        Image.fromarray(picture).save(base / "JPEGImages" / f"{k:03}.jpg")
        drawn = Image.fromarray(mask)
        drawn.save(base / "SegmentationClass" / f"{k:03}.png")
    (base / "ImageSets" / "Segmentation" / "train.txt").write_text("".join(f"{k:03}\n" for k in range(60)))


@pytest.mark.parametrize("loader", [False, True])
def test_masks_of_torchvision(loader: bool, tmp_path: Path) -> None:
    lay(tmp_path)

    def both(picture: Any, mask: Any) -> tuple[Any, Any]:
        if not loader:
            return picture, mask.copy()  # reads the file, which torchvision leaves open
        return to_tensor(picture), pil_to_tensor(mask)[0].long()

    data = VOCSegmentation(tmp_path, image_set="train", transforms=both)
    report = datalint.scan(DataLoader(data, batch_size=8) if loader else data, select=["ANN"], config=False)
    assert {f.code: [s.index for s in f.affected.samples] for f in report.findings} == {"ANN113": [5, 6]}
