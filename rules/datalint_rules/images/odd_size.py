"""IMG105 odd-size."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    ImageHeaders,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Severity,
    Skip,
    have,
)
from datalint_rules._shared.pictures import Pooled, headers, redraw, robust_z, sizes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

ENOUGH = 50
"""Images from which 2 % is at least one of them."""


class OddSize(Rule):
    """Images whose size or shape is unlike the rest of the set.

    In a set of one size the few others are listed. In a set of many sizes only what lies far outside of all: more than
    five robust standard deviations from the median, in log units, of area or of the ratio of long to short side, *and*
    four times smaller, larger or narrower than 98 % of the images; and thumbnails: four pictures or more, up to half of the
    set, between whose sides and those of the others there is a gap of three times. Width and height exchanged is transposed-dimensions
    (IMG101) and not counted here.

    ## Why it hurts

    A loader for one size stops at another. One that resizes squeezes narrow pictures, and blows thumbnails up to a blur.
    Odd sizes are often files that came from elsewhere: icons, banners, previews in place of pictures.

    ## How to fix it

    Look at the listed files; load them again at their full size, crop or pad them, or drop them.

    ## When it is wrong

    When sizes vary on purpose and the loader is made for it. Only thumbnails, and odd shapes or areas in a set of one size, are a
    warning; slight differences and the extremes of a natural collection are info.

    ## Reference

    37 reasons, item 1. CleanVision flags every image off the common size as soon as half are of one size, and fixed
    ratios below 0.35; here a natural spread of sizes sets the measure.
    """

    code = "IMG105"
    name = "odd-size"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"images"})
    public = frozenset({"odd", "images", "one_size", "sizes"})
    measures = (ImageHeaders,)

    class Params(RuleParams):
        """Cuts."""

        uniform: float = Field(0.98, ge=0.5, le=1, description="Share of one size from which a set is of one size.")
        deviations: float = Field(5.0, gt=0, description="Robust standard deviations from the median, in log units.")
        factor: float = Field(4.0, ge=1, description="Factor beyond the range of 98 % of a set of many sizes.")
        thumbnails: int = Field(
            4, ge=1, description="Small images from which they are thumbnails of a set of many sizes."
        )
        gap: float = Field(
            3.0,
            gt=1,
            description="How many times the side of the largest of them the smallest other image has, at least.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits against the sizes of all."""
        if any(split.info.shape is not None for split in profile.splits):
            raise Skip("all items of an array have one size", applies=False)
        width, height = (headers(profile, side).astype(np.int64) for side in ("width", "height"))
        known = (width > 0) & (height > 0)
        if known.sum() < ENOUGH:
            raise Skip(f"only {int(known.sum())} images: their usual size cannot be estimated")
        short, long = np.minimum(width, height), np.maximum(width, height)
        pairs, counts = np.unique(np.column_stack([short, long])[known], axis=0, return_counts=True)
        usual = pairs[counts.argmax()]
        uniform = counts.max() >= self.params.uniform * known.sum()
        other = known & ((short != usual[0]) | (long != usual[1]))
        small = np.zeros(len(known), np.bool_) if uniform else self._thumbnails(short * long, known)
        odd = other if uniform else self._far(short, long, known) | small
        if len(pairs) > 1 and not uniform:
            yield _mixed(pairs, counts)
        pooled = Pooled.of(profile)
        for number, name in enumerate(pooled.names):
            at = np.flatnonzero(odd & (pooled.split == number))
            if len(at) == 0:
                continue
            shape, area = _factors(short[at], long[at], usual)
            at = at[np.argsort(-np.maximum(shape, area), kind="stable")]
            sizes = [f"{width[k]} x {height[k]}" for k in at]
            total = int((known & (pooled.split == number)).sum())
            rest = (
                f"while the rest of the set is {usual[1]} x {usual[0]}"
                if uniform
                else f"far outside the range of the set, mostly {_range(short, long, known & ~small)}"
            )
            # A quarter more in shape or twice the area is a different picture; a few pixels are a matter of cropping.
            strong = bool(small[at].any()) or (uniform and bool(((shape >= 1.25) | (area >= 2)).any()))
            yield Found(
                message=f"{len(at):,} of {total:,} images {have(len(at))} an odd size ({_few(sizes)}) {rest}",
                consequence="Loaders for one size stop at them; others squeeze them or blow them up.",
                remedy="Look at the listed files; load them again at full size, crop or pad them, or drop them.",
                severity=None if strong else "info",
                confidence=0.9 if uniform else 0.7,
                split=name,
                evidence={"odd": len(at), "images": total, "one_size": bool(uniform)},
                cases=Cases(name, pooled.places(profile, at), {"size": sizes}),
            )

    def _far(self, short: NDArray[np.int64], long: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Images beyond the natural spread of a set of many sizes."""
        odd = np.zeros(len(known), np.bool_)
        area = np.log(np.where(known, short * long, 1).astype(float))
        shape = np.log(np.where(known, long, 1) / np.where(known, short, 1))
        # Scales are at least what a crop alters: a tenth of each side, a tenth of the ratio.
        for value, floor in ((area, 0.2), (shape, 0.1)):
            low, high = np.quantile(value[known], [0.01, 0.99])
            gap = np.log(self.params.factor)
            beyond = (value < low - gap) | (value > high + gap)
            odd |= known & beyond & (abs(robust_z(value, known, floor)) > self.params.deviations)
        return odd

    def _thumbnails(self, area: NDArray[np.int64], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Images that are smaller than all others by far: there are none in between, as there are in a natural spread."""
        sides = np.sort(np.sqrt(area[known]))
        steps = sides[1:] / sides[:-1]
        least, most = self.params.thumbnails, len(sides) // 2
        at = least - 1 + int(np.argmax(steps[least - 1 : most])) if most >= least else -1
        if at < 0 or steps[at] < self.params.gap:
            return np.zeros(len(known), np.bool_)
        small: NDArray[np.bool_] = known & (np.sqrt(area) <= sides[at])
        return small

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Squeeze or shrink some pictures of a set of one size: one, up to 2 % at full strength."""
        if not clean.files:
            return None
        sizes = [tuple(sorted(size)) for size in sizes_of(clean).values()]
        usual = max(set(sizes), key=sizes.count)
        if len(sizes) < ENOUGH or sizes.count(usual) < len(sizes) or min(usual) < 8:
            return None
        shrink = bool(rng.random() < 0.5)

        def resize(image: Image.Image) -> Image.Image:
            width, height = image.size
            return image.resize((width // 2, height // 2) if shrink else (width, max(2, height // 2)))

        return redraw(clean, max(1, int(0.02 * strength * len(clean.files))), rng, resize)


def _mixed(pairs: NDArray[np.int64], counts: NDArray[np.int64]) -> Found:
    area = pairs[:, 0] * pairs[:, 1]
    low, high, usual = pairs[area.argmin()], pairs[area.argmax()], pairs[counts.argmax()]
    total = int(counts.sum())
    share = counts.max() / total
    commonest = f"; the commonest, {usual[1]} x {usual[0]}, is that of {share:.0%}" if share >= 0.1 else ""
    return Found(
        message=f"{total:,} images have {len(pairs):,} different sizes, from {low[1]} x {low[0]} to {high[1]} x {high[0]}"
        f"{commonest}",
        consequence="They cannot be stacked into a batch as they are.",
        remedy="Resize or crop them to one size when loading; pad them where the shape must be kept.",
        severity="info",
        confidence=0.99,
        subject="mixed",
        evidence={"sizes": len(pairs), "images": total},
        count=total,
    )


def _factors(
    short: NDArray[np.int64], long: NDArray[np.int64], usual: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By what factors the shape and the area of images differ from the usual ones."""
    shape = abs(np.log((long / short) / (usual[1] / usual[0])))
    area = abs(np.log((long * short) / (usual[1] * usual[0])))
    return np.exp(shape), np.exp(area)


def _range(short: NDArray[np.int64], long: NDArray[np.int64], known: NDArray[np.bool_]) -> str:
    low, high = (int(v) for v in np.quantile(np.sqrt(short[known] * long[known].astype(float)), [0.01, 0.99]))
    return f"{low:,} to {high:,} pixels a side"


def _few(sizes: list[str]) -> str:
    distinct = list(dict.fromkeys(sizes))
    return ", ".join(distinct[:3]) + (f" and {len(distinct) - 3:,} more sizes" if len(distinct) > 3 else "")
