"""ORD102 position-drift."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Dataset,
    Field,
    Found,
    Measurement,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    SampledRows,
    Severity,
    Skip,
    SplitProfile,
    codes_of,
    digits,
    log_chi_square_tail,
    midranks,
    more_of,
    training,
)
from datalint_rules._shared.series import in_series, panel_of, series_of
from datalint_rules._shared.times import times_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class PositionDrift(Rule):
    """Features or labels that depend on where a sample lies in the file: blocks, appended shards, trends.

    Cuts the stored order into segments and asks of each column whether its values differ between them (ranks for
    numbers, frequencies for categories), after taking away what the label explains, so that in a file sorted by label
    only the label drifts. Indices, times and columns that only count the rows are set aside.

    ## Why it hurts

    The set is not shuffled although its labels may look as if it were: without shuffling the model sees one source
    after the other, and a split by position trains and tests on different distributions.

    ## How to fix it

    Shuffle before training. If the segments are sources (sites, days, devices), split by source instead, and tell the
    model or the evaluation about it.

    ## When it is wrong

    Data whose order carries meaning, such as a time series read in windows. Where a time column grows with the
    position, or within each source of a panel, where most of what drifts moves up and down smoothly, and where the drift is
    slight, the finding is only info: tables of real observations are rarely in perfect disorder. It is a warning where a
    label, or a conversation, is there to be learnt and one column all but identifies which part of the file a
    row comes from.

    ## Reference

    37 reasons, item 7. Kruskal and Wallis 1952; multiplicity by Bonferroni over columns and splits.
    """

    code = "ORD102"
    name = "position-drift"
    severity: ClassVar[Severity] = "warning"
    item = "7"
    of_whole = True
    repair = "shuffle"
    follows = ("ORD101",)
    public = frozenset({"columns_tested", "columns_drifting", "segments", "size", "unit", "from_share", "to_share"})

    class Params(RuleParams):
        """Cuts: a finding needs both significance and size."""

        chance: float = Field(
            1e-4, gt=0, lt=1, description="Largest chance, over all columns, that a shuffled set is reported."
        )
        shift: float = Field(
            0.5, gt=0, description="Smallest shift of a segment from the rest, in standard deviations."
        )
        share: float = Field(
            0.2, gt=0, lt=1, description="Smallest change of a category's or class's share in a segment."
        )
        apart: float = Field(
            0.85,
            gt=0.5,
            le=1,
            description="AUC of a column for a segment against the rest from which it is a warning.",
        )
        large: float = Field(
            0.5, gt=0, le=1, description="Change of a category's share in a segment from which it is a warning."
        )
        label: float = Field(
            0.3, gt=0, le=1, description="Change of a class's share in a segment from which it is a warning."
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The coordinated sample with its positions; nothing where the order is that of class folders."""
        return () if dataset.by_class else (Sample,)

    def coverage(self, profile: Profile) -> str:
        """The sample."""
        return "none" if profile.dataset.by_class else profile.sample_coverage

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split that is trained on."""
        if profile.dataset.by_class:
            raise Skip("the samples lie in class folders, so their order is the order of the folders", applies=False)
        large = [split for split in profile.trained if len(split.rows) >= 40]
        if not large:
            raise Skip("fewer than 40 samples")
        for split in large:
            yield from self._judge(profile, split, len(large))

    def _is_large(self, drift: _Drift, profile: Profile) -> bool:
        target = profile.dataset.label
        if target is not None and drift.name == target.name:
            # A label guessed by its position is no ground for a warning.
            return drift.size >= self.params.label and target.confidence != "low"
        if drift.unit == "share":
            return drift.size >= self.params.large
        # Uniform ranks have a deviation of 1 / sqrt(12), and the means of a segment's and the other ranks lie AUC - 1/2
        # apart.
        return abs(drift.size) >= (self.params.apart - 0.5) * math.sqrt(12)

    def _judge(self, profile: Profile, split: SplitProfile, splits: int) -> Iterator[Found]:
        rows = split.rows
        segment, count = _segments(rows.places.row, split.samples)
        strata = _strata(rows, profile.task)
        target = profile.dataset.label
        label = target.name if target else ""
        columns: list[_Drift] = []
        tests = 0
        for name, values in _numeric(profile, rows):
            tests += 1
            drift = _numeric_drift(name, values, segment, count, strata, rows.places.row)
            if drift is not None and abs(drift.size) >= self.params.shift:
                columns.append(drift)
        for name, codes in _categorical(profile, rows):
            tests += 1
            drift = _category_drift(name, codes, segment, count, strata)
            if drift is not None and drift.size >= self.params.share:
                columns.append(drift)
        if profile.task == "classification":
            tests += 1
            drift = _category_drift(label, _codes(rows.label), segment, count, None)
            if drift is not None and drift.size >= self.params.share:
                columns.append(drift)
        told = [column for column in columns if column.name not in profile.dataset.stored_by]
        found = [c for c in told if c.log_chance + math.log(tests * splits) < math.log(self.params.chance)]
        if not found:
            return
        found.sort(key=lambda drift: (drift.name != label, drift.log_chance, drift.name))
        large = any(self._is_large(drift, profile) for drift in found)
        time = _time_in_order(profile, rows)
        smooth = [drift.name for drift in found if drift.name in rows.at and in_series(rows.column(drift.name))]
        drifting = {drift.name for drift in found}
        keys = [codes for name, codes in _categorical(profile, rows) if name in drifting]
        panel = panel_of(profile.dataset, split) or any(series_of(profile.dataset, rows, codes) for codes in keys)
        series = time or 2 * len(smooth) > len(found) or panel
        first = found[0]
        rest = len(found) - 1
        more = f", and {more_of(rest, 'column')} likewise" if rest else ""
        tested = f" (of {tests:,} columns tested)" if tests > 1 else ""
        yield Found(
            message=f"the stored order matters: {first.words}{more}{tested}",
            consequence="Without shuffling the model meets one part of the distribution after the other; "
            "a split by position tests on another distribution than it trains on.",
            remedy="Shuffle before training"
            + (
                f"; the rows grow with {time!r}: if the task is to predict the future, split by time instead."
                if time
                else "; if the rows are time series, keep the order of each, and split by series or by time."
                if series
                else ", and if the parts are sources (sites, devices, days), split by source."
            ),
            severity=None if large and not series and (target or profile.dataset.conversation) else "info",
            confidence=0.98,
            split=split.name,
            evidence={
                "columns_tested": tests,
                "columns_drifting": len(found),
                "segments": count,
                "strongest": [
                    {
                        "column": d.name,
                        "size": digits(d.size, 3),
                        "unit": d.unit,
                        "from_share": d.begin,
                        "to_share": d.end,
                    }
                    for d in found[:10]
                ],
            },
            count=split.samples,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Add 3 standard deviations to one numeric column in the last quarter of the training table; 5 at full strength."""
        if not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        numeric = [
            c for c in table.columns if c != clean.label and table[c].dtype.kind == "f" and table[c].nunique() > 20
        ]
        # With a time column the order may be intended, so the finding is only info.
        timed = any(table[c].dtype.kind == "M" for c in table.columns)
        if not numeric or len(table) < 300 or timed:
            return None
        column = numeric[int(rng.integers(len(numeric)))]
        values = table[column].to_numpy(copy=True)
        values[len(values) * 3 // 4 :] += (3 + 2 * strength) * np.nanstd(values)
        table[column] = values
        return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split, column=str(column))


class _Drift:
    """One column that depends on the position."""

    def __init__(
        self, name: str, size: float, unit: str, log_chance: float, segments: tuple[int, int], count: int, what: str
    ) -> None:
        self.name, self.size, self.unit, self.log_chance = name, size, unit, log_chance
        self.begin, self.end = round(segments[0] / count, 3), round(segments[1] / count, 3)
        self.words = f"{what} in the {_place(self.begin, self.end)}"


def _place(begin: float, end: float) -> str:
    if begin == 0:
        return f"first {end:.0%} of the file"
    return f"last {1 - begin:.0%} of the file" if end == 1 else f"part from {begin:.0%} to {end:.0%} of the file"


def _segments(row: NDArray[np.int64], samples: int) -> tuple[NDArray[np.int64], int]:
    """The segment of each sample, at least 20 to a segment and at most ten segments."""
    count = next(c for c in (10, 5, 4, 2) if len(row) >= 20 * c)
    return np.minimum(row * count // max(samples, 1), count - 1), count


def _strata(rows: SampledRows, task: str | None) -> NDArray[np.int64] | None:
    """What the label explains: classes, or ten parts of a numeric target; None without a label."""
    if task == "classification":
        return _codes(rows.label)
    if task == "regression" and np.isfinite(rows.target).any():
        filled = np.where(np.isfinite(rows.target), rows.target, np.nanmedian(rows.target))
        cuts = np.unique(np.quantile(filled, np.linspace(0, 1, 11)[1:-1]))
        return np.searchsorted(cuts, filled).astype(np.int64)
    return None


def _codes(values: NDArray[np.object_]) -> NDArray[np.int64]:

    codes, _ = codes_of(values)
    codes -= codes.min(initial=0)  # a missing value is a category like any other
    return codes


def _numeric(profile: Profile, rows: SampledRows) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Columns to test: numeric features, or a few properties of pictures."""
    wanted = set(profile.feature_names)
    if rows.pictures is not None:
        grey = rows.pictures.reshape(len(rows.pictures), -1).astype(np.float64)
        yield "brightness", grey.mean(1)
        yield "contrast", grey.std(1)
        return
    # In very wide tables a spread of columns speaks for all.
    picked = [j for j, name in enumerate(rows.names) if name in wanted]
    for j in picked[:: max(1, len(picked) // 500)]:
        yield rows.names[j], rows.numbers[:, j]


def _categorical(profile: Profile, rows: SampledRows) -> Iterator[tuple[str, NDArray[np.int64]]]:
    for field in profile.dataset.fields:
        if field.role in {"feature", "group"} and field.name in rows.texts:
            codes = _codes(rows.texts[field.name])
            if 1 < codes.max() + 1 <= 50:
                yield field.name, codes


def _numeric_drift(
    name: str,
    values: NDArray[np.float64],
    segment: NDArray[np.int64],
    count: int,
    strata: NDArray[np.int64] | None,
    row: NDArray[np.int64],
) -> _Drift | None:
    """Kruskal-Wallis over segments, on ranks from which the label's share is taken."""
    present = np.isfinite(values)
    if present.sum() < 40:
        return None
    x, s, at = values[present], segment[present], row[present]
    ranks = midranks(x)
    if ranks.std() == 0 or _counts_rows(x, at):
        return None
    ranks = (ranks - ranks.mean()) / ranks.std()
    if strata is not None:
        known = strata[present]
        sizes = np.maximum(np.bincount(known), 1)
        ranks = ranks - (np.bincount(known, ranks) / sizes)[known]
        if ranks.std() < 1e-9:
            return None
    sizes = np.bincount(s, minlength=count)
    usable = sizes >= 10
    if usable.sum() < 2:
        return None
    means = np.bincount(s, ranks, minlength=count) / np.maximum(sizes, 1)
    means = means - ranks.mean()
    groups = len(np.unique(strata[present])) if strata is not None else 1
    spread = float((ranks**2).sum() / max(1, len(ranks) - groups))
    statistic = float((sizes * means**2)[usable].sum() / spread)
    log_chance = log_chi_square_tail(statistic, int(usable.sum()) - 1)
    first, last, size = _block(means * sizes, sizes)
    inside = (s >= first) & (s < last)
    here, there, what = np.median(x[inside]), np.median(x[~inside]), "median"
    if f"{here:.4g}" == f"{there:.4g}":  # few values, most of them equal: the mean shows what the ranks saw
        here, there, what = x[inside].mean(), x[~inside].mean(), "mean"
    words = f"{name!r} is {'higher' if size > 0 else 'lower'} ({what} {here:.4g}, elsewhere {there:.4g})"
    return _Drift(name, size, "standard deviations", log_chance, (first, last), count, words)


def _block(sums: NDArray[np.float64], sizes: NDArray[np.int64]) -> tuple[int, int, float]:
    """The consecutive segments that differ most, by z-score, from all others: first, end, and difference of the means.

    Against all others, not against the mean of all: two halves would each be compared with a mean that is half their own.
    """
    total, n = float(sums.sum()), int(sizes.sum())
    best = (0, 1, 0.0)
    highest = -1.0
    for first in range(len(sizes)):
        for last in range(first + 1, len(sizes) + 1):
            inside = int(sizes[first:last].sum())
            if inside < 10 or 2 * inside > n:  # of a block and its complement the smaller is the odd one
                continue
            share = float(sums[first:last].sum())
            difference = share / inside - (total - share) / (n - inside)
            z = abs(difference) * float(np.sqrt(inside * (n - inside) / n))
            if z >= highest * (1 - 1e-9):  # of two halves the later: it was appended
                highest, best = z, (first, last, difference)
    return best


def _category_drift(
    name: str, codes: NDArray[np.int64], segment: NDArray[np.int64], count: int, strata: NDArray[np.int64] | None
) -> _Drift | None:
    """Chi-squared over segments, category by category, against what the label lets expect."""
    kinds = int(codes.max()) + 1
    observed = np.zeros((count, kinds))
    np.add.at(observed, (segment, codes), 1)
    sizes = observed.sum(1)
    if strata is None:
        expected = np.outer(sizes, observed.sum(0)) / sizes.sum()
    else:
        by_label = np.zeros((int(strata.max()) + 1, kinds))
        np.add.at(by_label, (strata, codes), 1)
        by_label /= np.maximum(by_label.sum(1, keepdims=True), 1)
        labels = np.zeros((count, by_label.shape[0]))
        np.add.at(labels, (segment, strata), 1)
        expected = labels @ by_label
    enough = expected >= 5
    if not enough.any():
        return None
    statistic = float(((observed - expected)[enough] ** 2 / expected[enough]).sum())
    log_chance = log_chi_square_tail(statistic, max(1, int(enough.sum()) - kinds))
    change = np.where(enough, np.abs(observed - expected) / np.maximum(sizes, 1)[:, None], 0)
    worst = np.unravel_index(int(change.argmax()), change.shape)
    here = float(observed[worst] / max(sizes[worst[0]], 1))
    usual = float(expected[worst] / max(sizes[worst[0]], 1))
    words = f"one value of {name!r} makes up {here:.0%} instead of {usual:.0%}"
    return _Drift(name, float(change.max()), "share", log_chance, (int(worst[0]), int(worst[0]) + 1), count, words)


def _counts_rows(x: NDArray[np.float64], row: NDArray[np.int64]) -> bool:
    """Whether a column of whole numbers only rises or only falls: an index, a fold or a block, not a feature."""
    if not (x == np.rint(x)).all():
        return False
    steps = np.diff(x[np.argsort(row, kind="stable")])
    return bool((steps >= 0).all() or (steps <= 0).all())


def _time_in_order(profile: Profile, rows: SampledRows) -> str | None:
    """A time column that grows with the position."""
    for field in profile.dataset.fields:
        if field.role != "time":
            continue
        times = times_of(rows, field)
        if not np.isfinite(times).any() and field.name in rows.texts:
            times = _codes(rows.texts[field.name]).astype(np.float64)  # '1960M01' is in order as a text
        known = np.isfinite(times)
        values = midranks(times[known])
        if len(values) > 2 and values.std() > 0 and abs(np.corrcoef(values, rows.places.row[known])[0, 1]) > 0.9:
            return field.name
    return None
