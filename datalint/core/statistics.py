"""Tails of distributions, and tests and effect sizes that compare groups of samples."""

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
    """Probability of a larger value of a chi-squared variable."""
    return math.exp(log_chi_square_tail(statistic, free))


def log_chi_square_tail(statistic: float, free: int) -> float:
    """Natural logarithm of the same, which does not underflow.

    In closed form (Abramowitz and Stegun 26.4.4 and 26.4.5): SciPy takes longer to load than everything else here.
    """
    half = statistic / 2
    if half <= 0 or free < 1:
        return 0.0
    steps: list[float] = np.arange(free % 2 / 2, free / 2).tolist()
    logs = [k * math.log(half) - half - math.lgamma(k + 1) for k in steps]
    if free % 2:
        # The normal tail, or what it comes to where it underflows.
        logs.append(math.log(math.erfc(math.sqrt(half))) if half < 700 else -half - math.log(math.pi * half) / 2)
    top = max(logs)
    return min(0.0, top + math.log(sum(math.exp(value - top) for value in logs)))


def design_effect(values: NDArray[np.float64], units: NDArray[np.int64], second: NDArray[np.bool_]) -> float:
    """How many rows carry as much information as one independent draw, where whole units were drawn (Kish 1965).

    1 + (m - 1) r for units of m rows whose correlation within a unit is r (by analysis of variance, within the groups).

    Args:
        values: [rows] or [rows, columns], of which each column is scaled to its own spread.
        units: [rows] the unit of each row, -1 for a row that is one by itself.
        second: [rows] which of two groups a row is in; the difference between the groups is no correlation.

    Returns:
        At least 1.
    """
    X = np.asarray(values, np.float64).reshape(len(units), -1)
    codes = _whole(units)
    n, sizes = len(codes), np.bincount(codes)
    if len(sizes) < 4 or len(sizes) == n:
        return 1.0
    X = X.copy()
    for group in (second, ~second):
        if group.any():
            X[group] -= X[group].mean(0)
    spread = np.sqrt((X**2).sum(0))
    X = X[:, spread > 0] / spread[spread > 0]
    sums = [np.bincount(codes, column) for column in X.T]
    return _kish(sum(float((own**2 / sizes).sum()) for own in sums), X.shape[1], sizes)


def design_effect_of_classes(classes: NDArray[np.int64], units: NDArray[np.int64], second: NDArray[np.bool_]) -> float:
    """The design effect on the shares of classes: that of their indicator columns, which it does without.

    Args:
        classes: [rows] class of each row, from 0.
        units: as in :func:`design_effect`.
        second: as in :func:`design_effect`.
    """
    codes = _whole(units)
    n, sizes = len(codes), np.bincount(codes)
    if len(sizes) < 4 or len(sizes) == n:
        return 1.0
    kinds = int(classes.max()) + 1
    groups = second.astype(np.int64)
    rows = np.bincount(groups, minlength=2)
    shares = np.bincount(groups * kinds + classes, minlength=2 * kinds).reshape(2, kinds) / np.maximum(rows, 1)[:, None]
    spread = rows @ (shares * (1 - shares))
    kept = spread > 1e-9
    weight = np.where(kept, 1 / np.where(kept, spread, 1), 0)
    # Squares of each unit's count of a class less the count expected of it, over the unit's size; most counts are 0.
    inside = np.bincount(codes * 2 + groups, minlength=2 * len(sizes)).reshape(-1, 2)
    cells, counts = np.unique(codes * kinds + classes, return_counts=True)
    unit, kind = cells // kinds, cells % kinds
    expected = (inside[unit] * shares.T[kind]).sum(1)
    between = float((weight[kind] * counts * (counts - 2 * expected) / sizes[unit]).sum())
    between += float((((inside / sizes[:, None]).T @ inside) * ((shares * weight) @ shares.T)).sum())
    return _kish(between, int(kept.sum()), sizes)


def _whole(units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes of the units, from 0, rows that are one by themselves included."""
    alone = units < 0
    codes = units.copy()
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return np.unique(codes, return_inverse=True)[1]


def _kish(between: float, columns: int, sizes: NDArray[np.int64]) -> float:
    """The effect, from the sum of squares between units of columns that have a sum of squares of 1 each."""
    n = int(sizes.sum())
    rows = float((sizes**2).sum()) / n
    usual = (n - rows) / (len(sizes) - 1)
    mean_between, mean_within = between / (len(sizes) - 2), (columns - between) / (n - len(sizes))
    both = mean_between + (usual - 1) * mean_within
    correlation = min(1.0, max(0.0, (mean_between - mean_within) / both)) if both > 0 else 0.0
    return 1 + (rows - 1) * correlation


def midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank of each value, from 0; equal ones share the middle of theirs."""
    inverse, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[inverse])


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
    ones = int(positive.sum())
    zeros = len(positive) - ones
    if ones == 0 or zeros == 0:
        return 0.5
    return float((midranks(scores)[positive].sum() - ones * (ones - 1) / 2) / (ones * zeros))


def auc_error(ones: int, zeros: int) -> float:
    """Standard error of the AUC where scores say nothing (Mann and Whitney 1947)."""
    return math.sqrt((ones + zeros + 1) / (12 * ones * zeros)) if ones and zeros else 1.0


def log_chance_absent(count: int, whole: int, drawn: int) -> float:
    """Log-probability that none of ``count`` samples among ``whole`` is among ``drawn`` ones taken at random."""
    if count > whole - drawn:
        return -math.inf
    return log_choose(whole - count, drawn) - log_choose(whole, drawn)


def log_choose(n: int, k: int) -> float:
    """Natural logarithm of the number of ways to choose ``k`` of ``n``."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def binomial_tail(count: int, draws: int, chance: float) -> float:
    """Probability of at least ``count`` hits in ``draws``; beyond 1,000 draws by the normal approximation."""
    if count <= 0 or chance >= 1:
        return 1.0
    if count > draws or chance <= 0:
        return 0.0
    if draws > 1_000:
        return normal_tail((count - 0.5 - draws * chance) / math.sqrt(draws * chance * (1 - chance)))
    logs = (
        log_choose(draws, k) + k * math.log(chance) + (draws - k) * math.log1p(-chance) for k in range(count, draws + 1)
    )
    return min(1.0, sum(map(math.exp, logs)))


def poisson_tail(count: int, expected: float) -> float:
    """Probability of at least ``count`` events of which so many are expected; beyond 1,000 by the normal approximation."""
    if count <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    if max(count, expected) > 1_000:
        return normal_tail((count - 0.5 - expected) / math.sqrt(expected))
    logs = [k * math.log(expected) - expected - math.lgamma(k + 1) for k in range(count, count + 400)]
    below = [k * math.log(expected) - expected - math.lgamma(k + 1) for k in range(count)]
    return sum(map(math.exp, logs)) if count > expected else max(0.0, 1 - sum(map(math.exp, below)))


def normal_tail(z: float) -> float:
    """Probability of a standard normal value above z."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def digits(value: float, count: int = 6) -> float:
    """Rounded to so many significant digits, so that sums taken in another order print the same."""
    return float(f"{value:.{count}g}") + 0.0 if math.isfinite(value) else 0.0  # + 0.0: no -0.0
