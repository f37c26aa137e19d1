"""Predictions and embeddings that the user brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from datalint.core.errors import DatalintError
from datalint.sources.given import read_given

if TYPE_CHECKING:
    from pathlib import Path

TABLE = np.arange(12.0).reshape(4, 3)


def test_forms(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", TABLE)
    np.savez(tmp_path / "a.npz", train=TABLE, test=TABLE[:2])
    (tmp_path / "a.csv").write_text("p,q,r\n" + "".join(",".join(map(str, row)) + "\n" for row in TABLE))
    for value in (TABLE, TABLE.tolist(), TABLE.astype(np.float32), tmp_path / "a.npy", str(tmp_path / "a.csv")):
        assert np.array_equal(read_given(value, "what")["all"], TABLE)
    assert {split: len(array) for split, array in read_given(tmp_path / "a.npz", "what").items()} == {
        "train": 4,
        "test": 2,
    }
    by_split = read_given({"train": TABLE, "val": tmp_path / "a.npy", "test": None}, "what")
    assert set(by_split) == {"train", "validation"}
    assert read_given(None, "what") == {}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("gone.npy", "no such file"),
        (TABLE[0], "the shape"),
        ([[1, 2], [3]], "differ in length"),
        (np.array([["a"]]), "a table of numbers"),
        (np.array([[np.nan]]), "NaN or infinite"),
        (5, "the shape"),
    ],
)
def test_what_is_refused(value: Any, message: str) -> None:
    with pytest.raises(DatalintError, match=message):
        read_given(value, "--pred-probs")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npy", b"hello"),
        ("a.npy", b""),
        ("a.npz", b"PK\x03\x04"),
        ("a.csv", b""),
        ("a.csv", b"p,q\n1,x\n"),
        ("a.csv", b"\xff\xfe\x00"),
        ("a.csv", b"p,q\n1,\n"),
        ("a.csv", "p,größe\n1,2\n".encode("cp037")),
        ("a.csv", b"p,\xe0q\n1,2\n"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatalintError, match=name):
        read_given(tmp_path / name, "what")


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], object))
    with pytest.raises(DatalintError, match="pickled"):
        read_given(tmp_path / "a.npy", "what")


def test_damage_in_the_middle(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", train=np.random.default_rng(0).random((500, 3)))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[900:1200] = b"\xff" * 300
    (tmp_path / "a.npz").write_bytes(bytes(content))
    with pytest.raises(DatalintError, match=r"a\.npz"):
        read_given(tmp_path / "a.npz", "what")
