"""IMG107 exif-orientation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Found,
    ImageHeaders,
    Planted,
    Profile,
    Rule,
    Severity,
    have,
)
from datalint_rules._shared.pictures import redraw

if TYPE_CHECKING:
    from collections.abc import Iterator


MEANINGS = {
    2: "mirrored",
    3: "turned by 180 degrees",
    4: "upside down and mirrored",
    5: "transposed",
    6: "to be turned by 90 degrees clockwise",
    7: "transposed the other way",
    8: "to be turned by 90 degrees anticlockwise",
}
_TAG = 274


class ExifOrientation(Rule):
    """Images with an EXIF orientation tag that some loaders apply and others ignore.

    Every tag but 1 is listed: mirrored pictures (2, 4, 5, 7) and turned ones (3, 6, 8).

    ## Why it hurts

    Viewers show these pictures upright, so that nobody sees it; ``PIL.Image.open``, torchvision's ``ImageFolder`` and
    most decoders give the stored pixels, in which the scene lies on its side or is mirrored. OpenCV applies the tag,
    Pillow does not: training and serving can differ, and boxes drawn in a viewer do not fit.

    ## How to fix it

    Apply the tag when loading (``PIL.ImageOps.exif_transpose``), everywhere, or write the files turned and without it.

    ## When it is wrong

    When every loader of the project applies the tag, or the pixels were already turned and the tag was left behind.

    ## Reference

    37 reasons, item 1. No peer acts on the tag. Tags that exchange width and height are part of transposed-dimensions
    (IMG101) too.
    """

    code = "IMG107"
    name = "exif-orientation"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    repair = "turn"
    modalities = frozenset({"images"})
    follows: ClassVar[tuple[str, ...]] = ("IMG101",)
    public = frozenset({"tagged", "images"})
    measures = (ImageHeaders,)

    def check(self, profile: Profile) -> Iterator[Found]:
        """One finding per split."""
        for split in profile.splits:
            headers = split[ImageHeaders]
            rows = np.flatnonzero(headers.orientation > 1)
            if len(rows) == 0:
                continue
            tags = [int(tag) for tag in headers.orientation[rows]]
            counts = {str(tag): tags.count(tag) for tag in sorted(set(tags))}
            readable = int((headers.width > 0).sum())
            common = max(set(tags), key=lambda tag: (tags.count(tag), -tag))
            yield Found(
                message=(
                    f"{len(rows):,} of {readable:,} images {have(len(rows))} an EXIF orientation "
                    f"other than 1, {'all' if len(counts) == 1 else 'mostly'} {common} ({MEANINGS[common]})"
                ),
                consequence="Loaders that ignore the tag show the model another picture than viewers show you.",
                remedy="Apply the tag when loading (PIL.ImageOps.exif_transpose), or write the files turned and without it.",
                confidence=0.99,
                split=split.name,
                evidence={"tagged": len(rows), "images": readable, "tags": dict(counts)},
                cases=Cases(split.name, headers.places.take(rows), {"exif_orientation": tags}),
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give some pictures a tag: one, up to 10 % at full strength."""
        from PIL import Image

        if not clean.files:
            return None
        exif = Image.Exif()
        exif[_TAG] = int(rng.choice([*MEANINGS]))
        count = max(1, round(0.1 * strength * len(clean.files)))
        return redraw(clean, count, rng, lambda image: image.copy(), exif=exif)
