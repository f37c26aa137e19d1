"""SIG101: nothing to learn, and enough samples to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Report


def frame(rows: int, weight: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 5))
    y = weight * X[:, 0] + rng.logistic(size=rows) > 0
    return pd.DataFrame(X, columns=list("abcde")).assign(y=np.where(y, "yes", "no"))


def scan(table: pd.DataFrame) -> Report:
    return datalint.scan(table, label="y", select=["SIG101"], cache=False)


def reason(report: Report) -> str:
    return str(report.datasets[0].rules[0].reason)


def test_noise_is_a_warning_that_states_its_power() -> None:
    (finding,) = scan(frame(1000, 0)).findings
    assert finding.severity == "warning"
    assert "with 1,000 samples an AUC of 0.60 would have shown" in finding.message


def test_a_weak_signal_is_silent() -> None:
    # An AUC of 0.58, which no model beats chance with by log-loss.
    assert not scan(frame(1000, 0.3)).findings


def test_few_samples_say_nothing() -> None:
    report = scan(frame(150, 0))
    assert not report.findings
    assert "too few to judge" in reason(report)


def test_where_there_is_signal_it_says_how_much() -> None:
    report = scan(frame(1000, 4))
    assert not report.findings
    assert "of the uncertainty about the label" in reason(report)


def numbers(rows: int, weight: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 5))
    kind = rng.choice(["red", "green", "blue"], rows)
    target = weight * (X[:, 0] * X[:, 1]) + rng.standard_t(3, rows)
    return pd.DataFrame(X, columns=list("abcde")).assign(kind=kind, y=target.round(4))


def test_numbers_that_nothing_predicts() -> None:
    (finding,) = scan(numbers(1000, 0)).findings
    assert finding.severity == "warning"
    assert "with 1,000 samples a rank correlation of 0.17 would have shown" in finding.message


def test_numbers_that_only_two_columns_together_predict() -> None:
    report = scan(numbers(1000, 1))
    assert not report.findings
    assert "say a little" in reason(report)


def test_numbers_that_follow_a_category() -> None:
    table = numbers(1000, 0)
    report = scan(table.assign(y=table["y"] + 3 * (table["kind"] == "red")))
    assert not report.findings
    assert "'kind' alone" in reason(report)


def test_few_numbers_say_nothing() -> None:
    report = scan(numbers(300, 0))
    assert not report.findings
    assert "too few to judge" in reason(report)


def test_the_order_of_rows_changes_nothing() -> None:
    table = frame(1000, 0)
    assert scan(table).findings[0].evidence["p_value"] == scan(table.iloc[::-1]).findings[0].evidence["p_value"]
