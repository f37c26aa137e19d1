"""ORD106 on sets of all sizes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import datalint


def judged(rows: int, size: int) -> list[tuple[str, str]]:
    table = pd.DataFrame(
        {"x": np.random.default_rng(0).normal(size=rows), "y": ["a", "b"] * (rows // 2) + ["a"] * (rows % 2)}
    )
    found = datalint.scan(table, label="y", select=["ORD106"], batch_size=size).findings
    return [(finding.severity, finding.message.partition(": ")[2]) for finding in found]


@pytest.mark.parametrize(
    ("rows", "size", "expected"),
    [
        (1_000, 32, []),
        (160, 32, []),
        (150, 32, [("info", "only 5 steps per epoch in batches of 32")]),
        (1_025, 32, [("info", "in batches of 32 the last one holds a single sample")]),
        (1_025, 64, [("warning", "in batches of 64 the last one holds a single sample")]),
        (1_000, 1_024, [("warning", "not one full batch of 1,024")]),
        (30, 32, [("info", "not one full batch of 32")]),
        (12, 32, [("warning", "not one full batch of 32")]),
    ],
)
def test_sizes(rows: int, size: int, expected: list[tuple[str, str]]) -> None:
    assert judged(rows, size) == expected


def test_the_size_that_it_advises_leaves_more_than_one() -> None:
    table = pd.DataFrame({"x": np.arange(841.0), "y": ["a", "b", "c"] * 280 + ["a"]})
    (finding,) = datalint.scan(table, label="y", select=["ORD106"], batch_size=42).findings
    assert finding.remedy == "Drop the last batch, or take another size: 41 leaves 21."
    assert finding.affected.count == 1


def test_only_the_training_split_counts() -> None:
    rng = np.random.default_rng(0)
    parts = {
        name: pd.DataFrame({"x": rng.normal(size=n), "y": rng.choice(["a", "b"], n)})
        for name, n in (("train", 320), ("test", 9))
    }
    assert not datalint.scan(parts, label="y", select=["ORD106"]).findings
