"""The detection benchmark: its statistics, what it concludes from counts, and how other tools' answers are judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import bars, beside, detection, page, stamps, trials
from benchmarks.annotated import ANNOTATED
from benchmarks.beside import Told, merged, told_of, verdict
from benchmarks.families import FAMILIES, clean_set
from benchmarks.rates import interval, mean, per_thousand, share, smallest
from benchmarks.written import WRITTEN
from datalint.core.clean import Clean, Planted
from datalint.rules.detection_figures import FILE, Figures, all_figures
from datalint.rules.registry import all_rules, find_rule
from datalint.testing import check_found, plant, scan, status

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
    for n in (1, 7, 100, 5_000):
        for count in {0, 1, n // 2, n}:
            low, high = interval(count, n)
            assert 0 <= low <= count / n <= high <= 1
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


def scans(n: int, alarms: int = 0, code: str = "DUP101", severity: str = "warning") -> detection.CleanSets:
    """Clean scans of one set, each with a seed of its own, of which the first have an alarm."""
    return {
        str(k): {"wine": {code: {"judged": True} | ({"alarm": [severity, "something"]} if k < alarms else {})}}
        for k in range(n)
    }


def figures_of(hits: list[dict[str, Any]], alarms: int = 0, of: int = 800) -> dict[str, Any]:
    """The figures of DUP101 as if these were its trials."""
    return detection.summary(find_rule("DUP101"), {"hits": hits, "seconds": [0.01, 0.03]}, scans(of, alarms))


GOOD = [hit(0.0, found=False), *(hit(0.5) for _ in range(20)), *(hit(1.0) for _ in range(20))]


def test_summary() -> None:
    good = figures_of(GOOD)
    assert (good["found_from"], good["precision"], good["recall"], good["cpu_ms"]) == (0.5, 1.0, 0.5, 20.0)
    assert (good["clean_scans"], good["clean_sets"], good["false_alarms"]) == (800, 1, 0)
    skipped = {"9": {"iris": {"DUP101": {"judged": False, "alarm": ["warning", "?"]}}}}
    more = detection.summary(find_rule("DUP101"), {"hits": GOOD, "seconds": []}, scans(5, 1) | skipped)
    assert (more["clean_scans"], more["clean_sets"], more["alarms"]) == (5, 1, ["wine, seed 0: something"])


def test_whole_scans_count_warnings_of_any_rule_and_only_those_with_all_rules() -> None:
    clean = scans(3, 1, severity="info") | {"8": {"wine": {"VAL105": {"judged": True}}}}
    assert detection.whole(clean, [find_rule("DUP101")]) == {"scans": 3, "free_of_warnings_and_errors": 3}
    assert detection.whole(scans(4, 1), [find_rule("DUP101")]) == {"scans": 4, "free_of_warnings_and_errors": 3}
    assert detection.whole(clean, [find_rule("DUP101"), find_rule("VAL105")])["scans"] == 0


# --- bars -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alarms", "of", "word"),
    [
        (0, 66, "not shown"),
        (0, 764, "not shown"),
        (0, 765, "kept"),
        (3, 800, "not shown"),
        (4, 800, "not shown"),
        (5, 800, "fails"),
    ],
)
def test_false_alarms_are_judged_by_their_interval(alarms: int, of: int, word: str) -> None:
    bar = bars.alarms({"DUP101": figures_of(GOOD, alarms, of)})
    assert bar.word == word
    assert all("DUP101" in line for line in (*bar.fails, *bar.open))


def test_rules_of_info_have_no_bar_for_false_alarms() -> None:
    assert bars.alarms({"DUP101": figures_of(GOOD, 50) | {"severity": "info"}}).word == "kept"


def test_what_falls_short_is_named() -> None:
    bad = figures_of([hit(0.5, precision=0.5), hit(0.5, found=False, set="iris"), hit(1.0)], 8)
    verdicts = bars.bars({"DUP101": bad}, {"scans": 100, "free_of_warnings_and_errors": 94}, {})
    assert [bar.word for bar in verdicts] == ["fails", "fails", "fails", "fails", "not measured", "kept"]
    text = bars.told(verdicts)
    assert "DUP101: 8 in 800 (10.0 per 1,000), e.g. wine, seed 0: something" in text
    assert "94.0% of 100" in text
    assert "DUP101: 1 of 2 at strength 0.5; missed in iris (1)" in text
    assert "DUP101: 75%" in text
    broken = bars.sound({"DUP101": figures_of(GOOD) | {"failed": "wine, seed 1: no"}})
    assert broken.fails == ("DUP101: wine, seed 1: no",)
    assert bars.quiet({"scans": 100, "free_of_warnings_and_errors": 95}).word == "kept"
    assert bars.quiet(None).word == "not measured"
    assert bars.detection({"DUP101": figures_of([])}).open == ("DUP101: its fault could be planted nowhere",)


def side(found: int, precision: float | None, recall: float | None, alarms: int = 0) -> dict[str, Any]:
    """One side of a comparison over ten faults and ten clean sets."""
    return {**share(found, 10), "precision": precision, "recall": recall, **per_thousand(alarms, 10)}


def test_the_best_tool_for_a_check_is_the_one_to_reach() -> None:
    def bar(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> bars.Bar:
        return bars.beside(
            {
                f"tool {k}": {"run": True, "rules": {"DUP101": {"peer": peer, "datalint": ours}}}
                for k, (peer, ours) in enumerate(pairs)
            }
        )

    poor, good = side(10, 0.1, 1.0), side(10, 0.9, 0.9)
    assert bar((poor, side(10, 0.9, 0.9))).word == "fails"  # it names everything, but it is the only one
    assert bar((poor, side(10, 0.9, 0.9)), (good, side(10, 0.9, 0.9))).word == "kept"
    assert bar((good, side(10, 0.895, 0.895))).word == "kept"
    assert bar((good, side(10, 0.95, 0.5))).fails == ("DUP101 beside tool 0: recall 0.50 against 0.90",)
    # What names no samples is judged by data sets: six found, and three clean ones told of.
    assert bars.recall_precision({"peer": side(6, None, None, 3), "datalint": good}, "peer") == pytest.approx(
        (0.6, 2 / 3)
    )
    assert bar((side(6, None, None, 0), side(6, 0.9, 0.9, 1))).fails == (
        "DUP101 beside tool 0: precision 0.86 against 1.00",
    )
    assert bars.beside({"tool": {"run": False, "why": "not installed"}}).word == "not measured"


# --- what is written ------------------------------------------------------------------------------------------------


def test_the_page_shows_figures_and_verdicts(tmp_path: Path) -> None:
    new = {
        "run": "today",
        "rules": {"DUP101": figures_of(GOOD)},
        "clean": {"scans": 5, "free_of_warnings_and_errors": 4},
    }
    pair = {"kinds": ["dup"], "broken": 1, "peer": side(6, None, None, 3), "datalint": side(10, 1.0, 0.9)}
    peers = {
        "A": {"run": True, "version": "1.2", "cpu_ms_per_scan": 1234.5, "rules": {"DUP101": pair}},
        "B": {"run": False, "why": "not installed"},
    }
    text = detection.section(detection.joined({}, new | {"peers": peers}, True))
    assert "| DUP101 exact-duplicates | warning | 0 |  | 100 |  | 100 | 20 in 1 sets | 0.5 | 0 of 800, 1 sets |" in text
    assert "| DUP101 | A | 6 of 10 | - | - | 3 in 10 | 1 | dup |" in text
    assert "| DUP101 | datalint | 10 of 10 | 1.00 | 0.90 | 0 in 10 |  |  |" in text
    assert "* B took no part: not installed." in text
    assert "* A 1.2: 1,234 ms of CPU" in text
    assert "are free of warnings and errors | fails | 80.0% of 5 |" in text
    widths = {line.count(" | ") for line in text.split("### Rules")[1].split("###")[0].splitlines() if " | " in line}
    assert len(widths) == 1
    copy = tmp_path / "README.md"
    copy.write_text(page.PAGE.read_text())
    page.put("detection", text, copy)
    assert "today" in copy.read_text()


def test_figures_of_rules_that_were_not_measured_stay() -> None:
    known = {
        "rules": {"VAL105": figures_of(GOOD), "GONE999": figures_of(GOOD)},
        "clean": {"scans": 9, "free_of_warnings_and_errors": 9},
    }
    new = {
        "run": "",
        "rules": {"DUP101": figures_of(GOOD)},
        "clean": {"scans": 1, "free_of_warnings_and_errors": 0},
        "peers": {},
    }
    some = detection.joined(known, new, False)
    assert (list(some["rules"]), some["clean"]["scans"]) == (["DUP101", "VAL105"], 9)
    every = detection.joined(known, new, True)
    assert (list(every["rules"]), every["clean"]["scans"]) == (["DUP101"], 1)


def test_the_shipped_figures_are_those_of_the_benchmark_and_can_be_read() -> None:
    assert SHIPPED.name == FILE
    told = json.loads(SHIPPED.read_text())
    known = json.loads(detection.OUT.read_text())["rules"]
    assert told == detection.shipped({code: item for code, item in known.items() if "promise" in item})
    assert {code for code in all_figures() if code in told} == told.keys()
    figures = detection.shipped({"DUP101": figures_of([hit(0.5), hit(1.0)], 1, 200)})["DUP101"]
    sentences = " ".join(Figures(**figures).sentences())
    assert "Found 1 of 1 faults planted into clean data at strength 0.5" in sentences
    assert "False alarms: 1 in 200 clean scans of 1 data sets" in sentences
    assert Figures(**figures).short() == "finds 1 of 1 planted faults; 1 false alarms in 200 clean scans"


def test_figures_of_a_broken_or_newer_pack_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("a", "{"), ("b", '{"ABC101": {"unknown": 1}, "ABC102": 3}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE).write_text(text)
    monkeypatch.setattr("datalint.rules.detection_figures.pack_folders", lambda: [tmp_path / name for name in "abc"])
    assert all_figures() == {}


# --- the work -------------------------------------------------------------------------------------------------------


def test_every_rule_has_its_piece_of_work() -> None:
    names = [name for name, _ in detection.tasks(all_rules(), quick=False, keep=None)]
    assert len(set(names)) == len(names)
    assert {rule.code for rule in all_rules()} < set(names)
    assert sum(name.startswith("clean-") for name in names) == detection.CLEAN_SEEDS


def test_finished_work_waits_for_the_next_run_of_the_same_code(tmp_path: Path) -> None:
    calls: list[int] = []

    def work() -> dict[str, int]:
        calls.append(1)
        return {"n": len(calls)}

    for same in ("a", "a", "b"):
        assert detection.kept(tmp_path / "x.json", [same], work) == {"n": len(calls)}
    assert len(calls) == 2
    assert detection.kept(None, ["b"], work) == {"n": 3}


SMALL = pd.DataFrame({"a": np.linspace(0, 1, 120) ** 2, "b": np.cos(np.arange(120.0)), "y": ["p", "q"] * 60})
TWO = {
    "good": lambda seed: Clean("good", {"all": SMALL}, "y"),
    "bad": lambda seed: Clean("bad", {"all": pd.concat([SMALL, SMALL], ignore_index=True)}, "y"),
}


@pytest.fixture
def two_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.families.SETS", TWO)
    monkeypatch.setattr("benchmarks.trials.SETS", TWO)
    clean_set.cache_clear()


@pytest.mark.usefixtures("two_sets")
def test_trials_on_two_small_sets() -> None:
    said = trials.clean_trial(0, {"good": ["DUP101", "IMG106"], "bad": ["DUP101"]})
    assert said["good"] == {"DUP101": {"judged": True}, "IMG106": {"judged": False}}
    assert said["bad"]["DUP101"]["alarm"][0] == "warning"
    # What is wrong beforehand proves nothing, so faults are planted into the good one only.
    found = trials.planted_trial("DUP101", [0.0, 1.0], 3)
    assert [(item["set"], item["strength"], item["found"]) for item in found["hits"]] == 3 * [
        ("good", 0.0, True),
        ("good", 1.0, True),
    ]
    assert len(trials.planted_trial("DUP101", [1.0], 9, most=4)["hits"]) == 4


@pytest.mark.usefixtures("two_sets")
def test_only_rules_that_changed_scan_clean_data_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def trial(seed: int, wanted: Mapping[str, list[str]]) -> Any:
        asked.append(dict(wanted))
        return trials.clean_trial(seed, wanted)

    monkeypatch.setattr(detection, "clean_trial", trial)
    wanted = {"good": ["DUP101", "VAL105"], "bad": ["DUP101"]}
    file = tmp_path / "clean-0.json"
    first = detection.clean_piece(0, wanted, {"DUP101": "a", "VAL105": "a"}, file)
    assert detection.clean_piece(0, wanted, {"DUP101": "a", "VAL105": "b"}, file) == first
    assert detection.clean_piece(0, wanted, {"DUP101": "a", "VAL105": "b"}, file) == first
    assert asked == [wanted, {"good": ["VAL105"]}]
    assert first["bad"].keys() == {"DUP101"}


def test_rules_that_judge_few_sets_get_more_seeds_of_those(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "ENOUGH_CLEAN", 10)
    clean: detection.CleanSets = {
        str(k): {
            "wine": {"DUP101": {"judged": True}, "VAL105": {"judged": True}},
            "iris": {"DUP101": {"judged": True}, "VAL105": {"judged": False}},
        }
        for k in range(5)
    }
    asked: list[Any] = []

    def ask(seed: int, wanted: Any, keep: Any) -> Any:
        asked.append((seed, wanted))

    monkeypatch.setattr(detection, "clean_work", ask)
    detection.more(clean, [find_rule("DUP101"), find_rule("VAL105")], None)
    assert [seed for seed, _ in asked] == list(range(105, 111))
    assert all(wanted == {"wine": ["VAL105"]} for _, wanted in asked)


def test_a_stamp_changes_with_what_a_rule_stands_on_and_nothing_else(tmp_path: Path) -> None:
    assert not stamps.matters(Path("report/html/html.py"))
    assert not stamps.matters(Path("mending/apply.py"))
    assert not stamps.matters(Path("cli/scanning.py"))
    for path in (
        "report/models.py",
        "measures/sample.py",
        "profile/learn/folds.py",
        "sources/tables/csvs.py",
        "testing.py",
        "profile/statistics.py",
    ):
        assert stamps.matters(Path(path))
    assert [
        path for path in stamps.APART if path.endswith(".py") and not (stamps.ROOT / "datalint" / path).is_file()
    ] == []
    file = stamps.RULES / "datalint_rules" / "splits" / "pre_split_normalization.py"
    assert "_scaling_fits.py" in {path.name for path in stamps.helpers(file)}  # through another one
    assert len({stamps.stamp_of(rule) for rule in all_rules()}) == len(all_rules())
    (tmp_path / "a.py").write_text("1")
    before = stamps.digest([tmp_path / "a.py"])
    (tmp_path / "a.py").write_text("2")
    assert stamps.digest([tmp_path / "a.py"]) != before


@pytest.mark.parametrize("make", FAMILIES, ids=lambda make: make.__name__)
def test_generated_families_are_what_they_say(make: Any) -> None:
    first, again, other = (make(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.files == again.files
    assert all(table.equals(again.tables[split]) for split, table in first.tables.items())
    assert first.files != other.files or sum(map(len, first.tables.values())) != sum(map(len, other.tables.values()))
    report = scan(first, find_rule("DUP101"), cache=False)
    assert status(report, find_rule("DUP101")).status in {"passed", "found"}
    assert report.ok("warning")


@pytest.mark.parametrize("make", ANNOTATED[-3:], ids=lambda make: make.__name__)
@pytest.mark.parametrize("code", ["ANN111", "ANN112", "ANN113"])
def test_faults_of_masks_are_found_whatever_their_values(code: str, make: Any) -> None:
    for seed in range(2):
        fault = plant(find_rule(code), make(np.random.default_rng(seed)), 0.5, seed)
        if fault is not None:
            check_found(find_rule(code), fault)


@pytest.mark.parametrize("make", WRITTEN, ids=lambda make: make.__name__)
@pytest.mark.parametrize("code", ["CHT101", "CHT102", "CHT103", "CHT105", "CHT107", "TXT106"])
def test_faults_of_conversations_are_found_however_turns_are_written(code: str, make: Any) -> None:
    rule = find_rule(code)
    fault = plant(rule, make(np.random.default_rng(3)), 0.5, 1)
    if fault is not None:
        check_found(rule, fault)


# --- other tools ----------------------------------------------------------------------------------------------------

TABLE = Clean("t", {"all": pd.DataFrame({"x": [1.0, 2.0, 2.0, 4.0], "y": list("abba")})}, "y")
TREE = Clean("i", files={"train/a/0.png": b"0", "train/b/1.png": b"1", "test/a/2.png": b"2"})


def test_answers_become_samples_by_split_and_position() -> None:
    answer = {"rows": {"dark": ["train/b/1.png", "gone.png"], "light": ["test/a/2.png"], "blurry": ["train/a/0.png"]}}
    assert told_of(answer, ("dark", "light"), TREE).rows == frozenset({("train", 1), ("test", 0)})
    assert told_of({"rows": {"null": [3, 0]}}, ("null", "outlier"), TABLE).rows == frozenset({("all", 0), ("all", 3)})
    told = told_of({"columns": {"constant": ["x"]}, "sets": ["duplicates"]}, ("constant", "duplicates"), TABLE)
    assert told == Told(None, frozenset({"x"}), True)
    silent = told_of({"error": "ValueError: no"}, ("null",), TABLE)
    assert silent == Told(None, frozenset(), False)
    assert told.anything
    assert not silent.anything


def rows(*numbers: int) -> Told:
    """A tool that names rows."""
    return Told(frozenset(("all", k) for k in numbers), frozenset(), False)


def test_verdicts() -> None:
    faulty = Planted(Clean("t", {"all": pd.DataFrame({"x": range(9)})}), rows={"all": frozenset({0, 2})})
    nothing = Told(None, frozenset(), False)
    assert verdict(rows(0, 1), rows(), faulty) == (True, 0.5, 0.5)
    assert verdict(rows(1), rows(), faulty) == (False, None, 0.0)
    assert verdict(rows(), rows(), faulty) == (False, None, 0.0)
    whole = Told(None, frozenset(), True)
    assert verdict(whole, nothing, faulty) == (True, None, None)
    assert verdict(whole, whole, faulty) == (False, None, None)  # it had said so of clean data
    of_none = Planted(faulty.data)
    assert verdict(rows(1), rows(), of_none) == (True, None, None)
    assert verdict(rows(1), rows(2), of_none) == (False, None, None)
    x, y = Told(None, frozenset("x"), False), Told(None, frozenset("y"), False)
    column = Planted(faulty.data, column="x")
    assert verdict(x, y, column) == (True, None, None)
    assert verdict(y, nothing, column) == (False, None, None)
    assert verdict(x, x, column) == (False, None, None)
    assert verdict(y, x, of_none) == (True, None, None)


def test_either_of_two_copies_may_be_named() -> None:
    assert beside._twins(TABLE, frozenset({("all", 3)})) == frozenset()
    assert beside._twins(TABLE, frozenset({("all", 2)})) == {("all", 1)}
    tree = Clean("i", files={"a/0.png": b"0", "a/1.png": b"0", "b/2.png": b"2"})
    assert beside._twins(tree, frozenset({("all", 1)})) == {("all", 0)}


def test_a_peer_is_judged_on_the_same_data_as_datalint() -> None:
    rule = find_rule("DUP101")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=50), "z": rng.normal(size=50), "y": ["a", "b"] * 25})
    clean = Clean("t", {"all": frame}, "y")
    faulty = Clean("t", {"all": pd.concat([frame, frame[:20]], ignore_index=True)}, "y")
    fault = Planted(faulty, split="all", rows={"all": frozenset(range(50, 70))})
    given = [beside.Case("0-t", None, clean, None), beside.Case("0-t-DUP101", rule, faulty, fault)]
    answers = {"0-t": {"rows": {}}, "0-t-DUP101": {"rows": {"near_duplicate": [0, 50, 51, 20]}}}
    part = {
        "version": "1",
        "seconds": 4.0,
        "scans": 2,
        "rules": {"DUP101": beside.one(beside.DATALAB, rule, given, answers)},
    }
    found = beside.compared({"cleanlab Datalab": [part, part]}, {"cleanlab Datalab": "python"})
    assert found["cleanlab Datalab"]["cpu_ms_per_scan"] == 2_000
    pair = found["cleanlab Datalab"]["rules"]["DUP101"]
    assert (pair["peer"]["found"], pair["peer"]["precision"], pair["peer"]["recall"]) == (2, 0.6667, 0.1)
    assert (pair["datalint"]["found"], pair["datalint"]["precision"], pair["datalint"]["recall"]) == (2, 1.0, 1.0)
    assert pair["peer"]["false_alarms"] == pair["datalint"]["false_alarms"] == pair["broken"] == 0
    assert pair["peer"]["clean_scans"] == 2
    assert found["CleanVision"] == {"run": False, "why": "not installed"}


def test_rules_of_splits_are_compared_in_data_with_splits() -> None:
    split = Clean("s", {"train": TABLE.tables["all"], "test": TABLE.tables["all"]}, "y")
    assert beside.fits(find_rule("SPL101"), split)
    assert not beside.fits(find_rule("SPL101"), TABLE)
    assert beside.fits(find_rule("VAL105"), TABLE)
    assert not beside.fits(find_rule("VAL105"), split)
    assert beside.fits(find_rule("DUP101"), TREE)


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
