"""ANN103 out-of-bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import Clean, Field, Found, Objects, Planted, Profile, RuleParams, Severity, SplitProfile, counted
from datalint_rules.annotations._objects import (
    ObjectRule,
    cases_of,
    image_sizes,
    named,
    severity_of,
    spoil,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class OutOfBounds(ObjectRule):
    """Boxes that reach beyond their picture.

    ## Why it hurts

    Where a part of the box is cut off when loading, the model learns a box that nobody drew; where it is not, it learns to
    point outside. Many such boxes mean that they belong to another picture or were made for another size.

    ## How to fix it

    Look at the listed pictures. Clip boxes that reach over the edge a little; draw the others again, or find the picture or
    the size for which they were made.

    ## When it is wrong

    Where whole objects are boxed although the picture shows only a part of them (amodal annotation).

    ## Reference

    37 reasons, item 4.
    """

    code = "ANN103"
    name = "out-of-bounds"
    severity: ClassVar[Severity] = "error"
    item = "4"
    follows = ("ANN104", "ANN106")
    public = frozenset({"boxes", "of", "pictures", "objects", "outside"})

    class Params(RuleParams):
        """Cuts."""

        slack: float = Field(1.5, ge=0, description="Pixels that a box may reach beyond: rounding and counting from 1.")
        share: float = Field(0.005, ge=0, lt=1, description="The same as a share of the side, for drawing by hand.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for split in profile.splits:
            objects = split[Objects]
            beyond, size = self._beyond(split)
            hit = np.flatnonzero(beyond > 0)
            if len(hit) == 0:
                continue
            boxes = objects.boxes
            outside = (boxes[:, 0] >= size[:, 0]) | (boxes[:, 1] >= size[:, 1]) | (boxes[:, 2:] <= 0).any(axis=1)
            said = [
                f"{named(profile, split, k)}: {_corners(boxes[k])} in a picture of {size[k, 0]:.0f} x {size[k, 1]:.0f}"
                for k in hit
            ]
            cases = cases_of(split, hit, beyond[hit], said)
            total, pictures, gone = len(objects.picture), len(cases.places), int(outside[hit].sum())
            whole = f", {gone:,} of them as a whole" if gone else ""
            yield Found(
                message=f"{len(hit):,} of {counted(total, 'box')} reach beyond their picture, in "
                f"{counted(pictures, 'picture')}{whole}",
                consequence="Clipped, they are boxes that nobody drew; as they are, the model learns to point outside.",
                remedy="Look at the listed pictures: clip what reaches over the edge a little, draw the others again.",
                severity=severity_of(len(hit), total),
                split=split.name,
                evidence={"boxes": len(hit), "of": total, "pictures": pictures, "outside": gone},
                cases=cases,
            )

    def _beyond(self, split: SplitProfile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """By what share of its side each box reaches out of its picture, 0 within the slack, and the picture's size."""
        objects = split[Objects]
        stored, turned = (sizes[objects.picture] for sizes in image_sizes(split))
        reach = [self._reach(objects.boxes, size) for size in (stored, turned)]
        # A box that fits either the stored or the turned picture was drawn on that.
        return np.minimum(*reach), stored

    def _reach(self, boxes: NDArray[np.float32], size: NDArray[np.float64]) -> NDArray[np.float64]:
        over = np.maximum(-np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:]) - size)
        slack = np.maximum(self.params.slack, self.params.share * size)
        share = np.where((size > 0) & (over > slack), over / np.maximum(size, 1), 0.0)
        worst: NDArray[np.float64] = np.where(np.isfinite(boxes).all(axis=1), share.max(axis=1, initial=0.0), 0.0)
        return worst

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Move boxes over the right or lower edge by a third of their size: one, up to 5 % at full strength."""

        def change(item: dict[str, Any], image: dict[str, Any]) -> bool:
            axis = int(rng.integers(2))
            side = image["width" if axis == 0 else "height"]
            if item["bbox"][2 + axis] < 6:
                return False
            item["bbox"][axis] = side - 0.67 * item["bbox"][2 + axis]
            return True

        return spoil(clean, strength, rng, 0.05, change)


def _corners(box: NDArray[np.float32]) -> str:
    left, top, right, bottom = (f"{value:.5g}" for value in box)
    return f"from ({left}, {top}) to ({right}, {bottom})"
