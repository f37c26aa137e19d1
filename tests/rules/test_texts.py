"""The rules of texts but that of encodings, on reviews of which some are changed."""
# ruff: noqa: RUF001 - such letters are what it is about

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from tests.reference import named

if TYPE_CHECKING:
    from datalint.report.models import Finding

REVIEWS = named("reviews").tables["train"]


def found(code: str, texts: list[Any], **columns: Any) -> list[Finding]:
    """Findings where the first reviews are replaced."""
    values = texts + REVIEWS["review"].tolist()[len(texts) :]
    table = REVIEWS.assign(review=pd.Series(values, dtype=object), **columns)
    return datalint.scan(table, label="opinion", select=[code]).findings


@pytest.mark.parametrize("code", ["TXT101", "TXT103", "TXT104", "TXT105"])
def test_categories_are_no_texts(code: str) -> None:
    frame = pd.DataFrame({"city": ["<b>", None, "n/a", "Mo\u0441cow"] * 20, "y": ["a", "b"] * 40})
    (status,) = datalint.scan(frame, label="y", select=[code]).datasets[0].rules
    assert (status.status, status.reason) == ("skipped", "the table has no column of sentences")


# --- empty-text -----------------------------------------------------------------------------------------------------


def test_what_is_empty() -> None:
    empty = [None, "", "  ", "N/A", "none", "[removed]", "...", "- -", "\u00a0"]
    (finding,) = found("TXT101", [*empty, "No.", "I", "5", "None of it was good", "so-so"])
    assert [sample.index for sample in finding.affected.samples] == list(range(len(empty)))
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("count", "beside", "severity"),
    [(3, False, "info"), (9, False, "warning"), (9, True, "info"), (99, True, "info")],
)
def test_few_are_info_and_more_are_where_there_are_other_features(count: int, beside: bool, severity: str) -> None:
    others = {"stars": np.random.default_rng(0).integers(1, 6, len(REVIEWS))} if beside else {}
    (finding,) = found("TXT101", [None] * count, **others)
    assert (finding.severity, finding.affected.count) == (severity, count)


# --- length-outliers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("times", "severity"), [(1, None), (40, "info"), (900, "warning")])
def test_long_texts(times: int, severity: str | None) -> None:
    findings = found("TXT103", [REVIEWS["review"][0] * times])
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def test_texts_cut_at_one_length() -> None:
    cut = [text[:90] for text in REVIEWS["review"]]
    (finding,) = found("TXT103", cut)
    assert finding.severity == "warning"
    assert "are cut off at 90 characters" in finding.message


def test_texts_that_end_at_a_limit_by_themselves_are_not_cut() -> None:
    assert not found("TXT103", [text[:89].rstrip(" .!") + "." for text in REVIEWS["review"]])


# --- markup-leftovers -----------------------------------------------------------------------------------------------

MARKUP = [
    "<p>It was good</p>",
    "good<br/>food",
    'see <a href="x">this</a> place',
    "fish &amp; chips",
    "caf&eacute; &#39;Roma&#39;",
    "Dear {{ user.name }}, hello",
    "Hello ${name}",
    "Dear [first name], welcome",
]
PLAIN = [
    "a < b and c > d holds",
    "I <3 this place",
    "AT&T; and R&D are fine",
    "we paid 5 {five} dollars",
    "it costs $5 [sic] a day",
    "x <y> z",
    "use the <Enter> key",
]


def test_what_is_left_of_markup() -> None:
    (finding,) = found("TXT104", MARKUP + PLAIN)
    assert [sample.index for sample in finding.affected.samples] == list(range(len(MARKUP)))
    assert (finding.severity, finding.evidence["placeholders"]) == ("warning", 3)


def test_a_single_tag_and_a_corpus_of_markup_are_info() -> None:
    (finding,) = found("TXT104", MARKUP[:1])
    assert finding.severity == "info"
    (finding,) = found("TXT104", [f"<p>{text}</p>" for text in REVIEWS["review"]])
    assert finding.severity == "info"


CODE = [
    "def row(cells):\n    \"\"\"One row of a table, which a page shows.\"\"\"\n    return '<tr>' + ''.join(cells) + '</tr>'",
    "var list = document.body;\nlist.innerHTML = '<ul>';\nlist.append(item);",
    "%(name)s = 5\nprint('<p>')\nfor name in names:\n    print('&amp;', name)",
]


def test_code_is_about_tags() -> None:
    assert found("TXT104", CODE) == []
    (finding,) = found("TXT104", [*CODE, "<p>Good phone.</p>\n<br />\nThe best (so far); really", "Dear {{name}}, buy"])
    assert finding.evidence["texts"] == 2


# --- mixed-scripts --------------------------------------------------------------------------------------------------


def test_letters_that_look_alike() -> None:
    mixed = [
        "The m\u043ene\u0443 is gone",
        "\u0420aypal wants your name",
        "\u041cосква is \u041coсква",
        "\u0391lpha and Omega",
    ]
    native = [
        "Они купили IT-компанию",
        "SMS\u043aа пришла",
        "5 \u03bcm and \u03b1-helix",
        "the \u0394T is 5 K",
        "Ελλάδα and Москва",
        "na\u00efve caf\u00e9",
    ]
    (finding,) = found("TXT105", mixed + native)
    assert [sample.index for sample in finding.affected.samples] == list(range(len(mixed)))
    assert "cyrillic small letter o" in finding.message
    assert not found("TXT105", native)
