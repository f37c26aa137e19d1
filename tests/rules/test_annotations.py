"""What the rules about objects say where a scan of their own planted fault does not tell."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from datalint.core.clean import Clean
from datalint.testing import scan
from tests.reference import named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from datalint.report.models import Finding

DIGITS = named("digits in photos")


def changed(
    change: Callable[[dict[str, Any]], None], split: str = "train", files: Mapping[str, bytes] | None = None
) -> Clean:
    """The digits with other annotations of one split."""
    documents = {path: json.loads(data) for path, data in DIGITS.annotations.items()}
    change(documents[f"annotations/{split}.json"])
    annotations = {path: json.dumps(document).encode() for path, document in documents.items()}
    return Clean(DIGITS.name, files={**DIGITS.files, **(files or {})}, annotations=annotations)


def found(data: Clean, code: str) -> list[Finding]:
    return [f for f in scan(data).findings if f.code == code]


def each(section: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    """A change to all items of a section."""

    def change(document: dict[str, Any]) -> None:
        for item in document[section]:
            item.update(values)

    return change


@pytest.mark.parametrize(
    ("code", "share", "change"),
    [
        ("ANN102", 0.3, lambda item: item.update(bbox=[1, 1, 0, 5])),
        ("ANN103", 0.3, lambda item: item.update(bbox=[100, 1, 50, 5])),
        ("ANN102", 0.7, lambda item: item.update(bbox=[1, 1, 0, 5])),
        ("ANN103", 0.7, lambda item: item.update(bbox=[100, 1, 50, 5])),
    ],
)
def test_half_of_a_split_is_an_error(code: str, share: float, change: Callable[[dict[str, Any]], None]) -> None:
    def some(document: dict[str, Any]) -> None:
        for item in document["annotations"][: int(share * len(document["annotations"]))]:
            change(item)

    (finding,) = found(changed(some), code)
    assert finding.severity == ("error" if share > 0.5 else "warning")
    assert finding.split == "train"


def test_objects_of_pictures_that_are_not_listed() -> None:
    def drop(document: dict[str, Any]) -> None:
        full = {item["image_id"] for item in document["annotations"]}
        document["images"] = [image for image in document["images"] if image["id"] not in sorted(full)[:3]]

    told = found(changed(drop), "ANN101")
    (dangling,) = [f for f in told if f.severity == "warning"]
    assert dangling.evidence["pictures"] == 3
    assert dangling.affected.samples[0].id.endswith("annotations/train.json")
    (unlisted,) = [f for f in told if "next to" in f.message]
    assert (unlisted.severity, unlisted.affected.count) == ("info", 3)


def test_a_split_without_any_object_is_an_error() -> None:
    told = found(changed(lambda document: document.update(annotations=[]), "validation"), "ANN101")
    assert [(f.severity, f.split) for f in told] == [("error", "validation"), ("info", "train")]


def test_boxes_just_over_the_edge_are_no_fault() -> None:
    assert not found(changed(each("annotations", bbox=[-1, -1, 130, 98])), "ANN103")
    assert found(changed(each("annotations", bbox=[-2, -1, 130, 98])), "ANN103")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ({"width": 96, "height": 128}, "exchanged"),
        ({"width": 256, "height": 192}, "scale"),
        ({"width": 99, "height": 99}, "shape"),
    ],
)
def test_all_sizes_of_a_split(size: dict[str, int], words: str) -> None:
    (finding,) = found(changed(each("images", **size)), "ANN104")
    assert finding.severity == "error"
    assert words in finding.message


def test_sizes_that_are_not_declared_are_not_judged() -> None:
    assert not found(changed(each("images", width=0, height=None)), "ANN104")


def test_pictures_that_their_tag_turns_fit_what_was_drawn_on_them_turned(tmp_path: Path) -> None:
    turned = {}
    for path in [path for path in DIGITS.files if path.startswith("validation/")]:
        with Image.open(io.BytesIO(DIGITS.files[path])) as image:
            exif = Image.Exif()
            exif[274] = 6
            out = io.BytesIO()
            image.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", exif=exif)
        turned[path] = out.getvalue()
    data = Clean(DIGITS.name, files={**DIGITS.files, **turned}, annotations=DIGITS.annotations)
    (finding,) = found(data, "ANN104")
    assert finding.severity == "info"
    assert "EXIF" in finding.message
    assert not found(data, "ANN103")


def test_a_scaled_set_is_one_finding() -> None:
    def scale(document: dict[str, Any]) -> None:
        for image in document["images"]:
            image |= {"width": 256, "height": 192}
        for item in document["annotations"]:
            item["bbox"] = [2 * side for side in item["bbox"]]

    codes = [f.code for f in scan(changed(scale)).findings if f.severity != "info"]
    assert codes == ["ANN104"]


def test_classes_that_never_occur_and_names_given_twice() -> None:
    def more(document: dict[str, Any]) -> None:
        document["categories"] += [{"id": 11, "name": "unicorn"}, {"id": 12, "name": "digit 3"}]

    twice, unused = found(changed(more), "ANN105")
    assert (twice.severity, unused.severity) == ("warning", "info")
    assert "digit 3" in twice.message
    assert "unicorn" in unused.message


def test_other_pictures_are_skipped_with_a_reason() -> None:
    statuses = [s for s in scan(named("photo crops")).datasets[0].rules if s.code.startswith("ANN")]
    assert {(s.status, s.reason) for s in statuses} == {
        ("skipped", "no objects are drawn in the pictures"),
        ("skipped", "the pictures have no masks"),
    }


def test_rules_about_labels_are_skipped_with_a_reason_and_those_about_pictures_judge(tmp_path: Path) -> None:
    black = io.BytesIO()
    Image.fromarray(np.zeros((96, 128, 3), np.uint8)).save(black, "JPEG")
    report = scan(changed(lambda _: None, files={"train/001.jpg": black.getvalue()}))
    assert [f.severity for f in report.findings if f.code == "VAL101"] == ["warning"]
    reasons = {s.reason for s in report.datasets[0].rules if s.code.startswith("LBL")}
    assert "each picture has objects, and no label of its own" in reasons
