"""SPL111 imputed-before-split."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    AllWell,
    Cases,
    Clean,
    Found,
    NumberStats,
    Places,
    Planted,
    Profile,
    Rule,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    digits,
    more_of,
)
from datalint_rules.splits._filled import Filled, filled_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class ImputedBeforeSplit(Rule):
    """Gaps that were filled before the split: one value, repeated in a continuous column, is the mean or median of all splits.

    The statistic of the cells that are not filled is compared with the repeated value to its last digit: over all
    splits together (the leak), over train alone (right, and said so), over each split by itself, and over an unsplit
    file (info).

    ## Why it hurts

    Test rows took part in choosing the value, so the test score is measured with knowledge of the test set. The filled
    cells also look like measurements: the model cannot know that they were missing.

    ## How to fix it

    Split first, fit the imputer on train alone (``SimpleImputer`` in a pipeline) and keep a column that says which
    cells were filled.

    ## When it is wrong

    Where a real value is frequent and happens to be the mean to the last digit, which chance makes of one such value in 1,000.

    Gaps filled with the most frequent value are not looked for: that value is the most frequent one with or without the
    filling, in columns of few values it is so by nature, and it is the same in all splits but the smallest, so that the
    splits cannot show it and next to nothing leaks.

    ## Reference

    37 reasons, item 15. No peer finds it from the data; Kapoor and Narayanan, 2023, "Leakage and the reproducibility
    crisis in machine-learning-based science", list it among the usual leaks.
    """

    code = "SPL111"
    name = "imputed-before-split"
    severity: ClassVar[Severity] = "warning"
    item = "15"
    repair = "irreversible"
    modalities = frozenset({"table"})
    public = frozenset({"case", "statistic", "cells"})
    measures = (NumberStats, Sample)
    sampled = True

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        names = profile.feature_names
        splits = [split for split in profile.splits if split.samples]
        if not names or not splits:
            raise Skip("the table has no numeric feature column", applies=False)
        if len(splits) > 1 and splits[0].name != "train":
            raise Skip(f"there is no train split among {', '.join(split.name for split in splits)}")
        filled = filled_columns(splits, names)
        for case in ("pooled", "each", "unsplit"):
            mine = [column for column in filled if column.fitted == case]
            if mine:
                yield _found(case, mine, splits)
        right = [column for column in filled if column.fitted == "train"]
        if right and len(right) == len(filled):
            raise AllWell(
                f"the gaps of {len(right):,} column{'s' * (len(right) > 1)} were filled with a statistic of train alone"
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Empty 4 % of one column's cells, 25 % at full strength, and fill them with the mean of all splits' others."""
        import pandas as pd

        if len(clean.tables) < 2 or "train" not in clean.tables:
            return None
        whole = pd.concat(clean.tables, names=["split", "row"])
        columns = [
            c
            for c in whole.columns
            if c != clean.label and whole[c].dtype.kind == "f" and whole[c].value_counts().iloc[0] <= 2
        ]
        columns = [c for c in columns if whole[c].nunique() > 40]
        if not columns or len(whole) < 200:
            return None
        column = str(rng.choice(columns))
        gone = np.zeros(len(whole), np.bool_)
        gone[rng.choice(len(whole), round((0.04 + 0.21 * strength) * len(whole)), replace=False)] = True
        gone &= whole[column].notna().to_numpy()
        value = float(whole[column][~gone].mean())
        tables, rows, start = {}, {}, 0
        for name, table in clean.tables.items():
            mine = gone[start : start + len(table)]
            start += len(table)
            tables[name] = table.assign(**{column: table[column].mask(mine, value)})
            rows[name] = frozenset(int(row) for row in np.flatnonzero(mine))
        return Planted(Clean(clean.name, tables, clean.label), column=column, rows=rows)


def _found(case: str, columns: Sequence[Filled], splits: Sequence[SplitProfile]) -> Found:
    columns = sorted(columns, key=lambda column: (-sum(column.copies), column.name))
    worst = columns[0]
    more = f" (and {more_of(len(columns) - 1, 'column')})" if len(columns) > 1 else ""
    cells = f"{sum(worst.copies):,} cells of {worst.name!r} hold {worst.value:.10g}"
    if case == "pooled":
        message = f"{cells}, the {worst.statistic} of all splits' other cells to the last digit (that of train is {worst.train:.10g}){more}"
        consequence = "The test rows helped to choose the value, so the test score is too good."
        remedy = "Split first, then fit the imputer on train alone, and mark the filled cells in a column of their own."
    elif case == "each":
        message = (
            f"the gaps of {worst.name!r} were filled in each split with that split's own {worst.statistic} "
            f"({worst.value:.10g} in {splits[0].name}){more}"
        )
        consequence = "New data cannot be filled the same way, and the test rows leaked into train."
        remedy = "Fill all splits with the statistic of train."
    else:
        message = f"{cells}, the {worst.statistic} of the other cells to the last digit: gaps were filled{more}"
        consequence = "Any split made from this file leaks: its test rows helped to choose the value."
        remedy = "Go back to the data with gaps, split it, and fit the imputer on the training part."
    places, owners = Places.none(), []
    for k, split in enumerate(splits):
        rows = np.logical_or.reduce([column.rows[k] for column in columns])
        mine = split.rows.places.take(rows)
        places = places.then(mine)
        owners += [split.name] * len(mine)
    return Found(
        message=message,
        consequence=consequence,
        remedy=remedy,
        severity="warning" if case == "pooled" else "info",
        confidence=0.98,
        column=worst.name if len(columns) == 1 else None,
        subject=case,
        evidence={
            "case": case,
            "columns": [
                {
                    "column": column.name,
                    "value": digits(column.value, 10),
                    "statistic": column.statistic,
                    "cells": sum(column.copies),
                }
                for column in columns[:50]
            ],
        },
        cases=Cases(owners, places),
        exact=all(split.rows.complete for split in splits),
    )
