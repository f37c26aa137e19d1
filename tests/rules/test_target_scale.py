"""LBL109: most targets are unscaled, few are out of reach."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import datalint


def judged(target: np.ndarray) -> list[tuple[str, str]]:
    x = np.random.default_rng(1).normal(size=(len(target), 2))
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": target})
    found = datalint.scan(table, label="y", select=["LBL109"]).findings
    return [(finding.severity, finding.remedy) for finding in found]


NORMAL = np.random.default_rng(0).normal(size=500)


@pytest.mark.parametrize(
    ("target", "severity"),
    [
        (NORMAL, None),
        (NORMAL * 9 + 30, None),
        (NORMAL * 80 + 150, "info"),
        (NORMAL * 1e5 + 2e5, "info"),
        (NORMAL * 1e8, "warning"),
        (NORMAL * 1e-3, "info"),
        (NORMAL * 1e-9, "warning"),
    ],
)
def test_scale(target: np.ndarray, severity: str | None) -> None:
    assert [found for found, _ in judged(target)] == ([severity] if severity else [])


def test_a_lognormal_price_gets_the_advice_to_take_the_logarithm() -> None:
    ((severity, remedy),) = judged(np.random.default_rng(0).lognormal(1, 2, 2_000))
    assert severity == "info"
    assert remedy.startswith("Take the logarithm (np.log)")


def test_one_wild_target_makes_no_scale() -> None:
    target = NORMAL.copy()
    target[5] = 1e12
    ((severity, _),) = judged(target)
    assert severity == "info"


@pytest.mark.parametrize(("share", "severity"), [(0.4, None), (0.86, "info"), (0.93, "warning"), (0.995, "warning")])
def test_a_target_that_is_mostly_nothing(share: float, severity: str | None) -> None:
    rng = np.random.default_rng(3)
    target = np.where(rng.random(4_000) < share, 0, rng.normal(3, 0.5, 4_000))
    found = judged(target)
    assert [severity for severity, _ in found] == ([severity] if severity else [])
    assert all("whether the target is 0" in remedy for _, remedy in found)


def test_grades_and_counts_are_classes_of_a_kind() -> None:
    assert judged(np.random.default_rng(3).poisson(0.05, 4_000).astype(float)) == []


def test_classes_are_skipped() -> None:
    table = pd.DataFrame({"a": NORMAL, "y": [1e9, 2e9] * 250})
    (status,) = datalint.scan(table, label="y", select=["LBL109"]).datasets[0].rules
    assert status.status == "skipped"


@pytest.mark.parametrize(
    ("names", "factor", "severity"),
    [
        (("y1", "y2"), 1_000, "info"),
        (("target_0", "Target_1"), 1e7, "warning"),
        (("y1", "y2"), 5, None),
        # The features of a target that happens to be numbered, too.
        (("y1", "x2"), 1_000, None),
    ],
)
def test_several_targets(names: tuple[str, str], factor: float, severity: str | None) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=500), names[0]: NORMAL, names[1]: factor * rng.normal(size=500)})
    findings = datalint.scan(table, label=names[0], select=["LBL109"], cache=False).findings
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    if severity:
        assert findings[0].message.startswith("2 targets differ ")
