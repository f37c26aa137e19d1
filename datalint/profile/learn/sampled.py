"""Fewer of the sampled rows, and features of chosen columns, for the small models of single rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from datalint.profile.learn import pooled

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset
    from datalint.profile.splits import SampledRows, SplitProfile

ROWS = 5_000
"""Rows that a rule's own model sees at most."""


def labelled_rows(rows: SampledRows, numeric: bool, most: int = ROWS) -> NDArray[np.int64]:
    """Readable rows with a label, in stored order; a random part of them where there are too many."""
    known = np.isfinite(rows.target) if numeric else np.array([label is not None for label in rows.label], np.bool_)
    return fewer(rows, np.flatnonzero(known & rows.readable), most)


def fewer(rows: SampledRows, picked: NDArray[np.int64], most: int = ROWS) -> NDArray[np.int64]:
    """At most so many of the rows, in stored order; which ones depends on where they lie alone."""
    if len(picked) <= most:
        return picked
    return np.sort(picked[np.argsort(rows.places.priority[picked], kind="stable")[:most]])


def features_of(
    dataset: Dataset,
    names: Sequence[str],
    picked: Sequence[tuple[SplitProfile, NDArray[np.int64]]],
    without: Collection[str] = (),
) -> NDArray[np.float32]:
    """Encode some rows of some splits, as the shared model sees them, but without some columns."""
    left = replace(dataset, fields=tuple(field for field in dataset.fields if field.name not in without))
    kept = [name for name in names if name not in without]
    return pooled._encode(left, kept, list(picked), sum(len(rows) for _, rows in picked))


def bins_of(values: NDArray[np.float64], most: int = 64) -> NDArray[np.int64]:
    """Numbers as bins of about equal size; a bin per value where there are few; missing ones have their own, the last."""
    known = np.isfinite(values)
    bins = np.full(len(values), most, np.int64)
    if not known.any():
        return bins
    distinct, inverse = np.unique(values[known], return_inverse=True)
    if len(distinct) <= most:
        bins[known] = inverse
        return bins
    counts = np.bincount(inverse)
    start = np.cumsum(counts) - counts
    bins[known] = np.minimum(start * most // max(1, int(counts.sum())), most - 1)[inverse]
    return bins


def folds_of(count: int, folds: int) -> NDArray[np.int64]:
    """A fold per row at random, the same for every run."""
    return np.random.default_rng(0).permutation(np.arange(count) % folds)


def lookup_accuracy(bins: NDArray[np.int64], y: NDArray[np.int64], classes: int, folds: int = 5) -> float:
    """Accuracy of naming the most common class of the bin, each row judged by the other folds."""
    if len(y) == 0:
        return 0.0
    width = int(bins.max()) + 1
    fold = folds_of(len(y), folds)
    flat = np.bincount((bins * classes + y) * folds + fold, minlength=width * classes * folds)
    counts = flat.reshape(width, classes, folds)
    known = counts.sum(2, keepdims=True) - counts
    usual = int(counts.sum((0, 2)).argmax())
    named = known.argmax(1)
    named = np.where(known.max(1) > 0, named, usual)
    hits = np.take_along_axis(counts, named[:, None, :], 1)
    return float(hits.sum() / len(y))
