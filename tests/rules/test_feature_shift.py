"""SPL106: random splits and others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.report.models import Finding


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 12, count).round(1),
            "income": rng.lognormal(10, 1, count).round(),
            "region": rng.choice(["north", "south", "east"], count),
            "x": rng.normal(size=count),
            "y": rng.integers(0, 2, count),
        }
    )


def found(train: pd.DataFrame, test: pd.DataFrame) -> Sequence[Finding]:
    return datalint.scan({"train": train, "test": test}, label="y", select=["SPL106"], cache=False).findings


@pytest.mark.parametrize(("train", "test", "seed"), [(600, 200, 1), (2000, 1000, 2), (120, 30, 3), (3000, 3000, 4)])
def test_random_splits_are_silent(train: int, test: int, seed: int) -> None:
    whole = rows(train + test, seed)
    assert not found(whole[:train], whole[train:])


def test_a_shifted_column_is_told_in_its_own_unit() -> None:
    test = rows(300, 1)
    test["age"] += 7.1
    (finding,) = found(rows(900), test)
    assert (finding.severity, finding.column) == ("warning", "age")
    assert "deviations) higher in test" in finding.message
    assert 6 < float(finding.message.split("'age' is ")[1].split()[0]) < 8


def test_categories_and_gaps_count() -> None:
    test = rows(300, 1)
    test["region"] = np.where(np.arange(300) % 2, "north", test["region"])
    test.loc[test.index % 4 == 0, "age"] = np.nan
    (finding,) = found(rows(900), test)
    assert "'region' is 'north' in" in finding.message
    assert "'age' is empty in 25% of test and 0% of train" in finding.message


def test_a_difference_that_no_single_column_shows() -> None:
    train, test = rows(1500), rows(600, 1)
    test["x"] = (test["age"] - 40) / 12
    (finding,) = found(train, test)
    assert "no single column differs much" in finding.message


def test_change_over_time_is_info() -> None:
    whole = rows(900)
    whole["date"] = pd.date_range("2020-01-01", periods=900).strftime("%Y-%m-%d")
    whole["age"] += np.arange(900) / 20
    (finding,) = found(whole[:600], whole[600:])
    assert finding.severity == "info"
    assert "'date' separates the splits" in finding.message


def visits(seed: int, shift: float = 0.0) -> dict[str, pd.DataFrame]:
    """Six visits of each of 150 patients, who differ much from each other; the test patients otherwise by ``shift``."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(150), 6)
    later = rng.permutation(150)[who] >= 105
    own = rng.normal(size=(150, 3))[who]
    table = pd.DataFrame(np.round(own + 0.4 * rng.normal(size=own.shape) + shift * later[:, None], 3), columns=[*"abc"])
    table.insert(0, "patient_id", [f"P{k:03d}" for k in who])
    table["ill"] = np.where(own[:, 0] + shift * later + 0.3 * rng.normal(size=len(who)) > 0.5, "yes", "no")
    return {"train": table[~later].reset_index(drop=True), "test": table[later].reset_index(drop=True)}


@pytest.mark.parametrize("code", ["SPL105", "SPL106"])
def test_patients_drawn_at_random_are_no_shift(code: str) -> None:
    def alarms(shift: float) -> int:
        return sum(
            any(f.severity != "info" for f in datalint.scan(data, label="ill", select=[code], cache=False).findings)
            for data in (visits(seed, shift) for seed in range(12))
        )

    assert alarms(0.0) == 0
    assert alarms(2.0) == 12


def test_questions_about_other_passages_are_drawn_by_passage() -> None:
    """A model that knows the passages by heart tells the splits apart where each passage lies in one of them."""
    rng = np.random.default_rng(0)
    words = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrs"])

    def asked(passages: int, about: str = "") -> pd.DataFrame:
        rows = []
        for _ in range(passages):
            passage = f"{about}{' '.join(rng.choice(words, 60))}"
            for _ in range(4):
                question, answer = (" ".join(rng.choice(words, count)) for count in (6, 3))
                rows.append({"context": passage, "question": question, "answer": answer})
        return pd.DataFrame(rows)

    def judged(test: pd.DataFrame) -> Sequence[Finding]:
        return datalint.scan({"train": train, "test": test}, select=["SPL106"], cache=False).findings

    train = asked(100)
    assert not judged(asked(40))
    (finding,) = judged(asked(40, "In this matter the court held that the claim had been "))
    assert finding.severity == "warning"
