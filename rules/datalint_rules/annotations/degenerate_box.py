"""ANN102 degenerate-box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import MALFORMED, Clean, Found, Objects, Planted, Profile, Severity, counted
from datalint_rules.annotations._objects import ObjectRule, cases_of, named, severity_of, spoil

if TYPE_CHECKING:
    from collections.abc import Iterator


class DegenerateBox(ObjectRule):
    """Boxes that enclose nothing: no width or height, corners in the wrong order, or numbers that are none.

    ## Why it hurts

    Some trainers stop at such a box (torchvision), others drop it in silence or learn to draw boxes of no size; one NaN
    among the targets makes the loss NaN.

    ## How to fix it

    Draw the listed boxes again or remove them. Where corners are in the wrong order, exchange them.

    ## When it is wrong

    Where points are marked rather than boxes, as with keypoints that carry an empty box.

    ## Reference

    torchvision: "All bounding boxes should have positive height and width".
    """

    code = "ANN102"
    name = "degenerate-box"
    severity: ClassVar[Severity] = "error"
    item = "4"
    follows = ("ANN106",)
    public = frozenset({"boxes", "of", "pictures", "objects"})

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for split in profile.splits:
            objects = split[Objects]
            width, height = objects.boxes[:, 2] - objects.boxes[:, 0], objects.boxes[:, 3] - objects.boxes[:, 1]
            nothing = ~(np.isfinite(width) & np.isfinite(height))
            wrong = ~nothing & ((width < 0) | (height < 0))
            flat = ~nothing & ~wrong & ((width == 0) | (height == 0))
            hit = np.flatnonzero(nothing | wrong | flat)
            if len(hit) == 0:
                continue
            kinds = (
                (nothing, "without the numbers that their format asks for"),
                (wrong, "with corners in the wrong order"),
                (flat, "of no area"),
            )
            said = [
                f"{named(profile, split, k)}: "
                + (
                    "not the numbers that its format asks for"
                    if objects.flags[k] & MALFORMED
                    else "NaN or infinite"
                    if nothing[k]
                    else f"{width[k]:.4g} x {height[k]:.4g} pixels"
                )
                for k in hit
            ]
            cases = cases_of(split, hit, nothing[hit] * 2.0 + wrong[hit], said)
            parts = ", ".join(f"{int(kind.sum()):,} {words}" for kind, words in kinds if kind.any())
            total, pictures = len(objects.picture), len(cases.places)
            yield Found(
                message=f"{len(hit):,} of {counted(total, 'box')} enclose nothing, in {counted(pictures, 'picture')}: {parts}",
                consequence="Trainers stop at such boxes, drop them in silence, or get a loss of NaN.",
                remedy="Draw the listed boxes again, or remove them; exchange corners that are in the wrong order.",
                severity=severity_of(len(hit), total),
                split=split.name,
                evidence={"boxes": len(hit), "of": total, "pictures": pictures},
                cases=cases,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give boxes no width, a negative height, or no numbers: one, up to 5 % at full strength."""

        def change(item: dict[str, Any], _: dict[str, Any]) -> bool:
            left, top, width, height = item["bbox"]
            wrong: list[list[float | None]] = [
                [left, top, 0, height],
                [left, top + height, width, -height],
                [left, top, width, None],
            ]
            item["bbox"] = wrong[int(rng.integers(3))]
            return True

        return spoil(clean, strength, rng, 0.05, change)
