"""Tables below folders such as ``label=cat/``, as pandas and Spark write them: what the names of folders say is a column."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_wine

import datalint
from datalint.planting.load import load
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

WINE: pd.DataFrame = load_wine(as_frame=True).frame.sample(frac=1, random_state=0).reset_index(drop=True)


def warned(path: Path) -> dict[str, str]:
    return {f.code: f.severity for f in datalint.scan(path, cache=False).findings if f.severity != "info"}


def test_label(tmp_path: Path) -> None:
    frame = WINE.assign(target=WINE["target"].map({0: "a b", 1: "b/c", 2: "ç"}))
    frame.to_parquet(tmp_path, partition_cols=["target"])
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.layout, dataset.label and dataset.label.name) == ("Parquet, partition folders", "target")
    assert dataset.by_class
    report = datalint.scan(tmp_path, cache=False)
    assert report.datasets[0].splits[0].classes == dict(Counter(frame["target"]))
    assert not [f.code for f in report.findings if f.severity != "info"]
    (rows,) = load(dataset).clean.tables.values()
    key = ["target", "alcohol", "proline", "hue"]
    expected = frame.sort_values(key)[key].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows[key].sort_values(key).reset_index(drop=True), expected, check_dtype=False)


def test_dates_countries_and_gaps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    years = np.sort(rng.choice([2023, 2024], len(WINE)))
    country = pd.Series(rng.choice(["de", "fr"], len(WINE)))
    country[rng.random(len(WINE)) < 0.01] = None
    frame = WINE.assign(year=years, country=country)
    frame.sample(frac=1, random_state=1).to_parquet(tmp_path, partition_cols=["year", "country"])
    (dataset,) = datalint.detect(tmp_path)
    columns: dict[str, Any] = {f.name: (f.kind, f.role) for f in dataset.fields}
    assert columns["year"] == ("number", "time")
    assert columns["country"] == ("text", "feature")
    assert columns["__index_level_0__"][1] == "index"
    assert dataset.label is not None and dataset.label.name == "target"
    assert not warned(tmp_path).keys() - {"VAL103"}
    (rows,) = load(dataset).clean.tables.values()
    assert rows["country"].isna().sum() == frame["country"].isna().sum()
    assert Counter(rows["year"].astype(int)) == Counter(years.tolist())


def test_splits(tmp_path: Path) -> None:
    split = np.resize(["train", "train", "test"], len(WINE))
    for name, order in (("first", ["split", "target"]), ("last", ["target", "split"])):
        WINE.assign(split=split).to_parquet(tmp_path / name, partition_cols=order)
        (dataset,) = datalint.detect(tmp_path / name)
        assert [one.name for one in dataset.splits] == ["train", "test"]
        assert dataset.label is not None and dataset.label.name == "target"
        (info,) = datalint.scan(tmp_path / name, cache=False).datasets
        assert {one.name: one.samples for one in info.splits} == {"train": 119, "test": 59}
        assert not warned(tmp_path / name)


def test_delimited_text_and_damage(tmp_path: Path) -> None:
    for kind, group in WINE.groupby("target"):
        (tmp_path / f"species={kind}").mkdir()
        group.drop(columns="target").to_csv(tmp_path / f"species={kind}" / "part-0.csv", index=False)
    (tmp_path / "species=1" / "part-1.csv").write_bytes(b"\x00\x01\x02")
    report = datalint.scan(tmp_path, cache=False)
    assert (report.datasets[0].label and report.datasets[0].label.name) == "species"
    assert report.datasets[0].splits[0].classes == {str(k): n for k, n in Counter(WINE["target"]).items()}
    (finding,) = [f for f in report.findings if f.code == "FIL101"]
    assert "part-1.csv" in str(finding.affected)


def test_mending_keeps_the_folders(tmp_path: Path) -> None:
    twice = pd.concat([WINE, WINE.head(5)])
    twice.to_parquet(tmp_path / "lake", partition_cols=["target"], index=False)
    outcome = call(tmp_path, "fix", "lake", "--out", "new", "--select", "DUP101")
    assert outcome.status == 0, outcome.err
    (tmp_path / "new" / "fix-log.json").unlink()
    assert Counter(pd.read_parquet(tmp_path / "new")["target"].astype(int)) == Counter(WINE["target"])
    (file,) = (tmp_path / "new" / "target=0").iterdir()
    assert "target" not in pd.read_parquet(file, partitioning=None).columns
