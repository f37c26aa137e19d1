"""NRM104 double-normalization."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Found,
    ImageHeaders,
    Measurement,
    NumberStats,
    PixelStats,
    Planted,
    Profile,
    Rule,
    Sample,
    Severity,
    Skip,
    SplitProfile,
)
from datalint_rules._shared.pictures import redraw
from datalint_rules.scale._pixel_values import Values, pixel_frame, pixel_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

WRAPPED = 0.2
"""Share of images that must show it. Of sound photos none does; of photos shifted by 100 or more levels a third do, the
others being too smooth where they are looked at; of standardised ones all do."""

FEW = 10
"""Images from which "most of them" means something."""


CUT = 2
"""Largest value of standardised pictures whose fractions were cut off: with the usual constants white is at 2.2 to 2.8."""

STANDARD_MEAN = 1 / 2 + 1 / 5
"""
Largest mean of such a picture if none of its values is below -1: of values of mean 0 and deviation 1 at most 1 / (1 + k^2)
are k or more above it (Cantelli's inequality), so that at most a half are 1 and a fifth are 2.
"""


class DoubleNormalization(Rule):
    """Pixels scaled twice, stored after scaling in a type that cannot hold them, or scaled in only a part of the set.

    Four signs: the largest value of a split is at most 1/255 (divided twice); the largest value of nearly all 8-bit
    image files is 1, or 2 where most of a picture is 0 (scaled, then stored as whole numbers); one picture in five jumps
    between 0 and 255 from pixel to pixel, or consists of nothing but a few values around both (negative numbers stored
    unsigned); items whose largest value is less than 1/64 of the usual one, in a set of fractional numbers (some scaled,
    some not).

    ## Why it hurts

    The model gets inputs near zero and hardly learns, or pictures whose darkest parts became their brightest.

    ## How to fix it

    Scale once, in one place, and store floating-point numbers as such; make the listed items again from the raw pixels.

    ## When it is wrong

    Masks hold 0 and 1, or three classes, on purpose. Physical units (reflectance, counts per second) can be that small.

    ## Reference

    37 reasons, item 14. No peer looks for it.
    """

    code = "NRM104"
    name = "double-normalization"
    severity: ClassVar[Severity] = "warning"
    item = "14"
    of_whole = True
    modalities = frozenset({"table", "images"})
    public = frozenset({"items", "scaled", "images", "cut"})

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Extremes of columns, or of images."""
        return (NumberStats, Sample) if dataset.modality == "table" else (ImageHeaders, PixelStats)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split."""
        splits = pixel_values(profile)
        if splits is None and profile.dataset.modality == "table":
            raise Skip("no pixel columns", applies=False)
        for values in splits or ():
            if found := _twice(values):
                yield found
            else:
                yield from _some(values)
        if profile.dataset.modality == "images":
            for split in profile.splits:
                yield from _stored(split, files=splits is None)

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Divide some rows of pixels by 255 (one, up to 5 % at full strength); in PNG trees spoil every picture."""
        from PIL import Image

        if clean.files:
            if len(clean.files) < FEW or not all(path.endswith(".png") for path in clean.files):
                return None
            cast = bool(rng.random() < 0.5)

            def spoil(image: Image.Image) -> Image.Image:
                values = np.asarray(image).astype(float)
                small = np.trunc((values - values.mean()) / max(values.std(), 1)) % 256 if cast else values > 127
                return Image.fromarray(small.astype(np.uint8))

            return Planted(redraw(clean, len(clean.files), rng, spoil).data)
        split = next(iter(clean.tables))
        table = clean.tables[split].copy()
        names = pixel_frame(table, clean.label)
        if not names:
            return None
        rows = rng.choice(len(table), max(1, round(0.05 * strength * len(table))), replace=False)
        table[names] = table[names].astype(float)
        table.loc[table.index[rows], names] /= 255
        faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(faulty, split=split, rows={split: frozenset(int(row) for row in rows)})


def _twice(values: Values) -> Found | None:
    if not 0 <= values.low < values.high <= 1.02 / 255 or values.whole:
        return None
    return Found(
        message=f"the largest pixel value is {values.high:.3g}, at most 1/255: the values look divided by 255 twice",
        consequence="Inputs next to zero give next to no gradient: the model hardly learns.",
        remedy="Divide once: find the second division (a loader or transform such as ToTensor already does it).",
        confidence=0.95,
        split=values.split,
        subject="twice",
        evidence={"high": values.high, "items": values.items},
        count=values.items,
    )


def _some(values: Values) -> Iterator[Found]:
    """Items that are scaled among items that are not."""
    high = values.item_high
    lit = np.isfinite(high) & (high > 0)
    if values.whole or values.low < 0 or lit.sum() < FEW:
        return
    usual = float(np.quantile(high[lit], 0.75))
    # Between 255 times and what exposure explains; whole numbers cannot be scaled and are just dark.
    scaled = lit & (high <= usual / 64)
    if not scaled.any():
        return
    at = np.flatnonzero(scaled)
    yield Found(
        message=(
            f"{len(at):,} of {int(lit.sum()):,} items reach at most {high[at].max():.3g} while the others reach about "
            f"{usual:.4g}: scaled and unscaled items in one set"
        ),
        consequence="To the model the scaled items are black.",
        remedy="Make the listed items again from the raw pixels, and scale all of them once.",
        confidence=0.93,
        split=values.split,
        subject="some",
        evidence={"scaled": len(at), "items": int(lit.sum()), "usual_high": float(f"{usual:.4g}")},
        cases=Cases(values.split, values.places.take(at), {"high": [float(f"{v:.4g}") for v in high[at]]}),
        exact=len(high) == values.items,
    )


def _stored(split: SplitProfile, files: bool) -> Iterator[Found]:
    """Pictures that were stored in bytes after they had been scaled."""
    stats, headers = split[PixelStats], split[ImageHeaders]
    lit = stats.measured & (stats.high > 0)
    if lit.sum() < FEW:
        return
    cut = lit & ((stats.high <= 1) | _standardised(stats))
    byte = np.isin(headers.mode, [b"L", b"RGB", b"RGBA", b"LA"]) & (files | (headers.format == b"uint8"))
    cut &= byte
    wrapped = stats.wrapped & byte
    deep = bool((stats.high[cut] > 1).any())
    for subject, rows, least, what in (
        (
            "cut",
            cut,
            0.9,
            f"hold no value above {CUT if deep else 1}: {'standardised' if deep else 'scaled to 0..1'} and then stored "
            "as whole numbers",
        ),
        ("wrapped", wrapped, WRAPPED, "jump between 0 and 255: values below zero stored unsigned"),
    ):
        if rows.sum() < least * lit.sum():
            continue
        at = np.flatnonzero(rows)
        yield Found(
            message=f"{len(at):,} of {int(lit.sum()):,} images {what}",
            consequence=(
                "All shades but black and the brightest are lost."
                if subject == "cut"
                else "The darkest parts have become the brightest: edges and shapes are scrambled."
            ),
            remedy="Write the pictures again from the raw pixels, before any scaling.",
            confidence=0.9,
            split=split.name,
            subject=subject,
            evidence={"images": int(lit.sum()), subject: len(at)},
            cases=Cases(split.name, headers.places.take(at)),
        )


def _standardised(stats: PixelStats) -> NDArray[np.bool_]:
    """Pictures that can be standardised ones without their fractions: masks of three classes mostly hold more of them."""
    few: NDArray[np.bool_] = (stats.low == 0) & (stats.high <= CUT) & (stats.colour <= STANDARD_MEAN).all(axis=1)
    return few
