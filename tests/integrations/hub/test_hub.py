"""Folders that the library of the Hugging Face hub writes, and the same data in memory: read alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Value, load_dataset

import datalint
from tests.crops import CLASSES, crops

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report

FEATURES = Features({"image": Image(), "label": ClassLabel(names=list(CLASSES)), "caption": Value("string")})


def parts(faulty: bool = False) -> DatasetDict:
    """160 pictures to train on and 40 to test; if faulty, 8 are cut short and 19 are in both."""

    def rows(items: list[tuple[bytes, int]], cut: bool) -> Dataset:
        held = {"image": [], "label": [], "caption": []}
        for k, (data, kind) in enumerate(items):
            held["image"].append({"bytes": data[:300] if cut and k % 20 == 7 else data, "path": f"{k}.jpg"})
            held["label"].append(kind)
            held["caption"].append(f"photo {k} of a {CLASSES[kind]}")
        return Dataset.from_dict(held, features=FEATURES)

    items = crops(200)
    test = items[160:] + (items[40:60] if faulty else [])
    return DatasetDict({"train": rows(items[:160], faulty), "test": rows(test, False)})


def found(report: Report) -> dict[str, int]:
    return {f.code: f.affected.count for f in report.findings if f.severity in {"error", "warning"}}


@pytest.mark.parametrize("how", ["parquet", "saved", "memory"])
def test_read_alike_wherever_it_lies(tmp_path: Path, how: str) -> None:
    for faulty in (False, True):
        data = parts(faulty)
        home = tmp_path / str(faulty)
        if how == "saved":
            data.save_to_disk(str(home), num_shards={"train": 2, "test": 1})
        elif how == "parquet":
            for split, one in data.items():
                one.to_parquet(home / f"data/{split}-00000-of-00001.parquet")
        report = datalint.scan(data if how == "memory" else home, preset="fast")
        (dataset,) = report.datasets
        assert dataset.modality == "images"
        assert {s.name: s.samples for s in dataset.splits} == {"train": 160, "test": 60 if faulty else 40}
        assert all(set(split.classes) == set(CLASSES) for split in dataset.splits)
        assert found(report) == ({"IMG103": 8, "SPL101": 19} if faulty else {})


def test_one_split_that_was_saved(tmp_path: Path) -> None:
    parts()["train"].save_to_disk(str(tmp_path / "mine"))
    (dataset,) = datalint.scan(tmp_path / "mine", preset="fast").datasets
    assert (dataset.name, dataset.layout) == ("mine", "Arrow of pictures, saved by Hugging Face Datasets")
    assert [(split.name, split.samples) for split in dataset.splits] == [("all", 160)]


@pytest.mark.parametrize("prefix", ["", "train/"])
def test_names_in_a_description_of_pictures(tmp_path: Path, prefix: str) -> None:
    home = tmp_path / "data/train"
    home.mkdir(parents=True)
    rows = []
    for k, (data, kind) in enumerate(crops(40)):
        (home / f"{k}.jpg").write_bytes(data)
        rows.append(json.dumps({"file_name": f"{prefix}{k}.jpg", "text": f"a {CLASSES[kind]} of number {k}"}))
    (home / "metadata.jsonl").write_text("\n".join(rows))
    data = load_dataset("imagefolder", data_dir=str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"))
    if prefix:
        with pytest.raises(FileNotFoundError):
            data["train"][0]
    else:
        assert data["train"][0]["image"].size == (96, 72)
    report = datalint.scan(tmp_path / "data", preset="fast")
    assert found(report).keys() == ({"FIL101"} if prefix else set())
    assert [dataset.modality for dataset in report.datasets] == ["images"]
