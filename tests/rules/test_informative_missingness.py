"""SIG104: gaps that say something, and gaps that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.report.models import Finding


def frame(sick: float, healthy: float, rows: int = 800) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(["sick", "healthy"], rows // 2))
    gap = rng.random(rows) < np.where(labels == "sick", sick, healthy)
    return pd.DataFrame(
        {"age": rng.integers(20, 80, rows), "test": np.where(gap, np.nan, rng.normal(size=rows)), "y": labels}
    )


def found(table: pd.DataFrame) -> Sequence[Finding]:
    return datalint.scan(table, label="y", select=["SIG104"], cache=False).findings


def test_gaps_of_one_class_are_a_warning() -> None:
    (finding,) = found(frame(0.1, 0.7))
    assert (finding.severity, finding.column) == ("warning", "test")
    assert "are empty where the class is 'healthy'" in finding.message or "where the class is 'sick'" in finding.message


def test_a_weak_relation_is_info_and_none_is_silent() -> None:
    assert [finding.severity for finding in found(frame(0.2, 0.35))] == ["info"]
    assert not found(frame(0.3, 0.3))
    assert not found(frame(0.0, 0.01))


def test_gaps_of_texts_count_too_and_are_told_together() -> None:
    table = frame(0.1, 0.7)
    table["word"] = ["seen" if known else None for known in table["test"].notna()]
    (finding,) = found(table)
    assert finding.column is None
    assert finding.message.endswith("; so do those of 1 more column")


def test_gaps_against_a_numeric_target() -> None:
    table = frame(0.1, 0.7)
    table["y"] = np.random.default_rng(1).normal(size=len(table)) + 3 * table["test"].isna()
    (finding,) = found(table)
    assert finding.severity == "warning"
    assert "the median target is" in finding.message
