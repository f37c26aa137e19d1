"""LBL110 co-occurring-labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    LabelRuns,
    LabelSets,
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Pair = tuple[str, str, int, float]
"""Two labels, samples with both, and how many of these chance would give."""


class CoOccurringLabels(Rule):
    """Of samples with several labels: labels that always or never occur together, and samples without any label.

    ## Why it hurts

    Two labels that always occur together are one label under two names: the model spends two outputs on it, and averages
    over labels count it twice. Labels that exclude each other are classes, for which a softmax fits better than one
    decision per label. A sample without labels may be one that nobody looked at, and is trained as "none of all".

    ## How to fix it

    Merge labels that are one, and look for a column that was copied. Check whether samples without labels were annotated;
    if not, leave them out. Train labels of which each sample has exactly one as classes.

    ## When it is wrong

    Where one label follows from the other by definition, or where a sample without labels is a normal one. What never
    occurs together and what has no labels is only info.

    ## Reference

    37 reasons, items 4 and 8. Pairs are judged by the samples that chance would give if labels were independent,
    corrected for the number of pairs.
    """

    code = "LBL110"
    name = "co-occurring-labels"
    severity: ClassVar[Severity] = "warning"
    item = "4, 8"
    wants = "label"
    tasks = frozenset({"multi-label"})
    public = frozenset({"pairs", "samples", "expected", "share", "without"})

    class Params(RuleParams):
        """Cuts."""

        together: float = Field(
            0.99, gt=0.5, le=1, description="Share of the samples with either label that must have both."
        )
        samples: int = Field(20, ge=2, description="Samples with both labels below which they may agree by chance.")
        level: float = Field(1e-3, gt=0, lt=1, description="Chance of a false alarm over all pairs of labels.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Samples per label and pair, and the sample to name some."""
        return (LabelRuns, LabelSets, Sample)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the pairs of labels in train, and the samples without labels in every split."""
        if not profile.labelled:
            raise Skip("no sample has a label")
        train = profile.labelled[0]
        always, never = self._pairs(train)
        if always:
            yield _told(
                train, always, "always", "Two outputs learn one thing, and averages over labels count it twice."
            )
        exclusive = train[LabelSets].pairs == {}
        if exclusive and train[LabelSets].without == 0:
            yield Found(
                message=f"every sample of {train.name} has exactly one of {len(train.counts):,} labels: they are classes",
                consequence="A decision per label may give a sample several labels or none, which never is right.",
                remedy="Train them as classes, with a softmax.",
                severity="info",
                split=train.name,
                subject="exclusive",
                evidence={"samples": train.labelled},
                count=train.labelled,
            )
        elif never:
            yield _told(train, never, "never", "If they exclude each other, a model may still give a sample both.")
        for split in profile.labelled:
            if split[LabelSets].without:
                yield _without(split)

    def _pairs(self, split: SplitProfile) -> tuple[list[Pair], list[Pair]]:
        counts, found = split.counts, split[LabelSets].pairs
        always: list[Pair] = []
        never: list[Pair] = []
        if found is None:
            return always, never
        names, n = sorted(counts), split.labelled
        limit = -math.log(self.params.level / max(1, len(names) * (len(names) - 1) / 2))
        for k, one in enumerate(names):
            for other in names[k + 1 :]:
                both, expected = found.get((one, other), 0), counts[one] * counts[other] / n
                either = counts[one] + counts[other] - both
                # Chernoff's bound of a Poisson tail, in logarithms.
                if both == 0:
                    never += [(one, other, 0, expected)] * (expected > limit)
                elif both >= max(self.params.samples, self.params.together * either):
                    beyond = both * math.log(both / expected) - both + expected > limit
                    always += [(one, other, both, expected)] * beyond
        return sorted(always, key=lambda pair: -pair[2]), sorted(never, key=lambda pair: -pair[3])

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give the samples with one of two labels of train the other, too; a third one as well at full strength."""
        if clean.label is None or clean.joint not in {"|", ";", ","}:
            return None
        split = training(clean)
        sets = [
            str(cell).split(clean.joint) if isinstance(cell, str) else [] for cell in clean.tables[split][clean.label]
        ]
        names = sorted({label for own in sets for label in own})
        if len(names) < 4:
            return None
        chosen = {str(name) for name in rng.choice(names, 3 if strength == 1 else 2, replace=False)}
        joined = [clean.joint.join(sorted(chosen.union(own) if chosen & set(own) else own)) for own in sets]
        table = clean.tables[split].assign(**{clean.label: joined})
        data = Clean(clean.name, {**clean.tables, split: table}, clean.label, joint=clean.joint)
        return Planted(data, split=split, class_=min(chosen))


def _told(split: SplitProfile, pairs: Sequence[Pair], when: str, consequence: str) -> Found:
    one, other, both, expected = pairs[0]
    more = f" (and {more_of(len(pairs) - 1, 'pair')})" if len(pairs) > 1 else ""
    counts = split.counts
    return Found(
        message=(
            f"{one!r} and {other!r} {when} occur together{more}: {counts[one]:,} samples of {split.name} have {one!r}, "
            f"{counts[other]:,} {other!r}, {both:,} both, where chance would give {expected:,.0f}"
        ),
        consequence=consequence,
        remedy="Look whether one is a copy of the other; merge labels that are one."
        if when == "always"
        else "Train labels that exclude each other as classes, or correct the samples that lack one.",
        severity=None if when == "always" else "info",
        split=split.name,
        class_=one,
        subject=when,
        evidence={
            "pairs": [
                {"one": a, "other": b, "samples": count, "expected": digits(chance, 3)}
                for a, b, count, chance in pairs[:50]
            ]
        },
        count=both,
    )


def _without(split: SplitProfile) -> Found:
    without, samples = split[LabelSets].without, split.labelled
    rows = split.rows
    empty = np.array([label == "[]" for label in rows.label], np.bool_)
    return Found(
        message=f"{without:,} of {samples:,} samples of {split.name} ({without / samples:.1%}) have no label at all",
        consequence='They are trained as "none of all", be it true or that nobody has looked at them.',
        remedy="Check whether they were annotated; leave out those that were not.",
        severity="info",
        split=split.name,
        subject="without",
        evidence={"without": without, "share": digits(without / samples, 3)},
        cases=Cases(split.name, rows.places.take(empty)),
        count=without,
    )
