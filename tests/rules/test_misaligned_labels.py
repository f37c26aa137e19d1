"""LBL107: labels that slipped, and series that only look so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.report.models import Finding


def found(source: object) -> Sequence[Finding]:
    return datalint.scan(source, label="target", select=["LBL107"], cache=False).findings


@pytest.fixture(scope="module")
def digits() -> pd.DataFrame:
    frame: pd.DataFrame = load_digits(as_frame=True).frame
    return frame.sample(frac=1, random_state=0).reset_index(drop=True)


@pytest.mark.parametrize("lag", [1, 7, -3])
def test_the_lag_is_told(digits: pd.DataFrame, lag: int) -> None:
    (finding,) = found(digits.assign(target=np.roll(digits["target"], lag)))
    assert finding.severity == "error"
    assert finding.evidence["lag"] == lag
    assert float(str(finding.evidence["agreement_at_lag"])) > 0.95
    assert float(str(finding.evidence["agreement_at_row"])) < 0.15


def test_a_dropped_row_shifts_what_follows(digits: pd.DataFrame) -> None:
    labels = digits["target"].to_numpy(copy=True)
    labels[900:-1] = labels[901:]
    (finding,) = found(digits.assign(target=labels))
    assert "in the second half of all" in finding.message
    assert finding.evidence["lag"] == -1


def test_what_is_in_order_is_silent(digits: pd.DataFrame) -> None:
    assert not found(digits)
    assert not found(digits.sort_values("target"))
    assert not found(load_digits(as_frame=True).frame)  # stored 0, 1, 2, ... in rounds


def test_labels_shuffled_in_one_split(digits: pd.DataFrame) -> None:
    parts = {"train": digits[:1200], "test": digits[1200:].reset_index(drop=True)}
    assert not found(parts)
    parts["test"] = parts["test"].assign(target=np.random.default_rng(0).permutation(parts["test"]["target"]))
    (finding,) = found(parts)
    assert (finding.severity, finding.split) == ("error", "test")
    assert "do not belong to their rows" in finding.message


def test_labels_without_signal_are_silent(digits: pd.DataFrame) -> None:
    assert not found(digits.assign(target=np.random.default_rng(0).permutation(digits["target"])))


def test_a_series_that_foretells_the_next_row_is_info() -> None:
    returns = np.random.default_rng(0).normal(size=1203)
    frame = pd.DataFrame({f"lag{k}": returns[3 - k : 1203 - k] for k in (1, 2, 3)})
    frame["target"] = np.where(returns[3:] > 0, "up", "down")
    assert all(finding.severity == "info" for finding in found(frame))


@pytest.mark.parametrize("kind", ["two", "five", "number"])
@pytest.mark.parametrize("exchanged", [False, True])
def test_labels_that_mean_something_else_in_test(kind: str, exchanged: bool) -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(900, 3))
    y: np.ndarray = x[:, 0] + 0.5 * x[:, 1]
    if kind != "number":
        cuts = np.quantile(y, [0.5] if kind == "two" else [0.2, 0.4, 0.6, 0.8])
        y = np.searchsorted(cuts, y)
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y})
    train, test = table[:600], table[600:].copy()
    if exchanged:
        test["y"] = -test["y"] if kind == "number" else (test["y"] + 1) % (2 if kind == "two" else 5)
    found = datalint.scan({"train": train, "test": test}, label="y", select=["LBL107"], cache=False).findings
    assert [(f.severity, f.split) for f in found] == [("error", "test")] * exchanged
