"""SPL108: splits by time, and splits at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Report


def table(days: np.ndarray) -> pd.DataFrame:
    rng = np.random.default_rng(len(days))
    when = (pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d")
    return pd.DataFrame({"date": when, "x": rng.normal(size=len(days)), "y": rng.integers(0, 2, len(days))})


def scan(train: np.ndarray, test: np.ndarray) -> Report:
    return datalint.scan({"train": table(train), "test": table(test)}, label="y", select=["SPL108"], cache=False)


def test_a_clean_split_by_time_passes_and_says_so() -> None:
    report = scan(np.arange(300), np.arange(299, 400))
    assert not report.findings
    assert "train ends before test begins, by 'date'" in str(report.datasets[0].rules[0].reason)


def test_late_rows_of_train_are_named() -> None:
    report = scan(np.append(np.arange(300), [350, 360]), np.arange(300, 400))
    (finding,) = report.findings
    assert (finding.severity, finding.split, finding.column) == ("warning", "train", "date")
    assert "but 2 of 302 train rows (0.7%) are later than 2020-10-27, where test begins" in finding.message
    assert sorted(report.affected("SPL108")["index"]) == [300, 301]


def test_a_random_split_is_info() -> None:
    days = np.random.default_rng(0).permutation(400)
    (finding,) = scan(days[:300], days[300:]).findings
    assert finding.severity == "info"


def test_train_after_test_is_a_warning() -> None:
    (finding,) = scan(np.arange(100, 400), np.arange(100)).findings
    assert (finding.severity, finding.split) == ("warning", "test")


def test_one_wrong_date_does_not_decide_where_test_begins() -> None:
    assert not scan(np.arange(300), np.append(np.arange(300, 700), 5)).findings
