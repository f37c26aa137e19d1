"""Data as people lay it out: real data, written the way that downloads and competitions have it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets

import datalint
from datalint.sources.recognise import Wishes, recognise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datalint.core.dataset import Aspect, Dataset

ALL: frozenset[Aspect] = frozenset({"labels", "table", "header"})


def tumours() -> pd.DataFrame:
    table: pd.DataFrame = datasets.load_breast_cancer(as_frame=True).frame
    return table.rename(columns={"target": "diagnosis"}).sample(frac=1, random_state=1, ignore_index=True)


INPUTS = [name for name in tumours() if name != "diagnosis"]
SPLITS = {"train": slice(0, 400), "test": slice(400, None)}
DIGITS = datasets.load_digits()


def csv(table: pd.DataFrame | pd.Series[Any], path: Path, **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, **({"index": False} | how))


def digit(k: int, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((DIGITS.images[k] * 15).astype(np.uint8)).resize((16, 16)).save(path)
    return str(DIGITS.target[k])


def only(path: Path, **wishes: Any) -> Dataset:
    (dataset,) = recognise(path, Wishes(**wishes)).datasets
    return dataset


def read(dataset: Dataset) -> dict[str, list[tuple[float, str]]]:
    """By split, the first number of each row and its label."""
    found: dict[str, list[tuple[float, str]]] = {}
    for partition in dataset.partitions:
        for batch in partition.batches(ALL):
            for k in range(batch.size):
                labels = batch.labels
                code = -1 if labels is None or labels.codes is None else labels.codes[k]
                number = float(batch.table.numbers[k, 0]) if batch.table is not None else np.nan
                label = labels.classes[code] if labels is not None and code >= 0 else ""
                found.setdefault(batch.split, []).append((number, label))
    return found


def labels(dataset: Dataset) -> dict[str, dict[str, str]]:
    """By split, the label of each file by its name."""
    found: dict[str, dict[str, str]] = {}
    for partition in dataset.partitions:
        for batch in partition.batches(frozenset({"labels"})):
            for k in range(batch.size):
                block = batch.labels
                code = -1 if block is None or block.codes is None else block.codes[k]
                name = partition.sample_id(batch.start + k).rsplit("/", 1)[-1]
                found.setdefault(batch.split, {})[name] = block.classes[code] if block and code >= 0 else ""
    return found


def expected(rows: slice) -> list[tuple[float, str]]:
    part = tumours()[rows]
    return [(float(x), str(y)) for x, y in zip(part[INPUTS[0]], part["diagnosis"], strict=True)]


# --- inputs and labels in two files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "targets", "how"),
    [
        ("X_{}.csv", "y_{}.csv", {}),
        ("{}_features.csv", "{}_labels.csv", {}),
        ("{}/X.csv", "{}/y.csv", {}),
        ("x_{}.txt", "y_{}.txt", {"header": False, "sep": " "}),
        ("breast_{}_X.csv", "breast_{}_y.csv", {"index": True}),
        ("X_{}.csv.gz", "y_{}.csv", {}),
    ],
)
def test_labels_in_a_file_of_their_own(tmp_path: Path, inputs: str, targets: str, how: dict[str, Any]) -> None:
    for split, rows in SPLITS.items():
        csv(tumours()[rows][INPUTS], tmp_path / inputs.format(split), **how)
        csv(tumours()[rows][["diagnosis"]], tmp_path / targets.format(split), **how)
    dataset = only(tmp_path)
    found = read(dataset)
    if how.get("index"):  # the saved row index is the first number
        found = {
            s: [(x, label) for (_, label), (x, _) in zip(v, expected(SPLITS[s]), strict=True)] for s, v in found.items()
        }
    assert found == {split: expected(rows) for split, rows in SPLITS.items()}
    assert dataset.label is not None
    assert dataset.label.confidence == "high"


def test_labels_that_pandas_wrote_as_a_series(tmp_path: Path) -> None:
    table = tumours()
    csv(pd.DataFrame(table[INPUTS].to_numpy()), tmp_path / "X_train.csv")
    csv(pd.Series(table["diagnosis"].to_numpy()), tmp_path / "y_train.csv")
    assert read(only(tmp_path)) == {"train": expected(slice(None))}


def test_labels_without_a_header_begin_with_a_label(tmp_path: Path) -> None:
    table = tumours()
    names = table["diagnosis"].map({0: "malignant", 1: "benign"})
    csv(table[INPUTS], tmp_path / "X.csv", header=False)
    csv(names, tmp_path / "y.csv", header=False)
    assert [label for _, label in read(only(tmp_path))["all"]] == list(names)


def test_a_test_split_without_labels(tmp_path: Path) -> None:
    for split, rows in SPLITS.items():
        csv(tumours()[rows][INPUTS], tmp_path / f"X_{split}.csv")
    csv(tumours()[SPLITS["train"]][["diagnosis"]], tmp_path / "y_train.csv")
    found = read(only(tmp_path))
    assert found["train"] == expected(SPLITS["train"])
    assert {label for _, label in found["test"]} == {""}


def test_labels_are_joined_in_step_across_blocks(tmp_path: Path) -> None:
    # More rows than the reader takes at a time: 60,000 rows of 30 columns are three of its blocks.
    table = pd.concat([tumours()] * 110, ignore_index=True)
    table.insert(0, "number", np.arange(len(table)) % 977 / 7)
    csv(table[["number", *INPUTS]], tmp_path / "X_train.csv")
    csv((table["number"] * 7).round().astype(int).to_frame("label") % 5, tmp_path / "y_train.csv")
    found = read(only(tmp_path))["train"]
    assert len(found) == len(table)
    assert all(str(round(number * 7) % 5) == label for number, label in found)


def test_labels_of_another_number_of_rows_are_one_finding(tmp_path: Path) -> None:
    for split, rows in SPLITS.items():
        csv(tumours()[rows][INPUTS], tmp_path / f"X_{split}.csv")
        csv(tumours()[rows][["diagnosis"]][3 if split == "train" else 0 :], tmp_path / f"y_{split}.csv")
    report = datalint.scan(tmp_path)
    (dataset,) = report.datasets
    (finding,) = [f for f in dataset.findings if f.severity != "info"]
    assert finding.code == "FIL101"
    assert "y_train.csv: 397 rows for the 400 of" in finding.message
    assert "X_train.csv" in finding.message


def test_a_list_of_features_is_no_file_of_inputs(tmp_path: Path) -> None:
    csv(pd.DataFrame({"name": INPUTS, "unit": ["mm", "cm"] * 15}), tmp_path / "features.csv")
    csv(tumours()[["diagnosis"]], tmp_path / "labels.csv")
    assert len(recognise(tmp_path, Wishes()).datasets) == 2


def test_keys_in_another_order_are_not_joined_by_position(tmp_path: Path) -> None:
    table = tumours().assign(id=np.arange(569)[::-1] + 3)
    csv(table[["id", *INPUTS]], tmp_path / "train_values.csv")
    csv(table[["id", "diagnosis"]], tmp_path / "train_labels.csv")
    assert read(only(tmp_path))["train"][0][1] == str(table["diagnosis"][0])
    csv(table[["id", "diagnosis"]].sample(frac=1, random_state=2), tmp_path / "train_labels.csv")
    assert len(recognise(tmp_path, Wishes()).datasets) == 2


def test_the_label_that_is_asked_for_may_lie_in_either_file(tmp_path: Path) -> None:
    csv(tumours()[INPUTS], tmp_path / "X.csv")
    csv(tumours()[["diagnosis"]].assign(stage=lambda t: 2 - t["diagnosis"]), tmp_path / "y.csv")
    asked = only(tmp_path, label="stage")
    assert {label for _, label in read(asked)["all"]} == {"1", "2"}
    by_name = {dataset.name: dataset for dataset in recognise(tmp_path, Wishes(label="mean radius")).datasets}
    assert {name for name, d in by_name.items() if d.label and d.label.name == "mean radius"} == {"X"}


def test_activity_recognition_as_the_uci_repository_has_it(tmp_path: Path) -> None:
    top = tmp_path / "UCI HAR Dataset"
    (top / "train" / "Inertial Signals").mkdir(parents=True)
    (top / "test" / "Inertial Signals").mkdir(parents=True)
    (top / "README.txt").write_text("Human activity\n==============\nThe text goes on, and says how, when and why.\n")
    (top / "features.txt").write_text("".join(f"{k + 1} tBodyAcc-mean()-{k}\n" for k in range(64)))
    (top / "activity_labels.txt").write_text("".join(f"{k} DIGIT{k}\n" for k in range(1, 11)))
    pixels = DIGITS.images.reshape(-1, 64) / 8 - 1
    subjects = np.repeat(np.arange(30), 60)[:1797]
    for split, rows in {"train": slice(0, 1200), "test": slice(1200, 1797)}.items():
        blocks = {"X": pixels[rows], "Inertial Signals/body_acc_x": pixels[rows, :32].cumsum(axis=1)}
        for name, values in blocks.items():
            text = "".join(" " + " ".join(f"{v: .7e}" for v in row) + "\n" for row in values)
            (top / split / f"{name}_{split}.txt").write_text(text)
        (top / split / f"y_{split}.txt").write_text("".join(f"{v + 1}\n" for v in DIGITS.target[rows]))
        (top / split / f"subject_{split}.txt").write_text("".join(f"{v}\n" for v in subjects[rows]))
    found = {dataset.name: dataset for dataset in recognise(tmp_path, Wishes()).datasets}
    assert set(found) == {"UCI HAR Dataset", "UCI HAR Dataset/Inertial Signals/body_acc_x"}
    table = found["UCI HAR Dataset"]
    assert [label for _, label in read(table)["test"]] == [str(v + 1) for v in DIGITS.target[1200:]]
    assert [f.name for f in table.fields if f.role == "group"] == ["subject"]
    assert sum(f.role == "feature" for f in table.fields) == 64


def test_text_files_beside_tables(tmp_path: Path) -> None:
    csv(tumours(), tmp_path / "tumours.csv")
    csv(datasets.load_wine(as_frame=True).frame, tmp_path / "wine.txt", sep="\t")
    (tmp_path / "classes.txt").write_text("malignant\nbenign\n")
    (tmp_path / "columns.txt").write_text("".join(f"{k} column{k}\n" for k in range(40)))
    (tmp_path / "notes.txt").write_text("These are notes, taken by me.\nThey go on, for a while.\nAnd end, here.\n")
    assert {dataset.name for dataset in recognise(tmp_path, Wishes()).datasets} == {"tumours", "wine"}


# --- pictures that a table lists ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ""])
def test_a_competition_of_pictures(tmp_path: Path, suffix: str) -> None:
    truth = {f"{k:04d}.png": digit(k, tmp_path / "train" / f"{k:04d}.png") for k in range(60)}
    for k in range(60, 90):
        digit(k, tmp_path / "test" / f"{k - 60:04d}.png")  # the same names as in train
    names = [name.removesuffix(".png") + suffix for name in truth]
    csv(pd.DataFrame({"id": names, "label": truth.values()}), tmp_path / "train.csv")
    csv(pd.DataFrame({"id": names[:30]}), tmp_path / "test.csv")
    csv(pd.DataFrame({"id": names[:30], "label": 0}), tmp_path / "sample_submission.csv")
    dataset = only(tmp_path)
    assert labels(dataset) == {"train": truth, "test": {f"{k:04d}.png": "" for k in range(30)}}
    assert dataset.label is not None
    assert "train.csv" in dataset.label.evidence
    assert [p.kind for p in dataset.problems] == ["not-scanned"]


def test_an_image_folder_with_metadata(tmp_path: Path) -> None:
    truth: dict[str, dict[str, str]] = {}
    for split, numbers in {"train": range(50), "validation": range(50, 80)}.items():
        for k in numbers:
            name = f"{k % 50}.png"
            truth.setdefault(split, {})[name] = digit(k, tmp_path / split / name)
        lines = [json.dumps({"file_name": name, "label": int(label)}) for name, label in truth[split].items()]
        (tmp_path / split / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    assert labels(only(tmp_path)) == truth


def test_one_list_for_all_splits(tmp_path: Path) -> None:
    truth = {f"{k:03d}.png": "d" + digit(k, tmp_path / "images" / f"{k:03d}.png") for k in range(90)}
    splits = ["train"] * 60 + ["val"] * 30
    csv(
        pd.DataFrame({"path": [f"images/{n}" for n in truth], "split": splits, "class": truth.values()}),
        tmp_path / "m.csv",
    )
    names = list(truth)
    assert labels(only(tmp_path)) == {
        "train": {name: truth[name] for name in names[:60]},
        "validation": {name: truth[name] for name in names[60:]},
    }


def test_a_list_overrules_folders_that_are_no_classes(tmp_path: Path) -> None:
    rows = []
    for k in range(80):
        label = digit(k, tmp_path / f"images_part_{k // 40}" / f"ISIC_{k:05d}.png")
        rows.append((f"HAM_{k // 2}", f"ISIC_{k:05d}", f"d{label}"))
    csv(pd.DataFrame(rows, columns=["lesion_id", "image_id", "dx"]), tmp_path / "metadata.csv")
    assert labels(only(tmp_path)) == {"all": {f"{name}.png": label for _, name, label in rows}}


def test_a_list_that_tells_of_the_files_themselves_is_no_table_of_its_own(tmp_path: Path) -> None:
    truth = {f"{k}.png": f"d{digit(k, tmp_path / 'images' / f'{k}.png')}" for k in range(60)}
    table = pd.DataFrame(
        {"file_name": list(truth), "width": 8, "Image_Height": 8, "md5": "0f", "label": truth.values()}
    )
    csv(table, tmp_path / "metadata.csv")
    assert labels(only(tmp_path)) == {"all": truth}
    csv(table.assign(age=np.arange(60) % 50, weight=np.arange(60) ** 0.5), tmp_path / "metadata.csv")
    assert len(recognise(tmp_path, Wishes()).datasets) == 1
    inputs = {f"dose {k}": np.arange(60) ** (k / 9) for k in range(8)}
    csv(table.assign(**inputs), tmp_path / "metadata.csv")
    assert len(recognise(tmp_path, Wishes()).datasets) == 2


def test_a_list_that_repeats_the_class_folders_changes_nothing(tmp_path: Path) -> None:
    rows = []
    for k in range(60):
        label = DIGITS.target[k] % 3
        digit(k, tmp_path / "images" / f"d{label}" / f"{k}.png")
        rows.append((f"images/d{label}/{k}.png", label))
    csv(pd.DataFrame(rows, columns=["path", "label"]), tmp_path / "labels.csv")
    dataset = only(tmp_path)
    assert dataset.by_class
    assert dataset.label is not None
    assert dataset.label.name == "class folder"


def test_objects_in_pictures_are_no_labels_of_pictures(tmp_path: Path) -> None:
    for k in range(40):
        digit(k, tmp_path / "images" / f"{k}.png")
    boxes = pd.DataFrame({"image": [f"{k // 3}.png" for k in range(120)], "x": range(120), "class": ["a", "b"] * 60})
    csv(boxes, tmp_path / "boxes.csv")
    found = {dataset.modality: dataset for dataset in recognise(tmp_path, Wishes()).datasets}
    assert found["images"].label is None
    assert found["table"].label is not None


def test_pictures_that_the_list_forgets_are_told(tmp_path: Path) -> None:
    truth = {f"{k}.png": digit(k, tmp_path / "images" / f"{k}.png") for k in range(40)}
    listed = dict(list(truth.items())[:38])
    csv(pd.DataFrame(list(listed.items()), columns=["file", "label"]), tmp_path / "labels.csv")
    dataset = only(tmp_path)
    assert labels(dataset) == {"all": listed}
    assert "2 images that no table lists" in dataset.problems[0].message


# --- pictures that are no samples, folders that are no classes ------------------------------------------------------


def _beside(root: Path, k: int, split: str) -> tuple[Path, Path]:
    return root / "images" / f"{k}.png", root / "masks" / f"{k}.png"


def _in_splits(root: Path, k: int, split: str) -> tuple[Path, Path]:
    return root / split / "images" / f"{k}.png", root / split / "masks" / f"{k}_mask.png"


def _by_split(root: Path, k: int, split: str) -> tuple[Path, Path]:
    return root / split / f"{k}.png", root / f"{split}_masks" / f"{k}.png"


def _in_one_folder(root: Path, k: int, split: str) -> tuple[Path, Path]:
    return root / f"{k}.png", root / f"{k}_mask.png"


def _glued(root: Path, k: int, split: str) -> tuple[Path, Path]:
    return root / split / f"{k}.png", root / f"{split}annot" / f"{k}.png"


def _in_dirs(root: Path, k: int, split: str) -> tuple[Path, Path]:
    return root / "img_dir" / split / f"{k}.png", root / "ann_dir" / split / f"{k}.png"


def _both_suffixed(root: Path, k: int, split: str) -> tuple[Path, Path]:
    return root / split / f"{k}_sat.png", root / split / f"{k}_mask.png"


@pytest.mark.parametrize("places", [_beside, _in_splits, _by_split, _in_one_folder, _glued, _in_dirs, _both_suffixed])
def test_masks_are_neither_a_class_nor_samples(
    tmp_path: Path, places: Callable[[Path, int, str], tuple[Path, Path]]
) -> None:
    for k in range(40):
        picture, mask = places(tmp_path, k, "train" if k < 30 else "val")
        digit(k, picture)
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(((DIGITS.images[k] > 8) * 255).astype(np.uint8)).save(mask)
    dataset = only(tmp_path)
    assert dataset.label is None
    assert sum(map(len, labels(dataset).values())) == 40
    assert all("masks" in p.message for p in dataset.problems)


def test_faces_with_and_without_masks_are_classes(tmp_path: Path) -> None:
    colours = np.random.default_rng(3)
    for k in range(20):
        for name in ("with_mask", "without_mask"):
            path = tmp_path / name / f"{k}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(colours.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
    dataset = only(tmp_path)
    assert dataset.label is not None
    assert dataset.label.evidence == "2 folders: with_mask, without_mask"


def test_boxes_beside_pictures_are_no_tables(tmp_path: Path) -> None:
    for k in range(60):
        split = "train" if k < 40 else "val"
        digit(k, tmp_path / split / "images" / f"{k}.png")
        box = tmp_path / split / "labels" / f"{k}.txt"
        box.parent.mkdir(exist_ok=True)
        box.write_text("3 0.5 0.5 0.3 0.3\n" * 30)
    dataset = only(tmp_path)
    assert dataset.label is None
    assert {split: len(files) for split, files in labels(dataset).items()} == {"train": 40, "validation": 20}


def test_what_lies_around_a_data_set(tmp_path: Path) -> None:
    for k in range(30):
        digit(k, tmp_path / "dataset" / ("train" if k < 20 else "valid") / f"d{DIGITS.target[k] % 2}" / f"{k}.png")
    litter = ["README.md", "LICENSE", "explore.ipynb", "requirements.txt", ".git/HEAD", "__MACOSX/._0.png", ".DS_Store"]
    for name in [*litter, "dataset/.DS_Store", "dataset/train/d0/Thumbs.db", "dataset/train/d0/._0.png"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\0\5\x16\7, and\n so, on\n")
    dataset = only(tmp_path)
    assert {split: len(files) for split, files in labels(dataset).items()} == {"train": 20, "validation": 10}
    assert [problem.path.rpartition("/")[2] for problem in dataset.problems] == ["._0.png"]  # loaders try to read it


# --- other tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".jsonl.gz"])
def test_json_lines(tmp_path: Path, suffix: str) -> None:
    for split, rows in SPLITS.items():
        tumours()[rows].to_json(tmp_path / f"{split}{suffix}", orient="records", lines=True, double_precision=15)
    found = read(only(tmp_path))
    for split, rows in SPLITS.items():
        assert [label for _, label in found[split]] == [label for _, label in expected(rows)]
        assert [x for x, _ in found[split]] == pytest.approx([x for x, _ in expected(rows)])


def test_json_lines_with_gaps_texts_among_numbers_and_broken_lines(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"x": k, "ok": k % 2 == 0, "tags": [k], "label": "ab"[k % 2]} for k in range(50)]
    rows[30]["x"] = "many"
    del rows[31]["x"]
    lines = [json.dumps(row) for row in rows]
    lines.insert(40, '{"x": 1, "ok"')
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    dataset = only(tmp_path / "t.jsonl")
    kinds = {"x": "number", "ok": "text", "label": "text", "tags": "text"}
    assert {f.name: f.kind for f in dataset.fields} == kinds
    assert dataset.problems == []
    (batch, told) = [batch for part in dataset.partitions for batch in part.batches(ALL)]
    assert batch.size == 50
    assert batch.table is not None
    assert batch.table.tokens == {"x": {"many": 1}}
    assert np.isnan(batch.table.numbers[:, 0]).nonzero()[0].tolist() == [30, 31]
    assert batch.table.categories[0].values == ["true", "false"]
    assert told.problems[0].kind == "ragged"


def test_several_targets_of_a_competition(tmp_path: Path) -> None:
    table = pd.DataFrame(DIGITS.images.reshape(-1, 64)[:, 2:8]).add_prefix("p").assign(id=np.arange(1797))
    targets = pd.DataFrame({f"digit_{k}": (DIGITS.target == k).astype(int) for k in range(3)})
    csv(pd.concat([table, targets], axis=1)[:1200], tmp_path / "train.csv")
    csv(table[1200:], tmp_path / "test.csv")
    csv(pd.concat([table[["id"]], targets], axis=1)[1200:], tmp_path / "sample_submission.csv")
    dataset = only(tmp_path)
    assert dataset.label is not None
    assert dataset.label.name == "digit_0,digit_1,digit_2"
    assert dataset.task == "multi-label"
    roles = [(field.name, field.role) for field in dataset.fields if field.name.startswith("digit_")]
    assert roles == [(f"digit_{k}", "label") for k in range(3)]


def test_data_and_test_as_the_uci_repository_has_them(tmp_path: Path) -> None:
    for suffix, rows in {"data": SPLITS["train"], "test": SPLITS["test"]}.items():
        csv(tumours()[rows], tmp_path / f"wdbc.{suffix}", header=False)
    (tmp_path / "wdbc.names").write_text("1. Title: Wisconsin Diagnostic Breast Cancer\n")
    assert {split: len(rows) for split, rows in read(only(tmp_path)).items()} == {"train": 400, "test": 169}


def test_a_copy_of_the_labels_elsewhere_changes_nothing(tmp_path: Path) -> None:
    csv(tumours()[INPUTS], tmp_path / "raw" / "X.csv")
    csv(tumours()[["diagnosis"]], tmp_path / "raw" / "y.csv")
    shutil.copytree(tmp_path / "raw", tmp_path / "copy")
    assert [len(read(dataset)["all"]) for dataset in recognise(tmp_path, Wishes()).datasets] == [569, 569]


def test_half_a_surrogate_and_one_nested_value_are_read(tmp_path: Path) -> None:
    lines = [json.dumps({"x": k, "note": "plain", "label": "ab"[k % 2]}) for k in range(60)]
    lines[7] = '{"x": 7, "note": "\\ud800", "label": ["a", "b"]}'
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    dataset = only(tmp_path / "t.jsonl")
    assert dataset.label is not None and dataset.label.name == "label"
    assert len(read(dataset)["all"]) == 60


def test_a_comma_in_every_text_does_not_part_the_columns_of_a_tsv(tmp_path: Path) -> None:
    rows = [f"{'ham' if k % 3 else 'spam'}\tcall {k}, soon, then {k * k}" for k in range(80)]
    (tmp_path / "t.tsv").write_text("kind\ttext\n" + "\n".join(rows) + "\n")
    assert [field.name for field in only(tmp_path / "t.tsv").fields] == ["kind", "text"]


def _pictures(root: Path, *names: str, count: int = 20) -> None:
    for k in range(count):
        for name in names:
            digit(k, root / name / f"{k}.png")


@pytest.mark.parametrize(
    ("folders", "sets"),
    [
        (("HR", "LR"), {"HR", "LR"}),
        (("RGB", "Depth", "SemSeg", "Other"), {"RGB", "Depth", "SemSeg", "Other"}),
        (("bounding_box_train", "bounding_box_test", "query"), {"set", "query"}),
        (("train/hr", "train/lr", "val/hr", "val/lr"), {"hr", "lr"}),
    ],
)
def test_folders_of_several_kinds_of_picture_are_no_classes(
    tmp_path: Path, folders: tuple[str, ...], sets: set[str]
) -> None:
    _pictures(tmp_path / "set", *folders)
    found = recognise(tmp_path / "set", Wishes()).datasets
    assert {dataset.name for dataset in found} == sets
    assert all(dataset.label is None for dataset in found)
    assert sum(len(read(dataset)[split.name]) for dataset in found for split in dataset.splits) == 20 * len(folders)


@pytest.mark.parametrize("folders", [("training/image_2", "testing/image_2"), ("image_2",), ("video0", "video1")])
def test_folders_that_say_what_is_inside_are_no_classes(tmp_path: Path, folders: tuple[str, ...]) -> None:
    _pictures(tmp_path, *folders)
    assert only(tmp_path).label is None


@pytest.mark.parametrize(
    "folders",
    [
        ("cat", "dog"),
        ("rgb", "cat"),
        ("normal", "ill"),
        ("s1", "s2", "s3"),
        ("train/query", "train/reply", "test/reply"),
    ],
)
def test_folders_of_classes_that_hold_the_same_file_names_are_classes(tmp_path: Path, folders: tuple[str, ...]) -> None:
    _pictures(tmp_path, *folders)
    assert only(tmp_path).label is not None
