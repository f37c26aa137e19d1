"""Facts of one set of rows, a split or several pooled, and the order statistics of its sample."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

END = 4e-6  # float32 rounding of a shift of some thirty ranges; ends nearer than this to their mark are on it
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


@dataclass(frozen=True)
class Rows:
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


Sets = dict[tuple[int, ...], Rows]  # by the numbers of the splits pooled in them


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


def row_sets(splits: int) -> list[tuple[int, ...]]:
    """The sets of rows a scaler may have been fitted on: all, train with one other, each split alone."""
    sets = [tuple(range(splits))]
    sets += [(0, i) for i in range(1, splits) if splits > 2]
    return sets + [(i,) for i in range(splits) if splits > 1]


def usable_columns(splits: Sequence[ColumnFacts]) -> Bools:
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


def take_columns(split: ColumnFacts, columns: NDArray[np.int64]) -> ColumnFacts:
    return ColumnFacts(*(getattr(split, item.name)[..., columns] for item in fields(split)))


def written_step(whole: ColumnFacts) -> Floats:
    """Step the column's values were rounded to: 10**-decimals where up to 8 decimals explain them, else 1e-9."""
    sample = whole.sample[np.linspace(0, len(whole.sample) - 1, min(len(whole.sample), 1000)).astype(int)]
    step = np.full(sample.shape[1], 1e-9)
    for decimals in range(8, -1, -1):
        shifted = sample * 10.0**decimals
        off = np.abs(shifted - np.rint(shifted)) > 1e-6 + 1e-14 * np.abs(shifted)
        step[~off.any(axis=0)] = 10.0**-decimals
    return step


def written_digits(values: Floats) -> float:
    """Step of one column's values: 10**-decimals where up to 12 decimals explain them, else 0."""
    sample = values[spread_out(np.arange(len(values)), 1000)]
    for decimals in range(13):
        shifted = sample * 10.0**decimals
        if (np.abs(shifted - np.rint(shifted)) <= 1e-6 + 1e-14 * np.abs(shifted)).all():
            return float(10.0**-decimals)
    return 0.0


def rows_of(facts: ColumnFacts, step: Floats) -> Rows:
    """Order statistics of one set of rows, a block of columns at a time to keep memory flat."""
    parts = [slice(i, i + _BLOCK) for i in range(0, facts.sample.shape[1], _BLOCK)]
    blocks = [_order_block(facts.sample[:, part], facts.minimum[part], facts.maximum[part]) for part in parts]
    joined = {key: np.concatenate([b[key] for b in blocks]) for key in blocks[0]}
    per_value = joined["n"] / np.maximum(facts.count, 1)
    return Rows(
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
_NEIGHBOURS = 10  # values next to an end that show how crowded it is


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
        heap = (np.abs(ordered - mark) <= END * width).sum(axis=0)
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


def spread_out(items: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most ``most`` of ``items``, evenly spaced."""
    spread: NDArray[np.int64] = items[np.linspace(0, len(items) - 1, min(len(items), most)).astype(int)]
    return spread
