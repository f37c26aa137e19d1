"""ORD105 on shards written in several ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def scanned(folder: Path, table: pd.DataFrame, shards: int, suffix: str = "csv") -> Report:
    for k in range(shards):
        part = table.iloc[len(table) * k // shards : len(table) * (k + 1) // shards]
        path = folder / f"part-{k:03d}.{suffix}"
        part.to_csv(path, index=False) if suffix == "csv" else part.to_parquet(path, index=False, row_group_size=20)
    return datalint.scan(folder, label="y", select=["ORD105"])


def table(labels: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(labels)).round(6), "y": labels})


CLASSES = np.repeat(list("abcdef"), 100)
SHUFFLED = np.random.default_rng(1).permutation(CLASSES)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("shards", [2, 3, 12])
def test_sorted_before_sharding(tmp_path: Path, shards: int, suffix: str) -> None:
    (finding,) = scanned(tmp_path, table(CLASSES), shards, suffix).findings
    assert finding.severity == "warning"
    assert finding.message.startswith(f"the {shards} shards of all hold different labels")
    assert finding.evidence["separation"] > 0.9  # type: ignore[operator]


@pytest.mark.parametrize("shards", [2, 12, 60])
def test_shuffled_before_sharding(tmp_path: Path, shards: int) -> None:
    assert not scanned(tmp_path, table(SHUFFLED), shards).findings


def test_a_rare_class_in_one_shard(tmp_path: Path) -> None:
    labels = np.repeat(["common", "rare"], [950, 50])
    assert [finding.severity for finding in scanned(tmp_path, table(labels), 10).findings] == ["warning"]


def test_a_number_to_be_predicted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    target = np.sort(np.random.default_rng(0).lognormal(0, 3, 600))
    (finding,) = scanned(tmp_path / "a", table(target), 5).findings
    assert (finding.severity, finding.column) == ("warning", None)
    (tmp_path / "b").mkdir()
    assert not scanned(tmp_path / "b", table(np.random.default_rng(1).permutation(target)), 5).findings


def test_one_file_passes_with_the_reason(tmp_path: Path) -> None:
    (status,) = scanned(tmp_path, table(CLASSES), 1).datasets[0].rules
    assert (status.status, status.reason) == ("passed", "every split lies in one file")
