"""Facts of a data set, against values worked out by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from datalint.core import statistics as stats
from datalint.engine.engine import Serial
from datalint.engine.measure import profile_of as profile_of_measured
from datalint.engine.plan import ALWAYS, Plan
from datalint.engine.reduce import reduce
from datalint.judge import facts
from datalint.measures.base import Settings
from datalint.measures.columns import NumberStats
from datalint.measures.sample import Sample
from datalint.profile.splits import Given
from datalint.sources.objects.memory import from_object

if TYPE_CHECKING:
    from datalint.measures.base import Measurement
    from datalint.profile.profile import Profile


def profile_of(source: Any, label: str | None = None, size: int = 4, *more: type[Measurement]) -> Profile:
    (dataset,) = from_object(source, label)
    plan = Plan.of((*ALWAYS, *more), Settings(batch_size=size))
    parts = Serial().measure(list(enumerate(dataset.partitions)), plan, lambda _: None)
    return profile_of_measured(dataset, reduce(parts), plan, Given(), thorough=True, threads=1)


def labelled(labels: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"x": np.arange(len(labels)) * 0.37, "label": labels})


def facts_of(source: Any, label: str | None = "label", *more: type[Measurement], size: int = 4) -> dict[str, Any]:
    return facts.facts_of(profile_of(source, label, size, *more))


def test_class_balance() -> None:
    balance = facts_of(labelled(["a"] * 6 + ["b"] * 3 + ["c"] + [None]))["class_balance"]["all"]
    assert balance == {
        "counts": {"a": 6, "b": 3, "c": 1},
        "ratio": 6.0,
        "weights": {"a": 0.5556, "b": 1.111, "c": 3.333},
        "majority_accuracy": 0.6,
        "chance_loss": 1.09861,
        "prior_entropy": 0.897946,  # -(0.6 ln 0.6 + 0.3 ln 0.3 + 0.1 ln 0.1)
    }
    assert list(balance["counts"]) == ["a", "b", "c"]


def test_class_balance_lists_the_largest_of_very_many_classes() -> None:
    labels = [f"c{k:03}" for k in range(300) for _ in range(2 if k == 299 else 1)]
    balance = facts_of(labelled(labels))["class_balance"]["all"]
    assert len(balance["counts"]) == len(balance["weights"]) == 200
    assert next(iter(balance["counts"].items())) == ("c299", 2)
    assert balance["chance_loss"] == pytest.approx(math.log(300), rel=1e-5)


def test_batches_in_stored_order_and_as_a_shuffle_gives_them() -> None:
    batches = facts_of(labelled(["a"] * 4 + ["a", "b", "b", "b"] + ["b"] * 3))["batches"]["all"]
    assert batches == {
        "size": 4,
        "full_batches": 2,
        "single_label_share": 0.5,
        "shuffled_single_label_share": pytest.approx((math.comb(5, 4) + math.comb(6, 4)) / math.comb(11, 4), rel=1e-5),
        "shuffled_classes_per_batch": pytest.approx(
            2 - (math.comb(5, 4) + math.comb(6, 4)) / math.comb(11, 4), rel=1e-5
        ),
    }


def test_fewer_samples_than_a_batch() -> None:
    batches = facts_of(labelled(["a", "b", "b"]))["batches"]["all"]
    assert (batches["full_batches"], batches["single_label_share"], batches["shuffled_single_label_share"]) == (0, 0, 0)
    assert batches["shuffled_classes_per_batch"] == 2


def test_strip_of_classes_has_a_bin_per_sample_while_they_are_few() -> None:
    strip = facts_of(labelled(["b", "b", "a", None, "a", "b"]), "label", Sample)["label_strip"]["all"]
    assert strip == {
        "kind": "classes",
        "classes": ["a", "b"],
        "bins": [[0, 1], [0, 1], [1, 0], [0, 0], [1, 0], [0, 1]],
        "samples": 6,
        "exact": True,
    }


def test_strip_gathers_samples_in_bins_and_small_classes_in_one() -> None:
    names = [f"c{k:02}" for k in range(15)]
    labels = [name for name in names for _ in range(100 - 5 * names.index(name))]
    strip = facts_of(labelled(labels), "label", Sample)["label_strip"]["all"]
    assert strip["classes"] == [*names[:11], "other"]
    bins = np.array(strip["bins"])
    assert bins.shape == (300, 12)
    assert bins.sum(0).tolist() == [100 - 5 * k for k in range(11)] + [45 + 40 + 35 + 30]
    assert bins.sum(1).max() - bins.sum(1).min() <= 1
    assert bins[0].tolist() == [4] + [0] * 11


def test_strip_orders_numbered_classes_by_number() -> None:
    strip = facts_of(labelled(["10", "9", "2", "10"]), "label", Sample)["label_strip"]["all"]
    assert strip["classes"] == ["2", "9", "10"]


def test_strip_of_a_numeric_target() -> None:
    values = [0.5 * k for k in range(40)]
    strip = facts_of(labelled([*values[:39], float("nan")]), "label", Sample)["label_strip"]["all"]
    assert strip["kind"] == "numeric"
    assert (strip["low"], strip["high"], strip["samples"], strip["exact"]) == (0.0, 19.0, 40, True)
    assert strip["means"][:39] == values[:39]
    assert strip["means"][39] == 9.5  # nothing known there: the mean of all


def test_strip_from_runs_where_only_labels_were_read() -> None:
    missing = labelled(["a"] * 8 + [None] * 8 + ["b"] * 8)
    strip = facts_of(missing)["label_strip"]["all"]
    assert strip["classes"] == ["a", "b"]
    assert strip["bins"] == [[1, 0]] * 8 + [[0, 0]] * 8 + [[0, 1]] * 8
    assert "label_strip" not in facts_of(labelled(["a", "b"] * 12))


def test_input_range_pools_the_feature_columns() -> None:
    frame = pd.DataFrame({"p": [0.5, 1.25, np.nan], "q": [3.75, -2.25, 4.5], "label": ["a", "b", "a"]})
    found = facts_of(frame, "label", NumberStats)["input_range"]["all"]
    cells = np.array([0.5, 1.25, 3.75, -2.25, 4.5])
    assert found == {
        "low": -2.25,
        "high": 4.5,
        "mean": stats.digits(float(cells.mean())),
        "deviation": stats.digits(float(cells.std())),
    }


def test_facts_by_split_and_none_without_a_label() -> None:
    parts = {"train": labelled(["a", "a", "b"]), "test": labelled(["b", "b", "a"])}
    both = facts_of(parts)["class_balance"]
    assert both["train"]["counts"] == {"a": 2, "b": 1}
    assert both["test"]["counts"] == {"b": 2, "a": 1}
    unlabelled = pd.DataFrame({"x": [0.1, 0.2, 0.4]})
    assert profile_of(unlabelled).task is None
    assert facts_of(unlabelled, None) == {}


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (1 / 3, 0.333333),
        (123_456_789.0, 123_457_000.0),
        (-0.0, 0.0),
        (-1e-320, -1e-320),
        (math.inf, 0.0),
        (math.nan, 0.0),
    ],
)
def test_digits(value: float, rounded: float) -> None:
    found = stats.digits(value)
    assert found == pytest.approx(rounded, rel=1e-5)
    assert math.copysign(1, found) == math.copysign(1, rounded)
