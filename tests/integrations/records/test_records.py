"""Files that the library ``tfrecord`` writes, with Google's own checksums and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tfrecord.writer import TFRecordWriter

import datalint
from datalint.sources.records.examples import features_of
from datalint.sources.records.frames import groups
from tests.crops import CLASSES, crops

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def write(path: Path, items: list[tuple[bytes, int]], first: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out = TFRecordWriter(str(path))
    for k, (data, kind) in enumerate(items, first):
        out.write(
            {
                "image/encoded": (data, "byte"),
                "image/class/label": (kind, "int"),
                "image/class/text": (CLASSES[kind].encode(), "byte"),
                "image/filename": (f"{k}.jpg".encode(), "byte"),
                "image/object/bbox/xmin": (np.array([0.1, 0.2]), "float"),
            }
        )
    out.close()


def found(report: Report) -> dict[str, int]:
    return {f.code: f.affected.count for f in report.findings if f.severity in {"error", "warning"}}


def test_examples_with_pictures(tmp_path: Path) -> None:
    items = crops(200)
    for number in range(2):
        write(tmp_path / f"train-{number:05d}-of-00002.tfrecord", items[80 * number : 80 * number + 80], 80 * number)
    write(tmp_path / "validation-00000-of-00001.tfrecord", items[160:], 160)
    report = datalint.scan(tmp_path, preset="fast")
    (dataset,) = report.datasets
    assert (dataset.modality, dataset.layout) == ("images", "TFRecord of pictures, one file per split")
    assert dataset.label is not None
    assert dataset.label.name in {"image/class/label", "image/class/text"}
    assert {split.name: split.samples for split in dataset.splits} == {"train": 160, "validation": 40}
    assert all(len(split.classes or {}) == 2 for split in dataset.splits)
    assert found(report) == {}
    spoilt = [(data[:300] if k % 10 == 3 else data, kind) for k, (data, kind) in enumerate(items[:80])]
    write(tmp_path / "train-00000-of-00002.tfrecord", spoilt)
    write(tmp_path / "validation-00000-of-00001.tfrecord", items[140:], 140)
    assert found(datalint.scan(tmp_path, preset="fast")) == {"IMG103": 8, "SPL101": 20}


def test_values_of_all_kinds(tmp_path: Path) -> None:
    out = TFRecordWriter(str(tmp_path / "a.tfrecord"))
    out.write(
        {"n": ([-(2**63), -1, 0, 300, 2**62], "int"), "f": ([0.5, -1.25], "float"), "b": ([b"", b"\xff"], "byte")}
    )
    out.close()
    with (tmp_path / "a.tfrecord").open("rb") as file:
        ((record,),) = groups(file)
    held = {name: list(values) for name, values in features_of(record).items()}
    assert held == {"n": [-(2**63), -1, 0, 300, 2**62], "f": [0.5, -1.25], "b": [b"", b"\xff"]}
