"""The whole path on real sets: features, out-of-fold models, noise estimate, verdict."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.label_noise import flip, pictures
from datalint.profile.learn.features import encode_images, encode_table
from datalint.profile.learn.noise import NoiseEstimate, estimate_noise
from datalint.profile.learn.outoffold import OutOfFold, out_of_fold
from datalint.profile.learn.verdict import contradictions, judge


def _digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X, y


def _wine() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_wine

    X, y = load_wine(return_X_y=True)
    return X, y


def _estimate(X: np.ndarray, y: np.ndarray) -> NoiseEstimate:
    predicted = out_of_fold(X, y)
    assert isinstance(predicted, OutOfFold)
    return estimate_noise(predicted.components, y)


def test_flipped_labels_in_a_table() -> None:
    X, y = _digits()
    noisy, changed = flip(y, 0.05, 0)
    found = _estimate(encode_table(X, [], []), noisy)
    verdict = judge(found, "table")
    assert (verdict.level, verdict.warn) == ("floor", True)
    assert verdict.named is not None
    hits = changed[verdict.named.candidates].sum()
    assert hits / len(verdict.named) >= 0.85
    assert hits / changed.sum() >= 0.75
    assert (y[verdict.named.candidates] == verdict.named.suggested).mean() >= 0.85
    assert abs(found.rate - 0.05) < 0.015


def test_flipped_labels_in_a_small_table() -> None:
    X, y = _wine()
    noisy, changed = flip(y, 0.05, 0)  # nine samples
    found = _estimate(encode_table(X, [], []), noisy)
    verdict = judge(found, "table")
    assert verdict.level == "floor"
    assert verdict.named is not None
    assert changed[verdict.named.candidates].sum() >= 7
    assert found.low <= changed.mean() <= found.high


def test_clean_tables_are_quiet() -> None:
    X, y = _wine()
    verdict = judge(_estimate(encode_table(X, [], []), y), "table")
    assert (verdict.level, verdict.named) == ("none", None)


@pytest.mark.parametrize("seed", range(2))
def test_hard_tables_are_quiet(seed: int) -> None:
    from sklearn.datasets import make_classification

    X, y = make_classification(2500, 20, n_informative=4, n_classes=4, class_sep=0.6, flip_y=0, random_state=seed)
    verdict = judge(_estimate(encode_table(X, [], []), y), "table")
    assert (verdict.level, verdict.warn, verdict.named) == ("hard", False, None)


def test_pictures_with_flips_and_without() -> None:
    X, y = _digits()
    features = encode_images(pictures(X))
    noisy, changed = flip(y, 0.05, 1)
    verdict = judge(_estimate(features, noisy), "images")
    assert (verdict.level, verdict.warn) == ("floor", True)
    assert verdict.named is not None
    assert changed[verdict.named.candidates].mean() >= 0.85
    clean = judge(_estimate(features, y), "images")
    assert not clean.warn
    assert clean.named is None or len(clean.named) <= 0.01 * len(y)


def test_mistakes_where_the_picture_is_ambiguous_leave_no_floor_but_a_strong_model_disputes_them() -> None:
    # A person errs toward what a picture resembles, more often where it resembles it more.
    from sklearn.naive_bayes import GaussianNB

    X, y = _digits()
    features = encode_images(pictures(X))
    resemblance = GaussianNB(var_smoothing=1.0).fit(X, y).predict_proba(X)
    resemblance[np.arange(len(y)), y] = 0
    chance = resemblance.max(axis=1) ** 0.25
    mistaken = np.random.default_rng(0).choice(len(y), round(0.04 * len(y)), replace=False, p=chance / chance.sum())
    human = y.copy()
    human[mistaken] = resemblance[mistaken].argmax(axis=1)
    found = _estimate(features, human)
    assert judge(found, "table").level != "floor"
    verdict = judge(found, "images")
    assert (verdict.level, verdict.warn) == ("disagreement", True)
    assert verdict.named is not None
    assert np.isin(verdict.named.candidates, mistaken).mean() >= 0.85
    weak = dataclasses.replace(found, agreement=0.8)
    assert judge(weak, "images").named is None


def test_a_floor_in_one_class_alone_is_no_warning_in_a_table() -> None:
    X, y = _wine()
    found = _estimate(encode_table(X, [], []), flip(y, 0.05, 0)[0])
    alone = dataclasses.replace(found, floor_classes=found.floor_classes[:1])
    assert not judge(alone, "table").warn
    assert judge(alone, "images").warn


def test_a_floor_that_a_weak_model_sees_is_no_warning_in_pictures_either() -> None:
    X, y = _wine()
    found = _estimate(encode_table(X, [], []), flip(y, 0.05, 0)[0])
    weak = dataclasses.replace(found, accuracy=0.66, chance_accuracy=0.34)
    assert judge(found, "images").warn
    assert not judge(weak, "images").warn


def test_a_few_wrong_labels_among_150_samples_are_found() -> None:
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    noisy, changed = flip(y, 0.075, 0)
    verdict = judge(_estimate(encode_table(X, [], []), noisy), "table")
    assert (verdict.level, verdict.warn) == ("floor", True)
    assert verdict.named is not None
    assert changed[verdict.named.candidates].mean() >= 0.85
    assert changed[verdict.named.candidates].sum() >= 0.6 * changed.sum()


def test_contradictions_need_no_model() -> None:
    content = np.array([1, 2, 3, 1, 2, 4, 5, 5, 6], np.uint64)
    labels = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    found = contradictions(content, labels)
    assert found.rows.tolist() == [0, 1, 3, 4]
    assert found.pairs == ((0, 1, 2),)
    assert found.merged == ((0, 1, 2),)
    assert contradictions(content, np.zeros(9, np.intp)).pairs == ()


def test_one_content_in_all_classes_is_no_copied_folder() -> None:
    contents, labels = np.zeros(60, np.uint64), np.arange(60) % 3
    assert len(contradictions(contents, labels).pairs) == 3
    assert not contradictions(contents, labels).merged
