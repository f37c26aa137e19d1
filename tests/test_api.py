"""The Python API: one call from a source to a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn import datasets

import datalint
from datalint.api import settings_of
from datalint.core.errors import DatalintError
from datalint.rules.registry import select_rules

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from datalint.report.models import Report

LABEL_RULES = ("ORD103", "LBL101", "FIL101")


def iris() -> pd.DataFrame:
    table: pd.DataFrame = datasets.load_iris(as_frame=True).frame
    return table


def scan(source: object, **options: object) -> Report:
    return datalint.scan(source, select=LABEL_RULES, cache=False, **options)  # type: ignore[arg-type]


def test_paths_and_objects_give_the_same_answer(tmp_path: Path) -> None:
    iris().to_csv(tmp_path / "iris.csv", index=False)
    iris().to_parquet(tmp_path / "iris.parquet")
    x, y = iris().drop(columns="target"), iris()["target"]
    reports = [
        scan(str(tmp_path / "iris.csv")),
        scan(tmp_path / "iris.parquet"),
        scan(iris(), label="target"),
        scan((x, y)),
        scan((x.to_numpy(), y.to_numpy())),
        scan({"all": iris()}),
    ]
    for report in reports:
        (dataset,) = report.datasets
        assert dataset.splits[0].classes == {"0": 50, "1": 50, "2": 50}
        assert [finding.code for finding in report.findings] == ["ORD103"]


def test_several_paths(tmp_path: Path) -> None:
    iris().to_csv(tmp_path / "one.csv", index=False)
    iris().add_prefix("other ").to_csv(tmp_path / "two.csv", index=False)
    report = scan([tmp_path / "one.csv", str(tmp_path / "two.csv")])
    assert [dataset.name for dataset in report.datasets] == ["one", "two"]
    assert report.summary.datasets == 2


def test_patterns_by_split(tmp_path: Path) -> None:
    for name in ("a", "b"):
        iris().to_csv(tmp_path / f"{name}.csv", index=False)
    report = scan(tmp_path, splits={"train": "a*", "test": ["b.csv"]})
    assert [split.name for split in report.datasets[0].splits] == ["train", "test"]


def test_detect_scans_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    iris().to_csv(path, index=False)
    (dataset,) = datalint.detect(path, label="0")
    assert dataset.label is not None and dataset.label.name == "sepal length (cm)"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "is not a path"),
        (" ", "is not a path"),
        ([""], "is not a path"),
        ("nowhere.csv", "no such file or folder"),
        (object(), "the type object"),
    ],
)
def test_what_cannot_be_scanned(source: object, message: str) -> None:
    with pytest.raises(DatalintError, match=message):
        scan(source)


def test_options_that_make_no_sense(tmp_path: Path) -> None:
    table = iris()
    with pytest.raises(DatalintError, match="batch-size: input should be greater"):
        scan(table, batch_size=0)
    with pytest.raises(DatalintError, match="no rule matches"):
        datalint.scan(table, select=["XYZ"])
    for name in ("one", "two"):
        table.add_prefix(name).to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(DatalintError, match="there are 2"):
        scan([tmp_path / "one.csv", tmp_path / "two.csv"], pred_probs=np.eye(3))


@pytest.mark.parametrize("select", ["LBL101, ORD103", ["LBL101,ORD103"], ["LBL101", "ORD103"]])
def test_codes_are_those_of_the_command_line(select: str | list[str]) -> None:
    report = datalint.scan(iris(), label="target", select=select, cache=False)
    assert {rule.code for rule in report.datasets[0].rules} == {"LBL101", "ORD103"}
    assert [rule.code for rule in select_rules("LBL101,ORD103")] == ["LBL101", "ORD103"]


def test_sizes_are_those_of_the_command_line() -> None:
    assert settings_of(iris(), {"memory": "1.5 GiB"}).config.memory == 3 << 29
    with pytest.raises(DatalintError, match="memory: a size is wanted"):
        scan(iris(), memory="lots")


def test_every_affected_sample_is_there(tmp_path: Path) -> None:
    iris().to_csv(tmp_path / "a.csv", index=False)
    with (tmp_path / "a.csv").open("a") as file:
        file.write("1,2\n")
    report = scan(tmp_path / "a.csv")
    affected = report.affected("FIL101")
    assert list(affected["id"]) == [(tmp_path / "a.csv").as_posix()]
    assert {"split", "index", "id", "fingerprint"} <= set(affected.columns)
    assert report.affected("IMG101").empty
    assert report.affected("unreadable-file").equals(affected)
    for typo, near in (("LBL12", "LBL"), ("fil101", "FIL101"), ("unreadable-fil", "unreadable-file")):
        with pytest.raises(DatalintError, match=rf"no rule is called '{typo}'; did you mean '{near}"):
            report.affected(typo)


def test_files_are_whole_and_the_same_twice(tmp_path: Path) -> None:
    first, second = scan(iris(), label="target"), scan(iris(), label="target")
    first.to_json(tmp_path / "deep" / "a.json")
    first.to_html(tmp_path / "a.html")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.html", "a.json", "deep"]
    one, two = json.loads(first.to_json()), json.loads(second.to_json())
    del one["run"], two["run"]
    assert one == two
    assert "\ufffd" not in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    report = scan(iris(), label="target")
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "file" / "a.json", tmp_path / "folder", tmp_path / ("n" * 300)):
        with pytest.raises(DatalintError, match="cannot write"):
            report.to_json(place)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "x"
