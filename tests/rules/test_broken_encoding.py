"""TXT102: what is broken, and what only looks strange."""
# ruff: noqa: RUF001 - such signs are what it is about

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import datalint
from tests.reference import named

if TYPE_CHECKING:
    from datalint.report.models import Finding


def found(texts: list[str], at: int = 5) -> list[Finding]:
    """Findings in the clean reviews with some texts put in place of theirs."""
    table = named("reviews").tables["train"].copy()
    column = table["review"].tolist()
    column[at : at + len(texts)] = texts
    table["review"] = pd.Series(column, dtype=object)
    return datalint.scan(table, label="opinion", select=["TXT102"]).findings


@pytest.mark.parametrize(
    "text",
    [
        "they came to the café and it was closed",
        "Privet means Привет in Russian, and it was good",
        "it’s “fine” – says the owner… €5",
        "日本語のテキスト was written on the wall",
        "crème brûlée at the café ☕ was good 👍",
    ],
)
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_read_in_the_wrong_encoding(text: str, encoding: str) -> None:
    broken = text.encode().decode(encoding, "replace")
    (finding,) = found([broken, broken])
    assert finding.severity == "warning"
    assert [sample.index for sample in finding.affected.samples] == [5, 6]
    assert not found([text, text])


@pytest.mark.parametrize(
    "text",
    [
        "il est déjà\u00a0» parti et «\u00a0désolé\u00a0» de rien",
        "LE CAFÉ… ET LA FORÊT” SONT FERMÉS — NON",
        "„SEINE NAIVITÄ“ war groß, sagte die Frau",
        "AMANHÔ disse ele, e a MAÇÔ também",
        "it was 20°C ± 3 and cost £5 or ½ of that",
        "Ænima, Ørsted, Łódź, Çeşme and Þór are names",
        "tiếng Việt có nhiều dấu ở trên chữ cái",
    ],
)
def test_accents_and_signs_are_no_fault(text: str) -> None:
    assert not found([text, text + "!"])


def test_a_replacement_character_is_told_and_a_single_text_is_info() -> None:
    (finding,) = found(["the caf\ufffd was closed on Monday"])
    assert finding.severity == "info"
    assert finding.evidence["replacement_characters"] == 1


def test_tables_without_sentences_are_skipped() -> None:
    table = pd.DataFrame({"city": ["MÃ¼nchen", "Bonn"] * 40, "y": ["a", "b"] * 40})
    (status,) = datalint.scan(table, label="y", select=["TXT102"]).datasets[0].rules
    assert (status.status, status.reason) == ("skipped", "the table has no column of sentences")
