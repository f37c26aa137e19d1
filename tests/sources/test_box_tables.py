"""Tables of boxes as tools and competitions write them: which columns they are, and how their numbers are meant."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import datalint
from datalint.sources.annotations.box_tables import columns_of
from tests.annotated import DIGITS, SPLITS, boxes_of, findings, objects, pictures, truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANN = ("ANN", "FIL101")


def rows(split: str) -> pd.DataFrame:
    """One row for each box, as scripts of TensorFlow's object detection write them."""
    found = [
        [annotation.image_id, 128, 96, box.label, *(int(side) for side in box.ltrb)]
        for annotation in boxes_of(split)
        for box in annotation.boxes
    ]
    return pd.DataFrame(found, columns=["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"])


def lay(root: Path, change: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table, **how: Any) -> Path:
    """The photos in a folder for each split, with a table next to it."""
    pictures(root, {split: split for split in SPLITS})
    for split in SPLITS:
        change(rows(split)).to_csv(root / f"{split}_labels.csv", **({"index": False} | how))
    return root


def _sized(table: pd.DataFrame) -> pd.DataFrame:
    box = table[["xmin", "ymin"]].set_axis(["x", "y"], axis=1)
    size = {"w": table["xmax"] - table["xmin"], "h": table["ymax"] - table["ymin"]}
    return pd.concat([table["filename"].rename("image_id"), box.assign(**size), table["class"].rename("label")], axis=1)


def _centred(table: pd.DataFrame) -> pd.DataFrame:
    size = _sized(table)
    middle = {"x_center": (size["x"] + size["w"] / 2) / 128, "y_center": (size["y"] + size["h"] / 2) / 96}
    return size[["image_id", "label"]].assign(**middle, width=size["w"] / 128, height=size["h"] / 96)


def _one_cell(table: pd.DataFrame) -> pd.DataFrame:
    box = _sized(table)[["x", "y", "w", "h"]].to_numpy(float).tolist()
    return table[["filename", "width", "height", "class"]].assign(bbox=[str(sides) for sides in box])


def _corners_in_a_cell(table: pd.DataFrame) -> pd.DataFrame:
    box = table[["xmin", "ymin", "xmax", "ymax"]].to_numpy().tolist()
    return table[["filename", "width", "height", "class"]].assign(bbox=[json.dumps(sides) for sides in box])


def _without_suffix(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(filename=table["filename"].str.removesuffix(".jpg")).rename(columns={"filename": "image_id"})


@pytest.mark.parametrize(
    ("change", "reading"),
    [
        (lambda table: table, "left, top, right and bottom in pixels"),
        (_sized, "left, top, width and height in pixels"),
        (_centred, "centre, width and height in shares of the picture"),
        (_one_cell, "left, top, width and height in pixels"),
        (_corners_in_a_cell, "left, top, right and bottom in pixels"),
        (_without_suffix, "left, top, right and bottom in pixels"),
        (lambda table: table.rename(columns={"class": "cell_type"}), "left, top, right and bottom in pixels"),
        (lambda table: table.assign(filename="/content/photos/" + table["filename"]), "left, top, right and bottom in pixels"),
    ],
)  # fmt: skip
def test_columns_say_what_boxes_are(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], reading: str
) -> None:
    root = lay(tmp_path, change)
    (dataset,) = datalint.detect(root)
    assert (dataset.layout, dataset.task) == ("a table of boxes", "detection")
    assert dataset.evidence.endswith(f"; boxes are {reading}")
    assert objects(root) == truth()
    assert not findings(root, *ANN)


def test_roboflow_writes_a_table_into_each_split(tmp_path: Path) -> None:
    pictures(tmp_path, {split: split for split in SPLITS})
    for split in SPLITS:
        rows(split).to_csv(tmp_path / split / "_annotations.csv", index=False)
    assert objects(tmp_path) == truth()
    assert not findings(tmp_path, *ANN)


def test_retinanet_writes_no_header_and_pictures_without_boxes(tmp_path: Path) -> None:
    pictures(tmp_path, {split: split for split in SPLITS})
    for split in SPLITS:
        with (tmp_path / f"{split}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            for annotation in boxes_of(split):
                for box in annotation.boxes:
                    writer.writerow([f"{split}/{annotation.image_id}", *map(int, box.ltrb), box.label])
                if not annotation.boxes:
                    writer.writerow([f"{split}/{annotation.image_id}", "", "", "", "", ""])
    assert objects(tmp_path) == truth()
    report = datalint.scan(tmp_path, select=list(ANN), preset="fast", config=False, cache=False)
    assert {finding.message.partition(" of ")[2] for finding in report.findings} <= {
        "75 pictures have no object", "25 pictures have no object",
    }  # fmt: skip


def test_open_images(tmp_path: Path) -> None:
    pictures(tmp_path, {split: split for split in SPLITS})
    for split in SPLITS:
        every = boxes_of(split).map(lambda a: type(a)(a.image_id.removesuffix(".jpg"), a.image_size, a.boxes))
        every.save_openimage(tmp_path / f"{split}-annotations-bbox.csv")
    found = objects(tmp_path)
    assert [item[:2] for item in found["train"]] == [item[:2] for item in truth()["train"]]
    for one, other in zip(found["train"], truth()["train"], strict=True):
        assert one[2] == pytest.approx(other[2], abs=0.2)
    assert not findings(tmp_path, *ANN)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("xmax", 0, "ANN102"), ("ymin", "many", "ANN102"), ("ymax", None, "ANN102"), ("xmin", -40, "ANN103"), ("width", 96, "ANN104"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_row(tmp_path: Path, column: str, value: object, code: str) -> None:
    table = rows("train").astype({column: object})
    name = str(table["filename"].tolist()[7])
    hit = table["filename"] == name if code == "ANN104" else table.index == 7
    table[column] = table[column].where(~hit, value)
    pictures(tmp_path, {split: split for split in SPLITS})
    table.to_csv(tmp_path / "train_labels.csv", index=False)
    (found,) = findings(tmp_path, *ANN)
    assert (found.code, found.split) == (code, "train")
    (sample,) = found.affected.samples
    assert sample.id.endswith(f"train/{name}")
    if code != "ANN104":
        assert str(sample.detail["object"]).startswith(f"{(tmp_path / 'train_labels.csv').as_posix()}:9 ")


def test_pictures_that_are_listed_and_lost(tmp_path: Path) -> None:
    root = lay(tmp_path)
    (root / "train" / str(rows("train")["filename"].tolist()[0])).unlink()
    (found,) = findings(root, *ANN)
    assert (found.code, found.severity, found.split) == ("ANN101", "error", "train")


def test_a_set_is_silent_under_all_rules(tmp_path: Path) -> None:
    assert [f.code for f in findings(lay(tmp_path))] == []


def test_tables_of_labels_stay_what_they_are(tmp_path: Path) -> None:
    pictures(tmp_path, dict.fromkeys(SPLITS, "photos"))
    names = sorted(path.name for path in (tmp_path / "photos").iterdir())
    table = pd.DataFrame({"image": names, "width": 128, "height": 96, "label": ["a", "b"] * (len(names) // 2)})
    table.to_csv(tmp_path / "labels.csv", index=False)
    assert "a table of boxes" not in {dataset.layout for dataset in datalint.detect(tmp_path)}


@pytest.mark.parametrize(
    "names",
    [
        ["id", "x", "y", "label"],
        ["image", "label"],
        ["sepal width", "sepal height", "x", "y"],
        ["path", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId"],
        ["image", "left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y"],
        ["filename", "xmin", "xmax", "class"],
        [],
    ],
)
def test_other_columns_are_no_boxes(names: list[str]) -> None:
    assert columns_of(names) is None


def test_nothing_in_a_table_ends_a_scan(tmp_path: Path) -> None:
    root = lay(tmp_path)
    text = (root / "train_labels.csv").read_text()
    for content in (
        text[: len(text) // 2],
        text.replace("128", "1e999"),
        text.replace("digit", "\0"),
        text + ",,,,,,,\n" * 50,
    ):
        (root / "train_labels.csv").write_text(content)
        report = datalint.scan(root, select=["ANN", "FIL101"], preset="fast", config=False, cache=False)
        assert "failed" not in {status.status for status in report.datasets[0].rules}


def test_all_box_layouts_share_one_truth() -> None:
    assert sum(map(len, truth().values())) == sum(
        len(json.loads(data)["annotations"]) for data in DIGITS.annotations.values()
    )


def test_a_copy_of_other_annotations_is_left_out(tmp_path: Path) -> None:
    pictures(tmp_path, dict.fromkeys(SPLITS, "JPEGImages"))
    (tmp_path / "Annotations").mkdir()
    for split in SPLITS:
        boxes_of(split).save_pascal_voc(tmp_path / "Annotations")
    pd.concat([rows(split) for split in SPLITS]).to_csv(tmp_path / "test.csv", index=False)
    (dataset,) = datalint.detect(tmp_path)
    assert dataset.layout == "Pascal VOC"
    (problem,) = dataset.problems
    assert problem.path.endswith("test.csv")
