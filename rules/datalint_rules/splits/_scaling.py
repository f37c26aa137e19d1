"""On which rows was the scaler fitted? Judged from the numbers alone.

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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from datalint_rules.splits._scaling_fits import (
    NATURAL,
    RANGES,
    RANKS,
    STEPPED,
    Fit,
    Kind,
    fit_mean,
    fit_range,
    fit_ranks,
    fit_robust,
    heaped,
    natural_columns,
    noise_of,
)
from datalint_rules.splits._scaling_rows import (
    END,
    ColumnFacts,
    Rows,
    Sets,
    pool,
    row_sets,
    rows_of,
    spread_out,
    take_columns,
    usable_columns,
    written_step,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

Case = Literal["pooled", "each", "unsplit", "train"]

# Most specific first: among equal evidence the first wins.
KINDS: tuple[Kind, ...] = (
    "uniform-ranks",
    "normal-ranks",
    "standard",
    "unit-norm",
    "robust",
    "min-max",
    "min-max-signed",
    "max-abs",
    "centred",
)
_ALARM_ORDER: tuple[Case, ...] = ("pooled", "each", "unsplit", "train")
_STATISTICS: dict[Kind, tuple[str, str]] = {
    "standard": ("mean", "standard deviation"),
    "unit-norm": ("mean", "norm"),
    "robust": ("median", "interquartile range"),
    "min-max": ("minimum", "maximum"),
    "min-max-signed": ("minimum", "maximum"),
    "max-abs": ("minimum", "maximum"),
    "centred": ("mean", "standard deviation"),
    "uniform-ranks": ("median", "interquartile range"),
    "normal-ranks": ("median", "interquartile range"),
}

# Under 1e-5 of chance: seven kinds and a few sets of rows are tried, which leaves below 1e-3 per data set even if
# every column were drawn with the very statistic that is tested for.
_EVIDENCE = 5.0
# One column has no other to agree with, and its chance is only as good as the model of that one column.
_ALONE = 3.0
# Once the columns are known to be scaled, train missing the statistic refutes train as the fitted rows; what remains
# is that just these columns are not scaled like the others.
_REFUTED = 1.5
_SEVERAL = 1.5  # independent columns from which ranks are no time or counter
_SHARES = (0.02, 0.1, 0.5, 0.9, 0.99, 1.0)  # shares of scaled columns that are mixed over: none is assumed


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


def judge(facts: Sequence[tuple[str, ColumnFacts]], names: Sequence[str]) -> Verdict | None:
    """Infers on which rows the scaler of these splits was fitted, from their columns' statistics alone.

    ``facts`` are (split name, facts) with the training split first; ``names`` the p column names. None when the
    data are raw, or when nothing in them decides (as where all candidate sets of rows give identical numbers).
    The worst case is reported when several kinds of scaler are found: pooled, each, unsplit, then train.
    """
    if not facts or not names:
        return None
    splits = [split for _, split in facts]
    # Empty or constant columns of a small split divide by zero; the NaN or infinity that gives is never "exact".
    with np.errstate(all="ignore"):
        places = np.flatnonzero(usable_columns(splits))
        if not len(places):
            return None
        kept = [(name, take_columns(split, places)) for name, split in facts]
        sets = row_sets(len(facts))
        step = written_step(pool([split for _, split in kept]))
        rows = {members: rows_of(pool([kept[i][1] for i in members]), step) for members in sets}
        natural = natural_columns(rows[max(rows, key=len)], step)
        trials = [_trial(kind, rows, step, natural) for kind in KINDS]
        trials = [_unless_centred(trial, trials[-1]) for trial in trials]
        found = [(trial, decision) for trial in trials if (decision := trial.decide()) is not None]
        if not found:
            return None
        best = min(found, key=lambda item: (_ALARM_ORDER.index(item[1].case), -item[1].evidence))
        return _verdict(*best, [name for name, _ in facts], [(int(j), names[int(j)]) for j in places])


def _independence(sample: Floats, columns: NDArray[np.int64]) -> float:
    """Effective share of independent columns, from the eigenvalues' participation ratio: (tr C)^2 / ||C||^2 / m."""
    chosen = spread_out(columns, 200)
    if len(chosen) < 2:
        return 1.0
    values = sample[spread_out(np.arange(len(sample)), 2000)][:, chosen]
    values = np.nan_to_num(values - np.nansum(values, axis=0) / np.maximum((~np.isnan(values)).sum(axis=0), 1))
    values = values / np.maximum(np.sqrt((values**2).mean(axis=0)), 1e-300)
    correlation = values.T @ values / len(values)
    return float(np.clip(len(chosen) / np.maximum((correlation**2).sum(), 1e-300), 1 / len(chosen), 1.0))


def _own_ends(sample: Floats, columns: NDArray[np.int64]) -> float:
    """Share of the columns' ends that lie in rows of their own: one row of zeros puts the ends of all columns on a mark."""
    chosen = sample[:, spread_out(columns, 200)]
    ends = np.concatenate([np.where(np.isnan(chosen), np.inf, sign * chosen).argmin(axis=0) for sign in (1, -1)])
    return len(np.unique(ends)) / max(len(ends), 1)


class _Decision(NamedTuple):
    case: Case
    members: tuple[int, ...]
    columns: Bools
    fit: Fit
    evidence: float  # log10, for just these rows


@dataclass(frozen=True)
class _Trial:
    """One kind of scaler, tried on every set of rows."""

    kind: Kind
    rows: Sets
    fits: dict[tuple[int, ...], Fit]

    @property
    def everything(self) -> tuple[int, ...]:
        return max(self.rows, key=len)

    def exact(self, members: tuple[int, ...]) -> Bools:
        return self.fits[members].exact

    def candidates(self, members: tuple[int, ...]) -> Bools:
        """Columns that might show the statistic: for the range kinds, those that do not leave the range."""
        facts = self.rows[members].facts
        if self.kind not in RANGES:
            return np.ones(len(facts.count), dtype=np.bool_)
        low, high = RANGES[self.kind]
        inside: Bools = (facts.minimum >= low - END) & (facts.maximum <= high + END)
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
        if self.kind in RANGES and exact.sum() >= 0.98 * candidates.sum():
            # Laplace's rule of succession: chance that, of so many equal columns, one is unlike the others.
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
        if self.kind in STEPPED:
            evidence = np.where(steps > 0, np.where(apart, np.log10(1 / np.clip(steps, 1e-9, 1.0)), 0.0), evidence)
        fit = self.fits[(0,)]._replace(exact=exact, evidence=np.where(exact, evidence, 0.0))
        evidence = self._scaled((0,), fit)
        if evidence is None or exact.sum() < 0.8 * self.exact((0,)).sum():
            return None
        return _Decision("each", (0,), exact, fit, evidence)

    def _scaled(self, members: tuple[int, ...], fit: Fit) -> float | None:
        """log10 evidence that the columns exact on ``members`` were scaled at all; None where it is too little."""
        exact, candidates = fit.exact, self.candidates(members)
        unsplit, ranged = len(self.everything) == 1, self.kind in RANGES
        enough = _EVIDENCE + (_ALONE if exact.sum() == 1 and (ranged or unsplit) else 0)
        evidence = self._weigh(fit, exact, candidates)
        # One column of even steps, such as a time from 0 to 1, is its own rank without any transformer.
        if self.kind in RANKS and exact.sum() * self._independence(np.flatnonzero(exact)) < _SEVERAL:
            return None
        if ranged:
            # A bound of nature shows as rows sharing the extreme. It says nothing of splits then; an unsplit table
            # needs very many columns clipped the same way, and none that misses the bound.
            if self.bounded(members):
                if not (unsplit and exact.all()):
                    return None
                evidence = -math.log10(NATURAL) * float(np.sum(fit.clipped))
            elif exact.sum() < 0.8 * candidates.sum():
                return None
        return evidence if evidence >= enough else None

    def bounded(self, members: tuple[int, ...]) -> bool:
        """Do the exact columns look bounded by nature: several rows on the upper mark in a third of them?"""
        exact, r = self.exact(members), self.rows[members]
        return bool((exact & heaped(r, 1) & (r.lattice == 0)).sum() > exact.sum() / 3)

    def _independence(self, places: NDArray[np.int64]) -> float:
        return _independence(self.rows[self.everything].facts.sample, places)

    def _weigh(self, fit: Fit, columns: Bools, candidates: Bools) -> float:
        """log10 evidence that ``columns`` (among ``candidates``) are exact because they were scaled."""
        places = np.flatnonzero(columns)
        if not len(places):
            return 0.0
        single = fit.evidence[places]
        whole = self.rows[self.everything]
        others = int((candidates & ~columns).sum())
        # Ends are moved to their marks one by one: correlated are those that one row is the end of, however columns correlate.
        share = _own_ends(whole.facts.sample, places) if self.kind in RANGES else self._independence(places)
        # Steps of their own speak of each column's unit, not of a draw of rows: correlation takes nothing from that.
        structural = (whole.lattice[places] > 0) & (self.kind in STEPPED)
        weight = np.minimum(np.where(structural, single / share, single), 300)
        totals = []
        for part in _SHARES:
            missed = others * math.log10(1 - part) if part < 1 else (-math.inf if others else 0.0)
            totals.append(float(np.log10(1 - part + part * 10.0**weight).sum()) + missed)
        total = max(totals) - math.log10(len(_SHARES))
        best_alone = float(single.max()) - math.log10(len(places) + others)
        return max(total * share, best_alone)


def _trial(kind: Kind, rows: Sets, step: Floats, natural: Bools) -> _Trial:
    fits: dict[tuple[int, ...], Fit] = {}
    for members, r in rows.items():
        if kind in RANGES:
            fits[members] = fit_range(kind, r, step, natural)
        elif kind in RANKS:
            fits[members] = fit_ranks(kind, r, noise_of(members, rows), step)
        elif kind == "robust":
            fits[members] = fit_robust(r, noise_of(members, rows), step)
        else:
            fits[members] = fit_mean(kind, r, noise_of(members, rows), step)
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
        bounded=trial.kind in RANGES and trial.bounded(decision.members),
        statistics=_STATISTICS[trial.kind],
        rows=tuple(
            Row(*columns[j], {key: (float(a[j]), float(b[j])) for key, (a, b) in values.items()}) for j in places
        ),
    )


def _statistics(kind: Kind, r: Rows) -> tuple[Floats, Floats]:
    """The two statistics named by ``_STATISTICS``, each [p]."""
    if kind in RANGES:
        return r.facts.minimum, r.facts.maximum
    if kind == "robust" or kind in RANKS:
        return r.quantile[50], r.quantile[75] - r.quantile[25]
    scale = np.sqrt(r.facts.m2 / (1 if kind == "unit-norm" else np.maximum(r.facts.count, 1)))
    return r.facts.mean, scale
