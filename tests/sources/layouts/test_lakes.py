"""Delta and Iceberg tables, as their own libraries write them: files of earlier versions are not read."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.memory import InMemoryCatalog
from sklearn.datasets import load_wine

import datalint
from datalint.core.errors import DatalintError
from datalint.core.project import install
from datalint.planting.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from pyiceberg.table import Table

WINE: pd.DataFrame = load_wine(as_frame=True).frame.sample(frac=1, random_state=0).reset_index(drop=True)
WINE = WINE.rename(columns={"od280/od315_of_diluted_wines": "od280"})
LATER = WINE[WINE["alcohol"] <= 14]


def rows(path: Path) -> pd.DataFrame:
    (dataset,) = datalint.detect(path)
    (table,) = load(dataset).clean.tables.values()
    return table


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    names = [*WINE]
    left, right = (frame[names].sort_values(names).reset_index(drop=True) for frame in (found, expected))
    pd.testing.assert_frame_equal(left, right, check_dtype=False)


def delta(path: Path) -> DeltaTable:
    """Written in two parts, compacted, and some rows deleted."""
    write_deltalake(path, WINE.head(100))
    write_deltalake(path, WINE.tail(78), mode="append")
    table = DeltaTable(path)
    table.optimize.compact()
    table.delete("alcohol > 14")
    return table


def iceberg(path: Path) -> Table:
    """The same."""
    catalog = InMemoryCatalog("test", warehouse=str(path))
    catalog.create_namespace("lake")
    whole = pa.Table.from_pandas(WINE, preserve_index=False)
    table = catalog.create_table("lake.wine", schema=whole.schema)
    table.append(whole.slice(0, 100))
    table.append(whole.slice(100))
    table.delete("alcohol > 14")
    return table


@pytest.mark.parametrize("make", [delta, iceberg])
def test_only_the_newest_version_is_read(tmp_path: Path, make: object) -> None:
    make(tmp_path / "lake")  # type: ignore[operator]
    same(rows(tmp_path), LATER)
    (dataset,) = datalint.detect(tmp_path)
    assert dataset.label is not None and dataset.label.name == "target"
    assert re.search(r"(Delta|Iceberg) table, version 3", dataset.layout)
    assert "files of other versions left out" in dataset.evidence
    assert not [f for f in datalint.scan(tmp_path, cache=False).findings if f.severity != "info"]


def test_checkpoint_partitions_and_splits(tmp_path: Path) -> None:
    frame = WINE.assign(target=WINE["target"].map({0: "a b", 1: "b/c", 2: "ç"}))
    for name, part in (("train", frame.head(120)), ("test", frame.tail(58))):
        write_deltalake(tmp_path / name, part, partition_by=["target"])
        table = DeltaTable(tmp_path / name)
        table.delete("alcohol > 14")
        DeltaTable(tmp_path / name).create_checkpoint()
        (tmp_path / name / "_delta_log" / f"{0:020}.json").unlink()
    (info,) = datalint.scan(tmp_path, cache=False).datasets
    assert {s.name: s.samples for s in info.splits} == {
        "train": sum(frame.head(120)["alcohol"] <= 14),
        "test": sum(frame.tail(58)["alcohol"] <= 14),
    }
    assert (info.splits[0].classes or {}).keys() == {"a b", "b/c", "ç"}


def test_what_cannot_be_read_rightly_is_not_read(tmp_path: Path) -> None:
    table = delta(tmp_path / "marked")
    log = tmp_path / "marked" / "_delta_log"
    last = log / f"{table.version():020}.json"
    last.write_text(last.read_text().replace('"add":{', '"add":{"deletionVector":{"storageType":"u"},'))
    delta(tmp_path / "gap")
    (tmp_path / "gap" / "_delta_log" / f"{1:020}.json").unlink()
    delta(tmp_path / "cut")
    part = tmp_path / "cut" / "_delta_log" / f"{2:020}.json"
    part.write_bytes(part.read_bytes()[:-40])
    shutil.copytree(tmp_path / "cut", tmp_path / "hudi", ignore=shutil.ignore_patterns("_delta_log"))
    (tmp_path / "hudi" / ".hoodie").mkdir()
    for name, said in {
        "marked": "rows that are marked as deleted: read it with the deltalake package",
        "gap": "whose log is damaged: its version 1 is missing",
        "cut": "whose log is damaged",
        "hudi": "a Hudi table",
    }.items():
        with pytest.raises(DatalintError, match=said) as caught:
            datalint.detect(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
    WINE.to_csv(tmp_path / "good.csv", index=False)
    report = datalint.scan(tmp_path, cache=False)
    assert [info.name for info in report.datasets] == ["good"]
    assert sum(f.code == "FIL101" for f in report.findings) >= 1


def test_files_that_the_log_lists_and_are_not_there(tmp_path: Path) -> None:
    write_deltalake(tmp_path, WINE.head(100))
    write_deltalake(tmp_path, WINE.tail(78), mode="append")
    next(tmp_path.glob("*.parquet")).unlink()
    assert any(
        "its log lists 1 file that is not there" in f.message for f in datalint.scan(tmp_path, cache=False).findings
    )


def test_iceberg_elsewhere_and_without_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = iceberg(tmp_path / "old")
    shutil.move(tmp_path / "old", tmp_path / "new")
    same(rows(tmp_path), LATER)
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(DatalintError, match=re.escape(install("avro"))):
        datalint.detect(tmp_path)
    assert table is not None
