"""VAL103: how much is missing, and of what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def scan(source: Any) -> Report:
    return datalint.scan(source, label="y", select=["VAL103"])


def table(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    words = rng.choice(["red", "green", "blue"], n).astype(object)
    return pd.DataFrame(
        {"x": rng.normal(3, 2, n), "z": rng.normal(1, 2, n), "word": words, "y": rng.choice(["a", "b"], n)}
    )


def test_a_few_gaps_are_info_with_rows_and_columns() -> None:
    frame = table()
    frame.loc[[3, 5], "x"] = np.nan
    frame.loc[[5], "word"] = None
    report = scan(frame)
    (finding,) = report.findings
    assert finding.severity == "info"
    assert finding.message == "2 of 400 rows have gaps: 2 (0.5%) of 'x', 1 (0.2%) of 'word'"
    assert sorted(report.affected("VAL103")["index"]) == [3, 5]


def test_no_gaps_no_word_and_gaps_of_the_label_are_not_counted() -> None:
    frame = table()
    assert not scan(frame).findings
    frame["y"] = frame["y"].astype(object)
    frame.loc[:9, "y"] = None
    assert not scan(frame).findings


def test_an_empty_column_is_a_warning_and_makes_no_row_incomplete(tmp_path: Path) -> None:
    table().assign(nothing=None).to_csv(tmp_path / "t.csv", index=False)
    (finding,) = scan(tmp_path / "t.csv").findings
    assert (finding.severity, finding.column) == ("warning", "nothing")
    assert finding.message == "'nothing' has no value at all"
    assert finding.evidence["incomplete_rows_share"] == 0


def test_empty_rows_are_a_warning_and_named() -> None:
    frame = table()
    frame.loc[[7, 9], ["x", "z"]] = np.nan
    frame.loc[[7, 9], "word"] = None
    frame.loc[20, "x"] = np.nan
    report = scan(frame)
    assert report.findings[0].severity == "warning"
    assert report.findings[0].message.startswith("2 of 400 rows are empty; 3 of 400 rows have gaps")
    assert sorted(report.affected("VAL103")["index"]) == [7, 9]


def test_much_missing_is_a_warning_with_shares_by_class() -> None:
    frame = table()
    frame.loc[frame["y"] == "a", "z"] = np.nan
    (finding,) = scan(frame).findings
    assert (finding.severity, finding.column) == ("warning", "z")
    assert finding.evidence["missing_share_by_class"] == {"a": 1.0, "b": 0.0}


def test_question_marks_among_numbers_are_left_to_another_rule(tmp_path: Path) -> None:
    frame = table()
    frame["x"] = frame["x"].round(2).astype(str)
    frame.loc[:199, "x"] = "?"
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert not scan(tmp_path / "t.csv").findings


def test_the_one_split_with_gaps_is_named() -> None:
    gappy = table()
    gappy.loc[:200, "z"] = np.nan
    (finding,) = scan({"train": table(), "test": gappy}).findings
    assert finding.split == "test"


def test_gaps_of_keys_are_told_by_themselves() -> None:
    frame = table()
    frame["patient_id"] = [f"P{k % 90}" for k in range(len(frame))]
    frame.loc[frame.index[:8], "patient_id"] = None
    report = scan(frame)
    (finding,) = report.findings
    assert (finding.severity, finding.column) == ("info", "patient_id")
    assert sorted(report.affected("VAL103")["index"]) == list(range(8))
    frame.loc[frame.index[::4], "patient_id"] = None
    frame.loc[[3, 5], "x"] = np.nan
    inputs, keys = sorted(scan(frame).findings, key=lambda finding: finding.message)
    assert keys.message == "gaps in what looks like a key: 106 (26.5%) of 'patient_id'"
    assert (keys.severity, inputs.severity) == ("warning", "info")
    assert inputs.message.startswith("2 of 400 rows have gaps")


def test_the_one_split_whose_keys_have_gaps_is_named() -> None:
    parts = {name: table().assign(user_id=[f"U{k % 90}" for k in range(400)]) for name in ("train", "test")}
    parts["test"].loc[::2, "user_id"] = None
    (finding,) = scan(parts).findings
    assert (finding.split, finding.severity) == ("test", "warning")


SOUTH_AND_EAST = "AO BI BW CD CF CG DJ ER ET GA GQ KE KM LS MG MU MW MZ NA RE RW SC SO SS SZ TD TZ UG YT ZA ZM ZW"


def countries(codes: list[str], years: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"country": np.repeat(codes, years), "year": np.tile(1990 + np.arange(years), len(codes))})
    table["y"] = rng.normal(50, 9, len(table)).round(2)
    return table.assign(births=rng.normal(30, 5, len(table)).round(2)).sample(frac=1, random_state=0)


@pytest.mark.parametrize("years", [1, 12])  # one row per country: a key; several: an input
def test_namibia_is_no_gap(years: int, tmp_path: Path) -> None:
    countries(SOUTH_AND_EAST.split(), years).to_csv(tmp_path / "births.csv", index=False)
    (finding,) = scan(tmp_path).findings
    cells = "1 cell is" if years == 1 else f"{years} cells are"
    assert finding.message == (
        f"{cells} empty in 'country' among codes of countries: 'NA' (Namibia) was probably read as a gap"
    )
    assert "keep_default_na" in finding.remedy
    assert (finding.severity, finding.affected.count) == ("info", years)


def test_north_america_is_no_gap(tmp_path: Path) -> None:
    table = countries(["AF", "AS", "EU", "NA", "OC", "SA"], 30).rename(columns={"country": "continent"})
    table.to_csv(tmp_path / "births.csv", index=False)
    assert "(North America)" in scan(tmp_path).findings[0].message


@pytest.mark.parametrize("codes", [SOUTH_AND_EAST, "AL AK AZ WY WV TX NA", "DE FR NA"])
def test_more_gaps_than_a_code_has_rows_and_other_codes_are_gaps(codes: str, tmp_path: Path) -> None:
    table = countries(codes.split(), 12)
    if codes == SOUTH_AND_EAST:
        table.loc[table["country"] < "CF", "country"] = None
    table.to_csv(tmp_path / "births.csv", index=False)
    (finding,) = scan(tmp_path).findings
    assert "rows have gaps" in finding.message


def test_arrays_have_no_gaps() -> None:
    X = np.random.default_rng(0).normal(size=(100, 4))
    X[3, 2] = np.nan
    report = datalint.scan((X, np.arange(100) % 2), select=["VAL103"])
    assert [rule.status for rule in report.datasets[0].rules] == ["skipped"]


def test_a_column_that_a_split_lacks_has_no_gaps_there(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 4)), columns=[*"abcy"])
    frame[:120].to_csv(tmp_path / "train.csv", index=False)
    frame[120:].drop(columns=["b", "c"]).to_csv(tmp_path / "test.csv", index=False)
    assert [f.code for f in datalint.scan(tmp_path, label="y", select=["VAL103", "SPL110"]).findings] == ["SPL110"]
