"""What the rules about objects say where a scan of their own planted fault does not tell."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import datalint
from datalint.core.clean import Clean
from datalint.testing import scan
from tests.reference import named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    """What a rule says next to those about annotations."""
    with tempfile.TemporaryDirectory() as folder:
        report = datalint.scan(data.write(Path(folder) / "data"), select=["ANN", code], preset="fast", config=False)
    return [f for f in report.findings if f.code == code]


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


def _corners(item: dict[str, Any]) -> None:
    left, top, width, height = item["bbox"]
    item["bbox"] = [left, top, left + width, top + height]


def _exchanged(item: dict[str, Any]) -> None:
    left, top, width, height = item["bbox"]
    item["bbox"] = [top, left, height, width]


def _shares(item: dict[str, Any]) -> None:
    left, top, width, height = item["bbox"]
    item["bbox"] = [left / 128, top / 96, width / 128, height / 96]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_corners, "as left, top, right and bottom in pixels"),
        (_exchanged, "as left, top, width and height in pixels, x and y exchanged"),
        (_shares, "lie in the first 2 pixels, and 100% as left, top, width and height in shares of the picture"),
    ],
)
def test_numbers_of_another_convention_are_one_finding(change: Callable[[dict[str, Any]], None], words: str) -> None:
    def every(document: dict[str, Any]) -> None:
        for item in document["annotations"]:
            change(item)

    told = [f for f in scan(changed(every)).findings if f.code.startswith("ANN") and f.severity != "info"]
    assert [(f.code, f.severity, f.split) for f in told] == [("ANN106", "error", "train")]
    assert told[0].message.endswith(words)


def test_boxes_a_little_outside_are_no_other_convention() -> None:
    def some(document: dict[str, Any]) -> None:
        for item in document["annotations"][::3]:
            item["bbox"][0] += 60

    assert not found(changed(some), "ANN106")
    assert found(changed(some), "ANN103")


@pytest.mark.parametrize(("category", "words"), [(0, "twins of one class"), (1, "twins of two classes")])
def test_objects_twice(category: int, words: str) -> None:
    def again(document: dict[str, Any]) -> None:
        for k, item in enumerate(list(document["annotations"][:5])):
            other = (item["category_id"] - 1 + category) % 10 + 1
            document["annotations"].append({**item, "id": 9000 + k, "category_id": other})

    (finding,) = found(changed(again), "ANN107")
    assert (finding.severity, finding.evidence["boxes"], finding.split) == ("warning", 5, "train")
    assert words in finding.message


def test_classes_of_a_hierarchy_may_share_their_boxes() -> None:
    def levels(document: dict[str, Any]) -> None:
        document["categories"].append({"id": 11, "name": "digit"})
        own = list(document["annotations"])
        document["annotations"] += [{**item, "id": 9000 + k, "category_id": 11} for k, item in enumerate(own)]

    assert {f.severity for f in found(changed(levels), "ANN107")} == {"info"}


def test_boxes_that_overlap_are_no_twins() -> None:
    def near(document: dict[str, Any]) -> None:
        for k, item in enumerate(list(document["annotations"][:5])):
            left, top, width, height = item["bbox"]
            document["annotations"].append({**item, "id": 9000 + k, "bbox": [left + width / 6, top, width, height]})

    assert not found(changed(near), "ANN107")


@pytest.mark.parametrize(
    ("split", "kept", "severity"), [("train", 60, "info"), ("validation", 60, "warning"), ("validation", None, "info")]
)
def test_ids_from_zero(split: str, kept: int | None, severity: str) -> None:
    """As exports number them: one of many objects is no loss, one of few is."""

    def zero(document: dict[str, Any]) -> None:
        document["annotations"] = [dict(item) for item in (document["annotations"] * 2)[: kept or None]]
        for k, item in enumerate(document["annotations"]):
            item["id"] = k

    (finding,) = found(changed(zero, split), "ANN110")
    assert (finding.severity, finding.split, finding.affected.count) == (severity, split, 1)


@pytest.mark.parametrize(("share", "severity"), [(0.2, None), (0.6, "warning"), (1.0, "error")])
def test_crowds(share: float, severity: str | None) -> None:
    def crowd(document: dict[str, Any]) -> None:
        for item in document["annotations"][: round(share * len(document["annotations"]))]:
            item["iscrowd"] = 1

    assert [f.severity for f in found(changed(crowd), "ANN110")] == ([severity] if severity else [])


def test_tiny_objects_are_told_and_most_of_a_split_warns() -> None:
    def some(document: dict[str, Any]) -> None:
        for item in document["annotations"][:3]:
            item["bbox"][2:] = [0.5, 0.7]

    (finding,) = found(changed(some), "ANN108")
    assert (finding.severity, finding.evidence["boxes"]) == ("info", 3)
    assert [f.severity for f in found(changed(each("annotations", bbox=[5, 5, 0.5, 0.5])), "ANN108")] == ["warning"]


def test_a_class_that_train_never_shows() -> None:
    (finding,) = [f for f in found(changed(without_classes(1)), "ANN109") if f.split == "validation"]
    assert (finding.severity, finding.evidence["classes"]) == ("warning", 1)


def test_classes_that_train_never_shows_are_part_of_the_shift_between_splits() -> None:
    told = scan(changed(without_classes(8))).findings
    (finding,) = [f for f in told if f.code == "ANN109" and f.split == "validation"]
    (shift,) = [f for f in told if f.code == "SPL105"]
    assert (shift.severity, shift.also, finding.part_of) == ("error", ("ANN109",), shift.fingerprint)


def without_classes(last: int) -> Callable[[dict[str, Any]], None]:
    """A change that removes the objects of the first classes."""

    def drop(document: dict[str, Any]) -> None:
        document["annotations"] = [item for item in document["annotations"] if item["category_id"] > last]

    return drop


def test_classes_of_very_different_size_are_told() -> None:
    def grow(document: dict[str, Any]) -> None:
        first = document["annotations"][0]
        kind = first["category_id"]
        rest = [item for item in document["annotations"] if item["category_id"] != kind]
        document["annotations"] = [*rest[:9], *({**first, "id": 10_000 + k} for k in range(900))]

    told = [f for f in found(changed(grow), "ANN109") if f.split == "train"]
    assert [f.severity for f in told] == ["info"]
    assert "times the objects of the smallest" in told[0].message


# --- rules about labels, by what is drawn ---------------------------------------------------------------------------


def _by_class(document: dict[str, Any]) -> None:
    """The pictures in the order of the first class in each."""
    lead = {item["image_id"]: item["category_id"] for item in reversed(document["annotations"])}
    document["annotations"] = [
        item for item in document["annotations"] if item["category_id"] == lead[item["image_id"]]
    ]
    document["images"].sort(key=lambda image: lead.get(image["id"], 0))


def test_pictures_in_the_order_of_their_classes() -> None:
    told = [f for f in scan(changed(_by_class)).findings if f.code in {"ORD101", "ORD103"} and f.severity != "info"]
    assert [(f.code, f.split) for f in told] == [("ORD101", "train")]
    assert not found(DIGITS, "ORD101")


def test_classes_of_other_shares_in_another_split() -> None:
    def drop(document: dict[str, Any]) -> None:
        document["annotations"] = [
            {**item, "category_id": 1} if item["category_id"] <= 6 else item for item in document["annotations"]
        ]

    (finding,) = found(changed(drop, "validation"), "SPL105")
    assert (finding.severity, finding.split, finding.class_) == ("warning", "validation", "digit 0")
    assert not found(DIGITS, "SPL105")


def test_one_class_in_two_spellings() -> None:
    def spell(document: dict[str, Any]) -> None:
        document["categories"].append({"id": 11, "name": "Digit 3"})
        for item in [item for item in document["annotations"] if item["category_id"] == 4][::2]:
            item["category_id"] = 11

    (finding,) = found(changed(spell), "LBL105")
    assert finding.affected.samples[0].id.endswith(".jpg")


@pytest.mark.parametrize(("shift", "unlike"), [(0.2, False), (2.0, True)])
def test_copies_of_a_picture_with_other_boxes(shift: float, unlike: bool) -> None:
    path = next(path for path in DIGITS.files if path.startswith("train/"))

    def copy(document: dict[str, Any]) -> None:
        images, objects = document["images"], document["annotations"]
        first = next(image for image in images if path.endswith(image["file_name"]))
        images.append({**first, "id": 9999, "file_name": "copy.jpg"})
        for k, item in enumerate([item for item in objects if item["image_id"] == first["id"]]):
            left, top, width, height = item["bbox"]
            box = [left + shift * width * (1 if left < 40 else -1), top, width, height]
            objects.append({**item, "id": 9000 + k, "image_id": 9999, "bbox": box})

    data = changed(copy, files={"train/copy.jpg": DIGITS.files[path]})
    assert found(data, "DUP101")
    told = found(data, "LBL106")
    assert [(f.severity, f.affected.count) for f in told] == ([("warning", 2)] if unlike else [])
    if told:
        assert [sample.detail["group"] for sample in told[0].affected.samples] == [1, 1]


@pytest.mark.parametrize(("step", "severity"), [(7, "warning"), (1.5, "info")])
def test_boxes_among_outlines(step: float, severity: str) -> None:
    """As exports of a project that holds both."""

    def outlines(share: float) -> Callable[[dict[str, Any]], None]:
        def draw(document: dict[str, Any]) -> None:
            for k, item in enumerate(document["annotations"]):
                left, top, width, height = item["bbox"]
                corners = [left, top, left + width, top, left + width, top + height, left, top + height]
                item["segmentation"] = [] if k % share < 1 else [corners]

        return draw

    assert not found(changed(outlines(10**6)), "ANN106")[1:]
    (finding,) = found(changed(outlines(step)), "ANN106")
    assert (finding.severity, finding.split) == (severity, "train")
    assert finding.affected.samples[0].detail["object"]


@pytest.mark.parametrize("by", [-1, 0])
def test_classes_that_are_counted_from_zero_where_the_list_begins_at_one(by: int) -> None:
    def shifted(document: dict[str, Any]) -> None:
        for item in document["annotations"]:
            item["category_id"] += by

    told = [f for f in found(changed(shifted), "ANN105") if f.severity == "error"]
    whole = Clean(
        DIGITS.name,
        files=DIGITS.files,
        annotations={
            path: json.dumps(_shifted(json.loads(data), by)).encode() for path, data in DIGITS.annotations.items()
        },
    )
    assert len(told) == -by
    both = [f for f in found(whole, "ANN105") if f.severity == "error"]
    assert len(both) == -2 * by
    assert all("as if counted from 0 where the list begins at 1" in f.message for f in both)
    assert all("Add 1" in f.remedy for f in both)


def _shifted(document: dict[str, Any], by: int) -> dict[str, Any]:
    for item in document["annotations"]:
        item["category_id"] += by
    return document


def test_files_that_number_the_classes_in_another_order() -> None:
    def turned(document: dict[str, Any]) -> None:
        names = [item["name"] for item in document["categories"]]
        for item, name in zip(document["categories"], [*names[1:], names[0]], strict=True):
            item["name"] = name

    (finding,) = [f for f in found(changed(turned, "validation"), "ANN105") if f.severity == "error"]
    assert "class 1 is 'digit 1' in" in finding.message
    assert finding.message.endswith("train.json")


def test_a_list_of_classes_that_only_one_file_has() -> None:
    def more(document: dict[str, Any]) -> None:
        document["categories"].append({"id": 12, "name": "unicorn"})

    assert not [f for f in found(changed(more, "validation"), "ANN105") if f.severity != "info"]


@pytest.mark.parametrize(("size", "count"), [([96, 128], 0), ([128, 96], 4), ([48, 64], 4)])
def test_masks_in_run_lengths_of_another_size(size: list[int], count: int) -> None:
    def drawn(document: dict[str, Any]) -> None:
        for item in document["annotations"][:4]:
            item["segmentation"] = {"size": size, "counts": [100, 30, size[0] * size[1] - 130]}
        for item in document["annotations"][4:]:
            item["segmentation"] = {"size": [96, 128], "counts": "abc"}

    told = found(changed(drawn), "ANN104")
    assert [(f.severity, f.evidence["objects"]) for f in told] == ([("warning", count)] if count else [])


@pytest.mark.parametrize(
    ("points", "number", "lost"),
    [
        ([5, 6, 0, 9, 9, 0], 2, True),
        ([5, 6, 2, 9, 9, 2], 0, True),
        ([5, 6, 2, 9, 9, 0], 1, False),
        ([5, 6, 1, 0, 0, 0], None, False),
        ([0, 0, 0, 0, 0, 0], 0, False),
        (["x", 6, 0], 0, False),
        ([], 0, False),
    ],
)
def test_keypoints_that_are_said_to_be_absent(points: list[Any], number: int | None, lost: bool) -> None:
    def posed(document: dict[str, Any]) -> None:
        for item in document["annotations"]:
            item.update(keypoints=[5, 6, 2, 0, 0, 0], num_keypoints=1)
        for item in document["annotations"][:3]:
            item.update(keypoints=points, num_keypoints=number)

    told = [f for f in found(changed(posed), "ANN110") if "keypoints" in f.message]
    assert [(f.severity, f.evidence["objects"]) for f in told] == ([("warning", 3)] if lost else [])
