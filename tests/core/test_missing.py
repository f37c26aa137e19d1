"""Words for missing values: one list, from which each reader takes what is a gap where it looks."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from datalint.core import missing
from datalint.core.roles import ColumnHead
from datalint.sources.tables.kinds import kind_of
from datalint_rules._shared.spelling import placeholders


def test_delimited_text_has_the_gaps_that_pandas_reads() -> None:
    words = sorted({*missing.AMONG_VALUES, *missing.READ_AS_GAPS, *missing.NEVER_A_VALUE, "U", "Null"} - {""})
    page = pd.DataFrame({"word": words, "end": 1}).to_csv(index=False)
    read = pd.read_csv(io.StringIO(page))["word"]
    assert [word for word, gap in zip(words, read.isna(), strict=True) if gap] == sorted(
        set(missing.READ_AS_GAPS) - {""}
    )


def test_what_is_a_gap_anywhere_is_one_among_names_and_values() -> None:
    assert missing.ANYWHERE <= missing.AMONG_NAMES
    assert missing.AMONG_NAMES - {""} <= missing.AMONG_VALUES
    assert not missing.NEVER_A_CLASS & missing.PERHAPS_A_CLASS


@pytest.mark.parametrize("word", ["U", "+", "no", "0", "nah"])
def test_a_value_is_no_word_for_a_gap(word: str) -> None:
    assert not missing.is_missing_word(word)
    assert word.casefold() not in missing.NEVER_A_CLASS | missing.PERHAPS_A_CLASS


def test_namibia_may_be_a_class_and_a_category_may_be_called_none() -> None:
    assert placeholders({"NA": 50, "DE": 60, "FR": 55}) == ([], ["NA"])
    assert ColumnHead("damage", "text", ["none", "-", "rust"]).facts.present == 3


@pytest.mark.parametrize("word", ["?", "n.a.", "undefined", "#DIV/0!", "not recorded"])
def test_a_column_of_numbers_and_words_for_gaps_is_numeric(word: str) -> None:
    assert kind_of(["1", "2", word, "4"])[0] == "number"
    assert kind_of(["1", "2", "U", "4"])[0] == "text"
