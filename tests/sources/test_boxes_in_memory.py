"""Boxes in the items of data sets in memory; those of torchvision and supervision are in the integrations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

import datalint
from datalint.sources.objects.boxes import Boxed, boxed_in, object_block, targets_of


class Drawn:
    """Pictures with a target each."""

    classes = ("cat", "dog")

    def __init__(self, target: Any) -> None:
        self.target = target

    def __len__(self) -> int:
        return 50

    def __getitem__(self, index: int) -> Any:
        rng = np.random.default_rng(index)
        return Image.fromarray(rng.integers(0, 255, (60, 80, 3)).astype(np.uint8)), self.target(index)


def corners(index: int) -> dict[str, Any]:
    right = 90.0 if index == 9 else 40.0
    return {"boxes": np.array([[5.0, 5.0, right, 30.0], [10.0, 20.0, 30.0, 50.0]]), "labels": np.array([0, 1])}


def sizes(index: int) -> list[dict[str, Any]]:
    return [{"bbox": [5, 5, 85 if index == 9 else 35, 25], "category_id": 1}] * (index % 2)


@pytest.mark.parametrize("target", [corners, sizes])
def test_what_leads_out_of_its_picture_is_found(target: Any) -> None:
    report = datalint.scan(Drawn(target), select=["ANN103", "ANN107", "ANN101"], config=False)
    (finding,) = report.findings
    assert (finding.code, [sample.index for sample in finding.affected.samples]) == ("ANN103", [9])
    assert report.datasets[0].label is None


def test_shares_and_other_targets_are_not_taken_for_boxes() -> None:
    shares = {1: {"boxes": [np.array([[0.1, 0.2, 0.4, 0.5]])], "labels": [np.array([1])]}}
    assert boxed_in(shares) is None
    assert boxed_in({1: {"masks": [], "labels": []}}) is None
    assert targets_of([[1, 2], [3]]) is None
    assert targets_of([[{"caption": "a cat"}]]) is None


def test_objects_of_some_pictures() -> None:
    column = {"bbox": [[[1, 2, 3, 4]], [], [[0, 0, 5, 5], [1, 1]]], "category_id": [["7"], [], [0, 1]]}
    block = object_block(column, Boxed(1, "bbox", "category_id"), 3, ("cat",))
    assert block.picture.tolist() == [0, 2, 2]
    assert block.boxes[:2].tolist() == [[1, 2, 4, 6], [0, 0, 5, 5]]
    assert np.isnan(block.boxes[2]).all()
    assert [block.classes[code] for code in block.codes] == ["7", "cat", "1"]
    with pytest.raises(ValueError, match="1 classes for 2 boxes"):
        object_block({"bbox": [[[0, 0, 1, 1]] * 2], "category_id": [[1]]}, Boxed(1, "bbox", "category_id"), 1, ())
