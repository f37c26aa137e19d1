"""Layouts of well-known data sets, written as their authors laid them out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.layouts.laying import errors, picture, put, scanned, splits

if TYPE_CHECKING:
    from pathlib import Path


RNG = np.random.default_rng(13)
WORDS = ["time", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state"]


@pytest.mark.parametrize("listed", [True, False])
def test_inaturalist(tmp_path: Path, listed: bool) -> None:
    for split, count in {"train2019": 60, "val2019": 30}.items():
        held = {"images": [], "annotations": [], "categories": [{"id": k, "name": f"species {k}"} for k in range(3)]}
        for k in range(count):
            name = f"{split}/Birds/{k % 3}/{RNG.bytes(8).hex()}.jpg"
            put(tmp_path / name, picture(k, RNG))
            held["images"].append({"id": k, "file_name": name, "width": 32, "height": 32})
            held["annotations"].append({"id": k, "image_id": k, "category_id": k % 3})
        if listed:
            put(tmp_path / f"{split}.json", json.dumps(held))
    report = scanned(tmp_path)
    assert splits(report) == {"train": 60, "validation": 30}
    label = report.datasets[0].label
    assert label and label.name == ("class" if listed else "class folder")
    assert "3" in label.evidence
    assert not errors(report)


def test_labels_of_fiftyone(tmp_path: Path) -> None:
    for k in range(60):
        put(tmp_path / "data" / f"{k:06d}.jpg", picture(k, RNG))
    put(
        tmp_path / "labels.json",
        json.dumps({"classes": ["a", "b", "c"], "labels": {f"{k:06d}": k % 3 for k in range(60)}}),
    )
    report = scanned(tmp_path)
    assert splits(report) == {"all": 60}
    assert report.datasets[0].label and report.datasets[0].label.name == "class"


def test_pictures_that_json_lists_and_that_are_not_there(tmp_path: Path) -> None:
    for k in range(58):
        put(tmp_path / "data" / f"{k:06d}.jpg", picture(k, RNG))
    put(
        tmp_path / "labels.json",
        json.dumps({"classes": ["a", "b", "c"], "labels": {f"{k:06d}": k % 3 for k in range(60)}}),
    )
    told = [found.message for found in scanned(tmp_path).findings if found.code == "FIL101"]
    assert any("names 2 pictures that are not there" in text for text in told)


def test_videos_are_no_classes(tmp_path: Path) -> None:
    for name in ("MOT17-02-FRCNN", "MOT17-04-FRCNN"):
        for k in range(1, 31):
            put(tmp_path / "train" / name / "img1" / f"{k:06d}.jpg", picture(k, RNG))
        put(tmp_path / "train" / name / "seqinfo.ini", f"[Sequence]\nname={name}\nimDir=img1\n")
        put(tmp_path / "train" / name / "gt" / "gt.txt", "".join(f"{k},1,5,5,9,9,1,1,1\n" for k in range(1, 31)))
    report = scanned(tmp_path)
    assert report.datasets[0].label is None
    assert splits(report) == {"train": 60}


def test_one_series_in_two_formats(tmp_path: Path) -> None:
    for split in ("TRAIN", "TEST"):
        series = [(1 + k % 2, RNG.normal(5 * (k % 2), 1, 30)) for k in RNG.permutation(80)]
        lines = ("\t".join([str(kind), *(f"{value:.4f}" for value in values)]) for kind, values in series)
        put(tmp_path / f"Gun_{split}.tsv", "\n".join(lines) + "\n")
        lines = (",".join(f"{value:.4f}" for value in values) + f":{kind}" for kind, values in series)
        head = "@problemName Gun\n@timeStamps false\n@univariate true\n@classLabel true 1 2\n@data\n"
        put(tmp_path / f"Gun_{split}.ts", head + "\n".join(lines) + "\n")
    report = scanned(tmp_path)
    assert splits(report) == {"train": 80, "test": 80}
    assert not [found.message for found in report.findings if found.severity != "info"]


def test_news_of_a_year_are_a_test(tmp_path: Path) -> None:
    for name, count in {"train": 200, "newstest2013": 60, "newstest2014": 60}.items():
        for language in ("en", "de"):
            lines = (f"{' '.join(RNG.choice(WORDS, 9))} {language}{k}" for k in range(count))
            put(tmp_path / f"{name}.{language}", "\n".join(lines) + "\n")
    assert splits(scanned(tmp_path)) == {"train": 200, "test": 120}


@pytest.mark.parametrize("same", [True, False])
def test_several_files_of_a_held_out_split(tmp_path: Path, same: bool) -> None:
    for name, count in {"train": 200, "dev_matched": 60, "dev_mismatched": 60}.items():
        head = "sentence1\tsentence2\tgold_label" if same or name == "train" else "one\ttwo\tthree"
        lines = (
            f"{' '.join(RNG.choice(WORDS, 8))} {k}\t{' '.join(RNG.choice(WORDS, 6))}\t{('yes', 'no', 'neutral')[RNG.integers(3)]}"
            for k in range(count)
        )
        put(tmp_path / f"{name}.tsv", "\n".join([head, *lines]) + "\n")
    found = [{split.name: split.samples for split in info.splits} for info in scanned(tmp_path).datasets]
    assert ({"train": 200, "validation": 120} in found) == same
