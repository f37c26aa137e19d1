"""SPL103 on arrays of pictures: which pictures the scaler was fitted on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import datalint

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pictures = NDArray[Any]

TRAIN = 1_400


def _grey() -> Pictures:
    digits: Pictures = load_digits().images
    return digits[np.random.default_rng(0).permutation(len(digits))]


def _colour(first: bool) -> Pictures:
    rng = np.random.default_rng(1)
    cube = _grey()[..., None] * rng.uniform(0.5, 1.5, (1797, 1, 1, 3)) + rng.uniform(0, 4, (1797, 1, 1, 3))
    return np.moveaxis(cube, 3, 1) if first else cube


def _verdict(pictures: Pictures, train: int = TRAIN) -> tuple[str | None, str]:
    """The case that SPL103 found, and its words."""
    y = load_digits().target
    data = {"x_train": pictures[:train], "y_train": y[:train], "x_test": pictures[train:], "y_test": y[train:]}
    return _scan({name: data[name] for name in data if len(data[name])})


def _scan(arrays: dict[str, Any]) -> tuple[str | None, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, **arrays)
        report = datalint.scan(path, select=["SPL103"], cache=False)
    found = [finding for finding in report.findings if finding.code == "SPL103"]
    return (str(found[0].evidence["case"]), found[0].message) if found else (None, "")


def _mean_image(x: Pictures, fit: Pictures) -> Pictures:
    scaled: Pictures = x - fit.mean(axis=0)
    return scaled


def _standard_pixels(x: Pictures, fit: Pictures) -> Pictures:
    scaled: Pictures = (x - fit.mean(axis=0)) / np.maximum(fit.std(axis=0), 1e-3)
    return scaled


def _scalar(x: Pictures, fit: Pictures) -> Pictures:
    scaled: Pictures = (x - fit.mean()) / fit.std()
    return scaled


def _channels_last(x: Pictures, fit: Pictures) -> Pictures:
    scaled: Pictures = (x - fit.mean(axis=(0, 1, 2))) / fit.std(axis=(0, 1, 2))
    return scaled


def _channels_first(x: Pictures, fit: Pictures) -> Pictures:
    axes = (0, 2, 3)
    scaled: Pictures = (x - fit.mean(axis=axes, keepdims=True)) / fit.std(axis=axes, keepdims=True)
    return scaled


WAYS = [
    (_grey, _mean_image),
    (_grey, _standard_pixels),
    (_grey, _scalar),
    (lambda: _colour(False), _mean_image),
    (lambda: _colour(False), _scalar),
    (lambda: _colour(False), _channels_last),
    (lambda: _colour(True), _channels_first),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("make", "scale"), WAYS)
def test_the_pictures_that_a_scaler_was_fitted_on(
    make: Callable[[], Pictures], scale: Callable[[Pictures, Pictures], Pictures], dtype: type
) -> None:
    x = make()
    case, message = _verdict(scale(x, x).astype(dtype))
    assert case == "pooled"
    assert "fitted before the split" in message
    assert _verdict(scale(x, x[:TRAIN]).astype(dtype))[0] is None  # as it should be
    each = np.concatenate([scale(part, part) for part in (x[:TRAIN], x[TRAIN:])])
    assert _verdict(each.astype(dtype))[0] == "each"
    assert _verdict(scale(x, x).astype(dtype), train=len(x))[0] == "unsplit"


@pytest.mark.parametrize(
    "healthy",
    [
        lambda x: x,
        lambda x: x / 16,
        lambda x: x / 8 - 1,
        lambda x: (x / 16 - 0.1307) / 0.3081,
        lambda x: x - x.mean(axis=(1, 2), keepdims=True),  # each picture by itself
        lambda x: (x - x.mean(axis=(1, 2), keepdims=True)) / x.std(axis=(1, 2), keepdims=True),
        np.zeros_like,
        lambda x: np.random.default_rng(0).normal(size=x.shape),
    ],
)
def test_pictures_scaled_by_known_numbers_or_one_by_one_are_in_order(healthy: Callable[[Pictures], Pictures]) -> None:
    x = healthy(_grey()).astype(np.float32)
    assert _verdict(x)[0] is None
    assert _verdict(x, train=len(x))[0] is None
