"""VAL104: codes for missing values, and ends of columns that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding


def found(source: Any, label: str | None = "y") -> list[Finding]:
    return datalint.scan(source, label=label, select=["VAL104"]).findings


def table(n: int = 500) -> tuple[pd.DataFrame, np.random.Generator]:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(3, 2, n), "y": rng.choice(["a", "b"], n)}), rng


@pytest.mark.parametrize("code", [-999, 9999, 999, -99.9, 1e20, -1234])
def test_codes_far_outside_are_found_and_named(code: float) -> None:
    frame, rng = table()
    rows = sorted(rng.choice(500, 12, replace=False).tolist())
    frame.loc[rows, "x"] = code
    report = datalint.scan(frame, label="y", select=["VAL104"])
    (finding,) = report.findings
    assert (finding.severity, finding.column) == ("warning", "x")
    assert "occurs 12 times in 'x', whose other values" in finding.message
    assert sorted(report.affected("VAL104")["index"]) == rows


def test_two_codes_in_one_column() -> None:
    frame, _ = table()
    frame.loc[:9, "x"], frame.loc[10:29, "x"] = -999, -9999
    (finding,) = found(frame)
    listed: Any = finding.evidence["columns"]
    assert [(item["value"], item["count"]) for item in listed] == [("-9999", 20), ("-999", 10)]


def test_zeros_below_a_quantity_that_keeps_away_from_zero() -> None:
    frame, rng = table()
    pressure = np.round(rng.normal(72, 12, 500))
    pressure[:25] = 0
    (finding,) = found(frame.assign(pressure=pressure))
    assert (finding.column, finding.severity) == ("pressure", "warning")


def test_a_step_to_zero_that_may_be_meant_is_info_and_rows_of_zeros_are_none_of_it() -> None:
    frame, rng = table()
    area = np.round(rng.gamma(6, 80, 500) + 130)
    area[:25] = 0
    (finding,) = found(frame.assign(garage=area))
    assert (finding.column, finding.severity) == ("garage", "info")
    frame = frame.assign(garage=area, height=np.round(rng.normal(170, 5, 500)))
    frame.loc[:24, ["x", "height"]] = 0
    assert not found(frame)


def test_natural_ends_are_silent() -> None:
    frame, rng = table()
    natural = {
        "count": rng.poisson(1.5, 500),
        "amount": np.where(rng.random(500) < 0.3, 0, rng.lognormal(3, 1, 500)),
        "share": np.where(rng.random(500) < 0.2, 1.0, rng.random(500) * 0.3),
        "score": np.clip(np.round(rng.normal(80, 20, 500)), 0, 100),
        "flag": rng.integers(0, 2, 500),
        "level": rng.choice([0, 10, 1000], 500),
        "steps": 50 * rng.integers(0, 40, 500),
        "tail": np.round(rng.pareto(1, 500) * 10),
    }
    assert not found(frame.assign(**natural))


def test_a_cut_off_scale_and_minus_one_are_info() -> None:
    frame, rng = table(2000)
    price = np.minimum(rng.lognormal(12, 0.6, 2000).round(), 300_000)
    last = np.where(rng.random(2000) < 0.2, -1, rng.integers(0, 60, 2000))
    codes, caps = found(frame.assign(price=price, last=last))
    assert (codes.column, codes.severity) == ("last", "info")
    assert (caps.column, caps.severity) == ("price", "info")
    assert "are exactly 300000" in caps.message


def test_words_among_numbers_and_among_categories(tmp_path: Path) -> None:
    frame, rng = table()
    frame["age"] = [str(k) for k in rng.integers(18, 80, 500)]
    frame.loc[:19, "age"] = "?"
    frame["job"] = rng.choice(["cook", "nurse", "?"], 500)
    frame["sign"] = rng.choice(["+", "-"], 500)
    frame.to_csv(tmp_path / "t.csv", index=False)
    (finding,) = found(tmp_path / "t.csv")
    assert finding.severity == "warning"
    listed: Any = finding.evidence["columns"]
    assert {item["column"] for item in listed} == {"age", "job"}
    assert finding.message.endswith("otherwise 1 of these columns is numeric")


def test_words_that_may_be_meant_are_info() -> None:
    frame, rng = table()
    (finding,) = found(frame.assign(garage=rng.choice(["attached", "none", "carport"], 500)))
    assert (finding.severity, finding.column) == ("info", "garage")


def test_zeros_in_a_third_of_the_rows_and_values_that_are_no_code_are_info() -> None:
    frame, rng = table()
    logs = rng.normal(6, 0.4, 500)
    logs[:150] = 0
    people = np.round(rng.gamma(2, 300, 500))
    people[200:212] = 2.2 * people.max()
    findings = found(frame.assign(log_premium=logs, people=people))
    assert {finding.severity for finding in findings} == {"info"}
    assert "'log_premium'" in findings[0].message


def test_a_target_that_is_cut_off_is_told() -> None:
    rng = np.random.default_rng(0)
    price = np.minimum(rng.gamma(3, 60, 3_000).round(1), 400)
    frame = pd.DataFrame({"rooms": rng.integers(1, 9, 3_000), "price": price})
    (finding,) = datalint.scan(frame, label="price", select=["VAL104"]).findings
    assert (finding.severity, finding.column) == ("info", "price")
    assert "are exactly 400" in finding.message


def test_minus_one_below_counts_is_a_code_though_a_few_are_means_of_two() -> None:
    from datalint_rules.values._spikes import spikes

    rng = np.random.default_rng(0)
    counts = rng.poisson(15, 1000).astype(float) + 1
    counts[:3] += 0.5
    counts[100:150] = -1
    assert [(spike.kind, spike.value, spike.count) for spike in spikes(counts)] == [("code", -1.0, 50)]
    counts[200:300] += 0.5
    assert not spikes(counts)


def test_the_ends_of_a_quantile_transformer_are_no_codes() -> None:
    from sklearn.preprocessing import QuantileTransformer

    rng = np.random.default_rng(0)
    values = np.where(rng.random((1500, 4)) < 0.15, 0, rng.lognormal(size=(1500, 4)))
    scaler = QuantileTransformer(output_distribution="normal", n_quantiles=200)
    table = pd.DataFrame(scaler.fit_transform(values).round(5), columns=list("abcd"))
    report = datalint.scan(table.assign(y=rng.choice(["p", "q"], 1500)), label="y", select=["VAL104"])
    assert not report.findings


@pytest.mark.parametrize("zeros", [4, 20, 400])
def test_zeros_in_a_few_cells_of_a_size(zeros: int) -> None:
    from sklearn.datasets import load_breast_cancer

    sizes = load_breast_cancer(as_frame=True).data["worst area"]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"area": np.round(np.tile(sizes, 20) ** 0.5 * rng.uniform(0.98, 1.02, 20 * len(sizes)), 2)})
    frame["other"], frame["y"] = rng.normal(size=len(frame)), rng.choice(["a", "b"], len(frame))
    assert not found(frame)
    rows = rng.choice(len(frame), zeros, replace=False)
    frame.loc[rows, "area"] = 0.0
    (finding,) = found(frame)
    assert (finding.severity, finding.column, finding.affected.count) == ("warning", "area", zeros)
    assert sorted(datalint.scan(frame, label="y", select=["VAL104"]).affected("VAL104")["index"]) == sorted(
        rows.tolist()
    )


def test_zeros_of_a_sampled_table_are_counted_exactly() -> None:
    rng = np.random.default_rng(0)
    depth = np.round(rng.normal(6, 0.7, 60_000), 2)
    depth[rng.choice(60_000, 9, replace=False)] = 0
    frame = pd.DataFrame({"depth": depth, "x": rng.normal(size=60_000), "y": rng.choice(["a", "b"], 60_000)})
    (finding,) = found(frame)
    assert "0 occurs 9 times in 'depth'" in finding.message
    assert finding.affected.count == 9


def test_a_price_of_nothing_is_said_where_prices_spread_wide() -> None:
    frame, rng = table(4_000)
    frame["price"] = np.round(rng.lognormal(8, 0.9, 4_000))
    assert not found(frame)
    frame.loc[rng.choice(4_000, 15, replace=False), "price"] = 0
    (finding,) = found(frame)
    assert (finding.severity, finding.column, finding.affected.count) == ("info", "price", 15)
    assert not found(frame.rename(columns={"price": "income"}))


def test_zeros_that_real_quantities_have_are_silent() -> None:
    from sklearn.datasets import load_breast_cancer, load_digits

    tumours = load_breast_cancer(as_frame=True).frame  # without concave points there is no size of them
    assert not found(tumours, "target")
    assert not found(load_digits(as_frame=True).frame, "target")
    frame, rng = table(5_000)
    natural = {
        "points": rng.poisson(24, 5_000),
        "rainfall": np.where(rng.random(5_000) < 0.05, 0, np.round(rng.gamma(0.8, 6, 5_000), 1)),
        "hours": np.clip(np.round(rng.normal(40, 12, 5_000)), 0, None),
        "capital_gain": np.where(rng.random(5_000) < 0.92, 0, np.round(rng.lognormal(8, 1, 5_000))),
        "waiting": np.round(rng.exponential(30, 5_000), 1),
        "sample_weight": np.where(rng.random(5_000) < 0.01, 0, np.round(rng.lognormal(3, 0.6, 5_000), 3)),
    }
    assert not found(frame.assign(**natural))
