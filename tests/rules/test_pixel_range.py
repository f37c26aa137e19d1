"""NRM102 on arrays and tables of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.engine.engine import Serial
from datalint.engine.measure import measure
from datalint.judge.judge import judge
from datalint.measures.base import Settings
from datalint_rules.scale.pixel_range import PixelRange
from tests.rules.trees import scan, state

CODE = "NRM102"
RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (40, 12, 12, 3))
LABELS = np.arange(40) % 2
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.mark.parametrize(
    "values",
    [
        BYTES.astype(np.uint8),
        BYTES.astype(float),
        BYTES / 255,
        BYTES / 127.5 - 1,
        (BYTES / 255 - MEAN) / DEVIATION,
        (BYTES - BYTES.mean()) / BYTES.std(),
        (BYTES * 257).astype(np.uint16),
        BYTES > 100,
    ],
    ids=["bytes", "float bytes", "unit", "signed unit", "imagenet", "standardised", "16 bits", "bool"],
)
def test_usual_ranges(values: Any) -> None:
    report = scan((values, LABELS), CODE)
    assert not report.findings
    assert state(report, CODE)[0] == "passed"


def test_an_unusual_range_is_info() -> None:
    (finding,) = scan((BYTES / 255 * 100, LABELS), CODE).findings
    assert finding.severity == "info"
    assert finding.message == "pixel values from 0 to 100 are in none of the usual ranges (0..1, -1..1, 0..255)"


@pytest.mark.parametrize("test", [BYTES / 255, BYTES / 127.5 - 1, (BYTES / 255 - MEAN) / DEVIATION])
def test_splits_of_different_range_are_an_error(test: Any) -> None:
    report = scan({"train": (BYTES.astype(float), LABELS), "test": (test, LABELS)}, CODE)
    (finding,) = report.findings
    assert (finding.severity, finding.split) == ("error", "test")


def test_a_darker_split_is_no_other_range() -> None:
    dark = (BYTES // 6).astype(np.uint8)
    assert not scan({"train": (BYTES.astype(np.uint8), LABELS), "test": (dark, LABELS)}, CODE).findings


def test_items_below_zero_among_others() -> None:
    values = BYTES.astype(float)
    values[[4, 9]] = values[[4, 9]] / 127.5 - 1
    (finding,) = scan((values, LABELS), CODE).findings
    assert [sample.index for sample in finding.affected.samples] == [4, 9]
    assert finding.severity == "warning"


def test_overshoot_of_resampling_is_no_other_range() -> None:
    values = BYTES / 255
    values[3, 0, 0] = -0.04
    assert not [f for f in scan((values, LABELS), CODE).findings if f.severity != "info"]


@pytest.mark.parametrize(
    ("expected", "values", "found"),
    [
        ("0..1", BYTES / 255, False),
        ("0..1", BYTES.astype(np.uint8), True),
        ("0..255", BYTES / 255, True),
        ("-1..1", BYTES / 255, True),
        ("imagenet", (BYTES / 255 - MEAN) / DEVIATION, False),
    ],
)
def test_a_declared_range(expected: str, values: Any, found: bool) -> None:
    (dataset,) = datalint.detect((values, LABELS))
    rule = PixelRange(PixelRange.Params(expected=expected))
    report = judge(measure(dataset, [rule], Settings(), Serial()), [rule]).report
    assert [f.severity for f in report.findings] == ["warning"] * found


@pytest.mark.parametrize(("columns", "status"), [("pixel", "found"), ("feature", "skipped")])
def test_tables_are_pixels_by_name(columns: str, status: str) -> None:
    table = pd.DataFrame(RNG.integers(0, 17, (60, 70)) * 1.5).add_prefix(columns)
    table["label"] = ["a", "b"] * 30
    report = scan(table, CODE, label="label")
    assert state(report, CODE)[0] == status


def test_tables_are_pixels_by_shared_extremes() -> None:
    square = pd.DataFrame(RNG.integers(0, 17, (200, 64))).add_prefix("x")
    square["label"] = ["a", "b"] * 100
    assert state(scan(square, CODE, label="label"), CODE)[0] == "found"
    other = pd.DataFrame(RNG.normal(size=(200, 64))).add_prefix("x")
    other["label"] = ["a", "b"] * 100
    assert state(scan(other, CODE, label="label"), CODE) == ("skipped", "no pixel columns")
