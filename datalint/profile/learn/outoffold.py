"""Out-of-fold class probabilities from a few fast models: each sample is judged by models that never saw it or a copy of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.profile.learn.calibrate import (
    Calibration,
    calibration_error,
    fit_calibration,
    fit_pool,
    log_probs,
    predictive,
    probability_wrong,
    sharpen,
)
from datalint.profile.learn.kernels import rbf_features
from datalint.profile.learn.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Model = Callable[
        [NDArray[np.float32], NDArray[np.intp], int, NDArray[np.intp], int, NDArray[np.bool_]], NDArray[np.float64]
    ]

__all__ = ["OutOfFold", "Refusal", "calibration_error", "out_of_fold"]

RACE_ROWS = 3000
"""Samples on which the models are compared before the winner alone sees everything."""
ALL_MODELS_ROWS = 4000
"""Up to here all models run in full and are pooled: together they are better calibrated than the best of them."""
SECOND_ROUND_ROWS = 2000
"""Up to here models are trained once more, without the samples whose label the first round doubts: wrong labels in training
blur the confidence that distinguishes a floor from hardness. Larger sets show a floor without that."""
LANDMARKS = 800
"""Centres of the kernel model; its cost grows with their square, its accuracy hardly beyond this."""
TREE_FOLDS = 5
"""A forest for every tenth of a small set names no more wrong labels than one for every fifth."""
DISCRIMINANT_COLUMNS = 1000
"""Up to here the discriminant runs; its cost grows with their cube."""
CHANCE_SIGMAS = 4.0
"""How many standard errors the log-loss must lie below that of always stating the class shares (one false in 30,000)."""
CHANCE_GAIN = 0.02
"""And by at least this share of the chance log-loss: less says nothing about single samples."""


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold predictions. Rows of classes too small to be split are NaN, and their columns zero.

    probs: (n, K), calibrated probability of the true label (the noise floor taken out). components: the same from each
    model alone, uncalibrated. log_loss, accuracy, calibration_error: of the given labels, against always stating the class
    shares (chance_*); log-loss in nats, calibration error = mean gap between confidence and accuracy over ten equal bins.
    raced: log-loss of each model on the samples it was compared on. left_out: classes too small to be split.
    """

    probs: NDArray[np.float64]
    components: tuple[NDArray[np.float64], ...]
    model: str
    log_loss: float
    accuracy: float
    chance_log_loss: float
    chance_accuracy: float
    calibration_error: float
    folds: int
    raced: dict[str, float]
    left_out: tuple[int, ...]


@dataclass(frozen=True)
class Refusal:
    """Why nothing can be said. probs: what the models said all the same, as in ``OutOfFold``, where they ran."""

    reason: str
    probs: NDArray[np.float64] | None = None


def out_of_fold(
    X: NDArray[np.float32], y: NDArray[np.integer], groups: NDArray[np.uint64] | None = None, seed: int = 0
) -> OutOfFold | Refusal:
    """Predict every sample by models trained without it, and pool or pick the models by out-of-fold log-loss.

    X: (n, d), finite, of about unit spread. y: (n,) in 0..K-1. groups: (n,) content hash; equal ones share a fold, and which
    fold depends on the hash alone, not on the order of the samples. Extra trees (Geurts et al. 2006), multinomial logistic
    regression, ridge classification on a Nystroem approximation of the RBF kernel and, up to ALL_MODELS_ROWS, linear
    discriminant analysis. Refuses when no model beats chance.
    In small sets with a noise floor a second round joins the pool (see ``SECOND_ROUND_ROWS``); the first one stays in it, so a
    fit without a floor has the same models to choose from.
    """
    labels = np.asarray(y, np.intp)
    n, wide = len(labels), int(labels.max(initial=-1)) + 1
    content = np.arange(n, dtype=np.uint64) if groups is None else np.asarray(groups, np.uint64)
    folds = 10 if n < 500 else 5 if n <= ALL_MODELS_ROWS else 3
    distinct = _distinct_per_class(labels, content, wide)
    smallest = int(distinct[distinct > 0].min(initial=n))
    folds = max(3, min(folds, smallest))
    usable = np.flatnonzero(distinct >= folds)
    left_out = tuple(int(k) for k in np.flatnonzero((distinct > 0) & (distinct < folds)))
    if len(usable) < 2:
        return Refusal(f"fewer than two classes have {folds} different samples")
    if X.shape[1] == 0:
        return Refusal("no feature varies")
    rows = np.flatnonzero(np.isin(labels, usable))
    inside = np.searchsorted(usable, labels[rows])
    classes = len(usable)
    fold = _folds(inside, content[rows], folds, seed)
    with one_thread():
        found = _predict(np.ascontiguousarray(X[rows], np.float32), inside, classes, fold, seed)
        names, parts, raced = found
        logs = [log_probs(part) for part in parts]
        fit = fit_pool(logs, inside)
        if len(rows) <= SECOND_ROUND_ROWS and fit.floor > 0:
            again = _second_round(X[rows], inside, classes, fold, seed, names, sharpen(logs, fit), fit.floor)
            if again:
                parts = [*parts, *again]
                logs += [log_probs(part) for part in again]
                fit = fit_pool(logs, inside)
    return _assemble(n, wide, rows, usable, inside, fold, names, parts, raced, sharpen(logs, fit), fit, left_out)


def _assemble(
    n: int,
    wide: int,
    rows: NDArray[np.intp],
    usable: NDArray[np.intp],
    inside: NDArray[np.intp],
    fold: NDArray[np.intp],
    names: list[str],
    parts: list[NDArray[np.float64]],
    raced: dict[str, float],
    clean: NDArray[np.float64],
    fit: Calibration,
    left_out: tuple[int, ...],
) -> OutOfFold | Refusal:
    stated = predictive(clean, fit.floor)
    at = np.arange(len(inside))
    loss = -np.log(np.maximum(stated[at, inside], 1e-12))
    prior = np.stack([_shares(inside[fold != f], len(usable)) for f in range(int(fold.max()) + 1)])[fold]
    chance = -np.log(prior[at, inside])
    gain = chance - loss
    error = gain.std() / np.sqrt(len(gain))

    def widen(part: NDArray[np.float64]) -> NDArray[np.float64]:
        full = np.full((n, wide), np.nan)
        full[rows] = 0.0
        full[np.ix_(rows, usable)] = part
        return full

    if gain.mean() < CHANCE_SIGMAS * error or gain.mean() < CHANCE_GAIN * chance.mean():
        best = "pooled models" if len(names) > 1 else names[0]
        return Refusal(
            f"no better than chance: out-of-fold log-loss {loss.mean():.3f} ({best}) "
            f"against {chance.mean():.3f} from the class shares alone",
            widen(np.mean(parts, axis=0)),
        )

    return OutOfFold(
        probs=widen(clean),
        components=tuple(widen(part) for part in parts),
        model=" + ".join(names),
        log_loss=float(loss.mean()),
        accuracy=float((stated.argmax(axis=1) == inside).mean()),
        chance_log_loss=float(chance.mean()),
        chance_accuracy=float(_shares(inside, len(usable)).max()),
        calibration_error=calibration_error(stated, inside),
        folds=int(fold.max()) + 1,
        raced=raced,
        left_out=left_out,
    )


def _predict(
    X: NDArray[np.float32], y: NDArray[np.intp], classes: int, fold: NDArray[np.intp], seed: int
) -> tuple[list[str], list[NDArray[np.float64]], dict[str, float]]:
    everything = np.ones(len(y), np.bool_)
    models: dict[str, Model] = {"extra trees": _extra_trees, "RBF kernel ridge": _kernel_ridge}
    # Its cost grows with classes x columns, and with many of both it has never won a race worth that.
    if classes * X.shape[1] <= 20_000:
        models["logistic regression"] = _logistic_regression
    n = len(y)
    if n <= ALL_MODELS_ROWS and X.shape[1] <= DISCRIMINANT_COLUMNS:
        models["linear discriminant"] = _discriminant
    race = np.arange(n)
    if n > ALL_MODELS_ROWS:
        race = np.sort(np.random.default_rng(seed).permutation(n)[:RACE_ROWS])
        race = race[np.isin(y[race], np.flatnonzero(np.bincount(y[race], minlength=classes) >= 2))]
    raced: dict[str, float] = {}
    parts: dict[str, NDArray[np.float64]] = {}
    for name, model in models.items():
        parts[name] = model(X[race], y[race], classes, fold[race], seed, everything[race])
        logs = [log_probs(parts[name])]
        fit = fit_calibration(logs, y[race])
        raced[name] = fit.loss / fit.samples
    if len(race) == n:
        return list(parts), list(parts.values()), raced
    winner = min(raced, key=lambda name: raced[name])
    return [winner], [models[winner](X, y, classes, fold, seed, everything)], raced


def _second_round(
    X: NDArray[np.float32],
    y: NDArray[np.intp],
    classes: int,
    fold: NDArray[np.intp],
    seed: int,
    names: list[str],
    clean: NDArray[np.float64],
    floor: float,
) -> list[NDArray[np.float64]]:
    """The models that wrong labels in training mislead, trained without the samples more likely wrong than right.

    The kernel ridge is fitted by least squares, whose decision random flips hardly move (Manwani and Sastry 2013). Empty where
    no sample is doubted, or most of a class: that is not to be learnt from the rest.
    """
    kept = probability_wrong(clean, y, floor) <= 0.5
    if kept.all() or (2 * np.bincount(y[kept], minlength=classes) < np.bincount(y, minlength=classes)).any():
        return []
    models: dict[str, Model] = {
        "extra trees": _extra_trees,
        "logistic regression": _logistic_regression,
        "linear discriminant": _discriminant,
    }
    X = np.ascontiguousarray(X, np.float32)
    return [model(X, y, classes, fold, seed, kept) for name, model in models.items() if name in names]


def _extra_trees(
    X: NDArray[np.float32],
    y: NDArray[np.intp],
    classes: int,
    fold: NDArray[np.intp],
    seed: int,
    kept: NDArray[np.bool_],
) -> NDArray[np.float64]:
    from sklearn.ensemble import ExtraTreesClassifier

    trees = 100 if len(y) <= ALL_MODELS_ROWS else 50
    # A tree stores a row of class shares per node; the leaves grow where that would pass about 200 MB.
    leaf = max(1, len(y) * classes * trees * 16 // 200_000_000)
    probs = np.zeros((len(y), classes))
    for train, test in _parted(fold % TREE_FOLDS, kept):
        model = ExtraTreesClassifier(trees, min_samples_leaf=leaf, random_state=seed).fit(X[train], y[train])
        probs[np.ix_(test, model.classes_)] = model.predict_proba(X[test])
    # One more vote, split by the class shares: no class is impossible because no tree named it.
    return np.asarray((probs * trees + _shares(y, classes)) / (trees + 1))


def _logistic_regression(
    X: NDArray[np.float32],
    y: NDArray[np.intp],
    classes: int,
    fold: NDArray[np.intp],
    seed: int,
    kept: NDArray[np.bool_],
) -> NDArray[np.float64]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    probs = np.zeros((len(y), classes))
    for train, test in _parted(fold, kept):
        with warnings.catch_warnings():
            # The last digits of the weights do not matter here.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(max_iter=100, tol=1e-3, random_state=seed).fit(X[train], y[train])
        probs[np.ix_(test, model.classes_)] = model.predict_proba(X[test])
    return np.maximum(probs, 1e-12)


def _discriminant(
    X: NDArray[np.float32],
    y: NDArray[np.intp],
    classes: int,
    fold: NDArray[np.intp],
    seed: int,  # noqa: ARG001 - every model takes one
    kept: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Linear discriminant analysis with the shrunk covariance of Ledoit and Wolf (2004).

    Sharp with few samples, and its means and covariance are hardly moved by a few wrong labels.
    """
    from scipy.linalg import cho_factor, cho_solve
    from sklearn.covariance import ledoit_wolf

    probs = np.zeros((len(y), classes))
    for train, test in _parted(fold, kept):
        own = np.zeros((int(train.sum()), classes))
        own[np.arange(len(own)), y[train]] = 1.0
        sizes = own.sum(axis=0)
        inside = X[train].astype(np.float64)
        means = own.T @ inside / np.maximum(sizes, 1)[:, None]
        spread = ledoit_wolf(inside - means[y[train]], assume_centered=True)[0]
        spread[np.diag_indices_from(spread)] += 1e-6
        weights = cho_solve(cho_factor(spread, lower=True), means.T)
        shares = np.log(np.where(sizes > 0, sizes, 1e-300) / sizes.sum())
        scores = X[test] @ weights - 0.5 * (means.T * weights).sum(axis=0) + shares
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs[test] = raised / raised.sum(axis=1, keepdims=True)
    return np.asarray(np.maximum(probs, 1e-12))


def _kernel_ridge(
    X: NDArray[np.float32],
    y: NDArray[np.intp],
    classes: int,
    fold: NDArray[np.intp],
    seed: int,
    kept: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Ridge regression of the one-hot labels on Nystroem features (Williams and Seeger 2001) of an RBF kernel.

    The kernel is as wide as the median distance. The folds share one Gram matrix, so five cost little more than one fit.
    """
    from scipy.linalg import cho_factor, cho_solve

    n = len(y)
    centres = X if n <= LANDMARKS else X[np.sort(np.random.default_rng(seed).permutation(n)[:LANDMARKS])]
    features = rbf_features(X, centres, 1e-6)
    target = np.zeros((n, classes), np.float32)
    target[np.arange(n), y] = 1.0
    share = target.mean(axis=0)
    target -= share
    members = [fold == f for f in range(int(fold.max()) + 1)]
    grams, sides = [], []
    for member in members:
        own = features[member & kept]
        grams.append((own.T @ own).astype(np.float64))
        sides.append((own.T @ target[member & kept]).astype(np.float64))
    gram, side = np.sum(grams, axis=0), np.sum(sides, axis=0)
    scores = np.zeros((n, classes))
    for member, own_gram, own_side in zip(members, grams, sides, strict=True):
        system = gram - own_gram
        system[np.diag_indices_from(system)] += 0.1
        scores[member] = features[member] @ cho_solve(cho_factor(system, lower=True), side - own_side) + share
    # Scores lie around 0..1; the factor only brings them near probabilities, the calibration finds the exact one.
    raised = np.exp(5.0 * (scores - scores.max(axis=1, keepdims=True)))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _parted(fold: NDArray[np.intp], kept: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """The rows of each fold to train on, and those to test on."""
    for f in range(int(fold.max()) + 1):
        test = fold == f
        if test.any():
            yield ~test & kept, test


def _shares(y: NDArray[np.intp], classes: int) -> NDArray[np.float64]:
    counts = np.bincount(y, minlength=classes) + 0.5
    return np.asarray(counts / counts.sum())


def _distinct_per_class(y: NDArray[np.intp], content: NDArray[np.uint64], classes: int) -> NDArray[np.intp]:
    order = np.lexsort((content, y))
    new = np.ones(len(y), bool)
    new[1:] = (y[order][1:] != y[order][:-1]) | (content[order][1:] != content[order][:-1])
    return np.bincount(y[order][new], minlength=classes)


def _folds(y: NDArray[np.intp], content: NDArray[np.uint64], folds: int, seed: int) -> NDArray[np.intp]:
    """Deal the contents of each class out to the folds in the order of their mixed hashes."""
    unique, first, inverse = np.unique(content, return_index=True, return_inverse=True)
    mixed = (unique + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0x94D049BB133111EB)
    order = np.lexsort((mixed, y[first]))
    dealt = np.empty(len(unique), np.intp)
    dealt[order] = np.arange(len(unique)) % folds
    return np.asarray(dealt[inverse])
