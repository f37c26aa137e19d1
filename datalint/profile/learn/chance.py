"""Do inputs say anything about a label? A permutation test in which the models are refitted to every shuffled label.

Predictions that were made for the true label and are scored against shuffled ones spread too little: the folds share training
samples, so that out-of-fold errors hang together, and by luck a model does half as well again as such a test allows. Fitting
anew is the right test (Ojala and Garriga 2010), and with closed-form models, which share their factorisation over all
shuffles, it costs little more than one fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.statistics import midranks
from datalint.profile.learn.kernels import rbf_features
from datalint.profile.learn.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Score = Callable[[NDArray[np.float32]], NDArray[np.float64]]
    """Targets [samples, targets, labellings] to scores [labellings], larger where the inputs say more."""

REFITS = (49, 199)
"""Shuffled labels in the first round, and in all; enough for a level of 1 %, at which one of 199 may score as high."""
BEYOND_DOUBT = 8.0
"""Deviations from which no more shuffles are needed (one case in 1e15, were the scores normal; luck's longest tails give 1e-6)."""
FOLDS = 5
NEEDED = 2.65 * 2**0.5 + 1.64
"""Standard errors of a score that the test sees in 95 of 100 cases. Scores of models refitted to shuffled labels spread 1.4
times as wide as with fixed predictions, whatever the data (1.32 to 1.46 with 3 to 100 columns, 400 to 3,000 samples), and the
highest of three lies 2.65 such spreads out in one case of 100."""
KERNEL_ROWS = 5_000
"""Samples that the kernel model sees; its cost grows with them, and what says anything about the label shows among so many."""
LANDMARKS = 400
"""Centres of the kernel model, and widest input of the linear one."""
SIGNALS = (0.05, 0.5)
"""Share of the label's variance that the linear and the kernel model expect to explain, which sets their penalties. Weak signals
show in straight lines first, and what is left for the kernel is curved, of which a strong penalty would see little."""
MOST_TARGETS = 16
"""Many classes are drawn together at random into so many targets."""
RARE = 10
"""Rows of a category that stands by itself."""
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Relation:
    """How well inputs predict a label, compared with shuffled labels."""

    p_value: float
    """Share of the labellings, the true one among them, that score as high; an upper bound where there is no doubt."""
    z: float
    """Standard deviations of the highest score above that of shuffled labels."""
    shuffles: int
    """Shuffled labels to which the models were fitted; 0 where single columns left no doubt."""
    column: int | None = None
    """The column that says most, where single columns left no doubt."""


def class_targets(y: NDArray[np.integer]) -> NDArray[np.float32]:
    """Classes (n,) as orthonormal columns (n, k) of zero mean, k at most one less than there are classes."""
    classes, codes = np.unique(y, return_inverse=True)
    size = np.bincount(codes).astype(np.float64)
    # Each class by itself weighs the same, however rare.
    table = np.diag(1 / np.sqrt(size))
    if len(classes) > MOST_TARGETS:
        signs = np.random.default_rng(0).integers(0, 2, (len(classes), MOST_TARGETS)) * 2.0 - 1.0
        table = table @ signs
    return _orthonormal(table[codes])


def number_targets(y: NDArray[np.floating]) -> NDArray[np.float32]:
    """Finite numbers (n,) as one column (n, 1): their ranks, of zero mean and unit norm; none where all are equal."""
    return _orthonormal(midranks(np.asarray(y, np.float64))[:, None])


def number_design(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """A column of numbers (n,) for :func:`relation`: its ranks, gaps last."""
    return _orthonormal(midranks(values)[:, None])


def category_design(codes: NDArray[np.integer]) -> NDArray[np.float32]:
    """A column of categories (n,), -1 where missing, for :func:`relation`; rare ones are taken together."""
    inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)[1:]
    slots = np.where(counts >= RARE, np.cumsum(counts >= RARE), 0)[inverse]
    inverse, counts = np.unique(slots, return_inverse=True, return_counts=True)[1:]
    design = np.zeros((len(codes), len(counts) if len(counts) > 1 else 0), np.float32)
    if design.shape[1]:
        design[np.arange(len(codes)), inverse] = 1 / np.sqrt(counts[inverse])
    return design


def _orthonormal(columns: NDArray[np.float64]) -> NDArray[np.float32]:
    centred = columns - columns.mean(axis=0)
    vectors, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(vectors[:, sizes > 1e-6 * max(float(np.linalg.norm(columns)), 1e-12)], np.float32)


def relation(
    X: NDArray[np.float32],
    targets: NDArray[np.float32],
    designs: Iterable[NDArray[np.float32]],
    contents: NDArray[np.uint64],
    blocks: NDArray[np.integer],
) -> Relation:
    """Compare what the inputs say about a label with what they say about it shuffled.

    Three scores: of the columns by themselves, of a linear model and of an RBF kernel model, both ridge regression out of
    fold. Each is measured in deviations over all labellings, and the highest decides, so that there is one test and not three.
    It stops after the first round where a tenth of the shuffled labels score as high (Besag and Clifford 1991), or where none
    comes near.

    Args:
        X: (n, d), finite, of about unit spread.
        targets: (n, k) from :func:`class_targets` or :func:`number_targets`.
        designs: one (n, l) per column from :func:`number_design` or :func:`category_design`.
        contents: (n,) hash per input: equal ones share a fold, and nothing depends on the order of the samples.
        blocks: (n,) labels are shuffled among the samples of equal numbers, such as those of a split.
    """
    order = np.argsort(contents, kind="stable")
    parts = [np.asarray(design[order]) for design in designs if design.shape[1]]
    targets, contents, blocks = targets[order], contents[order], np.asarray(blocks)[order]
    scores: list[Score] = []
    if parts and targets.shape[1]:
        columns = _Columns(parts)
        known = columns.deviations(targets[:, :, None])[:, 0]
        if known.max() >= BEYOND_DOUBT:
            return Relation(0.0, float(known.max()), 0, column=int(known.argmax()))
        scores.append(lambda labels: columns.deviations(labels).max(axis=0))
    if X.shape[1] and targets.shape[1]:
        scores += _models(np.ascontiguousarray(X[order], np.float32), contents)
    if not scores:
        return Relation(1.0, 0.0, 0)
    with one_thread():
        return _compared(scores, targets, blocks)


def _compared(scores: Sequence[Score], targets: NDArray[np.float32], blocks: NDArray[np.integer]) -> Relation:
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    found = _scored(scores, targets[:, :, None])
    step = max(1, _BLOCK // targets.size)
    for wanted in REFITS:
        while found.shape[1] <= wanted:
            dealt = np.empty((min(step, wanted + 1 - found.shape[1]), *targets.shape), np.float32)
            for labels in dealt:
                for rows in members:
                    labels[rows] = targets[rng.permutation(rows)]
            found = np.concatenate([found, _scored(scores, np.moveaxis(dealt, 0, 2))], axis=1)
        shuffled = found[:, 1:]
        spread = np.maximum(shuffled.std(axis=1, keepdims=True), 1e-12)
        z = float(((found[:, :1] - shuffled.mean(axis=1, keepdims=True)) / spread).max())
        # The true labelling is one of all, so that under the null each is as likely to be the highest.
        pooled = np.maximum(found.std(axis=1, keepdims=True), 1e-12)
        highest = ((found - found.mean(axis=1, keepdims=True)) / pooled).max(axis=0)
        above = int((highest[1:] >= highest[0]).sum())
        if z >= BEYOND_DOUBT and not above:
            return Relation(1 / (1 + REFITS[-1]), z, wanted)
        if above >= 0.1 * wanted:
            break
    return Relation((1 + above) / found.shape[1], z, found.shape[1] - 1)


def _scored(scores: Sequence[Score], labels: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.stack([score(labels) for score in scores])


class _Columns:
    """Single columns: by their chi-squared distributions, as deviations of a normal variable (Wilson and Hilferty 1931)."""

    def __init__(self, designs: list[NDArray[np.float32]]) -> None:
        self.design = np.concatenate(designs, axis=1)
        width = np.array([design.shape[1] for design in designs])
        self.start = np.cumsum(width) - width
        self.free = np.maximum(width - 1, 1)

    def deviations(self, labels: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of targets (n, k, b), per column and labelling. One target: Kruskal and Wallis's or Spearman's; else chi-squared."""
        n, k, b = labels.shape
        seen = (self.design.T @ labels.reshape(n, k * b)).reshape(-1, k, b).astype(np.float64)
        statistic = (n - 1) * np.add.reduceat((seen**2).sum(axis=1), self.start, axis=0)
        free = (self.free * k)[:, None]
        spread = 2 / (9 * free)
        return np.asarray(((statistic / free) ** (1 / 3) - 1 + spread) / np.sqrt(spread))


def _models(X: NDArray[np.float32], contents: NDArray[np.uint64]) -> list[Score]:
    n = len(X)
    unique, inverse = np.unique(contents, return_inverse=True)
    rng = np.random.default_rng(0)
    fold = (rng.permutation(len(unique)) % FOLDS)[inverse]
    linear = X - X.mean(axis=0)
    if X.shape[1] > LANDMARKS:  # distances survive a random projection (Johnson and Lindenstrauss 1984)
        linear = linear @ (rng.normal(size=(X.shape[1], LANDMARKS)) / LANDMARKS**0.5).astype(np.float32)
    few = np.sort(rng.permutation(n)[:KERNEL_ROWS])
    kernel = _kernel_features(X[few], rng)
    whole = _Ridge(linear, fold, SIGNALS[0])
    part = _Ridge(kernel, fold[few], SIGNALS[1])
    return [whole.score, lambda labels: part.score(labels[few])]


def _kernel_features(X: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Features of an RBF kernel, of zero mean."""
    centres = X[np.sort(rng.permutation(len(X))[:LANDMARKS])]
    features = rbf_features(X, centres, 1e-5)
    return np.asarray(features - features.mean(axis=0), np.float32)


class _Ridge:
    """Ridge regression out of fold, factorised once for any number of labels."""

    def __init__(self, features: NDArray[np.float32], fold: NDArray[np.integer], signal: float) -> None:
        self.members = [np.flatnonzero(fold == f) for f in range(FOLDS)]
        self.members = [rows for rows in self.members if len(rows)]
        self.features = [np.ascontiguousarray(features[rows]) for rows in self.members]
        grams = [(part.T @ part).astype(np.float64) for part in self.features]
        gram = np.sum(grams, axis=0)
        # The weights that a signal of this strength would have are its penalty (ridge as Bayes' rule).
        penalty = max(float(np.trace(gram)) / max(1, len(features)), 1e-9) / signal
        eye = penalty * np.eye(len(gram))
        self.inverses = [np.linalg.inv(gram - own + eye).astype(np.float32) for own in grams]

    def score(self, labels: NDArray[np.float32]) -> NDArray[np.float64]:
        """Correlation of predictions with targets (n, k, b), all targets together, per labelling."""
        k, b = labels.shape[1:]
        flat = [labels[rows].reshape(len(rows), k * b) for rows in self.members]
        sides = [part.T @ own for part, own in zip(self.features, flat, strict=True)]
        side = np.sum(sides, axis=0)
        hits, size = np.zeros(b), np.zeros(b)
        for part, own, own_side, inverse in zip(self.features, flat, sides, self.inverses, strict=True):
            said = part @ (inverse @ (side - own_side))
            hits += (said * own).astype(np.float64).sum(axis=0).reshape(k, b).sum(axis=0)
            size += (said.astype(np.float64) ** 2).sum(axis=0).reshape(k, b).sum(axis=0)
        return np.asarray(hits / np.maximum(np.sqrt(size), 1e-12))
