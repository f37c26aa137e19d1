from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine

from datalint.profile.learn.calibrate import calibration_error
from datalint.profile.learn.features import encode_table
from datalint.profile.learn.outoffold import ALL_MODELS_ROWS, OutOfFold, Refusal, out_of_fold


def _blobs(n: int, classes: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    return (rng.normal(size=(classes, 5))[y] * apart + rng.normal(size=(n, 5))).astype(np.float32), y


def test_models_are_pooled_and_calibrated() -> None:
    X, y = _blobs(600, 3, 2.0)
    found = out_of_fold(X, y)
    assert isinstance(found, OutOfFold)
    assert len(found.components) == 4
    assert found.probs.shape == (600, 3)
    assert np.allclose(found.probs.sum(axis=1), 1)
    assert found.accuracy > found.chance_accuracy + 0.3
    assert found.log_loss < 0.5 * found.chance_log_loss
    assert found.calibration_error < 0.03
    assert all(found.log_loss <= loss + 0.01 for loss in found.raced.values())


def test_wrong_labels_bring_a_second_round_that_separates_them_better() -> None:
    raw, y = load_wine(return_X_y=True)
    X = encode_table(raw, [], [])
    noisy = y.copy()
    noisy[::12] = (noisy[::12] + 1) % 3
    clean, found = out_of_fold(X, y), out_of_fold(X, noisy)
    assert isinstance(clean, OutOfFold)
    assert isinstance(found, OutOfFold)
    assert len(clean.components) == 4
    assert len(found.components) == 7
    # Of the true label, on the wrong ones: extra trees before and after.
    first, second = found.components[0][::12], found.components[4][::12]
    truth = y[::12]
    at = np.arange(len(truth))
    assert second[at, truth].mean() > first[at, truth].mean() + 0.02


def test_large_sets_run_the_winner_of_a_race() -> None:
    X, y = _blobs(ALL_MODELS_ROWS + 1, 2, 1.0)
    found = out_of_fold(X, y)
    assert isinstance(found, OutOfFold)
    assert found.model == min(found.raced, key=lambda name: found.raced[name])
    assert len(found.components) == 1
    assert found.folds == 3


@pytest.mark.parametrize("seed", range(3))
def test_random_labels_are_refused(seed: int) -> None:
    X, _ = _blobs(300, 3, 1.0, seed)
    found = out_of_fold(X, np.random.default_rng(100 + seed).integers(0, 3, 300))
    assert isinstance(found, Refusal)
    assert "no better than chance" in found.reason


def test_copies_of_one_content_share_a_fold() -> None:
    # Labels are random but the same for all copies: only a model that saw a copy can know them.
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(100, 5)), 4, axis=0).astype(np.float32)
    y = np.repeat(rng.integers(0, 2, 100), 4)
    content = np.repeat(rng.integers(0, 2**63, 100).astype(np.uint64), 4)
    assert isinstance(out_of_fold(X, y), OutOfFold)
    assert isinstance(out_of_fold(X, y, content), Refusal)


def test_small_classes_are_left_out() -> None:
    X, y = _blobs(200, 2, 3.0)
    y[:2] = 4
    found = out_of_fold(X, y)
    assert isinstance(found, OutOfFold)
    assert found.left_out == (4,)
    assert found.probs.shape == (200, 5)
    assert np.isnan(found.probs[:2]).all()
    assert (found.probs[2:, [2, 3, 4]] == 0).all()


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.zeros((20, 0), np.float32), np.arange(20) % 2),
        (np.ones((20, 2), np.float32), np.zeros(20, np.intp)),
        (np.ones((4, 2), np.float32), np.arange(4)),
        (np.ones((0, 2), np.float32), np.zeros(0, np.intp)),
        (np.ones((1, 2), np.float32), np.zeros(1, np.intp)),
    ],
)
def test_too_little_is_refused(X: np.ndarray, y: np.ndarray) -> None:
    assert isinstance(out_of_fold(X, y), Refusal)


def test_same_input_same_answer() -> None:
    X, y = _blobs(200, 2, 1.5)
    first, second = out_of_fold(X, y), out_of_fold(X, y)
    assert isinstance(first, OutOfFold)
    assert isinstance(second, OutOfFold)
    assert np.array_equal(first.probs, second.probs)


def test_calibration_error() -> None:
    probs = np.tile([0.75, 0.25], (400, 1))
    assert calibration_error(probs, (np.arange(400) % 4 == 0).astype(np.intp)) < 0.03
    assert calibration_error(probs, np.ones(400, np.intp)) == pytest.approx(0.75)


def test_the_discriminant_is_that_of_two_gaussians() -> None:
    # Of two Gaussians the log-odds are linear and known: a model that has few samples comes close to them.
    rng = np.random.default_rng(0)
    y = np.arange(240) % 2
    X = rng.normal(size=(240, 2)).astype(np.float32)
    X[:, 0] += 3.0 * y
    found = out_of_fold(X, y)
    assert isinstance(found, OutOfFold)
    own = found.components[list(found.raced).index("linear discriminant")]
    odds = np.log(own[:, 1] / own[:, 0])
    assert np.corrcoef(odds, 3.0 * X[:, 0] - 4.5)[0, 1] > 0.98
    assert np.polyfit(3.0 * X[:, 0] - 4.5, odds, 1)[0] == pytest.approx(1.0, abs=0.25)
