"""CIFAR-10 and CIFAR-100 as they are published."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import datalint
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    small = np.kron((X.reshape(-1, 8, 8) * 15).astype(np.uint8)[order], np.ones((1, 4, 4), np.uint8))
    return np.repeat(small.reshape(len(X), 1, -1), 3, 1).reshape(len(X), -1), y[order]


PICTURES, CLASSES = digits()
PARTS = {f"data_batch_{k + 1}": slice(280 * k, 280 * k + 280) for k in range(5)} | {"test_batch": slice(1400, None)}


def pickled(root: Path, parts: dict[str, slice] = PARTS, protocol: int = 2, fine: bool = False) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        labels: dict[bytes, Any] = {b"labels": CLASSES[rows].tolist()}
        if fine:
            labels = {b"coarse_labels": (CLASSES[rows] // 5).tolist(), b"fine_labels": CLASSES[rows].tolist()}
        batch = {b"batch_label": name.encode(), **labels, b"data": PICTURES[rows], b"filenames": [b"a.png"] * 9}
        (root / name).write_bytes(pickle.dumps(batch, protocol))
    names = [name.encode() for name in NAMES]
    about = {b"fine_label_names": names, b"coarse_label_names": [b"low", b"high"]} if fine else {b"label_names": names}
    (root / ("meta" if fine else "batches.meta")).write_bytes(pickle.dumps(about, protocol))
    return root


def binary(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, rows in PARTS.items():
        np.hstack([CLASSES[rows, None].astype(np.uint8), PICTURES[rows]]).tofile(root / f"{name}.bin")
    (root / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return root


@pytest.mark.parametrize("form", ["2", "4", "5", "binary"])
def test_batches(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "cifar-10-batches"
    binary(folder) if form == "binary" else pickled(folder, protocol=int(form))
    report = datalint.scan(tmp_path, select=["LBL101", "SPL101", "FIL101", "IMG106"], cache=False)
    (dataset,) = report.datasets
    assert (dataset.layout, dataset.label and dataset.label.name) == ("CIFAR batches", "labels")
    assert {split.name: split.samples for split in dataset.splits} == {"train": 1400, "test": 397}
    assert set(dataset.splits[0].classes or ()) == set(NAMES)
    assert not report.findings
    (found,) = datalint.detect(tmp_path)
    assert found.partitions[0].picture(3) is not None


def test_fine_and_coarse_labels(tmp_path: Path) -> None:
    pickled(tmp_path, {"train": slice(0, 1400), "test": slice(1300, None)}, fine=True)
    report = datalint.scan(tmp_path, select=["SPL101", "LBL101"], cache=False)
    (dataset,) = report.datasets
    assert dataset.label is not None and dataset.label.name == "fine_labels"
    assert [(f.code, f.affected.count) for f in report.findings] == [("SPL101", 100)]
    (dataset,) = datalint.scan(tmp_path, select=["LBL101"], label="coarse_labels", cache=False).datasets
    assert set(dataset.splits[0].classes or ()) == {"low", "high"}


def test_damaged_batches_are_findings(tmp_path: Path) -> None:
    pickled(tmp_path / "a")
    path = tmp_path / "a" / "data_batch_2"
    path.write_bytes(path.read_bytes()[:-1000])
    (finding,) = datalint.scan(tmp_path / "a", select=["FIL101"], cache=False).findings
    assert "data_batch_2: a damaged pickle" in finding.message and finding.severity == "error"
    binary(tmp_path / "b")
    path = tmp_path / "b" / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:-1000])
    report = datalint.scan(tmp_path / "b", select=["FIL101"], cache=False)
    (finding,) = report.findings
    assert "test_batch.bin: ends within a record" in finding.message
    assert report.datasets[0].splits[1].samples == 396


class Run:
    """Runs when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return exec, (f"open({str(self.mark)!r}, 'w')",)


@pytest.mark.parametrize("protocol", [2, 5])
def test_nothing_is_run(tmp_path: Path, protocol: int) -> None:
    pickled(tmp_path / "a")
    batch = {b"data": PICTURES[:9], b"labels": [1] * 9, b"more": Run(tmp_path / "ran")}
    (tmp_path / "a" / "data_batch_3").write_bytes(pickle.dumps(batch, protocol))
    (finding,) = datalint.scan(tmp_path / "a", select=["FIL101"], cache=False).findings
    assert "would call" in finding.message and "exec, so it is not opened" in finding.message
    for name in PARTS:
        (tmp_path / "a" / name).write_bytes(pickle.dumps(batch, protocol))
    with pytest.raises(DatalintError, match="so it is not opened"):
        datalint.detect(tmp_path / "a")
    (tmp_path / "a" / "table.csv").write_text("a,b,label\n" + "1,2,x\n3,4,y\n" * 30)
    (finding,) = datalint.scan(tmp_path / "a", select=["FIL101"], cache=False).findings
    assert (finding.severity, finding.evidence["files"]) == ("info", len(PARTS))
    assert not (tmp_path / "ran").exists()
