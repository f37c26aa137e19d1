"""LBL101 class-imbalance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Dataset,
    Field,
    Found,
    LabelRuns,
    Measurement,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    digits,
    more_of,
    training,
)
from datalint.author import statistics as stats
from datalint_rules._shared.spelling import placeholders
from datalint_rules.labels._cells import Cell, empty_cells, group_columns

if TYPE_CHECKING:
    from collections.abc import Iterator


class ClassImbalance(Rule):
    """Classes of very different size, per split.

    Reports the ratio of the largest to the smallest class, every rare class with its count, the weights that would
    balance them, and the accuracy of always guessing the largest class. Of columns that name groups of people (sex, race)
    or where samples come from (hospital, camera, region) also classes that a group hardly ever has.

    ## Why it hurts

    The loss is dominated by the large classes, so a model can do well without learning the rare ones, and accuracy
    hides it: guessing the largest class already scores high. Where a group lacks a class, the model learns to tell the
    group instead.

    ## How to fix it

    Weight the loss by class (the weights are in the report), or sample classes evenly; measure balanced accuracy, F1 or
    the area under the precision-recall curve instead of accuracy.

    ## When it is wrong

    When the imbalance is that of the world and the loss or the decision threshold already allows for it. A moderate
    ratio is only info, and so is the same imbalance in validation or test. What a group cannot have by nature is no fault;
    that a place or device lacks a class is info.

    ## Reference

    37 reasons, items 8, 20 and 21. The cut of 10 is close to evalml's (a class with less than 10 % of the two together).
    """

    code = "LBL101"
    name = "class-imbalance"
    severity: ClassVar[Severity] = "warning"
    item = "8, 20, 21"
    of_whole = True
    wants = "classes"
    tasks = frozenset({"classification", "detection", "multi-label", "regression"})
    public = frozenset({"ratio", "classes", "majority_accuracy", "samples", "weight"})

    class Params(RuleParams):
        """Cuts."""

        ratio: float = Field(10.0, gt=1, description="Ratio of largest to smallest class from which it is a warning.")
        mild_ratio: float = Field(5.0, gt=1, description="Ratio from which it is info.")
        cell: float = Field(
            0.1, ge=0, lt=1, description="Share of the expected samples of a class in a group up to which it is told."
        )
        expected: float = Field(50.0, ge=5, description="Samples that a group must be expected to have of a class.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Class counts, and the sample where a column names groups."""
        return (LabelRuns, Sample) if dataset.modality == "table" and group_columns(dataset) else (LabelRuns,)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every labelled split."""
        several = [split for split in profile.labelled if len(split.counts) > 1]
        if not several:
            raise Skip("there is only one class")

        train = several[0].name
        for split in several:
            # "?" is no class; it is LBL104's.
            none, _ = placeholders(split.counts)
            counts = {name: count for name, count in split.counts.items() if name not in none}
            samples = split.labelled if profile.task == "multi-label" else 0
            found = self._judge(split.name, counts, samples) if len(counts) > 1 else None
            if found is not None:
                # Of what is drawn in pictures classes are of very different size as a rule; the objects are ANN109's.
                drawn = profile.dataset.annotations is not None
                yield found if split.name == train and not drawn else _as_info(found)
        if profile.task == "classification" and Sample in several[0].measured:
            cells = list(empty_cells(profile.dataset, several[0], self.params.expected, self.params.cell))
            for column in dict.fromkeys(cell.column for cell in cells):
                yield _in_group(several[0], [cell for cell in cells if cell.column == column])

    def _judge(self, split: str, counts: dict[str, int], several: int) -> Found | None:
        """Judge the classes of a split, or the labels of that many samples with several labels each."""
        total = several or sum(counts.values())
        largest = max(counts, key=lambda name: (counts[name], name))
        smallest = min(counts, key=lambda name: (counts[name], name))
        ratio = counts[largest] / counts[smallest]
        if ratio < self.params.mild_ratio or _even_by_chance(list(counts.values())):
            return None
        rare = sorted(name for name in counts if counts[largest] / counts[name] >= self.params.mild_ratio)
        weights = {x: total / counts[x] - 1 for x in counts} if several else stats.class_weights(counts)
        shown = sorted(counts, key=lambda name: (counts[name], name))[:20]
        majority = 1 - counts[smallest] / total if several else counts[largest] / total
        others = {1: "", 2: ", and 1 more class is rare"}.get(
            len(rare), f", and {len(rare) - 1:,} more classes are rare"
        )
        guess = f"never giving {smallest!r}" if several else f"always guessing {largest!r}"
        return Found(
            message=(
                f"{'labels' if several else 'classes'} differ {ratio:,.1f} to 1: {counts[largest]:,} of {largest!r}, "
                f"{counts[smallest]:,} of {smallest!r}{others}; {guess} scores {majority:.1%} accuracy"
            ),
            consequence="The rare classes hardly count in the loss, and accuracy does not show that they are missed.",
            remedy=(
                f"Weight the loss by {'label, where it is given' if several else 'class'} (from {min(weights.values()):.3g} for {largest!r} to "
                f"{max(weights.values()):.3g} for {smallest!r}) or sample evenly; measure balanced accuracy or F1."
            ),
            severity=None if ratio >= self.params.ratio else "info",
            confidence=0.999,
            split=split,
            class_=smallest,
            evidence={
                **({"samples": several} if several else {}),
                "ratio": digits(ratio, 4),
                "classes": len(counts),
                "majority_accuracy": digits(majority, 4),
                "smallest_classes": [
                    {"class": name, "samples": counts[name], "weight": digits(weights[name], 3)} for name in shown
                ],
                "largest_class": {"class": largest, "samples": counts[largest], "weight": digits(weights[largest], 3)},
            },
            count=sum(counts[name] for name in rare),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Take samples of one class away until the ratio is 20 to 1; 100 to 1 at full strength."""
        if clean.label is None or clean.joint or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split]
        counts = table[clean.label].value_counts()
        if len(counts) < 2 or counts.iloc[0] < 40:
            return None
        victim = counts.index[-1]
        left = max(1, round(counts.iloc[0] / (20 + 80 * strength)))
        rows = np.flatnonzero(table[clean.label] == victim)
        dropped = rng.choice(rows, max(0, len(rows) - left), replace=False)
        faulty = table.drop(index=table.index[dropped]).reset_index(drop=True)
        return Planted(Clean(clean.name, {**clean.tables, split: faulty}, clean.label), split=split, class_=str(victim))


def _even_by_chance(counts: list[int]) -> bool:
    """Whether classes of equal size could give such counts: a handful of samples says little."""
    total, classes = sum(counts), len(counts)
    expected = total / classes
    if expected >= 20:
        return False
    # Wilson and Hilferty's normal approximation of the chi-squared tail.
    statistic = sum((count - expected) ** 2 / expected for count in counts)
    free = classes - 1
    z = ((statistic / free) ** (1 / 3) - (1 - 2 / (9 * free))) / (2 / (9 * free)) ** 0.5
    return bool(z < 3.7)  # one in 10,000


def _in_group(split: SplitProfile, cells: list[Cell]) -> Found:
    """Classes that a group hardly ever has."""
    first = cells[0]
    more = f", and {more_of(len(cells) - 1, 'cell')} likewise" if len(cells) > 1 else ""
    return Found(
        message=(
            f"of {first.group:,} samples where {first.column!r} is {first.value!r}, {first.count:,} are {first.label!r}, "
            f"where {first.expected:,.0f} are to be expected{more}"
        ),
        consequence="The model learns to tell the group instead of the class, and is not tested on the samples that are missing.",
        remedy="Collect such samples, or weight the cells of group and class evenly; report the score of each group.",
        severity=None if first.people else "info",
        confidence=0.9 if first.people else 0.7,
        split=split.name,
        column=first.column,
        class_=first.label,
        subject="cells",
        evidence={
            "cells": [
                {
                    "value": cell.value,
                    "class": cell.label,
                    "samples": cell.count,
                    "expected": digits(cell.expected, 4),
                    "group": cell.group,
                }
                for cell in cells[:50]
            ]
        },
        count=sum(cell.count for cell in cells),
        exact=split.rows.complete,
    )


def _as_info(found: Found) -> Found:
    return replace(found, severity="info")
