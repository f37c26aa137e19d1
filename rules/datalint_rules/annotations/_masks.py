"""What the rules about masks share: which pictures have them, and masks to spoil."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from datalint.author import Clean, Dataset, ImageHeaders, Masks, Measurement, Planted, Rule, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

LOSSY = b"JPEG"
BINARY = 2
"""Values of a mask that cannot have been altered by lossy storage."""


class MaskRule(Rule):
    """A rule about the masks of pictures."""

    modalities = frozenset({"images"})
    wants = "masks"

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The masks, and the headers of the pictures for their sizes."""
        return (ImageHeaders, Masks) if dataset.task == "segmentation" else ()


def is_lossy(masks: Masks) -> NDArray[np.bool_]:
    """Which masks were stored as JPEG, which alters their values."""
    found: NDArray[np.bool_] = (masks.format == LOSSY) & (masks.distinct > BINARY)
    return found


# --- planting -------------------------------------------------------------------------------------------------------


def mask_values(clean: Clean) -> list[set[int]]:
    """The values of each mask; of colours none."""
    from PIL import Image

    found = []
    for path in sorted(path for path in clean.annotations if "/masks/" in path):
        with Image.open(io.BytesIO(clean.annotations[path])) as mask:
            found.append({value for _, value in mask.getcolors() or () if isinstance(value, int)})
    return found


def spoil_masks(
    clean: Clean, strength: float, rng: np.random.Generator, most: float, change: Callable[[Any], Any]
) -> Planted | None:
    """Change some masks: one, up to ``most`` of all at full strength.

    Args:
        clean: with masks in ``<split>/masks``.
        strength: of the fault.
        rng: source of randomness.
        most: share of the masks.
        change: what becomes of a mask as a picture of Pillow.
    """
    from PIL import Image

    paths = sorted(path for path in clean.annotations if "/masks/" in path)
    if not paths:
        return None
    annotations, chosen = dict(clean.annotations), set()
    wanted = max(1, round(most * strength * len(paths)))
    for k in rng.permutation(len(paths)):
        with Image.open(io.BytesIO(annotations[paths[k]])) as mask:
            spoilt, out = change(mask), io.BytesIO()
            if spoilt.size == mask.size and spoilt.tobytes() == mask.tobytes():
                continue  # one of nothing, say, whose values cannot be others
            spoilt.save(out, "PNG")
        annotations[paths[k]] = out.getvalue()
        own = paths[k].replace("/masks/", "/images/").removesuffix(".png")
        chosen |= {path for path in clean.files if path.startswith(f"{own}.")}
        if len(chosen) >= wanted:
            break
    if not chosen:
        return None
    return Planted(Clean(clean.name, files=clean.files, annotations=annotations), rows=rows_of(clean, chosen))
