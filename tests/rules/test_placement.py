"""Boxes that lie elsewhere than what they were drawn for, and objects of wrong classes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from datalint.core.clean import Clean
from datalint.rules.registry import find_rule
from datalint.testing import plant, scan
from tests.reference import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.report.models import Report

DIGITS, SIGNS = named("digits in photos"), named("signs in photos")
MISPLACED, MISNAMED = find_rule("ANN114"), find_rule("ANN115")


def changed(data: Clean, change: Callable[[dict[str, Any]], None]) -> Clean:
    """With other annotations of train."""
    documents = {path: json.loads(text) for path, text in data.annotations.items()}
    change(documents["annotations/train.json"])
    annotations = {path: json.dumps(document).encode() for path, document in documents.items()}
    return Clean(data.name, files=data.files, annotations=annotations)


def told(report: Report) -> list[tuple[str, str | None]]:
    return [(finding.severity, finding.split) for finding in report.findings]


def test_boxes_anywhere_are_not_said_to_lie_elsewhere() -> None:
    rng = np.random.default_rng(1)

    def anywhere(document: dict[str, Any]) -> None:
        for item in document["annotations"]:
            _, _, width, height = item["bbox"]
            item["bbox"] = [rng.uniform(0, 128 - width), rng.uniform(0, 96 - height), width, height]

    assert not told(scan(changed(DIGITS, anywhere), MISPLACED))


def test_boxes_of_the_next_picture() -> None:
    def rotate(document: dict[str, Any]) -> None:
        ids = [image["id"] for image in document["images"]]
        after = dict(zip(ids, [*ids[1:], ids[0]], strict=True))
        for item in document["annotations"]:
            item["image_id"] = after[item["image_id"]]

    report = scan(changed(DIGITS, rotate), MISPLACED)
    assert told(report) == [("error", "train")]
    assert "the boxes of the next picture" in report.findings[0].message


def test_some_pictures_are_named() -> None:
    def mirror(document: dict[str, Any]) -> None:
        for item in document["annotations"]:
            if item["image_id"] % 3 == 0:
                left, top, width, height = item["bbox"]
                item["bbox"] = [left, 96 - top - height, width, height]

    report = scan(changed(DIGITS, mirror), MISPLACED)
    assert told(report) == [("warning", "train")]
    (finding,) = report.findings
    assert "turned upside down" in finding.message
    names = [int(sample.id.rpartition("/")[2][:3]) + 1 for sample in finding.affected.samples]
    assert np.mean([name % 3 == 0 for name in names]) > 0.8


def test_few_pictures_are_skipped_with_a_reason() -> None:
    def few(document: dict[str, Any]) -> None:
        document["annotations"] = [item for item in document["annotations"] if item["image_id"] < 40]

    (status,) = (s for s in scan(changed(DIGITS, few), MISPLACED).datasets[0].rules if s.code == "ANN114")
    assert status.status == "skipped"
    assert "fewer than 40 pictures" in (status.reason or "")


@pytest.mark.parametrize("data", [DIGITS, SIGNS], ids=lambda data: data.name)
def test_right_classes_are_not_disputed(data: Clean) -> None:
    assert not told(scan(data, MISNAMED))


def test_wrong_classes_are_named_with_the_right_ones() -> None:
    fault = plant(MISNAMED, SIGNS, 1.0, 0)
    assert fault is not None
    report = scan(fault.data, MISNAMED)
    assert told(report) == [("warning", None)]
    sample = report.findings[0].affected.samples[0]
    assert sample.detail["given"] != sample.detail["suggested"]
    assert sample.split == "train"
