"""A finding that gets worse stays the same finding: its fingerprint does not depend on its severity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Finding

N = 600


def found(code: str, column: object) -> Finding:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=N), "b": column, "y": rng.choice(["u", "v"], N)})
    (finding,) = datalint.scan(frame, label="y", select=[code], cache=False).findings
    return finding


def outlier(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = np.random.default_rng(1).uniform(1, 2, N)
    values[5] = value
    return values


def sentinel(count: int, value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = np.random.default_rng(1).normal(50, 10, N).round()
    values[:count] = value
    return values


def gaps(count: int) -> list[str | None]:
    return [None] * count + ["same"] * (N - count)


@pytest.mark.parametrize(
    ("code", "mild", "severe"),
    [
        ("VAL111", outlier(6), outlier(1e9)),
        ("VAL104", sentinel(90, 0), sentinel(20, -999)),
        ("VAL105", gaps(500), gaps(0)),
        ("NRM103", outlier(900), outlier(1e9)),
    ],
)
def test_a_change_of_severity_keeps_the_fingerprint(code: str, mild: object, severe: object) -> None:
    before, after = found(code, mild), found(code, severe)
    assert (before.severity, after.severity) == ("info", "warning")
    assert before.fingerprint == after.fingerprint
