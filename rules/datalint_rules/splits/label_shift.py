"""SPL105 label-shift."""

from __future__ import annotations

import math
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
    Reading,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    chi_square,
    design_effect,
    digits,
    kolmogorov_smirnov,
    log_chance_absent,
    midranks,
    quoted,
)
from datalint_rules._shared.series import in_time
from datalint_rules._shared.spelling import unlabelled
from datalint_rules.splits._compare import against_train, units_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class LabelShift(Rule):
    """Splits whose labels differ.

    Other class proportions than in train, a class that train lacks, a class that the other split lacks, or another
    distribution of a numeric target. A class that chance could have left out of a random split is not reported.

    ## Why it hurts

    A model can never predict a class that it has not seen, so every such test sample is an error before training starts.
    Where the proportions differ, accuracy, precision and calibration measured on one split say little about the other.

    ## How to fix it

    Split again, stratified by class (``train_test_split(..., stratify=y)``). If the labels are only written differently,
    write them in the same way. If test is meant to differ, weight or recalibrate, and report metrics per class.

    ## When it is wrong

    Where the difference is wanted: a balanced test set, new classes for open-set recognition. Where the splits follow each
    other in time, it is info unless test has classes that train lacks in one sample of twenty.

    ## Reference

    37 reasons, item 15. Deepchecks compares shares by Cramér's V (0.15) without asking how many samples there are, and
    reports any new label; here a chi-squared test or the hypergeometric chance must exclude a random split as well, one of
    sources if whole sources (patients) were drawn (Kish 1965; Rao and Scott 1981).
    """

    code = "SPL105"
    name = "label-shift"
    severity: ClassVar[Severity] = "warning"
    item = "15"
    wants = "label"
    tasks = frozenset({"classification", "detection", "multi-label", "regression"})
    follows = ("LBL105", "LBL107", "LBL108")
    public = frozenset({"total_variation", "p_value", "new_classes", "lacking_classes", "largest_gap"})

    class Params(RuleParams):
        """Cuts."""

        distance: float = Field(
            0.1,
            ge=0,
            le=1,
            description="Share of samples that would have to change class (total variation) from which it is a warning; "
            "for numeric targets the largest gap between cumulative shares, less 0.05.",
        )
        mild_distance: float = Field(0.04, ge=0, le=1, description="The same from which it is info.")
        level: float = Field(
            5e-4, gt=0, lt=1, description="Chance of a false alarm over all classes and splits of a random division."
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """Class counts; the sample for numeric targets, and to see what was drawn."""
        return (LabelRuns, Sample.reading("labels", "table", "header"))

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare every split with train."""
        if profile.task == "regression":
            yield from self._numbers(profile)
            return
        compared = against_train(profile.labelled)
        if compared is None:
            raise Skip("there are not two labelled splits", applies=len(profile.splits) > 1)
        train, others = compared
        if len(train.counts) < 2:
            raise Skip(f"{train.name} holds one class only")
        for other in others:
            if unlabelled(other.counts, train.counts) is not None:
                continue  # LBL104 says so
            found = self._classes(profile.dataset, train, other, self.params.level / len(others))
            if found is not None:
                if found.severity == "warning" and in_time(profile.dataset, [train, other], lambda _: []):
                    found = replace(
                        found, severity="info", remedy="The splits follow each other in time: report metrics per class."
                    )
                yield found

    def _classes(self, dataset: Dataset, train: SplitProfile, other: SplitProfile, level: float) -> Found | None:
        a, b = train.counts, other.counts
        classes = sorted(a.keys() | b.keys())
        n, m, several = train.labelled, other.labelled, dataset.task == "multi-label"
        counts = np.array([[a.get(name, 0) for name in classes], [b.get(name, 0) for name in classes]], np.int64)
        shares = counts / [[n], [m]]
        gaps = np.abs(shares[0] - shares[1])
        distance = float(gaps.max() if several else gaps.sum() / 2)
        units = units_of(dataset, train, other)
        drawn, effect, sides = {x: a.get(x, 0) + b.get(x, 0) for x in classes}, 1.0, (n, m)
        if units is not None:
            effect, drawn, sides = _of_sources(train, other, units, classes)
        tables = [np.stack([column, [n, m] - column], 1) for column in counts.T] if several else [counts]
        p_value = min(1.0, len(tables) * min(chi_square(table, effect=effect)[0] for table in tables))
        # Shares, new and lacking classes are three tests.
        level /= 3
        # The chance that a random split leaves all samples (or sources) of a class on one side.
        limit = math.log(level / len(classes))
        new = [x for x in b if x not in a and log_chance_absent(drawn.get(x, 0), sum(sides), sides[0]) < limit]
        gone = [x for x in a if x not in b and log_chance_absent(drawn.get(x, 0), sum(sides), sides[1]) < limit]
        parts: list[str] = []
        what = "labels" if several else "samples"
        severity: Severity = "info"
        if new:
            count, of = sum(b[name] for name in new), sum(b.values())
            nothing = not set(a) & set(b)
            parts.append(
                f"no class of {other.name} occurs in {train.name} ({quoted(sorted(b))} against {quoted(sorted(a))})"
                if nothing
                else f"{count:,} of {of:,} {what} of {other.name} are of {_many(len(new))} that {train.name} lacks "
                f"({quoted(sorted(new, key=lambda name: -b[name]))})"
            )
            severity = "error" if count >= 0.05 * of else "warning"
        if gone and set(a) & set(b):
            parts.append(
                f"{other.name} lacks {_many(len(gone))} of {train.name} ({quoted(sorted(gone, key=lambda name: -a[name]))}, "
                f"{sum(a[name] for name in gone) / sum(a.values()):.1%} of the {what} of {train.name})"
            )
            severity = "warning" if severity == "info" else severity
        worst = classes[int(gaps.round(9).argmax())]
        if p_value < level and distance >= self.params.mild_distance:
            if not new and not gone:
                k = classes.index(worst)
                parts.append(
                    f"class shares of {other.name} differ from {train.name}: {worst!r} is {shares[1, k]:.1%} of "
                    f"{other.name} and {shares[0, k]:.1%} of {train.name}"
                    + (
                        ""
                        if several
                        else f", and {distance:.0%} of the samples would have to change class to make them equal"
                    )
                )
            if distance >= self.params.distance and severity == "info":
                severity = "warning"
        if not parts:
            return None
        shown = sorted(range(len(classes)), key=lambda k: -abs(shares[0, k] - shares[1, k]))[:20]
        never = "Samples of classes that were never trained on are always wrong." if new else ""
        return Found(
            message="; ".join(parts),
            consequence=never
            or "Scores on this split do not show how well the model does on data like the training data.",
            remedy="Split again, stratified by class; if labels are only written differently, write them in the same way.",
            severity=severity,
            confidence=0.99 if new or gone else 1 - min(0.5, p_value),
            split=other.name,
            class_=(new or gone or [worst])[0],
            evidence={
                "against": train.name,
                "total_variation": digits(distance, 3),
                "p_value": digits(p_value, 2),
                "new_classes": [*sorted(new, key=lambda name: -b[name])[:50]],
                "lacking_classes": [*sorted(gone, key=lambda name: -a[name])[:50]],
                "classes": [
                    {
                        "class": classes[k],
                        train.name: int(counts[0, k]),
                        other.name: int(counts[1, k]),
                        f"share of {train.name}": digits(shares[0, k], 3),
                        f"share of {other.name}": digits(shares[1, k], 3),
                    }
                    for k in shown
                ],
            },
            count=sum(b[name] for name in new) if new else 0,
            whatever_label=not set(a) & set(b),
        )

    def _numbers(self, profile: Profile) -> Iterator[Found]:
        targets = {s.name: s.rows.target[np.isfinite(s.rows.target)] for s in profile.splits}
        compared = against_train([s for s in profile.splits if len(targets[s.name])])
        if compared is None:
            raise Skip("there are not two labelled splits", applies=len(profile.splits) > 1)
        train, others = compared
        for other in others:
            a, b = targets[train.name], targets[other.name]
            gap, p_value = kolmogorov_smirnov(a, b, self._effect(profile.dataset, train, other))
            if p_value >= self.params.level / len(others) or gap < self.params.mild_distance + 0.05:
                continue
            low, high = (float(np.sort(values)[len(values) // 2]) for values in (a, b))
            between = [split for split in others if split is not other]
            later = in_time(profile.dataset, [train, *between, other], lambda rows: [rows.target])
            yield Found(
                message=(
                    f"the target of {other.name} is distributed unlike that of {train.name}: median {high:.4g} against "
                    f"{low:.4g}, and the cumulative shares differ by up to {gap:.0%}"
                ),
                consequence="Scores on this split do not show how well the model does on data like the training data.",
                remedy="The splits follow each other in time: let the model predict differences, or report the score by period."
                if later
                else "Split again at random, or stratified by bins of the target.",
                severity="info" if later or gap < self.params.distance + 0.05 else None,
                confidence=1 - min(0.5, p_value),
                split=other.name,
                evidence={
                    "against": train.name,
                    "largest_gap": digits(gap, 3),
                    "p_value": digits(p_value, 2),
                    f"median of {train.name}": digits(low, 4),
                    f"median of {other.name}": digits(high, 4),
                },
                count=0,
            )

    def _effect(self, dataset: Dataset, train: SplitProfile, other: SplitProfile) -> float:
        units = units_of(dataset, train, other)
        if units is None:
            return 1.0
        values = np.concatenate([train.rows.target, other.rows.target])
        known, second = np.isfinite(values), np.arange(len(values)) >= len(train.rows)
        return design_effect(midranks(values[known]), units[known], second[known])

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Take four in five samples of test's largest class away; all of them at full strength."""
        if clean.label is None or clean.joint or "test" not in clean.tables or "train" not in clean.tables:
            return None
        table = clean.tables["test"]
        if any(table[name].dtype.kind == "M" for name in table.columns):
            return None  # the splits may follow each other in time, so that it would be info
        counts = table[clean.label].value_counts()
        if not 2 <= len(counts) <= 20 or len(table) < 100 or counts.iloc[0] < 40:
            return None
        victim = counts.index[0]
        rows = np.flatnonzero(table[clean.label] == victim)
        dropped = rng.choice(rows, round((0.8 + 0.2 * strength) * len(rows)), replace=False)
        left = table.drop(index=table.index[dropped]).reset_index(drop=True)
        faulty = Clean(clean.name, {**clean.tables, "test": left}, clean.label)
        return Planted(faulty, split="test", class_=str(victim))


def _many(count: int) -> str:
    return "a class" if count == 1 else f"{count:,} classes"


def _of_sources(
    train: SplitProfile, other: SplitProfile, units: NDArray[np.int64], classes: list[str]
) -> tuple[float, dict[str, int], tuple[int, int]]:
    """The design's effect on class shares, the sources that have each class, and the sources of either split."""
    second = np.arange(len(units)) >= len(train.rows)
    has = np.concatenate([s.rows.members(classes) for s in (train, other)])
    known = np.concatenate([[label is not None for label in s.rows.label] for s in (train, other)]).astype(np.bool_)
    effect = design_effect(has[known].astype(np.float64), units[known], second[known])
    # A row of an unknown source is one by itself.
    units = np.where(units < 0, units.max() + 1 + np.arange(len(units)), units)
    having = {name: len(np.unique(units[has[:, k]])) for k, name in enumerate(classes)}
    return effect, having, (len(np.unique(units[~second])), len(np.unique(units[second])))
