"""Objects as annotation tools and benchmarks write them: LabelMe, CVAT, Label Studio, Supervisely, KITTI, Hugging Face."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import datalint
from tests.annotated import CLASSES, SPLITS, boxes_of, findings, objects, pictures, truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from globox import Annotation

ANN = ("ANN", "FIL101")
PLACES = {split: split for split in SPLITS}


def label_me(root: Path) -> Path:
    for split in SPLITS:
        boxes_of(split).save_labelme(pictures(root, PLACES) / split)
    return root


def cvat(root: Path) -> Path:
    for split in SPLITS:
        boxes_of(split).save_cvat(pictures(root, {split: f"images/{split}" for split in SPLITS}) / f"{split}.xml")
    return root


def label_studio(root: Path) -> Path:
    """As the exports are: addresses of uploads, shares in hundredths, one result for each shape."""
    for split in SPLITS:
        pictures(root, {split: f"images/{split}" for split in SPLITS})
        tasks = [_task(k, one) for k, one in enumerate(boxes_of(split))]
        (root / f"{split}.json").write_text(json.dumps(tasks))
    return root


def _task(number: int, one: Annotation) -> dict[str, Any]:
    assert one.image_size is not None
    width, height = one.image_size
    result = []
    for box in one.boxes:
        left, top, right, bottom = box.ltrb
        value = {
            "x": 100 * left / width,
            "y": 100 * top / height,
            "width": 100 * (right - left) / width,
            "height": 100 * (bottom - top) / height,
            "rotation": 0,
            "rectanglelabels": [box.label],
        }
        shape = {"type": "rectanglelabels", "original_width": width, "original_height": height, "value": value}
        result.append(shape)
    image = f"/data/upload/3/0a1b2c3d-{one.image_id}"
    cancelled = {"was_cancelled": True, "result": []}
    return {"id": number, "data": {"image": image}, "annotations": [cancelled, {"result": result}]}


def supervisely(root: Path) -> Path:
    pictures(root, {split: f"{split}/img" for split in SPLITS})
    (root / "meta.json").write_text(
        json.dumps({"classes": [{"title": name, "shape": "rectangle"} for name in CLASSES]})
    )
    for split in SPLITS:
        (root / split / "ann").mkdir()
        for one in boxes_of(split):
            assert one.image_size is not None
            items = []
            for box in one.boxes:
                left, top, right, bottom = box.ltrb
                points = {"exterior": [[right, bottom], [left, top]], "interior": []}
                items.append({"classTitle": box.label, "geometryType": "rectangle", "points": points})
            size = {"width": one.image_size[0], "height": one.image_size[1]}
            note = root / split / "ann" / f"{one.image_id}.json"
            note.write_text(json.dumps({"description": "", "tags": [], "size": size, "objects": items}))
    return root


def kitti(root: Path) -> Path:
    places = {"train": "training/image_2", "validation": "validation/image_2"}
    pictures(root, places)
    for split, place in places.items():
        folder = root / place.replace("image_2", "label_2")
        folder.mkdir()
        for one in boxes_of(split):
            lines = [
                f"{box.label.replace(' ', '_')} 0.00 0 -1.58 {' '.join(f'{side:.2f}' for side in box.ltrb)} "
                "1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n"
                for box in one.boxes
            ]
            (folder / f"{one.image_id[:-4]}.txt").write_text("".join(lines))
    return root


def hugging_face(root: Path) -> Path:
    pictures(root, PLACES)
    for split in SPLITS:
        rows = []
        for one in boxes_of(split):
            held = {"bbox": [list(box.ltwh) for box in one.boxes], "categories": [box.label for box in one.boxes]}
            rows.append(json.dumps({"file_name": one.image_id, "objects": held}))
        (root / split / "metadata.jsonl").write_text("\n".join(rows))
    return root


@pytest.mark.parametrize(
    ("write", "layout"),
    [
        (label_me, "LabelMe"),
        (cvat, "CVAT"),
        (label_studio, "Label Studio"),
        (supervisely, "Supervisely"),
        (kitti, "KITTI"),
        (hugging_face, "image folder with objects"),
    ],
)
def test_objects_are_read_as_they_were_drawn(tmp_path: Path, write: Callable[[Path], Path], layout: str) -> None:
    root = write(tmp_path)
    (dataset,) = datalint.detect(root)
    assert (dataset.layout, dataset.task, not dataset.problems) == (layout, "detection", True)
    known = {
        split: [(name, kind.replace(" ", "_") if layout == "KITTI" else kind, box) for name, kind, box in own]
        for split, own in truth().items()
    }
    assert objects(root) == known
    assert not findings(root, *ANN)


@pytest.mark.parametrize("write", [label_me, cvat, label_studio, supervisely, kitti, hugging_face])
def test_a_box_without_area_is_found(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    root = write(tmp_path)
    _first_box_is_empty(root)
    assert [finding.code for finding in findings(root, *ANN)] == ["ANN102"]


def _first_box_is_empty(root: Path) -> None:
    """Changes one object of train to a box of no width, whatever the format."""
    for path in sorted(p for p in root.rglob("*") if p.suffix in {".json", ".jsonl", ".xml", ".txt"}):
        text = path.read_text()
        changed = _emptied(path, text)
        if changed != text:
            path.write_text(changed)
            return
    raise AssertionError("no file holds an object")


def _emptied(path: Path, text: str) -> str:
    if path.suffix == ".xml":
        left = text.partition('xtl="')[2].partition('"')[0]
        before, mark, after = text.partition('xbr="')
        return f"{before}{mark}{left}{after[after.index(chr(34)) :]}"
    if path.suffix == ".txt":
        words = text.split(" ")
        return " ".join([*words[:6], words[4], *words[7:]]) if len(words) > 7 else text
    document = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    if path.suffix == ".jsonl":
        held = next(row["objects"]["bbox"] for row in document if row["objects"]["bbox"])
        held[0][2] = 0
        return "\n".join(map(json.dumps, document))
    if isinstance(document, list):
        result = next(task["annotations"][1]["result"] for task in document if task["annotations"][1]["result"])
        result[0]["value"]["width"] = 0
    elif document.get("shapes"):
        points = document["shapes"][0]["points"]
        points[1][0] = points[0][0]
    elif document.get("objects"):
        points = document["objects"][0]["points"]["exterior"]
        points[1][0] = points[0][0]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("write", "name"),
    [(cvat, "train.xml"), (label_studio, "train.json"), (hugging_face, "train/metadata.jsonl")],
)
def test_a_file_that_breaks_off_is_read_as_far_as_it_goes(
    tmp_path: Path, write: Callable[[Path], Path], name: str
) -> None:
    root = write(tmp_path)
    text = (root / name).read_text()
    (root / name).write_text(text[: len(text) // 2])
    told = [finding for finding in findings(root, *ANN) if finding.code == "FIL101"]
    assert len(told) == 1
    assert "read in part" in told[0].affected.samples[0].detail["problem"]  # type: ignore[operator]


@pytest.mark.parametrize(
    "text", ["{", '{"shapes": 3, "flags": {}}', '{"shapes": [{"points": [[1, "a"]]}], "flags": {}}']
)
def test_broken_files_of_one_picture_are_findings(tmp_path: Path, text: str) -> None:
    root = label_me(tmp_path)
    (root / "train" / "001.json").write_text(text)
    assert {finding.code for finding in findings(root, *ANN)} <= {"FIL101", "ANN102", "ANN101"}


def test_circles_and_outlines_have_the_boxes_around_them(tmp_path: Path) -> None:
    root = label_me(tmp_path)
    shapes = [
        {"label": "digit 1", "shape_type": "circle", "points": [[40, 40], [43, 44]]},
        {"label": "digit 2", "shape_type": "polygon", "points": [[1, 2], [9, 4], [5, 30]]},
        {"label": "digit 3", "shape_type": "point", "points": [[1, 2]]},
    ]
    (root / "train" / "001.json").write_text(json.dumps({"imagePath": "001.jpg", "flags": {}, "shapes": shapes}))
    found = [(kind, box) for name, kind, box in objects(root)["train"] if name == "001.jpg"]
    assert found == [("digit 1", [35, 35, 45, 45]), ("digit 2", [1, 2, 9, 30])]


def test_regions_that_kitti_ignores_are_crowds(tmp_path: Path) -> None:
    root = kitti(tmp_path)
    note = root / "training" / "label_2" / "001.txt"
    note.write_text(note.read_text() + "DontCare -1 -1 -10 5.0 6.0 20.0 30.0 -1 -1 -1 -1000 -1000 -1000 -10\n")
    assert not findings(root, *ANN)
