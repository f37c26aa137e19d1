"""Boxes and masks over the small pictures of reports."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import datalint
from datalint.sources.annotations.drawing import boxes_over
from datalint.sources.images.decode import strict
from tests.annotated import DIGITS, SPLITS, boxes_of, pictures
from tests.reference import named

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def shown(root: Path, split: str = "train") -> dict[str, NDArray[np.int16]]:
    """The pictures of a split as a report shows them, by name."""
    (dataset,) = datalint.detect(root)
    found = {}
    with strict():
        for partition in dataset.partitions:
            if partition.split == split:
                for line in range(20):
                    data = partition.picture(line)
                    assert data is not None
                    with Image.open(io.BytesIO(data)) as image:
                        name = partition.sample_id(line).rpartition("/")[2]
                        found[name] = np.asarray(image.convert("RGB"), np.int16)
    return found


@pytest.mark.parametrize("layout", ["coco", "yolo", "voc"])
def test_boxes_are_drawn_where_they_are(tmp_path: Path, layout: str) -> None:
    root = DIGITS.write(tmp_path / "coco")
    if layout != "coco":
        root = pictures(tmp_path / layout, {split: f"images/{split}" for split in SPLITS})
        for split in SPLITS:
            notes = root / "labels" / split
            notes.mkdir(parents=True)
            if layout == "yolo":
                boxes_of(split).save_yolo_v5(notes, label_to_id={f"digit {k}": k for k in range(10)})
            else:
                boxes_of(split).save_pascal_voc(notes)
    drawn = shown(root)
    for one in boxes_of("train"):
        if one.image_id not in drawn or not one.boxes:
            continue
        change = unlike(drawn[one.image_id], DIGITS.files[f"train/{one.image_id}"])
        lines = np.zeros(change.shape, np.bool_)
        for box in one.boxes:
            left, top, right, bottom = (int(side) for side in box.ltrb)
            rim = np.zeros_like(lines)
            rim[max(0, top - 2) : bottom + 3, max(0, left - 2) : right + 3] = True
            rim[top + 3 : bottom - 2, left + 3 : right - 2] = False
            lines |= rim
        assert change[lines].mean() > 4 * change[~lines].mean()


def unlike(pixels: NDArray[np.int16], data: bytes) -> NDArray[np.float64]:
    """How far each pixel is from that of the file, which is small enough to be shown as it is."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(np.abs(pixels - np.asarray(image.convert("RGB"), np.int16)).mean(axis=2))


def test_what_a_mask_marks_is_tinted(tmp_path: Path) -> None:
    data = named("digits with masks")
    drawn = shown(data.write(tmp_path))
    for name, pixels in list(drawn.items())[:5]:
        with Image.open(io.BytesIO(data.annotations[f"train/masks/{name[:3]}.png"])) as mask:
            marked = np.asarray(mask) > 0
        change = unlike(pixels, data.files[f"train/images/{name}"])
        assert change[marked].mean() > 3 * change[~marked].mean()


def test_boxes_beyond_every_picture_are_cut_to_it() -> None:
    huge = np.array([[-1.7e308, 4.0, 1.7e308, 9.0]])
    drawn = boxes_over(huge, shares=False)(Image.new("RGB", (40, 40)), (20, 20))
    assert np.asarray(drawn)[8, 20].any()
