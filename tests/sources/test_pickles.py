"""Pickles are followed, never run."""

from __future__ import annotations

import collections
import datetime
import pickle
import random
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import datalint
from datalint.core.errors import DatalintError
from datalint.sources.pickles import NotPlain, load_plain

if TYPE_CHECKING:
    from pathlib import Path

VALUES: list[Any] = [
    {"a": 1, b"b": [1.5, True, False, "ü", 10**40], "c": (1, (2, 3), [], {})},
    {"x": np.arange(12, dtype=">i4").reshape(3, 4), "y": np.asfortranarray(np.arange(6.0).reshape(2, 3))},
    {"x": np.float32(1.5), "y": np.int64(7), "z": np.zeros((0, 3), bool)},
    [1, 2, 3],
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", VALUES)
def test_plain_values_come_back(tmp_path: Path, value: Any, protocol: int) -> None:
    (tmp_path / "p").write_bytes(pickle.dumps(value, protocol))
    found = load_plain(tmp_path / "p")
    if isinstance(value, dict):
        assert found.keys() == value.keys()
        assert all(
            np.array_equal(found[k], v) if isinstance(v, np.ndarray) else found[k] == v for k, v in value.items()
        )
        assert all(found[k].dtype == v.dtype for k, v in value.items() if isinstance(v, np.ndarray))
    else:
        assert found == value


@pytest.mark.parametrize(
    "value",
    [
        {"a": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)},
        {"a": collections.OrderedDict()},
        {"a": {1, 2}},
        {"a": print},
        {"a": np.array([object()])},
        {"a": np.zeros(2, "i4,i4")},
        np.random.default_rng(0),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_anything_else_is_refused(tmp_path: Path, value: Any, protocol: int) -> None:
    (tmp_path / "p").write_bytes(pickle.dumps(value, protocol))
    with pytest.raises(NotPlain):
        load_plain(tmp_path / "p")


def test_damage_is_told_and_never_more(tmp_path: Path) -> None:
    r = random.Random(0)
    whole = [pickle.dumps(value, protocol) for value in VALUES for protocol in (0, 2, 5)]
    for _ in range(2000):
        data = bytearray(r.choice(whole))
        for _ in range(r.randrange(1, 4)):
            data[r.randrange(len(data))] = r.randrange(256)
        (tmp_path / "p").write_bytes(data[: r.randrange(len(data)) if r.random() < 0.3 else None])
        try:
            load_plain(tmp_path / "p")
        except NotPlain as error:
            assert str(error)


@pytest.mark.parametrize(
    ("name", "why"),
    [("model.pkl", "may run code, so it is never opened"), ("weights.pt", "holds no arrays of numbers")],
)
def test_other_pickles_are_refused_with_the_reason(tmp_path: Path, name: str, why: str) -> None:
    if name.endswith(".pt"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({"a": 1}))
    else:
        (tmp_path / name).write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(DatalintError, match=why):
        datalint.detect(tmp_path / name)
