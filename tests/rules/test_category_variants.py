"""VAL110: spellings of one category, and values that only look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding


def found(source: Any) -> list[Finding]:
    return datalint.scan(source, label="y", select=["VAL110"]).findings


def table(values: list[str], n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(size=n), "word": rng.choice(values, n), "y": rng.choice(["u", "v"], n)})


@pytest.mark.parametrize(
    ("value", "variant"),
    [
        ("red", "Red"),
        ("New York", "new-york"),
        ("New York", "New  York"),
        ("Zürich", "Zurich"),
        ("Zürich", "Zu\u0308rich"),
        ("red", "re\u200bd"),
        ("\ufb01ne", "fine"),
        ("red", "\uff52\uff45\uff44"),
    ],
)
def test_variants(value: str, variant: str) -> None:
    frame = table([value, "blue", "green"])
    assert not found(frame)
    frame.loc[5, "word"] = variant
    (finding,) = found(frame)
    assert (finding.severity, finding.column) == ("warning", "word")
    assert finding.affected.count == 1


@pytest.mark.parametrize(
    "values", [["A+", "A-", "A"], ["-1", "1", "+1"], ["<50K", ">50K"], ["c", "c#", "c++"], ["1.5", "15"]]
)
def test_signs_are_no_variants(values: list[str]) -> None:
    assert not found(table(values))


def test_blanks_count_where_the_value_also_occurs_without(tmp_path: Path) -> None:
    frame = table(["red", "blue"])
    frame.loc[:3, "word"] = " " + frame.loc[:3, "word"]
    frame.to_csv(tmp_path / "t.csv", index=False)
    for source in (frame, tmp_path / "t.csv"):
        (finding,) = found(source)
        assert finding.evidence["stray_rows"] == 4
        assert "' red'" in finding.message
    frame["word"] = " " + frame["word"].str.strip()
    (finding,) = found(frame)
    assert finding.severity == "info"
    assert finding.message == "blanks stand around all 300 values of 'word'"


def test_blanks_around_labels() -> None:
    frame = table(["red", "blue"])
    frame.loc[:9, "y"] = frame.loc[:9, "y"] + " "
    (finding,) = found(frame)
    assert (finding.severity, finding.column, finding.affected.count) == ("warning", "y", 10)
    frame["y"] = " " + frame["y"].str.strip()
    (finding,) = found(frame)
    assert (finding.severity, finding.column) == ("info", "y")


def test_a_code_beside_the_others_is_rare() -> None:
    frame = table(["red", "blue"], 2_000)
    frame["status"] = np.random.default_rng(1).integers(1, 4, 2_000)
    assert not found(frame)
    frame.loc[[4, 9], "status"] = 0
    (finding,) = found(frame)
    assert (finding.severity, finding.column) == ("info", "status")
    assert "'0' in 2 of 2,000 rows of 'status'" in finding.message


def test_the_last_of_a_count_is_no_rare_code() -> None:
    frame = table(["red", "blue"], 2_000)
    frame["children"] = np.random.default_rng(1).choice(4, 2_000, p=[0.5, 0.3, 0.2, 0])
    frame.loc[7, "children"] = 3
    assert not found(frame)


def test_letters_in_both_cases_are_codes() -> None:
    (finding,) = found(table(["a", "A", "b", "B", "c", "C", "d"]))
    assert finding.severity == "info"
    assert "perhaps one category" in finding.message


def test_a_rare_category_among_few_large_ones_is_info() -> None:
    frame = table(["male", "female"])
    frame.loc[9, "word"] = "femal"
    (finding,) = found(frame)
    assert (finding.severity, finding.column) == ("info", "word")
    assert "'femal' in 1 of 300 rows" in finding.message


def test_keys_and_sentences_hold_no_categories() -> None:
    frame = table(["red"])
    frame["word"] = [f"Name {k // 2}" if k % 2 else f"name {k // 2}" for k in range(300)]
    assert not found(frame)


def test_yes_and_no_in_the_words_of_several_sources() -> None:
    rng = np.random.default_rng(4)
    yes = rng.random(400) < 0.4
    words = [("yes", "no"), ("TRUE", "FALSE"), ("1", "0")]
    mixed = [words[k % 3][0 if said else 1] for k, said in enumerate(yes)]
    frame = pd.DataFrame({"x": rng.normal(size=400), "insured": mixed, "letter": [*"tfun"] * 100})
    (finding,) = (f for f in datalint.scan(frame, label="x", select=["VAL110"]).findings if f.severity != "info")
    assert finding.column == "insured"
    assert "'no'" in finding.message and "'FALSE'" in finding.message
    one = frame.assign(insured=np.where(yes, "y", "n"))
    assert not [f for f in datalint.scan(one, label="x", select=["VAL110"]).findings if f.severity != "info"]
