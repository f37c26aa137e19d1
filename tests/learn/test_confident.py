"""What is asked of cleanlab, whoever answers: the method as it was published, on data."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

import datalint
from datalint.profile.learn.confident import label_issues, self_confidence

if TYPE_CHECKING:
    from numpy.typing import NDArray


def published(labels: NDArray[np.intp], probs: NDArray[np.float64]) -> NDArray[np.intp]:
    """The samples whose class among those that reach their threshold is another than the given one.

    The threshold of a class is the mean probability of it among the samples that are given it.
    """
    thresholds = np.array([probs[labels == k, k].mean() for k in range(probs.shape[1])])
    reached = probs >= thresholds - 1e-6
    guess = np.where(reached.sum(axis=1) > 1, probs.argmax(axis=1), reached.argmax(axis=1))
    return np.flatnonzero(reached.any(axis=1) & (guess != labels) & (probs.argmax(axis=1) != labels))


def drawn(seed: int, classes: int, samples: int, sharp: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), rng.integers(0, classes, samples)])
    logits = rng.normal(size=(len(truth), classes)) + sharp * np.eye(classes)[truth]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.where(rng.random(len(truth)) < 0.2, rng.integers(0, classes, len(truth)), truth)
    labels[:classes] = np.arange(classes)  # each class occurs
    return labels.astype(np.intp), probs


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.integers(2, 7), st.integers(0, 200), st.sampled_from([0.0, 1.0, 4.0]))
def test_the_method_as_published(seed: int, classes: int, samples: int, sharp: float) -> None:
    labels, probs = drawn(seed, classes, samples, sharp)
    np.testing.assert_array_equal(label_issues(labels, probs), published(labels, probs))
    np.testing.assert_allclose(self_confidence(labels, probs), probs[np.arange(len(labels)), labels], rtol=1e-12)


def test_what_cleanlab_says_of_digits() -> None:
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(len(y)) < 0.05, rng.integers(0, 10, len(y)), y).astype(np.intp)
    half = np.arange(len(y)) % 2 == 0
    probs = np.empty((len(y), 10))
    for part in (half, ~half):
        probs[part] = KNeighborsClassifier(15).fit(X[~part], labels[~part]).predict_proba(X[part])
    found = label_issues(labels, probs)
    theirs = find_label_issues(labels, probs, filter_by="confident_learning", n_jobs=1)
    np.testing.assert_array_equal(found, np.flatnonzero(theirs))
    theirs = get_label_quality_scores(labels, probs, method="self_confidence")
    np.testing.assert_array_equal(self_confidence(labels, probs), theirs)
    wrong = labels != y
    assert (
        wrong[found].mean() > 0.5 and wrong[found].sum() > 0.5 * wrong.sum()
    )  # most of those named, most of the wrong


def test_one_module_calls_cleanlab() -> None:
    callers = set()
    package = Path(datalint.__file__).parent
    for path in [*package.rglob("*.py"), *(package.parent / "rules").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(name.split(".")[0] == "cleanlab" for name in names):
                callers.add(path.name)
    assert callers == {"confident.py"}
