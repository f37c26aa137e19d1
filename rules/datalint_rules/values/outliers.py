"""VAL111 outliers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    NumberStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    digits,
    more_of,
    plural,
)
from datalint_rules.values._meanings import impossible, limits_of, may_exceed, of_past_years
from datalint_rules.values._planting import spoil_column
from datalint_rules.values._spikes import spikes
from datalint_rules.values._tables import Pool, need_tables, only_split, plain, text_names
from datalint_rules.values._tails import Stray, lonely, strays, wrong_sign
from datalint_rules.values._units import Units, two_clocks, two_units

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

INFO: Severity = "info"

NAMED = 3
"""Columns of which a message says what is wrong."""

UNIT_NAMES = 50
"""Most values of a column that says in which unit another is."""

SMALLEST = 60
MAX_CELLS = 8_000_000


class Outliers(Rule):
    """Samples far from all others.

    A number far beyond what the tail of its column leads one to expect, or a row that is far from every other row though
    each of its numbers is usual.

    A warning where one part of a column is 10, 100, 1,000, 10,000 or a million times as large as the other, is distributed
    like it and lies apart from it: metres among centimetres, cents among euros, milliseconds among seconds. Likewise
    where a value lies more than ten times as far from the median as the next one in a column without a heavy
    tail (an age of 999, a slipped decimal point), and where it cannot be by the name of the column (an age of -5, a latitude
    of 95, a house built in 2097; a percentage of 140 is info); otherwise info. Columns that are heavy-tailed throughout are NRM103's,
    a far value that repeats is VAL104's.

    ## Why it hurts

    One such value decides mean, deviation and the range of min-max scaling, so all others are pressed together; squared
    losses and linear models bend towards it.

    ## How to fix it

    Look at the named samples. Correct errors of unit, decimal point or entry; clip or take logarithms where they are real.

    ## When it is wrong

    Where the rare case is the point (fraud, faults) or a real value is that extreme.

    ## Reference

    37 reasons, item 6. Hill's estimator of the tail. Cleanlab Datalab and Deepchecks (outliers) name a share of any data;
    this rule asks each column's own tail, so normal, exponential and log-normal columns stay silent.
    """

    code = "VAL111"
    name = "outliers"
    severity: ClassVar[Severity] = "warning"
    item = "6"
    searches = frozenset({"table"})
    modalities = frozenset({"table"})
    follows = ("VAL104",)
    public = frozenset({"samples", "ratio"})
    measures = (Sample, NumberStats)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        absurd: float = Field(10.0, gt=3, description="Times as far from the median as the next value, for a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        need_tables(profile, texts=False)
        pool = Pool.of(profile)
        if pool.size < SMALLEST:
            raise Skip(f"fewer than {SMALLEST} samples")
        names = profile.feature_names
        # Very wide tables: an extreme of one of thousands of columns says little, and costs much.
        names = names[: max(1, MAX_CELLS // pool.size)]
        columns = []
        found: list[tuple[str, Stray]] = []
        units = _units(profile, pool, names)
        if units:
            yield _units_found(pool, units)
        for name in names:
            values = _without_codes(pool.numbers(name))
            if name in units:
                values[units[name].few] = np.nan
            columns.append(values)
            judged = values if pool.complete else np.append(values, _extremes(pool, name))
            for top in (True, False):
                stray = strays(judged, top, 2 * len(names))
                if stray is not None:
                    found.append((name, stray))
        found.sort(key=lambda item: (-item[1].ratio, item[0]))
        absurd = [(n, s) for n, s in found if s.sure and s.ratio >= self.params.absurd]
        told = {(name, int(row)) for name, stray in absurd for row in stray.rows}
        meanings = dict(zip(names, columns, strict=True)) | {name: pool.numbers(name) for name in _years(profile)}
        wrong = {
            name: np.array([row for row in impossible(name, x) if (name, row) not in told], np.int64)
            for name, x in meanings.items()
        }
        wrong = {name: rows for name, rows in wrong.items() if len(rows)}
        yield from self._by_meaning(pool, meanings, wrong)
        mild = [(n, s) for n, s in found if not (s.sure and s.ratio >= self.params.absurd)]
        mild = [(n, s) for n, s in mild if n not in wrong or not set(s.rows.tolist()) <= set(wrong[n].tolist())]
        for group, severity in ((absurd, self.severity), (mild, INFO)):
            if group:
                yield _found(pool, group, severity)
        rows, ratios = lonely(columns)
        known = {int(row) for _, stray in found for row in stray.rows}
        fresh = np.array([int(row) not in known for row in rows], np.bool_)
        if fresh.any():
            yield _lonely_found(pool, rows[fresh], ratios[fresh])

    def _by_meaning(
        self, pool: Pool, columns: dict[str, NDArray[np.float64]], wrong: dict[str, NDArray[np.int64]]
    ) -> Iterator[Found]:
        """Values that cannot be by the name of their column, or by the sign of all others."""
        negative = [(name, rows) for name, x in columns.items() if name not in wrong and len(rows := wrong_sign(x))]
        if negative:
            yield _negative_found(pool, negative)
        for shares in (False, True):
            mine = [(name, rows) for name, rows in wrong.items() if may_exceed(name) == shares]
            if mine:
                yield _impossible_found(pool, mine, INFO if shares else self.severity)

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Multiply the distance of one value from the median, so that it lies 50 times as far as any; 1,000 times."""

        def fits(column: pd.Series) -> bool:
            if column.dtype.kind != "f" or column.nunique() < 60:
                return False
            values = column.dropna().to_numpy()
            distance = np.abs(values - np.median(values))
            return bool(distance.max() < 2.2 * np.quantile(distance, 0.9) and len(values) >= 300)

        def spoil(values: NDArray[Any]) -> NDArray[np.int64]:
            row = rng.choice(np.flatnonzero(~np.isnan(values)), 1)
            middle = np.nanmedian(values)
            values[row] = middle + np.nanmax(np.abs(values - middle)) * 50 * 20**strength
            return row

        return spoil_column(clean, rng, fits, spoil)


def _units(profile: Profile, pool: Pool, names: tuple[str, ...]) -> dict[str, Units]:
    """Columns, target and times that hold one quantity in two units, unless another column says which is which."""
    columns = {name: pool.numbers(name) for name in names}
    label = profile.dataset.label
    if label is not None and profile.task == "regression":
        columns[label.name] = np.concatenate([split.rows.target for split in pool.splits])
    found = {name: units for name, values in columns.items() if (units := two_units(values)) is not None}
    for field in profile.dataset.fields:
        if field.kind == "number" and field.role == "time":
            units = two_clocks(pool.numbers(field.name))
            found |= {field.name: units} if units is not None else {}
    return {name: units for name, units in found.items() if not _told_apart(profile, pool, units)}


def _told_apart(profile: Profile, pool: Pool, units: Units) -> bool:
    """Whether a column of categories, such as a currency, says in which unit a value is, or the split does."""
    few = np.zeros(pool.size, np.bool_)
    few[units.few] = True
    if only_split(pool.names(units.few)) is not None and len(pool.splits) > 1:
        return True  # which SPL104 reports
    for name in text_names(profile, "feature", "id", "group"):
        texts = pool.texts(name)
        here, there = set(texts[few].tolist()), set(texts[~few].tolist())
        if here.isdisjoint(there) and len(here | there) <= UNIT_NAMES:
            return True
    return False


def _units_found(pool: Pool, units: dict[str, Units]) -> Found:
    told = []
    for name, one in [*units.items()][:NAMED]:
        few, many = (one.low, one.high) if one.small else (one.high, one.low)
        much = f"{one.factor:,} times as {'small' if one.small else 'large'} as the others"
        told.append(
            f"{len(one.few):,} values of {name!r} are {much} ({plain(few[0])} to {plain(few[1])} against "
            f"{plain(many[0])} to {plain(many[1])}, with nothing in between)"
        )
    rows = np.unique(np.concatenate([one.few for one in units.values()]))
    return Found(
        message=f"one quantity in two units: {_listed(told, len(units))}",
        consequence="The model takes the same thing for two that are far apart, and scaling presses the one part together.",
        remedy="Find out which source writes in which unit, and convert its rows to that of the others.",
        confidence=0.95,
        column=next(iter(units)) if len(units) == 1 else None,
        subject="units",
        evidence={"columns": [{"column": name, "factor": one.factor} for name, one in [*units.items()][:100]]},
        cases=pool.cases(rows),
        count=len(rows),
        exact=pool.complete,
    )


def _years(profile: Profile) -> list[str]:
    """Columns of times that hold the year in which something happened."""
    fields = profile.dataset.fields
    return [f.name for f in fields if f.role == "time" and f.kind == "number" and of_past_years(f.name)]


def _without_codes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values without those that stand for missing ones."""
    for spike in spikes(values[np.isfinite(values)]):
        if spike.kind != "cap":
            values = np.where(values == spike.value, np.nan, values)
    return values


def _extremes(pool: Pool, name: str) -> list[float]:
    """Lowest and highest value of a column where the sample does not hold them."""
    sampled = pool.numbers(name)
    sampled = sampled[np.isfinite(sampled)]
    found = []
    for split in pool.splits:
        numbers, j = split[NumberStats], split.position(name)
        if j is not None and numbers.count[j] and len(sampled):
            low, high = float(numbers.low[j]), float(numbers.high[j])
            found += [v for v, beyond in ((low, low < sampled.min()), (high, high > sampled.max())) if beyond]
    return found


def _found(pool: Pool, group: list[tuple[str, Stray]], severity: Severity) -> Found:
    rows: list[int] = []
    column_of: list[str] = []
    value_of: list[float] = []
    unseen = 0
    for name, stray in group:
        values = pool.numbers(name)
        for row in stray.rows.tolist():
            if row >= pool.size:
                unseen += 1  # an extreme that the sample does not hold
            elif row not in rows:
                rows.append(row)
                column_of.append(name)
                value_of.append(digits(float(values[row])))
    told = []
    for name, stray in group[:NAMED]:
        times = f"{stray.ratio:,.0f}" if stray.ratio < 1e6 else f"{stray.ratio:.0e}"
        told.append(
            f"{plain(stray.value)} in {name!r} lies {times} times as far from the median as the next value, "
            f"{plain(stray.next_value)}"
        )
    count = len(rows) + unseen
    least = "" if pool.complete else "at least "
    columns = list(dict.fromkeys(name for name, _ in group))
    return Found(
        message=f"{least}{count:,} outlying {plural('sample', count)}: {_listed(told, len(group))}",
        consequence="Such a value decides mean, deviation and range, and presses all others together.",
        remedy="Look at the samples: correct errors of unit or decimal point, clip or take logarithms if they are real.",
        severity=severity,
        confidence=0.7 if severity == INFO else 0.9,
        column=columns[0] if len(columns) == 1 else None,
        evidence={"columns": [{"column": n, "ratio": digits(min(s.ratio, 1e300), 3)} for n, s in group[:100]]},
        cases=pool.cases(np.array(rows, np.int64), {"column": column_of, "value": value_of}),
        count=count,
        exact=pool.complete,
    )


def _listed(told: list[str], columns: int) -> str:
    """What is wrong in the first columns, and in how many more."""
    more = f"; and {more_of(columns - NAMED, 'column')}" if columns > NAMED else ""
    return f"{'; '.join(told)}{more}"


def _impossible_found(pool: Pool, wrong: list[tuple[str, NDArray[np.int64]]], severity: Severity) -> Found:
    told = []
    for name, rows in wrong[:NAMED]:
        low, high = limits_of(name) or (0.0, 0.0)
        shown = ", ".join(plain(value) for value in np.unique(pool.numbers(name)[rows])[:3].tolist())
        told.append(f"{shown} in {name!r}, where {plain(low)} to {plain(high)} are possible")
    rows = np.unique(np.concatenate([rows for _, rows in wrong]))
    return Found(
        message=f"values that cannot be by the name of their column: {_listed(told, len(wrong))}",
        consequence="They are errors of entry, of sign or of unit, and a model takes them for extremes.",
        remedy="Look at the samples, and correct or drop the values.",
        severity=severity,
        confidence=0.9 if severity != INFO else 0.7,
        column=wrong[0][0] if len(wrong) == 1 else None,
        subject="impossible" if severity != INFO else "beyond all",
        evidence={"columns": [name for name, _ in wrong[:100]]},
        cases=pool.cases(rows),
        count=len(rows),
        exact=pool.complete,
    )


def _negative_found(pool: Pool, negative: list[tuple[str, NDArray[np.int64]]]) -> Found:
    told = []
    for name, rows in negative[:NAMED]:
        values = pool.numbers(name)
        others = np.delete(values, rows)
        shown = ", ".join(plain(float(values[row])) for row in rows)
        told.append(f"{shown} in {name!r}, where all other values are {plain(float(np.nanmin(others)))} or more")
    rows = np.unique(np.concatenate([rows for _, rows in negative]))
    return Found(
        message=f"negative values of a positive quantity: {_listed(told, len(negative))}",
        consequence="They are probably errors of sign, and a model takes them for extremes.",
        remedy="Look at the samples, and correct or drop the values.",
        severity="info",
        confidence=0.8,
        column=negative[0][0] if len(negative) == 1 else None,
        subject="negative",
        evidence={"columns": [name for name, _ in negative[:100]]},
        cases=pool.cases(rows),
        exact=pool.complete,
    )


def _lonely_found(
    pool: Pool, rows: np.ndarray[tuple[int], np.dtype[np.int64]], ratios: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Found:
    few = "1 sample is" if len(rows) == 1 else f"{len(rows):,} samples are"
    return Found(
        message=f"{few} at least {ratios.min():.1f} times as far from all others as any other sample is",
        consequence="They may be errors, or cases of which there are too few to learn from.",
        remedy="Look at the named samples.",
        severity="info",
        confidence=0.7,
        subject="lonely",
        evidence={"samples": len(rows), "ratio": digits(float(ratios.min()), 3)},
        cases=pool.cases(rows),
        exact=pool.complete,
    )
