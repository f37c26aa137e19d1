"""`datalint selftest`: what would have been caught in a user's own data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.core.clean import Clean, Planted
from datalint.core.errors import DatalintError
from datalint.planting.selftest import Outcome, SelfTest, Trial, outcome
from datalint.rules.registry import find_rule
from datalint.testing import scan
from tests.command import ROOT, call

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = ROOT / "sample_data"


def by_code(done: SelfTest) -> dict[str, Trial]:
    """The rules by code."""
    return {tested.code: tested for tested in done.rules}


def test_the_command_says_what_is_caught_and_what_does_not_apply(tmp_path: Path) -> None:
    source = str(SAMPLES / "clean_breast_cancer")
    outcome = call(tmp_path, "selftest", source, "--select", "DUP101,VAL102,SPL108,IMG101,LBL109", "--strict")
    assert (outcome.status, outcome.err) == (0, "")
    assert "569 of 569 rows" in outcome.out
    caught, _, rest = outcome.out.partition("do not apply to this data (3)")
    assert "would have been caught from strength 0 (2)\n  DUP101 exact-duplicates\n  VAL102" in caught
    assert "IMG101: applies to images only" in rest
    assert "SPL108: there is no time column" in rest
    assert "LBL109: the label is a class" in rest
    assert list(tmp_path.glob("*")) == []


def test_the_command_as_json(tmp_path: Path) -> None:
    source = str(SAMPLES / "clean_digit_pictures")
    outcome = call(
        tmp_path,
        "selftest",
        source,
        "--select",
        "VAL101,IMG106",
        "--strengths",
        "1",
        "--seeds",
        "2",
        "--format",
        "json",
    )
    assert (outcome.status, outcome.err) == (0, "")
    told = json.loads(outcome.out)
    assert told["samples"] == {"taken": 200, "of": 200}
    assert told["strengths"] == [1.0]
    assert {rule["code"]: (rule["state"], rule["caught_from"], rule["outcomes"]) for rule in told["rules"]} == {
        "VAL101": ("caught", 1.0, {"1": {"caught": 2}}),
        "IMG106": ("caught", 1.0, {"1": {"caught": 2}}),
    }


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("nowhere",), "no such file or folder"),
        ((str(SAMPLES),), "give one of them"),
        ((str(SAMPLES / "iris_sorted"), "--select", "XYZ"), "no rule matches 'XYZ'"),
        ((str(SAMPLES / "iris_sorted"), "--strengths", "0,2"), "strengths lie between 0"),
        ((str(SAMPLES / "iris_sorted"), "--strengths", "much"), "'much' are no numbers"),
        ((str(SAMPLES / "iris_sorted"), "--label", "kind"), "kind"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    outcome = call(tmp_path, "selftest", *arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert why in outcome.err


def table(rows: int = 400) -> pd.DataFrame:
    """Two classes in random order."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, rows)
    return pd.DataFrame({"a": rng.normal(size=rows) + y, "b": rng.gamma(2, 3, rows), "kind": np.where(y, "x", "y")})


def test_what_was_there_before_does_not_count_as_caught() -> None:
    rows = table()
    faulty = rows.sort_values("kind")
    before = by_code(datalint.selftest(faulty, label="kind", select=["ORD101"]))
    assert {tested.state for tested in before.values()} == {"already"}
    after = by_code(datalint.selftest(rows, label="kind", select=["ORD101"]))
    assert {tested.state for tested in after.values()} == {"caught"}
    # Copies that were there before do not hide those that are planted, and are not counted for them.
    repeated = pd.concat([rows, rows[:90]], ignore_index=True)
    rule = find_rule("DUP101")
    clean = Clean("t", {"all": repeated}, "kind")
    report = scan(clean, rule)
    nothing = Planted(clean, split="all", rows={"all": frozenset(range(400, 410))})
    assert outcome(rule, nothing, report, report) == "already"


def test_nothing_is_changed_or_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATALINT_CACHE_DIR", str(tmp_path / "cache"))
    rows = table()
    kept = rows.copy(deep=True)
    first = datalint.selftest(rows, label="kind", select=["VAL"], seeds=2)
    assert rows.equals(kept)
    assert list(tmp_path.iterdir()) == []
    assert first.to_json() == datalint.selftest(rows, label="kind", select=["VAL"], seeds=2).to_json()


def test_large_data_is_thinned_and_said_so() -> None:
    done = datalint.selftest(table(12_000), label="kind", select=["VAL105"], strengths=[1])
    assert (done.taken, done.total) == (5_000, 12_000)
    assert "5,000 of 12,000 rows" in done.to_text()


def test_rules_that_cannot_bear_the_data_are_told_not_raised() -> None:
    strange = pd.DataFrame({"x": [[1], [2]] * 40, "y": [None] * 80, "kind": ["a"] * 80})
    done = datalint.selftest(strange, label="kind", strengths=[0.5])
    assert not [tested for tested in done.rules if tested.state == "failed"]
    assert all(tested.reason for tested in done.rules if tested.state == "inapplicable")


@pytest.mark.parametrize(
    ("outcomes", "state", "least"),
    [
        ({0.0: ["missed"], 0.5: ["caught"], 1.0: ["caught"]}, "caught", 0.5),
        ({0.0: ["caught"], 0.5: ["missed"], 1.0: ["caught"]}, "caught", 1.0),
        ({0.0: ["caught"], 1.0: ["missed"]}, "in part", None),
        ({0.0: ["mild"], 1.0: ["mild"]}, "missed", None),
        ({0.0: ["already"], 1.0: ["caught", "already"]}, "caught", 1.0),
        ({0.0: ["already"]}, "already", None),
        ({}, "inapplicable", None),
    ],
)
def test_states(outcomes: dict[float, list[Outcome]], state: str, least: float | None) -> None:
    tested = Trial("ABC101", "abc", None, False, outcomes)
    assert (tested.state, tested.caught_from) == (state, least)


def test_missing_arguments_in_python() -> None:
    with pytest.raises(DatalintError, match="0 seeds"):
        datalint.selftest(table(), label="kind", seeds=0)
