"""LBL104: labels that are none."""

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


def table(counts: dict[object, int]) -> pd.DataFrame:
    labels = [label for label, count in counts.items() for _ in range(count)]
    rng = np.random.default_rng(0)
    order = rng.permutation(len(labels))
    return pd.DataFrame({"x": rng.normal(size=len(labels)), "y": [labels[k] for k in order]})


def found(frame: pd.DataFrame) -> Sequence[Finding]:
    return datalint.scan(frame, label="y", select=["LBL104"], cache=False).findings


@pytest.mark.parametrize(
    "counts",
    [
        {"a": 40, "b": 40, "?": 2},
        {"a": 40, "b": 40, "unknown": 3},
        {"a": 40, "b": 40, "Unlabeled": 40},
        {"cat": 40, "dog": 40, "None": 30},
        {0: 40, 1: 40, 2: 40, -1: 5},
        {0: 40, 1: 40, 2: 40, 999: 40},
        {1: 40, 2: 40, 99: 5},
    ],
)
def test_placeholders_among_the_classes(counts: dict[object, int]) -> None:
    (finding,) = found(table(counts))
    assert finding.severity == "warning"
    assert finding.affected.count == [*counts.values()][-1]
    assert f"labelled '{[*counts][-1]}'" in finding.message


@pytest.mark.parametrize(
    "counts",
    [
        {"+": 40, "-": 40},
        {-1: 40, 1: 40},
        {-1: 40, 0: 40, 1: 40},
        {0: 40, 1: 40, 2: 40, 3: 2},
        {1: 40, 2: 40, 9: 40},
        {"none": 40, "mild": 40, "severe": 40},
        {"unknown": 40, "male": 40, "female": 40},
        {"minus": 40, "nano": 40},
    ],
)
def test_what_may_be_a_class_is_no_warning(counts: dict[object, int]) -> None:
    assert all(finding.severity == "info" for finding in found(table(counts)))


def test_empty_labels_are_named() -> None:
    frame = table({"a": 30, "b": 30})
    frame.loc[[4, 11], "y"] = None
    report = datalint.scan(frame, label="y", select=["LBL104"], cache=False)
    (finding,) = report.findings
    assert finding.message == "2 of 60 samples have no label (3.33%)"
    assert sorted(report.affected("LBL104")["index"]) == [4, 11]


def test_gaps_in_a_numeric_target_count_too() -> None:
    frame = pd.DataFrame({"x": np.arange(90) % 7, "y": np.random.default_rng(0).normal(size=90)})
    frame.loc[5, "y"] = np.nan
    assert [finding.message for finding in found(frame)] == ["1 of 90 samples has no label (1.11%)"]


def test_a_test_file_without_labels_is_info(tmp_path: Path) -> None:
    frame = table({"a": 60, "b": 60})
    frame[:80].to_csv(tmp_path / "train.csv", index=False)
    frame[80:].assign(y="").to_csv(tmp_path / "test.csv", index=False)
    (finding,) = datalint.scan(tmp_path, label="y", select=["LBL104"], cache=False).findings
    assert (finding.severity, finding.message) == ("info", "no sample of test has a label")


def test_the_name_of_the_column_among_its_labels() -> None:
    (finding,) = found(table({"a": 40, "b": 40, "Y": 1}))
    assert finding.class_ == "Y"
    assert finding.affected.count == 1
    assert "is the name of the label column" in finding.message


@pytest.mark.parametrize("counts", [{"y": 3, "n": 97}, {"y": 20, "n": 50, "m": 60}, {"yes": 1, "n": 50, "m": 60}])
def test_a_class_that_is_called_like_its_column(counts: dict[object, int]) -> None:
    assert not found(table(counts))


@pytest.mark.parametrize(("kept_back", "counts"), [(-1, {0: 200, 1: 200}), ("?", {"a": 200, "b": 200})])
def test_a_test_split_whose_labels_are_kept_back(kept_back: str | int, counts: dict[object, int]) -> None:
    frame = table(counts)
    frame["x"] = np.random.default_rng(0).normal(size=len(frame)) + (frame["y"] == next(iter(counts)))
    splits = {"train": frame[:280], "test": frame[280:].assign(y=kept_back)}
    select = ["LBL104", "LBL107", "SPL105"]
    (finding,) = datalint.scan(splits, label="y", select=select, cache=False).findings
    assert (finding.code, finding.severity, finding.split) == ("LBL104", "info", "test")
    assert finding.message.startswith("no sample of test has a label: all are labelled")
