"""Segmentation data sets in memory: a mask for each picture is read and judged, other pictures of the same size are not."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

import datalint

HEIGHT, WIDTH = 40, 56
Kind = Literal["pillow", "channels first", "one channel", "mapping"]


def pair(number: int) -> tuple[Any, Any]:
    """Noise on which two rectangles are painted, and their classes."""
    rng = np.random.default_rng(number)
    picture = rng.integers(0, 120, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for name in (1, 2):
        top, left = rng.integers(0, 25, 2)
        mask[top : top + 9, left : left + 13] = name
        picture[top : top + 9, left : left + 13] = 80 * name
    return picture, mask


class Pairs:
    """Pictures and masks as several libraries give them."""

    def __init__(self, kind: Kind, changed: dict[int, Any] | None = None) -> None:
        self.kind = kind
        self.changed = changed or {}

    def __len__(self) -> int:
        return 60

    def __getitem__(self, index: int) -> Any:
        picture, mask = pair(index)
        mask = self.changed.get(index, mask)
        if self.kind == "pillow":
            return Image.fromarray(picture), Image.fromarray(mask)
        if self.kind == "mapping":
            return {"mask": mask, "image": picture}
        moved = np.moveaxis(picture, 2, 0) / np.float32(255)
        return moved, mask.astype(np.int64) if self.kind == "channels first" else mask[None].astype(np.float32)


@pytest.mark.parametrize("kind", ["pillow", "channels first", "one channel", "mapping"])
def test_masks_are_judged(kind: Kind) -> None:
    wide = np.zeros((HEIGHT, WIDTH + 3), np.uint8)
    wide[5:9, 5:9] = 1
    stray = pair(11)[1]
    stray[3:5, 3:5] = 40
    clean = datalint.scan(Pairs(kind), config=False)
    assert not [finding for finding in clean.findings if finding.severity != "info"]
    assert clean.datasets[0].label is None
    report = datalint.scan(Pairs(kind, {7: wide, 11: stray, 13: np.zeros_like(stray)}), select=["ANN"], config=False)
    found = {finding.code: [sample.index for sample in finding.affected.samples] for finding in report.findings}
    assert found == {"ANN111": [7], "ANN112": [11], "ANN113": [13]}


class Others:
    """Pictures next to something of their size that is no mask."""

    def __init__(self, grey: bool) -> None:
        self.grey = grey

    def __len__(self) -> int:
        return 24

    def __getitem__(self, index: int) -> Any:
        picture = np.random.default_rng(index).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        if self.grey:
            return Image.fromarray(picture), Image.fromarray(picture).convert("L")
        return picture, picture.mean(axis=2).astype(np.float32)


@pytest.mark.parametrize("grey", [True, False])
def test_pictures_to_be_restored_are_no_masks(grey: bool) -> None:
    report = datalint.scan(Others(grey), config=False)
    assert "target is not looked at" in report.datasets[0].evidence
    assert not {rule.code for rule in report.datasets[0].rules if rule.status == "passed"} & {"ANN111", "ANN112"}


def test_a_mask_that_is_none_is_told() -> None:
    report = datalint.scan(Pairs("channels first", {20: np.zeros(5, np.uint8)}), select=["FIL101", "ANN"], config=False)
    assert [finding.code for finding in report.findings] == ["FIL101"]
    assert "no class per pixel" in str(report.findings[0].model_dump())
