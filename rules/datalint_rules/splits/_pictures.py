"""Were the pictures of one split prepared in another way than those of the other? Judged from their thumbnails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from datalint.author import SampledRows

    Pixels = NDArray[np.float64]

MIN_PICTURES = 10
"""Fewer pictures in either split have no mean picture to compare."""

MIN_OF_CLASS = 5
MAX_PICTURES = 3_000
MAX_CLASSES = 100


@dataclass(frozen=True)
class Change:
    """What makes the pictures of one split like those of the other."""

    kind: Literal["channels", "inverted"]
    before: float
    """Distance of the mean pictures as they are (of red minus blue, or of brightness), in grey levels."""
    after: float
    """The same after the change is undone."""
    means: tuple[tuple[float, ...], tuple[float, ...]]
    """Mean grey level per channel in both splits."""


def change_of(a: SampledRows, b: SampledRows) -> Change | None:
    """The change that the second split needs to look like the first; None where it looks like it already."""
    groups = _groups(a, b)
    if not groups:
        return None
    colour = groups[0][0].ndim == 4
    # What the change turns about zero: red minus blue, or the distance from middle grey.
    signs: dict[Literal["channels", "inverted"], Callable[[Pixels], Pixels]] = {
        "inverted": lambda p: _coarse(p.mean(-1) if colour else p) - 127.5
    }
    if colour:
        signs["channels"] = lambda p: _coarse(p[..., 0] - p[..., 2])
    for kind, sign in signs.items():
        seen = [(sign(x), sign(y)) for x, y in groups]
        before, after = (_distance([(x, way * y) for x, y in seen]) for way in (1, -1))
        # Half the distance and less: a change of motif or light moves the mean picture, but not to its mirror image.
        if before >= 5 and after <= before / 2 and _surprising(seen):
            means = [
                tuple(float(m) for m in np.atleast_1d(np.mean([group[k].mean((0, 1, 2)) for group in groups], 0)))
                for k in (0, 1)
            ]
            return Change(kind, before, after, (means[0], means[1]))
    return None


def _groups(a: SampledRows, b: SampledRows) -> list[tuple[Pixels, Pixels]]:
    """The pictures of both splits, class by class: so a class that one split holds more of is no change."""
    if a.pictures is None or b.pictures is None or a.pictures.ndim != b.pictures.ndim:
        return []
    if min(a.readable.sum(), b.readable.sum()) < MIN_PICTURES:
        return []
    labels = [{label for label in rows.label if label is not None} for rows in (a, b)]
    names = sorted(labels[0] & labels[1])
    masks = [(a.readable & (a.label == name), b.readable & (b.label == name)) for name in names[:MAX_CLASSES]]
    masks = [(one, two) for one, two in masks if min(one.sum(), two.sum()) >= MIN_OF_CLASS]
    if not masks and all(labels):
        return []  # other classes, other pictures
    masks = masks or [(a.readable, b.readable)]
    most = MAX_PICTURES // len(masks)
    return [(_some(a.pictures[one], most), _some(b.pictures[two], most)) for one, two in masks]


def _some(pictures: NDArray[np.uint8], most: int) -> Pixels:
    return pictures[:: 1 + len(pictures) // most].astype(np.float64)


def _coarse(pictures: Pixels) -> Pixels:
    """The four quarters of each picture: enough to distinguish sky from ground, and steady over a few pictures."""
    half = pictures.shape[1] // 2
    return np.stack([p.mean((1, 2)) for row in np.split(pictures, [half], 1) for p in np.split(row, [half], 2)], -1)


def _distance(groups: list[tuple[Pixels, Pixels]]) -> float:
    """Root mean square difference of the mean pictures, over the groups."""
    return float(np.sqrt(np.mean([((x.mean(0) - y.mean(0)) ** 2).mean() for x, y in groups])))


def _surprising(groups: list[tuple[Pixels, Pixels]]) -> bool:
    """Whether the change explains the difference, and chance does not.

    Each picture is placed on the line from the first split's mean (0) to its mirror image (1). The second split must
    lie at the far end, by far more than the means of as many pictures of one population scatter.
    """
    shift = variance = total = 0.0
    for x, y in groups:
        start = x.mean(0)
        line = -2 * start
        one, two = ((p - start) @ line for p in (x, y))
        shift += float(two.mean() - one.mean())
        variance += float(one.var() / len(one) + two.var() / len(two))
        total += float(line @ line)
    return total > 0 and shift > 6 * float(np.sqrt(variance)) and 0.6 <= shift / total <= 1.4
