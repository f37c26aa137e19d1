"""NRM103 heavy-tails."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from datalint.author import MIN_TAIL_VALUES as MIN_VALUES
from datalint.author import (
    Clean,
    Field,
    Found,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    Tail,
    digits,
    tail_of,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class HeavyTails(Rule):
    """Features of which a few extreme values hold most of the sum of squares, and so of the gradient.

    Weighs the most extreme 0.1 % of the values (one at least) of the training split. Beyond what a column with
    exponential tails would give it is info, with the advice to take the logarithm; it is a warning where a gap
    of 10,000 to 1 lies before them, which no logarithm closes: a few values of another order of magnitude.

    ## Why it hurts

    A linear layer's gradient is proportional to its input, so the few rows with huge values decide each step they are
    in; standardising with their deviation squeezes all others into one point.

    ## How to fix it

    Take the logarithm (``log1p`` where there are zeros, ``arcsinh`` where there are negative values), clip at a
    quantile, or scale by rank (``QuantileTransformer``). Check the single wild values: they may be errors.

    ## When it is wrong

    For trees, and where the extreme values are what is to be learned.

    ## Reference

    37 reasons, item 35. Peers test skewness or kurtosis against a fixed cut, whose sampling error has no bound in
    heavy-tailed columns; the share of the sum of squares is bounded, and compared with what chance gives at this size.
    """

    code = "NRM103"
    name = "heavy-tails"
    severity: ClassVar[Severity] = "warning"
    item = "35"
    of_whole = True
    modalities = frozenset({"table"})
    public = frozenset({"share", "by_chance_at_most", "features", "values"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        # One value in a thousand that counts for a fifth of all counts 250 times as much as the others.
        share: float = Field(0.2, gt=0, lt=1, description="Share of the sum of squares that is worth knowing.")
        # Together with a gap of 10,000 to 1 before them, which no logarithm closes.
        wild_share: float = Field(0.9, gt=0, lt=1, description="Share of the sum of squares that is a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the training split."""
        split = next((split for split in profile.splits if split.samples), None)
        if split is None or not profile.feature_names:
            raise Skip("the table has no numeric feature column", applies=False)
        if split.samples < MIN_VALUES:
            raise Skip(f"fewer than {MIN_VALUES} rows show no tail")
        rows = split.rows
        at = {name: j for j, name in enumerate(rows.names)}
        names = [name for name in profile.feature_names if name in at]
        tails = {name: tail_of(rows.numbers[:, at[name]], len(names)) for name in names}
        heavy = {name: tail for name, tail in tails.items() if tail and tail.heavy and tail.share >= self.params.share}
        wild = {name: t for name, t in heavy.items() if t.wild and t.share >= self.params.wild_share}
        mild = {name: t for name, t in heavy.items() if name not in wild}
        about = "" if rows.complete else "about "
        if wild:
            yield _found(wild, len(names), split.name, about, "warning")
        if mild:
            yield _found(mild, len(names), split.name, about, "info")

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Make one value in a thousand of one feature a million times its largest; 10 ** 9 times at full strength."""
        split = training(clean) if clean.tables else ""
        if not split or len(clean.tables[split]) < 300:
            return None
        table = clean.tables[split].copy()
        columns = [
            c for c in table.columns if c != clean.label and table[c].dtype.kind == "f" and table[c].nunique() > 20
        ]
        if not columns or len(columns) > 100:
            return None
        column = str(rng.choice(columns))
        rows = rng.choice(len(table), math.ceil(0.001 * len(table)), replace=False)
        top = float(table[column].abs().max())
        table.loc[table.index[rows], column] = top * 10 ** (6 + 3 * strength)
        return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split, column=column)


def _found(tails: dict[str, Tail], features: int, split: str, about: str, severity: Severity) -> Found:
    order = sorted(tails, key=lambda name: (-tails[name].share, name))
    name, worst = order[0], tails[order[0]]
    wild = severity == "warning"
    few = "its most extreme value holds" if worst.top == 1 else f"its {worst.top:,} most extreme values hold"
    which = f"{name!r} has" if len(tails) == 1 else f"{len(tails):,} of {features:,} features have"
    most = "" if len(tails) == 1 else f" {name!r} most of all:"
    function = "log" if worst.low > 0 else "log1p" if worst.low == 0 else "arcsinh"
    return Found(
        message=(
            f"{which} {'wild values' if wild else 'heavy tails'}:{most} {few} {about}{worst.share:.0%} of the sum of "
            f"squares (the farthest is {worst.farthest:.4g})"
        ),
        consequence="A few rows decide the gradient, and scaling by the deviation squeezes all others together.",
        remedy=(
            "Check the single wild values: they may be errors; otherwise clip them or scale by rank."
            if wild
            else f"Take the logarithm (np.{function} for {name!r}), clip at a quantile, or scale by rank."
        ),
        severity=severity,
        confidence=0.97 if wild else 0.9,
        split=split,
        column=name if len(tails) == 1 else None,
        evidence={
            "share": digits(worst.share, 3),
            "by_chance_at_most": digits(worst.by_chance, 3),
            "features": features,
            "columns": [
                {
                    "column": name,
                    "share": digits(tails[name].share, 3),
                    "values": tails[name].top,
                    "farthest": digits(tails[name].farthest, 4),
                }
                for name in order[:50]
            ],
        },
        count=worst.top,
        exact=not about,
    )
