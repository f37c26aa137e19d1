"""IMG101 transposed-dimensions."""

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
    SplitProfile,
    transpose,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class TransposedDimensions(Rule):
    """Images whose width and height are swapped: against the rest of the set, against their EXIF tag, or array axes.

    Looks for a small minority of H x W images in a set whose images are otherwise all W x H, for a split whose sizes
    are swapped against the others, for EXIF tags that turn a picture by 90 degrees, for lists that exchange width and
    height of the pictures that they name, and for arrays of which one split is stored channels first and another channels
    last, or with height and width exchanged.

    ## Why it hurts

    Resizing squeezes such pictures into the wrong shape, or they enter lying on their side; with arrays the model gets
    rows for columns and trains on scrambled pictures without any error.

    ## How to fix it

    Turn the listed files, apply the EXIF orientation when loading (``PIL.ImageOps.exif_transpose``), or transpose the
    array so that all splits have the same axes.

    ## When it is wrong

    Photos taken upright among photos taken across are no fault. Only a small minority in a set of one size is a warning, and
    more of them are info: look at the pictures before you turn them.

    ## Reference

    37 reasons, item 1.
    """

    code = "IMG101"
    name = "transposed-dimensions"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"images"})
    public = frozenset({"swapped", "images", "tagged"})
    measures = (ImageHeaders,)

    class Params(RuleParams):
        """Cuts."""

        uniform: float = Field(0.95, ge=0.5, le=1, description="Share of images of one size, either way round.")
        minority: float = Field(0.05, ge=0, lt=0.5, description="Largest share of swapped images that is a fault.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge axes of arrays, sizes of images and EXIF tags."""
        shapes = {split.name: split.info.shape for split in profile.splits if split.info.shape is not None}
        if shapes:
            yield from _axes(shapes)
            return
        if not any((_sizes(split) > 0).any() for split in profile.splits):
            raise Skip("no image header could be read")
        yield from self._swapped(profile)
        yield from _tagged(profile)
        yield from _declared(profile)

    def _swapped(self, profile: Profile) -> Iterator[Found]:
        sizes = {split.name: _sizes(split) for split in profile.splits}
        known = np.concatenate([size[size[:, 0] > 0] for size in sizes.values()])
        pairs, counts = np.unique(np.sort(known, axis=1), axis=0, return_counts=True)
        short, long = (int(v) for v in pairs[counts.argmax()])
        if short == long or counts.max() < self.params.uniform * len(known):
            return
        across = int(((known[:, 0] == long) & (known[:, 1] == short)).sum())
        upright = int(counts.max()) - across
        usual = (long, short) if across >= upright else (short, long)
        for split in profile.splits:
            size = sizes[split.name]
            rows = np.flatnonzero((size[:, 0] == usual[1]) & (size[:, 1] == usual[0]))
            if len(rows) == 0:
                continue
            readable = int((size[:, 0] > 0).sum())
            whole_split = len(profile.splits) > 1 and len(rows) > 0.9 * readable
            few = min(across, upright) <= self.params.minority * len(known)
            yield self._found(split, rows, usual, readable, whole_split, few=few)

    def _found(
        self,
        split: SplitProfile,
        rows: np.ndarray[tuple[int], np.dtype[np.int64]],
        usual: tuple[int, int],
        readable: int,
        whole_split: bool,
        *,
        few: bool,
    ) -> Found:
        swapped = f"{usual[1]} x {usual[0]}"
        clear = whole_split or few
        return Found(
            message=(
                f"{len(rows):,} of {readable:,} images are {swapped} (width x height) while the rest of the set is "
                f"{usual[0]} x {usual[1]}: {'width and height look swapped' if clear else 'taken upright, or swapped'}"
            ),
            consequence="Resized to one shape these pictures are distorted or lie on their side.",
            remedy="Look at the listed files and turn those that lie on their side.",
            severity=None if clear else "info",
            confidence=0.95 if whole_split else 0.85 if few else 0.4,
            split=split.name,
            subject="size",
            evidence={"swapped": len(rows), "images": readable, "usual_size": f"{usual[0]} x {usual[1]}"},
            cases=Cases(split.name, split[ImageHeaders].places.take(rows), {"size": [swapped] * len(rows)}),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Transpose some pictures: one, up to 4 % at full strength. Square pictures cannot show it."""
        return transpose(clean, strength, rng) if clean.files else None


def _sizes(split: SplitProfile) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """[images, 2] width and height as a loader that obeys the EXIF tag sees them."""
    headers = split[ImageHeaders]
    # The tag is reported by itself; an image that it sets right is not reported twice.
    turned = headers.orientation >= 5
    width = np.where(turned, headers.height, headers.width)
    return np.column_stack([width, np.where(turned, headers.width, headers.height)]).astype(np.int64)


def _tagged(profile: Profile) -> Iterator[Found]:
    """EXIF orientations 5 to 8 exchange width and height."""
    for split in profile.splits:
        headers = split[ImageHeaders]
        rows = np.flatnonzero(headers.orientation >= 5)
        if len(rows) == 0:
            continue
        tags = [int(tag) for tag in headers.orientation[rows]]
        yield Found(
            message=(
                f"{len(rows):,} of {split.samples:,} images carry an EXIF orientation that swaps width and height"
            ),
            consequence="Viewers and some loaders turn them, others do not: the model sees these pictures on their side.",
            remedy="Apply the tag when loading (PIL.ImageOps.exif_transpose), or write the files turned and without it.",
            confidence=0.99,
            split=split.name,
            subject="exif",
            evidence={"tagged": len(rows), "images": split.samples},
            cases=Cases(split.name, headers.places.take(rows), {"exif_orientation": tags}),
        )


def _declared(profile: Profile) -> Iterator[Found]:
    """Sizes in the list of the pictures that are those of the files the other way round."""
    for split in profile.splits:
        headers = split[ImageHeaders]
        size = np.column_stack([headers.width, headers.height])
        known = (size > 0).all(axis=1) & (headers.declared > 0).all(axis=1)
        unlike = (headers.declared != size).any(axis=1) & (headers.orientation < 5)
        rows = np.flatnonzero(known & unlike & (headers.declared == size[:, ::-1]).all(axis=1))
        if len(rows) == 0:
            continue
        said = [f"{w} x {h} in the list" for w, h in headers.declared[rows].tolist()]
        total = int(known.sum())
        yield Found(
            message=f"{len(rows):,} of {total:,} images have width and height exchanged in their list: "
            f"{said[0]}, {_times(tuple(size[rows[0]]))} in the file",
            consequence="What is computed from the list, such as crops, boxes and buckets of sizes, is wrong for these pictures.",
            remedy="Exchange the two columns, or write the sizes of the files (PIL.Image.size is width, height).",
            confidence=0.97,
            split=split.name,
            subject="declared",
            evidence={"swapped": len(rows), "images": total},
            cases=Cases(split.name, headers.places.take(rows), {"declared": said}),
        )


def _axes(shapes: dict[str, tuple[int, ...]]) -> Iterator[Found]:
    """Arrays of splits whose items have the same axes in another order."""
    first, *others = shapes
    usual = shapes[first][1:]
    for name in others:
        shape = shapes[name][1:]
        if shape == usual or sorted(shape) != sorted(usual):
            continue
        yield Found(
            message=(
                f"{name}: items are {_times(shape)} while those of {first} are {_times(usual)}: the same axes in another order"
            ),
            consequence="The model fails on the shape, or gets columns for rows and channels for pixels.",
            remedy=f"Transpose {name} so that its items are {_times(usual)}, as in {first}.",
            severity="error",
            confidence=0.99,
            split=name,
            subject="axes",
            evidence={"axes": _times(shape), "usual_axes": _times(usual)},
            count=shapes[name][0],
        )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)
