"""Pascal VOC as it lies in the wild: folders, lists, XML next to the pictures, and what is wrong with the files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import datalint
from tests.annotated import SPLITS, boxes_of, findings, objects, pictures, truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANN = ("ANN", "FIL101")


def lay(root: Path, images: str = "JPEGImages", notes: str = "Annotations", lists: str = "ImageSets/Main") -> Path:
    """The photos with XML as globox writes it; places are those of ``{}``, the split."""
    pictures(root, {split: images.format(split) for split in SPLITS})
    for split, name in zip(SPLITS, ("train", "val"), strict=True):
        folder = root / notes.format(split)
        folder.mkdir(parents=True, exist_ok=True)
        boxes_of(split).save_pascal_voc(folder)
        if lists:
            (root / lists).mkdir(parents=True, exist_ok=True)
            stems = [annotation.image_id.removesuffix(".jpg") for annotation in boxes_of(split)]
            (root / lists / f"{name}.txt").write_text("".join(f"{stem}\n" for stem in stems))
    return root


def notes_of(root: Path) -> list[Path]:
    """The files about pictures of train that hold objects."""
    stems = [annotation.image_id.removesuffix(".jpg") for annotation in boxes_of("train") if annotation.boxes]
    return [root / "Annotations" / f"{stem}.xml" for stem in stems]


def test_voc(tmp_path: Path) -> None:
    root = lay(tmp_path)
    main = root / "ImageSets/Main"
    (main / "trainval.txt").write_text((main / "train.txt").read_text() + (main / "val.txt").read_text())
    (main / "cat_train.txt").write_text("".join(f"{line} -1\n" for line in (main / "train.txt").read_text().split()))
    (dataset,) = datalint.detect(root)
    assert (dataset.layout, dataset.task) == ("Pascal VOC", "detection")
    assert [split.evidence for split in dataset.splits] == [
        "list 'train.txt' in ImageSets/Main", "list 'val.txt' in ImageSets/Main",
    ]  # fmt: skip
    assert objects(root) == truth()
    assert not findings(root, *ANN)


@pytest.mark.parametrize(
    ("images", "notes", "splits"),
    [
        ("images", "annots", False),
        ("images", "annotations/xmls", False),
        ("photos", "photos", False),
        ("{}", "{}", True),
        ("{}/images", "{}/annotations", True),
        ("images/{}", "annotations/{}", True),
    ],
)
def test_pictures_and_xml_find_each_other(tmp_path: Path, images: str, notes: str, splits: bool) -> None:
    root = lay(tmp_path, images, notes, lists="")
    found, known = objects(root), truth()
    assert found == known if splits else found["all"] == sorted([*known["train"], *known["validation"]])
    assert not findings(root, *ANN)


def test_folders_of_scenes_are_one_set(tmp_path: Path) -> None:
    root = lay(tmp_path / "flat", "photos", "photos", lists="")
    for path in sorted((root / "photos").iterdir()):
        target = tmp_path / "scenes" / f"scene_{int(path.stem) // 10}" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    assert sum(map(len, objects(tmp_path / "scenes").values())) == sum(map(len, truth().values()))


def test_the_picture_may_be_named_inside(tmp_path: Path) -> None:
    root = lay(tmp_path)
    for path in sorted((root / "Annotations").iterdir()):
        path.rename(path.with_name(f"note-{path.name}"))
    assert objects(root) == truth()
    assert not findings(root, *ANN)


def _replace(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_replace("<xmax>", "<xmax>0."), "ANN102"),
        (_replace("<xmin>", "<xmin>nan"), "ANN102"),
        (_replace("<ymin>", "<other>0</other><ymin>none"), "ANN102"),
        (_replace("<xmin>", "<xmin>-5"), "ANN103"),
        (_replace("<width>128", "<width>96"), "ANN104"),
        (_replace("<name>digit", "<name></name><!--"), "FIL101"),
        (lambda text: text[: len(text) // 2], "FIL101"),
        (lambda text: "", "FIL101"),
        (lambda text: "{}", "FIL101"),
        (lambda text: "<html></html>", "FIL101"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, change: Callable[[str], str], code: str) -> None:
    root = lay(tmp_path)
    path = notes_of(root)[3]
    path.write_text(change(path.read_text().replace("<object>", "\n<object>")))
    told = findings(root, *ANN)
    assert {finding.code for finding in told} == {code}
    sample = told[0].affected.samples[0]
    if code == "FIL101":
        assert sample.id == path.as_posix()
    else:
        assert sample.id.endswith(f"JPEGImages/{path.stem}.jpg")
    if code in {"ANN102", "ANN103"}:
        lines = path.read_text().splitlines()
        where, _, _ = str(sample.detail["object"]).partition(" ")
        place, _, line = where.rpartition(":")
        assert place == path.as_posix()
        assert lines[int(line) - 1].startswith("<object>")


def test_width_and_height_exchanged(tmp_path: Path) -> None:
    root = lay(tmp_path)
    for path in (root / "Annotations").iterdir():
        text = path.read_text()
        path.write_text(text.replace("<width>128", "<width>96").replace("<height>96", "<height>128"))
    told = findings(root, *ANN)
    assert [(f.code, f.severity) for f in told] == [("ANN104", "error")] * 2
    assert all("exchanged" in f.message for f in told)


def test_parts_of_an_object_are_no_objects_and_turned_boxes_are(tmp_path: Path) -> None:
    root = lay(tmp_path)
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>0</xmax><ymax>1</ymax></bndbox></part>"
    path = notes_of(root)[0]
    path.write_text(path.read_text().replace("</object>", part + "</object>"))
    assert objects(root) == truth()
    turned = "<robndbox><cx>50</cx><cy>40</cy><w>20</w><h>10</h><angle>1.5707963</angle></robndbox>"
    box = f"<object><type>robndbox</type><name>digit 3</name>{turned}</object></annotation>"
    path.write_text(path.read_text().replace("</annotation>", box))
    assert (path.with_suffix(".jpg").name, "digit 3", [45.0, 30.0, 55.0, 50.0]) in objects(root)["train"]
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((60, 10), (80, 15), (70, 40)))
    outline = f"<object><name>digit 4</name><polygon>{points}</polygon></object></annotation>"
    path.write_text(path.read_text().replace("</annotation>", outline))
    assert (path.with_suffix(".jpg").name, "digit 4", [60.0, 10.0, 80.0, 40.0]) in objects(root)["train"]
    assert not findings(root, *ANN)


def test_what_is_missing(tmp_path: Path) -> None:
    root = lay(tmp_path)
    paths = notes_of(root)
    for path in paths[:20]:
        path.unlink()
    (root / "JPEGImages" / paths[30].with_suffix(".jpg").name).unlink()
    told = {(f.severity, f.message.split(":")[0]) for f in findings(root, "ANN101")}
    assert told == {
        ("warning", "20 of 74 pictures have no file of annotations"),
        ("error", "1 of 75 listed pictures is not there"),
        ("warning", "1 file of annotations whose picture is not there"),
    }


def test_pictures_on_no_list_are_left_out(tmp_path: Path) -> None:
    root = lay(tmp_path)
    (root / "ImageSets/Main/val.txt").unlink()
    (dataset,) = datalint.detect(root)
    assert [split.name for split in dataset.splits] == ["train"]
    report = datalint.scan(root, select=["ANN"], preset="fast", config=False, cache=False)
    (found,) = [f for f in report.findings if "nothing lists" in f.message]
    assert (found.severity, found.affected.count) == ("info", 25)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><annotation><filename>&i;</filename></annotation>"
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'


@pytest.mark.parametrize(
    "text",
    [BOMB, OUTSIDE, "<annotation>" * 100_000, "<annotation><object><name>" + "x" * 1_000_000 + "</name></object></annotation>"],
    ids=["bomb", "outside", "deep", "long"],
)  # fmt: skip
def test_hostile_xml_is_a_finding(tmp_path: Path, text: str) -> None:
    root = lay(tmp_path)
    path = notes_of(root)[0]
    path.write_text(text)
    start = time.process_time()
    report = datalint.scan(root, select=list(ANN), preset="fast", config=False, cache=False)
    assert time.process_time() - start < 10
    (found,) = [f for f in report.findings if f.severity != "info"]
    assert found.code in {"FIL101", "ANN102"}
    assert "root:" not in report.model_dump_json()


def test_a_set_is_silent_under_all_rules(tmp_path: Path) -> None:
    assert [f.code for f in findings(lay(tmp_path))] == []


def test_other_xml_beside_pictures_is_left_alone(tmp_path: Path) -> None:
    root = pictures(tmp_path, {"train": "photos", "validation": "photos"})
    for path in list((root / "photos").iterdir()):
        path.with_suffix(".xml").write_text("<metadata><title>a photo</title></metadata>")
    assert datalint.detect(root)[0].layout == "a folder of images"
