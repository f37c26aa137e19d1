"""SPL104: preparation that differs, and populations that merely drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets

import datalint
from datalint.core.clean import Clean
from datalint.rules.registry import find_rule
from datalint.testing import scan
from tests.reference import picture

if TYPE_CHECKING:
    from datalint.report.models import Finding


def found(train: pd.DataFrame, test: pd.DataFrame) -> list[Finding]:
    return datalint.scan({"train": train, "test": test}, label="target", select=["SPL104"]).findings


def halves(name: str = "wine") -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame.sample(frac=1, random_state=0)
    return frame[: len(frame) // 2].reset_index(drop=True), frame[len(frame) // 2 :].reset_index(drop=True)


def test_a_random_split_passes() -> None:
    for name in ("wine", "digits", "breast_cancer", "iris"):
        assert not found(*halves(name))


def test_pixels_divided_in_one_split_only() -> None:
    train, test = halves("digits")
    pixels = test.columns.drop("target")
    (finding,) = found(train, test.assign(**(test[pixels] / 255)))
    assert (finding.severity, finding.split) == ("error", "test")
    assert "test is on another scale than train" in finding.message or "scaled" in finding.message


@pytest.mark.parametrize("way", ["standardised", "scaled to [0, 1]"])
def test_one_split_is_scaled(way: str) -> None:
    train, test = halves()
    features = test.columns.drop("target")
    low, high = train[features].min(), train[features].max()
    scaled = (
        (test[features] - train[features].mean()) / train[features].std()
        if way == "standardised"
        else (test[features] - low) / (high - low)
    )
    (finding,) = found(train, test.assign(**scaled))
    assert finding.severity == "error"
    assert f"train is raw and test is {way}" in finding.message
    (mirrored,) = found(train.assign(**((train[features] - train[features].mean()) / train[features].std())), test)
    assert "train is standardised and test is raw" in mirrored.message


def test_one_column_in_another_unit_is_a_warning() -> None:
    train, test = halves()
    (finding,) = found(train, test.assign(alcohol=test["alcohol"] * 1000))
    assert (finding.severity, finding.column) == ("warning", "alcohol")
    assert "by a factor of" in finding.message


def test_drift_is_left_to_others() -> None:
    rng = np.random.default_rng(0)
    train = pd.DataFrame(rng.normal(size=(500, 6)), columns=list("abcdef")).assign(target=rng.integers(0, 2, 500))
    test = train.sample(300, random_state=1).reset_index(drop=True)
    features = list("abcdef")
    assert not found(train * 7 + 40, test.assign(**(1.6 * test[features] + 1)) * 7 + 40)


def tree(change: Any) -> Clean:
    """Pictures of two tints, of which the test split is changed."""
    rng = np.random.default_rng(0)
    files = {}
    for name, tint in (("sea", (40, 90, 170)), ("field", (150, 160, 60))):
        for k in range(40):
            pixels = np.clip(rng.normal(tint, 25, (40, 48, 3)) + rng.normal(0, 15), 0, 255).astype(np.uint8)
            split = "test" if k % 4 == 0 else "train"
            files[f"{split}/{name}/{k:03d}.png"] = picture(change(pixels) if split == "test" else pixels)
    return Clean("tints", files=files)


@pytest.mark.parametrize(
    ("change", "subject", "severity"),
    [
        (lambda pixels: pixels, None, None),
        (lambda pixels: np.ascontiguousarray(pixels[..., ::-1]), "red and blue are exchanged in test", "error"),
        (lambda pixels: 255 - pixels, "the pictures of test are inverted", "error"),
        (lambda pixels: np.asarray(Image.fromarray(pixels).convert("L")), "the pixel format differs: RGB", "warning"),
        (lambda pixels: np.ascontiguousarray(pixels[::2, ::2]), "the size differs: 48 x 40", "warning"),
        (lambda pixels: np.clip(pixels * 1.3, 0, 255).astype(np.uint8), None, None),
    ],
    ids=["same", "channels", "inverted", "grey", "half", "brighter"],
)
def test_pictures(change: Any, subject: str | None, severity: str | None) -> None:
    findings = scan(tree(change), find_rule("SPL104")).findings
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    for finding in findings:
        assert subject is not None and finding.message.startswith(subject)
        assert finding.split == "test"


def test_a_test_split_of_other_classes_is_no_exchange() -> None:
    files = {
        path: data for path, data in tree(lambda pixels: pixels).files.items() if ("sea" in path) == ("train" in path)
    }
    assert not scan(Clean("other", files=files), find_rule("SPL104")).findings


def test_unsplit_data_is_skipped() -> None:
    frame = datasets.load_wine(as_frame=True).frame
    (status,) = datalint.scan(frame, label="target", select=["SPL104"]).datasets[0].rules
    assert (status.status, status.reason) == ("skipped", "the data is not split")
