from __future__ import annotations

import numpy as np
import pytest

from datalint.profile.learn.calibrate import fit_pool, log_probs, probability_wrong
from datalint.profile.learn.noise import estimate_noise


def _opinions(
    n: int, classes: int, sharpness: float, floor: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of a calibrated model, labels drawn from them, a share of them drawn anew; and which are wrong for it."""
    rng = np.random.default_rng(seed)
    scores = sharpness * rng.normal(size=(n, classes))
    probs = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    true = (probs.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    given = np.where(rng.random(n) < floor, rng.integers(0, classes, n), true)
    return probs, given, given != true


@pytest.mark.parametrize("temperature", [0.5, 2.0])
@pytest.mark.parametrize(("classes", "sharpness"), [(2, 6.0), (5, 8.0)])
def test_the_floor_is_recovered_whatever_the_temperature(classes: int, sharpness: float, temperature: float) -> None:
    probs, y, wrong = _opinions(2000, classes, sharpness, 0.1)
    blurred = probs**temperature
    found = estimate_noise(blurred / blurred.sum(axis=1, keepdims=True), y)
    assert found.low <= wrong.mean() <= found.high
    assert abs(found.rate - wrong.mean()) < 0.015
    assert found.p_value < 1e-6
    assert np.mean(wrong[found.named.candidates]) > 0.8
    assert found.confusion.sum() == len(found.named)
    assert np.isin(np.flatnonzero(wrong), found.named.candidates).mean() > 0.6
    assert found.class_rates.mean() == pytest.approx(found.rate, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sharpness", [1.0, 3.0, 6.0])
def test_hard_is_not_noisy(sharpness: float, seed: int) -> None:
    probs, y, _ = _opinions(1500, 4, sharpness, 0.0, seed)
    found = estimate_noise(probs, y)
    assert found.p_value > 0.01
    assert found.low < 0.005
    assert len(found.named) < 0.01 * 1500
    assert found.accuracy < 0.97  # the labels do differ from the guesses


def test_models_are_pooled() -> None:
    probs, y, wrong = _opinions(1500, 3, 8.0, 0.1)
    rng = np.random.default_rng(1)
    views = [np.exp(np.log(probs + 1e-9) + rng.normal(size=probs.shape) * 3) for _ in range(2)]
    views = [v / v.sum(axis=1, keepdims=True) for v in views]

    def caught(result_of: list[np.ndarray]) -> float:
        return float(wrong[estimate_noise(result_of, y).named.candidates].sum() / wrong.sum())

    assert caught(views) > max(caught(views[:1]), caught(views[1:]))


def test_rows_and_classes_without_predictions_are_left_out() -> None:
    probs, y, _ = _opinions(800, 3, 8.0, 0.1)
    wide = np.zeros((802, 5))
    wide[:2] = np.nan
    wide[2:, [0, 2, 4]] = probs
    labels = np.concatenate([[1, 1], np.array([0, 2, 4])[y]])
    found, plain = estimate_noise(wide, labels), estimate_noise(probs, y)
    assert found.rate == pytest.approx(plain.rate)
    assert found.samples == 800
    assert np.array_equal(found.named.candidates, plain.named.candidates + 2)
    assert set(found.named.suggested.tolist()) <= {0, 2, 4}


def test_worst_first() -> None:
    probs, y, _ = _opinions(800, 3, 8.0, 0.1)
    named = estimate_noise(probs, y).named
    assert len(named) > 0
    assert (np.diff(named.scores) >= 0).all()
    assert (named.given != named.suggested).all()
    assert np.array_equal(named.given, y[named.candidates])


def test_probability_wrong_counts_what_was_drawn() -> None:
    probs, y, wrong = _opinions(20_000, 3, 5.0, 0.2)
    doubt = probability_wrong(probs, y, 0.2)
    assert doubt.mean() == pytest.approx(wrong.mean(), abs=0.01)
    assert wrong[doubt > 0.9].mean() > 0.9
    assert (probability_wrong(probs, y, 0.0) < 1e-9).all()


def test_bad_shapes() -> None:
    with pytest.raises(ValueError, match="shape"):
        estimate_noise(np.ones((3, 2)), np.zeros(4, np.intp))
    with pytest.raises(ValueError, match="two classes"):
        estimate_noise(np.full((3, 2), 0.5), np.zeros(3, np.intp))


def test_two_thirds_of_the_models_must_see_the_floor() -> None:
    # Labels are right, but one model states that of every twelfth sample badly and surely: a floor to it alone.
    probs, y, _ = _opinions(1500, 3, 6.0, 0.0)
    bad = probs.copy()
    bad[::12] = np.roll(bad[::12], 1, axis=1)
    assert estimate_noise(bad, y).p_value < 1e-6
    assert estimate_noise([bad, probs, probs], y).p_value > 0.01
    assert estimate_noise([bad, bad, probs], y).p_value < 1e-4


def test_a_pool_takes_no_more_temperatures_than_the_samples_pay_for() -> None:
    probs, y, _ = _opinions(80, 2, 4.0, 0.0)
    noise = [np.random.default_rng(seed).dirichlet([1, 1], 80) for seed in range(5)]
    fit = fit_pool([log_probs(part) for part in (probs, *noise)], y)
    assert 0 in fit.used
    assert len(fit.used) == len(fit.temperatures) <= 2
    alone = fit_pool([log_probs(probs)], y)
    assert fit.cost <= alone.cost
