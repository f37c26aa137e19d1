"""LBL102 noisy-labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Contradictions,
    Found,
    Learned,
    NoiseEstimate,
    OutOfFold,
    Places,
    Planted,
    Profile,
    Rule,
    Sample,
    Severity,
    Skip,
    contradictions,
    digits,
    estimate_noise,
    more_of,
    training,
)
from datalint.author import NamedSamples as Named
from datalint.author import NoiseVerdict as Verdict
from datalint.author import judge_noise as judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydantic import JsonValue


class NoisyLabels(Rule):
    """Samples whose label is probably wrong, by confident learning on out-of-fold predictions.

    Several fast models predict each sample of the coordinated sample out of fold. Their probabilities are calibrated
    together with a noise floor: the share of labels that are wrong even where the sample is clear. The floor tells wrong
    labels from a hard problem, which plain confident learning does not. Half of the models must see it, each by itself,
    and together they must err at most half as often as naming the largest class always. Named is every sample whose label is
    more likely wrong than right, in the order of cleanlab's score. In images, where the label is a function of the picture,
    the confident disagreement of a strong model counts as well. Equal pictures in two classes need no model: one of the
    labels is wrong.

    Labels that were exchanged in one direction only (a quarter of the 4s called 9) leave no such floor. They show where many
    samples of one class are recognised as one other, hardly any the other way round, and they are as clear as the rest; each
    ordered pair of classes is tested. In a table of two classes this is only info.

    Wrong labels mislead the models that are to find them. Where the first fit shows a floor, those that suffer from it are
    trained a second time without the samples doubted so far, and judge along with the first ones. That second round is skipped in
    sets of more than 2,000 samples, which show a floor without it, where no label is doubted, and where more than half of a
    class would be left out. From 4,000 samples on one model, the best of a race on 3,000 of them, judges alone.

    ## Why it hurts

    The model spends its capacity on memorising wrong answers, and a test set with wrong labels ranks models wrongly.

    ## How to fix it

    Look at the listed samples, worst first, and relabel or drop those that are wrong. Do not relabel blindly.

    ## When it is wrong

    In tables the outcome is often noisy by nature; only a noise floor is a warning there. If the features that datalint
    makes are weak for your images, it says so and claims nothing: give it ``--embeddings`` or ``--pred-probs`` of your own
    model.

    ## Reference

    37 reasons, item 6. Northcutt, Jiang and Chuang 2021 (confident learning, through cleanlab's filter and rank).
    """

    code = "LBL102"
    name = "noisy-labels"
    severity: ClassVar[Severity] = "warning"
    item = "6"
    repair = "relabel"
    wants = "classes"
    trains = True
    shares_models = True
    public = frozenset(
        {
            "evidence",
            "estimated_noise_rate",
            "low_rate",
            "high_rate",
            "p_value",
            "model",
            "accuracy",
            "chance_accuracy",
            "calibration_error",
            "samples_judged",
            "samples",
            "confidence",
            "identical",
            "other",
        }
    )
    measures = (Sample,)
    sampled = True

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the labelled samples of all splits together."""
        if sum(len(split.counts) > 1 for split in profile.labelled) == 0:
            raise Skip("there is only one class")
        learned = profile.learned
        twice = contradictions(learned.inputs, learned.labels) if profile.dataset.modality != "table" else None
        if twice is not None and twice.merged:
            yield _merged_classes(profile, learned, twice)
        result = learned.result
        if not isinstance(result, OutOfFold):
            raise Skip(result.reason)
        components = result.components
        if twice is not None and twice.merged:
            # These are reported already, and no model can settle them.
            components = tuple(part.copy() for part in components)
            for part in components:
                part[_rows_of(twice, learned)] = float("nan")
        try:
            estimate = estimate_noise(components, learned.labels)
        except ValueError as error:
            raise Skip(str(error)) from error
        verdict = judge(estimate, profile.dataset.modality)
        if verdict.level in {"floor", "one way", "disagreement"} and verdict.named is not None and len(verdict.named):
            yield _found(profile, learned, result, estimate, verdict)
        elif verdict.level == "hard":
            advice = "" if learned.supplied else "; give --embeddings or --pred-probs of a stronger model"
            raise Skip(f"the models are too weak: they get {result.accuracy:.1%} of the labels right{advice}")

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give 5 % of the training samples another class at random; 10 % at full strength."""
        if clean.label is None or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        classes = table[clean.label].unique()
        if not 2 <= len(classes) <= 50 or len(table) < 150:
            return None
        count = round((0.05 + 0.05 * strength) * len(table))
        rows = rng.choice(len(table), count, replace=False)
        values = table[clean.label].to_numpy(dtype=object, copy=True)
        for row in rows:
            values[row] = rng.choice(np.array([c for c in classes if c != values[row]], dtype=object))
        table[clean.label] = values
        faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(faulty, split=split, rows={split: frozenset(int(row) for row in rows)})


def _found(profile: Profile, learned: Learned, result: OutOfFold, estimate: NoiseEstimate, verdict: Verdict) -> Found:
    named = verdict.named
    assert named is not None
    total = len(learned.labels)
    model = f"models trained on the other samples get {result.accuracy:.1%} right"
    if verdict.level == "floor":
        what = (
            f"about {estimate.rate:.1%} of the labels look wrong ({estimate.low:.1%} to {estimate.high:.1%}); "
            f"{len(named):,} samples are named"
        )
    elif verdict.level == "one way":
        first = estimate.one_way[0]
        given, suggested = learned.classes[first.given], learned.classes[first.suggested]
        more = (
            f"; {more_of(len(estimate.one_way) - 1, 'pair')} of classes likewise" if len(estimate.one_way) > 1 else ""
        )
        what = (
            f"{first.samples:,} samples labelled {given!r} look like {suggested!r} as clearly as those that are, "
            f"{first.mirror:,} the other way round{more}"
        )
    else:
        what = f"{len(named):,} of {total:,} samples carry a label that the model disputes"
    worst = _pairs(named, learned.classes)
    common = f", most often {worst[0][0]!r} instead of {worst[0][1]!r}" if worst and verdict.level != "one way" else ""
    covered = sum(split.samples for split in profile.labelled)
    return Found(
        message=f"{what}{common} ({model})",
        consequence="The model learns to repeat wrong answers, and scores against wrong labels mislead.",
        remedy="Look at the listed samples, worst first, and relabel or drop those that are wrong.",
        severity=None if verdict.warn else "info",
        confidence=0.95 if verdict.warn else 0.6,
        evidence={
            "evidence": verdict.level,
            "reason": verdict.reason,
            "estimated_noise_rate": digits(estimate.rate, 3),
            "low_rate": digits(estimate.low, 3),
            "high_rate": digits(estimate.high, 3),
            "p_value": digits(estimate.p_value, 2),
            "model": result.model,
            "accuracy": digits(result.accuracy, 4),
            "chance_accuracy": digits(result.chance_accuracy, 4),
            "calibration_error": digits(estimate.calibration_error, 3),
            "samples_judged": total,
            "confusion": [{"given": a, "suggested": b, "samples": count} for a, b, count in worst[:50]],
        },
        cases=_cases(profile, learned, named.candidates, _details(named, learned.classes)),
        count=len(named) if total >= covered else round(len(named) * covered / total),
        exact=total >= covered,
    )


def _details(named: Named, classes: tuple[str, ...]) -> dict[str, list[JsonValue]]:
    return {
        "given": [classes[int(k)] for k in named.given],
        "suggested": [classes[int(k)] for k in named.suggested],
        "confidence": [float(f"{value:.3g}") for value in named.confidence],
    }


def _pairs(named: Named, classes: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """Given and suggested class with the number of samples, most common first."""
    counts: dict[tuple[str, str], int] = {}
    for given, suggested in zip(named.given, named.suggested, strict=True):
        pair = (classes[int(given)], classes[int(suggested)])
        counts[pair] = counts.get(pair, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(given, suggested, count) for (given, suggested), count in ordered]


def _cases(profile: Profile, learned: Learned, which: NDArray[np.intp], details: dict[str, list[JsonValue]]) -> Cases:
    """Places of pooled samples, in the order given."""
    splits = {split.name: split for split in profile.labelled}
    names = np.concatenate([np.full(len(rows), k) for k, (_, rows) in enumerate(learned.rows)])
    pooled = Places.none()
    for name, rows in learned.rows:
        pooled = pooled.then(splits[name].rows.places.take(rows))
    order = np.asarray(which, np.int64)
    return Cases([learned.rows[int(names[k])][0] for k in order], pooled.take(order), dict(details))


def _rows_of(twice: Contradictions, learned: Learned) -> NDArray[np.intp]:
    """The samples of equal pictures in classes that hold mostly the same ones."""
    involved = np.unique([k for a, b, _ in twice.merged for k in (a, b)])
    return twice.rows[np.isin(learned.labels[twice.rows], involved)]


def _merged_classes(profile: Profile, learned: Learned, twice: Contradictions) -> Found:
    """Classes that hold mostly the same pictures: one folder copied, or two names of one thing."""
    pairs = [(learned.classes[a], learned.classes[b], count) for a, b, count in twice.merged]
    rows = _rows_of(twice, learned)
    first = pairs[0]
    more = f", and {more_of(len(pairs) - 1, 'pair')} of classes" if len(pairs) > 1 else ""
    return Found(
        message=(
            f"the classes {first[0]!r} and {first[1]!r} share {first[2]:,} identical pictures{more}: "
            "one of the two is mislabelled"
        ),
        consequence="No model can separate these classes, and at least half of their labels are wrong.",
        remedy=f"Compare the classes {first[0]!r} and {first[1]!r} with their source and load the wrong one again.",
        confidence=0.999,
        class_=f"{first[0]}, {first[1]}",
        evidence={"pairs": [{"class": a, "other": b, "identical": count} for a, b, count in pairs[:12]]},
        cases=_cases(profile, learned, rows, {"given": [learned.classes[int(learned.labels[k])] for k in rows]}),
    )
