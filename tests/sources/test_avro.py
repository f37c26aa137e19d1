"""Avro, as fastavro writes it."""

from __future__ import annotations

import datetime
import re
import sys
from typing import TYPE_CHECKING, Any

import fastavro
import pandas as pd
import pytest
from sklearn.datasets import load_wine

import datalint
from datalint.core.errors import DatalintError
from datalint.core.project import install
from datalint.planting.load import load

if TYPE_CHECKING:
    from pathlib import Path

WINE: pd.DataFrame = load_wine(as_frame=True).frame.sample(frac=1, random_state=0).reset_index(drop=True)
COLUMNS = {"alcohol": "double", "proline": ["null", "float"], "magnesium": "long", "target": "int"}
MORE: dict[str, Any] = {
    "day": {"type": "int", "logicalType": "date"},
    "town": ["null", {"type": "enum", "name": "town", "symbols": ["Rom", "Ulm"]}],
    "tags": {"type": "array", "items": "string"},
    "maker": {"type": "record", "name": "maker", "fields": [{"name": "age", "type": "int"}]},
    "again": ["null", "maker"],
    "mixed": ["string", "long"],
}


def write(path: Path, frame: pd.DataFrame, codec: str = "deflate") -> None:
    fields = [{"name": name, "type": kind} for name, kind in (COLUMNS | MORE).items()]
    rows = [
        {
            **row,
            "day": datetime.date(2024, 1, 1 + k % 28),
            "town": [None, "Rom", "Ulm"][k % 3],
            "tags": ["a"] * (k % 4),
            "maker": {"age": k % 7},
            "again": None if k % 5 else {"age": k},
            "mixed": k if k % 2 else str(k),
        }
        for k, row in enumerate(frame[[*COLUMNS]].to_dict("records"))
    ]
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "wine", "fields": fields}, rows, codec, sync_interval=2_000)


def test_splits_columns_and_label(tmp_path: Path) -> None:
    write(tmp_path / "train.avro", WINE.head(120))
    write(tmp_path / "test.avro", WINE.tail(58), "null")
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.layout, dataset.label and dataset.label.name) == ("Avro, one file per split", "target")
    kinds = {field.name: field.kind for field in dataset.fields}
    assert (kinds["day"], kinds["town"], kinds["tags"], kinds["maker"]) == ("time", "text", "text", "other")
    (info,) = datalint.scan(tmp_path, cache=False).datasets
    assert {split.name: split.samples for split in info.splits} == {"train": 120, "test": 58}
    found = load(dataset).clean.tables["train"]
    pd.testing.assert_frame_equal(found[[*COLUMNS]], WINE.head(120)[[*COLUMNS]], check_dtype=False)


def test_damage(tmp_path: Path) -> None:
    write(tmp_path / "t.avro", WINE, "null")
    whole = (tmp_path / "t.avro").read_bytes()
    (tmp_path / "t.avro").write_bytes(whole[: len(whole) // 2])
    report = datalint.scan(tmp_path, cache=False)
    assert 40 < report.datasets[0].splits[0].samples < 120
    assert any(f.code == "FIL101" and "breaks off after row" in str(f.affected) for f in report.findings)
    (tmp_path / "t.avro").write_bytes(whole[:100])
    with pytest.raises(DatalintError, match="a damaged Avro file"):
        datalint.detect(tmp_path)


def test_without_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "t.avro", WINE)
    monkeypatch.setitem(sys.modules, "fastavro", None)
    for path in (tmp_path, tmp_path / "t.avro"):
        with pytest.raises(DatalintError, match=re.escape(install("avro"))):
            datalint.detect(path)
