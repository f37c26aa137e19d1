"""ANN114 misplaced-annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    NEEDED_PICTURES,
    Cases,
    Clean,
    Field,
    Found,
    ImageHeaders,
    Objects,
    Placement,
    PlacementCuts,
    Planted,
    Profile,
    RuleParams,
    Severity,
    Skip,
    SplitProfile,
    digits,
    placement,
)
from datalint_rules.annotations._objects import HALF, AnnotationRule, documents_of, planted

if TYPE_CHECKING:
    from collections.abc import Iterator

NEIGHBOURS = ("of the next picture", "of the picture before")


class MisplacedAnnotation(AnnotationRule):
    """Boxes or masks that fit their picture better when they are mirrored, turned, shifted, or taken from the picture next to it.

    A model learns to tell what is in the boxes from what lies elsewhere: in boxes of other pictures, which have the same
    sizes and places. It looks at edges, colours inside against around, and how similar the crops are to each other. What
    is told is that another place fits better, of all boxes of a split or of those of some pictures; never that boxes fit
    badly, which may be the fault of the model. Of masks it looks at the boxes around what they mark.

    ## Why it hurts

    The model is told that there is an object where there is none, and that the object is background. It happens when
    pictures are flipped, turned, resized or padded and their boxes are not, and when two lists are joined by position.

    ## How to fix it

    Draw the boxes of the listed pictures over them. Then move them as the finding says, or repeat the step that
    changed the pictures with their boxes.

    ## When it is wrong

    Where objects come in rows, so that boxes shifted by one lie on the next.

    ## Reference

    37 reasons, item 4.
    """

    code = "ANN114"
    name = "misplaced-annotation"
    severity: ClassVar[Severity] = "error"
    item = "4"
    trains = True
    wants = "annotations"
    follows = ("ANN104", "ANN111")
    public = frozenset({"pictures", "of", "fit", "moved", "fit_moved", "z", "chance"})

    class Params(RuleParams):
        """Cuts; of boxes that have nothing to do with their pictures none is reported."""

        gain: float = Field(
            0.1,
            gt=0,
            lt=0.25,
            description="How much more often boxes must be told from those of other pictures when they are moved; also how much "
            "more often than by chance for pictures to be judged one by one.",
        )
        z: float = Field(6.0, gt=0, description="Standard errors by which moved boxes must fit better.")
        level: float = Field(
            1e-6,
            gt=0,
            lt=1,
            description="Chance of as many pictures whose boxes fit elsewhere, from which it is reported.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split of enough pictures."""
        cuts = PlacementCuts(self.params.gain, self.params.z, self.params.level)
        judged = False
        for split in profile.splits:
            views = profile.object_views[split.name]
            if len(views) < NEEDED_PICTURES:
                continue
            judged = True
            found = placement(views, cuts)
            what = "masks" if profile.dataset.task == "segmentation" else "boxes"
            if found.better:
                yield _of_all(split, found, what)
            elif found.rows is not None:
                yield _of_some(split, found, what)
        if not judged:
            raise Skip(f"fewer than {NEEDED_PICTURES} pictures with objects that are large enough to be seen")

    def coverage(self, profile: Profile) -> str:
        """How many pictures were looked at."""
        seen = sum(len(views) for views in profile.object_views.values())
        full = sum(_pictures(split) for split in profile.splits)
        return "all samples" if seen >= full else f"{seen:,} of {full:,} pictures with objects"

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Mirror the boxes of five in six pictures of train, and not the pictures; of all at full strength."""
        documents = documents_of(clean)
        if "train" not in documents:
            return None
        document = documents["train"]
        full = {item["image_id"] for item in document["annotations"]}
        rows = [k for k, image in enumerate(document["images"]) if image["id"] in full]
        if len(rows) < 1.5 * NEEDED_PICTURES:
            return None
        hit = rng.choice(rows, round((5 + strength) / 6 * len(rows)), replace=False)
        width = {document["images"][k]["id"]: document["images"][k]["width"] for k in hit}
        for item in document["annotations"]:
            if item["image_id"] in width:
                item["bbox"][0] = width[item["image_id"]] - item["bbox"][0] - item["bbox"][2]
        return planted(clean, documents, {}, split="train")


def _pictures(split: SplitProfile) -> int:
    """How many pictures have objects or a mask."""
    objects = split[Objects]
    return len(np.unique(objects.picture)) if len(objects.picture) else int(objects.described.sum())


def _fits(move: str, what: str) -> str:
    return f"the {what} {move}" if move in NEIGHBOURS else f"{what} {move}"


def _of_all(split: SplitProfile, found: Placement, what: str) -> Found:
    return Found(
        message=f"{_fits(found.better, what)} fit the pictures better than the given ones: told from {what} of other pictures {found.better_fit:.0%} "
        f"of the time, the given ones {found.fit:.0%}, and 50% are chance",
        consequence="The model is told that there are objects where there are none, and that the objects are background.",
        remedy=f"Draw the {what} over some pictures, and do with the {what} what was done with the pictures.",
        confidence=0.95,
        split=split.name,
        evidence={
            "pictures": found.pictures,
            "moved": found.better,
            "fit": digits(found.fit, 3),
            "fit_moved": digits(found.better_fit, 3),
            "z": digits(found.z, 3),
        },
        count=_pictures(split),
    )


def _of_some(split: SplitProfile, found: Placement, what: str) -> Found:
    assert found.rows is not None
    count = len(found.rows)
    fits = _fits(found.move, what)
    total = _pictures(split)
    sampled = "" if total <= found.pictures else " that were looked at"
    return Found(
        message=f"in {count:,} of {found.pictures:,} pictures{sampled} the {what} show no object, and {fits} do",
        consequence="The model is told that there are objects where there are none, and that the objects are background.",
        remedy=f"Draw the {what} over the listed pictures, and do with the {what} what was done with the pictures.",
        severity="error" if count >= HALF * found.pictures else "warning",
        confidence=0.9,
        split=split.name,
        evidence={
            "pictures": count,
            "of": found.pictures,
            "moved": found.move,
            "fit": digits(found.fit, 3),
            "chance": digits(found.chance, 2),
        },
        cases=Cases(split.name, split[ImageHeaders].places.take(found.rows), {"fits": [fits] * count}),
        count=max(count, round(count * total / max(found.pictures, 1))),
        exact=total <= found.pictures,
    )
