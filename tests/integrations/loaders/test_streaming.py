"""MDS shards that MosaicML's own writer makes."""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from streaming import MDSWriter

import datalint
from datalint.sources.recognise import Wishes, recognise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datalint.report.models import Report

RNG = np.random.default_rng(3)
WORDS = ["time", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state"]
COUNTS = {"train": 180, "val": 60}


def picture(kind: int) -> Image.Image:
    pixels = RNG.normal(90, 20, (32, 32, 3))
    pixels[8:24, 8:24, kind % 3] += 120
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def text(k: int) -> dict[str, Any]:
    return {"text": f"{('good', 'bad')[k % 2]} {' '.join(RNG.choice(WORDS, 12))}", "label": k % 2}


def scanned(root: Path, columns: dict[str, str], sample: Callable[[int], dict[str, Any]], **how: Any) -> Report:
    for split, count in COUNTS.items():
        with MDSWriter(out=str(root / split), columns=columns, size_limit=1 << 15, **how) as writer:
            for k in RNG.permutation(count).tolist():
                writer.write(sample(k))
    return datalint.scan(root, preset="fast", cache=False, jobs=1)


def splits(report: Report) -> dict[str, int]:
    (dataset,) = report.datasets
    return {split.name: split.samples for split in dataset.splits}


@pytest.mark.parametrize("encoding", ["pil", "png"])
def test_pictures(tmp_path: Path, encoding: str) -> None:
    columns = {"image": encoding, "label": "uint8"}
    report = scanned(tmp_path, columns, lambda k: {"image": picture(k), "label": np.uint8(k % 3)}, hashes=["sha1"])
    assert splits(report) == {"train": 180, "validation": 60}
    (dataset,) = report.datasets
    assert (dataset.modality, dataset.label and dataset.label.name) == ("images", "label")
    assert not [found.message for found in report.findings if found.severity != "info"]


@pytest.mark.parametrize("packed", [None, "zstd:5", "gz", "bz2", "br:3", "snappy"])
def test_texts(tmp_path: Path, packed: str | None) -> None:
    report = scanned(tmp_path, {"text": "str", "label": "int"}, text, compression=packed)
    assert splits(report) == {"train": 180, "validation": 60}
    (dataset,) = report.datasets
    assert (dataset.modality, dataset.label and dataset.label.name) == ("table", "label")
    assert not [found.message for found in report.findings if found.severity in {"warning", "error"}]


def test_values_of_all_kinds(tmp_path: Path) -> None:
    columns = {
        **{"x": "ndarray:float32:8", "u": "ndarray", "v": "ndarray:int16", "y": "float64", "n": "str_int"},
        **{"d": "str_decimal", "j": "json", "p": "pkl", "b": "bytes"},
    }

    def sample(k: int) -> dict[str, Any]:
        return {
            **{"x": RNG.normal(size=8).astype(np.float32), "u": RNG.normal(size=(2, 3)), "y": float(RNG.normal())},
            **{"v": RNG.integers(0, 9, 5).astype(np.int16), "n": k, "d": decimal.Decimal(k) / 8},
            **{"j": {"a": k, "c": ["x", 1]}, "p": {"k": k}, "b": b"\0\1\2"},
        }

    report = scanned(tmp_path, columns, sample)
    assert splits(report) == {"train": 180, "validation": 60}
    (dataset,) = recognise(tmp_path, Wishes()).datasets
    names = {field.name for field in dataset.fields if field.kind != "other"}
    assert {*(f"x.{k}" for k in range(8)), *(f"v.{k}" for k in range(5)), "y", "n", "d", "j.a", "j.c"} <= names
    told = {problem.message for problem in dataset.problems}
    assert "column 'p' holds pickles (they may run code), which are not looked into" in told
