"""SPL103 pre-split-normalization."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    AllWell,
    Cases,
    Clean,
    Dataset,
    Found,
    Measurement,
    NumberStats,
    PixelMoments,
    Planted,
    Profile,
    Rule,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    codes_of,
    digits,
    more_of,
)
from datalint_rules.splits._encodings import Encoded, encoded_columns
from datalint_rules.splits._interpolated import MOST_JUDGED, between
from datalint_rules.splits._scaling import Verdict, judge
from datalint_rules.splits._scaling_pixels import judge_pixels
from datalint_rules.splits._scaling_rows import ColumnFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue


class PreSplitNormalization(Rule):
    """A scaler that was fitted before the split: statistics of the pooled splits are exact, those of train are not.

    Standard scaling, centring, min-max, max-abs and robust scaling leave their statistic exactly at its mark (mean 0 and
    deviation 1, extremes 0 and 1, ...) on the rows they were fitted on and off by sampling error on any others; a quantile
    transform leaves every value at its own rank. So the
    numbers show where the scaler was fitted: on all splits together (the leak), on each split by itself, on the one
    unsplit file, or on train alone, which is right and is said in the report's evidence of other findings only. Of pictures
    that are stored as floating-point numbers it looks at a mean picture that was subtracted, and at one mean and deviation for
    all values or for each channel.

    What else is fitted to rows leaves its traces as well: columns whose values are the mean target of their level, or how
    often the level occurs, over all splits (target and frequency encoding), and test rows exactly on the line between two rows
    of train (SMOTE before the split).

    ## Why it hurts

    Test rows took part in choosing the scale, so the test score is measured with knowledge of the test set; with small
    or drifting data it comes out too good. Scaling each split by itself hides real differences between them and cannot
    be repeated on new data.

    ## How to fix it

    Split the raw data first, fit the scaler on train alone, and apply it to the others (a scikit-learn ``Pipeline`` does
    it inside cross-validation as well). The scaled numbers cannot be unscaled from the files alone: start from the raw data.

    ## When it is wrong

    Scores that are centred by construction (principal components of all rows) look the same and leak the same. Where train
    happens to hold the extremes of every column, min-max scaling on all rows and on train give the same numbers; then
    nothing leaked and the rule is silent. A number of members that is complete by nature, such as the
    size of households of which all members are rows, looks like an encoded frequency. Rows that were interpolated in time lie between others as those of SMOTE do, and leak
    as much.

    ## Reference

    37 reasons, item 15.
    """

    code = "SPL103"
    name = "pre-split-normalization"
    severity: ClassVar[Severity] = "warning"
    item = "15"
    repair = "irreversible"
    public = frozenset(
        {
            "case",
            "scaling",
            "encoding",
            "fitted_on",
            "columns_agreeing",
            "columns_testable",
            "levels_agreeing",
            "levels_testable",
            "between",
            "judged",
            "chance",
        }
    )

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The moments of columns and their sampled rows, or those of the pixels of arrays."""
        return (NumberStats, Sample) if dataset.modality == "table" else (PixelMoments,)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        splits = [split for split in profile.splits if split.samples]
        if profile.dataset.modality == "images":
            yield from _pictures(splits)
            return
        names = list(profile.feature_names)
        # The training split comes first by the order of splits; without one there is no telling who fitted what.
        if not names:
            raise Skip("the table has no numeric feature column", applies=False)
        if len(splits) > 1 and splits[0].name != "train":
            raise Skip(f"there is no train split among {', '.join(split.name for split in splits)}")
        yield from _encoded(splits, names)
        yield from _interpolated(splits, names)
        verdict = judge([(split.name, _facts(split, names)) for split in splits], names)
        if verdict is None:
            return
        columns = f"{verdict.agreeing:,} of {verdict.testable:,} testable columns"
        if verdict.case == "train":
            raise AllWell(
                f"the scaler was fitted on train alone, as it should be: {columns} are {_KINDS[verdict.kind]} there"
            )
        yield _found(verdict, [split.name for split in splits], columns)

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Standardise the numeric features of all splits with the statistics of the pooled rows."""
        import pandas as pd

        if len(clean.tables) < 2:
            return None
        whole = pd.concat(clean.tables.values(), ignore_index=True)
        columns = [
            c for c in whole.columns if c != clean.label and whole[c].dtype.kind == "f" and whole[c].nunique() > 20
        ]
        if len(columns) < 3:
            return None
        mean, deviation = whole[columns].mean(), whole[columns].std(ddof=0)
        tables = {}
        for split, table in clean.tables.items():
            scaled = table.copy()
            scaled[columns] = ((table[columns] - mean) / deviation).round(6)
            tables[split] = scaled
        return Planted(Clean(clean.name, tables, clean.label))


_MOST_CLASSES = 20
"""Classes that are looked at one by one."""

_FEWEST_BETWEEN = 3
"""Rows between two others that are no coincidence."""

MAX_CELLS = 6_000_000
"""Sampled cells that are looked at; very wide tables are judged on fewer rows."""

_KINDS = {
    "standard": "standardised (mean 0, deviation 1)",
    "unit-norm": "centred and scaled to unit length",
    "min-max": "scaled to [0, 1]",
    "min-max-signed": "scaled to [-1, 1]",
    "max-abs": "scaled to a largest magnitude of 1",
    "robust": "scaled to median 0 and interquartile range 1",
    "centred": "centred (mean 0)",
    "uniform-ranks": "their own ranks from 0 to 1 (a quantile transform)",
    "normal-ranks": "the normal quantiles of their own ranks (a quantile transform)",
}


def _pictures(splits: list[SplitProfile]) -> Iterator[Found]:
    """Judge arrays of pictures."""
    moments = [(split.name, split[PixelMoments]) for split in splits]
    if not any(numbers.names for _, numbers in moments):
        raise Skip("pictures stored as whole numbers have not been scaled", applies=False)
    if len(splits) > 1 and splits[0].name != "train":
        raise Skip(f"there is no train split among {', '.join(split.name for split in splits)}")
    judged = judge_pixels(moments)
    if judged is None:
        return
    verdict, subject = judged
    words = {
        "pixels": f"{verdict.agreeing:,} of {verdict.testable:,} pixels that were looked at",
        "channels": f"the values of all {verdict.testable} channels",
        "values": "all values taken together",
    }[subject]
    if verdict.case == "train":
        raise AllWell(
            f"the scaler was fitted on train alone, as it should be: {words} are {_KINDS[verdict.kind]} there"
        )
    yield _found(verdict, [split.name for split in splits], words)


_ENCODINGS = {
    "mean": "the mean label of the rows that hold it",
    "count": "how many rows hold it (or a whole number of levels that are as frequent)",
    "share": "the share of the rows that hold it (or a whole number of levels that are as frequent)",
}


def _encoded(splits: list[SplitProfile], names: list[str]) -> Iterator[Found]:
    """Columns that encode levels by their mean target or by their frequency; what is sampled shows neither."""
    if len(splits) < 2 or not all(split.rows.complete for split in splits):
        return
    targets = _targets(splits)
    values = [np.column_stack([split.rows.column(name) for name in names]) for split in splits]
    found = encoded_columns(values, targets, names, [split.samples for split in splits])
    for case in ("pooled", "each"):
        mine = [column for column in found if column.case == case]
        if mine:
            yield _encoding(mine, [split.name for split in splits])


def _targets(splits: list[SplitProfile]) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """[rows, targets] of each split: the label as a number, and one column of 0 and 1 for each of up to 20 classes."""
    classes = sorted({str(name) for split in splits for name in split.rows.label if name is not None})
    parts = []
    for split in splits:
        columns = [split.rows.target]
        if len(classes) <= _MOST_CLASSES and not split.rows.several:
            given = split.rows.label
            columns += [(given == name).astype(np.float64) for name in classes]
        parts.append(np.column_stack(columns))
    return parts


def _encoding(columns: list[Encoded], splits: list[str]) -> Found:
    first = columns[0]
    more = f" ({more_of(len(columns) - 1, 'column')} likewise)" if len(columns) > 1 else ""
    what = f"{first.agreeing:,} of {first.testable:,} values of {first.name!r} are exactly {_ENCODINGS[first.kind]}"
    if first.case == "pooled":
        message = f"{what} in {' + '.join(splits)} together, {first.on_train:,} in train alone{more}: it was encoded before the split"
        consequence = (
            "The column tells the model the labels or the frequencies of test rows, so the test score is too good."
        )
        remedy = "Split first, fit the encoder on train only (for means out of fold), and apply it to the other splits."
    else:
        message = f"{what} in each of {', '.join(splits)}{more}: every split was encoded by itself"
        consequence = "The test rows are encoded with their own labels or frequencies, which new data does not have."
        remedy = "Fit the encoder on train only and apply it unchanged to the other splits."
    return Found(
        message=message,
        consequence=consequence,
        remedy=remedy,
        column=first.name,
        subject="encoding",
        evidence={
            "case": first.case,
            "encoding": first.kind,
            "fitted_on": list(splits),
            "levels_agreeing": first.agreeing,
            "levels_testable": first.testable,
            "columns": [{"column": column.name} for column in columns[:20]],
        },
    )


def _interpolated(splits: list[SplitProfile], names: list[str]) -> Iterator[Found]:
    """Rows of the other splits between two rows of train."""
    if len(splits) < 2:
        return
    codes, _ = codes_of(np.concatenate([split.rows.label for split in splits]))
    ends = np.cumsum([len(split.rows) for split in splits])
    parts = [np.column_stack([split.rows.column(name) for name in names]) for split in splits]
    classes = np.split(codes, ends[:-1])
    for split, rows, own in list(zip(splits, parts, classes, strict=True))[1:]:
        found = between(parts[0], rows, classes[0], own)
        if len(found) < _FEWEST_BETWEEN:
            continue
        judged = min(len(rows), MOST_JUDGED)
        yield Found(
            message=(
                f"{len(found):,} of {judged:,} rows of {split.name} lie exactly on the line between two rows of train, as "
                "SMOTE makes them: rows were added before the split"
            ),
            consequence="These rows are mixtures of train rows and no test: the test score is too good.",
            remedy="Split the original rows first, then oversample train only.",
            split=split.name,
            against="train",
            subject="interpolated",
            evidence={"between": len(found), "judged": judged},
            cases=Cases(split.name, split.rows.places.take(found[:, 0])),
            count=round(len(found) * split.samples / judged),
            exact=judged == split.samples,
        )


def _found(verdict: Verdict, splits: list[str], columns: str) -> Found:
    kind = _KINDS[verdict.kind]
    fitted = " + ".join(verdict.splits)
    if verdict.case == "pooled":
        message = f"the scaler was fitted before the split: {columns} are exactly {kind} over {fitted} together, and not over train alone"
        consequence = "The test rows helped to choose the scale, so the test score is too good."
        remedy = "Split the raw data first, fit the scaler on train only and apply it to the other splits."
    elif verdict.case == "each":
        message = f"every split was scaled by itself: {columns} are exactly {kind} in each of {', '.join(splits)}"
        consequence = "Real differences between the splits are hidden, and new data cannot be scaled the same way."
        remedy = "Fit the scaler on train only and apply it unchanged to the other splits."
    else:
        message = f"the unsplit file is already normalised: {columns} are exactly {kind} over all rows"
        consequence = "Any split made from it leaks: its test rows helped to choose the scale."
        remedy = "Split the raw data first, then fit the scaler on the training part only."
        if verdict.bounded:
            remedy += " (Columns that are shares by nature, from 0 to 1, look the same; those need nothing.)"
    return Found(
        message=message,
        consequence=consequence,
        remedy=remedy,
        confidence=min(0.999, 1 - verdict.chance) if not verdict.bounded else 0.8,
        evidence={
            "case": verdict.case,
            "scaling": verdict.kind,
            "fitted_on": list(verdict.splits),
            "columns_agreeing": verdict.agreeing,
            "columns_testable": verdict.testable,
            "chance": digits(verdict.chance, 2),
            "columns": _table(verdict),
        },
    )


def _table(verdict: Verdict) -> list[JsonValue]:
    """The deciding columns with their statistics on each set of rows."""
    rows: list[JsonValue] = []
    for row in verdict.rows[:20]:
        cells: dict[str, JsonValue] = {"column": row.name}
        for where, values in row.values.items():
            for statistic, value in zip(verdict.statistics, values, strict=True):
                cells[f"{statistic} ({where})"] = digits(value, 4)
        rows.append(cells)
    return rows


def _facts(split: SplitProfile, names: list[str]) -> ColumnFacts:
    """The facts of the named columns; a column that the split lacks counts as empty."""
    numbers, rows = split[NumberStats], split.rows
    at = {name: j for j, name in enumerate(numbers.names)}
    empty = [name for name in names if name not in at]
    if empty:
        raise Skip(f"the split {split.name} lacks the column {empty[0]!r}")
    places = np.array([at[name] for name in names])
    inside = {name: j for j, name in enumerate(rows.names)}
    return ColumnFacts(
        count=numbers.count[places],
        mean=numbers.mean[places],
        m2=numbers.m2[places],
        minimum=numbers.low[places],
        maximum=numbers.high[places],
        negative=numbers.negative[places],
        zero=numbers.zero[places],
        integral=numbers.whole[places],
        sample=rows.numbers[:: 1 + rows.numbers.size // MAX_CELLS, [inside[name] for name in names]],
    )
