"""Boxes and masks in the columns of Parquet files of pictures, as the Hugging Face hub stores them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import datalint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datalint.report.models import Report

WIDTH, HEIGHT, COUNT = 80, 60, 60
Box = list[float]


def png(array: Any) -> dict[str, Any]:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


def photo(number: int) -> Any:
    rng = np.random.default_rng(number)
    low = rng.integers(40, 200, (6, 8, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(low).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def corners(number: int) -> list[Box]:
    rng = np.random.default_rng(number)
    left, top = rng.integers(0, 45, 3), rng.integers(0, 35, 3)
    return [[float(x), float(y), float(x + 30), float(y + 22)] for x, y in zip(left, top, strict=True)]


def as_sizes(box: Box) -> Box:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def as_shares(box: Box) -> Box:
    wide, high = box[2] - box[0], box[3] - box[1]
    return [(box[0] + wide / 2) / WIDTH, (box[1] + high / 2) / HEIGHT, wide / WIDTH, high / HEIGHT]


READINGS: dict[str, Callable[[Box], Box]] = {
    "left, top, right and bottom in pixels": list,
    "left, top, width and height in pixels": as_sizes,
    "centre, width and height in shares of the picture": as_shares,
}


def lists(boxes: list[Box], kinds: list[int]) -> dict[str, Any]:
    return {"objects": {"bbox": boxes, "category": kinds, "id": list(range(len(kinds)))}}


def records(boxes: list[Box], kinds: list[int]) -> dict[str, Any]:
    return {"annotations": [{"bbox": box, "category_id": kind} for box, kind in zip(boxes, kinds, strict=True)]}


def columns(boxes: list[Box], kinds: list[int]) -> dict[str, Any]:
    return {"bboxes": boxes, "labels": kinds}


def written(folder: Path, rows: list[dict[str, Any]], features: dict[str, Any] | None = None) -> Path:
    table = pa.Table.from_pylist(rows)
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    (folder / "data").mkdir(parents=True)
    pq.write_table(table, folder / "data" / "train-00000-of-00001.parquet")
    return folder


def loud(report: Report) -> dict[str, list[int]]:
    return {f.code: [s.index for s in f.affected.samples] for f in report.findings if f.severity != "info"}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("shape", [lists, records, columns])
def test_boxes_are_read_by_the_reading_that_fits(tmp_path: Path, reading: str, shape: Any) -> None:
    rows = []
    for k in range(COUNT):
        boxes = corners(k)
        if k == 20:
            boxes[1] = [60.0, 5.0, 110.0, 27.0]
        stored = [READINGS[reading](box) for box in boxes]
        rows.append({"image": png(photo(k)), "image_id": k} | shape(stored, [k % 3, 1, 2]))
    report = datalint.scan(written(tmp_path / "boxes", rows), select=["ANN", "LBL108"], config=False)
    assert reading in report.datasets[0].evidence
    assert report.datasets[0].label is None
    assert loud(report) == {"ANN103": [20]}


def test_declared_classes_and_sizes(tmp_path: Path) -> None:
    rows = []
    for k in range(COUNT):
        kinds = [k % 2, 1, 7 if k == 5 else 0]
        boxes = [as_sizes(box) for box in corners(k)]
        size = {"width": HEIGHT, "height": WIDTH} if k == 9 else {"width": WIDTH, "height": HEIGHT}
        rows.append({"image": png(photo(k))} | size | lists(boxes, kinds))
    classes = {"names": ["cat", "dog"], "_type": "ClassLabel"}
    features = {"image": {"_type": "Image"}, "objects": {"feature": {"category": classes}, "_type": "Sequence"}}
    report = datalint.scan(written(tmp_path / "boxes", rows, features), select=["ANN"], config=False)
    assert loud(report).keys() == {"ANN104", "ANN105"}
    assert loud(report)["ANN104"] == [9]


def mask(number: int) -> Any:
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    for name, (left, top, right, bottom) in enumerate(corners(number)[:2], 1):
        drawn[int(top) : int(bottom), int(left) : int(right)] = name
    return drawn


@pytest.mark.parametrize("name", ["label", "segmentation_map"])
def test_masks_in_a_column(tmp_path: Path, name: str) -> None:
    masks = [mask(k) for k in range(COUNT)]
    masks[8] = np.zeros((HEIGHT, WIDTH + 4), np.uint8)
    masks[8][4:20, 5:30] = 1
    rows: list[dict[str, Any]] = [{"image": png(photo(k)), name: png(masks[k])} for k in range(COUNT)]
    rows[30][name]["bytes"] = rows[30][name]["bytes"][:60]
    rows[31][name] = None
    report = datalint.scan(written(tmp_path / "masks", rows), select=["ANN", "FIL101"], config=False)
    assert f"masks in the column {name!r}" in report.datasets[0].evidence
    found = {finding.code: finding for finding in report.findings}
    assert found.keys() == {"ANN101", "ANN111", "FIL101"}
    assert [sample.index for sample in found["ANN111"].affected.samples] == [8]
    assert [sample.index for sample in found["ANN101"].affected.samples] == [31]
    assert "mask that cannot be read" in str(found["FIL101"].model_dump())


@pytest.mark.parametrize("name", ["conditioning_image", "label"])
def test_other_pictures_are_no_masks(tmp_path: Path, name: str) -> None:
    other = [mask(k) * 100 if name == "conditioning_image" else photo(k + 500) for k in range(COUNT)]
    rows = [{"image": png(photo(k)), name: png(other[k])} for k in range(COUNT)]
    report = datalint.scan(written(tmp_path / "pairs", rows), config=False)
    assert f"{name} is not looked at" in report.datasets[0].evidence
    assert loud(report) == {}


def test_a_label_that_is_asked_for_is_judged(tmp_path: Path) -> None:
    rows = [{"image": png(photo(k)), "kind": k % 2} | lists(corners(k), [0, 1, 2]) for k in range(COUNT)]
    label = datalint.scan(written(tmp_path / "boxes", rows), label="kind", config=False).datasets[0].label
    assert label is not None
    assert label.name == "kind"
