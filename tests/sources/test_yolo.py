"""YOLO sets as trainers and export tools lay them out: where pictures and boxes are, and what is wrong with the files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

import datalint
from tests.annotated import CLASSES, NUMBERS, SPLITS, boxes_of, findings, objects, pictures, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ANN = ("ANN", "FIL101")


def lay(
    root: Path, images: str = "images/{}", labels: str = "labels/{}", card: Mapping[str, object] | None = None
) -> Path:
    """The photos with boxes as globox writes them; places are those of ``{}``, the split."""
    pictures(root, {split: images.format(split) for split in SPLITS})
    for split in SPLITS:
        folder = root / labels.format(split)
        folder.mkdir(parents=True, exist_ok=True)
        boxes_of(split).save_yolo_v5(folder, label_to_id=NUMBERS)
    if card is not None:
        (root / "data.yaml").write_text(yaml.safe_dump({"names": CLASSES, "nc": 10, **card}))
    return root


def labels_of(root: Path, split: str = "train") -> list[Path]:
    """The files of boxes that hold some."""
    return [path for path in sorted((root / "labels" / split).iterdir()) if path.stat().st_size]


USUAL = {"train": "images/train", "val": "images/validation"}


@pytest.mark.parametrize(
    ("images", "labels", "card"),
    [
        ("images/{}", "labels/{}", {"path": ".", **USUAL}),
        ("images/{}", "labels/{}", {"names": dict(enumerate(CLASSES)), **USUAL}),
        ("{}/images", "{}/labels", {"train": "../train/images", "val": "../validation/images", "test": "../test/images"}),
        ("images/{}", "labels/{}", {"path": "/home/ann/sets/digits", **USUAL}),
        ("images/{}", "labels/{}", {"train": "C:\\digits\\images\\train", "val": "C:\\digits\\images\\validation"}),
        ("images/{}", "labels/{}", {"train": "/content/images/train", "val": ["/content/images/validation"]}),
        ("set/images/{}", "set/labels/{}", {"path": "../datasets/set", **USUAL}),
    ],
)  # fmt: skip
def test_a_description_is_followed(tmp_path: Path, images: str, labels: str, card: Mapping[str, object]) -> None:
    root = lay(tmp_path, images, labels, card)
    (dataset,) = datalint.detect(root)
    assert (dataset.layout, dataset.task) == ("YOLO", "detection")
    assert [split.name for split in dataset.splits] == ["train", "validation"]
    told = "by the end of" in dataset.splits[0].evidence
    assert told == any(str(card[key]).startswith(("/", "..", "C:")) for key in ("path", "train") if key in card)
    assert objects(root) == truth()
    assert not findings(root, *ANN)


@pytest.mark.parametrize(
    ("images", "labels", "splits"),
    [
        ("images/{}", "labels/{}", True),
        ("{}/images", "{}/labels", True),
        ("data/{}/images", "data/{}/labels", True),
        ("{}", "labels/{}", True),
        ("images", "labels", False),
        ("photos", "photos", False),
        ("images", "annotations", False),
    ],
)
def test_pictures_and_boxes_find_each_other_without_a_description(
    tmp_path: Path, images: str, labels: str, splits: bool
) -> None:
    root = lay(tmp_path, images, labels)
    place = (tmp_path / labels.format("train")) if "{}" in labels else tmp_path / labels
    (place / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    found, known = objects(root), truth()
    assert found == known if splits else found["all"] == sorted([*known["train"], *known["validation"]])
    assert not findings(root, *ANN)


def test_lists_name_the_pictures_of_each_split(tmp_path: Path) -> None:
    root = lay(tmp_path, "images", "labels")
    for split in SPLITS:
        names = [annotation.image_id for annotation in boxes_of(split)]
        (root / f"{split}.txt").write_text("".join(f"./images/{name}\n" for name in names))
    (root / "data.yaml").write_text(yaml.safe_dump({"names": CLASSES, "train": "train.txt", "val": "validation.txt"}))
    assert objects(root) == truth()
    assert not findings(root, *ANN)
    with (root / "train.txt").open("a") as file:
        file.write("/data/images/lost.jpg\n")
    (lost,) = findings(root, *ANN)
    assert (lost.code, lost.severity, lost.split) == ("ANN101", "error", "train")
    assert lost.affected.samples[0].id.endswith("images/lost.jpg")


def test_darknet(tmp_path: Path) -> None:
    root = lay(tmp_path, "obj_train_data", "obj_train_data")
    (root / "obj.names").write_text("\n".join(CLASSES))
    (root / "obj.data").write_text(
        "classes = 10\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\n"
    )
    for split, name in zip(SPLITS, ("train.txt", "valid.txt"), strict=True):
        listed = [f"data/obj_train_data/{annotation.image_id}" for annotation in boxes_of(split)]
        (root / name).write_text("\n".join(listed))
    assert objects(root) == truth()
    assert not findings(root, *ANN)


def test_outlines_are_boxes_around_them(tmp_path: Path) -> None:
    root = lay(tmp_path, card=USUAL)
    for split in SPLITS:
        for path in labels_of(root, split):
            lines = []
            for line in path.read_text().splitlines():
                number, x, y, w, h = line.split()[:5]
                left, top, right, bottom = (
                    float(x) - float(w) / 2, float(y) - float(h) / 2, float(x) + float(w) / 2, float(y) + float(h) / 2,
                )  # fmt: skip
                middle = (top + bottom) / 2
                points = [left, middle, (left + right) / 2, top, right, middle, (left + right) / 2, bottom]
                lines.append(" ".join([number, *(f"{value:.6f}" for value in points)]))
            lines.append("3 0.1 0.1 0.4 0.1 0.1 0.4")
            path.write_text("\n".join(lines))
    found = objects(root)
    first = [item for item in found["train"] if item[2] != [12.8, 9.6, 51.2, 38.4]]
    assert first == truth()["train"]
    assert not findings(root, *ANN)


@pytest.mark.parametrize(("outlined", "severity"), [(0.8, "error"), (0.2, "warning"), (1, None)])
def test_boxes_among_outlines(tmp_path: Path, outlined: float, severity: str | None) -> None:
    """Of a set that holds both Ultralytics leaves out the outlines."""
    root = lay(tmp_path, card=USUAL)
    files = labels_of(root)
    for path in files[: round(outlined * len(files))]:
        lines = [line.split()[:5] for line in path.read_text().splitlines()]
        corners = [((-1, -1), (1, -1), (1, 1), (-1, 1))] * len(lines)
        path.write_text(
            "\n".join(
                " ".join(
                    [n, *(f"{float(x) + float(w) * a / 2:.6f} {float(y) + float(h) * b / 2:.6f}" for a, b in around)]
                )
                for (n, x, y, w, h), around in zip(lines, corners, strict=True)
            )
        )
    told = [(f.code, f.severity, f.split) for f in findings(root, *ANN)]
    assert told == ([("ANN106", severity, "train")] if severity else [])


@pytest.mark.parametrize(("names", "count"), [(CLASSES, 0), ([*CLASSES[1:], CLASSES[0]], 1), (["dog", *CLASSES], 0)])
def test_lists_of_classes_above_the_boxes(tmp_path: Path, names: list[str], count: int) -> None:
    """As labelers leave them: only the same classes in another order say that one of the lists is wrong."""
    root = lay(tmp_path, card=USUAL)
    (root / "labels" / "classes.txt").write_text("\n".join(names))
    assert [f.code for f in findings(root, *ANN)] == ["ANN105"] * count


def test_poses_have_more_numbers(tmp_path: Path) -> None:
    root = lay(tmp_path, card={**USUAL, "kpt_shape": [2, 3]})
    for split in SPLITS:
        for path in labels_of(root, split):
            path.write_text("".join(f"{line} .5 .5 2 .6 .6 1\n" for line in path.read_text().splitlines()))
    assert objects(root) == truth()
    assert not findings(root, *ANN)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("3 0.5 0.5 0.2", "ANN102"),
        ("3 0.5 0.5 0.2 0.2 0.9", "ANN102"),
        ("3 0.5 0.5 0.2 0.2 0.2 0.2", "ANN102"),
        ("3 0.5 nan 0.2 0.2", "ANN102"),
        ("3 inf 0.5 0.2 0.2", "ANN102"),
        ("3 0.5 0.5 0 0.2", "ANN102"),
        ("3 0.5 0.5 -0.2 0.2", "ANN102"),
        ("3 0.5 half 0.2 0.2", "ANN102"),
        ("digit 0.5 0.5 0.2", "ANN102"),
        ("3", "ANN102"),
        ("10 0.5 0.5 0.2 0.2", "ANN105"),
        ("-1 0.5 0.5 0.2 0.2", "ANN105"),
        ("1.5 0.5 0.5 0.2 0.2", "ANN105"),
        ("digit 0.5 0.5 0.2 0.2", "ANN105"),
        ("3 0.95 0.5 0.2 0.2", "ANN103"),
        ("3 320 240 64 48", "ANN103"),
    ],
)
def test_a_wrong_line_is_a_finding_with_file_and_line(tmp_path: Path, line: str, code: str) -> None:
    root = lay(tmp_path, card=USUAL)
    path = labels_of(root)[3]
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "", line]))
    (found,) = findings(root, *ANN)
    assert (found.code, found.split) == (code, "train")
    (sample,) = found.affected.samples
    assert sample.id.endswith(f"images/train/{path.stem}.jpg")
    assert str(sample.detail["object"]).startswith(f"{path.as_posix()}:{len(lines) + 2} ")


def test_other_numbers_than_shares_are_an_error(tmp_path: Path) -> None:
    root = lay(tmp_path, card=USUAL)
    size = (128, 96, 128, 96)
    for path in labels_of(root):
        lines = [line.split() for line in path.read_text().splitlines()]
        pixels = [[k, *(f"{float(x) * side:.1f}" for x, side in zip(box, size, strict=True))] for k, *box in lines]
        path.write_text("".join(" ".join(words) + "\n" for words in pixels))
    (found,) = findings(root, *ANN)
    assert (found.code, found.severity, found.split) == ("ANN106", "error", "train")
    assert found.message.endswith(
        "as centre, width and height in shares of the picture, and 100% as centre, width and height in pixels"
    )


def _forget(share: float) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        paths = sorted((root / "labels/train").iterdir())
        for path in paths[: round(share * len(paths))]:
            path.unlink()

    return change


@pytest.mark.parametrize(
    ("change", "severity", "words"),
    [
        (_forget(0.05), "", ""),
        (_forget(0.25), "warning", "19 of 75 pictures have no file of annotations"),
        (_forget(0.6), "error", "45 of 75 pictures"),
        (_forget(1), "error", "75 of 75 pictures"),
        (lambda root: (root / "labels/train/other.txt").write_text("1 .5 .5 .2 .2\n"), "warning", "whose picture is not"),
        (lambda root: [path.write_text("") for path in labels_of(root)], "error", "75 of 75 pictures have no object"),
        (lambda root: shutil.rmtree(root / "images/validation"), "error", "'images/validation' as the place of validation"),
        (lambda root: (root / "classes.txt").write_text("a\nb"), "error", "two lists of classes disagree: class 0 is 'a'"),
    ],
)  # fmt: skip
def test_what_is_missing(tmp_path: Path, change: Callable[[Path], object], severity: str, words: str) -> None:
    root = lay(tmp_path, card=USUAL)
    change(root)
    told = [(f.severity, f.message) for f in findings(root, *ANN)]
    if severity:
        ((found, message),) = told
        assert found == severity
        assert words in message
    else:
        assert not told


def test_names_and_their_number_must_agree(tmp_path: Path) -> None:
    (found,) = findings(lay(tmp_path, card={**USUAL, "nc": 9}), *ANN)
    assert (found.code, found.severity) == ("ANN105", "error")
    assert "declares 9 classes and names 10" in found.message


def test_a_test_split_without_boxes_is_no_fault(tmp_path: Path) -> None:
    root = lay(tmp_path, card={**USUAL, "test": "images/test"})
    shutil.copytree(root / "images/validation", root / "images/test")
    assert not findings(root, *ANN)
    assert [split.name for split in datalint.detect(root)[0].splits] == ["train", "validation", "test"]


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", b"\0" * 500, b"1 " * 100_000, b"1 .5 .5 .2 .2\n" * 20_000, "\uff11 .5 .5 .2 .2".encode(), b"1e400 1 1 1 1"],
)  # fmt: skip
def test_hostile_files_of_boxes_end_no_scan(tmp_path: Path, content: bytes) -> None:
    root = lay(tmp_path, card=USUAL)
    labels_of(root)[0].write_bytes(content)
    report = datalint.scan(root, select=["ANN", "FIL101"], preset="fast", config=False, cache=False)
    assert "failed" not in {status.status for status in report.datasets[0].rules}


@pytest.mark.parametrize(
    "text",
    [
        "names: [a\n", "[" * 100_000, "names: &a [x]\ntrain: *a\n", "names: 3\ntrain: 7\n", "- names\n", "names: {x: y}\ntrain: {a: b}",
        "names: [a]\ntrain: ../../../../../../etc\nval: /etc/passwd\n", "a: !!python/object/apply:os.system ['touch executed']\nnames: [x]\n",
    ],
)  # fmt: skip
def test_hostile_descriptions_end_no_scan(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = lay(tmp_path / "data")
    (root / "data.yaml").write_text(text)
    assert objects(root).keys() == {"train", "validation"}
    assert not (tmp_path / "executed").exists()


def test_captions_beside_pictures_are_no_boxes(tmp_path: Path) -> None:
    root = pictures(tmp_path, {"train": "photos", "validation": "photos"})
    for path in list((root / "photos").iterdir()):
        path.with_suffix(".txt").write_text("a photo of 3 digits, in colour")
    assert "a folder of images" in {dataset.layout for dataset in datalint.detect(root)}
    assert all(dataset.annotations is None for dataset in datalint.detect(root))


def test_changed_boxes_are_read_again(tmp_path: Path) -> None:
    root, cache = lay(tmp_path / "data", card=USUAL), tmp_path / "cache"
    assert not datalint.scan(root, select=["ANN103"], config=False, cache_dir=cache).findings
    labels_of(root)[0].write_text("1 0.99 0.5 0.2 0.2")
    assert len(datalint.scan(root, select=["ANN103"], config=False, cache_dir=cache).findings) == 1


def test_a_set_of_its_own_is_silent_under_all_rules(tmp_path: Path) -> None:
    assert [f.code for f in findings(lay(tmp_path, card=USUAL))] == []
