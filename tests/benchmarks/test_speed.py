"""The benchmarks of speed and scale: their data is what it says, and what they conclude follows from what they measured."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from benchmarks import budgets, contestants, data, limits, page, scale, speed
from benchmarks.budgets import AGAIN, CLEANVISION, DRAFT, FAST, FASTDUP, ONE, PARSE, TWO, WHOLE, Figures, verdicts
from benchmarks.scoring import Score, of_datalint, score
from datalint import scan
from datalint.engine.freeze import freeze
from datalint.measures.columns import NumberStats
from datalint.measures.sample import Sample
from datalint.report.models import AffectedSample, Finding

if TYPE_CHECKING:
    from pathlib import Path

ROWS, PHOTOS = 2_000, 70


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, data.Truth]:
    root = tmp_path_factory.mktemp("photos") / "I"
    return root, data.make_photos(root, PHOTOS)


# ---------------------------------------------------------------- data


def test_a_table_is_the_same_every_time() -> None:
    first, truth = data.table(ROWS)
    second, again = data.table(ROWS)
    assert first.equals(second)
    assert truth == again == json.loads(json.dumps(truth))


def test_a_table_holds_what_its_truth_says() -> None:
    table, truth = data.table(ROWS)
    frame = table.to_pandas()
    assert frame.shape == (ROWS, truth["columns"])
    assert [c for c in frame if frame[c].nunique() == 1] == truth["constant"]
    assert [c for c in frame if frame[c].isna().any()] == truth["null_columns"]
    assert int(frame.isna().sum().sum()) == truth["null_cells"]
    assert len(truth["duplicate_pairs"]) == ROWS // 20
    assert all(frame.iloc[a].equals(frame.iloc[b]) for a, b in truth["duplicate_pairs"])
    assert int(frame.duplicated().sum()) == ROWS // 20
    known = [row for row in truth["outlier_rows"] if not np.isnan(frame["f3"][row])]
    # What was a value of the column before stays far below what was put on top.
    assert frame["f3"][known].min() > 10 * frame["f3"].drop(known).abs().median()
    (pair,) = truth["correlated"]
    assert frame[pair].corr().iloc[0, 1] > 0.99
    assert 0.03 < len(truth["flipped_labels"]) / ROWS < 0.07


def test_a_table_many_times_over_has_fresh_noise_and_the_same_gaps(tmp_path: Path) -> None:
    import pyarrow.csv as pacsv

    data.make_table(tmp_path, "T", 500)
    assert data.times(tmp_path / "T.csv", tmp_path / "big.csv", 3) == 1_500
    gaps = pacsv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    one = pacsv.read_csv(tmp_path / "T.csv", convert_options=gaps).to_pandas()
    big = pacsv.read_csv(tmp_path / "big.csv", convert_options=gaps).to_pandas()
    assert one["c0"].isna().any()
    assert list(big) == list(one)
    assert len(big) == 1_500
    copies = [big[k : k + 500].reset_index(drop=True) for k in (0, 500, 1_000)]
    for copy in copies:
        assert copy.isna().equals(one.isna())
        assert copy["label"].equals(one["label"])
        assert not (copy["f0"] == one["f0"]).any()
    assert not (copies[0]["f0"] == copies[1]["f0"]).any()


def test_photos_are_the_same_every_time(photos: tuple[Path, data.Truth], tmp_path: Path) -> None:
    root, truth = photos
    assert data.make_photos(tmp_path / "again", PHOTOS) == truth

    def content(folder: Path) -> dict[str, bytes]:
        return {f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).digest() for f in folder.glob("*/*")}

    assert content(tmp_path / "again") == content(root)


def test_photos_hold_what_their_truth_says(photos: tuple[Path, data.Truth]) -> None:
    root, truth = photos
    files = sorted(root.glob("*/*"))
    assert len(files) == PHOTOS
    broken = dict(truth["corrupt"])
    assert sorted(broken.values()) == sorted(data.BROKEN)
    pixels: dict[str, Any] = {}
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            with Image.open(file) as image:
                image.load()
                assert name not in broken
                assert (image.size == data.SIZE) == (name not in truth["transposed"])
                assert (image.getexif().get(0x0112, 1) != 1) == (name in truth["exif"])
                pixels[name] = np.asarray(image.convert("L"), np.float64)
        except OSError:
            assert name in broken
    assert all(pixels[name].max() < 10 for name in truth["black"])
    assert all(pixels[name].min() > 245 for name in truth["white"])
    detail = {name: float(np.abs(np.diff(grey, axis=0)).mean()) for name, grey in pixels.items()}
    sharp = set(pixels) - {*truth["blurry"], *truth["black"], *truth["white"]}
    assert max(detail[name] for name in truth["blurry"]) < min(detail[name] for name in sharp)
    assert all((root / a).read_bytes() == (root / b).read_bytes() for a, b in truth["exact_dup"])
    for a, b in truth["near_dup"]:
        assert (root / a).read_bytes() != (root / b).read_bytes()
        assert np.abs(pixels[a] - pixels[b]).mean() < 8


def test_data_that_is_there_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.ROWS, "T0", 100)
    truth = data.ensure(tmp_path, "T0")
    written = (tmp_path / "T0.csv").stat().st_mtime_ns
    assert data.ensure(tmp_path, "T0") == truth
    assert (tmp_path / "T0.csv").stat().st_mtime_ns == written
    (tmp_path / "T0.truth.json").unlink()  # it was broken off: only a whole set has its truth
    assert data.ensure(tmp_path, "T0") == truth
    assert (tmp_path / "T0.csv").stat().st_mtime_ns > written


# ---------------------------------------------------------------- what was found


def test_all_that_is_planted_scores_in_full(photos: tuple[Path, data.Truth]) -> None:
    _, truth = photos
    found = {
        "black": truth["black"],
        "white": truth["white"],
        "blurred": truth["blurry"] + truth["black"],
        "transposed": truth["transposed"],
        "broken": [name for name, _ in truth["corrupt"]],
        "exif": truth["exif"],
        "exact": truth["exact_dup"],
        "near": [*truth["near_dup"], truth["black"]],
    }
    scores = score("I0", truth, found)
    assert all(len(item.found) == item.planted and not item.extra for item in scores.values())
    assert {kind: item.planted for kind, item in scores.items()} == {
        kind: len(truth[name])
        for kind, name in {
            "black": "black", "white": "white", "blurred": "blurry", "transposed": "transposed", "broken": "corrupt",
            "exif": "exif", "exact": "exact_dup", "near": "near_dup",
        }.items()
    }  # fmt: skip


def test_what_is_named_beside_the_truth_is_extra() -> None:
    _, truth = data.table(ROWS)
    pairs, extreme = truth["duplicate_pairs"], truth["outlier_rows"]
    healthy = next(row for row in range(ROWS) if all(row not in pair for pair in pairs))
    found = {"constant": ["i4", "i3"], "repeated": [pairs[0][0], pairs[1][1], healthy], "extreme": extreme[:5]}
    scores = score("T0", truth, found)
    assert str(scores["constant"]) == "1/1 (+1)"
    assert str(scores["repeated"]) == f"2/{ROWS // 20} (+1)"
    assert str(scores["extreme"]) == f"5/{len(extreme)}"
    assert "labels" not in scores
    assert str(score("T0", truth, {"correlated": ["f0", "f1"]})["correlated"]) == "0/1 (+1)"


def test_broken_photos_are_read_off_a_real_report(photos: tuple[Path, data.Truth]) -> None:
    root, truth = photos
    report = scan(root, select=["IMG103"], cache=False)
    (dataset,) = report.datasets
    findings = [(finding, list(finding.affected.samples)) for finding in dataset.findings]
    scores = score("I0", truth, of_datalint("I0", findings, {"IMG103"}))
    assert {kind: str(item) for kind, item in scores.items()} == {"broken": "4/4"}


def _finding(code: str, message: str = "", **fields: Any) -> Finding:
    return Finding(
        code=code, rule="", severity="warning", confidence=1, message=message, consequence="", remedy="",
        fingerprint="", **fields,
    )  # fmt: skip


def _sample(name: str, index: int = 0, content: str = "", **detail: Any) -> AffectedSample:
    return AffectedSample(id=name, index=index, split="all", fingerprint=content or name, detail=detail)


def test_low_quality_is_told_apart_by_words() -> None:
    findings = [
        (_finding("IMG108", "2 pictures are dark or blurred"), [
            _sample("x/a/1.jpg", problem="dark"), _sample("x/a/2.jpg", problem="blurred"),
        ]),
        (_finding("IMG108", "1 picture is too bright"), [_sample("x/a/3.jpg", brightness=251.0)]),
        (_finding("IMG106", "1 picture is blank"), [_sample("x/a/4.jpg")]),
    ]  # fmt: skip
    found = of_datalint("I0", findings, {"IMG106", "IMG108"})
    assert found == {
        "black": ["a/1.jpg", "a/4.jpg"],
        "white": ["a/3.jpg", "a/4.jpg"],
        "blurred": ["a/2.jpg"],
    }


def test_copies_belong_together_by_name_group_or_content() -> None:
    findings = [
        (_finding("DUP101"), [_sample("x/a/1.jpg", content="s"), _sample("x/a/2.jpg", content="s")]),
        (_finding("DUP102"), [_sample("x/a/3.jpg", like="x/b/4.jpg"), _sample("x/a/5.jpg", group=1),
                              _sample("x/a/6.jpg", group=1), _sample("x/a/7.jpg", group=2)]),
    ]  # fmt: skip
    found = of_datalint("I0", findings, {"DUP101", "DUP102"})
    assert found["exact"] == [["a/1.jpg", "a/2.jpg"]]
    assert found["near"] == [["a/3.jpg", "b/4.jpg"], ["a/5.jpg", "a/6.jpg"]]


def test_columns_and_rows_are_read_off_findings() -> None:
    findings = [
        (_finding("VAL105", column="i4"), []),
        (_finding("VAL103", evidence={"columns": {"f1": 500, "c0": 498}, "worst": "f2"}), []),
        (_finding("VAL108", evidence={"pairs": [["f0", "f6"]]}), []),
        (_finding("DUP101"), [_sample("t.csv:12", 10), _sample("t.csv:99", 97)]),
    ]
    judged = {"VAL103", "VAL105", "VAL108", "DUP101", "VAL111"}
    assert of_datalint("T0", findings, judged) == {
        "constant": ["i4"],
        "missing": ["c0", "f1", "f2"],
        "correlated": ["f0", "f6"],
        "repeated": [10, 97],
        "extreme": [],
    }


# ---------------------------------------------------------------- verdicts


def _figures(cpu: float, memory: float = 1e8, wall: float = 1.0, **more: Any) -> Figures:
    return Figures(cpu, wall, memory, **more)


def _kept() -> dict[tuple[str, str], Figures]:
    ours = {"black": Score(frozenset({"a"}), 1, 0), "near": Score(frozenset({1, 2}), 2, 5)}
    theirs = {"black": Score(frozenset({"a"}), 1, 0), "near": Score(frozenset({1}), 2, 0)}
    return {
        ("start", budgets.START): _figures(0.05),
        ("start", budgets.HELP): _figures(0.06),
        ("T1", PARSE): _figures(2.0),
        ("T1", FAST): _figures(3.0, 4e8),
        ("T1", ONE): _figures(3.0, 4e8),
        ("T1", WHOLE): _figures(12.0),
        ("T1", AGAIN): _figures(0.5),
        ("T10", ONE): _figures(30.0, 4.4e8),
        ("I1", DRAFT): _figures(10.0),
        ("I1", FAST): _figures(15.0, scores=ours),
        ("I1", WHOLE): _figures(20.0),
        ("I1", AGAIN): _figures(1.0),
        ("I1", ONE): _figures(15.0, wall=17.0, scores=ours),
        ("I1", TWO): _figures(16.0, wall=10.0),
        ("I1", CLEANVISION): _figures(225.0, scores=theirs),
        ("I1", FASTDUP): _figures(120.0, scores={}),
    }


def test_what_keeps_every_budget_to_the_letter_passes() -> None:
    assert [verdict.word for verdict in verdicts(_kept())] == ["PASS"] * 12


@pytest.mark.parametrize(
    ("place", "figures"),
    [
        (("start", budgets.HELP), _figures(0.11)),
        (("T1", WHOLE), _figures(12.1)),
        (("T10", ONE), _figures(30, 4.9e8)),
        (("I1", DRAFT), _figures(9.9)),
        (("I1", CLEANVISION), _figures(224, scores={})),
        (("I1", FASTDUP), _figures(119, scores={})),
        (("I1", FASTDUP), _figures(120, scores={"near": Score(frozenset({3}), 2, 0)})),
        (("I1", AGAIN), _figures(1.1)),
        (("I1", TWO), _figures(16, wall=10.1)),
    ],
)
def test_what_breaks_a_budget_fails_it_alone(place: tuple[str, str], figures: Figures) -> None:
    words = [verdict.word for verdict in verdicts(_kept() | {place: figures})]
    assert sorted(words) == ["FAIL"] + ["PASS"] * 11


def test_memory_and_parse_are_budgets_of_their_own() -> None:
    failed = [v.promise for v in verdicts(_kept() | {("T1", FAST): _figures(3.1, 5.1e8)}) if v.word == "FAIL"]
    assert len(failed) == 2
    assert all("single-pass" in promise for promise in failed)


def test_what_was_not_measured_or_failed_has_no_verdict() -> None:
    assert {verdict.word for verdict in verdicts({})} == {"not measured"}
    measured = _kept() | {("I1", CLEANVISION): _figures(1.0, status="failed (exit status 1)")}
    words = [verdict.word for verdict in verdicts(measured)]
    assert words.count("not measured") == 2
    assert "FAIL" not in words


def test_a_fault_that_only_a_peer_finds_is_told_by_kind() -> None:
    scores = {"near": Score(frozenset({1, 3}), 3, 0), "black": Score(frozenset({"b"}), 2, 0)}
    measured = _kept() | {("I1", FASTDUP): _figures(120.0, scores=scores)}
    (verdict,) = [verdict for verdict in verdicts(measured) if verdict.word == "FAIL"]
    assert (verdict.value, verdict.why) == (2, "black 1, near 1")


# ---------------------------------------------------------------- tables


def test_the_table_of_a_contest() -> None:
    text = page.contest("I1", _kept() | {("I1", "other"): _figures(0.1, status="failed (exit status 3)")}, DRAFT, FAST)
    lines = text.splitlines()
    assert len(lines) == 2 + 9
    assert {line.count("|") for line in lines} == {8}
    assert f"| {FAST} | 15.00 | 1.00 | 100 | 1.50 | 1.00 | black 1/1, near 2/2 (+5) |" in lines
    assert lines[2].startswith(f"| {AGAIN} | 1.00 ")
    assert lines[-1].endswith("|  |  | failed (exit status 3) |")


def test_the_table_of_the_budgets() -> None:
    lines = page.promises(verdicts(_kept())).splitlines()
    assert len(lines) == 2 + 12
    assert "| I1, CPU against CleanVision | at most 1/15 | 1/15 | PASS |" in lines
    assert "| T1 CSV, all single-pass rules, peak memory | at most 500 MB | 400 MB | PASS |" in lines
    assert "| I1, throughput of two workers against one | at least 1.70x | 1.70x | PASS |" in lines


def test_the_whole_outcome_names_machine_versions_and_data_sets() -> None:
    options = speed.parse(["--runs", "3", "--work", "I1"])
    text = speed.text(_kept(), {CLEANVISION: "0.3.7"}, options)
    assert "cores" in text
    assert "Medians of 3 runs in turns" in text
    assert "cleanvision 0.3.7" in text
    assert "### I1: 10,000 JPEG photos" in text


def test_medians_and_failures_of_several_runs() -> None:
    typical = page.median([_figures(3.0), _figures(1.0, scores={}), _figures(2.0)])
    assert (typical.cpu, typical.runs, typical.scores, typical.status) == (2.0, 3, {}, "")
    assert page.median([_figures(1.0), _figures(1.0, status="stopped")]).status == "stopped"


def test_a_section_of_the_page_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n")
    for _ in range(2):
        page.put("speed", "new\n", file)
    assert file.read_text() == "before\n<!-- speed -->\n\nnew\n\n<!-- /speed -->\nafter\n"
    with pytest.raises(ValueError, match="no section"):
        page.put("scale", "new", file)


def test_the_page_has_both_sections(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(page.PAGE.read_text())
    page.put("speed", "x", copy)
    page.put("scale", "y", copy)


# ---------------------------------------------------------------- running


def test_every_peer_has_its_script() -> None:
    folder = contestants.ROOT / "benchmarks" / "peers"
    scripts = {path.stem for path in folder.glob("*.py")} - {"__init__", "protocol"}
    # Those that judge whole sets belong to the detection benchmark.
    assert {name for name in scripts if not name.startswith("sets_")} == {peer.script for peer in contestants.PEERS}


def test_who_takes_part(tmp_path: Path) -> None:
    peers = dict.fromkeys(contestants.PEERS, "python")
    names = {
        work: [entrant.name for entrant in contestants.contestants(work, tmp_path / "x", tmp_path, peers, [])]
        for work in ("T1", "T1 Parquet", "T10", "I1")
    }
    assert names["T1"][:3] == [PARSE, FAST, WHOLE]
    assert names["T1 Parquet"] == [budgets.GROUPS, FAST]
    assert names["T10"] == [ONE]
    assert names["I1"] == [DRAFT, FAST, WHOLE, AGAIN, ONE, TWO, CLEANVISION, FASTDUP]
    first, again = (e for e in contestants.contestants("I1", tmp_path, tmp_path, {}, []) if e.name in {WHOLE, AGAIN})
    assert first.cache == again.cache
    assert first.fresh
    assert not again.fresh


def _metered(tmp_path: Path, seconds: str, *command: str) -> dict[str, Any]:
    out = tmp_path / "out.json"
    meter = contestants.ROOT / "benchmarks" / "meter.py"
    subprocess.run([sys.executable, str(meter), str(out), seconds, *command], check=True)
    return dict(json.loads(out.read_text()))


def test_the_meter_counts_the_whole_tree(tmp_path: Path) -> None:
    # Bytes that are only resident in a grandchild which outlives its parent.
    grandchild = "x = bytearray(b'1') * 80_000_000; import time; time.sleep(0.4)"
    child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {grandchild!r}]).wait(); sys.exit(3)"
    figures = _metered(tmp_path, "30", sys.executable, "-c", child)
    assert figures["status"] == 3
    assert not figures["stopped"]
    assert figures["memory"] > 80e6
    assert figures["cpu"] > 0


def test_the_meter_ends_what_takes_too_long(tmp_path: Path) -> None:
    figures = _metered(tmp_path, "0.1", sys.executable, "-c", "while True: pass")
    assert figures["stopped"]


def test_the_probes_read_everything(photos: tuple[Path, data.Truth], tmp_path: Path) -> None:
    root, truth = photos
    data.make_table(tmp_path, "T", 300)
    assert limits.parse(tmp_path / "T.csv") == limits.groups(tmp_path / "T.parquet") == 300
    assert limits.draft(root) == PHOTOS - len(truth["corrupt"])


# ---------------------------------------------------------------- scale


def test_a_small_reduce_adds_up_and_leaves_its_templates_alone() -> None:
    templates, _ = scale.summaries(scale.table, 400, 3)
    before = [freeze(states) for states in templates]
    course = scale.reduce(templates, 51)
    assert [freeze(states) for states in templates] == before
    (states,) = course.merged.values()
    by_kind = {type(state): state for state in states}
    sample, numbers = by_kind[Sample], by_kind[NumberStats]
    assert isinstance(sample, Sample)
    assert isinstance(numbers, NumberStats)
    assert sample.samples == numbers.samples == 51 * 400
    # No two partitions hold the same sample, so the sample is full; but those repeated within one are still.
    assert len(sample.contents) == min(20_000, 51 * (400 - 20))
    assert int(sample.counts.sum()) == len(sample.places)
    assert set(np.unique(sample.places.part)) == set(range(51))
    assert (np.diff(sample.places.row[np.argsort(sample.places.row)]) > 0).all()
    text = scale.text(course, "rows", 400, templates, 0.01, merges=3)
    assert "20,400 rows in 51 partitions" in text
    assert "| Sample |" in text
    assert scale.costs(scale.stages(400), 51, 400).count("\n") == 2 + 2 + 5
    assert scale.share(scale.sizes([100])).count("\n") == 2


def test_pictures_reduce_too() -> None:
    templates, _ = scale.summaries(scale.photos, 20, 2)
    course = scale.reduce(templates, 50)
    (states,) = course.merged.values()
    assert all(
        vars(state)["samples"] == 50 * 20 for state in states if "samples" in vars(state) and scale.renewed(state)
    )
    assert "1,000 pictures in 50 partitions" in scale.text(course, "pictures", 20, templates, 0.01, merges=3)
