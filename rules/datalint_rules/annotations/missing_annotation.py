"""ANN101 missing-annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    Gap,
    ImageHeaders,
    Objects,
    Planted,
    Profile,
    RuleParams,
    Severity,
    SplitProfile,
    are,
    counted,
    have,
)
from datalint_rules.annotations._objects import HALF, AnnotationRule, documents_of, planted

if TYPE_CHECKING:
    from collections.abc import Iterator


class MissingAnnotation(AnnotationRule):
    """Pictures without annotations, and annotations without their picture.

    Listed pictures that are not there, objects of pictures that are not listed, pictures that nothing lists or describes,
    files of annotations whose picture is not there, and splits without any object.

    ## Why it hurts

    A loader stops at a picture that is not there. Objects without a picture are lost. A picture whose objects were lost
    teaches the model that there is nothing to see.

    ## How to fix it

    Fetch the pictures, or take them off the list; find out where the annotations were lost on the way.

    ## When it is wrong

    Pictures without any object are often meant to be there as background: they are told as info only.

    ## Reference

    37 reasons, item 4.
    """

    code = "ANN101"
    name = "missing-annotation"
    severity: ClassVar[Severity] = "error"
    item = "4"
    wants = "annotations"
    public = frozenset({"pictures", "of", "objects"})

    class Params(RuleParams):
        """Cut."""

        background: float = Field(
            0.1,
            ge=0,
            le=1,
            description="Share of pictures without a file of annotations that may be meant as background: trainers "
            "advise a tenth at most.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the gaps of each split, and its pictures without objects."""
        known = profile.dataset.annotations
        assert known is not None
        gaps: dict[tuple[str, str], list[Gap]] = {}
        for gap in known.gaps:
            gaps.setdefault((gap.split, gap.kind), []).append(gap)
        for (split, kind), found in gaps.items():
            yield _gap(split, kind, found, known.listed.get(split, 0))
        for part in profile.splits:
            objects = part[Objects]
            yield from self._undescribed(part)
            nothing = np.bincount(objects.picture, minlength=objects.samples) == 0
            empty = np.flatnonzero(nothing & objects.described)
            if len(empty) == 0 or not any(known.objects.values()):
                continue
            lost = len(empty) == objects.samples and part.name in known.objects
            yield Found(
                message=f"{len(empty):,} of {counted(objects.samples, 'picture')} have no object",
                consequence="The model learns that there is nothing to see in them.",
                remedy="Check some of them: background is useful, forgotten objects are not.",
                severity="error" if lost else "info",
                split=part.name,
                subject="empty",
                evidence={"pictures": len(empty), "of": objects.samples},
                cases=Cases(part.name, part[ImageHeaders].places.take(empty)),
            )

    def _undescribed(self, part: SplitProfile) -> Iterator[Found]:
        """Pictures without a file of annotations: a few may be meant, and so may a whole test split."""
        objects = part[Objects]
        rows = np.flatnonzero(~objects.described)
        if len(rows) == 0:
            return
        total = objects.samples
        few = len(rows) <= self.params.background * total or (len(rows) == total and part.name in {"test", "unlabeled"})
        yield Found(
            message=f"{len(rows):,} of {counted(total, 'picture')} {have(len(rows))} no file of annotations",
            consequence="Trainers take them for background: whatever is in them, the model learns to pass over.",
            remedy="Find out whether their annotations were lost; write an empty file for true background.",
            severity="info" if few else "error" if len(rows) >= HALF * total else "warning",
            split=part.name,
            subject="undescribed",
            evidence={"pictures": len(rows), "of": total},
            cases=Cases(part.name, part[ImageHeaders].places.take(rows)),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Remove pictures but not their entries: one, up to 5 % at full strength."""
        documents = documents_of(clean)
        listed = [
            f"{split}/{image['file_name']}" for split, document in documents.items() for image in document["images"]
        ]
        if not listed:
            return None
        gone = {listed[k] for k in rng.choice(len(listed), max(1, round(0.05 * strength * len(listed))), replace=False)}
        files = {path: data for path, data in clean.files.items() if path not in gone}
        left = Clean(clean.name, files=files, annotations=clean.annotations)
        return planted(left, documents, {}, files=frozenset(gone))


def _gap(split: str, kind: str, found: list[Gap], listed: int) -> Found:
    many, first = len(found), found[0]
    severity: Severity
    if kind == "absent":
        message = f"{many:,} of {counted(listed, 'listed picture')} {are(many)} not there: {first.path}"
        consequence, severity = "A loader stops there, or goes on without these pictures.", "error"
        remedy = "Fetch the pictures, or take them off the list."
    elif kind == "dangling":
        message = f"objects of {counted(many, 'picture')} that are not listed: {first.what}"
        consequence = "Readers drop these objects or stop at them."
        severity = "error" if many >= HALF * (many + listed) else "warning"
        remedy = "Put the pictures back on the list, or remove the objects."
    elif kind == "orphan":
        message = f"{counted(many, 'file')} of annotations whose picture is not there: {first.path}"
        consequence = "These annotations are lost: trainers look for files by the picture."
        severity = "error" if many >= HALF * (many + listed) else "warning"
        remedy = "Fetch the pictures, or give them the names of these files."
    else:
        message = f"{counted(many, 'picture')} that nothing lists, next to {listed:,} that are listed: {first.path}"
        consequence, severity = "They are not trained on.", "info"
        remedy = "Annotate them, or move them away."
    return Found(
        message=message,
        consequence=consequence,
        remedy=remedy,
        severity=severity,
        split=split,
        subject=kind,
        evidence={"pictures": many, "of": listed},
        files=[(gap.path, gap.what) for gap in found],
    )
