"""VAL109: values that the formats of models cannot hold."""

from __future__ import annotations

import numpy as np
import pandas as pd

import datalint


def found(**columns: object) -> list[tuple[str, str | None]]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=400), **columns, "y": ["a", "b"] * 200})
    return [(f.severity, f.column) for f in datalint.scan(frame, label="y", select=["VAL109"]).findings]


RNG = np.random.default_rng(1)


def test_ranges() -> None:
    assert found(v=RNG.normal(size=400) * 1e39) == [("warning", "v")]
    assert found(v=RNG.normal(size=400) * 1e5) == [("info", "v")]
    assert not found(v=RNG.normal(size=400) * 1e3)


def test_small_changes_on_a_large_base() -> None:
    stamps = 1_700_000_000 + RNG.integers(0, 3_600, 400)
    assert found(v=stamps) == [("warning", "v")]
    assert found(v=1e6 + RNG.normal(size=400)) == [("warning", "v")]


def test_digits_that_nobody_needs_are_no_loss() -> None:
    assert found(v=RNG.lognormal(18, 1, 400).round()) == [("info", "v")]  # beyond float16 only


def test_whole_numbers_beyond_float64() -> None:
    assert found(v=2**60 + RNG.integers(0, 2**50, 400)) == [("warning", "v")]
