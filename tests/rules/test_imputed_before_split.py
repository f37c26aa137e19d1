"""SPL111: which rows a filled value came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import DatasetReport


def gappy(rows: int = 500, share: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"a": rng.lognormal(2, 0.6, rows), "b": rng.normal(size=rows), "y": rng.choice(["u", "v"], rows)}
    )
    return table.assign(a=table["a"].mask(rng.random(rows) < share))


def judged(train: pd.DataFrame, test: pd.DataFrame) -> DatasetReport:
    return datalint.scan({"train": train, "test": test}, label="y", select=["SPL111"]).datasets[0]


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_filled_before_the_split(statistic: str) -> None:
    table = gappy()
    gone = table["a"].isna().to_numpy()
    filled = table.fillna({"a": getattr(table["a"], statistic)()})
    (finding,) = judged(filled[:350], filled[350:].reset_index(drop=True)).findings
    assert (finding.severity, finding.column) == ("warning", "a")
    assert finding.affected.count == gone.sum()
    assert f"the {statistic} of all splits' other cells" in finding.message


@pytest.mark.parametrize("digits", [3, 6])
def test_rounded_values_are_found_to_their_last_digit(digits: int, tmp_path: Path) -> None:
    table = gappy().round(digits)
    filled = table.fillna({"a": round(table["a"].mean(), digits)})
    filled[:350].to_csv(tmp_path / "train.csv", index=False)
    filled[350:].to_csv(tmp_path / "test.csv", index=False)
    report = datalint.scan(tmp_path, label="y", select=["SPL111"])
    assert [finding.severity for finding in report.findings] == ["warning"]


def test_filled_with_the_statistic_of_train_is_well() -> None:
    table = gappy()
    mean = table["a"][:350].mean()
    report = judged(table[:350].fillna({"a": mean}), table[350:].fillna({"a": mean}).reset_index(drop=True))
    assert not report.findings
    assert report.rules[0].reason == "the gaps of 1 column were filled with a statistic of train alone"


def test_each_split_by_itself_and_an_unsplit_file_are_info() -> None:
    table = gappy()
    parts = [part.fillna({"a": part["a"].mean()}) for part in (table[:350], table[350:].reset_index(drop=True))]
    (finding,) = judged(*parts).findings
    assert (finding.severity, finding.evidence["case"]) == ("info", "each")
    (finding,) = datalint.scan(table.fillna({"a": table["a"].mean()}), label="y", select=["SPL111"]).findings
    assert (finding.severity, finding.evidence["case"]) == ("info", "unsplit")


def test_a_frequent_value_that_is_no_statistic_passes() -> None:
    table = gappy()
    for value in (0.0, -999.0, 7.5, table["a"].mean() * 1.001):
        filled = table.fillna({"a": value})
        assert not judged(filled[:350], filled[350:].reset_index(drop=True)).findings


def test_ages_whose_median_is_the_commonest_value_pass() -> None:
    rng = np.random.default_rng(0)
    ages = np.clip(np.rint(rng.normal(40, 12, 2_000)), 18, 80)
    ages[:300] = 40
    table = pd.DataFrame({"age": rng.permutation(ages), "y": rng.choice(["u", "v"], 2_000)})
    assert not judged(table[:1_500], table[1_500:].reset_index(drop=True)).findings


def test_coarse_values_filled_with_a_long_mean(tmp_path: Path) -> None:
    # Whole numbers from 0 to 12: each is more frequent than the filled value.
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"visits": rng.poisson(4, 600).astype(float), "y": rng.choice(["u", "v"], 600)})
    table["visits"] = table["visits"].mask(rng.random(600) < 0.04)
    for name, mean in {"leaky": table["visits"].mean(), "sound": table["visits"][:400].mean()}.items():
        filled = table.fillna({"visits": mean})
        (tmp_path / name).mkdir()
        filled[:400].to_csv(tmp_path / name / "train.csv", index=False)
        filled[400:].to_csv(tmp_path / name / "test.csv", index=False)
    (finding,) = datalint.scan(tmp_path / "leaky", label="y", select=["SPL111"]).findings
    assert (finding.severity, finding.column) == ("warning", "visits")
    assert finding.affected.count == table["visits"].isna().sum()
    assert not datalint.scan(tmp_path / "sound", label="y", select=["SPL111"]).findings
