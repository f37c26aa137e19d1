"""Arrays in other files than NumPy's, written by the libraries of their formats."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import h5py
import numpy as np
import pytest
import scipy.io
from safetensors.numpy import save_file
from sklearn.datasets import load_digits

import datalint
from datalint.core.errors import DatalintError
from datalint.sources.arrays.files import NotAnArray
from datalint.sources.arrays.readers import arrays_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from datalint.report.models import Report

SAVED = Path(__file__).parent / "saved_tensors"


def digits(count: int = 600) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures of 16 x 16 and their labels, in no order."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))[:count]
    pictures = (data.images[order] * 15.9).astype(np.uint8)
    return np.kron(pictures, np.ones((1, 2, 2), np.uint8)), data.target[order].astype(np.int64)


def safetensors(path: Path, X: Any, y: Any) -> None:
    save_file({"images": np.ascontiguousarray(X), "labels": np.ascontiguousarray(y)}, path.with_suffix(".safetensors"))


def matlab(path: Path, X: Any, y: Any) -> None:
    """As SVHN has it: the samples last."""
    scipy.io.savemat(path.with_suffix(".mat"), {"X": np.moveaxis(X, 0, -1), "y": y[:, None]}, do_compression=True)


def hdf5(path: Path, X: Any, y: Any) -> None:
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file.create_dataset("x", data=X, chunks=(50, *X.shape[1:]), compression="gzip")
        file["y"] = y


WRITERS = [safetensors, matlab, hdf5]


def faults(report: Report) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity in {"error", "warning"}}


def told(report: Report) -> str:
    return "\n".join(finding.message for finding in report.findings)


@pytest.mark.parametrize("write", WRITERS)
def test_pictures_and_labels(tmp_path: Path, write: Callable[[Path, Any, Any], None]) -> None:
    X, y = digits()
    write(tmp_path / "train", X[:450], y[:450])
    write(tmp_path / "test", X[450:], y[450:])
    report = datalint.scan(tmp_path, preset="fast")
    (dataset,) = report.datasets
    assert dataset.modality == "images"
    assert {split.name: split.samples for split in dataset.splits} == {"train": 450, "test": 150}
    assert {name: sum(y[:450] == int(name)) for name in map(str, range(10))} == dataset.splits[0].classes
    assert not faults(report)
    write(tmp_path / "test", X[300:], y[300:])
    assert "SPL101" in faults(datalint.scan(tmp_path, preset="fast"))


@pytest.mark.parametrize("write", WRITERS)
def test_values_are_read_as_they_were_written(tmp_path: Path, write: Callable[[Path, Any, Any], None]) -> None:
    X, y = digits(120)
    write(tmp_path / "a", X, y)
    (path,) = tmp_path.iterdir()
    inputs, labels = sorted(arrays_in(path), key=lambda array: -len(array.shape))
    assert np.array_equal(np.concatenate(list(inputs.rows(50))), X)
    assert np.array_equal(np.concatenate(list(labels.rows(7))), y)


@pytest.mark.parametrize("write", WRITERS)
def test_files_that_are_cut(tmp_path: Path, write: Callable[[Path, Any, Any], None]) -> None:
    X, y = digits(300)
    write(tmp_path / "b", X, y)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    write(tmp_path / "good", X, y)
    for size in (0, 5, 100, len(data) // 2, len(data) - 40):
        path.write_bytes(data[:size])
        report = datalint.scan(tmp_path, select=["FIL101"])
        assert path.name in told(report), size
        assert any(finding.severity == "error" for finding in report.findings), size


def test_halves_of_floats_and_other_types(tmp_path: Path) -> None:
    from safetensors import TensorSpec, serialize_file

    bits = np.arange(0x3F80, 0x3F80 + 60, dtype=np.uint16)
    path = tmp_path / "a.safetensors"
    spec = TensorSpec(dtype="bfloat16", shape=[30, 2], data_ptr=bits.ctypes.data, data_len=bits.nbytes)
    serialize_file({"x": spec}, str(path), {"made": "here"})
    (array,) = arrays_in(path)
    values = np.concatenate(list(array.rows(7)))
    assert values.shape == (30, 2)
    assert values[0, 0] == 1.0
    assert values[0, 1] == 1.0078125


def _header(told: object) -> bytes:
    text = json.dumps({"x": told}).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 8 + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{]",
        _header({"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 4]}),
        _header({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}),
        _header({"dtype": "F32", "shape": [1], "data_offsets": [0]}),
        _header({"dtype": [], "shape": {}, "data_offsets": "ab"}),
        _header({"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}),
        _header([]),
        _header(None),
    ],
)
def test_headers_that_lie(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(NotAnArray):
        arrays_in(path)


def test_links_out_of_an_hdf5_file(tmp_path: Path) -> None:
    X, y = digits(60)
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = X
    raw = tmp_path / "secret.bin"
    raw.write_bytes(X.tobytes())
    home = tmp_path / "data"
    home.mkdir()
    with h5py.File(home / "a.h5", "w") as file:
        file["other"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/x")
        file.create_dataset("raw", shape=X.shape, dtype=X.dtype, external=str(raw))
        layout = h5py.VirtualLayout(shape=X.shape, dtype=X.dtype)
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "x", shape=X.shape)
        file.create_virtual_dataset("virtual", layout)
        file["soft"] = h5py.SoftLink("/y")
        file["y"] = y
    assert [array.key for array in arrays_in(home / "a.h5")] == ["y"]


def test_a_data_set_that_is_far_larger_than_its_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", shape=(1 << 40, 16, 16), dtype="u1", chunks=(1024, 16, 16))
    with pytest.raises(NotAnArray, match="far more than arrays of this size do"):
        arrays_in(tmp_path / "a.h5")


def test_texts_as_labels_and_groups_as_splits(tmp_path: Path) -> None:
    X, y = digits(300)
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        for split, some in (("train", slice(0, 200)), ("test", slice(200, 300))):
            file[f"{split}/x"] = X[some]
            file[f"{split}/labels"] = [f"digit {k}" for k in y[some]]
    (dataset,) = datalint.scan(tmp_path / "a.hdf5", select=["SPL101"]).datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 200, "test": 100}
    assert set(dataset.splits[0].classes or ()) == {f"digit {k}" for k in range(10)}


def test_matlab_from_version_7_3_on_is_hdf5(tmp_path: Path) -> None:
    X, y = digits(100)
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["X"], file["y"] = X, y[None, :]
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b" "))
    (dataset,) = datalint.scan(path, select=["FIL101"]).datasets
    assert (dataset.layout, dataset.splits[0].samples) == ("MATLAB arrays of pictures", 100)
    assert dataset.label is not None


def test_the_library_that_is_missing_is_named(tmp_path: Path) -> None:
    hdf5(tmp_path / "a", *digits(60))
    with mock.patch.dict(sys.modules, {"h5py": None}), pytest.raises(DatalintError, match=r"pip install '.*\[hdf5\]'"):
        datalint.scan(tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["pair.pt", "named.pth", "half.pt"])
def test_tensors_without_torch(name: str) -> None:
    (dataset,) = datalint.scan(SAVED / name, select=["FIL101"]).datasets
    assert dataset.layout == "PyTorch tensors of pictures"
    assert dataset.splits[0].samples == 40
    assert dataset.splits[0].classes == {str(k): 8 for k in range(5)}
    inputs = max(arrays_in(SAVED / name), key=lambda array: len(array.shape))
    values = np.concatenate(list(inputs.rows(9))).astype(np.float64) * (255 if name == "named.pth" else 1)
    wanted = (np.arange(40 * 64) * 7919 % 251).reshape(40, 8, 8)
    assert np.allclose(values, wanted, atol=1e-3 if name != "half.pt" else 0.6)


def test_splits_within_a_file_of_tensors() -> None:
    (dataset,) = datalint.scan(SAVED / "splits.pt", select=["FIL101"]).datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 30, "test": 10}
    assert dataset.label is not None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("turned.pt", "'x' does not lie row by row"),
        ("weights.pt", "the weights of a model"),
        ("model.pt", "so it is not opened; save tensors alone"),
        ("old.pt", "without running it"),
    ],
)
def test_files_of_torch_that_are_not_read(name: str, why: str) -> None:
    with pytest.raises(DatalintError, match=why):
        datalint.scan(SAVED / name)


def test_nothing_in_a_file_of_torch_is_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "pwned"),)

    import pickle

    path = tmp_path / "a.pt"
    shutil.copy(SAVED / "pair.pt", path)
    with zipfile.ZipFile(SAVED / "pair.pt") as old, zipfile.ZipFile(path, "w") as new:
        for item in old.infolist():
            evil = item.filename.endswith("data.pkl")
            new.writestr(item, pickle.dumps(Evil(), protocol=2) if evil else old.read(item))
    with pytest.raises(DatalintError, match=r"would call \w+.mkdir, so it is not opened"):
        datalint.scan(path)
    assert not (tmp_path / "pwned").exists()
