from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datalint.report import wording
from datalint.report.escape import clean, guard
from tests.report import examples

if TYPE_CHECKING:
    from pydantic import JsonValue


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (12_431, "12,431"),
        (-5, "-5"),
        (10**400, "about 10^400"),
        (0.0, "0"),
        (3.0, "3"),
        (100.7, "101"),
        (12_345.6, "12,346"),
        (9.996, "10"),
        (99.97, "100"),
        (0.14249, "0.142"),
        (-17.12, "-17.1"),
        (0.00012345, "0.000123"),
        (2.1e-65, "2.1e-65"),
        (1.5e300, "1.5e300"),
        (math.nan, "not a number"),
        (-math.inf, "-infinity"),
        (True, "yes"),
    ],
)
def test_numbers_have_three_digits_and_integers_all(number: float, text: str) -> None:
    assert wording.number(number) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0493, "4.93%"), (1, "100%"), (1.0, "100%"), (0, "0%"), (0.99996, ">99.9%"), (1e-9, "<0.01%"), (0.6, "60%")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share: float, text: str) -> None:
    assert wording.number(share, share=True) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0.0%"), (0.0004, "<0.1%"), (0.1347, "13.5%"), (0.99999, "99.9%"), (1, "100.0%")]
)
def test_percentages_of_a_column_have_one_decimal(share: float, text: str) -> None:
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("noise_rate", 0.05, "5%"),
        ("majority_accuracy", 0.5, "50%"),
        ("ratio", 0.5, "0.5"),
        ("accuracy_gain", 0.5, "0.5"),
        ("sizes", [1, 2, 3], "1, 2, 3"),
        ("sizes", list(range(20)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more"),
        ("by_class", {"a_rate": 0.5, "b": None}, "a rate 50%, b none"),
        ("scaled_share", True, "yes"),
    ],
)
def test_evidence_as_text(key: str, value: JsonValue, text: str) -> None:
    assert wording.value(key, value) == text


def test_verdict_says_what_matters_in_one_sentence() -> None:
    assert wording.verdict(examples.report([examples.iris()])) == (
        "2 warnings and 1 info in 1 data set: sorted by label and single label batches."
    )
    assert wording.verdict(examples.report([examples.clean_table()])) == (
        "Nothing found by the 10 rules that could judge."
    )
    assert wording.verdict(examples.report([])) == "No data set was scanned."


def test_verdict_does_not_take_silence_for_health() -> None:
    assert wording.verdict(examples.report([examples.unlabelled()])) == (
        "No rule could judge this data set. 1 rule failed and could not judge."
    )


def test_verdict_with_infos_only() -> None:
    iris = examples.iris()
    infos = iris.model_copy(update={"findings": iris.findings[2:]})
    assert wording.verdict(examples.report([infos])) == (
        "No errors or warnings; 1 thing is worth knowing: noisy labels. "
        "1 rule could not judge: pre split normalization."
    )


def test_totals() -> None:
    assert wording.totals(examples.typical()) == (
        "2 errors, 4 warnings, 2 infos in 4 data sets; 26 checks passed, 4 could not judge, 2 do not apply"
    )
    assert wording.totals(examples.report([examples.clean_table()])) == "no findings in 1 data set; 10 rules passed"


@given(st.text())
def test_cleaned_text_is_one_line_that_moves_no_cursor(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned.splitlines()) <= 1
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in cleaned)
    assert not any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in cleaned)
    assert clean(cleaned) == cleaned


@given(st.text(), st.integers(1, 20))
def test_cleaned_text_keeps_its_limit(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit


def test_clean_keeps_words_apart_and_ordinary_text_as_it_is() -> None:
    assert clean("a\r\nb\tc") == "a b c"
    assert clean("Größe 日本 \u200f\u05d0") == "Größe 日本 \u200f\u05d0"
    assert clean("bad\udcff") == "bad\ufffd"


@pytest.mark.parametrize("line", ["::error::x", "  ::add-mask::x", "a ##[error]x", "##vso[task.x]"])
def test_build_servers_do_not_obey_names(line: str) -> None:
    guarded = guard(line)
    assert not guarded.lstrip().startswith("::")
    assert "##[" not in guarded
    assert "##vso[" not in guarded


def test_guard_leaves_other_lines_alone() -> None:
    assert guard("a.csv::column: x") == "a.csv::column: x"


def test_the_index_of_a_sample_that_is_named_is_not_told() -> None:
    assert wording.told({"repeats": "a.csv:2", "repeats_index": 0}) == {"repeats": "a.csv:2"}
    assert wording.told({"repeats_index": 0, "value_index": 3}) == {"repeats_index": 0, "value_index": 3}
