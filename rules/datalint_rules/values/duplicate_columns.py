"""VAL108 duplicate-columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

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
    TextStats,
    more_of,
    quoted,
)
from datalint_rules.values._copies import Copies, find
from datalint_rules.values._tables import Pool, need_tables, text_names

if TYPE_CHECKING:
    from collections.abc import Iterator


class DuplicateColumns(Rule):
    """The same feature twice: equal columns, and, as info, one that is a rescaled, otherwise monotone or renamed copy of another.

    Equal means in every row, gaps included. Columns of which nearly all values are the same (rare flags, border pixels)
    can be equal by accident and are info; constant ones are VAL105's. Copies under another scale, under a monotone map
    and categories that correspond one to one are info: a code next to a name is common.

    ## Why it hurts

    The feature counts twice: distances and regularisation are off, the coefficients of linear models and the importance
    of features are shared out at random between the copies, and inverting the covariance fails.

    ## How to fix it

    Drop all but one of each group.

    ## When it is wrong

    Where two measurements are expected to agree and their difference is the subject.

    ## Reference

    37 reasons, item 1. Deepchecks (feature-feature correlation), Evidently (duplicate columns), ydata (high correlation).
    Unlike these it keeps equality from mere correlation, looks through units and codes, and asks whether chance would do.
    """

    code = "VAL108"
    name = "duplicate-columns"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"table"})
    public = frozenset({"groups", "group_count", "pair_count", "kind", "copy"})
    measures = (Sample, NumberStats, TextStats)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        rows: int = Field(
            10, ge=1, description="Fewest rows off a column's commonest value for equality to be no accident."
        )
        correlation: float = Field(0.99999, gt=0.9, le=1, description="Correlation from which one column is a copy.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare the columns of all splits together."""
        need_tables(profile)
        pool = Pool.of(profile)
        if pool.size < 10:
            raise Skip("fewer than 10 samples")
        if len(profile.feature_names) + len(text_names(profile)) < 2:
            raise Skip("there are no two feature columns", applies=False)
        with np.errstate(over="ignore", invalid="ignore"):  # sums of huge numbers
            copies = find(profile, pool, self.params.rows, self.params.correlation)
        if copies.equal:
            yield _found(copies, "equal", None)
        if copies.rare:
            yield _found(copies, "rare", "info")
        if copies.mapped:
            yield _mapped(copies)

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Add a copy of one column under another name."""
        if clean.files:
            return None
        first = next(iter(clean.tables.values()))
        columns = []
        for name in first.columns:
            if "id" in str(name).lower().split("_"):
                continue  # a key is no feature, and neither is its copy
            counts = first[name].value_counts()
            if name != clean.label and 2 < len(counts) < len(first) and counts.iloc[0] <= 0.8 * first[name].count():
                columns.append(name)
        if not columns or len(first) < 30:
            return None
        column = columns[int(rng.integers(len(columns)))]
        tables = {}
        for split, table in clean.tables.items():
            tables[split] = table.copy()
            tables[split].insert(1, "extra_feature", table[column])
        return Planted(Clean(clean.name, tables, clean.label), column="extra_feature")


def _found(copies: Copies, kind: str, severity: Severity | None) -> Found:
    groups = copies.equal if kind == "equal" else copies.rare
    told = "; ".join(f"{quoted(group)} are equal" for group in groups[:3])
    more = f"; and {more_of(len(groups) - 3, 'group')}" if len(groups) > 3 else ""
    why = "" if kind == "equal" else ", but nearly all of their values are the same, so it may be an accident"
    return Found(
        message=f"{told}{more} in all {copies.rows:,} {'samples' if copies.complete else 'sampled rows'}{why}",
        consequence="The feature counts twice, and linear models share its weight out at random.",
        remedy="Drop all but one of each group.",
        severity=severity,
        confidence=0.99 if copies.complete else 0.97,
        subject=kind,
        evidence={"groups": [list(group[:50]) for group in groups[:100]], "group_count": len(groups)},
    )


def _mapped(copies: Copies) -> Found:
    words = {
        "scaled": "{b!r} is a rescaled copy of {a!r}",
        "monotone": "{b!r} is a monotone function of {a!r}",
        "renamed": "the values of {a!r} and {b!r} correspond one to one",
    }
    told = "; ".join(words[kind].format(a=a, b=b) for kind, a, b in copies.mapped[:3])
    more = f"; and {more_of(len(copies.mapped) - 3, 'pair')}" if len(copies.mapped) > 3 else ""
    return Found(
        message=told + more,
        consequence="The second column adds nothing, and linear models share the weight out at random.",
        remedy="Keep one of each pair.",
        severity="info",
        confidence=0.9,
        subject="mapped",
        evidence={
            "pairs": [{"kind": kind, "column": a, "copy": b} for kind, a, b in copies.mapped[:100]],
            "pair_count": len(copies.mapped),
        },
    )
