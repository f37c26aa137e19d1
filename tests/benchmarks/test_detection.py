"""The detection benchmark: its statistics, what it concludes from counts, and how other tools' answers are judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import beside, detection
from benchmarks.beside import merged, named, told, verdict
from benchmarks.families import FAMILIES
from benchmarks.rates import interval, mean, per_thousand, share, smallest
from benchmarks.trials import clean_trial, planted_trial
from datalint.figures import FILE, Figures, all_figures
from datalint.planting import Clean, Planted
from datalint.registry import all_rules, find_rule
from datalint.testing import scan, status

if TYPE_CHECKING:
    from collections.abc import Mapping

SHIPPED = Path(detection.SHIPPED)


# --- statistics -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    [(0, 0, 0, 1), (0, 1000, 0, 0.00383), (5, 1000, 0.00214, 0.01165), (10, 10, 0.7225, 1), (1, 2, 0.0945, 0.9055)],
)
def test_wilson_intervals_as_they_are_published(count: int, trials: int, low: float, high: float) -> None:
    assert interval(count, trials) == pytest.approx((low, high), abs=1e-4)


def test_intervals_hold_the_rate_and_shrink_with_the_trials() -> None:
    for trials in (1, 7, 100, 5_000):
        for count in {0, 1, trials // 2, trials}:
            low, high = interval(count, trials)
            assert 0 <= low <= count / trials <= high <= 1
    widths = [np.ptp(interval(n // 10, n)) for n in (10, 100, 1_000)]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(
    ("found", "least"),
    [
        ({0.0: (19, 20), 0.5: (20, 20), 1.0: (20, 20)}, 0.0),
        ({0.0: (18, 20), 0.5: (19, 20), 1.0: (20, 20)}, 0.5),
        ({0.0: (20, 20), 0.5: (10, 20), 1.0: (20, 20)}, 1.0),  # luck at a smaller strength is no promise
        ({0.0: (20, 20), 1.0: (18, 20)}, None),
        ({0.0: (0, 0), 1.0: (3, 3)}, 1.0),
        ({}, None),
    ],
)
def test_smallest_strength(found: Mapping[float, tuple[int, int]], least: float | None) -> None:
    assert smallest(found) == least


def test_rates_of_nothing_are_unknown() -> None:
    assert share(0, 0)["rate"] is None
    assert per_thousand(0, 0)["false_alarms_per_1000"] is None
    assert mean([None, None]) is None
    assert mean([1.0, None, 0.5]) == 0.75


# --- figures --------------------------------------------------------------------------------------------------------


def hit(strength: float, found: bool = True, **more: Any) -> dict[str, Any]:
    """One planted fault."""
    return {
        "set": "wine",
        "seed": 0,
        "strength": strength,
        "found": found,
        "mild": False,
        "elsewhere": 0,
        "precision": 1.0 if found else 0.0,
        "recall": 0.5,
    } | more


def figures_of(hits: list[dict[str, Any]], alarming: list[str], scans: int = 200) -> dict[str, Any]:
    """The figures of DUP101 as if these were its trials."""
    clean = {"sets": scans, "quiet": scans, "scans": {"DUP101": scans}, "alarming": {"DUP101": alarming}, "failed": {}}
    return detection.summary(find_rule("DUP101"), {"hits": hits, "seconds": [0.01, 0.03]}, [clean])


def test_summary_and_what_falls_short() -> None:
    good = figures_of([hit(0.0, found=False), *(hit(0.5) for _ in range(20)), *(hit(1.0) for _ in range(20))], [])
    assert (good["found_from"], good["precision"], good["recall"], good["cpu_ms"]) == (0.5, 1.0, 0.5, 20.0)
    assert detection.short(good) == []
    assert "DUP101 exact-duplicates" in detection.row("DUP101", good)
    bad = figures_of([hit(0.5), hit(0.5, found=False, set="iris")], ["wine, seed 3: something"] * 2)
    assert detection.short(bad) == [
        "finds 1 of 2 at strength 0.5; missed in iris (1)",
        "2 false alarms in 200: wine, seed 3: something",
    ]
    assert detection.short(figures_of([], [], 0)) == ["its fault could be planted nowhere", "judges no clean set"]


def test_the_shipped_figures_are_those_of_the_benchmark_and_can_be_read() -> None:
    assert SHIPPED.name == FILE
    told = json.loads(SHIPPED.read_text())
    known = json.loads(detection.OUT.read_text())["rules"]
    assert told == detection.shipped({code: item for code, item in known.items() if "promise" in item})
    assert {code for code in all_figures() if code in told} == told.keys()
    figures = detection.shipped({"DUP101": figures_of([hit(0.5), hit(1.0)], ["x"])})["DUP101"]
    sentences = " ".join(Figures(**figures).sentences())
    assert "Found 1 of 1 faults planted into clean data at strength 0.5" in sentences
    assert "False alarms: 1 in 200 clean scans" in sentences
    assert Figures(**figures).short() == "finds 1 of 1 planted faults; 1 false alarms in 200 clean scans"


def test_figures_of_a_broken_or_newer_pack_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("a", "{"), ("b", '{"ABC101": {"unknown": 1}, "ABC102": 3}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE).write_text(text)
    monkeypatch.setattr("datalint.figures.pack_folders", lambda: [tmp_path / name for name in "abc"])
    assert all_figures() == {}


# --- the work -------------------------------------------------------------------------------------------------------


def test_every_rule_has_its_piece_of_work() -> None:
    work = detection.tasks(all_rules(), quick=True)
    assert {rule.code for rule in all_rules()} | {"clean-0", "clean-1"} == {name for name, _, _ in work}
    full = detection.tasks(all_rules(), quick=False)
    assert len({name for name, _, _ in full}) == len(full)


def test_finished_work_waits_for_the_next_run_of_the_same_code(tmp_path: Path) -> None:
    calls = []

    def task(n: int) -> dict[str, Any]:
        calls.append(n)
        return {"n": n}

    for stamp, n in (("a", 1), ("a", 1), ("b", 1), ("b", 2)):
        assert detection._piece("x", task, (n,), tmp_path, [stamp]) == ("x", {"n": n})
    assert calls == [1, 1, 2]


def test_trials_on_two_small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": rng.normal(size=120), "b": rng.normal(size=120), "y": ["p", "q"] * 60})
    sets = (Clean("good", {"all": rows}, "y"), Clean("bad", {"all": pd.concat([rows, rows], ignore_index=True)}, "y"))
    monkeypatch.setattr("benchmarks.trials.all_sets", lambda seed: sets)
    clean = clean_trial(0, ["DUP101"], True)
    assert (clean["sets"], clean["quiet"], clean["scans"]) == (2, 1, {"DUP101": 2})
    assert [line.partition(",")[0] for line in clean["alarming"]["DUP101"]] == ["bad"]
    assert len(planted_trial("DUP101", (1, 9), [1.0], 4)["hits"]) == 4
    found = planted_trial("DUP101", (1, 9), [0.0, 1.0], 1)
    assert [(item["set"], item["strength"], item["found"]) for item in found["hits"]] == [
        ("good", 0.0, True),
        ("good", 1.0, True),
    ]


@pytest.mark.parametrize("make", FAMILIES, ids=lambda make: make.__name__)
def test_generated_families_are_what_they_say(make: Any) -> None:
    first, again, other = (make(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.files == again.files
    assert all(table.equals(again.tables[split]) for split, table in first.tables.items())
    assert first.files != other.files or sum(map(len, first.tables.values())) != sum(map(len, other.tables.values()))
    report = scan(first, find_rule("DUP101"), cache=False)
    assert status(report, find_rule("DUP101")).status in {"passed", "found"}
    assert report.ok("warning")


# --- other tools ----------------------------------------------------------------------------------------------------

TABLE = Clean("t", {"all": pd.DataFrame({"x": [1.0, 2.0, 2.0, 4.0], "y": list("abba")})}, "y")
TREE = Clean("i", files={"train/a/0.png": b"0", "train/b/1.png": b"1", "test/a/2.png": b"2"})


def test_answers_become_samples_by_split_and_position() -> None:
    answer = {"rows": {"dark": ["train/b/1.png", "gone.png"], "light": ["test/a/2.png"], "blurry": ["train/a/0.png"]}}
    assert named(answer, ("dark", "light"), TREE) == {("train", 1), ("test", 0)}
    assert named({"rows": {"null": [3, 0]}}, ("null", "outlier"), TABLE) == {("all", 0), ("all", 3)}
    assert named({"error": "ValueError: no"}, ("null",), TABLE) == frozenset()


def test_verdicts() -> None:
    a, b, c = ("all", 0), ("all", 1), ("all", 2)
    assert verdict(frozenset({a, b}), frozenset(), frozenset({a, c})) == (True, 0.5, 0.5)
    assert verdict(frozenset({b}), frozenset(), frozenset({a})) == (False, None, 0.0)
    assert verdict(frozenset({b}), frozenset(), frozenset()) == (True, None, None)
    assert verdict(frozenset({b}), frozenset({c}), frozenset()) == (False, None, None)  # it had said so of clean data


def test_either_of_two_copies_may_be_named() -> None:
    assert beside._twins(TABLE, frozenset({("all", 3)})) == frozenset()
    assert beside._twins(TABLE, frozenset({("all", 2)})) == {("all", 1)}
    tree = Clean("i", files={"a/0.png": b"0", "a/1.png": b"0", "b/2.png": b"2"})
    assert beside._twins(tree, frozenset({("all", 1)})) == {("all", 0)}


def test_a_peer_is_judged_on_the_same_data_as_datalint() -> None:
    rule = find_rule("DUP101")
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=50), "z": rng.normal(size=50), "y": ["a", "b"] * 25})
    clean = Clean("t", {"all": rows}, "y")
    faulty = Clean("t", {"all": pd.concat([rows, rows[:20]], ignore_index=True)}, "y")
    fault = Planted(faulty, split="all", rows={"all": frozenset(range(50, 70))})
    given = [beside.Case("0-t", None, clean, None), beside.Case("0-t-DUP101", rule, faulty, fault)]
    answers = {"0-t": {"rows": {}}, "0-t-DUP101": {"rows": {"near_duplicate": [0, 50, 51, 20]}}}
    pair = beside.one(beside.DATALAB, rule, given, answers)
    assert (pair["peer"]["found"], pair["peer"]["precision"], pair["peer"]["recall"]) == (1, 0.6667, 0.1)
    assert (pair["datalint"]["found"], pair["datalint"]["precision"], pair["datalint"]["recall"]) == (1, 1.0, 1.0)
    assert pair["peer"]["false_alarms"] == pair["datalint"]["false_alarms"] == pair["broken"] == 0
    text = told(
        {"cleanlab Datalab": {"run": True, "rules": {"DUP101": pair}}, "other": {"run": False, "why": "absent"}}
    )
    assert "DUP101 cleanlab Datalab     1 of   1   0.67  0.10    0 in 1" in text
    assert "other: not run (absent)" in text


def test_peers_that_did_not_run_keep_their_figures() -> None:
    old = {"A": {"run": True, "rules": {"X": 1, "Y": 1}}, "B": {"run": True, "rules": {"X": 1}}}
    new = {"A": {"run": True, "rules": {"Y": 2}}, "B": {"run": False, "why": "not installed"}}
    assert merged(old, new) == {"A": {"run": True, "rules": {"X": 1, "Y": 2}}, "B": old["B"]}
    assert merged(None, new)["B"] == new["B"]


def test_peers_look_for_rules_that_exist() -> None:
    codes = {rule.code for rule in all_rules()}
    for peer in beside.PEERS:
        assert set(peer.checks) <= codes
        assert (Path(beside.__file__).parent / "peers" / f"{peer.script}.py").is_file()
