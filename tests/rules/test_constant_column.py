"""VAL105: what is constant, what only looks like it, and pictures' borders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn import datasets

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Finding


def found(source: Any, label: str | None = "y") -> list[Finding]:
    return datalint.scan(source, label=label, select=["VAL105"]).findings


def table(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(3, 2, n), "z": rng.integers(0, 9, n), "y": rng.choice(["a", "b"], n)})


def test_numbers_texts_and_dates() -> None:
    (finding,) = found(table().assign(k=7.5, word="same", day=pd.Timestamp("2024-01-01")))
    assert finding.severity == "warning"
    listed: Any = finding.evidence["columns"]
    assert {item["column"] for item in listed} == {"k", "word", "day"}
    assert finding.message == "3 columns hold one value each in all 400 samples: 'day', 'k' and 'word'"


def test_one_column_is_named_with_its_value() -> None:
    (finding,) = found(table().assign(k=7))
    assert (finding.column, finding.message) == ("k", "the column 'k' is 7 in all 400 samples")


def test_gaps_are_left_aside_but_a_flag_or_nothing_is_info() -> None:
    frame = table().assign(k=7.0, flag=["x", "", "", ""] * 100)
    frame.loc[:4, "k"] = np.nan
    hard, mild = found(frame)
    assert (hard.column, hard.severity) == ("k", "warning")
    assert "(5 are empty)" in hard.message
    assert (mild.column, mild.severity) == ("flag", "info")


def test_borders_of_pictures_are_info_unless_the_value_is_odd() -> None:
    digits = datasets.load_digits(as_frame=True).frame
    (finding,) = found(digits, "target")
    assert finding.severity == "info"
    odd = digits.assign(pixel_3_3=5.0)
    assert [(f.severity, f.column) for f in found(odd, "target")] == [("warning", "pixel_3_3"), ("info", None)]


def test_the_training_split_decides() -> None:
    parts = {"train": table().assign(k=1.0), "test": table().assign(k=np.arange(400.0))}
    (finding,) = found(parts)
    assert (finding.split, finding.column) == ("train", "k")
    parts = {"train": table().assign(k=np.arange(400.0) ** 2), "test": table().assign(k=1.0)}
    assert not found(parts)


def test_nearly_constant_is_info_and_a_rare_flag_nothing() -> None:
    near, rare = np.zeros(1000), np.zeros(1000)
    near[:3], rare[:20] = 1, 1
    (finding,) = found(table(1000).assign(near=near, rare=rare))
    assert (finding.column, finding.severity) == ("near", "info")
    assert finding.message == "99.70% of the values of 'near' are the same"


def test_a_text_among_equal_numbers_is_a_second_value(tmp_path: Any) -> None:
    frame = table().assign(k=["?" if k % 50 == 0 else "1" for k in range(400)])
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert not found(tmp_path / "t.csv")


def test_a_list_that_all_share_is_how_they_are_built(tmp_path: Any) -> None:
    """The letters of what may be chosen, as data sets of multiple choice hold them with each question."""
    rows = [
        {
            "question": f"What is {k} times {k % 7}?",
            "choices": {"label": ["A", "B"], "text": [str(k), str(k + 1)]},
            "answerKey": "AB"[k % 2],
        }
        for k in range(60)
    ]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (finding,) = datalint.scan(tmp_path, select=["VAL105"], cache=False).findings
    assert (finding.severity, finding.column) == ("info", "choices.label")
