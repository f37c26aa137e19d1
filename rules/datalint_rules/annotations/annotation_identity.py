"""ANN110 annotation-identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    CROWD,
    UNSEEN,
    Clean,
    Found,
    Objects,
    Planted,
    Profile,
    Severity,
    SplitProfile,
    counted,
    have,
)
from datalint_rules.annotations._objects import HALF, ObjectRule, cases_of, documents_of, named, planted, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FEW = 100
"""Objects of which one that is counted as wrong is a hundredth of the score."""


class AnnotationIdentity(ObjectRule):
    """Objects that readers lose by what they are called or flagged: an id twice, the id 0, all of them crowds, keypoints without sight.

    ## Why it hurts

    Readers keep objects by their ids, so that of two with one id the first is lost. The official evaluation of COCO takes the
    id 0 for "no match": a detection that finds this object counts as false. Objects flagged as crowds are left out of training,
    and keypoints whose visibility is 0 count as absent wherever they lie.

    ## How to fix it

    Number the objects of each file anew, from 1. Set ``iscrowd`` to 0 where single objects are meant, and the
    visibility of keypoints to 2, or 1 where they are covered; ``num_keypoints`` is how many have one.

    ## When it is wrong

    The id 0 does not matter where a set is never evaluated on with pycocotools; in a training split it is only told.

    ## Reference

    37 reasons, item 4. cocodataset/cocoapi: ``cocoeval.py`` marks a match by the id of the object.
    """

    code = "ANN110"
    name = "annotation-identity"
    severity: ClassVar[Severity] = "warning"
    item = "4"
    public = frozenset({"objects", "of"})

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        known = profile.dataset.annotations
        assert known is not None
        for split in profile.splits:
            objects = split[Objects]
            total = len(objects.picture)
            if split.name in known.identified:
                yield from self._ids(profile, split)
            crowds = np.flatnonzero(objects.flags & CROWD)
            if total and len(crowds) >= HALF * total:
                yield self._found(
                    profile,
                    split,
                    crowds,
                    "crowds",
                    f"{len(crowds):,} of {counted(total, 'object')} are flagged as crowds",
                    "Trainers leave crowds out, and evaluations pass over them.",
                    "Set iscrowd to 0 where single objects are meant.",
                    "error" if len(crowds) == total else "warning",
                )

            unseen = np.flatnonzero(objects.flags & UNSEEN)
            if len(unseen):
                yield self._found(
                    profile,
                    split,
                    unseen,
                    "unseen",
                    f"{len(unseen):,} of {counted(total, 'object')} {have(len(unseen))} keypoints with places that are all "
                    "said to be absent (visibility or num_keypoints 0)",
                    "Trainers and evaluations pass over such keypoints.",
                    "Set the visibility to 2, or to 1 where a point is covered, and num_keypoints to how many have one.",
                    severity_of(len(unseen), total),
                )

    def _ids(self, profile: Profile, split: SplitProfile) -> Iterator[Found]:
        refs = split[Objects].refs
        ids, first, counts = np.unique(refs, return_index=True, return_counts=True)
        again = np.isin(refs, ids[(counts > 1) & (ids >= 0)])
        again[first] = False
        rows = np.flatnonzero(again)
        if len(rows):
            yield self._found(
                profile,
                split,
                rows,
                "twice",
                f"{len(rows):,} of {counted(len(refs), 'object')} {have(len(rows))} the id of an earlier one",
                "Readers keep objects by their ids: of two with one id the first is lost.",
                "Number the objects of each file anew, from 1.",
                severity_of(len(rows), len(refs)),
            )
        zero = np.flatnonzero(refs == 0)
        if len(zero) == 1:
            yield self._found(
                profile,
                split,
                zero,
                "zero",
                "an object has the id 0",
                "The evaluation of pycocotools takes 0 for no match: who finds this object is counted as wrong.",
                "Number the objects from 1.",
                "warning" if split.name != "train" and len(refs) < FEW else "info",
            )

    def _found(
        self,
        profile: Profile,
        split: SplitProfile,
        rows: NDArray[np.int64],
        kind: str,
        message: str,
        consequence: str,
        remedy: str,
        severity: Severity,
    ) -> Found:
        said = [named(profile, split, k) for k in rows]
        return Found(
            message=message,
            consequence=consequence,
            remedy=remedy,
            severity=severity,
            split=split.name,
            subject=kind,
            evidence={"objects": len(rows), "of": len(split[Objects].picture)},
            cases=cases_of(split, rows, np.zeros(len(rows)), said),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give objects the id of the first one: one, up to 5 % at full strength."""
        documents = documents_of(clean)
        found = [(split, k) for split, document in documents.items() for k in range(1, len(document["annotations"]))]
        if not found:
            return None
        rows: dict[str, set[int]] = {}
        for at in rng.choice(len(found), max(1, round(0.05 * strength * len(found))), replace=False):
            split, k = found[at]
            document = documents[split]
            item = document["annotations"][k]
            item["id"] = document["annotations"][0]["id"]
            rows.setdefault(split, set()).add(
                next(row for row, image in enumerate(document["images"]) if image["id"] == item["image_id"])
            )
        return planted(clean, documents, rows)
