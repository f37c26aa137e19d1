"""On which rows was the scaler fitted? Told from the numbers alone.

A scaler leaves its statistic *exact* on the rows it was fitted on (mean 0 and deviation 1, extremes 0 and 1,
median 0 and quartile range 1 ...) and off by sampling error on any other set of rows. Each column is therefore
asked where its statistic is exact: on the pooled splits, on train alone, on each split by itself.

Exact is not a fixed cut. Every column states how probable its exactness would be had no scaler seen these rows
(from the sampling error, the decimals written, ties, and the room near the ends of the range). That p-value is
turned into an e-value (Vovk and Wang, 2021, "E-values: calibration, combination and applications"), whose
product over columns bounds the probability of chance by Markov's inequality: P(product >= 1/a) <= a.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

Case = Literal["pooled", "each", "unsplit", "train"]
Kind = Literal["standard", "unit-norm", "min-max", "min-max-signed", "max-abs", "robust", "centred"]

# Most specific first: among equal evidence the first wins.
KINDS: tuple[Kind, ...] = ("standard", "unit-norm", "robust", "min-max", "min-max-signed", "max-abs", "centred")
_ALARM_ORDER: tuple[Case, ...] = ("pooled", "each", "unsplit", "train")
_STATISTICS: dict[Kind, tuple[str, str]] = {
    "standard": ("mean", "standard deviation"),
    "unit-norm": ("mean", "norm"),
    "robust": ("median", "interquartile range"),
    "min-max": ("minimum", "maximum"),
    "min-max-signed": ("minimum", "maximum"),
    "max-abs": ("minimum", "maximum"),
    "centred": ("mean", "standard deviation"),
}
_RANGES: dict[Kind, tuple[float, float]] = {"min-max": (0.0, 1.0), "min-max-signed": (-1.0, 1.0), "max-abs": (-1, 1)}
# Kinds whose statistic is a value of the column: few-valued columns meet it by their levels, not by a draw.
_STEPPED = {*_RANGES, "robust"}

# Under 1e-5 of chance: seven kinds and a few sets of rows are tried, which leaves below 1e-3 per data set even if
# every column were drawn with the very statistic that is tested for.
_EVIDENCE = 5.0
# One column has no other to agree with, and its chance is only as good as the model of that one column.
_ALONE = 3.0
# Once the columns are known to be scaled, train missing the statistic refutes train as the fitted rows; what remains
# is that just these columns are not scaled like the others.
_REFUTED = 1.5
_NEAR = 0.05  # "exact" at most: a twentieth of the sampling error, which chance alone meets in 4 % of columns
_END = 4e-6  # float32 rounding of a shift of some thirty ranges; ends nearer than this to their mark are on it
_NATURAL = 0.8  # assumed chance that nature, not clipping, heaps values on both ends of the same range
_SHARES = (0.02, 0.1, 0.5, 0.9, 0.99, 1.0)  # shares of scaled columns that are mixed over: none is assumed
_FEWEST = 8  # non-missing values a column needs in a split
_BLOCK = 64  # columns sorted at a time


@dataclass(frozen=True)
class ColumnFacts:
    """What one pass over one split keeps of its p numeric feature columns.

    Arrays have length p; ``sample`` is [s, p], NaN for missing, a uniform sample of the rows (all of them when
    small enough). Quantiles are exact where the sample holds every value, estimates otherwise.
    """

    count: NDArray[np.int64]
    mean: Floats
    m2: Floats
    minimum: Floats
    maximum: Floats
    negative: NDArray[np.int64]
    zero: NDArray[np.int64]
    integral: Bools
    sample: Floats


class Row(NamedTuple):
    """The two statistics of one column (named by ``Verdict.statistics``) on each set of rows."""

    column: int
    name: str
    values: dict[str, tuple[float, float]]  # keys: "all" when there are several splits, then the splits' names


@dataclass(frozen=True)
class Verdict:
    """Where the scaler was fitted, and what the words about it need.

    case      "pooled": on several splits together (the leak); "each": on every split by itself;
              "unsplit": on the one set there is; "train": on the training split alone (right).
    splits    names of the splits whose rows fitted the scaler, pooled.
    columns   indices of the deciding columns, clearest first: exact on ``splits`` and, for "pooled", off on train
              (for "train": off on all).
    agreeing  columns exact on the fitted rows, out of ``testable``.
    fitted_deviation, other_deviation
              median distance of the deciding columns' statistic from its mark on the fitted rows, and on train
              (case "train": on all rows); in sampling errors, for the range kinds in ranges of the column.
              ``other_deviation`` is NaN for "unsplit" and "each".
    bounded   range kinds: several rows share the extremes, so a natural bound is a second explanation.
    chance    bound on the probability of this exactness had the scaler not been fitted on these rows.
    """

    case: Case
    kind: Kind
    splits: tuple[str, ...]
    columns: tuple[int, ...]
    agreeing: int
    testable: int
    fitted_deviation: float
    other_deviation: float
    chance: float
    bounded: bool
    statistics: tuple[str, str]
    rows: tuple[Row, ...] = field(repr=False)


@dataclass(frozen=True)
class _Rows:
    """One set of rows (a split, or several pooled): exact facts, and order statistics of its sample; arrays [p]."""

    facts: ColumnFacts
    complete: Bools  # the sample holds every value
    quantile: dict[int, Floats]  # per cent -> value
    ties: dict[int, Floats]  # sampled values equal to that quantile
    reach: tuple[Floats, Floats]  # distance from the lower and upper end that holds the nearest values
    crowd: tuple[Floats, Floats]  # how many of all rows those stand for
    power: tuple[Floats, Floats]  # their number within a distance t grows as t**power, at most 1
    heap: tuple[Floats, Floats]  # sampled values on the lower and upper end
    lattice: Floats  # step between the few values of the column; 0 where they are many
    regular: Bools  # the lattice explains all sampled values, not only their smallest step
    ties_usual: Floats  # sampled values per distinct value between the ends; 0 where coarsely written
    levels: Floats  # distinct sampled values
    skew: Floats
    kurtosis: Floats


_Sets = dict[tuple[int, ...], _Rows]  # by the numbers of the splits pooled in them


class _Fit(NamedTuple):
    """How well one kind's statistic fits one set of rows; arrays [p]."""

    exact: Bools
    off: Bools  # visibly not exact; in coarsely written or few-valued columns neither may hold
    evidence: Floats  # log10 e-value against chance where exact
    deviation: Floats
    clipped: Bools | bool = False  # a small heap on the upper mark, next to nothing beneath it


def judge(facts: Sequence[tuple[str, ColumnFacts]], names: Sequence[str]) -> Verdict | None:
    """Tells on which rows the scaler of these splits was fitted, from their columns' statistics alone.

    ``facts`` are (split name, facts) with the training split first; ``names`` the p column names. None when the
    data are raw, or when nothing in them decides (as where all candidate sets of rows give identical numbers).
    The worst case is reported when several kinds of scaler are found: pooled, each, unsplit, then train.
    """
    if not facts or not names:
        return None
    splits = [split for _, split in facts]
    # Empty or constant columns of a small split divide by zero; the NaN or infinity that gives is never "exact".
    with np.errstate(all="ignore"):
        places = np.flatnonzero(_usable(splits))
        if not len(places):
            return None
        kept = [(name, _take(split, places)) for name, split in facts]
        sets = _row_sets(len(facts))
        step = _written_step(pool([split for _, split in kept]))
        rows = {members: _rows(pool([kept[i][1] for i in members]), step) for members in sets}
        natural = _natural(rows[max(rows, key=len)], step)
        trials = [_trial(kind, rows, step, natural) for kind in KINDS]
        trials = [_unless_centred(trial, trials[-1]) for trial in trials]
        found = [(trial, decision) for trial in trials if (decision := trial.decide()) is not None]
        if not found:
            return None
        best = min(found, key=lambda item: (_ALARM_ORDER.index(item[1].case), -item[1].evidence))
        return _verdict(*best, [name for name, _ in facts], [(int(j), names[int(j)]) for j in places])


def pool(splits: Sequence[ColumnFacts]) -> ColumnFacts:
    """Facts of the rows of all ``splits`` together (moments by Chan, Golub and LeVeque, 1979).

    The samples are thinned to one rate, so that their union is again a uniform sample.
    """
    if len(splits) == 1:
        return splits[0]
    counts = np.stack([s.count for s in splits]).astype(np.float64)
    count = counts.sum(axis=0)
    safe = np.maximum(count, 1)
    means = np.stack([np.where(s.count > 0, s.mean, 0.0) for s in splits])
    mean = (counts * means).sum(axis=0) / safe
    m2 = np.stack([np.where(s.count > 0, s.m2, 0.0) for s in splits]).sum(axis=0)
    m2 += (counts * (means - mean) ** 2).sum(axis=0)
    rows = [max(int(s.count.max(initial=0)), len(s.sample)) for s in splits]
    rate = min((len(s.sample) / n for s, n in zip(splits, rows, strict=True) if n), default=1.0)
    sample = [
        s.sample[np.linspace(0, len(s.sample) - 1, round(rate * n)).astype(int)]
        for s, n in zip(splits, rows, strict=True)
        if n
    ]
    return ColumnFacts(
        count=count.astype(np.int64),
        mean=mean,
        m2=m2,
        minimum=np.fmin.reduce([s.minimum for s in splits]),
        maximum=np.fmax.reduce([s.maximum for s in splits]),
        negative=np.sum([s.negative for s in splits], axis=0),
        zero=np.sum([s.zero for s in splits], axis=0),
        integral=np.logical_and.reduce([s.integral for s in splits]),
        sample=np.concatenate(sample) if sample else splits[0].sample,
    )


def _row_sets(splits: int) -> list[tuple[int, ...]]:
    """The sets of rows a scaler may have been fitted on: all, train with one other, each split alone."""
    sets = [tuple(range(splits))]
    sets += [(0, i) for i in range(1, splits) if splits > 2]
    return sets + [(i,) for i in range(splits) if splits > 1]


def _usable(splits: Sequence[ColumnFacts]) -> Bools:
    """Columns that may decide: not constant (on train either), binary, whole numbers, or mirror-symmetric."""
    whole = pool(splits)
    low, high = whole.mean - whole.minimum, whole.maximum - whole.mean
    # Variance reaches (mean - min)(max - mean) only when both ends hold all values (Bhatia and Davis, 2000).
    binary = whole.m2 >= (1 - 1e-9) * whole.count * low * high
    # Grids, sines and coded designs have mean and median 0 by construction, no scaler needed.
    positive = whole.count - whole.negative - whole.zero
    mirrored = (positive == whole.negative) & (np.abs(whole.minimum + whole.maximum) <= 1e-9 * whole.maximum)
    filled = np.logical_and.reduce([s.count >= _FEWEST for s in splits])
    moving = splits[0].maximum > splits[0].minimum
    usable: Bools = filled & moving & np.isfinite(whole.m2) & ~binary & ~whole.integral & ~mirrored
    return usable


def _take(split: ColumnFacts, columns: NDArray[np.int64]) -> ColumnFacts:
    return ColumnFacts(*(getattr(split, item.name)[..., columns] for item in fields(split)))


def _written_step(whole: ColumnFacts) -> Floats:
    """Step the column's values were rounded to: 10**-decimals where up to 8 decimals explain them, else 1e-9."""
    sample = whole.sample[np.linspace(0, len(whole.sample) - 1, min(len(whole.sample), 1000)).astype(int)]
    step = np.full(sample.shape[1], 1e-9)
    for decimals in range(8, -1, -1):
        shifted = sample * 10.0**decimals
        off = np.abs(shifted - np.rint(shifted)) > 1e-6 + 1e-14 * np.abs(shifted)
        step[~off.any(axis=0)] = 10.0**-decimals
    return step


def _rows(facts: ColumnFacts, step: Floats) -> _Rows:
    """Order statistics of one set of rows, a block of columns at a time to keep memory flat."""
    parts = [slice(i, i + _BLOCK) for i in range(0, facts.sample.shape[1], _BLOCK)]
    blocks = [_order_block(facts.sample[:, part], facts.minimum[part], facts.maximum[part]) for part in parts]
    joined = {key: np.concatenate([b[key] for b in blocks]) for key in blocks[0]}
    per_value = joined["n"] / np.maximum(facts.count, 1)
    return _Rows(
        facts=facts,
        complete=joined["n"] >= facts.count,
        quantile={q: joined[f"q{q}"] for q in _QUANTILES},
        ties={q: joined[f"t{q}"] for q in (25, 50, 75)},
        reach=(joined["reach_low"], joined["reach_high"]),
        crowd=(joined["crowd"] / per_value, joined["crowd"] / per_value),
        power=(joined["power_low"], joined["power_high"]),
        heap=(joined["heap_low"], joined["heap_high"]),
        # Few values because few decimals were written is not a unit of the column's own.
        lattice=np.where(joined["lattice"] <= 1.5 * step, 0.0, joined["lattice"]),
        regular=joined["regular"] > 0,
        # Coarse writing makes ties at a natural bound as anywhere else, so there they excuse nothing.
        ties_usual=np.where(
            step < 1e-3,
            (joined["n"] - joined["heap_low"] - joined["heap_high"]) / np.maximum(joined["levels"], 1),
            0.0,
        ),
        levels=joined["levels"],
        skew=joined["skew"],
        kurtosis=joined["kurtosis"],
    )


_QUANTILES = (20, 25, 30, 40, 50, 60, 70, 75, 80)
_NEIGHBOURS = 10  # values next to an end that tell how crowded it is


def _order_block(sample: Floats, low: Floats, high: Floats) -> dict[str, Floats]:
    """Quantiles, ties, ends, lattice and shape of the columns of ``sample`` [s, b] within [low, high]; each [b]."""
    ordered = np.sort(sample, axis=0)  # NaN last
    n = (~np.isnan(ordered)).sum(axis=0)
    last = np.maximum(n - 1, 0)

    def at(rank: NDArray[np.int64]) -> Floats:
        result: Floats = np.take_along_axis(ordered, np.clip(rank, 0, last)[None], axis=0)[0]
        return result

    width = np.maximum(high - low, 1e-300)
    result: dict[str, Floats] = {"n": n.astype(np.float64)}
    for q in _QUANTILES:
        place = last * (q / 100)
        below = np.floor(place).astype(np.int64)
        result[f"q{q}"] = at(below) + (place - below) * (at(below + 1) - at(below))
        if q in (25, 50, 75):
            result[f"t{q}"] = (np.abs(ordered - at(below)) <= 1e-9 * width).sum(axis=0).astype(np.float64)
    k = np.minimum(_NEIGHBOURS, np.maximum(n // 4, 1))
    result["crowd"] = k.astype(np.float64)
    for end, mark in (("low", low), ("high", high)):
        heap = (np.abs(ordered - mark) <= _END * width).sum(axis=0)
        result[f"heap_{end}"] = heap.astype(np.float64)
        ranks = [heap + np.minimum(i, k) - 1 for i in range(1, _NEIGHBOURS + 1)]
        near = np.stack([np.abs(at(rank if end == "low" else last - rank) - mark) for rank in ranks])
        result[f"reach_{end}"] = near[-1]
        # Hill's estimate of the density's exponent at the end: below 1 where values crowd there (sines, softmax).
        spans = np.log(near[-1] / np.maximum(near, 1e-12 * width)).sum(axis=0)
        result[f"power_{end}"] = np.clip((k - 1) / np.maximum(spans, 1e-12), 0.0, 1.0)
    with np.errstate(invalid="ignore"):
        jumps = np.diff(ordered, axis=0)
        real = jumps > 1e-7 * width
        smallest = np.where(real, jumps, np.inf).min(axis=0, initial=np.inf)
        steps = np.rint(width / smallest)
        result["levels"] = real.sum(axis=0) + 1.0
        few = (result["levels"] * 8 <= n) & (steps >= 1)
        result["lattice"] = np.where(few, width / np.maximum(steps, 1), 0.0)
        place = (ordered - low) / width * steps
        uneven = (np.abs(place - np.rint(place)) > 0.02).any(axis=0)
        result["regular"] = (few & ~uneven).astype(np.float64)
        centred = sample - np.nansum(sample, axis=0) / np.maximum(n, 1)
        second = np.nansum(centred**2, axis=0) / np.maximum(n, 1)
        scale = np.sqrt(np.maximum(second, 1e-300))
        result["skew"] = np.nansum((centred / scale) ** 3, axis=0) / np.maximum(n, 1)
        result["kurtosis"] = np.nansum((centred / scale) ** 4, axis=0) / np.maximum(n, 1)
    return result


def _continuous(p: Floats) -> Floats:
    """log10 e-value of a p-value that is uniform by chance: the calibrator c * p**(c - 1) with c = 0.1."""
    return np.asarray(-1.0 - 0.9 * np.log10(np.clip(p, 1e-300, 1.0)), dtype=np.float64)


def _noise(members: tuple[int, ...], rows: _Sets) -> Floats:
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


def _fit_mean(kind: Kind, r: _Rows, noise: Floats, step: Floats) -> _Fit:
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
    return _Fit(exact, off, np.where(exact, evidence, 0.0), away)


def _fit_robust(r: _Rows, noise: Floats, step: Floats) -> _Fit:
    """Median 0 and interquartile range 1; where rows were sampled, the exact rank of 0 and the range roughly."""
    q, n = r.quantile, np.maximum(r.facts.count, 1).astype(np.float64)
    spread = q[75] - q[25]
    # Asymptotic errors of quantiles, with densities from the neighbouring quantiles.
    per_median = np.maximum((q[60] - q[40]) / 0.2, 1e-300)
    per_low, per_high = (np.maximum((q[b] - q[a]) / 0.1, 1e-300) for a, b in ((20, 30), (70, 80)))
    median_error = noise * per_median / 2
    spread_error = np.sqrt(np.maximum(3 * per_low**2 + 3 * per_high**2 - 2 * per_low * per_high, 0) / 16)
    # Ties hold a quantile in place whoever fitted it: the chance that its rank stays among them.
    held = {t: np.minimum((r.ties[t] - 1) * 0.8 / np.maximum(n * noise, 1e-300), 1.0) for t in (25, 50, 75)}
    median_grain, spread_grain = step / 2 + _END, step + 2 * _END
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
    return _Fit(exact, ~exact, np.where(exact, evidence, 0.0), away)


def _own_lattice(r: _Rows) -> Bools:
    """Few-valued columns whose step is their own: not that of most columns (pixels, percentages) nor a multiple."""
    few = (r.lattice > 0) & r.regular
    if not few.any():
        return few
    steps, times = np.unique(np.round(r.lattice[few], 6), return_counts=True)
    ratio = r.lattice / steps[np.argmax(times)]
    ratio = np.maximum(ratio, 1 / np.maximum(ratio, 1e-12))
    own: Bools = few & (np.abs(ratio - np.rint(ratio)) > 0.02)
    return own


def _heaped(r: _Rows, end: int) -> Bools:
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


def _fit_range(kind: Kind, r: _Rows, step: Floats, natural: Bools) -> _Fit:
    """Extremes exactly on the marks of ``kind``."""
    low, high = _RANGES[kind]
    at_low, at_high = np.abs(r.facts.minimum - low) <= _END, np.abs(r.facts.maximum - high) <= _END
    inside = (r.facts.minimum >= low - _END) & (r.facts.maximum <= high + _END)
    many = r.lattice == 0
    lone, chances = [], []
    for end, (on, extreme, mark) in enumerate(((at_low, r.facts.minimum, low), (at_high, r.facts.maximum, high))):
        # Chance that a column which merely ends hereabouts has its last value on the mark: the values expected
        # within rounding of it, from how those next to it are spaced.
        part = np.maximum(step / 2, _END) / np.maximum(r.reach[end], 1e-300)
        # Ten values tell the power badly; what crowds one column of a table crowds its others.
        typical = np.median(r.power[end][on & many]) if (on & many).any() else 1.0
        expected = r.crowd[end] * np.minimum(part, 1.0) ** np.minimum(r.power[end], typical)
        chances.append(np.where(np.abs(extreme - mark) <= r.reach[end], expected, 0.0))
        # Several values on the mark are a bound of nature (or clipping), not the one extreme a scaler moves there.
        lone.append(on & ~_heaped(r, end) & many & ~natural)
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
    return _Fit(exact, ~exact, np.where(exact, total, 0.0), away, exact & clipped)


def _natural(r: _Rows, step: Floats) -> Bools:
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
    fine &= (r.facts.minimum >= -1 - _END) & (r.facts.maximum <= 1 + _END)
    if not fine.any():
        return natural
    columns = _spread(np.flatnonzero(fine), 20)
    seen = sample[_spread(np.arange(len(sample)), 50)][:, columns]
    levels = np.arange(2, min(4096, int(0.1 / step[columns].max())) + 1)
    shifted = seen.ravel()[~np.isnan(seen.ravel())][None, :] * levels[:, None]
    whole = np.abs(shifted - np.rint(shifted)) <= levels[:, None] * step[columns].max() / 2 + 1e-3
    natural |= fine & bool(whole.all(axis=1).any())
    return natural


def _spread(items: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most ``most`` of ``items``, evenly spaced."""
    spread: NDArray[np.int64] = items[np.linspace(0, len(items) - 1, min(len(items), most)).astype(int)]
    return spread


def _independence(sample: Floats, columns: NDArray[np.int64]) -> float:
    """Effective share of independent columns, from the eigenvalues' participation ratio: (tr C)^2 / ||C||^2 / m."""
    chosen = _spread(columns, 200)
    if len(chosen) < 2:
        return 1.0
    values = sample[_spread(np.arange(len(sample)), 2000)][:, chosen]
    values = np.nan_to_num(values - np.nansum(values, axis=0) / np.maximum((~np.isnan(values)).sum(axis=0), 1))
    values = values / np.maximum(np.sqrt((values**2).mean(axis=0)), 1e-300)
    correlation = values.T @ values / len(values)
    return float(np.clip(len(chosen) / np.maximum((correlation**2).sum(), 1e-300), 1 / len(chosen), 1.0))


class _Decision(NamedTuple):
    case: Case
    members: tuple[int, ...]
    columns: Bools
    fit: _Fit
    evidence: float  # log10, for just these rows


@dataclass(frozen=True)
class _Trial:
    """One kind of scaler, tried on every set of rows."""

    kind: Kind
    rows: _Sets
    fits: dict[tuple[int, ...], _Fit]

    @property
    def everything(self) -> tuple[int, ...]:
        return max(self.rows, key=len)

    def exact(self, members: tuple[int, ...]) -> Bools:
        return self.fits[members].exact

    def candidates(self, members: tuple[int, ...]) -> Bools:
        """Columns that might show the statistic: for the range kinds, those that do not leave the range."""
        facts = self.rows[members].facts
        if self.kind not in _RANGES:
            return np.ones(len(facts.count), dtype=np.bool_)
        low, high = _RANGES[self.kind]
        inside: Bools = (facts.minimum >= low - _END) & (facts.maximum <= high + _END)
        return inside

    def decide(self) -> _Decision | None:
        """The set of rows on which the scaler was fitted; None where nothing is certain."""
        everything, train = self.everything, (0,)
        if len(everything) == 1:
            return self._unsplit()
        alone: list[tuple[int, ...]] = [members for members in self.rows if len(members) == 1]
        on_train = self.exact(train) & self.fits[everything].off
        found = [self._each(alone)]
        for members in (m for m in self.rows if len(m) > 1):
            columns = self.exact(members) & self.fits[train].off
            if members != everything:
                columns &= self.fits[everything].off
            found.append(self._supported("pooled", members, columns, on_train & self.fits[members].off))
        elsewhere = np.logical_or.reduce([self.fits[m].off for m in alone])
        against = self.exact(everything) & self.fits[train].off
        found.append(self._supported("train", train, on_train & elsewhere, against))
        certain = [d for d in found if d is not None]
        return min(certain, key=lambda d: (_ALARM_ORDER.index(d.case), -d.evidence), default=None)

    def _unsplit(self) -> _Decision | None:
        members = self.everything
        exact, fit = self.exact(members), self.fits[members]
        evidence = self._scaled(members, fit)
        # A scaler is fitted to a table, not to a stray column: most usable columns must show it.
        if evidence is None or exact.sum() < len(exact) / 2:
            return None
        return _Decision("unsplit", members, exact, fit, evidence)

    def _supported(self, case: Case, members: tuple[int, ...], columns: Bools, against: Bools) -> _Decision | None:
        """``columns`` are exact on ``members`` and off elsewhere, ``against`` the other way round."""
        fit = self.fits[members]
        if columns.sum() <= against.sum() or self._scaled(members, fit) is None:
            return None
        places = np.flatnonzero(columns)
        evidence = float(fit.evidence[places].sum()) * self._independence(places)
        exact, candidates = fit.exact, self.candidates(members)
        if self.kind in _RANGES and exact.sum() >= 0.98 * candidates.sum():
            # Laplace's rule of succession: chance that, of so many alike, one of these columns is unlike the others.
            evidence += math.log10(int(exact.sum()) + 2)
        if evidence < (_EVIDENCE if against.any() else _REFUTED):
            return None
        return _Decision(case, members, columns, fit, evidence)

    def _each(self, alone: list[tuple[int, ...]]) -> _Decision | None:
        """Every split exact by itself, against a tie of the extremes (or quantiles) that serves several splits."""
        exact = np.logical_and.reduce([self.exact(m) for m in alone])
        evidence = np.min([self.fits[m].evidence for m in alone], axis=0)
        # Few-valued columns scaled together share one lattice; scaled apart, the union of theirs is finer than each.
        steps = np.min([self.rows[m].lattice for m in alone], axis=0)
        apart = self.rows[self.everything].lattice < 0.9 * steps
        if self.kind in _STEPPED:
            evidence = np.where(steps > 0, np.where(apart, np.log10(1 / np.clip(steps, 1e-9, 1.0)), 0.0), evidence)
        fit = self.fits[(0,)]._replace(exact=exact, evidence=np.where(exact, evidence, 0.0))
        evidence = self._scaled((0,), fit)
        if evidence is None or exact.sum() < 0.8 * self.exact((0,)).sum():
            return None
        return _Decision("each", (0,), exact, fit, evidence)

    def _scaled(self, members: tuple[int, ...], fit: _Fit) -> float | None:
        """log10 evidence that the columns exact on ``members`` were scaled at all; None where it is too little."""
        exact, candidates = fit.exact, self.candidates(members)
        unsplit, ranged = len(self.everything) == 1, self.kind in _RANGES
        enough = _EVIDENCE + (_ALONE if exact.sum() == 1 and (ranged or unsplit) else 0)
        evidence = self._weigh(fit, exact, candidates)
        if ranged:
            # A bound of nature shows as rows sharing the extreme. It says nothing of splits then; an unsplit table
            # needs very many columns clipped alike, and none that misses the bound.
            if self.bounded(members):
                if not (unsplit and exact.all()):
                    return None
                evidence = -math.log10(_NATURAL) * float(np.sum(fit.clipped))
            elif exact.sum() < 0.8 * candidates.sum():
                return None
        return evidence if evidence >= enough else None

    def bounded(self, members: tuple[int, ...]) -> bool:
        """Do the exact columns look bounded by nature: several rows on the upper mark in a third of them?"""
        exact, r = self.exact(members), self.rows[members]
        return bool((exact & _heaped(r, 1) & (r.lattice == 0)).sum() > exact.sum() / 3)

    def _independence(self, places: NDArray[np.int64]) -> float:
        return _independence(self.rows[self.everything].facts.sample, places)

    def _weigh(self, fit: _Fit, columns: Bools, candidates: Bools) -> float:
        """log10 evidence that ``columns`` (among ``candidates``) are exact because they were scaled."""
        places = np.flatnonzero(columns)
        if not len(places):
            return 0.0
        single = fit.evidence[places]
        whole = self.rows[self.everything]
        others = int((candidates & ~columns).sum())
        share = self._independence(places)
        # Steps of their own speak of each column's unit, not of a draw of rows: correlation takes nothing from that.
        structural = (whole.lattice[places] > 0) & (self.kind in _STEPPED)
        weight = np.minimum(np.where(structural, single / share, single), 300)
        totals = []
        for part in _SHARES:
            missed = others * math.log10(1 - part) if part < 1 else (-math.inf if others else 0.0)
            totals.append(float(np.log10(1 - part + part * 10.0**weight).sum()) + missed)
        total = max(totals) - math.log10(len(_SHARES))
        best_alone = float(single.max()) - math.log10(len(places) + others)
        return max(total * share, best_alone)


def _trial(kind: Kind, rows: _Sets, step: Floats, natural: Bools) -> _Trial:
    fits: dict[tuple[int, ...], _Fit] = {}
    for members, r in rows.items():
        if kind in _RANGES:
            fits[members] = _fit_range(kind, r, step, natural)
        elif kind == "robust":
            fits[members] = _fit_robust(r, _noise(members, rows), step)
        else:
            fits[members] = _fit_mean(kind, r, _noise(members, rows), step)
    return _Trial(kind, rows, fits)


def _unless_centred(trial: _Trial, centred: _Trial) -> _Trial:
    """Drops the scale kinds where most columns with mean 0 miss their scale: that is chance in centred data."""
    if trial.kind not in {"standard", "unit-norm"}:
        return trial
    fits = {}
    for members, fit in trial.fits.items():
        few = 2 * fit.exact.sum() < centred.exact(members).sum()
        fits[members] = fit._replace(exact=fit.exact & ~few)
    return replace(trial, fits=fits)


def _verdict(trial: _Trial, decision: _Decision, splits: list[str], columns: list[tuple[int, str]]) -> Verdict:
    """Puts a decision into words' ingredients; ``columns`` are index and name of the columns tried."""
    places = np.flatnonzero(decision.columns)
    places = places[np.argsort(-decision.fit.evidence[places], kind="stable")]
    members = decision.members if decision.case != "each" else trial.everything
    other: dict[Case, tuple[int, ...]] = {"pooled": (0,), "train": trial.everything}
    off = trial.fits[other[decision.case]].deviation[places] if decision.case in other else np.array([math.nan])
    shown = {"all": trial.rows[trial.everything]} if len(splits) > 1 else {}
    shown |= {splits[m[0]]: r for m, r in trial.rows.items() if len(m) == 1}
    values = {key: _statistics(trial.kind, r) for key, r in shown.items()}
    return Verdict(
        case=decision.case,
        kind=trial.kind,
        splits=tuple(splits[i] for i in members),
        columns=tuple(columns[j][0] for j in places),
        agreeing=int(decision.fit.exact.sum()),
        testable=int(trial.candidates(decision.members).sum()),
        fitted_deviation=float(np.median(decision.fit.deviation[places])),
        other_deviation=float(np.median(off)),
        chance=float(10.0 ** -min(decision.evidence, 300.0)),
        bounded=trial.kind in _RANGES and trial.bounded(decision.members),
        statistics=_STATISTICS[trial.kind],
        rows=tuple(
            Row(*columns[j], {key: (float(a[j]), float(b[j])) for key, (a, b) in values.items()}) for j in places
        ),
    )


def _statistics(kind: Kind, r: _Rows) -> tuple[Floats, Floats]:
    """The two statistics named by ``_STATISTICS``, each [p]."""
    if kind in _RANGES:
        return r.facts.minimum, r.facts.maximum
    if kind == "robust":
        return r.quantile[50], r.quantile[75] - r.quantile[25]
    scale = np.sqrt(r.facts.m2 / (1 if kind == "unit-norm" else np.maximum(r.facts.count, 1)))
    return r.facts.mean, scale
