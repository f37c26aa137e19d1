"""ANN111 mask-mismatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    ImageHeaders,
    Masks,
    Planted,
    Profile,
    RuleParams,
    Severity,
    SplitProfile,
    are,
    counted,
    have,
)
from datalint_rules.annotations._masks import MaskRule, is_lossy, spoil_masks
from datalint_rules.annotations._objects import severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {
    "swapped": "with width and height exchanged",
    "scaled": "at another scale",
    "other": "of another shape",
}


class MaskMismatch(MaskRule):
    """Masks of another size than their picture, and masks that were stored as JPEG.

    ## Why it hurts

    Each pixel of a mask is the class of the same pixel of the picture. Where the sizes differ, training stops or a loader
    stretches the mask, and objects and their outlines no longer lie on each other. JPEG alters values, so that along every
    edge there are classes that nobody drew.

    ## How to fix it

    Find the mask that was drawn for this picture, or scale it without smoothing (nearest neighbour). Store masks as PNG.

    ## When it is wrong

    Where masks are smaller on purpose and the loader scales the pictures to them.

    ## Reference

    37 reasons, item 1.
    """

    code = "ANN111"
    name = "mask-mismatch"
    severity: ClassVar[Severity] = "error"
    item = "1"
    public = frozenset({"masks", "of", "kind"})

    class Params(RuleParams):
        """Cut."""

        ratio: float = Field(
            0.02, ge=0, lt=1, description="Share by which the shape of a mask may differ that was scaled."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for split in profile.splits:
            yield from self._sizes(split)
            masks = split[Masks]
            rows = np.flatnonzero(is_lossy(masks))
            if len(rows) == 0:
                continue
            total = int((masks.distinct > 0).sum())
            yield Found(
                message=f"{len(rows):,} of {counted(total, 'mask')} {are(len(rows))} stored as JPEG, which alters values: "
                f"{int(np.median(masks.distinct[rows])):,} different ones in half of them",
                consequence="Along every edge the model is shown classes that nobody drew.",
                remedy="Export the masks again as PNG; rounding to the nearest class mends most of it.",
                severity=severity_of(len(rows), total),
                split=split.name,
                subject="lossy",
                evidence={"masks": len(rows), "of": total, "kind": "lossy"},
                cases=Cases(split.name, split[ImageHeaders].places.take(rows)),
            )

    def _sizes(self, split: SplitProfile) -> Iterator[Found]:
        headers, masks = split[ImageHeaders], split[Masks]
        size = np.column_stack([headers.width, headers.height]).astype(np.int64)
        own = masks.size.astype(np.int64)
        known = (size > 0).all(axis=1) & (own > 0).all(axis=1)
        turned = (headers.orientation >= 5) & (own == size[:, ::-1]).all(axis=1)
        differ = known & ~turned & (own != size).any(axis=1)
        if not differ.any():
            return
        swapped = differ & (own == size[:, ::-1]).all(axis=1)
        scale = np.log(np.maximum(own, 1) / np.maximum(size, 1))
        scaled = differ & ~swapped & (abs(scale[:, 0] - scale[:, 1]) <= self.params.ratio)
        total = int(known.sum())
        for kind, mask in (("swapped", swapped), ("scaled", scaled), ("other", differ & ~swapped & ~scaled)):
            rows = np.flatnonzero(mask)
            if len(rows) == 0:
                continue
            sizes = [
                f"mask {m[0]} x {m[1]}, picture {s[0]} x {s[1]}" for m, s in zip(own[rows], size[rows], strict=True)
            ]
            yield Found(
                message=f"{len(rows):,} of {counted(total, 'mask')} {have(len(rows))} another size than the picture: "
                f"{_KINDS[kind]}",
                consequence="Training stops there, or the mask is stretched and no longer lies on what it shows.",
                remedy="Find the mask that was drawn for the picture, or scale it without smoothing.",
                severity="warning" if kind == "scaled" else severity_of(len(rows), total),
                split=split.name,
                subject=kind,
                evidence={"masks": len(rows), "of": total, "kind": kind},
                cases=Cases(split.name, headers.places.take(rows), {"size": sizes}),
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Make some masks a few pixels larger, or exchange their sides: one, up to 5 % at full strength."""
        from PIL import Image

        def change(mask: Any) -> Any:
            if mask.width != mask.height and rng.random() < 0.3:
                return mask.transpose(Image.Transpose.TRANSPOSE)
            return mask.resize((mask.width + int(rng.integers(1, 6)), mask.height), Image.Resampling.NEAREST)

        return spoil_masks(clean, strength, rng, 0.05, change)
