"""Image files with a mask for each: a picture of the same size whose values are classes."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from datalint.core.annotations import MaskBlock, ObjectBlock
from datalint.core.dataset import Problem
from datalint.sources.annotations.drawing import mask_over
from datalint.sources.files import inside, printable, reason
from datalint.sources.images import decode
from datalint.sources.images.files import ImagePartition
from datalint.sources.places import reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch
    from datalint.sources.annotations.drawing import Drawn

KEPT = 64
"""Values of a mask that are kept, the most frequent: more than it has classes, or it is no mask of classes."""


@dataclass
class _Mask:
    """What one mask says."""

    size: tuple[int, int] = (0, 0)
    mode: str = ""
    format: str = ""
    distinct: int = 0
    values: NDArray[np.int64] | None = None
    pixels: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class MaskedImages(ImagePartition):
    """Image files with the mask of each."""

    masks: tuple[str, ...] = ()
    """Path of each mask; empty for none."""

    @property
    def files_read(self) -> tuple[str, ...]:
        """Pictures and masks."""
        base = str(self.base)
        return (*super().files_read, *(inside(base, name) for name in self.masks if name))

    def cut(self, start: int, stop: int) -> Self:
        """A part of it."""
        return replace(super().cut(start, stop), masks=self.masks[start:stop])

    def note(self, line: int) -> str:
        """What people call the mask of a picture; empty if there is none."""
        return printable(self.masks[line])

    def drawn(self, line: int) -> Drawn | None:
        """What its mask marks over the small picture."""
        try:
            return mask_over(decode.content(reach(self.base, self.masks[line]))) if self.masks[line] else None
        except OSError:
            return None

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the pictures and their masks; each is opened once."""
        for batch in super().batches(aspects):
            names = self.masks[batch.start : batch.start + batch.size]
            if "annotations" in aspects:
                batch.objects = _described(names)
            if "masks" in aspects:
                with decode.strict():
                    masks = [self._mask(name, batch.problems) if name else _Mask() for name in names]
                batch.masks = _block(masks)
            yield batch

    def _mask(self, name: str, problems: list[Problem]) -> _Mask:
        try:
            return _read(decode.content(reach(self.base, name)))
        except (decode.TooLarge, _TooMany) as error:
            problems.append(Problem("not-scanned", printable(name), reason(error)))
        except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
            problems.append(
                Problem("unreadable", printable(name), f"a mask that cannot be read: {reason(error)[:120]}")
            )
        return _Mask()


class _TooMany(ValueError):
    """It declares more pixels than are decoded."""


def _read(data: bytes) -> _Mask:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=decode.FORMATS) as image:
        if image.width * image.height > decode.MAX_PIXELS or max(image.size) > decode.MAX_SIDE:
            raise _TooMany(f"declares {image.width:,} x {image.height:,} pixels: not decoded")
        values, pixels = _counts(image)
        order = np.sort(np.argsort(-pixels, kind="stable")[:KEPT])
        return _Mask(image.size, image.mode, image.format or "", len(values), values[order], pixels[order])


def _counts(image: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The values of a mask and how many pixels have each; those of a palette are its numbers."""
    if image.mode in {"L", "P", "1"}:
        counts = np.bincount(np.asarray(image, dtype=np.uint8).ravel(), minlength=1)
        values = np.flatnonzero(counts)
        return values, counts[values]
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        found, counts = np.unique(np.asarray(image), return_counts=True)
        return np.nan_to_num(found.astype(np.float64)).clip(-(2.0**53), 2.0**53).astype(np.int64), counts
    if image.mode in {"LA", "La", "PA"}:
        return _counts(image.getchannel(0))
    colours = np.asarray(image.convert("RGB")).reshape(-1, 3)
    red, green, blue = (colours[:, k].astype(np.int64) for k in range(3))
    grey = bool((red == green).all() and (green == blue).all())
    return np.unique(red if grey else (red << 16) + (green << 8) + blue, return_counts=True)


def _block(masks: Sequence[_Mask]) -> MaskBlock:
    none = np.zeros(0, np.int64)
    values = [none if mask.values is None else mask.values for mask in masks]
    pixels = [none if mask.pixels is None else mask.pixels for mask in masks]
    return MaskBlock(
        np.array([mask.size for mask in masks], np.int32).reshape(-1, 2),
        [mask.mode for mask in masks],
        [mask.format for mask in masks],
        np.array([mask.distinct for mask in masks], np.int32),
        np.repeat(np.arange(len(masks)), [len(own) for own in values]),
        np.concatenate([none, *values]),
        np.concatenate([none, *pixels]),
    )


def _described(names: Sequence[str]) -> ObjectBlock:
    """No objects, but which pictures have a mask."""
    none = np.zeros(0, np.int64)
    sizes = np.zeros((len(names), 2), np.int32)
    described = np.array([bool(name) for name in names], np.bool_)
    codes, flags = none.astype(np.int32), none.astype(np.uint8)
    return ObjectBlock(none, np.zeros((0, 4)), codes, [], none, flags, sizes, described)
