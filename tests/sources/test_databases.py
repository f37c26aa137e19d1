"""Tables of SQLite databases and sheets of workbooks."""

from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

import datalint
from datalint.core.errors import DatalintError
from datalint.core.project import install
from datalint.planting.load import load
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

IRIS: pd.DataFrame = load_iris(as_frame=True).frame.sample(frac=1, random_state=0).reset_index(drop=True)
NOTES = pd.DataFrame({"id": range(3), "name": ["setosa", "versicolor", "virginica"]})


def write(path: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """As pandas writes databases and workbooks."""
    if path.suffix in {".db", ".sqlite"}:
        with closing(sqlite3.connect(path)) as base:
            for name, frame in tables.items():
                frame.to_sql(name, base, index=False)
    else:
        with pd.ExcelWriter(path, engine="openpyxl") as book:
            for name, frame in tables.items():
                frame.to_excel(book, sheet_name=name, index=False)
    return path


@pytest.mark.parametrize("name", ["t.db", "t.xlsx"])
def test_one_table(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    frame = IRIS.assign(
        day=pd.date_range("2024-01-01", periods=150), town=np.array(["Rom", "Ulm", None])[rng.integers(0, 3, 150)]
    )
    write(tmp_path / name, {"iris": frame})
    (dataset,) = datalint.detect(tmp_path / name)
    assert (dataset.name, dataset.label and dataset.label.name) == ("iris", "target")
    assert {f.name: f.kind for f in dataset.fields} == {
        **dict.fromkeys(IRIS, "number"),
        "day": "time",
        "town": "text",
    }
    (rows,) = load(dataset).clean.tables.values()
    pd.testing.assert_frame_equal(rows[[*IRIS]], IRIS, check_dtype=False)
    assert rows["town"].isna().sum() == frame["town"].isna().sum()


@pytest.mark.parametrize("name", ["t.sqlite", "t.xlsx"])
@pytest.mark.parametrize("folder", [True, False])
def test_splits_and_faults(tmp_path: Path, name: str, folder: bool) -> None:
    write(tmp_path / name, {"train": IRIS[:100], "test": IRIS[70:], "species": NOTES})
    report = datalint.scan(tmp_path if folder else tmp_path / name, select=["SPL101", "FIL101"], cache=False)
    (dataset,) = report.datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 100, "test": 80}
    assert [(f.code, f.severity) for f in report.findings] == [("SPL101", "error"), ("FIL101", "info")]
    assert "/species was left out of the scan: a list beside larger tables" in report.findings[1].message
    assert dataset.layout.endswith(", one table per split")


def test_several_tables_are_several_data_sets(tmp_path: Path) -> None:
    other = pd.DataFrame({"a": np.arange(90.0), "b": np.arange(90.0)[::-1] ** 2, "label": ["x", "y"] * 45})
    write(tmp_path / "t.db", {"iris": IRIS, "other": other})
    report = datalint.scan(tmp_path / "t.db", select=["FIL101"], cache=False)
    assert {dataset.name: dataset.splits[0].samples for dataset in report.datasets} == {"iris": 150, "other": 90}


def test_what_databases_hold_beside_plain_tables(tmp_path: Path) -> None:
    frame = IRIS.assign(picture=[bytes([k, 0, 255]) for k in range(150)])
    write(tmp_path / "t.db", {'odd "name"': pd.concat([frame, frame[:4]])})
    with closing(sqlite3.connect(tmp_path / "t.db")) as base:
        base.execute('CREATE VIEW every AS SELECT * FROM "odd ""name"""')
        base.execute("CREATE TABLE keyed (k TEXT PRIMARY KEY, v REAL, w REAL) WITHOUT ROWID")
        base.executemany("INSERT INTO keyed VALUES (?, ?, ?)", [(f"k{k}", k, k * k) for k in range(50)])
        base.execute('UPDATE "odd ""name""" SET target = \'none\' WHERE rowid = 9')
        base.commit()
    before = sorted(tmp_path.iterdir())
    report = datalint.scan(tmp_path / "t.db", select=["DUP101", "FIL101"], cache=False)
    found = {dataset.name: dataset for dataset in report.datasets}
    assert {name: dataset.splits[0].samples for name, dataset in found.items()} == {'odd "name"': 154, "keyed": 50}
    assert {f.code for f in found['odd "name"'].findings} == {"DUP101", "FIL101"}
    assert sorted(tmp_path.iterdir()) == before


def test_it_is_a_table_only_if_its_content_says_so(tmp_path: Path) -> None:
    IRIS.to_csv(tmp_path / "iris.csv", index=False)
    write(tmp_path / "codebook.xlsx", {"columns": NOTES})
    write(tmp_path / "app.db", {"users": NOTES})
    (tmp_path / "thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(99))
    report = datalint.scan(tmp_path, select=["FIL101"], cache=False)
    assert ([dataset.name for dataset in report.datasets], list(report.findings)) == (["iris"], [])


def test_a_title_above_the_header(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "t.xlsx", engine="openpyxl") as book:
        IRIS.to_excel(book, sheet_name="s", index=False, startrow=3, startcol=1)
        book.sheets["s"]["B1"] = "Flowers of 1936"
    (dataset,) = datalint.detect(tmp_path / "t.xlsx")
    assert [field.name for field in dataset.fields] == [*IRIS]


def test_without_the_reader_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    write(tmp_path / "t.xlsx", {"iris": IRIS})
    for place in (tmp_path, tmp_path / "t.xlsx"):
        with pytest.raises(DatalintError, match=re.escape(install("excel"))) as caught:
            datalint.detect(place)
        assert "\n" not in str(caught.value)
    IRIS.to_csv(tmp_path / "iris.csv", index=False)
    (finding,) = datalint.scan(tmp_path, select=["FIL101"], cache=False).findings
    assert finding.severity == "info" and install("excel") in finding.message


@pytest.mark.parametrize("name", ["t.db", "t.xlsx"])
@pytest.mark.parametrize("cut", [20, 2000, -3000])
def test_damaged_ones(tmp_path: Path, name: str, cut: int) -> None:
    write(tmp_path / name, {"train": pd.concat([IRIS] * 9)})
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:cut])
    try:
        report = datalint.scan(tmp_path / name, select=["FIL101"], cache=False)
    except DatalintError as error:
        assert name in str(error) and "\n" not in str(error)
    else:
        assert [finding.severity for finding in report.findings] == ["error"]


def test_changes_that_lie_beside_a_database_are_told(tmp_path: Path) -> None:
    write(tmp_path / "t.db", {"iris": IRIS})
    with closing(sqlite3.connect(tmp_path / "t.db")) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("DELETE FROM iris WHERE rowid < 20")
        base.commit()
        (finding,) = datalint.scan(tmp_path / "t.db", select=["FIL101"], cache=False).findings
    assert "changes in t.db-wal are not read" in finding.message


def test_they_are_not_written_again(tmp_path: Path) -> None:
    write(tmp_path / "t.db", {"iris": pd.concat([IRIS, IRIS[:9]])})
    outcome = call(tmp_path, "fix", "t.db", "--out", "new", "--select", "DUP101")
    assert (outcome.status, outcome.out) == (2, "")
    assert "such files are not written again; save the table as CSV or Parquet" in outcome.err
    kinds: Any = call(tmp_path, "plant", "LBL108", "t.db", "--out", "faulty")
    assert kinds.status == 0, kinds.err


def duck(path: Path, tables: dict[str, pd.DataFrame], *more: str) -> Path:
    with duckdb.connect(path) as base:
        for name, frame in tables.items():
            base.register("given", frame)
            base.execute(f'CREATE TABLE "{name}" AS SELECT * FROM given')
        for command in more:
            base.execute(command)
    return path


def test_duckdb(tmp_path: Path) -> None:
    frame = IRIS.assign(day=pd.date_range("2024-01-01", periods=150), tags=pd.Series([[k % 3] for k in range(150)]))
    duck(
        tmp_path / "t.db",
        {"train": frame.head(100), "test": frame.tail(50), "no tes": NOTES},
        "CREATE VIEW v AS FROM train",
    )
    first, *others = datalint.detect(tmp_path)
    assert (first.layout, first.label and first.label.name) == ("DuckDB, one table per split", "target")
    assert not others
    report = datalint.scan(tmp_path, cache=False)
    assert {split.name: split.samples for split in report.datasets[0].splits} == {"train": 100, "test": 50}
    told = str([f.affected for f in report.findings if f.code == "FIL101"])
    assert "the view 'v'" in told and "a list beside larger tables" in told
    found = load(first).clean.tables["train"]
    pd.testing.assert_frame_equal(found[[*IRIS]], IRIS.head(100), check_dtype=False)


def test_duckdb_damaged_and_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = duck(tmp_path / "t.duckdb", {"iris": IRIS})
    whole = path.read_bytes()
    path.write_bytes(whole[:5_000])
    with pytest.raises(DatalintError, match="a damaged DuckDB database, or one in use"):
        datalint.detect(tmp_path)
    path.write_bytes(whole)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for place in (path, tmp_path):
        with pytest.raises(DatalintError, match=re.escape(install("duckdb"))):
            datalint.detect(place)


def test_views_are_told(tmp_path: Path) -> None:
    write(tmp_path / "t.db", {"iris": IRIS})
    with closing(sqlite3.connect(tmp_path / "t.db")) as base:
        base.execute(
            "CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT * FROM n"
        )
    report = datalint.scan(tmp_path / "t.db", cache=False)
    assert "the view 'endless'" in str([f.affected for f in report.findings if f.code == "FIL101"])
