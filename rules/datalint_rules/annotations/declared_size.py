"""ANN104 declared-size."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    OTHER_SIZE,
    Cases,
    Clean,
    Field,
    Found,
    ImageHeaders,
    Objects,
    Planted,
    Profile,
    RuleParams,
    Severity,
    SplitProfile,
    counted,
    have,
    plural,
)
from datalint_rules.annotations._objects import ObjectRule, cases_of, documents_of, named, planted, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {
    "swapped": (
        "with width and height exchanged",
        "Exchange width and height in the annotations, and look at the boxes.",
    ),
    "scaled": (
        "at another scale",
        "Find the pictures for which the annotations were made, or scale the boxes by the same factor.",
    ),
    "other": ("of another shape", "Find the pictures for which the annotations were made, or annotate them again."),
    "turned": (
        "as their EXIF tag turns them",
        "Apply the tag when loading (PIL.ImageOps.exif_transpose), or write the files turned and without it.",
    ),
}


class DeclaredSize(ObjectRule):
    """Pictures whose size is not the one that the annotations declare: swapped, scaled, or of another picture.

    Also masks in run lengths (COCO) of another size than their picture is declared to have.

    ## Why it hurts

    What divides or multiplies by the declared size (conversion between formats, resizing, masks) puts every box of the
    picture in the wrong place. A swapped size also means that somewhere rows were taken for columns.

    ## How to fix it

    Write the size of the file into the annotations if the boxes fit it; otherwise find the picture for which they were
    drawn.

    ## When it is wrong

    Where a loader resizes pictures to the declared size before it draws.

    ## Reference

    37 reasons, item 1.
    """

    code = "ANN104"
    name = "declared-size"
    severity: ClassVar[Severity] = "error"
    item = "1"
    public = frozenset({"pictures", "of", "kind", "objects"})

    class Params(RuleParams):
        """Cut."""

        ratio: float = Field(
            0.02, ge=0, lt=1, description="Share by which the shape may differ in a picture that was scaled."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split by kind."""
        for split in profile.splits:
            yield from self._masks(profile, split)
            headers = split[ImageHeaders]
            declared = split[Objects].sizes.astype(np.int64)
            size = np.column_stack([headers.width, headers.height]).astype(np.int64)
            known = (declared > 0).all(axis=1) & (size > 0).all(axis=1)
            differ = known & (declared != size).any(axis=1)
            if not differ.any():
                continue
            swapped = differ & (declared == size[:, ::-1]).all(axis=1)
            turned = swapped & (headers.orientation >= 5)
            scale = declared / np.maximum(size, 1)
            scaled = (
                differ
                & ~swapped
                & (abs(np.log(np.maximum(scale[:, 0], 1e-9) / np.maximum(scale[:, 1], 1e-9))) <= self.params.ratio)
            )
            kinds = {
                "swapped": swapped & ~turned,
                "scaled": scaled,
                "other": differ & ~swapped & ~scaled,
                "turned": turned,
            }
            total = int(known.sum())
            for kind, mask in kinds.items():
                rows = np.flatnonzero(mask)
                if len(rows) == 0:
                    continue
                words, remedy = _KINDS[kind]
                sizes = [
                    f"{d[0]} x {d[1]} declared, {s[0]} x {s[1]} stored"
                    for d, s in zip(declared[rows], size[rows], strict=True)
                ]
                yield Found(
                    message=f"{len(rows):,} of {total:,} {plural('picture', len(rows))} {have(len(rows))} another size than the annotations declare: {words}",
                    consequence="Boxes that are scaled by the declared size land in the wrong place."
                    if kind != "turned"
                    else "Loaders that pass over the tag show these pictures on their side, and the boxes elsewhere.",
                    remedy=remedy,
                    severity="info" if kind == "turned" else severity_of(len(rows), total),
                    split=split.name,
                    subject=kind,
                    evidence={"pictures": len(rows), "of": total, "kind": kind},
                    cases=Cases(split.name, headers.places.take(rows), {"size": sizes}),
                )

    @staticmethod
    def _masks(profile: Profile, split: SplitProfile) -> Iterator[Found]:
        """Masks in run lengths that were drawn at another size than their picture is declared to have."""
        objects = split[Objects]
        hit = np.flatnonzero(objects.flags & OTHER_SIZE)
        if len(hit) == 0:
            return
        total = len(objects.picture)
        yield Found(
            message=f"{len(hit):,} of {counted(total, 'object')} {have(len(hit))} a mask of another size than their picture is "
            "declared to have",
            consequence="Training stops where masks of a picture are stacked, or the masks lie elsewhere than the objects.",
            remedy="Draw the masks again at the size of the picture; run lengths tell rows first, then columns.",
            severity=severity_of(len(hit), total),
            split=split.name,
            subject="masks",
            evidence={"objects": len(hit), "of": total},
            cases=cases_of(split, hit, np.zeros(len(hit)), [named(profile, split, k) for k in hit]),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Exchange the declared width and height of some pictures: one, up to 5 % at full strength."""
        documents = documents_of(clean)
        found = [
            (split, row)
            for split, document in documents.items()
            for row, image in enumerate(document["images"])
            if image["width"] != image["height"]
        ]
        if not found:
            return None
        rows: dict[str, set[int]] = {}
        for k in rng.choice(len(found), max(1, round(0.05 * strength * len(found))), replace=False):
            split, row = found[k]
            image = documents[split]["images"][row]
            image["width"], image["height"] = image["height"], image["width"]
            rows.setdefault(split, set()).add(row)
        return planted(clean, documents, rows)
