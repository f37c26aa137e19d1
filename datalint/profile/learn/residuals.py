"""Numbers to be predicted, and by how much each misses what models say that never saw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.profile.learn.kernels import rbf_features
from datalint.profile.learn.sampled import folds_of
from datalint.profile.learn.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5
LANDMARKS = 500
"""Centres of the kernel model."""
LEAF = 3
"""Targets that a leaf averages: a single wrong one must not be what is predicted around it."""
BINS = 10
"""Ranges of predictions that have a spread of their own: large values scatter more."""
DOUBTFUL = 5.0
"""Robust standard deviations from which a target is not learnt from the second time."""
NORMAL = 1.4826
"""Standard deviation of a normal distribution in median absolute deviations."""


@dataclass(frozen=True)
class Residuals:
    """What two models say of each target, out of fold; arrays have one entry per sample."""

    predicted: NDArray[np.float64]
    """By the model that comes nearer to the target."""
    deviations: NDArray[np.float64]
    """How far the target lies from it, in robust standard deviations of such predictions; 0 where the models lie on both sides."""
    spread: float
    """Robust standard deviation of what the better model leaves, as a share of that of the targets."""


@one_thread()
def residuals(X: NDArray[np.float32], y: NDArray[np.float64]) -> Residuals | None:
    """Predict each target by models trained without it; None where the targets or features do not vary.

    Extra trees and a ridge regression on a Nystroem approximation of the RBF kernel: they err in different ways, so that a
    target that both miss by far on the same side is far from what the features say.
    """
    spread = _spread(y - np.median(y))
    if X.shape[1] == 0 or spread == 0:
        return None
    scaled = (y - np.median(y)) / spread
    # What is far out moves a straight model; the order of such targets is kept.
    bent = np.arcsinh(scaled / 3) * 3
    fold, at = folds_of(len(y), FOLDS), np.arange(len(y))
    kept = np.ones(len(y), np.bool_)
    # A second time without the doubtful ones: whatever is predicted near a target that is far off is drawn towards it.
    for _ in range(2):
        views = np.stack([np.sinh(model(X, bent, fold, kept) / 3) * 3 for model in (_trees, _ridge)])
        gaps = scaled - views
        scales = np.stack([_local_scale(view, gap) for view, gap in zip(views, gaps, strict=True)])
        ratios = gaps / scales
        nearer = np.abs(ratios).argmin(axis=0)
        agreed = np.sign(gaps[0]) == np.sign(gaps[1])
        deviations = np.where(agreed, ratios[nearer, at], 0.0)
        kept = np.abs(deviations) < DOUBTFUL
    return Residuals(views[nearer, at] * spread + float(np.median(y)), deviations, min(map(_spread, gaps)))


def _spread(values: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(values - np.median(values)))) * NORMAL


def _local_scale(predicted: NDArray[np.float64], gaps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The robust spread of what is left of samples with like predictions; at least half of that of all."""
    whole = max(_spread(gaps), 1e-12)
    bins = np.minimum(np.argsort(np.argsort(predicted, kind="stable"), kind="stable") * BINS // len(gaps), BINS - 1)
    own = np.array([_spread(gaps[bins == k]) for k in range(BINS)])
    return np.asarray(np.maximum(own[bins], whole / 2))


def _trees(
    X: NDArray[np.float32], y: NDArray[np.float64], fold: NDArray[np.int64], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    from sklearn.ensemble import ExtraTreesRegressor

    predicted = np.zeros(len(y))
    for k in range(FOLDS):
        train = (fold != k) & kept
        model = ExtraTreesRegressor(60, min_samples_leaf=LEAF, max_features=0.5, random_state=0)
        predicted[fold == k] = model.fit(X[train], y[train]).predict(X[fold == k])
    return predicted


def _ridge(
    X: NDArray[np.float32], y: NDArray[np.float64], fold: NDArray[np.int64], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    chosen = np.sort(np.random.default_rng(0).permutation(len(X))[:LANDMARKS])
    features = np.concatenate([rbf_features(X, X[chosen], 1e-6), X], axis=1).astype(np.float64)
    predicted = np.zeros(len(y))
    for k in range(FOLDS):
        train = (fold != k) & kept
        inside, mean = features[train], float(y[train].mean())
        system = inside.T @ inside
        system[np.diag_indices_from(system)] += 1.0
        predicted[fold == k] = features[fold == k] @ np.linalg.solve(system, inside.T @ (y[train] - mean)) + mean
    return predicted
