"""One ``.npy`` file per sample in class folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import datalint
from tests.sources.test_array_stores import digits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.report.models import Report


def pictures(item: NDArray[np.uint8], k: int) -> NDArray[np.generic]:
    return item


def features(item: NDArray[np.uint8], k: int) -> NDArray[np.generic]:
    return item[::2, ::2][2:6, 2:7].astype(np.float32) / 16


def recordings(item: NDArray[np.uint8], k: int) -> NDArray[np.generic]:
    return np.repeat(item.astype(np.float32), 1 + k % 3, axis=0)


def lay_out(root: Path, make: Callable[[NDArray[np.uint8], int], NDArray[np.generic]]) -> Path:
    X, y = digits(400)
    for k, (item, label) in enumerate(zip(X, y, strict=True)):
        home = root / ("train" if k < 300 else "test") / f"digit {label}"
        home.mkdir(parents=True, exist_ok=True)

        np.save(home / f"{k:04d}.npy", make(item, k))
    return root


def faults(report: Report) -> dict[str, int]:
    return {f.code: f.affected.count for f in report.findings if f.severity in {"error", "warning"}}


@pytest.mark.parametrize(("make", "modality"), [(pictures, "images"), (features, "table"), (recordings, "table")])
def test_the_folders_are_the_classes(
    tmp_path: Path, make: Callable[[NDArray[np.uint8], int], NDArray[np.generic]], modality: str
) -> None:
    report = datalint.scan(lay_out(tmp_path, make), preset="fast")
    (dataset,) = report.datasets
    assert (dataset.layout, dataset.modality) == ("array class folders in split folders", modality)
    assert {split.name: split.samples for split in dataset.splits} == {"train": 300, "test": 100}
    assert len(dataset.splits[0].classes or {}) == 10
    assert not faults(report)


@pytest.mark.parametrize("make", [pictures, features, recordings])
def test_damaged_and_strange_files(
    tmp_path: Path, make: Callable[[NDArray[np.uint8], int], NDArray[np.generic]]
) -> None:
    lay_out(tmp_path, make)
    some = sorted((tmp_path / "train").rglob("*.npy"))
    some[10].write_bytes(some[10].read_bytes()[:-7])
    np.save(some[20], np.array([{"a": 1}], dtype=object), allow_pickle=True)
    if make is not recordings:
        np.save(some[30], np.zeros((3, 3)))
    report = datalint.scan(tmp_path, preset="fast")
    text = report.to_json()
    assert "breaks off" in text
    assert "pickled Python objects" in text
    assert ("has the shape 3 x 3 and the others" in text) == (make is not recordings)
    assert "IMG103" in faults(report) or "FIL101" in faults(report)


def test_samples_of_train_in_test(tmp_path: Path) -> None:
    X, y = digits(400)
    lay_out(tmp_path, recordings)
    for k in range(20):
        home = tmp_path / f"test/digit {y[k]}"
        home.mkdir(parents=True, exist_ok=True)
        np.save(home / f"again{k}.npy", recordings(X[k], k))
    assert faults(datalint.scan(tmp_path, preset="fast"))["SPL101"] == 20
