"""NRM101: raw tables are info, only absurd ratios a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Finding


def found(**columns: np.ndarray) -> list[Finding]:
    rows = len(next(iter(columns.values())))
    table = pd.DataFrame({**columns, "y": ["a", "b"] * (rows // 2)})
    return datalint.scan(table, label="y", select=["NRM101"]).findings


NORMAL = np.random.default_rng(0).normal(size=(400, 3))


def test_raw_tables_are_info_and_scaled_ones_pass() -> None:
    frame = datasets.load_breast_cancer(as_frame=True).frame
    (finding,) = datalint.scan(frame, label="target", select=["NRM101"]).findings
    assert finding.severity == "info"
    assert finding.evidence["largest"] == "worst area"
    assert finding.evidence["smallest"] == "fractal dimension error"
    features = frame.columns.drop("target")
    frame[features] = (frame[features] - frame[features].mean()) / frame[features].std()
    assert not datalint.scan(frame, label="target", select=["NRM101"]).findings


@pytest.mark.parametrize(("factor", "severity"), [(3, None), (1e3, "info"), (1e6, "info"), (1e9, "warning")])
def test_ratio(factor: float, severity: str | None) -> None:
    findings = found(a=NORMAL[:, 0], b=NORMAL[:, 1] * factor)
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def test_one_wild_value_makes_no_scale() -> None:
    wild = NORMAL[:, 1].copy()
    wild[7] = 1e15
    (finding,) = found(a=NORMAL[:, 0], b=wild)
    assert finding.severity == "info"


def test_means_far_from_zero_are_info() -> None:
    (finding,) = found(a=NORMAL[:, 0], b=NORMAL[:, 1] + 50)
    assert finding.severity == "info"
    assert "1 of 2 features lie far from zero, most of all 'b'" in finding.message


def test_rounding_of_a_constant_is_no_spread() -> None:
    constant = 1e9 + NORMAL[:, 2] * 1e-7
    assert not found(a=NORMAL[:, 0], b=NORMAL[:, 1], c=constant)
