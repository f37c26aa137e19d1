"""VAL104 sentinel-values."""

from __future__ import annotations

from collections import Counter
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
    TextStats,
    are,
    missing,
    more_of,
)
from datalint_rules.values._meanings import cannot_be_zero
from datalint_rules.values._planting import spoil_column
from datalint_rules.values._spikes import Spike, cap, spikes, stray_zeros
from datalint_rules.values._tables import (
    Pool,
    need_tables,
    only_split,
    plain,
    text_names,
    tokens_of,
    value_counts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

INFO: Severity = "info"
WARNING: Severity = "warning"

MAX_CELLS = 8_000_000
"""Cells looked at; very wide tables are judged on fewer rows."""


class SentinelValues(Rule):
    """Values that stand for missing ones: -999, 9999, 0 in a positive quantity, "?" or "unknown".

    In numbers: an end of the column that repeats and lies a wide gap away from all other values, zero among them, be it in a
    few cells of a continuous quantity that is never near zero otherwise; a text such as "?" among numbers. In texts: such words among other categories. As info: words that may be meant ("none", "unknown"), a repeated zero or -1 below a quantity that keeps
    away from it, and a repeated largest value where a scale was cut off.

    ## Why it hurts

    The model takes the code for a quantity. One -999 among values of 20 moves mean and deviation, a linear model bends
    towards it, and what scaling leaves of the real values is a thin band. A "?" makes a whole column text.

    ## How to fix it

    Read them as missing (``pandas.read_csv(..., na_values=...)``) and treat them like gaps. Cut-off values: keep an
    indicator, or a loss that knows of censoring.

    ## When it is wrong

    Where a far value is real and repeats, or "none" is a category of its own ("no garage").

    ## Reference

    37 reasons, item 1. ydata-quality (a fixed list of values), Deepchecks (mixed nulls, special characters). Unlike
    these it needs no list: repetition at an end, far from the bulk, found 105 of 107 planted codes in real columns
    without an alarm in 121 clean ones.
    """

    code = "VAL104"
    name = "sentinel-values"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"table"})
    public = frozenset({"count", "sampled", "cells"})
    measures = (NumberStats, TextStats, Sample)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        repeats: int = Field(5, ge=2, description="Fewest repeats of a number that is not among the usual codes.")
        share: float = Field(
            0.002, ge=0, le=0.5, description="Smallest share of such a number among a column's values."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        need_tables(profile)
        pool = Pool.of(profile)
        spikes = self._numbers(profile, pool)
        told = [(name, spike) for name, spike in spikes if spike.kind != "cap" and spike.sure]
        unsure = [(name, spike) for name, spike in spikes if spike.kind != "cap" and not spike.sure]
        for group, severity in ((told, WARNING), (unsure, INFO)):
            if group:
                yield _numbers_found(pool, group, severity)
        caps = [(name, spike) for name, spike in spikes if spike.kind == "cap"]
        caps += _target_cap(profile, pool)
        if caps:
            yield _caps_found(pool, caps)
        yield from _words(profile, pool)

    def _numbers(self, profile: Profile, pool: Pool) -> list[tuple[str, Spike]]:
        found = []
        step = max(1, pool.size * len(profile.feature_names) // MAX_CELLS)
        # Rows of nothing but zeros are VAL101's; their zeros are no codes of single columns.
        real = np.zeros(pool.size, np.bool_)
        for name in profile.feature_names:
            real |= pool.numbers(name) != 0
            if real.all():
                break
        for name in profile.feature_names:
            values = pool.numbers(name)
            values = values[real & np.isfinite(values)][::step]
            own = spikes(values, self.params.repeats, self.params.share)
            stray = _zeros(pool, name, values, whole=bool(real.all()))
            if stray is not None and not any(spike.value == 0 and spike.sure >= stray.sure for spike in own):
                own = [*(spike for spike in own if spike.value != 0), stray]
            found += [(name, spike) for spike in own]
        return sorted(found, key=lambda item: (-item[1].count, item[0]))

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write -999 into 2 % of one column, at least 6 rows; into a third at full strength."""

        def fits(column: pd.Series) -> bool:
            if "id" in str(column.name).lower().split("_") or len(column) < 30:
                return False
            spread = np.ptp(np.nan_to_num(column.to_numpy(dtype=float)))
            # The code must lie outside of what the column holds.
            return bool(column.nunique() >= 15 and 0 < spread < 400 and column.min() > -500)

        def spoil(values: NDArray[Any]) -> NDArray[np.int64]:
            count = max(6, round(len(values) * (0.02 + 0.31 * strength)))
            rows = rng.choice(len(values), count, replace=False)
            values[rows] = -999
            return rows

        return spoil_column(clean, rng, fits, spoil)


def _zeros(pool: Pool, name: str, values: NDArray[np.float64], *, whole: bool) -> Spike | None:
    """Zeros in a few cells of a positive quantity; ``whole``: no row is zero altogether, so that all zeros can be counted."""
    stats = [(split[NumberStats], j) for split in pool.splits if (j := split.position(name)) is not None]
    if any(numbers.low[j] < 0 for numbers, j in stats):
        return None
    zeros = sum(int(numbers.zero[j]) for numbers, j in stats) if whole else int((values == 0).sum())
    return stray_zeros(values[values != 0], zeros, positive=cannot_be_zero(name))


def _numbers_found(pool: Pool, group: list[tuple[str, Spike]], severity: Severity) -> Found:
    rows = np.zeros(pool.size, np.bool_)
    for name, spike in group:
        rows |= pool.numbers(name) == spike.value
    where = np.flatnonzero(rows)
    count = max(round(len(where) / max(pool.size, 1) * pool.samples), *(spike.count for _, spike in group))
    columns = list(dict.fromkeys(name for name, _ in group))
    told = [
        f"{plain(spike.value)} occurs {_times(spike.count)} in {name!r}, whose other values "
        f"{'start at' if spike.value < spike.nearest else 'end at'} {plain(spike.nearest)}"
        for name, spike in group[:3]
    ]
    more = f"; and {len(group) - 3:,} more" if len(group) > 3 else ""
    maybe = "may stand" if severity == INFO else "seems to stand"
    return Found(
        message=f"{'; '.join(told)}{more}: it {maybe} for missing values",
        consequence="The model takes the code for a quantity, and it distorts mean, deviation and every scaling.",
        remedy="Read these values as missing (na_values in pandas) and treat them like gaps.",
        severity=severity,
        confidence=0.6 if severity == INFO else 0.95,
        split=only_split(pool.names(where)) if len(pool.splits) > 1 else None,
        column=columns[0] if len(columns) == 1 else None,
        subject="numbers",
        evidence={
            "columns": [
                {"column": name, "value": plain(s.value), "count": s.count, "next_value": plain(s.nearest)}
                for name, s in group[:200]
            ]
        },
        cases=pool.cases(where),
        count=count,
        exact=pool.complete,
    )


def _target_cap(profile: Profile, pool: Pool) -> list[tuple[str, Spike]]:
    """A numeric target that is cut off: its largest value repeats as no other does."""
    label = profile.dataset.label
    if label is None or profile.task != "regression":
        return []
    target = np.concatenate([split.rows.target for split in pool.splits])
    target = target[np.isfinite(target)]
    spike = cap(target) if len(target) >= 20 else None
    return [] if spike is None else [(label.name, spike)]


def _caps_found(pool: Pool, caps: list[tuple[str, Spike]]) -> Found:
    told = ", ".join(f"{spike.count:,} values of {name!r} are exactly {plain(spike.value)}" for name, spike in caps[:3])
    more = f" and {more_of(len(caps) - 3, 'column')}" if len(caps) > 3 else ""
    return Found(
        message=f"{told}{more}, the largest value there: those beyond it seem cut off",
        consequence="Beyond the limit the true value is unknown, and a model learns to stop there.",
        remedy="Keep an indicator of the limit, drop these samples, or use a loss for censored values.",
        severity="info",
        confidence=0.8,
        column=caps[0][0] if len(caps) == 1 else None,
        subject="caps",
        evidence={
            "columns": [{"column": name, "value": plain(s.value), "count": s.count} for name, s in caps[:200]],
            "sampled": not pool.complete,
        },
    )


def _numeric_words(profile: Profile, pool: Pool) -> tuple[dict[str, dict[str, int]], Counter[str]]:
    """Texts for missing values in numeric columns, by column with their counts, and how many there are by split."""
    found: dict[str, dict[str, int]] = {}
    by_split: Counter[str] = Counter()
    for name in profile.feature_names:
        for split in pool.splits:
            words = {w: n for w, n in tokens_of(split, name).items() if missing.is_missing_word(w)}
            for word, count in words.items():
                counts = found.setdefault(name, {})
                counts[word] = counts.get(word, 0) + count
            by_split[split.name] += sum(words.values())
    return found, by_split


def _words(profile: Profile, pool: Pool) -> Iterator[Found]:
    """Texts for missing values, in numeric columns and among categories."""
    found, by_split = _numeric_words(profile, pool)
    numeric = set(found)
    for name in text_names(profile):
        values = value_counts(pool.splits, name)
        words = {v: n for v, n in (values or {}).items() if missing.is_missing_word(v)}
        # Of two values the one may well be "-" or "none"; "+" and "-" are a pair.
        if not values or not words or len(values) == len(words) or {"+", "-"} <= values.keys():
            continue
        if len(values) == 2 and not words.keys() & missing.NEVER_A_VALUE:
            continue
        found[name] = words
        for split in pool.splits:
            here = value_counts([split], name) or {}
            by_split[split.name] += sum(here.get(word, 0) for word in words)
    hard = {
        n for n, words in found.items() if n in numeric or any(w.casefold() not in missing.CATEGORIES for w in words)
    }
    for names, severity in ((hard, WARNING), (set(found) - hard, INFO)):
        if not names:
            continue
        worst = sorted(names, key=lambda name: (-sum(found[name].values()), name))
        cells = sum(sum(found[name].values()) for name in names)
        told = ", ".join(
            f"{' and '.join(repr(word) for word in sorted(found[name])[:2])} "
            f"{_times(sum(found[name].values()))} in {name!r}"
            for name in worst[:3]
        )
        more = f" and in {more_of(len(worst) - 3, 'column')}" if len(worst) > 3 else ""
        stray = _otherwise(len(numeric & names), len(names))
        yield Found(
            message=f"{told}{more}: such texts {'may stand' if severity == INFO else 'stand'} for missing values{stray}",
            consequence="They are taken for a category, or turn a column of numbers into text.",
            remedy="Read them as missing (na_values in pandas) and treat them like gaps.",
            severity=severity,
            confidence=0.6 if severity == INFO else 0.95,
            split=only_split(by_split) if len(pool.splits) > 1 else None,
            column=worst[0] if len(worst) == 1 else None,
            subject="words",
            evidence={
                "cells": cells,
                "columns": [{"column": n, "words": dict(sorted(found[n].items())[:10])} for n in worst[:200]],
            },
            count=max(sum(found[name].values()) for name in names),
            exact=len(names) == 1,
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _otherwise(numeric: int, columns: int) -> str:
    """What is said of columns that hold numbers but for these texts."""
    if not numeric:
        return ""
    if numeric == columns:
        return "; otherwise the column is numeric" if columns == 1 else "; otherwise the columns are numeric"
    return f"; otherwise {numeric:,} of these columns {are(numeric)} numeric"
