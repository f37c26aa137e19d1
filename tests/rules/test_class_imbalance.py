"""LBL101 on real and generated data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.utils.class_weight import compute_class_weight

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.report.models import Finding


def table(counts: Sequence[int], seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat([f"class {k:03d}" for k in range(len(counts))], counts))
    return pd.DataFrame({"x": rng.normal(size=len(labels)), "y": labels})


def found(source: Any, label: str = "y") -> list[Finding]:
    return datalint.scan(source, label=label, select=["LBL101"]).findings


@pytest.mark.parametrize(
    ("counts", "severity"),
    [
        ([500, 500], None),
        ([800, 200], None),
        ([800, 150], "info"),
        ([990, 10], "warning"),
        ([300, 300, 300, 12], "warning"),
        ([10_000, 1], "warning"),
    ],
)
def test_ratio(counts: list[int], severity: str | None) -> None:
    findings = found(table(counts))
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    for finding in findings:
        assert finding.evidence["ratio"] == pytest.approx(max(counts) / min(counts), rel=1e-3)
        assert finding.evidence["majority_accuracy"] == pytest.approx(max(counts) / sum(counts), rel=1e-3)
        assert finding.class_ == f"class {counts.index(min(counts)):03d}"


def test_bundled_sets_are_even_enough() -> None:
    for load in (datasets.load_wine, datasets.load_digits, datasets.load_breast_cancer, datasets.load_iris):
        assert not found(load(as_frame=True).frame, "target")


def test_weights_are_those_of_scikit_learn() -> None:
    frame = table([900, 60, 40])
    (finding,) = found(frame)
    evidence: Any = finding.evidence
    names = np.unique(frame["y"])
    expected = dict(zip(names, compute_class_weight("balanced", classes=names, y=frame["y"]), strict=True))
    assert {item["class"]: item["samples"] for item in evidence["smallest_classes"]} == {
        "class 000": 900,
        "class 001": 60,
        "class 002": 40,
    }
    for item in evidence["smallest_classes"]:
        assert item["weight"] == pytest.approx(expected[item["class"]], rel=0.01)


def test_per_split_and_only_train_is_a_warning() -> None:
    parts = {"train": table([500, 20]), "validation": table([100, 4]), "test": table([100, 100])}
    assert [(finding.split, finding.severity) for finding in found(parts)] == [
        ("train", "warning"),
        ("validation", "info"),
    ]


def test_rare_test_classes_alone_are_info() -> None:
    findings = found({"train": table([500, 400]), "test": table([300, 2])})
    assert [(finding.split, finding.severity) for finding in findings] == [("test", "info")]


def test_every_rare_class_is_counted() -> None:
    (finding,) = found(table([1_000] + [5] * 30))
    assert "29 more classes are rare" in finding.message
    assert finding.affected.count == 150


def test_classes_of_a_few_samples_differ_by_chance() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        labels = rng.integers(0, 100, 400).astype(str)
        assert not found(pd.DataFrame({"x": rng.normal(size=400), "y": labels}))


def test_a_tiny_set_is_no_evidence() -> None:
    assert not found(table([6, 1]))


def test_missing_labels_are_no_class() -> None:
    frame = table([300, 300])
    frame.loc[5, "y"] = None
    assert not found(frame)


def test_one_class_is_skipped() -> None:
    report = datalint.scan(table([100]), label="y", select=["LBL101"])
    assert report.datasets[0].rules[0].reason == "there is only one class"


def test_a_placeholder_is_no_class() -> None:
    labels = ["a"] * 90 + ["b"] * 80 + ["?"] * 2
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(labels)), "y": labels})
    assert not datalint.scan(frame, label="y", select=["LBL101"]).findings


@pytest.mark.parametrize(
    ("name", "share", "severity"),
    [
        ("sex", 0.0, "warning"),
        ("sex", 0.02, "warning"),
        ("Sex", 0.5, None),
        ("hospital", 0.0, "info"),
        ("shape", 0.0, None),
    ],
)
def test_a_class_that_a_group_hardly_has(name: str, share: float, severity: str | None) -> None:
    rng = np.random.default_rng(4)
    group, labels = rng.choice(["f", "m"], 2_000), rng.choice(["no", "yes"], 2_000)
    kept = ~((group == "f") & (labels == "yes") & (rng.random(2_000) >= share))
    data = pd.DataFrame({name: group, "x": rng.normal(size=2_000), "y": labels})[kept]
    assert [(f.severity, f.column) for f in found(data)] == ([(severity, name)] if severity else [])
