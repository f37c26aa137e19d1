"""How well each column predicts the label by itself, and how well all the others do together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.author import (
    Profile,
    SampledRows,
    SplitProfile,
    bins_of,
    codes_of,
    features_of,
    folds_of,
    lookup_accuracy,
    midranks,
    one_thread,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

LEAST_KEYS = 100
"""Rows that are like no other below which a key is not judged."""


@dataclass(frozen=True)
class Column:
    """One column and what it says about the label."""

    name: str
    score: float
    """1 where it takes away every error of guessing the largest class (or all variance); 0 where it says nothing."""
    copy: bool = False
    """Whether its values stand in one-to-one relation to the classes."""
    codes: bool = False
    """Whether it has one value for each of three classes or more, with few exceptions."""
    id: bool = False


def class_columns(
    profile: Profile, split: SplitProfile, picked: NDArray[np.int64], y: NDArray[np.int64], cut: float
) -> Iterator[Column]:
    """How each column does alone where the label is a class; columns near the cut are tried with finer thresholds."""
    classes = int(y.max()) + 1
    shares = np.bincount(y) / len(y)
    guess = float(shares.max())
    rows = split.rows

    def score(bins: NDArray[np.int64]) -> float:
        return (lookup_accuracy(bins, y, classes) - guess) / (1 - guess)

    single = _single(rows, picked)

    def score_of_key(bins: NDArray[np.int64]) -> float:
        return _score_of_key(bins[single], y[single], classes)

    place: float | None = None
    for field in profile.dataset.fields:
        key = field.role in {"id", "index"}
        if field.role not in {"feature", "group", "id", "index"}:
            continue
        if field.kind == "number" and field.name in rows.at:
            values = rows.column(field.name)[picked]
            bins = bins_of(values)
            value = score_of_key(bins_of(np.where(single, values, np.nan))) if key else score(bins)
            if not key and 0.9 <= value < cut and len(np.unique(values)) > 64:
                value = max(value, (_tree_accuracy(values, y) - guess) / (1 - guess))
        elif field.kind == "text" and field.name in rows.texts:
            bins = _text_bins(rows.texts[field.name][picked], key)
            if int(bins.max()) * classes > 1_000_000 or (not key and int(bins.max()) > len(y) / 3):
                continue
            value = score_of_key(bins) if key else score(bins)
        else:
            continue
        if key and value > 0.3:
            # In a file sorted by label every counter predicts it; that is a matter of the order.
            place = score_of_key(bins_of(np.arange(len(y), dtype=np.float64))) if place is None else place
            value = 0.0 if place > value - 0.3 else value
        copy = not key and _one_to_one(bins, y, classes)
        yield Column(
            field.name, value, copy, not key and classes > 2 and value >= cut and _coded(bins, y, classes), key
        )


def _single(rows: SampledRows, picked: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are like no other: of rows that differ in their keys alone the sample knows one key, and all their labels."""
    _, which, copies = np.unique(rows.places.content[picked], return_inverse=True, return_counts=True)
    return np.asarray(copies[which] == 1)


def _score_of_key(bins: NDArray[np.int64], y: NDArray[np.int64], classes: int) -> float:
    guess = float(np.bincount(y, minlength=classes).max() / max(1, len(y)))
    if len(y) < LEAST_KEYS or guess == 1:
        return 0.0
    return float((lookup_accuracy(bins, y, classes) - guess) / (1 - guess))


def _text_bins(texts: NDArray[np.object_], key: bool) -> NDArray[np.int64]:
    """Codes of texts, 0 where missing; of keys without their numbers."""
    if key:
        texts = np.array([None if t is None else re.sub(r"\d+", "#", str(t)) for t in texts], dtype=object)
    return codes_of(texts)[0] + 1


def _one_to_one(bins: NDArray[np.int64], y: NDArray[np.int64], classes: int) -> bool:
    pairs = np.unique(bins * classes + y)
    return len(pairs) == classes == len(np.unique(bins))


def _coded(bins: NDArray[np.int64], y: NDArray[np.int64], classes: int) -> bool:
    """Whether there is one value for each class, and each value mostly has a class of its own."""
    values, codes = np.unique(bins, return_inverse=True)
    if len(values) != classes:
        return False
    table = np.bincount(codes * classes + y, minlength=classes * classes).reshape(classes, classes)
    return len(np.unique(table.argmax(axis=1))) == classes


def _tree_accuracy(values: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """Accuracy out of fold of thresholds on one column, finer than bins are."""
    from sklearn.tree import DecisionTreeClassifier

    fold = folds_of(len(y), 5)
    filled = np.clip(np.nan_to_num(values, nan=-1e30), -1e30, 1e30)
    ranks = np.unique(filled, return_inverse=True)[1].astype(np.float32)[:, None]
    hits = 0
    for f in range(5):
        model = DecisionTreeClassifier(min_samples_leaf=3, random_state=0).fit(ranks[fold != f], y[fold != f])
        hits += int((model.predict(ranks[fold == f]) == y[fold == f]).sum())
    return hits / len(y)


def numeric_columns(
    profile: Profile, split: SplitProfile, picked: NDArray[np.int64], y: NDArray[np.float64]
) -> Iterator[Column]:
    """How each number follows the rank of a numeric label."""
    rows = split.rows
    for name in profile.feature_names:
        if name not in rows.at:
            continue
        values = rows.column(name)[picked]
        known = np.isfinite(values)
        if known.sum() < max(50, 0.5 * len(y)) or len(np.unique(values[known])) < 10:
            yield Column(name, 0.0)
            continue
        with np.errstate(all="ignore"):
            r = np.corrcoef(midranks(values[known]), midranks(y[known]))[0, 1]
        # The column decides the label up to the noise that its ranks show.
        yield Column(name, float(r * r) if np.isfinite(r) else 0.0)


@one_thread()
def others(
    profile: Profile,
    split: SplitProfile,
    picked: NDArray[np.int64],
    y: NDArray[np.generic],
    without: set[str],
    numeric: bool,
) -> float:
    """What all the other columns reach together: the same score, out of fold."""
    step = max(1, len(picked) // 2000)
    rows, target = picked[::step], y[::step]
    if numeric:  # by ranks, as the columns were judged; and squares of huge numbers overflow
        target = np.unique(target, return_inverse=True)[1].astype(np.float64)
    X = features_of(profile.dataset, profile.feature_names, [(split, rows)], without)
    if X.shape[1] == 0:
        return 0.0
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.linear_model import Ridge

    fold = folds_of(len(rows), 3)
    makers: list[Callable[[], Any]] = (
        [lambda: ExtraTreesRegressor(30, min_samples_leaf=2, random_state=0), lambda: Ridge(1.0)]
        if numeric
        else [lambda: ExtraTreesClassifier(50, random_state=0)]
    )
    best = 0.0
    for make in makers:
        said = np.empty(len(rows), target.dtype)
        for f in range(3):
            said[fold == f] = make().fit(X[fold != f], target[fold != f]).predict(X[fold == f])
        if numeric:
            values = target.astype(np.float64)
            score = 1 - float(((said - values) ** 2).mean() / max(values.var(), 1e-300))
        else:
            guess = float(np.unique(target, return_counts=True)[1].max() / len(target))
            score = (float((said == target).mean()) - guess) / max(1 - guess, 1e-9)
        best = max(best, score)
    return best
