"""Zarr stores, written by zarr itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

import datalint
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(300, 6)).round(3), RNG.integers(0, 2, 300)


def store(place: Path, arrays: dict[str, NDArray[Any]], version: int = 3) -> None:
    group = zarr.open_group(str(place), mode="w", zarr_format=version)  # type: ignore[arg-type]
    for name, values in arrays.items():
        made = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=(100, *values.shape[1:]))
        made[...] = values


@pytest.mark.parametrize(("name", "version"), [("data.zarr", 2), ("data.zarr", 3), ("data", 3)])
def test_the_same_is_found_as_in_npz(tmp_path: Path, name: str, version: int) -> None:
    inputs = X.copy()
    inputs[40:60] = 0
    inputs[7, 2] = np.nan
    (tmp_path / "a").mkdir()
    store(tmp_path / "a" / name, {"x": inputs, "y": Y}, version)
    (tmp_path / "b").mkdir()
    np.savez(tmp_path / "b" / "data.npz", x=inputs, y=Y)
    ours, theirs = (datalint.scan(tmp_path / folder, cache=False, config=False) for folder in "ab")
    (dataset,) = ours.datasets
    assert (dataset.layout, dataset.label and dataset.label.name) == ("Zarr arrays", "y")
    assert [f.message for f in ours.findings] == [f.message for f in theirs.findings] != []


def test_splits_and_pictures(tmp_path: Path) -> None:
    pictures = RNG.integers(0, 255, (120, 16, 16, 3)).astype(np.uint8)
    groups: dict[str, NDArray[Any]] = {
        "train/images": pictures[:80],
        "train/labels": Y[:80],
        "test/images": pictures[80:],
        "test/labels": Y[80:120],
    }
    store(tmp_path / "set.zarr", groups)
    (dataset,) = datalint.scan(tmp_path, select=["SPL101"], config=False).datasets
    assert [(split.name, split.samples) for split in dataset.splits] == [("train", 80), ("test", 40)]


def test_a_store_of_one_array(tmp_path: Path) -> None:
    made = zarr.create_array(str(tmp_path / "one.zarr"), shape=X.shape, dtype=X.dtype, chunks=(50, 6))
    made[...] = X
    (dataset,) = datalint.scan(tmp_path, select=["DUP101"], config=False).datasets
    assert dataset.splits[0].samples == 300


def test_missing_chunks_are_told(tmp_path: Path) -> None:
    store(tmp_path / "data.zarr", {"x": X, "y": Y})
    (tmp_path / "data.zarr" / "x" / "c" / "1" / "0").unlink()
    report = datalint.scan(tmp_path, select=["FIL101"], config=False, cache=False)
    (finding,) = report.findings
    assert "1 of 3 chunks are missing: read as 0.0" in finding.message


def test_a_damaged_chunk_is_a_finding(tmp_path: Path) -> None:
    store(tmp_path / "data.zarr", {"x": X, "y": Y})
    (tmp_path / "data.zarr" / "x" / "c" / "1" / "0").write_bytes(b"no chunk")
    (finding,) = datalint.scan(tmp_path, select=["FIL101"], config=False, cache=False).findings
    assert finding.severity == "error"


def test_a_changed_chunk_is_scanned_again(tmp_path: Path) -> None:
    store(tmp_path / "data.zarr", {"x": X, "y": Y})
    options = {"select": ["VAL102"], "config": False, "cache": tmp_path / "cache"}
    assert not datalint.scan(tmp_path / "data.zarr", **options).findings  # type: ignore[arg-type]
    zarr.open_group(str(tmp_path / "data.zarr"))["x"][150, 0] = np.nan  # type: ignore[index]
    assert datalint.scan(tmp_path / "data.zarr", **options).findings  # type: ignore[arg-type]


def test_without_the_library_one_line_says_what_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(tmp_path / "data.zarr", {"x": X, "y": Y})
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(DatalintError, match=r"data.zarr: a Zarr store: .*zarr"):
        datalint.detect(tmp_path)
    (tmp_path / "data.zarr" / "zarr.json").write_text("{")
    monkeypatch.undo()
    with pytest.raises(DatalintError, match="not a readable Zarr store"):
        datalint.detect(tmp_path)
