"""LBL108: one class only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import datalint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from datalint.report.models import Finding


def table(labels: Sequence[object]) -> pd.DataFrame:
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=len(labels)), "y": labels})


def found(source: pd.DataFrame | Mapping[str, Any]) -> Sequence[Finding]:
    return datalint.scan(source, label="y", select=["LBL108"], cache=False).findings


def test_one_class_is_an_error() -> None:
    (finding,) = found(table(["cat"] * 40))
    assert (finding.severity, finding.class_) == ("error", "cat")
    assert finding.message == "all 40 labelled samples have the same label 'cat'"


def test_so_is_one_number() -> None:
    (finding,) = found(table([0.5] * 40))
    assert finding.class_ == "0.5"


def test_two_classes_and_a_handful_of_samples_are_silent() -> None:
    assert not found(table(["cat"] * 39 + ["dog"]))
    assert not found(table(["cat"] * 9))


def test_train_of_normal_samples_only_is_how_anomaly_detection_works() -> None:
    test = table(["good", "scratch"] * 10)
    assert [f.severity for f in found({"train": table(["good"] * 40), "test": test})] == ["info"]
    (finding,) = found({"train": table(["scratch"] * 40), "test": test})
    assert (finding.severity, finding.split) == ("error", "train")
