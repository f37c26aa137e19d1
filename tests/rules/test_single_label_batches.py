"""ORD103 on real and generated data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint
from datalint.profile.statistics import shuffled_single_label_share
from tests.reference import named

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding, Report


def scan(labels: Any, **options: Any) -> Report:
    frame = pd.DataFrame({"x": np.random.default_rng(9).normal(size=len(labels)), "y": labels})
    return datalint.scan(frame, label="y", select=["ORD103"], **options)


def found(labels: Any, **options: Any) -> list[Finding]:
    return scan(labels, **options).findings


def test_iris_as_shipped() -> None:
    (finding,) = found(datasets.load_iris().target)
    assert finding.severity == "warning"
    assert finding.evidence["single_label_batches"] == 2
    assert finding.evidence["full_batches"] == 4


@pytest.mark.parametrize("size", [2, 8, 32, 128])
def test_every_batch_size(size: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 3_000)
    assert not found(labels, batch_size=size)
    ordered = np.sort(labels)
    (finding,) = found(ordered, batch_size=size)
    batches = ordered[: 3_000 // size * size].reshape(-1, size)
    single = int((batches == batches[:, :1]).all(1).sum())
    assert finding.evidence["batch_size"] == size
    assert finding.evidence["single_label_batches"] == single
    assert finding.evidence["full_batches"] == len(batches)
    assert finding.affected.count == single * size


def test_batches_of_one_sample_say_nothing() -> None:
    (status,) = scan(np.repeat([0, 1], 100), batch_size=1).datasets[0].rules
    assert status.status == "skipped"
    assert status.reason == "every batch of one sample holds one label"


def test_sets_smaller_than_a_batch_are_skipped() -> None:
    (status,) = scan(np.repeat([0, 1], 50), batch_size=128).datasets[0].rules
    assert (status.status, status.reason) == ("skipped", "no split fills a batch of 128")


@pytest.mark.parametrize("size", [8, 32, 128])
@pytest.mark.parametrize("share", [0.9, 0.99, 0.999])
def test_imbalance_is_not_blamed(share: float, size: int) -> None:
    for seed in range(20):
        labels = np.random.default_rng(seed).random(2_000) < share
        assert not found(labels, batch_size=size)


def test_imbalanced_and_sorted_is_found() -> None:
    labels = np.repeat(["no", "yes"], [1_700, 300])
    assert found(labels)
    assert not found(np.random.default_rng(0).permutation(labels))


def test_a_part_in_blocks() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 5, 6_400)
    labels[3_200:3_520] = 2
    (finding,) = found(labels)
    assert finding.evidence["single_label_batches"] == 10


def test_blocks_shorter_than_a_batch_pass() -> None:
    assert not found(np.repeat(np.random.default_rng(2).integers(0, 9, 200), 10))


def test_what_a_shuffle_gives() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], [900, 100])
    single = [
        int((batch == batch[0]).all()) for _ in range(400) for batch in rng.permutation(labels)[:960].reshape(-1, 32)
    ]
    assert shuffled_single_label_share({"0": 900, "1": 100}, 32) == pytest.approx(np.mean(single), rel=0.15)


def test_a_class_tree_is_only_reminded(tmp_path: Path) -> None:
    report = datalint.scan(named("photo crops").write(tmp_path / "photos"), select=["ORD103"])
    assert [finding.severity for finding in report.findings] == ["info"]


def test_numbers_to_predict_are_skipped() -> None:
    (status,) = scan(np.sort(np.random.default_rng(4).normal(size=300))).datasets[0].rules
    assert status.status == "skipped"
    assert "is a number to be predicted" in (status.reason or "")
