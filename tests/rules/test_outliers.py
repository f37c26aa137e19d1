"""VAL111: what a column's own tail does not explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Report


def scan(**columns: object) -> Report:
    frame = pd.DataFrame(columns)
    return datalint.scan(frame.assign(y=["a", "b"] * (len(frame) // 2)), label="y", select=["VAL111"])


def test_an_absurd_age_is_a_warning_and_named() -> None:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 90, 600).astype(float)
    age[17] = 9990
    report = scan(age=age, x=rng.normal(size=600))
    (finding,) = report.findings
    assert (finding.severity, finding.column) == ("warning", "age")
    assert finding.message.startswith("1 outlying sample: 9990 in 'age' lies ")
    assert finding.message.endswith("times as far from the median as the next value, 89")
    assert report.affected("VAL111")["index"].tolist() == [17]


def test_several_at_once_do_not_hide_each_other() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=1000)
    x[[4, 40, 400]] = [300, 310, 290]
    report = scan(x=x, z=rng.normal(size=1000))
    assert sorted(report.affected("VAL111")["index"]) == [4, 40, 400]


def test_tails_of_every_kind_are_silent() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        tails = {
            "normal": rng.normal(size=1000),
            "exponential": rng.exponential(size=1000),
            "lognormal": rng.lognormal(0, 2, 1000),
            "pareto": rng.pareto(1.2, 1000),
            "t": rng.standard_t(2, 1000),
            "counts": rng.poisson(0.2, 1000),
            "sparse": np.where(rng.random(1000) < 0.95, 0, rng.lognormal(3, 2, 1000)),
        }
        assert not [f for f in scan(**tails).findings if f.severity != "info"]


def test_a_row_that_is_odd_in_combination_only_is_info() -> None:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 800)
    a, b = np.cos(angle), np.sin(angle)
    a[5], b[5] = 0, 0
    report = scan(a=a, b=b)
    assert [f.severity for f in report.findings] == ["info"]
    assert report.affected("VAL111")["index"].tolist() == [5]


def test_a_code_that_repeats_is_another_rules() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(50, 9, 600)
    x[:12] = -99999
    assert not scan(x=x, z=rng.normal(size=600)).findings


def test_a_negative_value_of_a_positive_quantity_is_info() -> None:
    rng = np.random.default_rng(0)
    age = np.clip(np.round(rng.normal(55, 17, 400)), 23, 98)
    other = rng.normal(size=400)
    assert not scan(age=age, other=other).findings
    age[5] = -45
    report = scan(age=age, other=other)
    assert [(f.severity, f.column) for f in report.findings] == [("warning", "age")]
    assert "where 0 to 130 are possible" in report.findings[0].message
    report = scan(weight=age, other=other)
    assert ("info", "weight") in [(f.severity, f.column) for f in report.findings]
    assert "where all other values are 23 or more" in report.findings[0].message
    # A quantity that comes near zero may well be below it.
    assert not scan(balance=rng.normal(50, 25, 400), other=other).findings


@pytest.mark.parametrize(
    ("name", "usual", "wrong", "severity"),
    [
        ("age", (18, 90), [-5, 155], "warning"),
        ("Patient Age", (18, 90), [171], "warning"),
        ("tree_age", (18, 90), [171], None),
        ("latitude", (0, 60), [95.3], "warning"),
        ("discount_percent", (0, 100), [140], "info"),
        ("percent_change", (-20, 100), [140], None),
        ("age", (18, 90), [91, 99], None),
    ],
)
def test_values_that_cannot_be(name: str, usual: tuple[int, int], wrong: list[float], severity: str | None) -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(*usual, 900).round(1)
    values[: len(wrong)] = wrong
    table = pd.DataFrame({name: rng.permutation(values), "x": rng.normal(size=900), "y": rng.choice(["a", "b"], 900)})
    findings = datalint.scan(table, label="y", select=["VAL111"], cache=False).findings
    told = [finding for finding in findings if "cannot be by the name" in finding.message]
    assert [finding.severity for finding in told] == ([severity] if severity else [])
    assert all(finding.affected.count == len(wrong) for finding in told)
    assert not [finding for finding in findings if finding.severity == "warning" and finding not in told]


@pytest.mark.parametrize(
    ("name", "wrong", "found"),
    [
        ("built", [2097], 1),
        ("year_built", [2097, 2088, 2097], 3),
        ("YearBuilt", [197, 20015], 2),
        ("construction_year", [2097] * 30, 30),
        ("birth_year", [2097], 1),
        ("yr_renovated", [2097], 1),
        ("built", [], 0),
        ("year_built", [1650, 2024], 0),
        ("target_year", [2097], 0),
        ("built_area", [2097], 0),
    ],
)
def test_years_of_what_has_happened_lie_in_the_past(name: str, wrong: list[int], found: int) -> None:
    rng = np.random.default_rng(0)
    years = np.round(2015 - rng.gamma(2, 18, 900))
    if "renovated" in name:
        years[:700] = 0
    if "area" in name:
        years = years + np.linspace(0.1, 0.9, len(years))
    years[700 : 700 + len(wrong)] = wrong
    table = pd.DataFrame({name: years, "x": rng.normal(size=len(years)), "y": rng.choice(["a", "b"], len(years))})
    findings = datalint.scan(table, label="y", select=["VAL111"], cache=False).findings
    told = [finding for finding in findings if finding.severity == "warning"]
    assert sum(finding.affected.count for finding in told) == found  # 20015 lies absurdly far as well
    assert not any(finding.column == name for finding in findings if finding not in told)


@pytest.mark.parametrize("factor", [10, 100, 1000])
@pytest.mark.parametrize("share", [0.03, 0.4, 0.8])
def test_one_quantity_in_two_units(factor: int, share: float) -> None:
    rng = np.random.default_rng(factor)
    weight = np.round(rng.normal(70, 8, 900), 1)
    grams = rng.random(900) < share
    report = scan(weight=np.where(grams, weight * factor, weight), x=rng.normal(size=900))
    (finding,) = [f for f in report.findings if f.severity != "info"]
    few, word = (grams, "large") if share < 0.5 else (~grams, "small")
    assert finding.message.startswith(
        f"one quantity in two units: {few.sum()} values of 'weight' are {factor:,} times as {word} as the others ("
    )
    assert finding.column == "weight"
    assert sorted(report.affected("VAL111")["index"]) == np.flatnonzero(few).tolist()


def test_a_target_and_times_in_two_units() -> None:
    rng = np.random.default_rng(5)
    price = rng.lognormal(11, 0.35, 800).round()
    price[rng.permutation(800)[:90]] *= 100
    seen = np.sort(rng.integers(1_500_000_000, 1_520_000_000, 800))
    seen[700:] *= 1000
    frame = pd.DataFrame({"area": rng.gamma(9, 11, 800), "timestamp": seen, "price": price})
    (finding,) = (f for f in datalint.scan(frame, label="price", select=["VAL111"]).findings if f.severity != "info")
    assert "100 values of 'timestamp' are 1,000 times as large as the others (" in finding.message
    assert "90 values of 'price' are 100 times as large as the others (" in finding.message


def test_two_kinds_of_things_are_no_two_units() -> None:
    """Kinds whose numbers lie apart, and units that a column names."""
    rng = np.random.default_rng(2)
    kind = rng.random(900) < 0.3
    mice_and_men = np.where(kind, rng.normal(25, 4, 900), rng.normal(76, 13, 900) * 1000)
    yen = rng.lognormal(4, 0.3, 900).round(2) * np.where(kind, 100, 1)
    report = scan(weight=mice_and_men, cost=yen, currency=np.where(kind, "JPY", "EUR"))
    assert not [f for f in report.findings if f.severity != "info"]
