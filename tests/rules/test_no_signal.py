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
    assert "with 1,000 samples an AUC of 0.57 would have shown" in finding.message


def test_a_weak_signal_is_silent() -> None:
    # An AUC of 0.58, which no model beats chance with by log-loss.
    assert not scan(frame(1000, 0.3)).findings


def test_few_samples_say_nothing() -> None:
    report = scan(frame(150, 0))
    assert not report.findings
    assert "too few to tell" in reason(report)


def test_where_there_is_signal_it_says_how_much() -> None:
    report = scan(frame(1000, 4))
    assert not report.findings
    assert "of the uncertainty about the label" in reason(report)
