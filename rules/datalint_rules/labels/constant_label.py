"""LBL108 constant-label."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Clean,
    Field,
    Found,
    LabelRuns,
    LabelSets,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Severity,
    Skip,
    SplitProfile,
    TargetOrder,
    more_of,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


USUAL = frozenset({"good", "normal", "ok", "nominal", "clean", "healthy"})
"""Labels that a training split for finding what is not usual may hold alone."""


class ConstantLabel(Rule):
    """One class only: every labelled sample, or every labelled sample of train, has the same label.

    ## Why it hurts

    There is nothing to learn: the loss falls to zero by always giving the same answer, and accuracy is 100 %.

    ## How to fix it

    Check how the labels were joined or filtered; name the right label column with ``--label``.

    ## When it is wrong

    For anomaly detection, where train holds normal samples only, as in industrial inspection: if test has further
    classes and the class is called good or normal, the finding is info.

    ## Reference

    37 reasons, item 10.
    """

    code = "LBL108"
    name = "constant-label"
    severity: ClassVar[Severity] = "error"
    item = "10"
    of_whole = True
    wants = "label"
    tasks = frozenset({"classification", "multi-label", "regression"})
    public = frozenset({"samples"})
    measures = (LabelRuns, TargetOrder)

    class Params(RuleParams):
        """Cuts."""

        samples: int = Field(10, ge=2, description="Labelled samples below which one class may be chance.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge train, and all splits together."""
        if profile.task == "regression":
            targets = {s.name: s[TargetOrder] for s in profile.splits if s[TargetOrder].present}
            if sum(target.present for target in targets.values()) < self.params.samples:
                raise Skip("there are too few labels to judge")
            (name, target), *others = targets.items()
            if target.low == target.high and target.present >= self.params.samples:
                whole = all(other.low == other.high == target.low for _, other in others)
                yield _found(f"{target.low:g}", target.present, None if whole else name, whole=whole, usual=False)
            return
        labelled = profile.labelled
        if profile.task == "multi-label":
            yield from self._labels(labelled[0]) if labelled else ()
            return
        classes = {name for split in labelled for name in split.counts}
        if not labelled or sum(sum(split.counts.values()) for split in labelled) < self.params.samples:
            raise Skip("there are too few labels to judge")
        train = labelled[0]
        if len(train.counts) != 1:
            return
        (label,) = train.counts
        whole = len(classes) == 1
        usual = not whole and label.casefold() in USUAL
        yield _found(label, sum(train.counts.values()), None if whole else train.name, whole=whole, usual=usual)

    def _labels(self, train: SplitProfile) -> Iterator[Found]:
        """Labels that every sample of train has, or none."""
        samples = train.labelled
        if samples < 10 * self.params.samples:
            raise Skip("there are too few labels to tell")
        for share, who in ((1, "every sample"), (0, "no sample")):
            names = [name for name, count in (train[LabelSets].counts or {}).items() if count == share * samples]
            if names:
                yield Found(
                    message=f"{who} of {samples:,} has {', '.join(map(repr, names[:5]))}"
                    + (f" and {more_of(len(names) - 5, 'label')}" if len(names) > 5 else "")
                    + " among its labels",
                    consequence="There is nothing to learn about such a label: always giving the same answer is perfect.",
                    remedy="Check how the labels were joined or filtered, or leave these out.",
                    severity="warning",
                    split=train.name,
                    class_=names[0],
                    subject=who,
                    evidence={"labels": [*names[:50]], "samples": samples},
                    count=samples,
                )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give every sample the same label; at half strength and above only those of train, where there are splits."""
        if clean.label is None or not clean.tables:
            return None
        split = training(clean)
        labels = clean.tables[split][clean.label]
        labels = labels[~labels.astype(str).str.casefold().isin(USUAL)]
        if len(labels) == 0:
            return None
        victim = labels.iloc[int(rng.integers(len(labels)))]
        if isinstance(victim, float) and victim != round(victim):
            return None
        every = strength < 0.5 or len(clean.tables) == 1
        tables = {
            name: table.assign(**{clean.label: victim}) if every or name == split else table
            for name, table in clean.tables.items()
        }
        data = Clean(clean.name, tables, clean.label)
        return Planted(
            data, split=None if every else split, class_=f"{victim:g}" if isinstance(victim, float) else str(victim)
        )


def _found(name: str, count: int, split: str | None, *, whole: bool, usual: bool) -> Found:
    where = "all" if whole else f"all {split}"
    rest = "" if whole else ", while other splits hold more"
    return Found(
        message=f"{where} {count:,} labelled samples have the same label {name!r}{rest}",
        consequence="There is nothing to learn: always giving the same answer is perfect.",
        remedy="Check how the labels were joined or filtered, or name the right label column with --label.",
        severity="info" if usual else None,
        confidence=0.99,
        split=split,
        class_=name,
        evidence={"label": name, "samples": count},
        count=count,
    )
