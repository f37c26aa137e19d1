"""LBL103: counts that are too small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.report.models import Finding


def found(counts: Sequence[int]) -> Sequence[Finding]:
    labels = np.repeat([f"class {k}" for k in range(len(counts))], counts)
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(labels)), "y": labels})
    return datalint.scan(frame, label="y", select=["LBL103"], cache=False).findings


@pytest.mark.parametrize(
    ("counts", "severities"),
    [
        ((100, 100), []),
        ((100, 100, 10), []),
        ((100, 100, 7), ["info"]),
        ((100, 100, 4), ["warning"]),
        ((15, 15, 15), ["info"]),
        ((12, 12), ["warning"]),
    ],
)
def test_severity(counts: tuple[int, ...], severities: list[str]) -> None:
    assert [finding.severity for finding in found(counts)] == severities


def test_the_smallest_class_leads() -> None:
    (finding,) = found((100, 100, 3, 2))
    assert finding.class_ == "class 3"
    assert finding.message == (
        "2 of 4 classes have fewer than 5 samples: 'class 3' (2), 'class 2' (3), "
        "so that cross-validation by class can have 2 folds at most"
    )
    assert "no split can hold it on both sides" in found((100, 100, 1))[0].message


def test_a_class_per_sample_is_an_identifier() -> None:
    (finding,) = found((1,) * 50)
    assert "50 classes for 50 samples: the label looks like an identifier" in finding.message


def test_numbers_to_predict_count_as_samples() -> None:
    frame = pd.DataFrame({"x": range(25), "y": np.random.default_rng(0).normal(size=25)})
    (finding,) = datalint.scan(frame, label="y", select=["LBL103"], cache=False).findings
    assert finding.message == "only 25 labelled samples to train on"
