"""Samples whose inputs occur more than once, within and across splits: derived once from the hashes of all samples."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from datalint.core import hashing
from datalint.core.codes import codes_of
from datalint.measures.contents import Contents, rate_of
from datalint.measures.places import Places
from datalint.measures.spool import loaded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from datalint.measures.sample import Payload, Sample
    from datalint.profile.splits import SplitProfile

MAX_COPIES = 4_000_000
"""Copies listed at most; beyond it they, too, are counted on fewer contents."""

AT_ONCE = 4_000_000
"""Hashes sorted at once: 32 MB."""

_FIRST = np.uint64(48)

MAX_LOOKED_UP = 50_000_000
"""Samples times classes for which labels are looked up: about a second."""

MAX_COMPARED = 5_000
"""Contents compared to distinguish duplicates from coincidences."""


@dataclass(frozen=True)
class Copies:
    """All kept samples whose input occurs more than once in the data set, ordered by input, split and position."""

    names: tuple[str, ...]
    """The splits."""
    samples: tuple[int, ...]
    """Samples of each split."""
    split: NDArray[np.int64]
    """[copies] index into ``names``."""
    places: Places
    inputs: NDArray[np.uint64]
    """[copies] hash of the input."""
    rate: float
    """Share of the contents that were compared."""

    @classmethod
    def of(cls, splits: Sequence[SplitProfile]) -> Copies:
        """Compare the hashes of all splits."""
        states = [split[Contents] for split in splits]
        limit = min(state.limit for state in states)
        while True:
            repeated, count = _repeated(states, limit)
            if count <= MAX_COPIES:
                break
            limit = np.uint64(limit >> np.uint64(1))
        owners, places, inputs = [], Places.none(), []
        for number, state in enumerate(states):
            for stretch in state.stretches:
                hashes = loaded(stretch.inputs)
                picked = np.flatnonzero(_among(hashes, repeated))
                places = places.then(stretch.places(picked))
                inputs.append(hashes[picked])
                owners.append(np.full(len(picked), number, np.int64))
        all_inputs = np.concatenate([np.zeros(0, np.uint64), *inputs])
        split = np.concatenate([np.zeros(0, np.int64), *owners])
        order = np.lexsort((places.row, split, all_inputs))
        names = tuple(s.name for s in splits)
        samples = tuple(s.samples for s in splits)
        return cls(names, samples, split[order], places.take(order), all_inputs[order], rate_of(limit))

    @property
    def exact(self) -> bool:
        """Whether all samples were compared."""
        return self.rate >= 1

    @property
    def coverage(self) -> str:
        """How much of the data the comparison rests on."""
        return (
            "all samples" if self.exact else f"a sample of {self.rate:.2%} of the contents, with all their duplicates"
        )

    def estimate(self, count: int) -> int:
        """How many there are in the whole data, if so many are among the kept."""
        return count if self.exact else round(count / self.rate)

    def interval(self, groups: int, count: int) -> tuple[int, int]:
        """95 % interval of :meth:`estimate`, from the number of distinct contents among those counted.

        Contents are kept independently of each other, their copies all together: the number of kept contents is
        Poisson, and the count scales with it.
        """
        if self.exact or groups == 0:
            return (count, count) if self.exact else (0, round(3 / self.rate))
        spread = 1.96 / groups**0.5
        estimate = self.estimate(count)
        return max(count, round(estimate * (1 - spread))), round(estimate * (1 + spread))

    def of_split(self, number: int) -> NDArray[np.int64]:
        """The copies that lie in one split."""
        return np.flatnonzero(self.split == number)

    def without(self, inputs: NDArray[np.uint64]) -> Copies:
        """All but the samples of some inputs."""
        kept = ~np.isin(self.inputs, inputs)
        if kept.all():
            return self
        return replace(self, split=self.split[kept], places=self.places.take(kept), inputs=self.inputs[kept])


def _repeated(states: list[Contents], limit: np.uint64) -> tuple[NDArray[np.uint64], int]:
    """The inputs that occur more than once, ascending, and how many samples have them.

    Hashes of one range after the other are compared, so that only a few million are in memory at once. Of more than
    ``MAX_COPIES`` nothing is told but that there are more.
    """
    total = sum(len(stretch.inputs) for state in states for stretch in state.stretches)
    ranges = max(1, -(-total // AT_ONCE))
    bounds = [int(limit) * k // ranges for k in range(ranges)] + [int(limit)]
    found, copies = [np.zeros(0, np.uint64)], 0
    for k, (low, high) in enumerate(pairwise(bounds)):
        parts, held = [np.zeros(0, np.uint64)], 0
        for state in states:
            for stretch in state.stretches:
                hashes = loaded(stretch.inputs)
                if ranges > 1 or state.limit > limit:
                    above = hashes >= 0 if k == 0 else hashes > np.uint64(low)
                    above &= hashes <= np.uint64(high)
                    held += int(np.count_nonzero(above))
                    if held > AT_ONCE + MAX_COPIES:  # contents that differ spread evenly over the ranges
                        return found[0], held
                    hashes = hashes[above]
                parts.append(hashes)
        everything = np.concatenate(parts)
        everything.sort()
        again = everything[1:] == everything[:-1]
        copies += int(np.count_nonzero(again))
        again[1:] &= ~again[:-1]  # the first of each
        found.append(everything[:-1][again])
        copies += len(found[-1])
    return np.concatenate(found), copies


def _among(hashes: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which hashes are among some, ascending ones."""
    if len(wanted) == 0:
        return np.zeros(len(hashes), np.bool_)
    # The first bits of a hash rule out nearly all others before any is searched for.
    first = np.zeros(1 << 16, np.bool_)
    first[wanted >> _FIRST] = True
    found: NDArray[np.bool_] = first[hashes >> _FIRST]
    rows = np.flatnonzero(found)
    at = np.minimum(np.searchsorted(wanted, hashes[rows]), len(wanted) - 1)
    found[rows] = wanted[at] == hashes[rows]
    return found


def firsts(*keys: NDArray[np.uint64] | NDArray[np.int64]) -> NDArray[np.int64]:
    """For every entry the index of the first entry that has the same keys; entries with the same keys need not adjoin."""
    order = np.lexsort(keys[::-1])
    new = np.ones(len(order), np.bool_)
    if len(order):
        new[1:] = np.logical_or.reduce([key[order][1:] != key[order][:-1] for key in keys])
    starts = order[new]  # lexsort is stable, so the first of equal ones comes first
    found = np.empty(len(order), np.int64)
    found[order] = starts[np.cumsum(new) - 1]
    return found


def blank_inputs(split: SplitProfile, numbers: Collection[str]) -> NDArray[np.uint64]:
    """The inputs in which none of a table's numbers is known: what such rows have in common is that nothing was measured."""
    from datalint.measures.sample import Sample

    sample = split.measured.get(Sample)
    if not isinstance(sample, Sample) or sample.payload is None:
        return np.zeros(0, np.uint64)
    wanted = frozenset(numbers)
    picked = [j for j, name in enumerate(sample.names) if name in wanted]
    blank = np.isnan(sample.payload.numbers[:, picked]).all(axis=1)
    return sample.payload.inputs[blank]


def without_label(contents: NDArray[np.uint64], inputs: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which samples have no label, from their two hashes."""
    none = hashing.mix(inputs + hashing.scramble(np.full(len(inputs), hashing.MISSING, np.uint64), 1))
    found: NDArray[np.bool_] = (contents == none) | (contents == inputs)
    return found


def labels_of(inputs: NDArray[np.uint64], contents: NDArray[np.uint64], classes: Sequence[str]) -> list[str | None]:
    """The class of each sample, from its two hashes; None where it is none of these."""
    known = dict(zip(hashing.text_hashes(classes).tolist(), classes, strict=True))
    for name in classes:
        with contextlib.suppress(ValueError):  # labels that are numbers are hashed as numbers
            known[int(hashing.number_bits(np.array([float(name)]))[0])] = name
    names: list[str | None] = [None] * len(inputs)
    if len(inputs) * len(known) > MAX_LOOKED_UP:
        return names
    for label, name in known.items():
        hashed = hashing.mix(inputs + hashing.scramble(np.full(len(inputs), label, np.uint64), 1))
        for k in np.flatnonzero(hashed == contents):
            names[k] = name
    return names


def coincidences(split: SplitProfile, features: Sequence[str], sentences: Collection[str] = ()) -> float:
    """How many pairs of equal rows the coarseness of a table's values would give by itself, for each pair that there is.

    Near 0 for measured values, about 1 for coarse ones; see :func:`coinciding`.
    """
    near = _near(split, features, sentences)
    return coinciding(split, features, sentences) / near.full if near is not None and near.full else 0.0


def coinciding(split: SplitProfile, features: Sequence[str], sentences: Collection[str] = ()) -> float:
    """How many pairs of equal rows the coarseness of a table's values gives by itself.

    Rows that are copies of each other agree in every column. Rows that coincide are the tip of many more that agree in
    all columns but one: where the values of a column agree with probability q there are (1 - q) / q near coincidences in
    that column for each full one. All columns together say too little where they hang together (year of birth and length
    of life); a single column that is independent of them (left or right hand) then says how many full ones there are. Two
    standard errors are taken off what one says, by the number of distinct inputs that nearly agree: copies of one of them
    are no further evidence.

    Args:
        split: a table's split.
        features: names of its feature columns.
        sentences: those of them that hold sentences, which nobody writes twice by accident.
    """
    near = _near(split, features, sentences)
    if near is None or not len(near.agree):
        return 0.0
    odds = near.agree / (1 - near.agree)
    together = float(near.pairs.sum() / (1 / odds).sum()) if odds.all() else 0.0
    surely = near.pairs * np.maximum(0.0, 1 - 2 / np.sqrt(np.maximum(near.distinct, 1.0)))
    return max(together, float((surely * odds).max()))


@dataclass(frozen=True)
class _Near:
    """Pairs of rows that agree in all columns but one; arrays have one entry per column that varies."""

    pairs: NDArray[np.float64]
    """How many there are in the split."""
    distinct: NDArray[np.float64]
    """How many there would be were no row kept twice, among those compared."""
    agree: NDArray[np.float64]
    """The chance that two distinct inputs agree in the column: copies would say that an all-different one repeats."""
    full: float
    """Pairs that agree in all columns, in the split."""


def _near(split: SplitProfile, features: Sequence[str], sentences: Collection[str]) -> _Near | None:
    from datalint.measures.sample import Sample

    if len(features) == 1 and features[0] in sentences:
        return None  # of one column alone every pair agrees in all others, so nothing could be concluded
    sample = split[Sample]
    payload = sample.payload
    if payload is None or len(sample.contents) < 2:
        return None
    first, counts, rate = _compared(sample, payload)
    columns = _codes(payload.take(np.arange(min(len(sample.contents), MAX_COMPARED))), sample.names, set(features))
    if not columns:
        return None
    hashed = [
        hashing.scramble(column[first].astype(np.uint64) + np.uint64(1), 2 * j + 1) for j, column in enumerate(columns)
    ]
    total = np.sum(hashed, axis=0, dtype=np.uint64)
    full = _pairs(counts)
    unequal = _pairs(counts.sum()) - full
    if not unequal:
        return None
    found = []
    for own, column in zip(hashed, columns, strict=True):
        agree = (_pairs(np.bincount(column[first] + 1, counts).astype(np.float64)) - full) / unequal
        if agree < 1:
            _, group = np.unique(total - own, return_inverse=True)
            # Both rows of a near pair had to be kept.
            near = (_pairs(np.bincount(group, counts).astype(np.float64)) - full) / rate**2
            found.append((near, _pairs(np.bincount(group).astype(np.float64)), agree))
    pairs, distinct, agrees = np.array(found, np.float64).reshape(-1, 3).T
    return _Near(pairs, distinct, agrees, full / rate)


def _pairs(counts: NDArray[np.float64] | np.float64) -> float:
    return float((counts * (counts - 1) / 2).sum())


def _compared(sample: Sample, payload: Payload) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Of the distinct inputs that are compared: a row of each, how many rows have it, and what share of all they are."""
    kept = np.arange(min(len(sample.contents), MAX_COMPARED))
    rate = 1.0 if sample.complete and len(kept) == len(sample.contents) else len(kept) / _contents(sample)
    # Contents include the label, inputs do not.
    inputs, inverse = np.unique(payload.inputs[kept], return_inverse=True)
    first = np.zeros(len(inputs), np.int64)
    first[inverse[::-1]] = np.arange(len(kept))[::-1]
    return first, np.bincount(inverse, sample.counts[kept]).astype(np.float64), rate


def _contents(sample: Sample) -> float:
    if sample.complete:
        return float(len(sample.contents))
    return len(sample.contents) / rate_of(sample.contents[-1])


def _codes(payload: Payload, names: tuple[str, ...], features: set[str]) -> list[NDArray[np.int64]]:
    """The columns as codes, -1 where missing."""
    found: list[NDArray[np.int64]] = []
    for j, name in enumerate(names):
        if name in features:
            values = payload.numbers[:, j]
            codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
            found.append(np.where(np.isnan(values), -1, codes))
    for name, cells in payload.texts.items():
        if name in features:
            found.append(codes_of(cells)[0])
    return found
