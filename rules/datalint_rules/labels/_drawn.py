"""What is drawn in identical pictures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import Objects, Profile, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

OVERLAP = 0.5
"""Intersection over union from which two boxes are those of one object, drawn by two people."""

MANY = 500
"""Objects of one picture beyond which their number alone is compared."""

SHOWN = 5
"""Classes that are named."""


class _Drawn:
    """The objects in one picture."""

    def __init__(self, objects: Objects, picture: int) -> None:
        low, high = np.searchsorted(objects.picture, [picture, picture + 1])
        self.described = bool(objects.described[picture])
        boxes = objects.boxes[low:high].astype(np.float64)
        good = np.isfinite(boxes).all(axis=1)
        self.boxes = boxes[good]
        self.names = [objects.classes[code] for code in objects.codes[low:high][good]]

    def like(self, other: _Drawn) -> bool:
        """Whether the same objects are drawn, about where they are in the other."""
        if Counter(self.names) != Counter(other.names):
            return False
        if len(self.names) > MANY or not self.names:
            return True
        a, b = self.boxes[:, None], other.boxes[None]
        inner = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0).prod(axis=2)
        area = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2)
        one_kind = np.array(self.names, dtype=object)[:, None] == np.array(other.names, dtype=object)[None]
        met = one_kind & (inner >= OVERLAP * (area - inner))
        return bool(met.any(axis=0).all() and met.any(axis=1).all())


def unlike_copies(profile: Profile) -> NDArray[np.int64]:
    """The copies of pictures whose copies are annotated differently, group by group; what nobody annotated is left out."""
    copies = profile.copies
    found: list[int] = []
    starts = np.unique(copies.inputs, return_index=True)[1]
    for group in np.split(np.arange(len(copies.inputs)), starts[1:]) if len(starts) else []:
        drawn = [(int(k), one) for k in group if (one := _drawn(profile, int(k))).described]
        if any(not drawn[0][1].like(one) for _, one in drawn[1:]):
            found += [k for k, _ in drawn]
    return np.array(found, np.int64)


def _drawn(profile: Profile, copy: int) -> _Drawn:
    copies = profile.copies
    return _Drawn(profile.splits[int(copies.split[copy])][Objects], int(copies.places.row[copy]))


def drawn_in(profile: Profile, found: Sequence[int] | NDArray[np.int64]) -> list[str]:
    """What is in the picture of each of some copies, in words."""
    return [_said(Counter(_drawn(profile, int(k)).names)) for k in found]


def _said(counts: Counter[str]) -> str:
    shown = [f"{count:,} {name}" for name, count in counts.most_common(SHOWN)]
    more = [f"{counted(len(counts) - SHOWN, 'more class')}"] if len(counts) > SHOWN else []
    return ", ".join([*shown, *more]) or "nothing"
