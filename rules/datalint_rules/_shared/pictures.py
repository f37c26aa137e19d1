"""What the image rules share: splits as arrays, robust scales, and pictures redrawn for planted faults."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import Clean, ImageHeaders, PixelStats, Places, Planted, Profile, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from PIL import Image


@dataclass(frozen=True)
class Pooled:
    """The images of all splits, one after the other; arrays have one entry per image."""

    split: NDArray[np.int64]
    """Number of the split."""
    row: NDArray[np.int64]
    """Position in its split."""
    names: tuple[str, ...]
    """Of the splits."""

    @classmethod
    def of(cls, profile: Profile) -> Pooled:
        """All images of a profile."""
        sizes = [split[ImageHeaders].samples for split in profile.splits]
        rows = [np.arange(size, dtype=np.int64) for size in sizes]
        return cls(
            np.repeat(np.arange(len(sizes)), sizes),
            np.concatenate([*rows, np.zeros(0, np.int64)]),
            tuple(split.name for split in profile.splits),
        )

    def places(self, profile: Profile, at: NDArray[np.int64]) -> Places:
        """Where the images of one split lie."""
        return profile.splits[int(self.split[at[0]])][ImageHeaders].places.take(self.row[at])


def pixels(profile: Profile, name: str) -> NDArray[np.float64]:
    """One property of :class:`PixelStats` for the images of all splits."""
    return np.concatenate([np.asarray(getattr(split[PixelStats], name), np.float64) for split in profile.splits])


def headers(profile: Profile, name: str) -> NDArray[np.generic]:
    """One property of :class:`ImageHeaders` for the images of all splits."""
    return np.concatenate([np.asarray(getattr(split[ImageHeaders], name)) for split in profile.splits])


def robust_z(values: NDArray[np.float64], known: NDArray[np.bool_], floor: float) -> NDArray[np.float64]:
    """How many standard deviations each value lies from the median of the known ones, each side measured by itself.

    The deviation of a side is the larger of those that its quartile and its last twentieth would have in a normal
    distribution: many properties of pictures are skewed, and have heavier tails than their middle suggests. It is at least
    ``floor``.
    """
    low, first, middle, third, high = np.quantile(values[known], [0.05, 0.25, 0.5, 0.75, 0.95])
    below = max((middle - first) / 0.6745, (middle - low) / 1.645, floor)
    above = max((third - middle) / 0.6745, (high - middle) / 1.645, floor)
    return np.where(known, (values - middle) / np.where(values < middle, below, above), 0.0)


def labels(profile: Profile) -> NDArray[np.object_]:
    """The class of every image, None where it is not in the sample."""
    parts = []
    for split in profile.splits:
        part = np.full(split[ImageHeaders].samples, None, dtype=object)
        rows = split.rows
        part[rows.places.row] = rows.label
        parts.append(part)
    return np.concatenate([*parts, np.zeros(0, dtype=object)])


def redraw(
    clean: Clean,
    count: int,
    rng: np.random.Generator,
    change: Callable[[Image.Image], Image.Image],
    chosen: set[str] | None = None,
    **options: object,
) -> Planted:
    """Change some pictures (``count`` random ones, unless they are given) and write them in their format."""
    from PIL import Image

    paths = sorted(clean.files)
    if chosen is None:
        chosen = {paths[k] for k in rng.choice(len(paths), min(count, len(paths)), replace=False)}
    files = dict(clean.files)
    for path in sorted(chosen):
        with Image.open(io.BytesIO(files[path])) as image:
            out = io.BytesIO()
            change(image).save(out, image.format or "PNG", **options)
        files[path] = out.getvalue()
    return Planted(Clean(clean.name, files=files), rows=rows_of(clean, chosen))


def sizes_of(clean: Clean) -> Mapping[str, tuple[int, int]]:
    """Width and height of every file."""
    from PIL import Image

    found = {}
    for path, content in clean.files.items():
        with Image.open(io.BytesIO(content)) as image:
            found[path] = image.size
    return found
