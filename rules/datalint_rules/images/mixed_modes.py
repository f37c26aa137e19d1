"""IMG104 mixed-modes."""

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
    are,
)
from datalint_rules._shared.pictures import Pooled, headers, redraw

if TYPE_CHECKING:
    from collections.abc import Iterator


HARMFUL = {
    "deep": "16-bit or floating-point pixels become white or black when converted to 8 bits without scaling",
    "CMYK": "printing colours are stored inverted by some programs, so that converted pictures can come out negative",
}
"""Kinds of which a plain conversion spoils the picture, and how."""

MILD = {
    "grey": "loaders that keep the mode give one channel where the others have three",
    "colour": "loaders that keep the mode give three channels where the others have one",
    "alpha": "loaders that keep the mode give another number of channels, and dropping alpha shows what was hidden",
    "palette": "read without conversion the pixels are indices of colours, not colours",
    "black and white": "read without conversion the pixels are 0 and 1 in place of 0 to 255",
    "other": "loaders that do not convert give other channels",
}


class MixedModes(Rule):
    """Images of another pixel format than the rest: grey among colour, alpha, palettes, 16 bits, CMYK.

    Up to one in twenty images that differ from all the others are listed one by one; beyond that it is a mixture, of
    which only the numbers are told. Whether it matters depends on the loader: what only a loader without conversion
    trips over is info, what a plain ``convert("RGB")`` spoils (16 bits, CMYK) is a warning.

    ## Why it hurts

    Loaders that keep the mode (``torchvision.io.read_image``, ``imageio``) stop at the first batch with two shapes.
    Loaders that convert (``ImageFolder``) clip 16-bit pixels to white, drop transparency and may invert CMYK.

    ## How to fix it

    Convert all files to one format, scaling 16-bit values on purpose, or convert in the loader and look at the result.

    ## When it is wrong

    When the loader handles each mode as it should. Some grey pictures among colour photos are common (ImageNet has
    them) and only info.

    ## Reference

    37 reasons, item 14. CleanVision reports grey pictures only, and hides them when there are many; here every mode
    counts, by what loaders make of it.
    """

    code = "IMG104"
    name = "mixed-modes"
    severity: ClassVar[Severity] = "warning"
    item = "14"
    modalities = frozenset({"images"})
    public = frozenset({"usual", "images", *HARMFUL, *MILD})
    measures = (ImageHeaders,)

    class Params(RuleParams):
        """Cuts."""

        few: float = Field(0.05, ge=0, lt=0.5, description="Largest share of images that are odd ones, named singly.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together: the usual mode is that of the whole set."""
        kinds = np.array([_kind(mode.decode("ascii", "replace")) for mode in headers(profile, "mode").tolist()], object)
        known = kinds != ""
        if not known.any():
            raise Skip("no image header could be read")
        counts = {kind: int((kinds == kind).sum()) for kind in sorted(set(kinds[known]))}
        if len(counts) == 1:
            return
        usual = max(counts, key=lambda kind: (counts[kind], kind))
        total = int(known.sum())
        pooled = Pooled.of(profile)
        odd = {kind: count for kind, count in counts.items() if kind != usual}
        few = sum(odd.values()) <= self.params.few * total
        for harmful in (True, False):
            # Next to a usual format that loaders spoil the others are no milder than it would be next to them.
            mine = {kind: count for kind, count in odd.items() if bool({kind, usual} & set(HARMFUL)) == harmful}
            if not mine or (not harmful and not few):
                continue
            for number, name in enumerate(pooled.names):
                at = np.flatnonzero(np.isin(kinds, list(mine)) & (pooled.split == number))
                if len(at) == 0:
                    continue
                here = {kind: int((kinds[at] == kind).sum()) for kind in mine if (kinds[at] == kind).any()}
                yield self._odd(profile, name, pooled, at, here, usual, total, harmful)
        if not few and usual not in HARMFUL and set(odd) - set(HARMFUL):
            yield _mixture(counts, total)

    def _odd(
        self,
        profile: Profile,
        split: str,
        pooled: Pooled,
        at: np.ndarray[tuple[int], np.dtype[np.int64]],
        here: dict[str, int],
        usual: str,
        total: int,
        harmful: bool,
    ) -> Found:
        modes = [mode.decode("ascii", "replace") for mode in headers(profile, "mode")[at].tolist()]
        images = int((pooled.split == pooled.split[at[0]]).sum())
        worst = max(here, key=lambda kind: (here[kind], kind))
        return Found(
            message=(
                f"{len(at):,} of {images:,} images {are(len(at))} of another pixel format "
                f"({_listed(here)}) while the set is mostly {usual}"
            ),
            consequence=f"{(HARMFUL | MILD)[usual if usual in HARMFUL else worst]}.".capitalize(),
            remedy=(
                "Scale or convert the listed files on purpose, once, and write them in the format of the others."
                if harmful
                else 'Convert when loading (convert("RGB") or convert("L")), or write the listed files like the others.'
            ),
            severity=None if harmful else "info",
            confidence=0.99,
            split=split,
            subject="harmful" if harmful else "mild",
            evidence={"odd": dict(here), "usual": usual, "images": total},
            cases=Cases(split, pooled.places(profile, at), {"mode": modes}),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write some pictures with 16 bits, JPEGs as CMYK: one, up to 5 % at full strength."""
        from PIL import Image

        if not clean.files:
            return None

        def deepen(image: Image.Image) -> Image.Image:
            if image.format == "JPEG":
                return image.convert("CMYK")
            return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)

        return redraw(clean, max(1, int(0.05 * strength * len(clean.files))), rng, deepen)


def _mixture(counts: dict[str, int], total: int) -> Found:
    return Found(
        message=f"the images are of several pixel formats: {_listed(counts)} of {total:,}",
        consequence="Loaders that keep the mode stop at the first batch that holds two of them.",
        remedy='Convert when loading (convert("RGB"), after looking at what becomes of transparency).',
        severity="info",
        confidence=0.99,
        subject="mixture",
        evidence={"modes": dict(counts), "images": total},
        count=total - max(counts.values()),
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {_WORDS.get(kind, kind)}" for kind, count in sorted(counts.items(), key=_by_count))


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


_WORDS = {"deep": "of 16 bits or more", "alpha": "with alpha", "other": "of rare modes", "palette": "with palette"}


def _kind(mode: str) -> str:
    """What a loader makes of a mode; empty where there is none."""
    if mode.startswith(("I", "F")):
        return "deep"
    alpha = {"LA": "alpha", "La": "alpha", "RGBA": "alpha", "RGBa": "alpha", "PA": "palette"}
    plain = {"": "", "L": "grey", "RGB": "colour", "P": "palette", "1": "black and white", "CMYK": "CMYK"}
    return (alpha | plain).get(mode, "other")
