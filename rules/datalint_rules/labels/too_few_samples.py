"""LBL103 too-few-samples."""

from __future__ import annotations

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
    Reading,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class TooFewSamples(Rule):
    """Classes or training sets too small to learn from.

    Classes of fewer than five samples, a training set of fewer than thirty, or nearly as many classes as samples.

    ## Why it hurts

    A class of one to four samples can be memorised but not learnt, cannot lie in every part of a five-fold
    cross-validation, and a class of one cannot even be split by class. Of a handful of samples every score is chance.

    ## How to fix it

    Collect more, merge the rare classes or put them into one called "other", start from a pretrained model, or leave the
    classes out. If there are nearly as many classes as samples the label is probably an identifier: name another column.

    ## When it is wrong

    For few-shot learning, retrieval and face recognition, where few samples per class are the task.

    ## Reference

    37 reasons, item 9. Five is the usual number of folds; EvalML asks for twice the folds per class. Class imbalance
    (LBL101) is about ratios and this rule about counts: where both say the same class, this finding is part of that one.
    """

    code = "LBL103"
    name = "too-few-samples"
    severity: ClassVar[Severity] = "warning"
    item = "9"
    of_whole = True
    wants = "label"
    tasks = frozenset({"classification", "detection", "multi-label", "regression"})
    follows = ("LBL101",)
    public = frozenset({"classes", "samples", "folds_possible"})

    class Params(RuleParams):
        """Cuts."""

        per_class: int = Field(5, ge=2, description="Samples per class below which it is a warning; twice it is info.")
        samples: int = Field(
            30, ge=2, description="Samples to train on below which it is a warning; three times is info."
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """The class counts, and the sample where there are too many classes to count."""
        if dataset.by_class:
            return (LabelRuns,)
        return (LabelRuns, Sample if dataset.annotations is None else Sample.reading("labels", "header"))

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the split that is trained on."""
        train = next((split for split in profile.splits if split[LabelRuns].samples), None)
        if train is None:
            raise Skip("no sample has a label")
        counts = train.counts if profile.task != "regression" else {}
        total = train.labelled if counts else train[LabelRuns].samples
        if profile.task != "regression" and not counts:
            # More classes than are counted: the sample shows whether they repeat.
            if profile.dataset.by_class:
                return
            labels = [label for label in train.rows.label if label is not None]
            if train[LabelRuns].counts is None and len(set(labels)) >= 0.5 * len(labels):
                yield _many(train, 10_000, total, "more than ")
            return
        if len(counts) > 20 and len(counts) >= 0.5 * total:
            yield _many(train, len(counts), total, "")
            return
        if total < 3 * self.params.samples:
            yield _small(train, total, "warning" if total < self.params.samples else "info")
        if len(counts) > 1:
            found = self._rare(train, counts)
            if found is not None:
                yield found

    def _rare(self, train: SplitProfile, counts: dict[str, int]) -> Found | None:
        least = self.params.per_class
        rare = sorted((name for name in counts if counts[name] < 2 * least), key=lambda name: (counts[name], name))
        if not rare:
            return None
        few = [name for name in rare if counts[name] < least]
        named = few or rare
        first = named[0]
        shown = ", ".join(f"{name!r} ({counts[name]})" for name in named[:5])
        more = f" and {len(named) - 5:,} more" if len(named) > 5 else ""
        folds = counts[first]
        cannot = (
            f"so that no split can hold {'it' if len(named) == 1 else 'all of them'} on both sides"
            if folds == 1
            else f"so that cross-validation by class can have {folds} folds at most"
        )
        what = "1 class has" if len(named) == 1 else f"{len(named):,} of {len(counts):,} classes have"
        return Found(
            message=f"{what} fewer than {least if few else 2 * least} samples: {shown}{more}, {cannot}",
            consequence="Such a class is memorised rather than learnt, and its score is chance.",
            remedy='Collect more of it, merge it with a related class or into "other", or leave it out.',
            severity=None if few else "info",
            confidence=0.99,
            split=train.name,
            class_=first,
            evidence={
                "classes": [{"class": name, "samples": counts[name]} for name in rare[:50]],
                "folds_possible": folds,
            },
            count=sum(counts[name] for name in named),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Leave four training samples of one class; one at full strength."""
        if clean.label is None or clean.joint or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split]
        counts = table[clean.label].value_counts()
        if not 3 <= len(counts) <= 20 or counts.min() < 5 or len(table) < 100:
            return None
        victim = counts.index[int(rng.integers(len(counts)))]
        rows = np.flatnonzero(table[clean.label] == victim)
        dropped = rng.choice(rows, len(rows) - round(4 - 3 * strength), replace=False)
        left = table.drop(index=table.index[dropped]).reset_index(drop=True)
        faulty = Clean(clean.name, {**clean.tables, split: left}, clean.label)
        return Planted(faulty, split=split, class_=str(victim))


def _many(train: SplitProfile, classes: int, total: int, more: str) -> Found:
    return Found(
        message=f"{more}{classes:,} classes for {total:,} samples: the label looks like an identifier or free text",
        consequence="With about one sample per class there is nothing that could be learnt and tested.",
        remedy="Name the right label column with --label, or group the labels into fewer classes.",
        confidence=0.9,
        split=train.name,
        subject="classes",
        evidence={"classes": classes, "samples": total},
        count=total,
    )


def _small(train: SplitProfile, total: int, severity: Severity) -> Found:
    return Found(
        message=f"only {total:,} labelled samples to train on",
        consequence="Every score changes by many points with the choice of the split; large models memorise the set.",
        remedy="Collect more samples, use a simple or pretrained model, and report repeated cross-validation.",
        severity=severity,
        confidence=0.9,
        split=train.name,
        subject="samples",
        evidence={"samples": total},
        count=total,
    )
