"""Label noise: what is found of planted flips, and what is said of clean and of hard sets.

`python -m benchmarks.label_noise [FOLDER ...]`: each FOLDER is an image tree (one folder per class) that is taken for clean.
Prints one line per set and the bars at the end; exit 1 when a bar is missed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from datalint.profile.learn.features import encode_images, encode_table
from datalint.profile.learn.noise import NoiseEstimate, estimate_noise
from datalint.profile.learn.outoffold import Refusal, out_of_fold
from datalint.profile.learn.verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from datalint.core.terms import Modality

SEEDS = range(5)
FLIPPED = 0.05
BARS = {"precision": 0.85, "recall": 0.75, "rate error": 0.015, "named on clean": 0.01}


class Problem(NamedTuple):
    """A set ready for the models."""

    name: str
    modality: Modality
    X: NDArray[np.float32]
    y: NDArray[np.intp]


class Outcome(NamedTuple):
    """What was said of it: share named, and level of the verdict ("!" = warning)."""

    level: str
    warn: bool
    named: NDArray[np.intp]
    rate: float
    note: str


def flip(y: NDArray[np.intp], share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Give a share of the samples another label, each other one alike. Returns the labels and which were changed."""
    rng = np.random.default_rng(seed)
    changed = rng.choice(len(y), round(share * len(y)), replace=False)
    classes = int(y.max()) + 1
    noisy = y.copy()
    noisy[changed] = (noisy[changed] + rng.integers(1, classes, len(changed))) % classes
    return noisy, np.isin(np.arange(len(y)), changed)


def assess(problem: Problem, y: NDArray[np.intp], seed: int = 0) -> Outcome:
    """The whole path: out-of-fold models, noise estimate, verdict."""
    predicted = out_of_fold(problem.X, y, seed=seed)
    nothing = np.zeros(0, np.intp)
    if isinstance(predicted, Refusal):
        return Outcome("refused", False, nothing, 0.0, predicted.reason)
    estimate: NoiseEstimate = estimate_noise(predicted.components, y)
    verdict: Verdict = judge(estimate, problem.modality)
    named = nothing if verdict.named is None else verdict.named.candidates
    return Outcome(verdict.level, verdict.warn, named, estimate.rate, verdict.reason)


def bundled() -> Iterator[Problem]:
    """The sets of the bars."""
    from sklearn.datasets import load_breast_cancer, load_digits, load_wine

    for load in (load_digits, load_wine, load_breast_cancer):
        X, y = load(return_X_y=True)
        yield Problem(load.__name__[5:], "table", encode_table(X, [], []), y)
    X, y = load_digits(return_X_y=True)
    yield Problem("digit pictures", "images", encode_images(pictures(X)), y)


def pictures(X: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Turn rows of 8 x 8 pixels (0..16) into 32 x 32 pictures."""
    from PIL import Image

    small = [(row.reshape(8, 8) * 15.9).astype(np.uint8) for row in X]
    return np.stack(
        [np.asarray(Image.fromarray(picture).resize((32, 32), Image.Resampling.BICUBIC)) for picture in small]
    )


def hard() -> Iterator[Problem]:
    """Clean problems that no model solves: errors without wrong labels."""
    from sklearn.datasets import load_diabetes, load_iris, make_blobs, make_circles, make_classification, make_moons

    def table(name: str, X: NDArray[np.float64], y: NDArray[np.intp]) -> Problem:
        return Problem(name, "table", encode_table(np.asarray(X, np.float64), [], []), y)

    for seed in range(4):
        for size, columns, options in (
            (8000, 20, {"n_informative": 10, "n_classes": 5}),
            (6000, 20, {"n_informative": 4, "n_classes": 4, "class_sep": 0.6}),
            (1000, 10, {"n_informative": 5, "n_classes": 3}),
            (2000, 20, {"n_informative": 6, "n_classes": 2, "weights": [0.9, 0.1]}),
            (300, 8, {"n_informative": 5, "n_classes": 2}),
            (60, 6, {"n_informative": 4, "n_classes": 2, "class_sep": 1.5}),
        ):
            X, y = make_classification(size, columns, flip_y=0, random_state=seed, **options)
            yield table(f"classification {size} x {columns}, {options['n_classes']} classes", X, y)
        yield table("blobs", *make_blobs(1500, n_features=3, centers=5, cluster_std=3.0, random_state=seed))
        yield table("moons", *make_moons(1000, noise=0.35, random_state=seed))
        yield table("circles", *make_circles(1000, noise=0.2, factor=0.5, random_state=seed))
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(1500, 6))
        yield table("xor", X, (X[:, 0] * X[:, 1] > 0).astype(np.intp))
        y = rng.integers(0, 6, 1500)
        yield table("heavy tails", _centres(rng, y), y)
        X = rng.normal(size=(2000, 8))
        chance = 1 / (1 + np.exp(-3 * X[:, 0] - 2 * X[:, 1]))
        yield table("random outcome", X, (rng.random(2000) < chance).astype(np.intp))
        yield table("no signal", rng.normal(size=(800, 10)), rng.integers(0, 3, 800))
    yield table("iris", *load_iris(return_X_y=True))
    X, target = load_diabetes(return_X_y=True)
    yield table("diabetes in halves", X, (target > np.median(target)).astype(np.intp))
    yield table("diabetes in thirds", X, np.digitize(target, np.quantile(target, [1 / 3, 2 / 3])))


def _centres(rng: np.random.Generator, y: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray((rng.normal(size=(6, 4)) * 2)[y] + rng.standard_t(3, size=(len(y), 4)))


def image_tree(root: Path) -> Problem:
    """Read an image tree as 32 x 32 thumbnails."""
    from PIL import Image

    names = sorted(p.name for p in root.iterdir() if p.is_dir())
    thumbnails, labels = [], []
    for label, name in enumerate(names):
        for file in sorted((root / name).iterdir()):
            with Image.open(file) as picture:
                thumbnails.append(np.asarray(picture.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR)))
            labels.append(label)
    return Problem(root.name, "images", encode_images(np.stack(thumbnails)), np.array(labels))


def planted(problem: Problem) -> bool:
    """Print precision, recall and rate on flipped labels and what is said of the unflipped ones. True when all bars hold."""
    rows, quiet, shares = [], True, []
    for seed in SEEDS:
        noisy, changed = flip(problem.y, FLIPPED, seed)
        found = assess(problem, noisy, seed)
        hits = int(changed[found.named].sum())
        rows.append(
            (hits / max(1, len(found.named)), hits / changed.sum(), abs(found.rate - changed.mean()), found.warn)
        )
        clean = assess(problem, problem.y, seed)
        quiet &= not clean.warn
        shares.append(len(clean.named) / len(problem.y))
    precision, recall, error, warned = np.mean(rows, axis=0)
    good = (
        precision >= BARS["precision"]
        and recall >= BARS["recall"]
        and error <= BARS["rate error"]
        and quiet
        and max(shares) <= BARS["named on clean"]
    )
    print(
        f"{problem.name:16} n={len(problem.y):<6} precision {precision:.3f}  recall {recall:.3f}  rate off by {error:.4f}  "
        f"warned {warned:.0%} | clean: warned {'no' if quiet else 'YES'}, named {max(shares):.2%} {'' if good else '  MISSED'}"
    )
    return bool(good)


def silent(problem: Problem) -> bool:
    """Print what is said of a clean set. True when there is no warning."""
    found = assess(problem, problem.y)
    loud = found.warn or len(found.named)
    if loud or problem.modality == "images":
        print(f"{problem.name}: {found.level}{'!' if found.warn else ''}, named {len(found.named)}; {found.note}")
    return not found.warn


def main(folders: list[str]) -> int:
    """Run everything; the exit code says whether all bars hold."""
    started = time.process_time()
    print(f"{FLIPPED:.0%} of the labels flipped, mean of {len(SEEDS)} seeds; bars: {BARS}")
    planted_results = [planted(problem) for problem in bundled()]
    print("\nclean sets on which something is said:")
    results = [silent(problem) for problem in hard()] + [silent(image_tree(Path(folder))) for folder in folders]
    print(f"{len(results)} hard or clean sets, {results.count(False)} with a warning")
    print(f"{time.process_time() - started:.0f} CPU s")
    return 0 if all(planted_results) and all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
