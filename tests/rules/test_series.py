"""Series, panels and recommenders: an order, a drift and shared keys that are meant."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import datalint

CODES = ["ORD", "SPL104", "SPL105", "SPL106", "SPL107"]


def severities(data: object, **options: object) -> dict[str, str]:
    report = datalint.scan(data, select=CODES, **options)  # type: ignore[arg-type]
    return {finding.code: finding.severity for finding in reversed(report.findings)}


def walks(kind: str, n: int = 2000) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    values = np.cumsum(rng.normal(0.05, 1, (n, 6)), axis=0) + 100
    if kind == "growth":
        values = np.exp(0.002 * np.arange(n)[:, None] * rng.uniform(0.5, 1.5, 6)) * (1 + 0.02 * rng.normal(size=(n, 6)))
    return pd.DataFrame(values, columns=[f"s{k}" for k in range(6)])


@pytest.mark.parametrize("scaler", ["standard", "min-max"])
@pytest.mark.parametrize("kind", ["walk", "growth"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_series_scaled_with_the_numbers_of_train_is_prepared_alike(
    kind: str, scaler: str, newest_first: bool
) -> None:
    series = walks(kind)
    train = series.iloc[:1500]
    low, width = (train.mean(), train.std()) if scaler == "standard" else (train.min(), train.max() - train.min())
    scaled = ((series - low) / width).assign(target=series["s0"].shift(-1).ffill())
    splits = {"train": scaled.iloc[:1500], "validation": scaled.iloc[1500:1700], "test": scaled.iloc[1700:]}
    if newest_first:
        splits = {name: split.iloc[::-1].reset_index(drop=True) for name, split in splits.items()}
    assert set(severities(splits, label="target").values()) <= {"info"}
    raw = {**splits, "test": series.iloc[1700:].assign(target=scaled["target"])}
    assert severities(raw, label="target")["SPL104"] == "error"


def test_ten_years_by_month_are_a_series() -> None:
    rng = np.random.default_rng(6)
    months, slopes = np.arange(120), rng.uniform(0.5, 1.5, 6)
    waves = 2 * np.sin(2 * np.pi * (months[:, None] / 45 + rng.random(6)))
    series = pd.DataFrame(slopes * months[:, None] / 12 + waves + rng.normal(0, 0.03, (120, 6))).add_prefix("s")
    train = series.iloc[:90]
    scaled = ((series - train.mean()) / train.std()).assign(target=series["s0"].shift(-1).ffill())
    splits = {"train": scaled.iloc[:90], "test": scaled.iloc[90:].reset_index(drop=True)}
    assert set(severities(splits, label="target").values()) <= {"info"}
    mixed = scaled.sample(frac=1, random_state=0)
    moved = mixed.iloc[80:].assign(s0=mixed["s0"] + 4, s1=mixed["s1"] - 4).reset_index(drop=True)
    shifted = {"train": mixed.iloc[:80], "test": moved}
    assert severities(shifted, label="target")["SPL106"] == "warning"


def panel(time: str) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    customers, days = 50, 60
    table = pd.DataFrame({"customer_id": np.repeat([f"c{k}" for k in range(customers)], days)})
    day = np.tile(np.arange(days), customers)
    table[time] = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D") if time == "date" else day
    level = np.repeat(rng.normal(0, 3, customers), days)
    return table.assign(visits=level + rng.normal(size=len(table)), bought=rng.choice(["no", "yes"], len(table)))


@pytest.mark.parametrize("time", ["date", "day_number"])
def test_nobody_is_told_to_shuffle_a_panel(time: str) -> None:
    table = panel(time)
    assert set(severities(table, label="bought").values()) == {"info"}
    blocks = table.drop(columns=time)
    assert severities(blocks, label="bought")["ORD107"] == "warning"


def test_what_known_customers_do_later_is_no_leak() -> None:
    table = panel("date")
    border = table["date"].quantile(0.75)
    later = {"train": table[table["date"] <= border], "test": table[table["date"] > border].reset_index(drop=True)}
    assert severities(later, label="bought")["SPL107"] == "info"
    mixed = table.sample(frac=1, random_state=0).reset_index(drop=True)
    at_random = {"train": mixed.iloc[:2200], "test": mixed.iloc[2200:].reset_index(drop=True)}
    assert severities(at_random, label="bought")["SPL107"] == "error"


def test_users_and_items_cross() -> None:
    rng = np.random.default_rng(3)
    ratings = pd.DataFrame({"user_id": rng.integers(0, 200, 4000), "item_id": rng.integers(0, 150, 4000)})
    ratings = ratings.drop_duplicates().assign(rating=lambda table: rng.integers(1, 6, len(table)))
    splits = {"train": ratings.iloc[:2800], "test": ratings.iloc[2800:].reset_index(drop=True)}
    assert severities(splits, label="rating")["SPL107"] == "info"
    nested = ratings.assign(item_id=ratings["user_id"] * 4 + rng.integers(0, 4, len(ratings)))
    splits = {"train": nested.iloc[:2800], "test": nested.iloc[2800:].reset_index(drop=True)}
    assert severities(splits, label="rating")["SPL107"] == "error"


def test_the_order_of_a_split_that_is_only_evaluated_on_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.normal(size=(900, 4)), columns=list("abcd")).assign(y=rng.choice(["p", "q"], 900))
    ordered = table.iloc[600:].sort_values("y", ignore_index=True)
    assert not severities({"train": table.iloc[:600], "test": ordered}, label="y")
    assert severities({"train": table.iloc[:600].sort_values("y"), "test": ordered}, label="y")["ORD101"] == "warning"
