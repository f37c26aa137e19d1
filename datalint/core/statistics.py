"""Tests and effect sizes for comparing groups of samples: counts of classes, distributions of numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def chi_square(counts: NDArray[np.int64], least: float = 5.0, effect: float = 1.0) -> tuple[float, float]:
    """Whether groups (rows) have the same shares of classes (columns).

    The rarest classes are pooled until every cell expects ``least`` samples (Cochran 1954), so that the p-value holds. It
    is that of Pearson's statistic or of the likelihood ratio's, whichever is larger: where few samples are expected,
    Pearson's exaggerates small p-values by orders of magnitude, while those of the likelihood ratio are right in the tail.

    Args:
        counts: [groups, classes].
        least: samples that a cell must expect.
        effect: of the design (:func:`design_effect`), by which the counts are divided (Rao and Scott 1981, first order).

    Returns:
        The p-value and Cramér's V; 1 and 0 where nothing can be compared.
    """
    table = np.asarray(counts, np.float64) / effect
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    if table.shape[0] < 2 or table.shape[1] < 2:
        return 1.0, 0.0
    total = table.sum()
    small = table.sum(1).min() / total
    table = table[:, np.argsort(table.sum(0), kind="stable")]
    expected = table.sum(0) * small
    rare = int((expected < least).sum())
    if rare:
        while rare < table.shape[1] and expected[:rare].sum() < least:
            rare += 1
        table = np.column_stack([table[:, :rare].sum(1), table[:, rare:]])
    if table.shape[1] < 2:
        return 1.0, 0.0
    wanted = np.outer(table.sum(1), table.sum(0)) / total
    statistic = float(((table - wanted) ** 2 / wanted).sum())
    ratio = 2 * float((table * np.log(np.where(table > 0, table, wanted) / wanted)).sum())
    free = (table.shape[0] - 1) * (table.shape[1] - 1)
    cramer = math.sqrt(statistic / total / min(table.shape[0] - 1, table.shape[1] - 1))
    return chi_square_tail(min(statistic, ratio), free), min(cramer, 1.0)


def chi_square_tail(statistic: float, free: int) -> float:
    """Probability of a larger value of a chi-squared variable.

    In closed form (Abramowitz and Stegun 26.4.4 and 26.4.5): SciPy takes longer to load than everything else here.
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    # Terms of the series, as logarithms: exp(-half) alone would underflow where the sum does not.
    start = 0.0 if free % 2 == 0 else 0.5
    logs = [k * math.log(half) - half - math.lgamma(k + 1) for k in np.arange(start, free / 2)]
    tail = math.erfc(math.sqrt(half)) if free % 2 else 0.0
    return min(1.0, tail + sum(math.exp(value) for value in logs))


def design_effect(values: NDArray[np.float64], units: NDArray[np.int64], second: NDArray[np.bool_]) -> float:
    """How many rows it takes to tell as much as one that was drawn by itself, where whole units were drawn (Kish 1965).

    1 + (m - 1) r for units of m rows whose correlation within a unit is r (by analysis of variance, within the groups).

    Args:
        values: [rows] or [rows, columns], of which each column is scaled to its own spread.
        units: [rows] the unit of each row, -1 for a row that is one by itself.
        second: [rows] which of two groups a row is in; the difference between the groups is no correlation.

    Returns:
        At least 1.
    """
    X = np.asarray(values, np.float64).reshape(len(units), -1)
    codes = units.copy()
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    codes = np.unique(codes, return_inverse=True)[1]
    n, sizes = len(codes), np.bincount(codes)
    if len(sizes) < 4 or len(sizes) == n:
        return 1.0
    X = X.copy()
    for group in (second, ~second):
        if group.any():
            X[group] -= X[group].mean(0)
    spread = np.sqrt((X**2).sum(0))
    X = X[:, spread > 0] / spread[spread > 0]
    if X.shape[1] == 0:
        return 1.0
    sums = np.stack([np.bincount(codes, column) for column in X.T])
    between = float((sums**2 / sizes).sum())
    within = float((X**2).sum()) - between
    mean_between, mean_within = between / (len(sizes) - 2), within / (n - len(sizes))
    rows = float((sizes**2).sum()) / n
    usual = (n - rows) / (len(sizes) - 1)
    both = mean_between + (usual - 1) * mean_within
    alike = min(1.0, max(0.0, (mean_between - mean_within) / both)) if both > 0 else 0.0
    return 1 + (rows - 1) * alike


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank of each value, from 0; equal ones share the middle of theirs."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") - 1) / 2


def kolmogorov_smirnov(a: NDArray[np.float64], b: NDArray[np.float64], effect: float = 1.0) -> tuple[float, float]:
    """The two-sample test.

    Args:
        a: the one sample.
        b: the other.
        effect: of the design (:func:`design_effect`): the p-value is that of samples smaller by it.

    Returns:
        The largest gap between the two cumulative shares and its p-value (Stephens 1970), too large where values repeat.
    """
    if len(a) == 0 or len(b) == 0:
        return 0.0, 1.0
    a, b = np.sort(a), np.sort(b)
    both = np.concatenate([a, b])
    gap = np.searchsorted(a, both, "right") / len(a) - np.searchsorted(b, both, "right") / len(b)
    largest = float(np.abs(gap).max())
    root = math.sqrt(len(a) * len(b) / (len(a) + len(b)) / effect)
    reach = (root + 0.12 + 0.11 / root) * largest
    if reach < 0.3:
        return largest, 1.0
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * (k * reach) ** 2) for k in range(1, 40))
    return largest, min(1.0, max(0.0, sum(terms)))


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Chance that a positive sample scores above a negative one; equal scores count half."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(ordered)]])
    middle = (starts[:-1] + starts[1:] + 1) / 2
    ranks = np.repeat(middle, np.diff(starts))
    ones = int(positive.sum())
    zeros = len(positive) - ones
    if ones == 0 or zeros == 0:
        return 0.5
    return float((ranks[positive[order]].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def auc_error(ones: int, zeros: int) -> float:
    """Standard error of the AUC where scores say nothing (Mann and Whitney 1947)."""
    return math.sqrt((ones + zeros + 1) / (12 * ones * zeros)) if ones and zeros else 1.0


def log_chance_absent(count: int, whole: int, drawn: int) -> float:
    """Log-probability that none of ``count`` samples among ``whole`` is among ``drawn`` ones taken at random."""
    if count > whole - drawn:
        return -math.inf
    return (
        math.lgamma(whole - count + 1)
        - math.lgamma(whole - count - drawn + 1)
        - math.lgamma(whole + 1)
        + math.lgamma(whole - drawn + 1)
    )
