"""MNIST and its like, written by idx2numpy."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

import idx2numpy
import numpy as np
import pytest
from sklearn.datasets import load_digits

import datalint
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    return (X.reshape(-1, 8, 8) * 15).astype(np.uint8)[order], y.astype(np.uint8)[order]


def mnist(root: Path, form: str = "{}-idx{}-ubyte", leak: int = 0, packed: bool = False) -> Path:
    X, y = digits()
    for split, rows in (("train", slice(0, 1400)), ("t10k", slice(1400 - leak, None))):
        for kind, array in (("images", X[rows]), ("labels", y[rows])):
            path = root / form.format(f"{split}-{kind}", array.ndim)
            path.parent.mkdir(parents=True, exist_ok=True)
            idx2numpy.convert_to_file(str(path), array)
            if packed:
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
                path.unlink()
    return root


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "form", ["{}-idx{}-ubyte", "{}.idx{}-ubyte", "MNIST/raw/{0}-idx{1}-ubyte", "{0}-idx{1}-ubyte/{0}-idx{1}-ubyte"]
)
def test_every_way_in_which_it_is_published(tmp_path: Path, form: str, packed: bool) -> None:
    (dataset,) = datalint.detect(mnist(tmp_path, form, packed=packed))
    assert (dataset.layout, dataset.modality) == ("IDX files of pictures", "images")
    assert [(split.name, split.shape) for split in dataset.splits] == [("train", (1400, 8, 8)), ("test", (397, 8, 8))]
    assert dataset.label is not None and not dataset.problems


def test_packed_and_unpacked_is_read_once_and_a_leak_is_found(tmp_path: Path) -> None:
    mnist(tmp_path, leak=60)
    mnist(tmp_path, leak=60, packed=True)
    mnist(tmp_path, leak=60)
    report = datalint.scan(tmp_path, select=["SPL101", "LBL101", "FIL101", "IMG106"], cache=False)
    (dataset,) = report.datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 1400, "test": 457}
    assert set(dataset.splits[0].classes or ()) == set("0123456789")
    assert [(f.code, f.affected.count) for f in report.findings] == [("SPL101", 60)]


def test_families_are_data_sets_of_their_own(tmp_path: Path) -> None:
    for family in ("letters", "digits"):
        mnist(tmp_path, f"emnist-{family}-{{}}-idx{{}}-ubyte")
    names = [f"{tmp_path.name}", *(dataset.name for dataset in datalint.detect(tmp_path))]
    assert names[1:] == ["emnist_digits", "emnist_letters"]


def test_one_file_alone(tmp_path: Path) -> None:
    mnist(tmp_path)
    (dataset,) = datalint.detect(tmp_path / "train-images-idx3-ubyte")
    assert (dataset.modality, dataset.label) == ("images", None)


def test_other_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, array in (("x", rng.normal(size=(60, 5))), ("y", rng.integers(0, 2, 60).astype(np.int32))):
        idx2numpy.convert_to_file(str(tmp_path / f"{name}.idx"), array)
    report = datalint.scan(tmp_path, select=["LBL101", "VAL102"], cache=False)
    (dataset,) = report.datasets
    assert (dataset.layout, dataset.splits[0].samples, set(dataset.splits[0].classes or ())) == (
        "IDX files",
        60,
        {"0", "1"},
    )


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_breaks_off_is_a_finding(tmp_path: Path, packed: bool) -> None:
    mnist(tmp_path, packed=packed)
    (path,) = tmp_path.glob("train-images*")
    path.write_bytes(path.read_bytes()[:-900])
    (finding,) = datalint.scan(tmp_path, select=["FIL101", "IMG106"], cache=False).findings
    assert (finding.severity, finding.code) == ("error", "FIL101")
    assert "train-images-idx3-ubyte" in finding.message and "breaks off" in finding.message


def test_labels_that_do_not_fit(tmp_path: Path) -> None:
    mnist(tmp_path)
    idx2numpy.convert_to_file(str(tmp_path / "train-labels-idx1-ubyte"), digits()[1][:1399])
    (finding,) = datalint.scan(tmp_path, select=["FIL101"], cache=False).findings
    assert "1,399 labels for 1,400 inputs" in finding.message


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1),
        b"\0\0\x08\x03" + struct.pack(">2I", 5, 5),
        b"\0\0\x08\x01" + struct.pack(">I", 0),
        gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 2, 2**31, 2**31), mtime=0),
        gzip.compress(b"\0\0\x08\x02" + bytes(8), mtime=0)[:-9],
    ],
)
def test_hostile_ones_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DatalintError) as caught:
        datalint.detect(tmp_path)
    assert "train-images-idx3-ubyte" in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_wrong_with_a_single_file_is_said(tmp_path: Path) -> None:
    mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DatalintError, match="train-images-idx3-ubyte: breaks off: its header promises"):
        datalint.detect(path)
