"""IMG110 ambiguous-dimensions."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import AllWell, Clean, Found, Planted, Profile, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator


CHANNELS = frozenset({1, 2, 3, 4})


class AmbiguousDimensions(Rule):
    """Arrays of pictures whose axes cannot be identified by their lengths, so that a swapped axis goes unnoticed.

    As many samples as rows or columns, as many channels as rows or columns, or two axes that can both be the channels.
    Height equal to width alone is too common to be worth a word.

    ## Why it hurts

    A transposed array is accepted without any error wherever lengths are equal: the model trains on columns in place of
    samples, or on rows in place of channels. While developing, distinct lengths make such mistakes fail at once.

    ## How to fix it

    Take another number of samples or another size of picture while the code is being tested, or name the axes.

    ## When it is wrong

    When the order of the axes was checked by looking at the pictures.

    ## Reference

    37 reasons, item 25. No peer looks for it.
    """

    code = "IMG110"
    name = "ambiguous-dimensions"
    severity: ClassVar[Severity] = "info"
    item = "25"
    modalities = frozenset({"images"})
    public = frozenset({"shape"})

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the shape of every split."""
        shapes = {split.name: split.info.shape for split in profile.splits if split.info.shape is not None}
        if not shapes:
            raise AllWell("image files say themselves which side is which")
        for name, shape in shapes.items():
            alike = _alike(shape)
            if not alike:
                continue
            shown = " x ".join(str(length) for length in shape)
            yield Found(
                message=f"the axes of {shown} cannot be distinguished: {alike}",
                consequence="If two of these axes are swapped, nothing fails: the model trains on scrambled pictures.",
                remedy="Look at some pictures as your loader gives them, and test with another number of samples.",
                confidence=0.9,
                split=name,
                evidence={"shape": list(shape)},
                count=shape[0],
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Store as many grey pictures in an array as they have rows and columns: 32, at full strength 8."""
        from PIL import Image

        side = 8 if strength > 0.5 else 32
        if len(clean.files) < side:
            return None
        paths = sorted(clean.files)
        items = []
        for k in rng.choice(len(paths), side, replace=False):
            with Image.open(io.BytesIO(clean.files[paths[k]])) as image:
                items.append(np.asarray(image.convert("L").resize((side, side))))
        out = io.BytesIO()
        np.save(out, np.stack(items))
        return Planted(Clean(clean.name, files={"images.npy": out.getvalue()}))


def _alike(shape: tuple[int, ...]) -> str:
    """Which axes have lengths that could be exchanged; empty where none."""
    samples, *sides = shape
    if len(sides) == 2 and samples in sides:
        return f"there are as many samples as pixels on a side ({samples})"
    if len(sides) != 3:
        return ""
    first, *_, last = sides
    if len(set(sides)) == 1:
        return f"height, width and channels are all {first}"
    if first in CHANNELS and last in CHANNELS:
        return f"the first axis of an item ({first}) and the last ({last}) can both be the channels"
    inner = sides[:2] if last in CHANNELS else sides[1:]
    if samples in inner:
        return f"there are as many samples as pixels on a side ({samples})"
    return ""
