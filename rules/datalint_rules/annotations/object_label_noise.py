"""ANN115 object-label-noise."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    ImageHeaders,
    LearnedObjects,
    NamedSamples,
    NoiseEstimate,
    NoiseVerdict,
    Objects,
    OutOfFold,
    Places,
    Planted,
    Profile,
    RuleParams,
    Severity,
    Skip,
    digits,
    estimate_noise,
    judge_noise,
)
from datalint_rules.annotations._objects import ObjectRule, documents_of, named, planted

if TYPE_CHECKING:
    from collections.abc import Iterator


class ObjectLabelNoise(ObjectRule):
    """Objects whose class is probably wrong, by confident learning on what is in their boxes.

    Models learn the classes from crops of the boxes in some pictures, and judge those in others. Wrong classes leave a
    share of errors that does not fade where the models are sure; hard objects do not.

    ## Why it hurts

    The model is told that one thing is another, and an evaluation against wrong classes misleads.

    ## How to fix it

    Look at the listed objects, worst first, and correct those that are wrong.

    ## When it is wrong

    Where classes are told apart by what the box does not show, such as the side of the road. Where the models are too weak
    to dispute classes, nothing is claimed.

    ## Reference

    37 reasons, item 6. Northcutt, Jiang and Chuang 2021 (confident learning, through cleanlab's filter and rank).
    """

    code = "ANN115"
    name = "object-label-noise"
    severity: ClassVar[Severity] = "warning"
    item = "6"
    trains = True
    follows = ("ANN114",)
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
            "objects_judged",
            "objects",
            "confidence",
        }
    )

    class Params(RuleParams):
        """Cut."""

        objects: int = Field(150, ge=50, description="Objects that are seen below which nothing is claimed.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the objects of all splits together."""
        if len({name for split in profile.splits for name in split[Objects].classes}) < 2:
            raise Skip("there is only one class")
        few = f"fewer than {self.params.objects} objects that are large enough to be seen"
        if _drawn(profile) < self.params.objects:  # before models are trained on them
            raise Skip(few)
        learned = profile.learned_objects
        if len(learned.labels) < self.params.objects:
            raise Skip(few)
        result = learned.result
        if not isinstance(result, OutOfFold):
            raise Skip(result.reason)
        try:
            estimate = estimate_noise(result.components, learned.labels)
        except ValueError as error:
            raise Skip(str(error)) from error
        verdict = judge_noise(estimate, "images")
        if verdict.warn and verdict.named is not None and len(verdict.named):
            yield _found(profile, learned, result, estimate, verdict, verdict.named)
        elif verdict.level == "hard":
            raise Skip(verdict.reason)

    def coverage(self, profile: Profile) -> str:
        """How many objects were looked at."""
        return f"{len(profile.learned_objects.labels):,} of {_drawn(profile):,} objects"

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give 6 % of the objects of train another class; 12 % at full strength."""
        documents = documents_of(clean)
        if "train" not in documents:
            return None
        document = documents["train"]
        kinds = sorted({item["category_id"] for item in document["annotations"]})
        objects = document["annotations"]
        # With fewer of each class models are too weak to dispute any.
        if len(kinds) < 2 or len(objects) < 100 * len(kinds):
            return None
        rows: set[int] = set()
        at = {image["id"]: k for k, image in enumerate(document["images"])}
        for k in rng.choice(len(objects), round((0.06 + 0.06 * strength) * len(objects)), replace=False):
            own = objects[k]["category_id"]
            objects[k]["category_id"] = int(rng.choice([kind for kind in kinds if kind != own]))
            rows.add(at[objects[k]["image_id"]])
        return planted(clean, documents, {"train": rows})


def _drawn(profile: Profile) -> int:
    return sum(len(split[Objects].picture) for split in profile.splits)


def _found(
    profile: Profile,
    learned: LearnedObjects,
    result: OutOfFold,
    estimate: NoiseEstimate,
    verdict: NoiseVerdict,
    wrong: NamedSamples,
) -> Found:
    total = len(learned.labels)
    pairs = Counter(zip(wrong.given.tolist(), wrong.suggested.tolist(), strict=True)).most_common(50)
    (given, suggested), _ = pairs[0]
    share = (
        f"about {estimate.rate:.1%} of the objects look wrongly named ({estimate.low:.1%} to {estimate.high:.1%})"
        if verdict.level == "floor"
        else f"{len(wrong):,} of {total:,} objects are of a class that the model disputes"
    )
    return Found(
        message=f"{share}, most often {learned.classes[given]!r} instead of {learned.classes[suggested]!r} "
        f"({result.model} on what is in the boxes, {result.accuracy:.1%} accurate out of fold)",
        consequence="The model is told that one thing is another, and scores against wrong classes mislead.",
        remedy="Look at the listed objects, worst first, and correct those that are wrong.",
        confidence=0.9,
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
            "objects_judged": total,
            "confusion": [
                {"given": learned.classes[a], "suggested": learned.classes[b], "objects": count}
                for (a, b), count in pairs
            ],
        },
        cases=_cases(profile, learned, wrong),
        count=len(wrong),
    )


def _cases(profile: Profile, learned: LearnedObjects, wrong: NamedSamples) -> Cases:
    """The pictures of the objects, each once, with its worst."""
    places, splits = Places.none(), []
    said: list[str] = []
    given: list[str] = []
    suggested: list[str] = []
    confidence: list[float] = []
    met: set[tuple[int, int]] = set()
    for k, at in enumerate(wrong.candidates.tolist()):
        number, place = int(learned.split[at]), int(learned.at[at])
        split = profile.splits[number]
        picture = int(split[Objects].picture[place])
        if (number, picture) in met:
            continue
        met.add((number, picture))
        places = places.then(split[ImageHeaders].places.take(np.array([picture])))
        splits.append(split.name)
        said.append(named(profile, split, np.intp(place)))
        given.append(learned.classes[int(wrong.given[k])])
        suggested.append(learned.classes[int(wrong.suggested[k])])
        confidence.append(float(f"{wrong.confidence[k]:.3g}"))
    return Cases(splits, places, {"object": said, "given": given, "suggested": suggested, "confidence": confidence})
