"""VAL103 missing-values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Column,
    Field,
    Found,
    NumberStats,
    Planted,
    Profile,
    Role,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    TextStats,
    codes_of,
    counted,
    digits,
    have,
    quoted,
    training,
)
from datalint_rules.values._codes import read_as_gap
from datalint_rules.values._tables import Pool, need_tables, only_split, value_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from pydantic import JsonValue


INPUTS: tuple[Role, ...] = ("feature", "text")
KEYS: tuple[Role, ...] = ("id", "group")
"""Roles of columns: keys are no inputs, but rows are joined and split by them."""

UNMEASURED = 0.01
"""Share of rows without a number from which they are a warning: what else they hold may be meant."""


class MissingValues(Rule):
    """Empty cells: how many per column and class, columns without any value, and rows without any.

    A few gaps are info. It is a warning where a column is empty throughout, where much of a column is missing, where
    leaving out incomplete rows would lose more than half of them, and where whole rows are empty or hold none of the
    numbers that the table is made of. Gaps in keys
    (``patient_id``) make no row incomplete, as keys are not inputs; they are reported separately. Texts that stand for a gap
    ("?", -999) are VAL104's, NaN in arrays VAL102's, and gaps that predict the label SIG104's.

    ## Why it hurts

    Most models take no gaps: one NaN makes the loss NaN. What is done about them (dropping rows, filling in a mean)
    changes the data, and the more so the more is missing. Empty rows teach a label from nothing. A row without its key
    can be neither joined nor kept on one side of a split.

    ## How to fix it

    Drop empty rows and columns. Fill the rest from statistics of the training split alone, with an indicator column
    where much is missing, or use a model that takes gaps (gradient boosting).

    ## When it is wrong

    Where a gap means something ("no cabin"): give it a category of its own. Gaps among two-letter codes of countries or
    continents are taken for NA, which is Namibia or North America, as long as there are no more than of another code.

    ## Reference

    37 reasons, item 37. Cleanlab Datalab (null), Deepchecks (mixed nulls, percent of nulls), ydata (missing), TFDV. Unlike
    these it says what dropping incomplete rows would cost, and does not raise its voice for a gap or two.
    """

    code = "VAL103"
    name = "missing-values"
    severity: ClassVar[Severity] = "warning"
    item = "37"
    follows = ("SPL110:column",)
    modalities = frozenset({"table"})
    public = frozenset(
        {
            "missing_cells",
            "incomplete_rows_share",
            "empty_rows",
            "missing",
            "missing_share",
            "missing_share_by_class",
            "gaps",
        }
    )
    measures = (NumberStats, TextStats, Sample)

    class Params(RuleParams):
        """Cuts."""

        much: float = Field(
            0.2, gt=0, le=1, description="Share of missing cells of a column from which it is a warning."
        )
        incomplete: float = Field(0.5, gt=0, le=1, description="Share of rows with a gap from which it is a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        need_tables(profile)
        if profile.dataset.storage.of_arrays:
            raise Skip("NaN in arrays is judged by VAL102", applies=False)
        if profile.dataset.conversation is not None:
            raise Skip("empty turns of conversations are judged by CHT102", applies=False)
        pool = Pool.of(profile)
        missing = _missing(pool, _columns(profile, *INPUTS, *KEYS))
        meant = {name: code for name, gaps in missing.items() if (code := _code_meant(pool, name, gaps))}
        for name, code in sorted(meant.items()):
            yield self._code(profile, pool, name, missing[name], code)
        inputs, keys = (
            {f.name: missing[f.name] for f in _columns(profile, *roles) if f.name in missing and f.name not in meant}
            for roles in (INPUTS, KEYS)
        )
        if inputs:
            yield from self._judge(profile, pool, inputs)
        if keys:
            yield self._keys(profile, pool, keys)

    def _judge(self, profile: Profile, pool: Pool, missing: dict[str, int]) -> Iterator[Found]:
        total = pool.samples
        gaps = _gaps(profile, pool, list(missing))
        counted = gaps.sum(1)
        features = _columns(profile, *INPUTS)
        whole = [name for name in missing if missing[name] >= total]
        # A column without any value makes no row incomplete: it is dropped as a whole.
        partial = np.array([name not in whole for name in missing], np.bool_)
        incomplete = np.flatnonzero(gaps[:, partial].any(1))
        empty = (
            np.flatnonzero(counted == len(features))
            if len(whole) < len(features) and len(features) > 1 and not profile.unseen_names
            else counted[:0]
        )
        share = len(incomplete) / max(pool.size, 1)
        worst = sorted(missing, key=lambda name: (-missing[name], name))
        cells = sum(missing.values())
        about = "" if pool.complete else "about "
        partly = [missing[name] for name in missing if missing[name] < total]
        rows = min(
            max(round(share * total), *partly, 0), sum(partly)
        )  # of a sample it is an estimate between exact counts
        much = missing[worst[0]] >= self.params.much * total
        blank = _blank(profile, pool) if not len(empty) else empty[:0]
        bad = (
            much or share >= self.params.incomplete or len(empty) > 0 or len(blank) >= max(1.0, UNMEASURED * pool.size)
        )
        shown = [name for name in worst if name not in whole]
        parts = []
        if whole:
            parts.append(f"{quoted(whole)} {have(len(whole))} no value at all")
        if len(empty) or len(blank):
            lost = round(max(len(empty), len(blank)) / pool.size * total)
            parts.append(f"{about}{lost:,} of {total:,} rows {'are empty' if len(empty) else 'hold no number'}")
        if shown:
            parts.append(
                f"{about if len(partly) > 1 else ''}{rows:,} of {total:,} rows have gaps: {_told(shown, missing, total)}"
            )
        by_class = _by_class(pool, gaps, list(missing), shown[0]) if shown else {}
        named = next((rows for rows in (empty, blank) if len(rows)), incomplete)
        yield Found(
            message="; ".join(parts),
            consequence="Most models cannot take gaps, and how they are filled changes what is learnt.",
            remedy=(
                "Drop empty rows and columns; fill the rest from the training split alone, with an indicator column."
                if whole or len(empty) or len(blank)
                else "Fill them from the training split alone (with an indicator column where many), or drop these rows."
            ),
            severity=None if bad else "info",
            confidence=0.99,
            split=_only_split(pool, features),
            column=worst[0] if len(worst) == 1 else None,
            subject="",
            evidence={
                "missing_cells": cells,
                "incomplete_rows_share": digits(share, 3),
                "empty_rows": max(len(empty), len(blank)),
                "columns": _figures(worst, missing, total),
                "missing_share_by_class": {k: digits(v, 3) for k, v in by_class.items()},
            },
            cases=pool.cases(named, {"gaps": [int(counted[k]) for k in named]}),
            count=round(len(named) / max(pool.size, 1) * total),
            exact=pool.complete,
        )

    def _code(self, profile: Profile, pool: Pool, name: str, gaps: int, code: str) -> Found:
        rows = np.flatnonzero(_gaps(profile, pool, [name])[:, 0])
        cells = "1 cell is" if gaps == 1 else f"{gaps:,} cells are"
        kind = "countries" if code == "Namibia" else "continents"
        return Found(
            message=f"{cells} empty in {name!r} among codes of {kind}: 'NA' ({code}) was probably read as a gap",
            consequence=f"{code} is lost: its rows are dropped, filled or set apart as if nothing were known of them.",
            remedy=(
                "Look whether the file says NA, and read it as a text: keep_default_na=False of pandas, na.strings of R."
            ),
            severity="info",
            confidence=0.8,
            split=_only_split(pool, [f for f in profile.dataset.fields if f.name == name]),
            column=name,
            subject="code",
            evidence={"columns": _figures([name], {name: gaps}, pool.samples)},
            cases=pool.cases(rows),
            count=gaps,
            exact=pool.complete,
        )

    def _keys(self, profile: Profile, pool: Pool, missing: dict[str, int]) -> Found:
        total = pool.samples
        worst = sorted(missing, key=lambda name: (-missing[name], name))
        rows = np.flatnonzero(_gaps(profile, pool, worst).any(1))
        return Found(
            message=f"gaps in what looks like {'a key' if len(worst) == 1 else 'keys'}: {_told(worst, missing, total)}",
            consequence="Rows without a key can be neither joined nor kept on one side of a split.",
            remedy="Look the keys up where the rows come from, or leave these rows out where it is split by them.",
            severity=None if missing[worst[0]] >= self.params.much * total else "info",
            confidence=0.9,
            split=_only_split(pool, _columns(profile, *KEYS)),
            column=worst[0] if len(worst) == 1 else None,
            subject="keys",
            evidence={"columns": _figures(worst, missing, total)},
            cases=pool.cases(rows),
            count=round(len(rows) / max(pool.size, 1) * total),
            exact=pool.complete,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Empty a quarter of one feature column, all of it at full strength."""
        if clean.files:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        columns = [c for c in table.columns if c != clean.label and table[c].dtype.kind in "fiuO"]
        if len(columns) < 2 or len(table) < 20 or table[columns].isna().to_numpy().any():
            return None
        # Of several splits the others keep the column, so that all of it is judged against the whole.
        total = sum(len(part) for part in clean.tables.values())
        column = columns[int(rng.integers(len(columns)))]
        count = min(len(table), round(total * (0.25 + 0.75 * strength)))
        rows = rng.choice(len(table), count, replace=False)
        values = table[column].astype(object if table[column].dtype.kind == "O" else float)
        values.iloc[rows] = None if values.dtype == object else np.nan
        table[column] = values
        return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split, column=str(column))


def _columns(profile: Profile, *roles: Role) -> list[Column]:
    """Columns of some roles, of kinds whose gaps are counted."""
    return [f for f in profile.dataset.fields if f.role in roles and f.kind in {"number", "text", "time"}]


def _missing(pool: Pool, columns: Sequence[Column]) -> dict[str, int]:
    """Empty cells by column, those that hold a text instead of a number not among them."""
    found: dict[str, int] = {}
    for column in columns:
        name, count = column.name, 0
        for split in pool.splits:
            if split.lacks(name):  # which SPL110 reports
                continue
            if column.kind == "number":
                numbers, j = split[NumberStats], split.position(name)
                if j is not None:
                    count += numbers.samples - int(numbers.count[j]) - int(numbers.infinite[j])
                    tokens = numbers.tokens.get(name, {})
                    # Too many stray texts to list: how many cells they fill is not known.
                    count = 0 if tokens is None else count - sum(tokens.values())
                else:
                    count += split.samples
            else:
                count += split[TextStats].missing(name)
        if count > 0:
            found[name] = count
    return found


def _told(names: Sequence[str], missing: Mapping[str, int], total: int) -> str:
    """How much is missing of up to three columns."""
    more = f" and {counted(len(names) - 3, 'column')} more" if len(names) > 3 else ""
    return ", ".join(f"{missing[name]:,} ({missing[name] / total:.1%}) of {name!r}" for name in names[:3]) + more


def _figures(names: Sequence[str], missing: Mapping[str, int], total: int) -> list[JsonValue]:
    """The same as evidence."""
    return [{"column": n, "missing": missing[n], "missing_share": digits(missing[n] / total, 3)} for n in names[:200]]


def _gaps(profile: Profile, pool: Pool, names: list[str]) -> NDArray[np.bool_]:
    """[rows, columns] which cells are empty."""
    kinds = {f.name: f.kind for f in profile.dataset.fields}
    columns = [
        np.isnan(pool.numbers(name))
        if kinds[name] == "number"
        else np.array([cell is None for cell in pool.texts(name).tolist()], np.bool_)
        for name in names
    ]
    if not columns:
        return np.zeros((pool.size, 0), np.bool_)
    had = np.concatenate(
        [np.tile([not split.lacks(name) for name in names], (len(split.rows), 1)) for split in pool.splits]
    )
    found: NDArray[np.bool_] = np.column_stack(columns).astype(np.bool_) & had
    return found


def _code_meant(pool: Pool, name: str, gaps: int) -> str:
    """What the code NA means in a column of codes whose gaps are probably that code; empty for other columns."""
    if not any(name in split[TextStats].values for split in pool.splits):
        return ""
    counts = value_counts(pool.splits, name)
    return read_as_gap(counts, gaps) if counts is not None else ""


def _blank(profile: Profile, pool: Pool) -> NDArray[np.int64]:
    """Rows of a table of numbers in which none is known; what else is in them names what was to be measured."""
    if not profile.of_numbers:
        return np.zeros(0, np.int64)
    known = np.zeros(pool.size, np.bool_)
    for name in profile.feature_names:
        known |= ~np.isnan(pool.numbers(name))
    return np.flatnonzero(~known)


def _by_class(pool: Pool, gaps: NDArray[np.bool_], names: list[str], name: str) -> dict[str, float]:
    """Share of missing cells of a column per class, of up to 20 classes."""
    labels = pool.labels()
    known = np.array([label is not None for label in labels.tolist()], np.bool_)
    if not known.any():
        return {}
    codes, classes = codes_of(labels[known])
    if not 2 <= len(classes) <= 20:
        return {}
    missing = np.bincount(codes, gaps[known, names.index(name)], minlength=len(classes))
    return {c: float(m / n) for c, m, n in zip(classes, missing, np.bincount(codes), strict=True)}


def _only_split(pool: Pool, columns: Sequence[Column]) -> str | None:
    """The one of several splits in which something is missing."""
    if len(pool.splits) < 2:
        return None
    return only_split({split.name: sum(_missing(Pool([split]), columns).values()) for split in pool.splits})
