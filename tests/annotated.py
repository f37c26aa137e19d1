"""Digits in photos with their boxes, for writers of other formats than COCO."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from globox import Annotation, AnnotationSet, BoundingBox, BoxFormat

import datalint
from tests.reference import named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from datalint.report.models import Finding

DIGITS = named("digits in photos")
CLASSES = [f"digit {k}" for k in range(10)]
NUMBERS = {name: k for k, name in enumerate(CLASSES)}
SPLITS = ("train", "validation")


def boxes_of(split: str) -> AnnotationSet:
    """The boxes of a split as globox writes them to other formats."""
    document = json.loads(DIGITS.annotations[f"annotations/{split}.json"])
    names = {item["id"]: item["name"] for item in document["categories"]}
    found = {item["id"]: Annotation(item["file_name"], (item["width"], item["height"])) for item in document["images"]}
    for item in document["annotations"]:
        box = BoundingBox.create(
            label=names[item["category_id"]], coords=tuple(item["bbox"]), box_format=BoxFormat.LTWH
        )
        found[item["image_id"]].boxes.append(box)
    return AnnotationSet(found.values())


def pictures(root: Path, places: Mapping[str, str]) -> Path:
    """The photos of each split in a folder."""
    for path, data in DIGITS.files.items():
        split, _, name = path.partition("/")
        target = root / places[split] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return root


def objects(root: Path) -> dict[str, list[tuple[str, str, list[float]]]]:
    """By split, the picture, class and box (to a tenth of a pixel) of each object, as a scan reads them."""
    (dataset,) = datalint.detect(root)
    found: dict[str, list[tuple[str, str, list[float]]]] = {}
    for partition in dataset.partitions:
        for batch in partition.batches(frozenset({"annotations", "header"})):
            block = batch.objects
            assert block is not None
            for k, row in enumerate(block.picture):
                name = partition.sample_id(batch.start + int(row)).rpartition("/")[2]
                box = [round(float(side), 1) for side in block.boxes[k]]
                found.setdefault(batch.split, []).append((name, block.classes[block.codes[k]], box))
    return {split: sorted(own) for split, own in found.items()}


def truth() -> dict[str, list[tuple[str, str, list[float]]]]:
    """The same as it is known."""
    found = {}
    for split in SPLITS:
        every = boxes_of(split)
        own = [(a.image_id, box.label, [float(side) for side in box.ltrb]) for a in every for box in a.boxes]
        found[split] = sorted(own)
    return found


def findings(root: Path, *codes: str) -> list[Finding]:
    """What rules that train no model say, without info."""
    report = datalint.scan(root, select=list(codes), preset="fast", config=False, cache=False)
    return [finding for finding in report.findings if finding.severity != "info"]
