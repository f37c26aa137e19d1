"""ORD101 on real and generated data."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint
from tests.reference import named, shuffled

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.report.models import Finding


def found(source: Any, label: str | None = "y", **options: Any) -> list[Finding]:
    return datalint.scan(source, label=label, select=["ORD101"], **options).findings


def table(labels: Any) -> pd.DataFrame:
    """Labels with one feature that says nothing."""
    return pd.DataFrame({"x": np.random.default_rng(9).normal(size=len(labels)), "y": labels})


# --- classes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loader", "classes"), [("iris", 3), ("wine", 3)])
def test_sets_that_are_shipped_sorted(loader: str, classes: int) -> None:
    frame = getattr(datasets, f"load_{loader}")(as_frame=True).frame
    (finding,) = found(frame, "target")
    assert finding.severity == "warning"
    assert finding.evidence["runs"] == classes
    assert finding.affected.count == len(frame)
    assert float(str(finding.evidence["z"])) < -10
    assert "shuffle" in finding.remedy.lower()


def test_digits_as_shipped_are_not_sorted() -> None:
    assert not found(datasets.load_digits(as_frame=True).frame, "target")


def test_one_class_first_in_a_shuffled_table() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 60_000)
    labels[:10_000] = 3
    (finding,) = found(table(labels))
    assert 9_990 <= finding.affected.count <= 10_200
    assert "'3' from sample 0 on" in finding.message


@pytest.mark.parametrize("classes", [2, 10])
def test_sorted_shards_one_after_another(tmp_path: Path, classes: int) -> None:
    rng = np.random.default_rng(1)
    for k in range(5):
        table(np.sort(rng.integers(0, classes, 400))).to_csv(tmp_path / f"part-{k}.csv", index=False)
    (finding,) = found(tmp_path)
    assert finding.evidence["runs"] == 5 * classes - (0 if classes > 1 else 1)
    assert finding.affected.count == 2_000


def test_only_the_sorted_split_is_named() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 4, 400)
    (finding,) = found({"train": table(np.sort(labels)), "test": table(labels)})
    assert finding.split == "train"


def test_missing_labels_do_not_hide_the_order() -> None:
    labels = np.repeat(["a", "b", "c"], 100).astype(object)
    labels[::10] = None
    assert found(table(labels))


def test_small_sets_need_one_run_per_class() -> None:
    assert found(table(["a"] * 9 + ["b"] * 9))
    assert not found(table(["a"] * 3 + ["b"] * 3))  # one shuffle in ten


def test_states_a_shuffle_buffer_that_repairs_it() -> None:
    labels = np.concatenate([np.sort(np.random.default_rng(k).integers(0, 10, 1_000)) for k in range(30)])
    (finding,) = found(table(labels))
    buffer = int(str(finding.evidence["shuffle_buffer"]))
    assert 200 < buffer < 10_000
    assert f"{buffer:,}" in finding.remedy
    mixed = labels.copy()
    # What a loader with such a buffer delivers: each step one of the buffer at random.
    rng, held = np.random.default_rng(0), list(labels[:buffer])
    for k, label in enumerate(itertools.chain(labels[buffer:], [None] * buffer)):
        place = int(rng.integers(len(held)))
        mixed[k] = held[place]
        if label is None:
            held.pop(place)
        else:
            held[place] = label
    per_batch = np.mean([len(np.unique(batch)) for batch in mixed[: len(mixed) // 32 * 32].reshape(-1, 32)])
    assert per_batch > 0.85 * float(str(finding.evidence["classes_per_batch_if_shuffled"]))


def test_a_class_tree_is_only_reminded(tmp_path: Path) -> None:
    findings = found(named("photo crops").write(tmp_path / "photos"), None)
    assert [finding.severity for finding in findings] == ["info"]
    assert "when loading" in findings[0].remedy


# --- numeric targets ------------------------------------------------------------------------------------------------


def heavy(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.round(rng.pareto(1.1, n) + rng.random(n), 4)


def walk(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    values = np.zeros(n)
    for k in range(1, n):
        values[k] = 0.7 * values[k - 1] + rng.normal()
    return np.round(values, 5)


def test_sorted_targets() -> None:
    for values in (heavy(np.random.default_rng(0), 500), np.random.default_rng(1).normal(size=500)):
        for order in (np.sort(values), np.sort(values)[::-1]):
            (finding,) = found(table(order))
            assert "sorted by the target" in finding.message


def test_targets_like_their_neighbours() -> None:
    (finding,) = found(table(walk(np.random.default_rng(3), 800)))
    assert finding.severity == "warning"
    assert 0.5 < float(str(finding.evidence["lag_1_correlation"])) < 0.9


def test_a_few_huge_targets_do_not_hide_the_order() -> None:
    values = heavy(np.random.default_rng(4), 2_000)
    values[:1_000].sort()
    assert found(table(values))


def test_diabetes_in_order_of_its_target() -> None:
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame
    assert not found(frame, "target")
    assert found(frame.sort_values("target"), "target")


def test_a_time_series_is_info() -> None:
    frame = table(walk(np.random.default_rng(5), 500))
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=500, freq="h"))
    assert [finding.severity for finding in found(frame)] == ["info"]


# --- shuffled data --------------------------------------------------------------------------------------------------

SHUFFLED: dict[str, Any] = {
    "digits": datasets.load_digits().target,
    "wine": datasets.load_wine().target,
    "one in a hundred": np.repeat(["no", "yes"], [990, 10]),
    "two of a kind": np.repeat(["no", "yes"], [198, 2]),
    "three of a thousand": np.repeat(["no", "yes"], [997, 3]),
    "one large class of four": np.repeat(["a", "b", "c", "d"], [400, 4, 3, 2]),
    "a hundred small classes": np.repeat([f"class {k}" for k in range(100)], 4),
    "two classes": np.repeat(["a", "b"], 60),
    "large": np.repeat(np.arange(5), 600),
    "numbers": np.random.default_rng(0).normal(50, 9, 400).round(3),
    "heavy-tailed numbers": heavy(np.random.default_rng(1), 400),
    "mostly zero numbers": np.round(np.maximum(0, np.random.default_rng(2).normal(-1, 1, 400)), 3),
    "few numbers": np.random.default_rng(3).normal(50, 9, 40).round(3),
}


@pytest.mark.parametrize("name", SHUFFLED)
def test_at_most_one_alarm_in_a_hundred_shuffles(name: str) -> None:
    rng = np.random.default_rng(17)
    frame = table(SHUFFLED[name])
    assert sum(bool(found(shuffled(frame, rng))) for _ in range(100)) <= 1


def test_an_order_that_leaves_batches_mixed_is_info() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b", "c"], 3_000).astype(object)
    again = rng.choice(np.arange(1, 3_000), 900, replace=False)
    for k in np.sort(again):  # some samples come in pairs of one class
        labels[k] = labels[k - 1]
    frame = pd.DataFrame({"x": rng.normal(size=3_000), "y": labels})
    (finding,) = datalint.scan(frame, label="y", select=["ORD101"]).findings
    assert finding.severity == "info"
