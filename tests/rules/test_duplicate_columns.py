"""VAL108: equal columns, copies under a map, and accidents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import datalint


def found(frame: Any) -> list[tuple[str, str]]:
    return [(f.severity, f.message) for f in datalint.scan(frame, label="y", select=["VAL108"]).findings]


def table(n: int = 400) -> tuple[pd.DataFrame, np.random.Generator]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(3, 2, n), "b": rng.integers(0, 9, n), "y": rng.choice(["u", "v"], n)})
    return frame.assign(word=rng.choice(["red", "green", "blue"], n)), rng


def test_equal_numbers_and_texts_gaps_included() -> None:
    frame, _ = table()
    frame.loc[:4, "a"] = np.nan
    assert not found(frame)
    assert found(frame.assign(again=frame["a"], colour=frame["word"])) == [
        ("warning", "'a' and 'again' are equal; 'colour' and 'word' are equal in all 400 samples")
    ]


def test_one_different_row_is_another_column() -> None:
    frame, _ = table()
    assert not found(frame.assign(again=frame["b"].where(frame.index != 7, 99)))


def test_copies_under_a_map_are_info() -> None:
    frame, _ = table()
    told = found(frame.assign(scaled=1.8 * frame["a"] + 32, cubed=frame["a"] ** 3))
    ((severity, message),) = told
    assert severity == "info"
    assert "'scaled' is a rescaled copy of 'a'" in message
    assert "'cubed' is a monotone function of 'a'" in message or "function of 'cubed'" in message


def test_a_code_beside_its_name_is_info_and_a_coarser_one_nothing() -> None:
    frame, _ = table()
    code = frame["word"].map({"red": 5, "green": 2, "blue": 9})
    ((severity, message),) = found(frame.assign(code=code))
    assert (severity, message) == ("info", "the values of 'code' and 'word' correspond one to one")
    assert not found(frame.assign(coarse=(frame["word"] == "red").astype(int)))


def test_close_measurements_are_no_copies() -> None:
    frame, rng = table()
    assert not found(frame.assign(again=frame["a"] + rng.normal(0, 0.02, 400)))


def test_rare_flags_that_agree_may_be_an_accident_and_constants_are_none_of_it() -> None:
    frame, _ = table()
    flag = np.zeros(400)
    flag[:3] = 1
    ((severity, message),) = found(frame.assign(p=flag, q=flag, c=1.0, d=1.0))
    assert severity == "info"
    assert "may be an accident" in message


@pytest.mark.parametrize("rows", [1, 2])
def test_columns_that_share_wild_rows_are_no_copies(rows: int) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(900, 4)), columns=list("abcd"))
    table.iloc[:rows] = 1e9
    report = datalint.scan(table.assign(y=rng.choice(["p", "q"], 900)), label="y", select=["VAL108"])
    assert not report.findings
    table["e"] = table["a"] * 2.54 + 1
    report = datalint.scan(table.assign(y=rng.choice(["p", "q"], 900)), label="y", select=["VAL108"])
    assert report.findings
