from __future__ import annotations

import re

import pytest

from datalint.report.formats import concise, text
from datalint.report.models import Report
from tests.report import examples

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def test_a_typical_data_set_fits_one_screen() -> None:
    shown = text.render(examples.report([examples.iris()]), color=False, width=80)
    assert len(shown.splitlines()) <= 25
    assert max(map(len, shown.splitlines())) <= 80


def test_findings_come_with_code_place_remedy_and_samples() -> None:
    shown = text.render(examples.typical(), color=False)
    flat = re.sub(r"\s+", " ", shown)
    assert "error LBL102 train: 4.93% of the train labels" in flat
    assert "fix: Look through the samples" in flat
    assert "digits/train/5/img_00000.png (given 5, suggested 2, confidence 0.99)" in flat
    assert "and 92 more" in flat
    assert shown.splitlines()[-1] == "2 errors, 4 warnings, 2 infos in 4 data sets; 26 checks passed, 6 skipped"


def test_worst_findings_come_first() -> None:
    shown = text.render(examples.report([examples.digits()[0]]), color=False)
    assert re.findall(r"^  (error|warning|info) ", shown, re.MULTILINE) == ["error", "warning", "warning", "info"]


def test_colours_change_nothing_but_colours() -> None:
    plain = text.render(examples.typical(), color=False, verbose=True)
    coloured = text.render(examples.typical(), color=True, verbose=True)
    assert "\x1b" not in plain
    assert ESCAPE.search(coloured)
    assert ESCAPE.sub("", coloured) == plain


def test_many_findings_of_one_rule_are_folded() -> None:
    shown = text.render(examples.many(400), color=False)
    assert shown.count("and 97 more VAL100") == 1
    assert len(shown.splitlines()) < 60
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
