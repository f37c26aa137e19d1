"""How well the statistic of each kind of scaler fits one set of rows, column by column, as evidence against chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from datalint_rules.splits._scaling_rows import END, Rows, Sets, spread_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

Kind = Literal[
    "standard",
    "unit-norm",
    "min-max",
    "min-max-signed",
    "max-abs",
    "robust",
    "centred",
    "uniform-ranks",
    "normal-ranks",
]

RANGES: dict[Kind, tuple[float, float]] = {"min-max": (0.0, 1.0), "min-max-signed": (-1.0, 1.0), "max-abs": (-1, 1)}
# Values are replaced by their rank, from 0 to 1, or by the normal quantile of it, which scikit-learn cuts at a rank of 1e-7.
RANKS: dict[Kind, tuple[float, float]] = {"uniform-ranks": (0.0, 1.0), "normal-ranks": (-5.1993376, 5.1993376)}
# Kinds whose statistic is a value of the column: few-valued columns meet it by their levels, not by a draw.
STEPPED = {*RANGES, "robust"}

_NEAR = 0.05  # "exact" at most: a twentieth of the sampling error, which chance alone meets in 4 % of columns
NATURAL = 0.8  # assumed chance that nature, not clipping, heaps values on both ends of the same range


class Fit(NamedTuple):
    """How well one kind's statistic fits one set of rows; arrays [p]."""

    exact: Bools
    off: Bools  # visibly not exact; in coarsely written or few-valued columns neither may hold
    evidence: Floats  # log10 e-value against chance where exact
    deviation: Floats
    clipped: Bools | bool = False  # a small heap on the upper mark, next to nothing beneath it


def _continuous(p: Floats) -> Floats:
    """log10 e-value of a p-value that is uniform by chance: the calibrator c * p**(c - 1) with c = 0.1."""
    return np.asarray(-1.0 - 0.9 * np.log10(np.clip(p, 1e-300, 1.0)), dtype=np.float64)


def noise_of(members: tuple[int, ...], rows: Sets) -> Floats:
    """Sampling error [p], in deviations, of a mean over ``members`` had the scaler been fitted elsewhere.

    Elsewhere is the population (1/n), the train split or all rows, whichever lies nearest: for a scaler fitted
    on a share f of n rows that is sqrt((1-f)/(f*n)).
    """
    variance = 1 / np.maximum(rows[members].facts.count, 1)
    for other in {(0,), max(rows, key=len)} - {members}:
        if not (set(other) < set(members) or set(other) > set(members)):
            continue
        variance = np.minimum(variance, np.abs(variance - 1 / np.maximum(rows[other].facts.count, 1)))
    return np.asarray(np.sqrt(variance), dtype=np.float64)


def fit_mean(kind: Kind, r: Rows, noise: Floats, step: Floats) -> Fit:
    """Mean 0, and for the kinds that scale, deviation 1 (either ddof) or norm 1."""
    n = np.maximum(r.facts.count, 2).astype(np.float64)
    deviation = np.sqrt(np.maximum(r.facts.m2, 1e-300) / n)
    # A mean of n rounded values errs by step / sqrt(12 n); the mean of few-valued columns moves in steps itself.
    grain = np.maximum(step / np.sqrt(12 * n), 1e-9 * deviation)
    away = np.abs(r.facts.mean) / deviation / noise
    floored = np.maximum(away, np.maximum(grain, r.lattice / (2 * n)) / deviation / noise)
    exact, evidence = floored <= _NEAR, _continuous(0.8 * floored)  # 0.8 = 2 * the normal density at its centre
    off = away > np.maximum(_NEAR, 5 * grain / deviation / noise)
    if kind != "centred":
        marks = (n, n - 1) if kind == "standard" else (np.ones_like(n),)
        scale_off = np.min([np.abs(np.log(r.facts.m2 / mark)) / 2 for mark in marks], axis=0)
        scale_floored = np.maximum(scale_off, np.maximum(grain, r.lattice / (2 * n)) / deviation)
        spread = np.maximum(r.kurtosis - 1, 1e-9)
        error = noise * np.sqrt(spread) / 2
        # What the mean does not already say about the deviation: nothing at all in two-valued columns.
        own = error * np.sqrt(np.clip(1 - r.skew**2 / spread, 1e-12, 1.0))
        exact &= scale_floored <= _NEAR * error
        off |= scale_off > np.maximum(_NEAR * error, 5 * grain / deviation)
        evidence = evidence + np.maximum(_continuous(0.8 * len(marks) * scale_floored / own), 0.0)
    return Fit(exact, off, np.where(exact, evidence, 0.0), away)


def fit_robust(r: Rows, noise: Floats, step: Floats) -> Fit:
    """Median 0 and interquartile range 1; where rows were sampled, the exact rank of 0 and the range roughly."""
    q, n = r.quantile, np.maximum(r.facts.count, 1).astype(np.float64)
    spread = q[75] - q[25]
    # Asymptotic errors of quantiles, with densities from the neighbouring quantiles.
    per_median = np.maximum((q[60] - q[40]) / 0.2, 1e-300)
    per_low, per_high = (np.maximum((q[b] - q[a]) / 0.1, 1e-300) for a, b in ((20, 30), (70, 80)))
    median_error = noise * per_median / 2
    spread_error = np.sqrt(np.maximum(3 * per_low**2 + 3 * per_high**2 - 2 * per_low * per_high, 0) / 16)
    # Ties hold a quantile in place whatever it was fitted on: the chance that its rank stays among them.
    held = {t: np.minimum((r.ties[t] - 1) * 0.8 / np.maximum(n * noise, 1e-300), 1.0) for t in (25, 50, 75)}
    median_grain, spread_grain = step / 2 + END, step + 2 * END
    by_value = (np.abs(q[50]) <= median_grain) & (np.abs(spread - 1) <= spread_grain)
    p_median = np.maximum(0.8 * median_grain / median_error, held[50])
    p_spread = np.maximum(0.8 * spread_grain / np.maximum(noise * spread_error, 1e-300), held[25] * held[75])
    value_evidence = np.maximum(-np.log10(p_median), 0) + np.maximum(-np.log10(p_spread), 0)
    lattice = np.where(_own_lattice(r), np.log10(1 / np.clip(r.lattice, 1e-9, 1.0)), 0.0)
    value_evidence = np.where(r.lattice > 0, lattice, value_evidence)

    tilt = np.abs(2 * r.facts.negative + r.facts.zero - r.facts.count)  # |negatives - positives|
    sampled = np.maximum((~np.isnan(r.facts.sample)).sum(axis=0), 1)
    by_rank = (tilt <= r.facts.zero + 1) & (np.abs(spread - 1) <= 4 * spread_error / np.sqrt(sampled))
    rank_evidence = np.maximum(-np.log10(0.8 * (r.facts.zero + 2) / np.maximum(n * noise, 1e-300)), 0)
    exact = np.where(r.complete, by_value, by_rank)
    evidence = np.where(r.complete, value_evidence, rank_evidence)
    away = np.where(r.complete, np.abs(q[50]) / np.maximum(median_error, 1e-300), tilt / np.maximum(n * noise, 1e-300))
    return Fit(exact, ~exact, np.where(exact, evidence, 0.0), away)


_LEVEL = 0.4  # sampling errors between values and ranks, below which chance alone stays in one column of 350
_ASTRAY = 0.5  # and in one of 28


def fit_ranks(kind: Kind, r: Rows, noise: Floats, step: Floats) -> Fit:
    """Every value is its own rank among these rows (or the normal quantile of it), nearer than a draw of rows would be."""
    low, high = RANKS[kind]
    width = len(r.facts.count)
    near = np.maximum(step / 2, 1e-5)
    ends = (np.abs(r.facts.minimum - low) <= near) & (np.abs(r.facts.maximum - high) <= near)
    inside = (r.facts.minimum >= low - near) & (r.facts.maximum <= high + near)
    # Ranks of few values are steps, and those of sampled rows are known roughly only.
    open_ = r.complete & (r.lattice == 0)
    away = np.full(width, np.inf)
    for j in np.flatnonzero(inside & open_):
        far = _from_ranks(r.facts.sample[:, j], low, high, float(near[j]), kind == "normal-ranks") / noise[j]
        # Looked at where there are values, a Brownian bridge shows less of its largest distance (Siegmund, 1979).
        away[j] = far + 0.5826 / math.sqrt(r.levels[j])
    exact = ends & (away <= _LEVEL)
    # The lower tail of Kolmogorov's distribution.
    shown = np.clip(away, 0.03, 1.0)
    evidence = (np.pi**2 / (8 * shown**2) - 0.5 * math.log(2 * np.pi) + np.log(shown)) / math.log(10)
    return Fit(exact, open_ & (away > _ASTRAY), np.where(exact, np.maximum(evidence, 0.0), 0.0), away)


def _from_ranks(values: Floats, low: float, high: float, near: float, normal: bool) -> float:
    """Largest distance of values from their ranks; those on the ends, where many may be cut, have none of their own."""
    ordered = np.sort(values[~np.isnan(values)])
    distinct, first, ties = np.unique(ordered, return_index=True, return_counts=True)
    rank = (first + ties / 2) / len(ordered)
    within = (distinct > low + near) & (distinct < high - near)
    if within.sum() < 8:
        return math.inf
    at = distinct[within]
    if normal:
        from scipy.special import ndtr

        at = ndtr(at)
    return float(np.abs(at - rank[within]).max())


def _own_lattice(r: Rows) -> Bools:
    """Few-valued columns whose step is their own: not that of most columns (pixels, percentages) nor a multiple."""
    few = (r.lattice > 0) & r.regular
    if not few.any():
        return few
    steps, times = np.unique(np.round(r.lattice[few], 6), return_counts=True)
    ratio = r.lattice / steps[np.argmax(times)]
    ratio = np.maximum(ratio, 1 / np.maximum(ratio, 1e-12))
    own: Bools = few & (np.abs(ratio - np.rint(ratio)) > 0.02)
    return own


def heaped(r: Rows, end: int) -> Bools:
    """Columns with more values on the end than their usual ties explain."""
    heaped: Bools = r.heap[end] > np.maximum(r.ties_usual, 1.0)
    return heaped


def _surprise(expected: Floats) -> Floats:
    """log10 1/P(at least one), for a Poisson number of ``expected`` values; 0 where one in five would have one.

    The spacing of a few values gives ``expected`` within a factor of some three: what is not surprising by more
    than that must not add up over many columns.
    """
    surprise = -np.log10(-np.expm1(-np.maximum(expected, 1e-300)))
    return np.asarray(np.where(surprise > -math.log10(0.2), surprise, 0.0), dtype=np.float64)


def fit_range(kind: Kind, r: Rows, step: Floats, natural: Bools) -> Fit:
    """Extremes exactly on the marks of ``kind``."""
    low, high = RANGES[kind]
    at_low, at_high = np.abs(r.facts.minimum - low) <= END, np.abs(r.facts.maximum - high) <= END
    inside = (r.facts.minimum >= low - END) & (r.facts.maximum <= high + END)
    many = r.lattice == 0
    lone, chances = [], []
    for end, (on, extreme, mark) in enumerate(((at_low, r.facts.minimum, low), (at_high, r.facts.maximum, high))):
        # Chance that a column which merely ends hereabouts has its last value on the mark: the values expected
        # within rounding of it, from how those next to it are spaced.
        part = np.maximum(step / 2, END) / np.maximum(r.reach[end], 1e-300)
        # Ten values estimate the power badly; what crowds one column of a table crowds its others.
        typical = np.median(r.power[end][on & many]) if (on & many).any() else 1.0
        expected = r.crowd[end] * np.minimum(part, 1.0) ** np.minimum(r.power[end], typical)
        chances.append(np.where(np.abs(extreme - mark) <= r.reach[end], expected, 0.0))
        # Several values on the mark are a bound of nature (or clipping), not the one extreme a scaler moves there.
        lone.append(on & ~heaped(r, end) & many & ~natural)
    # Natural shares crowd their bounds; values clipped some deviations out heap on the mark more than the whole tenth
    # of the range beneath it holds.
    beneath = 0.1 * (high - low) * r.crowd[1] / np.maximum(r.reach[1], 1e-300)
    clipped = many & (step <= 0.01) & (r.heap[1] >= 2) & (r.heap[1] > beneath) & (r.heap[1] < 0.05 * r.facts.count)
    if kind == "max-abs":
        exact = inside & (at_low | at_high)
        total = np.where((at_low <= lone[0]) & (at_high <= lone[1]), _surprise(chances[0] + chances[1]), 0.0)
        away = np.abs(np.maximum(-r.facts.minimum, r.facts.maximum) - 1)
    else:
        exact = at_low & at_high
        total = np.sum([np.where(on, _surprise(chance), 0.0) for on, chance in zip(lone, chances, strict=True)], axis=0)
        away = np.maximum(np.abs(r.facts.minimum - low), np.abs(r.facts.maximum - high)) / (high - low)
    total = np.where(r.ties_usual >= 2, np.minimum(total, np.log10(r.levels)), total)
    # One of the few levels of such a column lies on the mark: one chance in as many levels.
    total = np.where(
        _own_lattice(r), np.log10((1.0 if kind == "max-abs" else high - low) / np.clip(r.lattice, 1e-9, 1.0)), total
    )
    return Fit(exact, ~exact, np.where(exact, total, 0.0), away, exact & clipped)


def natural_columns(r: Rows, step: Floats) -> Bools:
    """Columns of [-1, 1] that a natural unit explains: quotients of small whole numbers, levels shared by columns."""
    sample = r.facts.sample
    grain = np.maximum(step / 2, 1e-7)
    # Proportions of small groups sit on simple fractions; a scaled measurement does not.
    hits = np.sum(
        [(np.abs(sample - part) <= grain).sum(axis=0) for part in (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)], axis=0
    )
    values = np.maximum((~np.isnan(sample)).sum(axis=0), 1)
    natural: Bools = hits > 3 + 10 * np.maximum(values / r.levels, 2 * grain * values)
    fine = (r.lattice == 0) & (step < 1e-3)
    fine &= (r.facts.minimum >= -1 - END) & (r.facts.maximum <= 1 + END)
    if not fine.any():
        return natural
    columns = spread_out(np.flatnonzero(fine), 20)
    seen = sample[spread_out(np.arange(len(sample)), 50)][:, columns]
    levels = np.arange(2, min(4096, int(0.1 / step[columns].max())) + 1)
    shifted = seen.ravel()[~np.isnan(seen.ravel())][None, :] * levels[:, None]
    whole = np.abs(shifted - np.rint(shifted)) <= levels[:, None] * step[columns].max() / 2 + 1e-3
    natural |= fine & bool(whole.all(axis=1).any())
    return natural
