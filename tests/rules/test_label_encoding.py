"""LBL105: what is one class, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from datalint.report.models import Finding


def table(labels: Sequence[object], each: int = 20) -> pd.DataFrame:
    values = [*labels] * each
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(values)), "y": values})


def found(labels: Sequence[object]) -> Sequence[Finding]:
    return datalint.scan(table(labels), label="y", select=["LBL105"], cache=False).findings


@pytest.mark.parametrize(
    "labels",
    [
        ["cat", "Cat", "dog"],
        ["New York", "New  York", "Rome"],
        ["new_york", "new-york", "rome"],
        ["café", "cafe", "bar"],
        ["yes", "no", "y", "n"],
        ["Y", "N", "y"],
        ["'a b'", "a b", "c"],
        ["1", "1.0", "b", "c"],
    ],
)
def test_one_class_spelt_in_two_ways(labels: list[str]) -> None:
    warnings = [finding for finding in found(labels) if finding.severity == "warning"]
    assert len(warnings) == 1
    assert "spelt in several ways" in warnings[0].message


@pytest.mark.parametrize(
    "labels",
    [
        ["<=50K", ">50K"],
        ["+", "-"],
        ["a", "A", "b", "B", "c", "C", "d", "D"],
        ["-5", "5", "low"],
        ["2", "3", "4", "more"],
        ["<30", "30-40", ">40"],
        ["1-2", "12", "x"],
        ["1st", "2nd", "3rd"],
        [0, 1, 2],
        ["yes", "no"],
        [True, False],
        [2**53, 2**53 + 2],
    ],
)
def test_signs_letters_and_ranges_are_classes_of_their_own(labels: list[object]) -> None:
    assert not [finding for finding in found(labels) if finding.severity != "info"]


def test_an_inner_capital_tells_classes_apart_unless_it_is_a_slip() -> None:
    vowels = ["hAd", "had", "hId", "hid", "hOd", "hod", "heed"]
    assert not found(vowels)
    (slip,) = found([*["iphone"] * 9, "iPhone", *["nokia"] * 9])
    assert "'iphone' (180), 'iPhone' (20)" in slip.message
    assert found(["Cat", "cat", "dog"])


def test_the_rarer_spellings_are_named() -> None:
    frame = table(["cat", "dog"])
    frame.loc[[3, 8], "y"] = ["DOG", "Cat"]
    report = datalint.scan(frame, label="y", select=["LBL105"], cache=False)
    assert sorted(report.affected("LBL105")["index"]) == [3, 8]
    assert "'cat' (19), 'Cat' (1), and 1 more class likewise" in report.findings[0].message


def test_spellings_that_train_does_not_know_are_an_error() -> None:
    parts = {"train": table(["<=50K", ">50K"]), "test": table(["<=50K.", ">50K."], 10)}
    (finding,) = datalint.scan(parts, label="y", select=["LBL105"], cache=False).findings
    assert (finding.severity, finding.split) == ("error", "test")
    assert "20 samples are spelt in a way that train does not know" in finding.message


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([1, 2, 3], "numbered 1 to 3; losses that index classes expect whole numbers from 0 to 2"),
        ([1, 2, 4, 5], "numbered 1 to 5, where 1 number is never used (3)"),
        ([-1, 1], "numbers from -1 to 1"),
        ([0.5, 1.5], "fractions"),
    ],
)
def test_numbers_other_than_0_to_c_are_info(labels: list[object], says: str) -> None:
    (finding,) = found(labels)
    assert finding.severity == "info"
    assert says in finding.message


def test_numbers_among_words() -> None:
    (finding,) = found(["0", "1", "cat", "dog"])
    assert finding.severity == "warning"
    assert "partly numbers and partly words" in finding.message


def test_floats_in_a_file_are_info(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(40), "y": [0.0, 1.0] * 20})
    frame.to_csv(tmp_path / "data.csv", index=False)
    (finding,) = datalint.scan(tmp_path / "data.csv", label="y", select=["LBL105"], cache=False).findings
    assert finding.severity == "info"
    assert "stored as floats" in finding.message


def test_class_folders_in_two_cases(tmp_path: Path) -> None:
    for k, name in enumerate(["cat", "Cat", "dog"]):
        (tmp_path / name).mkdir()
        for j in range(4):
            pixels = np.random.default_rng(10 * k + j).integers(0, 255, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{j}.png")
    (finding,) = datalint.scan(tmp_path, select=["LBL105"], cache=False).findings
    assert "'Cat' (4), 'cat' (4)" in finding.message
