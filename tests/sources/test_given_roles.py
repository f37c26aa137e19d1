"""Roles of columns and the task, as the user gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from pathlib import Path

FAST: dict[str, Any] = {"preset": "fast", "cache": False}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two splits of rows that differ in a column of codes alone: 30 of them are in both."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"code": rng.permutation(400), "a": rng.normal(size=400), "b": rng.normal(size=400)})
    frame["made"] = pd.date_range("2020-01-01", periods=400).astype(str)
    frame["grade"] = rng.integers(1, 6, 400)
    train, test = frame[:300], frame[300:].copy()
    test.iloc[:30, 1:] = train.iloc[:30, 1:].to_numpy()
    for name, part in (("train", train), ("test", test)):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def codes(report: datalint.Report) -> set[str]:
    return {finding.code for finding in report.findings}


def scan(table: Path, **config: Any) -> datalint.Report:
    return datalint.scan(table, label="grade", config=config, **FAST)


def test_a_column_that_tells_rows_apart_is_no_content_once_it_is_an_id(table: Path) -> None:
    report = scan(table, select=["SPL101"], roles={"feature": "code"})
    assert "SPL101" not in codes(report)
    report = scan(table, select=["SPL101"], roles={"id": "cod*"})
    (finding,) = (finding for finding in report.findings if finding.code == "SPL101")
    assert finding.affected.count == 30


def test_what_is_ignored_is_judged_by_no_rule(table: Path) -> None:
    for part in ("train", "test"):
        frame = pd.read_csv(table / f"{part}.csv")
        frame["constant"] = 1.5
        frame.to_csv(table / f"{part}.csv", index=False)
    assert "VAL105" in codes(scan(table, select=["VAL105"]))
    assert "VAL105" not in codes(scan(table, select=["VAL105"], roles={"ignore": ["constant"]}))


def test_a_time_column_of_any_name(table: Path) -> None:
    def skipped(report: datalint.Report) -> list[str | None]:
        return [status.reason for status in report.datasets[0].rules if status.status == "skipped"]

    assert skipped(scan(table, select=["SPL108"], roles={"text": "made"})) == ["there is no time column"]
    assert skipped(scan(table, select=["SPL108"], roles={"time": "made"})) != ["there is no time column"]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_task_is_what_is_said(table: Path, task: str) -> None:
    label = scan(table, select=["LBL101"], task=task).datasets[0].label
    assert label is not None and label.task == task


def test_a_column_that_does_not_exist_is_named_with_the_nearest(table: Path) -> None:
    with pytest.raises(DatalintError, match=r"roles\.id: no column is called 'cod'; did you mean 'code'\?"):
        scan(table, roles={"id": ["cod"]})
    frame = pd.DataFrame({"a": np.arange(50.0), "b": np.arange(50.0)[::-1]})
    with pytest.raises(DatalintError, match="task = 'regression' needs a label"):
        datalint.scan(frame, config={"task": "regression"}, **FAST)
