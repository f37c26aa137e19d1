"""IMG106 blank-image."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Found,
    ImageHeaders,
    PixelStats,
    Planted,
    Profile,
    Rule,
    Severity,
    are,
    digits,
)
from datalint_rules._shared.pictures import redraw

if TYPE_CHECKING:
    from collections.abc import Iterator


class BlankImage(Rule):
    """Images of one colour all over: white pages, grey placeholders, frames of a covered lens.

    Every channel of the whole picture stays within 8 of 255 levels, which is noise of one or two levels and its extremes
    over many pixels. Array items are blank only if all their pixels are equal. Images that are zero in every pixel are
    all-zero-inputs (VAL101).

    ## Why it hurts

    A blank picture carries a label but nothing to learn it from; the model learns that white, say, means that class.
    They are nearly always placeholders of a failed download, an empty page or a covered lens.

    ## How to fix it

    Load the listed files again from their source, or drop them.

    ## When it is wrong

    Where an empty picture is a valid answer: masks, tiles of satellite images without data, sheets without marks.

    ## Reference

    37 reasons, item 1. CleanVision and fastdup report such pictures as dark or light by their brightness, and overlook grey
    ones; here the extremes of all pixels decide.
    """

    code = "IMG106"
    name = "blank-image"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"images"})
    follows: ClassVar[tuple[str, ...]] = ("NRM104",)
    public = frozenset({"blank", "share", "colour", "black", "white", "grey", "coloured"})
    measures = (ImageHeaders, PixelStats)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split."""
        for split in profile.splits:
            stats = split[PixelStats]
            rows = np.flatnonzero(stats.blank)
            if len(rows) == 0:
                continue
            readable = int(stats.measured.sum())
            colours = [_colour(stats.colour[row]) for row in rows]
            kinds = {name: colours.count(name) for name in ("black", "white", "grey", "coloured")}
            shown = [f"{count:,} {name}" for name, count in kinds.items() if count]
            yield Found(
                message=(
                    f"{len(rows):,} of {readable:,} images {are(len(rows))} of one colour all over ({', '.join(shown)})"
                ),
                consequence="They teach a label from nothing.",
                remedy="Load the listed files again from their source, or drop them.",
                confidence=0.97,
                split=split.name,
                evidence={"blank": len(rows), "share": digits(len(rows) / readable, 3), "colours": dict(kinds)},
                cases=Cases(split.name, split[ImageHeaders].places.take(rows), {"colour": colours}),
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Paint some pictures over with one colour: one, up to 5 % at full strength."""
        from PIL import Image

        if not clean.files:
            return None
        level = int(rng.choice([64, 128, 255]))
        return redraw(
            clean,
            max(1, round(0.05 * strength * len(clean.files))),
            rng,
            lambda image: Image.new(image.mode, image.size, level if len(image.getbands()) == 1 else (level,) * 3),
        )


def _colour(mean: np.ndarray[tuple[int], np.dtype[np.float32]]) -> str:
    """The word for a colour."""
    low, high = float(mean.min()), float(mean.max())
    if high - low > 16:
        return "coloured"
    return "black" if high < 16 else "white" if low > 239 else "grey"
