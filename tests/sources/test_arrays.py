"""NumPy arrays on disk: which are inputs and labels, and headers that lie."""

from __future__ import annotations

import math
import os
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import datalint
from datalint.core.errors import DatalintError
from datalint.sources import packing
from datalint.sources.arrays.files import (
    ArrayFile,
    ArrayPartition,
    NotAnArray,
    array_files,
    grey_scale,
    head_of,
    layout_of,
)
from datalint.sources.recognise import Wishes, recognise

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch, Dataset

RNG = np.random.default_rng(3)
X, Y = RNG.random((50, 4)), RNG.integers(0, 3, 50)
EVERYTHING: frozenset[Aspect] = frozenset({"labels", "table", "header", "pixels"})


def only(path: Path) -> Dataset:
    (dataset,) = recognise(path, Wishes()).datasets
    return dataset


def batches(dataset: Dataset) -> list[Batch]:
    return [batch for part in dataset.partitions for batch in part.batches(EVERYTHING)]


def sizes(dataset: Dataset) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in batches(dataset):
        found[batch.split] = found.get(batch.split, 0) + batch.size
    return found


def classes(dataset: Dataset) -> set[str]:
    return {name for batch in batches(dataset) if batch.labels for name in batch.labels.classes}


def images(count: int) -> Any:
    return RNG.integers(0, 255, (count, 28, 20), dtype=np.uint8)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"x_train": images(50), "y_train": Y, "x_test": images(20), "y_test": Y[:20]}, {"train": 50, "test": 20}),
        (
            {
                f"{s}_{k}": images(n) if k == "images" else Y[:n, None]
                for s, n in (("train", 50), ("val", 9))
                for k in ("images", "labels")
            },
            {"train": 50, "validation": 9},
        ),
        ({"X": X, "y": Y}, {"all": 50}),
        ({"features": X, "targets": Y}, {"all": 50}),
        ({"arr_0": X, "arr_1": Y}, {"all": 50}),
        ({"arr_0": Y, "arr_1": X}, {"all": 50}),
        ({"X": np.asfortranarray(X), "y": Y}, {"all": 50}),
        ({"X": X, "y": np.eye(3)[Y]}, {"all": 50}),
        ({"X": X.astype(">f4"), "y": Y.astype(str)}, {"all": 50}),
        ({"X": X, "y": np.array([b"0", b"1", b"2"])[Y]}, {"all": 50}),
    ],
)
def test_names_and_shapes(tmp_path: Path, arrays: dict[str, Any], expected: dict[str, int]) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    dataset = only(tmp_path)
    assert (sizes(dataset), classes(dataset), dataset.problems) == (expected, {"0", "1", "2"}, [])
    assert dataset.label is not None and dataset.label.name in arrays


def test_pairs_of_files(tmp_path: Path) -> None:
    for folder in ("train", "test"):
        (tmp_path / "one" / folder).mkdir(parents=True)
        np.save(tmp_path / "one" / folder / "X.npy", X)
        np.save(tmp_path / "one" / folder / "y.npy", Y)
    (tmp_path / "two").mkdir()
    for split in ("train", "test"):
        np.save(tmp_path / "two" / f"X_{split}.npy", X)
        np.save(tmp_path / "two" / f"y_{split}.npy", Y)
    for dataset in (only(tmp_path / "one"), only(tmp_path / "two")):
        assert (sizes(dataset), classes(dataset)) == ({"train": 50, "test": 50}, {"0", "1", "2"})
    assert only(tmp_path / "two").partitions[0].sample_id(7) == f"{tmp_path.as_posix()}/two/X_train.npy[7]"


def test_arrays_that_say_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X, Y, X, Y)
    with pytest.raises(DatalintError, match=r"a\.npz: no array of inputs .*arr_3"):
        recognise(tmp_path, Wishes())
    for name in ("p", "q", "r"):
        np.save(tmp_path / f"{name}.npy", X)
    assert {d.name for d in recognise(tmp_path, Wishes()).datasets} == {"p", "q", "r"}
    for k in range(30):
        np.save(tmp_path / f"clip{k}.npy", X)
    with pytest.raises(DatalintError, match="no array of inputs"):  # samples in files of their own, not 30 data sets
        recognise(tmp_path, Wishes())


def test_labels_that_do_not_fit(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=X, y=Y[:-1])
    np.savez(tmp_path / "b.npz", X=X, y=RNG.random((50, 3)))
    np.savez(tmp_path / "c.npz", labels=Y)
    found = {d.name: d for d in recognise(tmp_path, Wishes()).datasets}
    problems = {
        p.path.rsplit("/", 2)[-2 if "npz/" in p.path else -1]: p.kind for d in found.values() for p in d.problems
    }
    assert problems == {"a.npz": "unreadable", "b.npz": "not-scanned", "c.npz": "not-scanned"}
    assert found["a"].label is None and found["b"].label is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([{}], object), "pickled Python objects"),
        (np.zeros((5, 2), complex), "complex128"),
        (np.zeros((5, 2), "M8[s]"), "datetime64"),
        (np.zeros(5, [("a", "f4")]), "inputs must be real numbers"),
        (np.array([["a", "b"]]), "inputs must be real numbers"),
        (np.float64(3), "no array of inputs"),
        (np.zeros((0, 4)), "is empty"),
        (np.zeros((5, 0)), "is empty"),
        (np.zeros((3, 40, 64, 64), np.uint8), "163,840 values per sample"),
    ],
)
def test_what_is_not_judged(tmp_path: Path, value: Any, message: str) -> None:
    np.save(tmp_path / "X.npy", value)
    with pytest.raises(DatalintError, match=message):
        recognise(tmp_path / "X.npy", Wishes())


def lie(path: Path, shape: tuple[int, ...], dtype: str = "<f8", data: bytes = b"\0" * 800) -> Path:
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
    return path


@pytest.mark.parametrize(
    "shape", [(10**12,), (10, 10**9), (0, 10**12), (-5, 3), (10**9, 0), (2**62, 2**62), (101,), (2**31, 2**31)]
)
def test_headers_that_lie(tmp_path: Path, shape: tuple[int, ...]) -> None:
    npy = lie(tmp_path / "X.npy", shape)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(npy, "X.npy")
    for path in (npy, tmp_path / "a.npz"):
        with pytest.raises(DatalintError):
            recognise(path, Wishes())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x93NUMPY",
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b"(" * 100,
        b"\x93NUMPY\x01\x00\x40\x00" + b'__import__("os").system("true")'.ljust(64),
        b"\x93NUMPY\x01\x00\x40\x00" + b"{'descr': ('<f8', 'fortran_order': False".ljust(63) + b"\n",
        b"\x93NUMPY\x09\x00\x10\x00" + b"{}".ljust(16),
        b"\x93NUMPY\x01\x00\x29\x23" + b"-" * 8_999 + b"1",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b"{}".ljust(16),
    ],
)
def test_headers_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(NotAnArray):
        array_files(tmp_path / "a.npy")


def test_damage_becomes_a_problem(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=RNG.random((500, 4)), y=RNG.integers(0, 3, 500))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[400:440] = b"\xff" * 40
    (tmp_path / "a.npz").write_bytes(bytes(content))
    (problem,) = [p for batch in batches(only(tmp_path)) for p in batch.problems]
    assert problem.kind == "truncated" and "CRC" in problem.message


def test_archives_that_unpack_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "UNPACKED", 1 << 20)
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((3000, 1000)))
    with pytest.raises(DatalintError, match="unpacks to"):
        recognise(tmp_path / "a.npz", Wishes())


def test_names_within_archives_lead_nowhere(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(tmp_path / "X.npy", "../../X.npy")
        archive.writestr("notes.txt", "x")
    (tmp_path / "X.npy").unlink()
    assert sizes(only(tmp_path)) == {"all": 50}
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_axes() -> None:
    kinds = {
        (9, 28, 28): "NHW",
        (9, 28, 20, 3): "NHWC",
        (9, 3, 28, 20): "NCHW",
        (9, 4): "table",
        (9,): "table",
        (9, 5, 40, 50): "table",
    }
    assert {shape: layout_of(shape, np.dtype(np.float32)) for shape in kinds} == kinds


@pytest.mark.parametrize(
    "pixels",
    [
        images(9),
        images(9)[..., None] / 255.0,
        (images(9)[:, None] / 127.5 - 1).astype(np.float16),
        images(9)[..., None] > 100,
        np.full((9, 28, 20, 3), np.nan),
        np.full((9, 28, 20, 3), np.inf),
        np.full((9, 3, 28, 20), -(2**63), np.int64),
        np.where(RNG.random((9, 28, 28)) > 0.5, 1e308, -1e308),
    ],
)
def test_pictures_of_any_range(tmp_path: Path, pixels: Any) -> None:
    np.save(tmp_path / "X.npy", pixels)
    dataset = only(tmp_path)
    assert dataset.modality == "images"
    (batch,) = batches(dataset)
    assert batch.images is not None and batch.images.thumbnails is not None
    assert batch.images.thumbnails.shape[0] == 9
    finite = bool(np.isfinite(pixels).all())
    assert [(found.kind, found.position) for found in batch.problems] == [
        ("not-finite", k) for k in range(0 if finite else 9)
    ]
    assert (dataset.partitions[0].picture(3) or b"").startswith(b"RIFF")


def test_scale_of_pixels() -> None:
    assert grey_scale(images(3)) == (0.0, 1.0)
    assert grey_scale(np.array([0.0, 1.0])) == (0.0, 255.0)
    assert grey_scale(np.array([-1.0, 1.0])) == (1.0, 127.5)
    offset, factor = grey_scale(np.array([-2.0, 2.5]))
    assert ((-2.0 + offset) * factor, (2.5 + offset) * factor) == (0.0, 255.0)


@pytest.mark.parametrize("shape", [(True,), (True, True), (9,), (9, 1), (1, 9)])
@pytest.mark.parametrize("form", ["npy", "npz"])
def test_one_row_one_column_one_axis(tmp_path: Path, shape: tuple[int, ...], form: str) -> None:
    lie(tmp_path / "X.npy", shape, data=RNG.random(math.prod(shape)).tobytes())
    if form == "npz":
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.write(tmp_path / "X.npy", "X.npy")
        (tmp_path / "X.npy").unlink()
    report = datalint.scan(tmp_path, cache=False)
    assert [status for status in report.datasets[0].rules if status.status == "failed"] == []
    assert report.datasets[0].splits[0].samples == int(shape[0])


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    dtype=st.sampled_from(["u1", "<i2", ">f4", "<f8", "?"]),
    count=st.integers(1, 9),
    limits=st.tuples(
        st.sampled_from([1, 40, 1 << 20]), st.sampled_from([1, 30, 1 << 20]), st.sampled_from([1, 1 << 12])
    ),
    form=st.sampled_from(["npy", "npz"]),
    fortran=st.booleans(),
)
def test_blocks_are_the_array(
    shape: list[int], dtype: str, count: int, limits: tuple[int, int, int], form: str, fortran: bool
) -> None:
    array = np.random.default_rng(len(shape)).integers(0, 2, shape).astype(dtype)
    array = np.asfortranarray(array) if fortran else array
    names = ("PASS_BYTES", "COLUMN_BYTES", "SEEK_BYTES")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name, limit in zip(names, limits, strict=True):
            patch.setattr(f"datalint.sources.arrays.files.{name}", limit)
        path = Path(folder) / f"X.{form}"
        np.save(path, array) if form == "npy" else np.savez_compressed(path, X=array)
        (found,) = array_files(path)
        blocks = list(found.rows(count))
        assert all(len(block) == count for block in blocks[:-1])
        np.testing.assert_array_equal(np.concatenate(blocks), array)


@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("form", ["npy", "npz"])
@pytest.mark.parametrize("change", ["vanishes", "shrinks", "is another"])
def test_a_file_that_changes_between_its_blocks(
    tmp_path: Path, form: str, change: str, fortran: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datalint.sources.arrays.files.ROWS_BYTES", 1 << 14)
    monkeypatch.setattr("datalint.sources.arrays.files.PASS_BYTES", 1 << 14)
    path = tmp_path / f"X.{form}"
    pixels = RNG.integers(0, 256, (300, 16, 16), dtype=np.uint8)
    stored = np.asfortranarray(pixels) if fortran else pixels
    np.save(path, stored) if form == "npy" else np.savez(path, X=stored)
    dataset = only(tmp_path)
    (partition,) = dataset.partitions
    assert isinstance(partition, ArrayPartition)
    whole = partition.picture(250)
    assert whole is not None and partition.pictures([250, 3, 250]) == [whole, partition.picture(3), whole]
    reading = partition.batches(frozenset({"pixels", "labels"}))
    first = next(reading)
    if change == "vanishes":
        path.unlink()
    elif change == "shrinks":
        os.truncate(path, path.stat().st_size // 2)
    else:
        np.save(path, pixels[:9, :8]) if form == "npy" else np.savez(path, X=pixels[:9, :8])
    rest = list(reading)
    assert first.size + sum(batch.size for batch in rest) <= 300
    again = list(partition.batches(frozenset({"pixels", "labels"})))
    if change != "shrinks":
        assert [problem.kind for batch in again for problem in batch.problems] == ["truncated"]
    assert partition.picture(299) is None  # what is gone has no picture, and is no reason to stop


def test_labels_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datalint.sources.arrays.files.ROWS_BYTES", 160)
    for name, labels in {
        "texts": Y.astype(str),
        "bytes": Y.astype("S3"),
        "hot": np.eye(3)[Y],
        "wide": Y[:, None],
    }.items():
        np.savez(tmp_path / "a.npz", X=X, y=labels)
        (batch, *_) = batches(only(tmp_path))
        block = batch.labels
        assert block is not None and block.codes is not None, name
        assert [block.classes[k] for k in block.codes] == [str(k) for k in Y[: batch.size]]


def test_labels_that_are_no_texts(tmp_path: Path) -> None:
    labels = np.array(["ab", "cd"] * 25)
    labels.view(np.uint32)[3] = 0xFFFFFFFF
    np.savez(tmp_path / "a.npz", X=X, y=labels)
    (problem,) = [p for batch in batches(only(tmp_path)) for p in batch.problems]
    assert problem.path.endswith("a.npz/y") and "no characters" in problem.message
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        np.save(tmp_path / "X.npy", X)
        archive.write(tmp_path / "X.npy", "X.npy")
        archive.write(lie(tmp_path / "y.npy", (50,), "|S0", b""), "y.npy")
    for name in ("X.npy", "y.npy"):
        (tmp_path / name).unlink()
    dataset = only(tmp_path)
    assert dataset.label is None
    (problem,) = dataset.problems
    assert problem.path.endswith("a.npz/y") and "no length" in problem.message


def test_a_first_look_takes_fewer_of_large_items() -> None:
    for side, expected in ((32, 256), (3_000, 14), (12_000, 1)):
        pictures = np.broadcast_to(np.uint8(0), (300, side, side))
        array = ArrayFile(None, "x", pictures.shape, pictures.dtype.str, pictures)
        assert len(head_of(array, 256)) == expected
