from __future__ import annotations

import re

import pandas as pd
import pytest

import datalint
from datalint.report.formats import concise, text
from datalint.report.models import Affected, Report
from tests.conversations import chats
from tests.report import examples

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def test_a_typical_data_set_fits_one_screen() -> None:
    shown = text.render(examples.report([examples.iris()]), color=False, width=80)
    assert len(shown.splitlines()) <= 30
    assert max(map(len, shown.splitlines())) <= 80


def test_findings_come_with_code_place_remedy_and_samples() -> None:
    shown = text.render(examples.typical(), color=False)
    flat = re.sub(r"\s+", " ", shown)
    assert "error LBL102 noisy-labels digits, train: 4.93% of the train labels" in flat
    assert "fix: Look through the samples" in flat
    assert "digits/train/5/img_00000.png (given 5, suggested 2, confidence 0.99)" in flat
    assert "and 92 more" in flat
    totals = "2 errors, 4 warnings, 2 infos in 4 data sets; 26 checks passed, 4 could not judge, 2 do not apply "
    assert flat.endswith(totals)


def test_answers_to_be_predicted_are_no_missing_label() -> None:
    rows = [{"messages": [{"role": role, "content": text} for role, text in chat]} for chat in chats(40)]
    shown = text.render(datalint.scan({"train": pd.DataFrame(rows)}, select=["LBL"]), color=False)
    assert "turns in 'messages'" in shown and "label" not in shown.partition("\n\n")[0]
    numbers = pd.DataFrame({"a": [k**0.5 for k in range(40)], "b": [k**0.3 for k in range(40)]})
    assert "no label recognised" in text.render(datalint.scan(numbers, select=["LBL"]), color=False)


def severities(shown: str) -> list[str]:
    return re.findall(r"^  (error|warning|info) ", shown, re.MULTILINE)


def test_the_worst_findings_come_last_where_one_looks_first() -> None:
    shown = text.render(examples.report([examples.digits()[0]]), color=False)
    assert severities(shown) == ["info", "warning", "warning", "error"]


def test_several_data_sets_are_a_table_and_their_findings_one_list() -> None:
    shown = text.render(examples.typical(), color=False, width=80)
    head, *rows = shown.split("\n\n")[0].splitlines()
    assert head == "4 data sets"
    assert [row.split()[0] for row in rows] == ["samples", "digits", "diabetes_split", "iris_sorted", "wine"]
    assert rows[1].endswith("1 error, 2 warnings, 1 info") and rows[-1].endswith("none")
    assert severities(shown) == ["info", "info", "warning", "warning", "warning", "warning", "error", "error"]
    assert "LBL102 noisy-labels  in iris_sorted\n" in shown  # an info is not worth more
    assert "LBL102 noisy-labels  iris_sorted: 2 of 150" in text.render(examples.typical(), color=False, verbose=True)


def test_very_many_data_sets_leave_room_for_their_findings() -> None:
    clean = [examples.clean_table().model_copy(update={"name": f"set{n}"}) for n in range(60)]
    shown = text.render(examples.report([*clean, examples.iris()]), color=False)
    table = shown.split("\n\n")[0].splitlines()
    assert len(table) == 1 + 1 + text.SETS + 1
    assert table[2].startswith("  iris_sorted")
    assert table[-1] == "  and 41 more without findings"


def test_samples_are_named_from_the_folder_of_their_set_on_one_a_line() -> None:
    rows = tuple(examples.sample(f"/data/x/set/a.csv:{n}", n) for n in range(4))
    found = examples.finding(
        "VAL101", "all-zero-inputs", "error", "/data/x/set/a.csv: zeros", affected=Affected(count=4, samples=rows)
    )
    for path in ("/data/x/set", "/data/x/set/a.csv"):
        dataset = examples.clean_table().model_copy(update={"path": path, "findings": (found,)})
        lines = text.render(examples.report([dataset]), color=False).splitlines()
        first = next(k for k, line in enumerate(lines) if "at:" in line)
        assert "VAL101 all-zero-inputs  a.csv: zeros" in lines[first - 1]
        # A line that counts one more would take the place of that one.
        assert [line.split()[-1] for line in lines[first : first + 4]] == ["a.csv:0", "a.csv:1", "a.csv:2", "a.csv:3"]


def test_what_could_not_be_judged_is_said_with_its_reason() -> None:
    shown = re.sub(r"\s+", " ", text.render(examples.report([examples.iris()]), color=False))
    assert "not judged: SPL103 pre-split-normalization: the set has one split" in shown
    assert "not images" not in shown  # rules of pictures have nothing to do here
    assert "4 rules passed, 1 could not judge, 2 do not apply" in shown


@pytest.mark.parametrize("width", [60, 80, 100])
def test_nothing_but_a_path_passes_the_width(width: int) -> None:
    for verbose in (False, True):
        shown = text.render(examples.typical(), color=False, width=width, verbose=verbose)
        assert max(map(len, shown.splitlines())) <= width


def test_colours_change_nothing_but_colours() -> None:
    plain = text.render(examples.typical(), color=False, verbose=True)
    coloured = text.render(examples.typical(), color=True, verbose=True)
    assert "\x1b" not in plain
    assert ESCAPE.search(coloured)
    assert ESCAPE.sub("", coloured) == plain


def test_many_findings_of_one_rule_are_folded() -> None:
    shown = text.render(examples.many(400), color=False)
    assert shown.count("and 97 more VAL100") == 1
    assert len(shown.splitlines()) < 70
    assert shown.count("fix: ") == 4  # said once per rule


def test_verbose_lists_every_rule_with_its_reason() -> None:
    shown = re.sub(r"\s+", " ", text.render(examples.report([examples.iris()]), color=False, verbose=True))
    assert "skipped SPL103 pre-split-normalization the set has one split and its columns are not normalised" in shown
    assert "passed FIL101 unreadable-file all samples" in shown


def test_failed_rules_are_always_shown() -> None:
    shown = text.render(examples.report([examples.unlabelled()]), color=False)
    assert "no rule could judge this data set" in shown
    assert "failed   VAL101 all-zero-inputs  MemoryError" in shown


def test_nothing_scanned_and_nothing_found() -> None:
    assert text.render(examples.report([]), color=False) == "no findings in 0 data sets; 0 rules passed\n"
    assert "  no findings\n" in text.render(examples.report([examples.clean_table()]), color=False)


@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_names_neither_move_the_cursor_nor_command_a_build_server(width: int, verbose: bool) -> None:
    report = examples.hostile()
    for shown in (text.render(report, color=False, width=width, verbose=verbose), concise.render(report)):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)
        assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
        assert "##[" not in shown
        assert "##vso[" not in shown
    coloured = text.render(report, color=True, width=width, verbose=verbose)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", ESCAPE.sub("", coloured))


def test_concise_has_one_line_per_finding() -> None:
    lines = concise.render(examples.typical()).splitlines()
    assert len(lines) == 8
    assert lines[0].startswith("iris.csv:2: ORD101 warning The 150 samples")
    assert lines[4].startswith("data/digits:train: LBL101 warning ")
    assert concise.render(examples.report([])) == ""
    assert len(concise.render(examples.hostile()).splitlines()) == 3 * len(examples.HOSTILE)


def test_a_report_read_back_shows_the_same() -> None:
    report = examples.typical()
    again = Report.model_validate_json(report.to_json())
    assert text.render(again, color=False, verbose=True) == text.render(report, color=False, verbose=True)
    assert concise.render(again) == concise.render(report)
    assert str(again) == text.render(report, color=False)
