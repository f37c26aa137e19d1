"""How many labels are wrong, and which: a noise floor fitted to out-of-fold probabilities, and the samples cleanlab names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.statistics import binomial_tail, chi_square_tail
from datalint.profile.learn.calibrate import (
    SURE_FLOOR,
    Calibration,
    calibration_error,
    fit_calibration,
    fit_pool,
    log_probs,
    predictive,
    probability_wrong,
    sharpen,
)
from datalint.profile.learn.confident import label_issues, self_confidence
from datalint.profile.learn.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_CHI2_95 = 3.841
"""Twice the drop of the log-likelihood at the ends of a 95 % profile interval."""
_WORTH_AN_INTERVAL = 0.05
"""Largest p-value at which each model is asked for its own interval."""
_CLASS_EVIDENCE = 2.706
"""Twice the gain of the log-likelihood that one class's own floor must bring (5 %, one-sided)."""
_DOUBT = 0.5
"""A sample is named where the label is more likely wrong than right, so a named list is never mostly false by its own account."""


@dataclass(frozen=True)
class Named:
    """Samples that look mislabelled, worst first.

    Attributes:
        scores: cleanlab's self-confidence, 0 = surely wrong.
        confidence: probability of the suggested label.
    """

    candidates: NDArray[np.intp]
    given: NDArray[np.intp]
    suggested: NDArray[np.intp]
    scores: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.candidates)


_FADING = 0.25
"""Quantile of a class's confidence from which a sample counts as clear: what is confused lies below, and fades there."""
_CLEAR = 8
"""Fewest right samples of a class that tell its confidence."""
_PAIR_P = 0.01
"""Largest p-value of one ordered pair of classes, times their number."""
_PAIR_SHARE = 0.05
"""Least share of the clear samples of a class that carry the other label, at the lower end of its 95 % interval."""


@dataclass(frozen=True)
class OneWay:
    """A class whose clear samples often carry one other label, and not the other way round.

    Attributes:
        given, suggested: classes: the label carried and the one they look like.
        samples, mirror: how many look like that, and how many the other way round.
        clear: those of `samples` that the models are as sure of as of three quarters of the class.
        share: lower end of the share of the clear ones.
        p_value: of chance, times the number of ordered pairs.
    """

    given: int
    suggested: int
    samples: int
    mirror: int
    clear: int
    share: float
    p_value: float


@dataclass(frozen=True)
class NoiseEstimate:
    """What out-of-fold probabilities say about the labels.

    rate, low, high: share of wrong labels with its 95 % profile-likelihood interval (`low` by half of the models, `high` by the
    median one). p_value: of no floor at all. named: those more likely wrong than right, given the floor. disagreements:
    what cleanlab names when the floor is left out of account: a mix of wrong labels and hard samples. confusion: (K, K)
    named samples, given label in rows, suggested in columns.
    class_rates: (K,) expected share of wrong ones among the samples given this label. floor_classes: classes whose surely
    recognised samples show a floor of their own. one_way: ordered pairs of classes with a floor of their own; one_way_named:
    the samples of these; one_way_agreement: accuracy over the samples outside of these pairs, either way round. temperatures, tail: of the fit. accuracy, calibration_error: of the
    calibrated probabilities against the given labels; chance_accuracy: of always naming the largest class; agreement:
    accuracy over the samples that `disagreements` leaves.
    """

    rate: float
    low: float
    high: float
    floor: float
    p_value: float
    temperatures: tuple[float, ...]
    tail: float
    named: Named
    disagreements: Named
    confusion: NDArray[np.intp]
    class_rates: NDArray[np.float64]
    floor_classes: tuple[int, ...]
    one_way: tuple[OneWay, ...]
    one_way_named: Named
    one_way_agreement: float
    accuracy: float
    chance_accuracy: float
    agreement: float
    calibration_error: float
    samples: int
    classes: int


@one_thread()
def estimate_noise(
    probs: NDArray[np.floating] | Sequence[NDArray[np.floating]], y: NDArray[np.integer]
) -> NoiseEstimate:
    """Estimate the share of wrong labels and name them.

    probs: (n, K) out-of-sample probabilities, or one such array per model, to be pooled; rows of NaN are left out. y: (n,) in
    0..K-1. Labels replaced at random leave a floor that does not fade with confidence; hardness fades. The floor is tested by
    likelihood ratio against the best calibration without it, model by model, and half of the models must see it; under
    the null it lies on the edge of its range, so half the chi-squared tail counts (Self and Liang 1987). Named is each sample
    whose label is more likely wrong than right by the probabilities with the floor taken out, in the order of cleanlab's score;
    disagreements are confident learning's (Northcutt et al. 2021) on the probabilities without a floor.
    Raises ValueError when shapes disagree or fewer than two classes are left.
    """
    parts = [np.asarray(p, np.float64) for p in ([probs] if isinstance(probs, np.ndarray) else probs)]
    given = np.asarray(y, np.intp)
    if not parts or any(p.shape != parts[0].shape or len(p) != len(given) for p in parts):
        raise ValueError("probabilities and labels differ in shape")
    wide = parts[0].shape[1]
    rows = np.flatnonzero(np.all([np.isfinite(p).all(axis=1) for p in parts], axis=0))
    present = np.unique(given[rows])
    if len(present) < 2:
        raise ValueError("fewer than two classes to compare")
    labels = np.searchsorted(present, given[rows])
    logs = [log_probs(p[np.ix_(rows, present)]) for p in parts]
    views = [_both_fits(part, labels) for part in logs]
    p_value = _shared(views)
    without, fit = _both_pools(logs, labels, views)
    clean = sharpen(logs, fit)
    to_rate = (len(present) - 1) / len(present)
    if p_value <= _WORTH_AN_INTERVAL and len(logs) > 1:
        ends = [_interval([part], labels, own, soft) for part, (soft, own) in zip(logs, views, strict=True)]
        low, high = sorted(low for low, _ in ends)[-_needed(len(ends))], float(np.median([end for _, end in ends]))
        low, high = min(low, fit.floor), max(high, fit.floor)
    else:
        low, high = _interval(logs, labels, fit, without)
    wrong = probability_wrong(clean, labels, fit.floor)
    named = _name(clean, labels, rows, present, np.flatnonzero(wrong > _DOUBT))
    soft = sharpen(logs, without)
    hard = _name(soft, labels, rows, present, label_issues(labels, soft))
    right = soft.argmax(axis=1) == labels
    unnamed = ~np.isin(rows, hard.candidates)
    pairs = _one_way(soft, labels)
    guess = soft.argmax(axis=1)
    flipped = np.any([(labels == pair.given) & (guess == pair.suggested) for pair in pairs], axis=0)
    mirrored = np.any([(labels == pair.suggested) & (guess == pair.given) for pair in pairs], axis=0)
    others = np.broadcast_to(~(flipped | (mirrored & (len(present) > 2))), len(labels))
    confusion = np.zeros((wide, wide), np.intp)
    np.add.at(confusion, (named.given, named.suggested), 1)
    rates = np.zeros(wide)
    rates[present] = np.bincount(labels, weights=wrong, minlength=len(present)) / np.bincount(labels)
    return NoiseEstimate(
        rate=fit.floor * to_rate,
        low=low * to_rate,
        high=high * to_rate,
        floor=fit.floor,
        p_value=p_value,
        temperatures=fit.temperatures,
        tail=fit.tail,
        named=named,
        disagreements=hard,
        confusion=confusion,
        class_rates=rates,
        floor_classes=tuple(int(present[k]) for k in _floor_classes(clean, labels)),
        one_way=tuple(replace(p, given=int(present[p.given]), suggested=int(present[p.suggested])) for p in pairs),
        one_way_named=_name(soft, labels, rows, present, np.flatnonzero(np.broadcast_to(flipped, len(labels)))),
        one_way_agreement=float(right[others].mean()) if np.any(others) else 0.0,
        accuracy=float(right.mean()),
        chance_accuracy=float(np.bincount(labels).max() / len(labels)),
        agreement=float(right[unnamed].mean()) if unnamed.any() else 0.0,
        calibration_error=calibration_error(predictive(clean, fit.floor), labels),
        samples=len(rows),
        classes=len(present),
    )


def _both_fits(part: NDArray[np.float64], labels: NDArray[np.intp]) -> tuple[Calibration, Calibration]:
    """One model's calibration without a floor and with one."""
    without = fit_calibration([part], labels, floor=0.0)
    fit = fit_calibration([part], labels)
    # The larger model contains the smaller one; where the search missed that, the smaller one is the answer.
    return without, (fit if fit.loss < without.loss else without)


def _both_pools(
    logs: Sequence[NDArray[np.float64]], labels: NDArray[np.intp], views: Sequence[tuple[Calibration, Calibration]]
) -> tuple[Calibration, Calibration]:
    """The pool without a floor and with one, each of the models that serve it best."""
    without = fit_pool(logs, labels, floor=0.0, alone=[soft for soft, _ in views])
    fit = fit_pool(logs, labels, alone=[own for _, own in views])
    return without, (fit if fit.cost < without.cost else without)


def _needed(models: int) -> int:
    """How many models must see a floor: half of them."""
    return -(-models // 2)


def _shared(views: Sequence[tuple[Calibration, Calibration]]) -> float:
    """The p-value at which half of the models see a floor, each calibrated by itself, without and with one.

    One model alone may see a floor where it merely fits badly (a line through a curve), and one may miss it because its
    confidence has a ceiling. The k-th smallest of m p-values, times m / k, is a p-value however they depend on each other
    (Rueger 1978; Vovk and Wang 2020); at half of them it is twice the median.
    """
    gains = [2 * (soft.loss - own.loss) for soft, own in views]
    # A floor cannot be below zero: half the tail.
    values = sorted(chi_square_tail(gain, 1) / 2 if gain > 0 else 1.0 for gain in gains)
    needed = _needed(len(values))
    return min(1.0, values[needed - 1] * len(values) / needed)


def _interval(
    logs: Sequence[NDArray[np.float64]], labels: NDArray[np.intp], fit: Calibration, without: Calibration
) -> tuple[float, float]:
    """Ends of the profile-likelihood interval of the floor, by bisection on its logarithm."""

    def outside(floor: float) -> bool:
        # Below the best floor the best calibration may be the soft one without a floor, so both are starting points.
        starts = (fit, without) if floor < fit.floor else (fit,)
        found = min(
            replace(fit_calibration(at.of(logs), labels, floor=floor, start=at.start), used=at.used).cost
            for at in starts
        )
        return 2 * (found - fit.cost) > _CHI2_95

    def cross(inner: float, outer: float) -> float:
        for _ in range(6):
            middle = float(np.sqrt(inner * outer))
            inner, outer = (inner, middle) if outside(middle) else (middle, outer)
        return inner

    best = max(fit.floor, 1e-4)
    far = min(SURE_FLOOR, 30 * best)
    low = cross(best, best / 30) if fit.floor > 0 and outside(best / 30) else 0.0
    return low, cross(best, far) if outside(far) else far


def _floor_classes(clean: NDArray[np.float64], labels: NDArray[np.intp]) -> list[int]:
    """Classes that show a floor by themselves, among the samples the models take for them."""
    guess = clean.argmax(axis=1)
    own = clean[np.arange(len(labels)), labels]
    classes = clean.shape[1]
    floors = np.linspace(0.005, 0.5, 100)[:, None]
    found = []
    for k in range(classes):
        mine = np.maximum(own[guess == k], 1e-12)[None]
        gain = np.log((1 - floors) * mine + floors / classes).sum(axis=1) - np.log(mine).sum()
        if 2 * gain.max(initial=0.0) >= _CLASS_EVIDENCE:
            found.append(k)
    return found


def _one_way(soft: NDArray[np.float64], labels: NDArray[np.intp]) -> list[OneWay]:
    """Ordered pairs of classes with a floor of their own.

    Classes that are hard to tell apart are confused both ways, and the more seldom the clearer the sample. Labels that
    were exchanged in one direction (a quarter of the 4s called 9) are as common among clear samples as among others.
    The clear samples of either cell are compared; by chance each is as likely in one as in the other.
    """
    guess, confidence, classes = soft.argmax(axis=1), soft.max(axis=1), soft.shape[1]
    right = guess == labels
    bar = np.full(classes, np.inf)
    sure = np.zeros(classes, np.intp)
    for k in range(classes):
        own = confidence[right & (guess == k)]
        if len(own) >= _CLEAR:
            bar[k] = np.quantile(own, _FADING)
            sure[k] = int((own >= bar[k]).sum())
    cells, clear = np.zeros((classes, classes), np.intp), np.zeros((classes, classes), np.intp)
    np.add.at(cells, (labels, guess), 1)
    above = confidence >= bar[guess]
    np.add.at(clear, (labels[above], guess[above]), 1)
    found = []
    tests = classes * (classes - 1)
    for given, suggested in zip(*np.nonzero(clear > clear.T), strict=True):
        hits, misses = int(clear[given, suggested]), int(clear[suggested, given])
        chance = tests * binomial_tail(hits, hits + misses, 0.5)
        share = wilson_low(hits, hits + int(sure[suggested]))
        if chance <= _PAIR_P and share >= _PAIR_SHARE:
            many, few = int(cells[given, suggested]), int(cells[suggested, given])
            found.append(OneWay(int(given), int(suggested), many, few, hits, share, min(1.0, chance)))
    return sorted(found, key=lambda pair: (pair.p_value, pair.given, pair.suggested))


def wilson_low(hits: int, n: int, z: float = 1.96) -> float:
    """Lower end of the Wilson score interval of a share."""
    share = hits / n
    centre = share + z * z / (2 * n)
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return (centre - half) / (1 + z * z / n) if hits else 0.0


def _name(
    clean: NDArray[np.float64],
    labels: NDArray[np.intp],
    rows: NDArray[np.intp],
    present: NDArray[np.intp],
    picked: NDArray[np.intp],
) -> Named:
    score = self_confidence(labels, clean)
    # Ties at zero are broken by what the models say instead.
    picked = picked[np.lexsort((picked, -clean[picked].max(axis=1), score[picked]))]
    guess = clean[picked].argmax(axis=1)
    return Named(rows[picked], present[labels[picked]], present[guess], score[picked], clean[picked, guess])
