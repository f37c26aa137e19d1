"""LBL111: numbers to be predicted that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from datalint.report.models import Report

    Draw = Callable[[np.random.Generator, NDArray[np.float64]], NDArray[np.float64]]

N = 900
TARGETS: dict[str, Draw] = {
    "straight": lambda rng, X: X @ np.array([2.0, -1, 1, 0.5, 3]) + 0.3 * rng.normal(size=N),
    "curved": lambda rng, X: X[:, 0] ** 2 + np.sin(3 * X[:, 1]) + 2 * X[:, 2] + 0.2 * rng.normal(size=N),
    "long tails": lambda rng, X: 3 * X[:, 0] + X[:, 1] + 0.3 * rng.standard_t(2, N),
    "prices": lambda rng, X: np.exp(1.5 * X[:, 0] + X[:, 1] + 0.3 * rng.normal(size=N)),
    "often nothing": lambda rng, X: np.where(rng.random(N) < 0.1, 0, np.abs(2 * X[:, 0] + 5)),
}


def table(kind: str, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 5))
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(5)]).assign(y=TARGETS[kind](rng, X))


def scan(frame: pd.DataFrame) -> Report:
    return datalint.scan(frame, label="y", select=["LBL111"], config=False)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", TARGETS)
def test_silent_on_right_targets(kind: str, seed: int) -> None:
    assert not scan(table(kind, seed)).findings


@pytest.mark.parametrize("kind", ["straight", "curved", "often nothing"])
def test_wrong_ones_are_named(kind: str) -> None:
    frame = table(kind, 2)
    rng = np.random.default_rng(0)
    wrong = rng.choice(N, N // 50, replace=False)
    frame.loc[wrong, "y"] += rng.choice([-1, 1], len(wrong)) * 8 * frame.y.std()
    report = scan(frame)
    (finding,) = report.findings
    named = set(report.affected("LBL111")["index"])
    assert finding.severity == "warning"
    assert len(named & set(wrong.tolist())) >= 0.9 * max(len(named), len(wrong))


def test_one_wrong_target_is_info_and_what_it_should_be_is_told() -> None:
    frame = table("straight", 3)
    right = frame.y[17]
    frame.loc[17, "y"] = 1_000.0
    (finding,) = scan(frame).findings
    (sample,) = finding.affected.samples
    assert (finding.severity, sample.index, sample.detail["target"]) == ("info", 17, 1_000.0)
    assert sample.detail["expected"] == pytest.approx(right, abs=2)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (table("straight", 0).head(80), "fewer than 100 samples have a finite target"),
        (table("straight", 0).assign(y=np.random.default_rng(0).normal(size=N)), "too much to doubt single ones"),
        (table("straight", 0)[["y"]].assign(x=1.0), "no feature varies"),
    ],
)
def test_says_why_not(frame: pd.DataFrame, reason: str) -> None:
    (status,) = scan(frame).datasets[0].rules
    assert status.status == "skipped" and reason in (status.reason or "")
