"""ANN112 mask-values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    ImageHeaders,
    Masks,
    Planted,
    Profile,
    RuleParams,
    Severity,
    SplitProfile,
    counted,
    have,
)
from datalint_rules.annotations._masks import MaskRule, is_lossy, mask_values, spoil_masks
from datalint_rules.annotations._objects import severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

IGNORED = 255
"""The value that many sets give to what no loss is to count."""

SINGLE = (b"1", b"L", b"P", b"I", b"F", b"I;16", b"I;16B", b"I;16L", b"I;16N")
"""Pixel formats of one channel."""

MOST_CLASSES = 32
"""Classes up to which a value beyond them can be told from a rare class."""


class MaskValues(MaskRule):
    """Masks with values that the others do not have: 0 and 255 where 0 and 1 are meant, colours, blended edges, stray values.

    ## Why it hurts

    A value is the number of a class. Where some masks count 255 and others 1, the loss of the former is far out of range.
    Where some masks are drawn in colours and others hold numbers, a loader that takes the values as they are gets other shapes, and one
    that turns colours into grey gets other classes. Scaling with smoothing makes values between the classes along every edge, which are other classes. A value beyond the
    last class ends training with an index error.

    ## How to fix it

    Give all masks the same values. Scale masks without smoothing (nearest neighbour), and map stray values to the class that was
    meant, or to the one that is ignored.

    ## When it is wrong

    Masks of shares (mattes) rather than classes have soft edges on purpose.

    ## Reference

    37 reasons, item 4.
    """

    code = "ANN112"
    name = "mask-values"
    severity: ClassVar[Severity] = "error"
    item = "4"
    public = frozenset({"masks", "of", "values"})

    class Params(RuleParams):
        """Cuts."""

        between: int = Field(
            8, ge=1, description="Values between the classes of a mask from which its edges are blended."
        )
        edge: float = Field(0.005, gt=0, lt=1, description="Share of a mask's pixels below which such a value stays.")
        rare: float = Field(0.01, gt=0, lt=1, description="Share of the masks up to which a value is a stray one.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the masks of each split by those of all."""
        exact = {split.name: (split[Masks].distinct > 0) & ~is_lossy(split[Masks]) for split in profile.splits}
        deep = {split.name: exact[split.name] & ~np.isin(split[Masks].mode, SINGLE) for split in profile.splits}
        coloured = sum(int(some.sum()) for some in deep.values())
        flat = sum(int(some.sum()) for some in exact.values()) - coloured
        fewer = {name: some if coloured <= flat else exact[name] & ~some for name, some in deep.items()}
        exact = {name: some & ~fewer[name] for name, some in exact.items()} if coloured and flat else exact
        coding = _coding(profile.splits, exact)
        common = _common(profile.splits, exact)
        for split in profile.splits:
            masks, sound = split[Masks], exact[split.name]
            if coloured and flat and fewer[split.name].any():
                words = _CHANNELS[coloured <= flat]
                yield self._found(split, fewer[split.name], int((sound | fewer[split.name]).sum()), "channels", words)
            total = int(sound.sum())
            if total == 0:
                continue
            other = (
                _has(masks, 1 if coding == IGNORED else IGNORED) & sound
                if coding
                else np.zeros(masks.samples, np.bool_)
            )
            if other.any():
                yield self._found(split, other, total, "coding", _CODING[coding])
            blended = self._blended(masks, common) & sound
            if blended.any():
                yield self._found(
                    split, blended, total, "blended", "values between their classes, as smooth scaling makes"
                )
            scaled, factor = _scaled(masks, common, sound & ~blended & ~other)
            if scaled.any():
                words = f"{factor} times the values of the others, as masks are scaled to be looked at"
                yield self._found(split, scaled, total, "scaled", words)
            stray = self._stray(masks, common) & sound & ~blended & ~other & ~scaled
            if stray.any():
                yield self._found(split, stray, total, "stray", f"values beyond those of the others ({_said(common)})")

    def _found(self, split: SplitProfile, hit: NDArray[np.bool_], total: int, kind: str, words: str) -> Found:
        masks, rows = split[Masks], np.flatnonzero(hit)
        starts = np.searchsorted(masks.picture, [rows, rows + 1])
        said = [
            ", ".join(map(str, masks.values[a:b][:8].tolist())) + (", ..." if b - a > 8 else "") for a, b in starts.T
        ]
        return Found(
            message=f"{len(rows):,} of {counted(total, 'mask')} {have(len(rows))} {words}",
            consequence="The loss is out of range there, training stops, or the model is shown classes that do not exist.",
            remedy=(
                "Write all masks in one pixel format, best with one number for each class."
                if kind == "channels"
                else "Give all masks the same values; scale masks without smoothing (nearest neighbour)."
            ),
            severity=severity_of(len(rows), total),
            split=split.name,
            subject=kind,
            evidence={"masks": len(rows), "of": total},
            cases=Cases(split.name, split[ImageHeaders].places.take(rows), {"values": said}),
        )

    def _blended(self, masks: Masks, common: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Many values, each of few pixels, between those that the masks have in common."""
        if len(common) < 2:
            return np.zeros(masks.samples, np.bool_)
        area = np.maximum(masks.size.astype(np.int64).prod(axis=1), 1)
        few = masks.pixels < self.params.edge * area[masks.picture]
        between = few & (masks.values > common.min()) & ~np.isin(masks.values, common)
        found: NDArray[np.bool_] = np.zeros(masks.samples, np.bool_)
        # Up to what is ignored there may be classes that are rare and small: of those one mask has not as many.
        for top, least in ((common.max(), self.params.between), (IGNORED, 4 * self.params.between)):
            own = masks.picture[between & (masks.values < top)]
            found |= np.bincount(own, minlength=masks.samples) >= least
        return found

    def _stray(self, masks: Masks, common: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Values that hardly any other mask has, far beyond the classes."""
        none = np.zeros(masks.samples, np.bool_)
        classes = common[common != IGNORED]
        whole = len(classes) and len(classes) <= MOST_CLASSES and int(classes.max()) == len(classes) - 1
        if not whole:
            return none
        last = len(classes) - 1
        if last == 0 and IGNORED not in common:
            return none
        beyond = (masks.values != IGNORED) & ~np.isin(masks.values, common) & (masks.values > 2 * last + 1)
        values, masks_with = np.unique(masks.values[beyond], return_counts=True)
        rare = values[masks_with <= max(1, self.params.rare * masks.samples)]
        if masks.samples * self.params.rare < 0.5:
            return none  # too few to say what is rare
        none[masks.picture[beyond & np.isin(masks.values, rare)]] = True
        return none

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write 1 for 255 in some masks, scale their values to be looked at, or blend their edges: one, up to 5 % at full strength."""
        from PIL import Image

        values = set().union(*mask_values(clean))
        last = max(values - {IGNORED}, default=0)
        binary = values <= {0, IGNORED}
        blended = IGNORED in values and (not binary or bool(rng.random() < 0.5))

        def change(mask: Any) -> Any:
            if blended:
                small = mask.resize((max(2, mask.width // 3), max(2, mask.height // 3)), Image.Resampling.BILINEAR)
                return small.resize(mask.size, Image.Resampling.BILINEAR)
            if binary:
                return mask.point(lambda value: 1 if value else 0)
            return mask.point(lambda value: min(IGNORED, value * (IGNORED // max(1, last))))

        return spoil_masks(clean, strength, rng, 0.05, change)


_CHANNELS = {
    True: "several channels (colours) where the others have one (numbers of classes)",
    False: "one channel (numbers of classes) where the others have several (colours)",
}


_CODING = {
    IGNORED: "1 where the others have 255",
    1: "255 where the others have 1",
}


def _scaled(masks: Masks, common: NDArray[np.int64], sound: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], int]:
    """Masks whose values are those of the classes 1, 2, ... times one number, and that number."""
    none = np.zeros(masks.samples, np.bool_)
    last = int((common == np.arange(len(common))).sum()) - 1  # classes are counted from 0 without a gap
    if last < 1:
        return none, 0
    usual = (masks.values > 0) & (masks.values <= last)
    strange = sound & ~_any(masks, usual) & _any(masks, masks.values > last)
    own = strange[masks.picture] & (masks.values > 0)
    factor = int(np.gcd.reduce(masks.values[own])) if own.any() else 0
    times = np.unique(masks.values[own] // max(factor, 1))
    # A class that is rare has one value; what was scaled has several.
    found = factor > last and len(times) > 1 and int(times.max(initial=0)) <= last
    return (strange, factor) if found else (none, 0)


def _any(masks: Masks, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which masks have any of some values."""
    found = np.zeros(masks.samples, np.bool_)
    found[masks.picture[mask]] = True
    return found


def _has(masks: Masks, value: int) -> NDArray[np.bool_]:
    """Which masks have a value."""
    return _any(masks, masks.values == value)


def _coding(splits: tuple[SplitProfile, ...], exact: dict[str, NDArray[np.bool_]]) -> int:
    """What most masks of two values write for the object, 1 or 255; 0 where all agree, or 255 is what is ignored."""
    ones = highs = 0
    for split in splits:
        masks, sound = split[Masks], exact[split.name]
        if not np.isin(masks.values[sound[masks.picture]], (0, 1, IGNORED)).all():
            return 0
        one, high = _has(masks, 1) & sound, _has(masks, IGNORED) & sound
        if (one & high).any():
            return 0
        ones, highs = ones + int(one.sum()), highs + int(high.sum())
    if not ones or not highs:
        return 0
    return IGNORED if highs >= ones else 1


def _common(splits: tuple[SplitProfile, ...], exact: dict[str, NDArray[np.bool_]]) -> NDArray[np.int64]:
    """The values that a tenth of the masks have in more than a hundredth of their pixels."""
    total = sum(int(sound.sum()) for sound in exact.values())
    found = []
    for split in splits:
        masks = split[Masks]
        area = np.maximum(masks.size.astype(np.int64).prod(axis=1), 1)
        large = exact[split.name][masks.picture] & (masks.pixels > 0.01 * area[masks.picture])
        found.append(masks.values[large])
    values, counts = np.unique(np.concatenate([np.zeros(0, np.int64), *found]), return_counts=True)
    common: NDArray[np.int64] = values[counts >= max(1, 0.1 * total)]
    return common


def _said(values: NDArray[np.int64]) -> str:
    shown = values.tolist()
    return ", ".join(map(str, shown[:6])) + (f", ... {shown[-1]}" if len(shown) > 6 else "")
