"""ANN113 empty-mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import Cases, Clean, Found, ImageHeaders, Masks, Planted, Profile, Severity, are, counted
from datalint_rules.annotations._masks import MaskRule, mask_values, spoil_masks

if TYPE_CHECKING:
    from collections.abc import Iterator


class EmptyMask(MaskRule):
    """Masks of one value all over, in which there is nothing to segment.

    ## Why it hurts

    The model learns that there is nothing in these pictures. If the masks were lost on the way, it learns to pass over what
    is there.

    ## How to fix it

    Look at the listed pictures: keep the masks of true background, and export the others again.

    ## When it is wrong

    Tiles of large pictures and screening data are often empty, which is why a part of a split is only told.

    ## Reference

    37 reasons, item 4.
    """

    code = "ANN113"
    name = "empty-mask"
    severity: ClassVar[Severity] = "info"
    item = "4"
    public = frozenset({"masks", "of"})

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for split in profile.splits:
            masks = split[Masks]
            rows = np.flatnonzero(masks.distinct == 1)
            total = int((masks.distinct > 0).sum())
            if len(rows) == 0:
                continue
            first = np.searchsorted(masks.picture, rows)
            yield Found(
                message=f"{len(rows):,} of {counted(total, 'mask')} {are(len(rows))} of one value all over",
                consequence="The model learns that there is nothing to see in these pictures.",
                remedy="Check some of them: background is useful, lost masks are not.",
                severity="error" if len(rows) == total > 1 else "info",
                split=split.name,
                evidence={"masks": len(rows), "of": total},
                cases=Cases(split.name, split[ImageHeaders].places.take(rows), {"value": masks.values[first].tolist()}),
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Empty some masks, where none is empty: one, up to 5 % at full strength."""
        if not all(len(values) > 1 for values in mask_values(clean)):
            return None

        def change(mask: Any) -> Any:
            return mask.point(lambda _: 0)

        return spoil_masks(clean, strength, rng, 0.05, change)
