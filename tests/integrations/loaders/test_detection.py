"""Detection data sets of torchvision and supervision: the boxes that their items hold are judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import supervision
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import CocoDetection
from torchvision.transforms.functional import pil_to_tensor

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report

SIZE = (120, 90)
Box = tuple[float, float, float, float]


def picture(number: int) -> Image.Image:
    rng = np.random.default_rng(number)
    return Image.fromarray(rng.integers(0, 255, (SIZE[1], SIZE[0], 3)).astype(np.uint8))


def boxes_of(number: int) -> list[Box]:
    rng = np.random.default_rng(100 + number)
    left, top = rng.integers(0, 60, (number % 3, 2)).T if number % 3 else ([], [])
    return [(float(x), float(y), float(x + 25), float(y + 20)) for x, y in zip(left, top, strict=True)]


class Targets(Dataset[Any]):
    """Pictures with a mapping of boxes and labels, as torchvision's detectors take them."""

    def __init__(self, changes: dict[int, list[Box]] | None = None) -> None:
        self.changes = changes or {}

    def __len__(self) -> int:
        return 60

    def __getitem__(self, index: int) -> Any:
        boxes = self.changes.get(index, boxes_of(index))
        labels = torch.tensor([1 + k % 2 for k in range(len(boxes))], dtype=torch.int64)
        target = {"boxes": torch.tensor(boxes).reshape(-1, 4), "labels": labels, "image_id": torch.tensor(index)}
        return pil_to_tensor(picture(index)), target


def scanned(source: Any, *select: str) -> Report:
    return datalint.scan(source, select=["ANN", *select], config=False)


def collate(batch: list[Any]) -> tuple[Any, ...]:
    return tuple(zip(*batch, strict=True))


@pytest.mark.parametrize("loader", [False, True])
def test_targets_of_torchvision(loader: bool) -> None:
    def source(changes: dict[int, list[Box]] | None = None) -> Any:
        data = Targets(changes)
        return DataLoader(data, batch_size=8, collate_fn=collate) if loader else data

    report = scanned(source(), "LBL101")
    assert not [finding for finding in report.findings if finding.severity != "info"]
    outside = {7: [(100.0, 50.0, 150.0, 70.0)], 11: [(5.0, 5.0, 5.0, 40.0)]}
    found = {finding.code: finding for finding in scanned(source(outside)).findings if finding.severity != "info"}
    assert found.keys() == {"ANN102", "ANN103"}
    assert found["ANN103"].affected.samples[0].index == 7
    assert found["ANN102"].affected.samples[0].index == 11


def lay(folder: Path, wrong: bool) -> None:
    """A COCO file with its pictures."""
    images, annotations = [], []
    for k in range(60):
        picture(k).save(folder / f"{k}.png")
        images.append({"id": k, "file_name": f"{k}.png", "width": SIZE[0], "height": SIZE[1]})
        for left, top, right, bottom in [(100.0, 50.0, 150.0, 70.0)] if wrong and k == 7 else boxes_of(k):
            box = [left, top, right - left, bottom - top]
            row = {"id": len(annotations) + 1, "image_id": k, "category_id": 1, "bbox": box, "iscrowd": 0}
            annotations.append(row | {"area": box[2] * box[3], "segmentation": []})
    categories = [{"id": 1, "name": "cell", "supercategory": "none"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "coco.json").write_text(json.dumps(content))


@pytest.mark.parametrize("wrong", [False, True])
def test_coco_of_torchvision_and_supervision(tmp_path: Path, wrong: bool) -> None:
    lay(tmp_path, wrong)
    theirs = CocoDetection(str(tmp_path), str(tmp_path / "coco.json"))
    codes = ["ANN103"] if wrong else []
    assert [f.code for f in scanned(theirs).findings if f.severity != "info"] == codes


@pytest.mark.parametrize("wrong", [False, True])
def test_data_sets_of_supervision(tmp_path: Path, wrong: bool) -> None:
    lay(tmp_path, wrong)
    theirs = supervision.DetectionDataset.from_coco(str(tmp_path), str(tmp_path / "coco.json"))
    report = scanned(theirs)
    assert [f.code for f in report.findings if f.severity != "info"] == (["ANN103"] if wrong else [])
    assert report.datasets[0].modality == "images"
