"""SPL105: what a random split gives, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from datalint.report.models import Finding


def table(counts: dict[str, int], seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat([*counts], [*counts.values()]))
    return pd.DataFrame({"x": rng.normal(size=len(labels)), "y": labels})


def found(train: dict[str, int], test: dict[str, int]) -> Sequence[Finding]:
    parts = {"train": table(train), "test": table(test, 1)}
    return datalint.scan(parts, label="y", select=["SPL105"], cache=False).findings


def test_shares_that_differ_are_told_with_numbers() -> None:
    (finding,) = found({"a": 700, "b": 300}, {"a": 120, "b": 180})
    assert finding.severity == "warning"
    assert finding.split == "test"
    assert "is 40.0% of test and 70.0% of train" in finding.message
    assert finding.evidence["total_variation"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ({"a": 700, "b": 300}, {"a": 205, "b": 95}),
        ({"a": 70, "b": 30}, {"a": 18, "b": 12}),  # far apart, but of thirty samples
        ({"a": 700, "b": 300, "rare": 2}, {"a": 205, "b": 95}),  # chance
        ({"a": 700, "b": 300}, {"a": 205, "b": 95, "rare": 1}),
    ],
)
def test_what_chance_gives_is_silent(train: dict[str, int], test: dict[str, int]) -> None:
    assert not found(train, test)


def test_small_but_certain_differences_are_info() -> None:
    (finding,) = found({"a": 7000, "b": 3000}, {"a": 6400, "b": 3600})
    assert finding.severity == "info"


def test_a_new_class_is_an_error_and_a_lacking_one_a_warning() -> None:
    (finding,) = found({"a": 700, "b": 300}, {"a": 200, "b": 80, "c": 40})
    assert (finding.severity, finding.class_) == ("error", "c")
    assert finding.message.startswith("40 of 320 samples of test are of a class that train lacks ('c')")
    (finding,) = found({"a": 700, "b": 300, "c": 100}, {"a": 220, "b": 90})
    assert (finding.severity, finding.class_) == ("warning", "c")


def test_labels_written_differently_share_no_class() -> None:
    (finding,) = found({"<=50K": 700, ">50K": 300}, {"<=50K.": 220, ">50K.": 90})
    assert finding.severity == "error"
    assert "no class of test occurs in train" in finding.message


def test_a_numeric_target_is_compared_by_its_distribution() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=900), np.round(rng.normal(50, 9, 900), 3)
    parts = {"train": pd.DataFrame({"x": x[:600], "y": y[:600]}), "test": pd.DataFrame({"x": x[600:], "y": y[600:]})}
    assert not datalint.scan(parts, label="y", select=["SPL105"], cache=False).findings
    parts["test"]["y"] += 6
    (finding,) = datalint.scan(parts, label="y", select=["SPL105"], cache=False).findings
    assert finding.severity == "warning"


def test_words_that_no_row_of_train_has_are_a_fault_of_a_column_that_was_only_guessed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = pd.DataFrame(rng.normal(size=(900, 5)).round(4), columns=[f"f{k}" for k in range(5)])
    whole["pay"] = np.where(whole["f0"] > 0, ">50K", "<=50K")
    whole.iloc[:600].to_csv(tmp_path / "train.csv", index=False)
    whole.iloc[600:].assign(pay=whole["pay"] + ".").to_csv(tmp_path / "test.csv", index=False)
    report = datalint.scan(tmp_path, select=["LBL105", "SPL105"])
    assert report.datasets[0].label is not None and report.datasets[0].label.confidence == "low"
    assert report.findings[0].severity == "error"
