"""NRM102 pixel-range."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    ImageHeaders,
    Measurement,
    NumberStats,
    PixelStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
)
from datalint_rules.scale._pixel_values import Values, pixel_frame, pixel_values

if TYPE_CHECKING:
    from collections.abc import Iterator


RANGES = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0), "0..65535": (0.0, 65535.0)}
IMAGENET = (-2.2, 2.7)
"""Values of 0 and 255 after subtracting ImageNet's means and dividing by its deviations: -2.12 to 2.64."""


class PixelRange(Rule):
    """Pixel values outside the usual ranges, or of different ranges within one set or between its splits.

    Looks at arrays of pictures and at tables with a column per pixel. Usual are 0..1, -1..1, 0..255, 0..65535, values
    standardised with ImageNet's means and deviations, and values standardised with the set's own. What is expected can
    be declared. Image files are left out: whatever they hold, decoders give 0 to 255.

    ## Why it hurts

    A network that was trained on one range gets another: pretrained weights are useless, batch statistics are wrong,
    and a test set in 0..255 behind a model trained in 0..1 gives the accuracy of guessing.

    ## How to fix it

    Scale all splits with the same code, from the raw pixels, to the range that the model documents.

    ## When it is wrong

    An unusual range by itself does no harm to a model that is trained from scratch after scaling, so it is info.

    ## Reference

    37 reasons, item 14. Great Expectations and TensorFlow Data Validation check declared bounds only; here the range is
    compared with what is usual and between items and splits as well.
    """

    code = "NRM102"
    name = "pixel-range"
    severity: ClassVar[Severity] = "warning"
    item = "14"
    of_whole = True
    modalities = frozenset({"table", "images"})
    follows: ClassVar[tuple[str, ...]] = ("SPL104", "NRM104")
    public = frozenset({"items"})

    class Params(RuleParams):
        """What is expected."""

        expected: str = Field(
            "",
            pattern=r"^(|0\.\.1|-1\.\.1|0\.\.255|0\.\.65535|imagenet)$",
            description='Range that pixels should have: "0..1", "-1..1", "0..255", "0..65535" or "imagenet"; '
            "empty for any usual one.",
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Extremes of columns, or of array items."""
        return (NumberStats, Sample) if dataset.modality == "table" else (ImageHeaders, PixelStats)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the range of all, then items, then splits against the largest one."""
        splits = pixel_values(profile)
        if splits is None:
            what = "image files: decoders give 0 to 255" if profile.dataset.modality == "images" else "no pixel columns"
            raise Skip(what, applies=False)
        if not splits:
            raise Skip("no finite pixel value")
        first = next((values for values in splits if values.split == "train"), splits[0])
        told = False
        for values in splits:
            for found in (_items(values), _between(first, values) if values is not first else None):
                if found is not None:
                    told = True
                    yield found
        if self.params.expected:
            if not self._as_expected(first):
                yield self._unexpected(first)
        elif not told and not convention(first):
            yield Found(
                message=f"pixel values from {first.shown} are in none of the usual ranges (0..1, -1..1, 0..255)",
                consequence="Pretrained models and ready-made transforms expect one of the usual ranges.",
                remedy="Scale by the range that the data was recorded in, with the same numbers for all splits.",
                severity="info",
                confidence=0.9,
                split=first.split,
                subject="unusual",
                evidence={"low": first.low, "high": first.high},
                count=first.items,
            )

    def _as_expected(self, values: Values) -> bool:
        low, high = RANGES.get(self.params.expected, IMAGENET)
        slack = 0.01 * (high - low)
        inside = values.low >= low - slack and values.high <= high + slack
        # Values that use less than a sixteenth of the range are of another one.
        return inside and values.high - values.low >= (high - low) / 16 and (low >= 0 or values.low < 0)

    def _unexpected(self, values: Values) -> Found:
        return Found(
            message=f"pixel values from {values.shown} where {self.params.expected} is expected",
            consequence="The model gets inputs of another scale than it was made for.",
            remedy=f"Bring the values to {self.params.expected}, or correct the parameter expected.",
            confidence=0.99,
            split=values.split,
            subject="expected",
            evidence={"low": values.low, "high": values.high, "expected": self.params.expected},
            count=values.items,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Bring some rows of a table of pixels to -1..1: one, up to 5 % at full strength; or a whole test split."""
        if clean.files or not clean.tables:
            return None
        split = "test" if "test" in clean.tables else next(iter(clean.tables))
        table = clean.tables[split].copy()
        names = pixel_frame(table, clean.label)
        if not names or float(table[names].to_numpy().min()) < 0:
            return None
        top = max(float(part[names].to_numpy().max()) for part in clean.tables.values())
        table[names] = table[names].astype(float)
        if len(clean.tables) > 1:
            table[names] = table[names] * 2 / top - 1
            return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split)
        rows = rng.choice(len(table), max(1, round(0.05 * strength * len(table))), replace=False)
        table.loc[table.index[rows], names] = table.loc[table.index[rows], names] * 2 / top - 1
        faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(faulty, split=split, rows={split: frozenset(int(row) for row in rows)})


def convention(values: Values) -> str:
    """The name of the usual range that values have; empty for none."""
    low, high = values.low, values.high
    if low < 0:
        if low >= -1.01 and high <= 1.01:
            return "-1..1"
        if IMAGENET[0] <= low and high <= IMAGENET[1]:
            return "imagenet"
        # Standardised by the set's own mean and deviation: bright pictures on black reach about 3, rarely 10.
        return "standardised" if values.standard or (high > 0 and max(-low, high) <= 12) else ""
    if high <= 1.01:
        return "0..1"
    if 128 <= high <= 255.5:
        return "0..255"
    # Whole numbers beyond a byte are of a deeper sensor, whose full range few pictures use.
    return "0..65535" if values.whole and 255.5 < high <= 65535 else ""


def _items(values: Values) -> Found | None:
    """Items with values far below zero among items without."""
    known = np.isfinite(values.item_low) & np.isfinite(values.item_high)
    reach = values.item_high - values.item_low
    # A quarter of an item's own range: resampling overshoots by a few percent.
    below = known & (values.item_low < 0) & (-values.item_low >= 0.25 * reach)
    negative = known & (values.item_low < 0)
    # In standardised sets every item has values below zero; here hardly any may.
    if not below.any() or negative.sum() > 0.2 * known.sum():
        return None
    at = np.flatnonzero(below)
    others = values.item_high[known & ~negative]
    return Found(
        message=(
            f"{len(at):,} of {int(known.sum()):,} items have pixel values from {values.item_low[at].min():.4g} to "
            f"{values.item_high[at].max():.4g} while the others start at zero and reach {others.max():.4g}"
        ),
        consequence="One set holds pictures scaled in two ways; the model sees two kinds of the same thing.",
        remedy="Scale the listed items like the others, from their raw pixels.",
        confidence=0.95,
        split=values.split,
        subject="items",
        evidence={"items": len(at), "low": float(values.item_low[at].min()), "others_high": float(others.max())},
        cases=Cases(values.split, values.places.take(at), {"low": [float(f"{v:.4g}") for v in values.item_low[at]]}),
        exact=len(known) == values.items,
    )


def _between(first: Values, other: Values) -> Found | None:
    """Two splits of different range: by their typical item, so that one odd item does not decide."""
    with np.errstate(invalid="ignore"):
        if not np.isfinite(first.item_high).any() or not np.isfinite(other.item_high).any():
            return None
        top = [float(np.nanmedian(values.item_high)) for values in (first, other)]
        bottom = [float(np.nanmedian(values.item_low)) for values in (first, other)]
    reach = [high - low for high, low in zip(top, bottom, strict=True)]
    if min(reach) <= 0:
        return None
    # A factor of eight is more than exposure explains; a sign is a matter of scaling.
    factor = max(reach) / min(reach)
    shifted = [low < -0.1 * span for low, span in zip(bottom, reach, strict=True)]
    if factor < 8 and shifted[0] == shifted[1]:
        return None
    return Found(
        message=(f"{other.split}: pixel values from {other.shown} while those of {first.split} are from {first.shown}"),
        consequence="A model trained on one range cannot be judged on the other.",
        remedy=f"Scale {other.split} with the same code and the same numbers as {first.split}.",
        severity="error",
        confidence=0.97,
        split=other.split,
        subject="splits",
        evidence={"low": other.low, "high": other.high, "usual_low": first.low, "usual_high": first.high},
        count=other.items,
    )
