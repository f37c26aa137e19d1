"""IMG108 low-quality."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    ImageHeaders,
    PixelStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    are,
    codes_of,
    digits,
    reduction,
)
from datalint_rules._shared.pictures import Pooled, headers, labels, pixels, redraw, robust_z

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

ENOUGH = 30
"""Images from which their own distribution says what is usual: 5 % and 95 % are then within the data."""

ROUNDING = 20 / 12
"""What rounding to whole levels (variance 1/12) adds to the variance of the Laplacian, whose squared weights sum to 20."""

FEW = 4
"""
Images of all splits from which it is more than info, however small the set. Of a hundred pictures of which one in a hundred fails by
accident, three or more do so in 8 % of the cases, four or more in 2 %.
"""

KINDS = ("dark", "bright", "flat", "blurred")


class LowQuality(Rule):
    """Images that are far darker, brighter, flatter or more blurred than the rest of the set, and by any measure.

    An image must be both: more than 3.5 robust standard deviations from the median of the set, and beyond a bound that
    means something by itself. So a set of night scenes is not called dark, nor a set of soft X-ray pictures blurred, and
    what is merely the darkest of a good set is left alone. Where no more than 5 % of the images are beyond a bound, twice
    the bound decides alone. Bounds: *dark*, 99 % of the picture in the lowest quarter of the range and nothing in its
    upper half; *bright*, 99 % in the highest tenth and nothing in the lower half; *flat*, less than 1/16 of the range from
    the darkest to the brightest 1 %; *blurred*, the variance of the Laplacian over that of the brightness, at a quarter of
    the size, is that of waves longer than 15 % of the shorter side (12 to 24 pixels). Images that are one class's trait
    are not counted: where a third of a class would be named, none of the class is.

    ## Why it hurts

    The label of such a picture cannot be read from it, so it acts as label noise; and if one class has more of them,
    the model learns the defect in place of the thing.

    ## How to fix it

    Look at the listed pictures; drop those in which you cannot see the label yourself.

    ## When it is wrong

    Pictures of smooth things (sky, fog, a wall) among detailed ones are called blurred or flat although they are as
    meant. Below half a percent of the images, or four of them, the finding is only info for that reason.

    ## Reference

    37 reasons, item 1. CleanVision and fastdup use fixed cuts: uniform backgrounds are called blurred (CleanVision #120)
    and pictures of digits low in information (424 of 500); here each set gives its own measure.
    """

    code = "IMG108"
    name = "low-quality"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"images"})
    follows: ClassVar[tuple[str, ...]] = ("NRM104",)
    public = frozenset({"images", "share", "kind", *KINDS})
    measures = (ImageHeaders, PixelStats, Sample)

    class Params(RuleParams):
        """Cuts."""

        deviations: float = Field(
            3.5, gt=0, description="Robust standard deviations from the set's median, in log units for blur."
        )
        dark: float = Field(64, ge=0, le=255, description="Largest 99th percentile of brightness of a dark image.")
        bright: float = Field(230, ge=0, le=255, description="Smallest 1st percentile of brightness of a bright image.")
        flat: float = Field(16, ge=0, le=255, description="Largest brightness range (1 % to 99 %) of a flat image.")
        wave: float = Field(
            0.15, gt=0, le=1, description="Shortest wave of detail in a blurred image, as a share of its shorter side."
        )
        rare: float = Field(
            0.05,
            ge=0,
            le=1,
            description="Largest share of images beyond a bound for which twice the bound decides alone.",
        )
        share: float = Field(0.005, ge=0, le=1, description="Share of the images from which it is a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """One finding per split; what is usual comes from all of them."""
        known = pixels(profile, "measured").astype(bool) & ~pixels(profile, "blank").astype(bool)
        known &= pixels(profile, "levels")[:, 3] > 0
        if known.sum() < ENOUGH:
            raise Skip(f"only {int(known.sum())} images with content: their usual values cannot be estimated")
        kind, score = self._kinds(profile, known)
        _spare_classes(profile, kind)
        pooled = Pooled.of(profile)
        light = pixels(profile, "brightness")
        enough = (kind >= 0).sum() >= max(FEW, self.params.share * len(kind))
        for number, name in enumerate(pooled.names):
            at = np.flatnonzero((kind >= 0) & (pooled.split == number))
            if len(at) == 0:
                continue
            at = at[np.argsort(-score[at], kind="stable")]
            total = int((pooled.split == number).sum())
            words = [KINDS[k] for k in kind[at]]
            counts = {word: words.count(word) for word in KINDS if word in words}
            yield Found(
                message=(
                    f"{len(at):,} of {total:,} images {are(len(at))} of far lower quality than the "
                    f"rest ({', '.join(f'{count:,} {word}' for word, count in counts.items())})"
                ),
                consequence="What cannot be seen cannot be learned: their labels act as noise.",
                remedy="Look at the listed images and drop those in which you cannot see the label yourself.",
                severity=None if enough else "info",
                confidence=0.85,
                split=name,
                evidence={"images": total, "kinds": dict(counts), "share": digits(len(at) / total, 3)},
                cases=Cases(
                    name,
                    pooled.places(profile, at),
                    {"kind": words, "brightness": [round(float(v)) for v in light[at]]},
                ),
            )

    def _kinds(self, profile: Profile, known: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The index into KINDS of each image, -1 for a good one, and how far it lies from the median."""
        levels, sharp = pixels(profile, "levels"), pixels(profile, "sharpness")
        variance = (pixels(profile, "spread") ** 2).mean(1)
        contrast = levels[:, 3] - levels[:, 0]
        fine = np.isfinite(sharp) & known
        edges = np.maximum(np.where(fine, sharp, 1) - ROUNDING, 0.1)
        detail = np.log(edges / np.maximum(np.where(fine, variance, 1), 1))
        # Of values deeper than 8 bits the absolute level means nothing: the data may use a part of the range only.
        byte = np.array([not mode.startswith((b"I", b"F")) for mode in headers(profile, "mode").tolist()], np.bool_)
        byte &= ~np.isin(headers(profile, "format"), [b"float16", b"float32", b"float64"])
        # A small thing on an even ground is no fault: nothing on the other side of the middle may be in a dark picture.
        low, high = pixels(profile, "low"), pixels(profile, "high")
        wave = _waves(profile, self.params.wave)
        fine &= wave > 0
        # Of each kind: a value that is small in bad pictures, its bound, one that decides alone, where there is one,
        # and a scale that is at least what counts as a difference at all: 12 levels, a factor of 1.3 in blur.
        tests = {
            "dark": (levels[:, 3], self.params.dark, self.params.dark / 2, byte & (high <= 128), 12),
            "bright": (
                255 - levels[:, 0],
                255 - self.params.bright,
                (255 - self.params.bright) / 2,
                byte & (low >= 128),
                12,
            ),
            # Fine print averages out in the small picture on which contrast is measured, but not in the Laplacian.
            "flat": (contrast, self.params.flat, self.params.flat / 2, fine & (sharp <= 100), 12),
            # Of a wave of length w the Laplacian has (2 pi / w)^4 of the variance.
            "blurred": (detail, _bound(wave), _bound(1.5 * wave), fine, 0.25),
        }
        kind, score = np.full(len(known), -1), np.zeros(len(known))
        for k, (value, bound, alone, can, floor) in enumerate(tests.values()):
            judged = known & fine if k == KINDS.index("blurred") else known
            if judged.sum() < ENOUGH:
                continue
            z = -robust_z(value, judged, floor)
            beyond = judged & can & (value <= bound)
            rare = beyond.sum() <= self.params.rare * judged.sum()
            new = beyond & ((z >= self.params.deviations) | (rare & (value <= alone))) & (kind < 0)
            kind[new], score[new] = k, z[new]
        return kind, score

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Spoil some pictures, four or 1 % up to 4 % at full strength: blur, underexpose or overexpose them.

        None where the pictures of the set already differ so much that these are like others.
        """
        from PIL import ImageFilter

        kinds = _would_stand_out(clean) if clean.files else []
        if not kinds:
            return None
        kind = str(rng.choice(kinds))

        def spoil(image: Image.Image) -> Image.Image:
            if kind == "blurred":
                return image.filter(ImageFilter.GaussianBlur(min(image.size) / 8))
            if kind == "dark":
                return image.point(lambda value: value // 8)
            return image.point(lambda value: 240 + value // 16)

        return redraw(clean, max(FEW, round((0.01 + 0.03 * strength) * len(clean.files))), rng, spoil)


def _waves(profile: Profile, share: float) -> NDArray[np.float64]:
    """The shortest wave of detail in a blurred image, in pixels of the scale on which its sharpness was taken.

    At least 12, so that a few pixels more or less do not decide, and at most 24: in a larger picture that is blurred by
    any measure. Zero for pictures in which it has no room.
    """
    short = np.minimum(headers(profile, "width"), headers(profile, "height")).astype(np.int64)
    sides, inverse = np.unique(short, return_inverse=True)
    wave = [
        float(np.clip(share * side / reduction(side, side), 12, 24)) if side >= 48 else 0.0 for side in sides.tolist()
    ]
    return np.array(wave)[inverse]


def _bound(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of Laplacian variance over variance that waves of that length have."""
    bound: NDArray[np.float64] = 4 * np.log(2 * np.pi / np.maximum(wave, 1))
    return bound


def _would_stand_out(clean: Clean) -> list[str]:
    """The defects that no good picture of a set comes near."""
    from PIL import Image, ImageFilter

    found = []
    for content in clean.files.values():
        with Image.open(io.BytesIO(content)) as image:
            grey = image.convert("L")
            soft = np.asarray(grey.filter(ImageFilter.BoxBlur(2)), float).var()
            values = np.asarray(grey.resize((32, 32)))
            found.append(
                (*np.percentile(values, [99, 1]), soft / max(np.asarray(grey, float).var(), 1), min(grey.size))
            )
    top, bottom, smooth, short = np.array(found).T
    kinds = []
    if np.quantile(top, 0.05) > 180:
        kinds.append("dark")
    if np.quantile(bottom, 0.95) < 100:
        kinds.append("bright")
    if short.min() >= 96 and np.quantile(smooth, 0.95) < 0.95:
        kinds.append("blurred")
    return kinds


def _spare_classes(profile: Profile, kind: NDArray[np.int64]) -> None:
    """Take back what is the trait of a class: where a third of its images would be named."""
    if profile.task != "classification" or not (kind >= 0).any():
        return
    label = labels(profile)
    known = np.array([name is not None for name in label], np.bool_)
    codes, names = codes_of(label[known])
    if len(names) < 2:
        return
    code = np.full(len(label), -1)
    code[known] = codes
    size = np.bincount(codes, minlength=len(names))
    named = np.bincount(code[known & (kind >= 0)], minlength=len(names))
    trait = (named >= 3) & (named * 3 >= size)
    kind[known & trait[code]] = -1
