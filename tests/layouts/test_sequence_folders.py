"""Recordings in a table of numbers each: when the folders are classes, and when the files are shards of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report

RNG = np.random.default_rng(17)
KINDS = ("walking", "sitting", "running")


def recording(path: Path, kind: int, first: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = int(RNG.integers(60, 90))
    frame = pd.DataFrame(RNG.normal(kind, 1, (rows, 3)), columns=["ax", "ay", "az"])
    frame.insert(0, "time", first + 0.02 * np.arange(rows))
    frame.round(4).to_csv(path, index=False)


def recordings(root: Path, count: int = 12) -> None:
    for kind, name in enumerate(KINDS):
        for k in range(count):
            recording(root / name / f"rec{k:02d}.csv", kind)


def scanned(path: Path) -> Report:
    return datalint.scan(path, cache=False, jobs=1, preset="fast")


def test_recordings_of_sensors(tmp_path: Path) -> None:
    recordings(tmp_path / "train")
    recordings(tmp_path / "test", 7)
    report = scanned(tmp_path)
    (dataset,) = report.datasets
    assert dataset.layout == "sequences in class folders in split folders"
    assert {split.name: split.samples for split in dataset.splits} == {"train": 36, "test": 21}
    assert dataset.label and dataset.label.name == "class folder"
    assert not [found.message for found in report.findings if found.severity in {"error", "warning"}]


def test_points_of_shapes(tmp_path: Path) -> None:
    for name in ("02691156", "03001627"):
        (tmp_path / name).mkdir()
        for _ in range(15):
            points = np.column_stack([RNG.normal(0, 0.3, (60, 6)), RNG.integers(0, 4, 60)])
            np.savetxt(tmp_path / name / f"{RNG.bytes(8).hex()}.txt", points, "%.6f")
    (tmp_path / "synsetoffset2category.txt").write_text("Airplane\t02691156\nChair\t03001627\n")
    report = scanned(tmp_path)
    assert [split.samples for info in report.datasets for split in info.splits] == [30]
    assert report.datasets[0].layout == "sequences in class folders"


def test_faults(tmp_path: Path) -> None:
    recordings(tmp_path / "train")
    recordings(tmp_path / "test", 7)
    (tmp_path / "test" / "walking" / "rec01.csv").write_bytes(
        (tmp_path / "train" / "walking" / "rec03.csv").read_bytes()
    )
    (tmp_path / "train" / "sitting" / "rec05.csv").write_bytes(b"")
    cut = tmp_path / "train" / "running" / "rec07.csv"
    cut.write_text(cut.read_text().rstrip().rpartition(",")[0])
    findings = scanned(tmp_path).findings
    told = "".join(found.model_dump_json() for found in findings if found.code == "FIL101")
    assert [found.message[:17] for found in findings if found.code == "SPL101"] == ["1 of 21 test rows"]
    assert "an empty file" in told
    assert "rec07.csv" in told


def shards(path: Path, first: int, time: str) -> None:
    """Rows that go on where the file before ended, or have no time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(RNG.normal(0, 1, (60, 3)), columns=["a", "b", "label"]).round(3)
    frame.insert(0, time, first + np.arange(60))
    frame.to_csv(path, index=False)


@pytest.mark.parametrize("kind", ["going on", "no time", "dates", "keys"])
def test_shards_are_no_samples(tmp_path: Path, kind: str) -> None:
    for number, name in enumerate(("east", "west")):
        for k in range(15):
            if kind == "dates":
                recording(tmp_path / f"202{number}" / f"day{k}.csv", 0)
            elif kind == "keys":
                recording(tmp_path / f"region={name}" / f"part-{k:05d}.csv", 0)
            else:
                first = 60 * k if kind == "going on" else 0
                shards(tmp_path / name / f"part-{k:05d}.csv", first, "time" if kind == "going on" else "price")
    report = scanned(tmp_path)
    assert not any(info.layout.startswith("sequences") for info in report.datasets)
    assert sum(split.samples for info in report.datasets for split in info.splits) > 1_000
