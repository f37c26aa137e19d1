"""COCO JSON as it lies in the wild: where the pictures are, what is read, and what is wrong with the file."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import datalint
from datalint.sources.annotations import json_items
from datalint.sources.annotations.json_items import BrokenJson
from tests.reference import named, picture

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)


def document(names: list[str], **changes: Any) -> dict[str, Any]:
    """Pictures of 40 x 30 with one good box each, of two classes."""
    return {
        "info": {"year": 2024},
        "images": [{"id": k, "file_name": name, "width": 40, "height": 30} for k, name in enumerate(names)],
        "annotations": [
            {"id": k + 1, "image_id": k, "category_id": 1 + k % 2, "bbox": [k, 2, 10, 8], "iscrowd": 0}
            for k in range(len(names))
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        **changes,
    }


def lay(root: Path, files: dict[str, Any]) -> Path:
    """Pictures (numbers, which make them differ) and documents."""
    for place, content in files.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, int):
            path.write_bytes(picture((PIXELS + content).astype(np.uint8)))
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def findings(root: Path, *codes: str) -> list[tuple[str, str, str | None]]:
    report = datalint.scan(root, select=list(codes), config=False, cache=False)
    return [(f.code, f.severity, f.split) for f in report.findings]


NAMES = [f"{k}.png" for k in range(6)]


@pytest.mark.parametrize(
    ("pictures", "annotations", "listed"),
    [
        ("train2017/{}", "annotations/instances_train2017.json", "{}"),
        ("train/{}", "train/_annotations.coco.json", "{}"),
        ("images/{}", "annotations/instances_default.json", "{}"),
        ("images/{}", "result.json", "images/{}"),
        ("images/train/{}", "annotations/train.json", "images/train/{}"),
        ("data/{}", "labels.json", "{}"),
        ("images/{}", "result.json", "/home/someone/sets/{}"),
        ("images/{}", "result.json", "..\\..\\upload\\{}"),
        ("{}", "coco.json", "./{}"),
    ],
)
def test_pictures_are_found_where_tools_put_them(tmp_path: Path, pictures: str, annotations: str, listed: str) -> None:
    files: dict[str, Any] = {pictures.format(name): k for k, name in enumerate(NAMES)}
    lay(tmp_path, {**files, annotations: document([listed.format(name) for name in NAMES])})
    (dataset,) = datalint.detect(tmp_path)
    assert dataset.layout == "COCO"
    assert dataset.annotations is not None
    assert not dataset.annotations.gaps
    assert [split.name for split in dataset.splits] == ["train" if "train" in annotations else "all"]
    batches = [b for p in dataset.partitions for b in p.batches(frozenset({"annotations"}))]
    assert sum(batch.size for batch in batches) == 6
    objects = batches[0].objects
    assert objects is not None
    assert objects.boxes[3].tolist() == [3, 2, 13, 10]
    assert [objects.classes[code] for code in objects.codes] == ["cat", "dog"] * 3
    assert not datalint.scan(tmp_path, select=["ANN"], config=False, cache=False).findings


def test_names_are_those_of_their_own_split(tmp_path: Path) -> None:
    files: dict[str, Any] = {
        f"{split}2017/{name}": 10 * n + k for n, split in enumerate(("train", "val")) for k, name in enumerate(NAMES)
    }
    del files["train2017/2.png"]
    lists = {f"annotations/instances_{split}2017.json": document(NAMES) for split in ("train", "val")}
    (dataset,) = datalint.detect(lay(tmp_path, {**files, **lists}))
    assert dataset.annotations is not None
    (gap,) = dataset.annotations.gaps
    assert (gap.kind, gap.split) == ("absent", "train")
    assert gap.path.endswith("train2017/2.png")
    assert findings(tmp_path, "ANN101") == [("ANN101", "error", "train")]


def test_several_views_of_the_same_pictures_are_read_once(tmp_path: Path) -> None:
    outlined = document(NAMES)
    files: dict[str, Any] = {f"val2017/{name}": k for k, name in enumerate(NAMES)}
    files |= {
        "annotations/instances_val2017.json": document(NAMES),
        "annotations/person_keypoints_val2017.json": outlined,
    }
    (dataset,) = datalint.detect(lay(tmp_path, files))
    (problem,) = dataset.problems
    assert problem.kind == "not-scanned"
    assert problem.path.endswith("person_keypoints_val2017.json")
    assert sum(p.weight > 0 for p in dataset.partitions) == 1


def test_captions_are_texts_next_to_the_pictures(tmp_path: Path) -> None:
    said = [
        f"A {what} {does} near the {place} in the {when}."
        for what in ("cat", "dog", "man", "girl")
        for does in ("sleeps", "eats", "waits")
        for place in ("door", "tree", "lake")
        for when in ("sun", "rain")
    ]
    captions = document(
        NAMES, annotations=[{"id": k, "image_id": k % 6, "caption": text} for k, text in enumerate(said)]
    )
    files: dict[str, Any] = {f"val2017/{name}": k for k, name in enumerate(NAMES)}
    files |= {"annotations/instances_val2017.json": document(NAMES), "annotations/captions_val2017.json": captions}
    boxes, texts = datalint.detect(lay(tmp_path, files))
    assert boxes.task == "detection"
    assert [field.name for field in texts.fields if field.role == "text"] == ["caption"]


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = json.dumps(document(NAMES))
    files: dict[str, Any] = {name: k for k, name in enumerate(NAMES)}
    lay(tmp_path, {**files, "coco.json": whole[: whole.index('"id": 5, "image_id"')]})
    report = datalint.scan(tmp_path, select=["FIL101", "ANN"], config=False, cache=False)
    (broken,) = [f for f in report.findings if f.code == "FIL101"]
    assert broken.severity == "error"
    assert broken.message.endswith("coco.json: read in part: the file breaks off")
    assert report.datasets[0].evidence.startswith("6 pictures and 4 objects")


WRONG: list[Any] = [
    None, 7, "box", [1, 2, 3], [1, 2, 3, 4, 5], ["1", "2", "3", "4"], [[1], 2, 3, 4], {"x": 1}, [1, 2, float("nan"), 4],
    [10**400, 1, 1, 1], [1, 1, float("inf"), 4],
]  # fmt: skip


@pytest.mark.parametrize("box", WRONG[1:], ids=str)
def test_boxes_of_no_numbers_are_findings(tmp_path: Path, box: Any) -> None:
    content = document(NAMES)
    content["annotations"][2]["bbox"] = box
    lay(tmp_path, {**{name: k for k, name in enumerate(NAMES)}, "coco.json": content})
    (found,) = datalint.scan(tmp_path, select=["ANN102", "ANN103"], config=False, cache=False).findings
    assert found.code == "ANN102"
    assert [sample.id.rpartition("/")[2] for sample in found.affected.samples] == ["2.png"]


@pytest.mark.parametrize("value", [None, "x", -5, 1.5, [1], {"a": 1}, 10**30, True], ids=str)
@pytest.mark.parametrize(
    "place",
    [
        "images.id",
        "images.width",
        "annotations.id",
        "annotations.image_id",
        "annotations.category_id",
        "categories.id",
        "categories.name",
        "images.file_name",
    ],
)
def test_no_value_of_any_kind_breaks_a_scan(tmp_path: Path, place: str, value: Any) -> None:
    content = document(NAMES)
    section, key = place.split(".")
    content[section][1][key] = value
    lay(tmp_path, {**{name: k for k, name in enumerate(NAMES)}, "coco.json": content})
    report = datalint.scan(tmp_path, select=["ANN"], config=False, cache=False)
    assert "failed" not in {status.status for status in report.datasets[0].rules}


def test_other_json_is_left_alone(tmp_path: Path) -> None:
    files: dict[str, Any] = {f"{kind}/{k}.png": k for k, kind in enumerate(["cat", "dog"] * 4)}
    files |= {
        "a.json": "{}",
        "b.json": '{"images": [1, 2], "annotations": [',
        "c.json": "[[[",
        "d.json": '{"images": "x"}',
    }
    (dataset,) = datalint.detect(lay(tmp_path, files))
    assert dataset.layout == "image class folders"


def test_changed_annotations_are_read_again(tmp_path: Path) -> None:
    files: dict[str, Any] = {name: k for k, name in enumerate(NAMES)}
    data, cache = tmp_path / "data", tmp_path / "cache"
    lay(data, {**files, "coco.json": document(NAMES)})
    assert not datalint.scan(data, select=["ANN103"], config=False, cache_dir=cache).findings
    content = document(NAMES)
    content["annotations"][0]["bbox"] = [35, 2, 10, 8]
    lay(data, {"coco.json": content})
    assert len(datalint.scan(data, select=["ANN103"], config=False, cache_dir=cache).findings) == 1


def test_reports_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    root = named("digits in photos").write(tmp_path)
    one, two = (datalint.scan(root, select=["ANN"], config=False, cache=False, jobs=jobs) for jobs in (1, 2))
    assert one.datasets == two.datasets


# --- JSON item by item ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [*range(1, 40), 1 << 20])
def test_items_do_not_depend_on_how_much_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(json_items, "PIECE", piece)
    content: dict[str, Any] = {
        "a": [1, 23, -4.5e6, 'ü"]', {"b": [[], {}]}, None],
        "c": {"d": "}"},
        "e": 12345,
        "f": [1e-07, 1e30, -0.5, True],
    }
    for indent in (None, 1):
        found = [*json_items.json_items(io.StringIO(json.dumps(content, indent=indent)))]
        assert found == [
            *(("a", item) for item in content["a"]),
            ("c", content["c"]),
            ("e", 12345),
            *(("f", item) for item in content["f"]),
        ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "breaks off"),
        ('{"a": [1, 2', "breaks off"),
        ('{"a": ["b', "breaks off"),
        ("[1]", "no '{'"),
        ('{"a": [1 2]}', "no ','"),
        ('{"a": [1,]}', "a comma"),
        ('{"a": [x]}', "Expecting value at character 7"),
        ('{1: 2}', "without a name"),
        ('{"a": ' + "[" * 200_000, "too deeply"),
        ('{"a": ' + "1" * 5_000 + "}", "no number"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_said(text: str, why: str) -> None:
    with pytest.raises(BrokenJson, match=why):
        for _ in json_items.json_items(io.StringIO(text)):
            pass


def test_an_item_without_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_items, "LONGEST", 1000)
    monkeypatch.setattr(json_items, "PIECE", 100)
    text = io.StringIO('{"a": ["' + "x" * 100_000)
    with pytest.raises(BrokenJson, match="no end of the value"):
        next(json_items.json_items(text))
    assert text.tell() < 5_000
