"""LBL104 missing-labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    MISSING_CLASS,
    Cases,
    Clean,
    Dataset,
    Found,
    LabelRuns,
    LabelSets,
    Measurement,
    Planted,
    Profile,
    Rule,
    Sample,
    Severity,
    SplitProfile,
    Storage,
    TargetOrder,
    are,
    digits,
    have,
    training,
)
from datalint_rules._shared.spelling import placeholders, unlabelled

if TYPE_CHECKING:
    from collections.abc import Iterator


class MissingLabels(Rule):
    """Samples without a label: empty, null, or a placeholder that would be learnt as a class.

    Placeholders are "?", "nan", "unlabeled", -1 or 999 next to the classes 0..C-1, a rare "unknown", and the name of the
    label column, from a header read as a row.

    ## Why it hurts

    An empty label stops training or becomes NaN in the loss. A placeholder is worse: it is trained as one more class, whose
    samples are a mixture of all others.

    ## How to fix it

    Label the listed samples, or leave them out of supervised training. Use an explicit mask instead of a made-up class.

    ## When it is wrong

    Where "unknown" or "none" is a class of its own; unless such a word is rare it is only info. A test or unlabeled split
    that has no labels at all is how competitions ship it: info, or nothing.

    ## Reference

    37 reasons, item 4. Peers count null labels; none sees placeholders among the classes.
    """

    code = "LBL104"
    name = "missing-labels"
    severity: ClassVar[Severity] = "warning"
    item = "4"
    wants = "label"
    tasks = frozenset({"classification", "multi-label", "regression"})
    public = frozenset({"missing", "share", "samples"})

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Class counts, the numeric target, and the sample to name some."""
        return (LabelRuns, TargetOrder) if dataset.by_class else (LabelRuns, TargetOrder, Sample)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split."""
        numeric = profile.task == "regression"
        for split in profile.splits:
            missing = _missing(split, numeric)
            if missing and not profile.dataset.by_class and split.name not in {"unlabeled", "unassigned"}:
                yield _without(split, missing, numeric, _numbers_only(profile), trained=split in profile.trained)
            if not numeric and not profile.dataset.by_class and profile.dataset.label is not None:
                yield from _headers(split, profile.dataset.label.name)
            kept_back = None if numeric else unlabelled(split.counts, profile.splits[0].counts)
            if kept_back is not None:
                yield _kept_back(split, kept_back)
            elif not numeric:
                yield from _placeholders(split, listed=not profile.dataset.by_class)

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Take the label of some training samples away, or write "?" where labels are words: two, up to 10 %."""
        if clean.label is None or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        count = max(2, round(0.1 * strength * len(table)))
        rows = rng.choice(len(table), count, replace=False)
        labels = table[clean.label].astype(object)
        words = labels.map(lambda value: isinstance(value, str)).all()
        labels.iloc[rows] = "?" if words else None
        # Numbers stay numbers, as a reader of the file would see them.
        table[clean.label] = labels if words else labels.astype(float)
        faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(
            faulty, split=split, class_="?" if words else None, rows={split: frozenset(int(row) for row in rows)}
        )


def _missing(split: SplitProfile, numeric: bool) -> int:
    counts = split[LabelRuns].counts
    if LabelSets in split.measured:
        return split[LabelRuns].samples - split[LabelSets].samples
    if counts is not None:
        return counts.get(MISSING_CLASS, 0)
    target = split[TargetOrder]
    return target.samples - target.present if numeric else 0


def _numbers_only(profile: Profile) -> bool:
    """Whether the labels are numbers in a text file, so that a word among them is read as none."""
    label = profile.dataset.label
    column = None if label is None else profile.dataset.column(label.name)
    return column is not None and column.kind == "number" and profile.dataset.storage is Storage.DELIMITED


def _without(split: SplitProfile, missing: int, numeric: bool, numbers: bool, *, trained: bool) -> Found:
    rows = split.rows
    empty = np.array([label is None for label in rows.label], np.bool_)
    if numeric:
        empty &= ~np.isfinite(rows.target)
    none = missing == split.samples
    return Found(
        message=(
            f"no sample of {split.name} has a label"
            if none
            else f"{missing:,} of {split.samples:,} samples {have(missing)} no label"
            f"{' that is a number' if numbers else ''} ({missing / split.samples:.2%})"
        ),
        consequence=(
            "Nothing can be measured on this split."
            if none
            else "Training stops on an empty label, or the loss becomes NaN."
        ),
        remedy=(
            "If the labels are kept elsewhere, join them before training or scoring."
            if none
            else "Label the listed samples, or leave them out of supervised training."
        ),
        severity=None if not none else "error" if trained else "info",
        confidence=0.999,
        split=split.name,
        subject="missing",
        evidence={"missing": missing, "share": digits(missing / split.samples, 3)},
        cases=None if none else Cases(split.name, rows.places.take(empty)),
        count=missing,
    )


def _kept_back(split: SplitProfile, name: str) -> Found:
    """A split all of whose labels are one that stands for none."""
    return Found(
        message=f"no sample of {split.name} has a label: all are labelled {name!r}, which no sample of train is",
        consequence="Nothing can be measured on this split.",
        remedy="If the labels are kept elsewhere, join them before scoring.",
        severity="info",
        confidence=0.9,
        split=split.name,
        subject="missing",
        evidence={"missing": split.samples, "share": 1.0},
        count=split.samples,
    )


def _headers(split: SplitProfile, name: str) -> Iterator[Found]:
    """The name of the label column among the labels of a column that has other classes, all of them common."""
    for label, count in split.counts.items():
        others = [n for other, n in split.counts.items() if other != label]
        # A column "spam" may well hold "spam" next to "ham", and a rare one at that: a header stands among several classes.
        if label.strip().casefold() != name.strip().casefold() or len(others) < 2 or min(others) < 10 * count:
            continue
        picked = split.rows.having([label])
        yield Found(
            message=(
                f"{count:,} of {split.samples:,} samples {are(count)} labelled {label!r}, "
                "which is the name of the label column: a header was read as a row"
            ),
            consequence="The row is trained as a class of its own, and its columns may hold their names as well.",
            remedy="Take the row out; when files are joined, keep the header of the first alone.",
            confidence=0.97,
            split=split.name,
            class_=label,
            subject="header",
            evidence={"label": label, "samples": count},
            cases=Cases(split.name, split.rows.places.take(picked)),
            count=count,
        )


def _placeholders(split: SplitProfile, *, listed: bool) -> Iterator[Found]:
    sure, perhaps = placeholders(split.counts)
    for names, severity in ((sure, None), (perhaps, "info")):
        if not names:
            continue
        count = sum(split.counts[name] for name in names)
        cases = None
        if listed and severity is None:
            cases = Cases(split.name, split.rows.places.take(split.rows.having(names)))
        words = ", ".join(repr(name) for name in names)
        looks = "stands for a missing label" if severity is None else "may stand for a missing label"
        yield Found(
            message=f"{count:,} of {split.samples:,} samples {are(count)} labelled {words}, which {looks}",
            consequence="The placeholder is trained as a class whose samples are a mixture of all others.",
            remedy=f"Label these samples or leave them out; if {names[0]!r} is a class of its own, switch the rule off.",
            severity="info" if severity else None,
            confidence=0.95 if severity is None else 0.4,
            split=split.name,
            class_=names[0],
            subject="placeholder",
            evidence={
                "labels": [{"label": name, "samples": split.counts[name]} for name in names],
                "share": digits(count / split.samples, 3),
            },
            cases=cases,
            count=count,
        )
