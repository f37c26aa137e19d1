"""ANN107 repeated-object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import Clean, Field, Found, Objects, Planted, Profile, RuleParams, Severity, SplitProfile, counted
from datalint_rules.annotations._objects import (
    HALF,
    ObjectRule,
    cases_of,
    documents_of,
    named,
    planted,
    severity_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NEIGHBOURS = 8
"""Boxes of the same picture, by their left sides, with which each is compared: nearly equal ones are next to each other."""


class RepeatedObject(ObjectRule):
    """The same box twice in a picture, exactly or nearly, of one class or of two.

    ## Why it hurts

    Two equal boxes count one object twice, in the loss and in the evaluation, where one of them is always missed. Of two
    classes they tell the model that the object is both.

    ## How to fix it

    Remove one of each pair; of two classes keep the right one.

    ## When it is wrong

    Where classes are parts of a hierarchy and each object is given to all of its levels: two classes of which most boxes are
    twins are only told.

    ## Reference

    37 reasons, item 4. Ultralytics removes equal lines, with a warning.
    """

    code = "ANN107"
    name = "repeated-object"
    severity: ClassVar[Severity] = "warning"
    item = "4"
    public = frozenset({"boxes", "of", "pictures", "objects"})

    class Params(RuleParams):
        """Cut."""

        overlap: float = Field(
            0.95, gt=0, le=1, description="Intersection over union from which two boxes are taken for one."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split: twins of one class, and twins of two."""
        for split in profile.splits:
            objects = split[Objects]
            first, second = _twins(objects, self.params.overlap)
            if len(first) == 0:
                continue
            same = objects.codes[first] == objects.codes[second]
            if same.any():
                yield _found(profile, split, first[same], second[same], "one class", None)
            designed, others = self._hierarchies(objects, first[~same], second[~same])
            a, b = first[~same], second[~same]
            if others.any():
                yield _found(profile, split, a[others], b[others], "two classes", None)
            if designed.any():
                yield _found(profile, split, a[designed], b[designed], "classes that go together", "info")

    def _hierarchies(
        self, objects: Objects, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which twins are of two classes most of whose boxes are twins, and which of others."""
        counts = np.bincount(objects.codes, minlength=len(objects.classes))
        kinds = [
            (min(a, b), max(a, b))
            for a, b in zip(objects.codes[first].tolist(), objects.codes[second].tolist(), strict=True)
        ]
        often = Counter(kinds)
        designed = np.array(
            [often[pair] >= HALF * min(counts[pair[0]], counts[pair[1]]) > 1 for pair in kinds], np.bool_
        )
        return designed, ~designed

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Annotate objects a second time, a little off: one, up to 5 % at full strength."""
        documents = documents_of(clean)
        found = [(split, item) for split, document in documents.items() for item in document["annotations"]]
        if not found:
            return None
        rows: dict[str, set[int]] = {}
        for k in rng.choice(len(found), max(1, round(0.05 * strength * len(found))), replace=False):
            split, item = found[k]
            document = documents[split]
            number = max(other["id"] for other in document["annotations"]) + 1
            left, top, width, height = item["bbox"]
            copy = {**item, "id": number, "bbox": [left + 0.01 * width, top, width, height]}
            document["annotations"].append(copy)
            rows.setdefault(split, set()).add(
                next(row for row, image in enumerate(document["images"]) if image["id"] == item["image_id"])
            )
        return planted(clean, documents, rows)


def _twins(objects: Objects, least: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of boxes of one picture that are nearly equal: each box but the first of its kind, with an earlier one."""
    boxes = objects.boxes.astype(np.float64)
    good = np.flatnonzero(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    order = good[np.lexsort((boxes[good, 1], boxes[good, 0], objects.picture[good]))]
    partner = np.full(len(objects.picture), -1, np.int64)
    for step in range(1, NEIGHBOURS + 1):
        a, b = order[:-step], order[step:]
        near = objects.picture[a] == objects.picture[b]
        a, b = a[near], b[near]
        inner = np.minimum(boxes[a, 2:], boxes[b, 2:]) - np.maximum(boxes[a, :2], boxes[b, :2])
        shared = np.maximum(inner, 0).prod(axis=1)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        same = shared >= least * (area[a] + area[b] - shared)
        late, early = np.maximum(a, b)[same], np.minimum(a, b)[same]
        free = partner[late] < 0
        partner[late[free]] = early[free]
    second = np.flatnonzero(partner >= 0)
    return partner[second], second


def _found(
    profile: Profile,
    split: SplitProfile,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    words: str,
    severity: Severity | None,
) -> Found:
    said = [
        f"{named(profile, split, b)} repeats {named(profile, split, a)}" for a, b in zip(first, second, strict=True)
    ]
    cases = cases_of(split, second, np.zeros(len(second)), said)
    total, pictures = len(split[Objects].picture), len(cases.places)
    return Found(
        message=f"{len(second):,} of {counted(total, 'box')} repeat another of the same picture, in "
        f"{counted(pictures, 'picture')}: twins of {words}",
        consequence="The object counts twice, and of two equal boxes an evaluation always misses one."
        if words == "one class"
        else "The model is told that one object is of two classes.",
        remedy="Remove one of each pair." if words == "one class" else "Keep the right class of each pair.",
        severity=severity or severity_of(len(second), total),
        split=split.name,
        subject=words,
        evidence={"boxes": len(second), "of": total, "pictures": pictures},
        cases=cases,
    )
