"""SPL109: how well a split can measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.report.models import Finding


def table(rows: int, classes: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(rows)
    return pd.DataFrame({"x": rng.normal(size=rows), "y": np.arange(rows) % classes})


def found(**parts: pd.DataFrame) -> Sequence[Finding]:
    return datalint.scan(parts, label="y", select=["SPL109"], cache=False).findings


@pytest.mark.parametrize(
    ("train", "test", "severities"),
    [
        (5000, 1000, []),
        (5000, 100, []),
        (5000, 80, ["info"]),
        (5000, 30, ["warning"]),
        (300, 60, []),  # a fair share of a small set
        (120, 30, ["info"]),
        (40, 8, ["warning"]),
    ],
)
def test_severity(train: int, test: int, severities: list[str]) -> None:
    assert [finding.severity for finding in found(train=table(train), test=table(test))] == severities


def test_the_interval_is_told() -> None:
    (finding,) = found(train=table(5000), test=table(30))
    assert finding.message == (
        "test has only 30 samples (0.6% of all): accuracy measured on it is known to within 18 points either way"
    )


def test_classes_with_few_samples_in_a_split_are_info() -> None:
    (finding,) = found(train=table(5000, 200), test=table(400, 200))
    assert finding.severity == "info"
    assert "200 of 200 classes have fewer than 5 samples in test" in finding.message


def test_a_test_split_larger_than_train_is_worth_a_word() -> None:
    (finding,) = found(train=table(300), test=table(900))
    assert (finding.severity, finding.split) == ("info", "test")


def test_labels_of_other_names_are_not_classes_without_samples() -> None:
    other = table(400, 4).assign(y=lambda t: t["y"] + 10)
    assert not found(train=table(5000, 4), test=other)
    # One class in common is enough to speak of those that lack.
    assert found(train=table(5000, 4), test=other.assign(y=lambda t: t["y"] - 7))
