"""SPL109 split-size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Clean,
    Field,
    Found,
    LabelRuns,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Severity,
    Skip,
    SplitProfile,
    counted,
    have,
)
from datalint_rules.splits._compare import ASIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class SplitSize(Rule):
    """A validation or test split that is too small to measure anything, empty, or larger than train.

    The confidence interval that it would give is reported.

    ## Why it hurts

    Accuracy on 30 samples is known to within 18 points either way: two models that differ by less cannot be distinguished,
    and choosing between them by that score is choosing by chance.

    ## How to fix it

    Move samples into the split: to halve the interval takes four times as many. Where there are too few samples for
    that, report cross-validation instead of a single split.

    ## When it is wrong

    Where the split is only a smoke test. Where even a tenth of all samples would be this few, cross-validation is the only
    remedy and the finding is info.

    ## Reference

    37 reasons, item 9. The interval is the normal one for a share at its widest (50 %), 95 % confidence.
    """

    code = "SPL109"
    name = "split-size"
    severity: ClassVar[Severity] = "warning"
    item = "9"
    public = frozenset({"samples", "share", "interval_points"})
    measures = (LabelRuns,)

    class Params(RuleParams):
        """Cuts."""

        points: float = Field(
            15.0, gt=0, le=100, description="Half-width of the accuracy's 95 % interval, in points, from which to warn."
        )
        mild_points: float = Field(10.0, gt=0, le=100, description="The same from which it is info.")
        share: float = Field(
            0.1,
            gt=0,
            le=1,
            description="Share of all samples beyond which a small split is only info: there are no more.",
        )
        per_class: int = Field(5, ge=1, description="Samples per class in a split below which it is info.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split but train."""
        splits = [split for split in profile.splits if split.name not in ASIDE]
        if len(splits) < 2:
            raise Skip("the data is not split", applies=False)
        total = sum(split.samples for split in splits)
        if not total:
            raise Skip("there are no samples")
        train, *others = splits
        for split in others:
            if split.samples == 0:
                yield _empty(split)
                continue
            found = self._size(split, total, numeric=profile.task == "regression")
            if found is not None:
                yield found
            elif profile.task == "classification":
                found = self._classes(train, split)
                if found is not None:
                    yield found
            if train.name == "train" and split.name == "test" and train.samples < split.samples:
                yield _reversed(train, split)

    def _size(self, split: SplitProfile, total: int, *, numeric: bool) -> Found | None:
        n = split.samples
        half = 98 / math.sqrt(n)
        if half < self.params.mild_points:
            return None
        share = n / total
        # Ten samples cannot distinguish a good model from a coin.
        severe = half >= self.params.points and (share < self.params.share or n < 10)
        if not severe and share >= self.params.share and half < self.params.points:
            return None  # a fair share of a small set
        spread = (
            f"a root-mean-square error of it is known to within {139 / math.sqrt(n):.0f} %"
            if numeric
            else f"accuracy measured on it is known to within {min(half, 50):.0f} points either way"
        )
        return Found(
            message=f"{split.name} has only {counted(n, 'sample')} ({share:.1%} of all): {spread}",
            consequence="Models that differ by less than that cannot be distinguished, and the best one is chosen by chance.",
            remedy=f"Move samples into {split.name} (four times as many halve the interval), or use cross-validation.",
            severity=None if severe else "info",
            confidence=0.99,
            split=split.name,
            subject="size",
            evidence={"samples": n, "share": round(share, 4), "interval_points": round(min(half, 50), 1)},
            count=n,
        )

    def _classes(self, train: SplitProfile, split: SplitProfile) -> Found | None:
        # A class that is rare in train as well is another rule's.
        few = [name for name in train.counts if split.counts.get(name, 0) < self.params.per_class <= train.counts[name]]
        # Where the two share no class their labels do not match, which is another rule's as well.
        if not few or not any(split.counts.get(name) for name in train.counts):
            return None
        few.sort(key=lambda name: (split.counts.get(name, 0), name))
        shown = ", ".join(f"{name!r} ({split.counts.get(name, 0)})" for name in few[:5])
        more = f" and {len(few) - 5:,} more" if len(few) > 5 else ""
        return Found(
            message=(
                f"{len(few):,} of {len(train.counts):,} classes {have(len(few))} fewer than "
                f"{self.params.per_class} samples in {split.name}: {shown}{more}"
            ),
            consequence="Recall of these classes cannot be measured: one sample is 20 points or more.",
            remedy="Split again, stratified by class, with a larger share for this split; or pool these classes in reports.",
            severity="info",
            confidence=0.99,
            split=split.name,
            subject="classes",
            evidence={"classes": [{"class": name, "samples": split.counts.get(name, 0)} for name in few[:50]]},
            count=sum(split.counts.get(name, 0) for name in few),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Leave 30 samples of test; five at full strength."""
        if "test" not in clean.tables or sum(map(len, clean.tables.values())) - len(clean.tables["test"]) < 300:
            return None
        table = clean.tables["test"]
        left = round(30 - 25 * strength)
        if len(table) < 60:
            return None
        rows = sorted(rng.choice(len(table), left, replace=False))
        tables = {**clean.tables, "test": table.iloc[rows].reset_index(drop=True)}
        return Planted(Clean(clean.name, tables, clean.label), split="test")


def _empty(split: SplitProfile) -> Found:
    return Found(
        message=f"the split {split.name} has no samples",
        consequence="Nothing can be measured on it.",
        remedy="Check how the split was made, or take it away.",
        confidence=0.99,
        split=split.name,
        subject="empty",
        count=0,
    )


def _reversed(train: SplitProfile, split: SplitProfile) -> Found:
    return Found(
        message=f"{split.name} has {split.samples:,} samples and {train.name} only {train.samples:,}",
        consequence="More samples are measured on than learnt from; perhaps the two were exchanged.",
        remedy="If the two are not exchanged, move samples into train: a test of some thousands measures well enough.",
        severity="info",
        confidence=0.7,
        split=split.name,
        subject="reversed",
        evidence={"train": train.samples, split.name: split.samples},
        count=split.samples,
    )
