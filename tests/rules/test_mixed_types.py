"""VAL106: strays among numbers and dates, dressed numbers, and codes that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
NUMBERS = [f"{value:.2f}" for value in RNG.normal(50, 9, 300)]


def found(column: list[Any], source: Path | None = None) -> list[tuple[str, str]]:
    frame = pd.DataFrame({"x": np.arange(300.0) ** 2, "v": column, "y": ["a", "b", "c"] * 100})
    if source is not None:
        frame.to_csv(source / "t.csv", index=False)
    report = datalint.scan(frame if source is None else source / "t.csv", label="y", select=["VAL106"])
    return [(f.severity, f.message) for f in report.findings]


def test_numbers_with_other_texts(tmp_path: Path) -> None:
    strays = ["about fifty", *NUMBERS[1:290], *["12 mm"] * 10]
    ((severity, message),) = found(strays)
    assert severity == "warning"
    assert message == "'v' holds 289 plain numbers and 10 written like '12 mm'"
    ((severity, message),) = found(strays, tmp_path)
    assert (severity, message) == ("warning", "'v' holds numbers and 11 texts such as '12 mm'")


@pytest.mark.parametrize("form", ["${}", "{} %", "1,{}", "{} kg", "€ {}", "Rs{}", "Rs. {}", "US${}", "{} zł"])
def test_dressed_numbers(form: str) -> None:
    ((severity, message),) = found([form.format(f"{k + 100}") for k in range(300)])
    assert severity == "warning"
    assert "numbers stored as text" in message


@pytest.mark.parametrize("form", ["{}.320,97", "1.{}.000"])
def test_points_between_thousands(form: str) -> None:
    ((severity, message),) = found([form.format(f"{k + 100}") for k in range(300)])
    assert (severity, "numbers stored as text" in message) == ("warning", True)
    assert not found([f"10.0.{k}" for k in range(300)])  # versions


def test_symbols_that_a_spreadsheet_converted(tmp_path: Path) -> None:
    genes = [f"{'ABCX'[k % 4]}DK{k % 97}" for k in range(300)]
    assert not found(genes)
    ((severity, message),) = found([*genes[:295], "7-Mar", "2-Sep", "2-Sep", "Dec-01", "2.31E+13"])
    assert severity == "warning"
    assert message.startswith("'v' holds 5 dates or powers of ten such as '2-Sep' among 295 symbols")
    ranges = [f"{k % 9 * 5}-{k % 9 * 5 + 4}" for k in range(300)]
    ((severity, message),) = found([*ranges[:290], *["9-May"] * 5, *["14-Oct"] * 5], tmp_path)
    assert (severity, "such as '14-Oct'" in message) == ("warning", True)
    assert not found([f"{k % 28 + 1}-{('Jan', 'Mar', 'Dec')[k % 3]}" for k in range(300)])


def test_plain_numbers_stored_as_text() -> None:
    ((severity, message),) = found(NUMBERS)
    assert severity == "warning"
    assert message.startswith("'v' holds numbers stored as text, such as '")


def test_a_handful_of_numbers_with_units_is_info() -> None:
    few = [f"{(1, 15, 30)[k % 3]} min" for k in range(90)]
    many = [f"{k % 30} min" for k in range(90)]
    severities = [
        [finding.severity for finding in datalint.scan(pd.DataFrame({"t": t}), select=["VAL106"], cache=False).findings]
        for t in (few, many)
    ]
    assert severities == [["info"], ["warning"]]


def test_dates_in_two_formats_and_with_strays() -> None:
    days = pd.date_range("2020-01-01", periods=300)
    iso, slashes = days.strftime("%Y-%m-%d").tolist(), days.strftime("%d/%m/%Y").tolist()
    ((severity, message),) = found(iso[:200] + slashes[200:])
    assert severity == "warning"
    assert "dates in 2 formats (200 like '2020-01-01', 100 like" in message
    ((_, message),) = found([*iso[:295], *["soon"] * 5])
    assert message == "'v' holds 295 dates and 5 other values such as 'soon'"


def test_day_and_month_change_places() -> None:
    """As where files of two countries are put together."""
    days = pd.date_range("2019-03-01", periods=300)
    for sign in "/-":
        british, american = (days.strftime(form.replace("/", sign)).tolist() for form in ("%d/%m/%y", "%m/%d/%y"))
        ((severity, message),) = found(british[:180] + american[180:])
        assert severity == "warning"
        first, second = (sum(day > 12 for day in part.day) for part in (days[:180], days[180:]))
        assert f"in two orders: {first} with the day first such as" in message
        assert f"{second} with the month first such as" in message
        assert f"of {300 - first - second} others nobody can tell" in message
        assert not found(british)
        assert not found(american)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_dates_that_became_numbers(tmp_path: Path, form: str, share: float) -> None:
    days = pd.date_range("2016-02-01", periods=300)
    cut = int(300 * share)
    counted = (days - pd.Timestamp("1899-12-30")).days.astype(str).tolist()
    ((severity, message),) = found(counted[:cut] + days[cut:].strftime(form).tolist())
    assert severity == "warning"
    assert str(cut) in message
    assert "42401" in message
    late = days[:cut].strftime(form).tolist() + counted[cut:]  # the file begins with dates that any reader knows
    ((severity, message),) = found(late, tmp_path)
    assert (severity, str(cut) in message) == ("warning", True)
    years = days.year.astype(str).tolist()  # of some things only the year is known
    assert not any("in their place" in told for _, told in found(years[:cut] + days[cut:].strftime(form).tolist()))


@pytest.mark.parametrize(
    "column",
    [
        ["1", "2", "3", "A", "B"] * 60,
        [f"{k:05d}" for k in range(300)],
        [f"V{k}" if k % 8 == 0 else str(200 + k) for k in range(300)],
        ["red", "green", "blue"] * 100,
        ["10-20", "20-30", "30+"] * 100,
        ["?", *NUMBERS[1:]],
    ],
    ids=["levels", "zeros", "codes", "words", "ranges", "missing"],
)
def test_codes_and_categories_are_no_mixture(column: list[str], tmp_path: Path) -> None:
    assert not found(column, tmp_path)


def test_codes_of_digits_and_a_letter() -> None:
    assert not found([f"{10 * (k % 5 + 1)}{'ABCG'[k % 4]}" for k in range(300)])
    # One letter is a unit, and K and M multiply.
    for column in ([f"{k + 100}A" for k in range(300)], [f"{k + 100}{'KM'[k % 2]}" for k in range(300)]):
        ((severity, message),) = found(column)
        assert (severity, "numbers stored as text" in message) == ("warning", True)


def test_a_header_among_the_rows_is_told_once(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(90) / 7, "z": np.arange(90) % 11, "y": ["a", "b", "c"] * 30})
    text = "".join(part.to_csv(index=False) for part in (frame[:30], frame[30:60], frame[60:]))
    (tmp_path / "t.csv").write_text(text)
    codes = {f.code for f in datalint.scan(tmp_path / "t.csv", label="y").findings if f.severity != "info"}
    assert "FIL102" in codes
    assert "VAL106" not in codes
