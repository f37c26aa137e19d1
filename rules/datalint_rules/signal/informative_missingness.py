"""SIG104 informative-missingness."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Dataset,
    Field,
    Found,
    LabelRuns,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    SampledRows,
    Severity,
    Skip,
    chi_square,
    codes_of,
    digits,
    labelled_rows,
    more_of,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class InformativeMissingness(Rule):
    """Columns whose gaps themselves predict the label.

    ## Why it hurts

    Which cells are empty often says how the sample was collected: tests that only the sick had, forms that were only
    completed after the sale. A model picks that up through any imputation, and fails where collection differs. Dropping
    rows with gaps, on the other hand, changes the mix of classes.

    ## How to fix it

    Find out why the cells are empty. If that is known before the label, keep an indicator column and say so; if not, drop
    the column. Do not drop the rows.

    ## When it is wrong

    Where the gap is a fact about the sample that will be known in use as well ("no previous loan").

    ## Reference

    37 reasons, item 5. Peers report a Cramér's V of 0.3 at p < 0.05 in any column; here p is corrected for all columns.
    """

    code = "SIG104"
    name = "informative-missingness"
    severity: ClassVar[Severity] = "warning"
    item = "5"
    modalities = frozenset({"table"})
    wants = "label"
    public = frozenset({"effect", "p_value", "gaps", "rows"})
    measures = (LabelRuns, Sample)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        effect: float = Field(
            0.3,
            gt=0,
            le=1,
            description="Cramér's V between gap and class from which it is a warning (for a numeric target the correlation).",
        )
        mild_effect: float = Field(0.1, gt=0, le=1, description="The same from which it is info.")
        level: float = Field(1e-3, gt=0, lt=1, description="Chance of a false alarm over all columns.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare gaps with labels in the training split."""
        numeric = profile.task == "regression"
        for split in profile.splits:
            picked = labelled_rows(split.rows, numeric, len(split.rows))
            if len(picked):
                break
        else:
            raise Skip("no sample has a label")
        rows = split.rows
        gaps = _gaps(profile.dataset, rows, picked)
        if not gaps:
            return
        if numeric:
            y = rows.target[picked]
            told = [_numbers(name, gap, y) for name, gap in gaps.items()]
        else:
            codes, names = codes_of(rows.label[picked])
            told = [_classes(name, gap, codes, names) for name, gap in gaps.items()]
        found = [g for g in told if g.p_value < self.params.level / len(gaps) and g.effect >= self.params.mild_effect]
        if found:
            yield self._found(found, split.name, len(picked))

    def _found(self, found: list[_Gap], split: str, count: int) -> Found:
        found.sort(key=lambda g: (-round(g.effect, 9), g.name))
        first = found[0]
        more = f"; so do those of {more_of(len(found) - 1, 'column')}" if len(found) > 1 else ""
        strong = first.effect >= self.params.effect
        return Found(
            message=f"the gaps of {first.name!r} say much about the label: {first.says}{more}",
            consequence="The model learns how the data was collected, through any imputation, instead of the subject.",
            remedy="Find out why these cells are empty; if that is not known before the label, drop the column, not the rows.",
            severity=None if strong else "info",
            confidence=0.9,
            split=split,
            column=first.name if len(found) == 1 else None,
            evidence={
                "columns": [
                    {"column": g.name, "effect": digits(g.effect, 3), "p_value": digits(g.p_value, 2), "gaps": g.gaps}
                    for g in found[:50]
                ],
                "rows": count,
            },
            count=first.gaps,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Empty half of the cells of a column in training samples of one class; nine in ten at full strength."""
        import pandas as pd

        if clean.label is None or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        labels = table[clean.label]
        if not 2 <= labels.nunique() <= 10 or len(table) < 120 or labels.value_counts().min() < 20:
            return None
        columns = [
            c
            for c in table.columns
            if c != clean.label and pd.api.types.is_float_dtype(table[c]) and table[c].notna().all()
        ]
        if not columns:
            return None
        column = str(rng.choice(columns))
        victim = rng.choice(np.array(sorted(labels.unique()), dtype=object))
        empty = (labels == victim).to_numpy() & (rng.random(len(table)) < 0.5 + 0.4 * strength)
        table[column] = table[column].mask(empty)
        return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split, column=column)


def _gaps(dataset: Dataset, rows: SampledRows, picked: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Which cells are empty, for every column with some that are and some that are not."""
    gaps: dict[str, NDArray[np.bool_]] = {}
    for field in dataset.fields:
        if field.role not in {"feature", "text", "group"}:
            continue
        if field.kind == "number" and field.name in rows.at:
            gap = np.isnan(rows.column(field.name)[picked])
        elif field.kind == "text" and field.name in rows.texts:
            gap = np.array([text is None for text in rows.texts[field.name][picked]], np.bool_)
        else:
            continue
        # Fewer on either side say nothing that survives the correction.
        if 10 <= gap.sum() <= len(picked) - 10:
            gaps[field.name] = gap
    return gaps


@dataclass(frozen=True)
class _Gap:
    name: str
    p_value: float
    effect: float
    gaps: int
    says: str


def _classes(name: str, gap: NDArray[np.bool_], codes: NDArray[np.int64], names: list[str]) -> _Gap:
    empty = np.bincount(codes[gap], minlength=len(names))
    full = np.bincount(codes[~gap], minlength=len(names))
    p_value, effect = chi_square(np.array([empty, full]))
    share = empty / np.maximum(empty + full, 1)
    # The class that departs most, weighed by its size.
    k = int((np.abs(share - gap.mean()) * np.sqrt(empty + full)).argmax())
    others = (gap.sum() - empty[k]) / max(1, len(gap) - empty[k] - full[k])
    says = f"{share[k]:.0%} are empty where the class is {names[k]!r}, {others:.0%} elsewhere"
    return _Gap(name, p_value, effect, int(gap.sum()), says)


def _numbers(name: str, gap: NDArray[np.bool_], y: NDArray[np.float64]) -> _Gap:
    # Ranks: one huge target must not decide.
    rank = np.unique(y, return_inverse=True)[1].astype(np.float64)
    if rank.std() == 0:
        return _Gap(name, 1.0, 0.0, int(gap.sum()), "")
    r = float(np.corrcoef(gap, rank)[0, 1])
    p_value = math.erfc(abs(r) * math.sqrt(len(y)) / math.sqrt(2))
    a, b = float(np.median(y[gap])), float(np.median(y[~gap]))
    return _Gap(
        name, p_value, abs(r), int(gap.sum()), f"the median target is {a:.4g} where it is empty, {b:.4g} elsewhere"
    )
