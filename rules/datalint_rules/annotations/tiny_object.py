"""ANN108 tiny-object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import Clean, Field, Found, Objects, Planted, Profile, RuleParams, Severity, counted, have
from datalint_rules.annotations._objects import HALF, ObjectRule, cases_of, image_sizes, named, spoil

if TYPE_CHECKING:
    from collections.abc import Iterator


class TinyObject(ObjectRule):
    """Objects of very few pixels once their picture has the size of training.

    ## Why it hurts

    A detector looks at cells of 8 pixels and more. What is much smaller leaves no trace in them, so that the loss asks for
    what cannot be seen.

    ## How to fix it

    Train at a larger size, cut large pictures into tiles, or leave such objects out of training. Boxes of a pixel or two that
    nobody meant are slips of the mouse: remove them.

    ## When it is wrong

    Where the training size is larger than the one assumed here: set ``side``.

    ## Reference

    37 reasons, item 4. The heads of common detectors have strides of 8, 16 and 32.
    """

    code = "ANN108"
    name = "tiny-object"
    severity: ClassVar[Severity] = "info"
    follows = ("ANN106",)
    item = "4"
    public = frozenset({"boxes", "of", "pictures", "objects", "side"})

    class Params(RuleParams):
        """Cuts."""

        side: int = Field(640, ge=1, description="Pixels of the longer side of a picture in training.")
        least: float = Field(
            4.0,
            gt=0,
            description="Pixels of an object's longer side below which it is tiny: half a cell of the finest head.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for split in profile.splits:
            objects = split[Objects]
            longest = image_sizes(split)[0][objects.picture].max(axis=1, initial=0)
            extent = (objects.boxes[:, 2:] - objects.boxes[:, :2]).astype(np.float64)
            good = np.isfinite(extent).all(axis=1) & (extent > 0).all(axis=1) & (longest > 0)
            scaled = extent.max(axis=1, initial=0) * self.params.side / np.maximum(longest, 1)
            hit = np.flatnonzero(good & (scaled < self.params.least))
            if len(hit) == 0:
                continue
            said = [f"{named(profile, split, k)}: {extent[k, 0]:.3g} x {extent[k, 1]:.3g} pixels" for k in hit]
            cases = cases_of(split, hit, -scaled[hit], said)
            total, pictures = len(objects.picture), len(cases.places)
            yield Found(
                message=f"{len(hit):,} of {counted(total, 'box')} {have(len(hit))} less than {self.params.least:g} pixels "
                f"in a picture of {self.params.side}, in {counted(pictures, 'picture')}",
                consequence="They leave no trace in the cells that a detector looks at.",
                remedy="Train at a larger size or on tiles; remove boxes that are slips of the mouse.",
                severity="warning" if len(hit) >= HALF * total else "info",
                split=split.name,
                evidence={"boxes": len(hit), "of": total, "pictures": pictures, "side": self.params.side},
                cases=cases,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Shrink boxes to a hundredth of nothing: one, up to 5 % at full strength."""

        def change(item: dict[str, Any], image: dict[str, Any]) -> bool:
            side = 0.003 * max(image["width"], image["height"])
            item["bbox"][2:] = [side, side]
            return True

        return spoil(clean, strength, rng, 0.05, change)
