"""What a mask says: its size, its format, and how many pixels have each value."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.annotations import MaskBlock, ObjectBlock
from datalint.core.problem import Problem
from datalint.sources.files import reason
from datalint.sources.images import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

MARKED_SIDE = 256
"""Longer side in pixels to which a mask is reduced for what it marks."""

KEPT = 64
"""Values of a mask that are kept, the most frequent: more than it has classes, or it is no mask of classes."""


@dataclass
class Mask:
    """What one mask says."""

    size: tuple[int, int] = (0, 0)
    mode: str = ""
    format: str = ""
    distinct: int = 0
    values: NDArray[np.int64] | None = None
    pixels: NDArray[np.int64] | None = None


def mask_of(image: Any) -> Mask:
    """A mask that is a picture of Pillow; the values of a palette are its numbers."""
    return _kept(image.size, image.mode, image.format or "", *_counts(image))


def mask_of_array(array: NDArray[Any]) -> Mask:
    """A mask of [rows, columns] whole numbers."""
    values, pixels = np.unique(array, return_counts=True)
    height, width = array.shape
    return _kept((width, height), "L" if array.dtype == np.uint8 else "I", "", values.astype(np.int64), pixels)


class TooManyPixels(ValueError):
    """It declares more pixels than are decoded."""


def mask_of_file(data: bytes) -> Mask:
    """A mask as the bytes of a picture; to be called within :func:`decode.strict`.

    Raises:
        TooManyPixels: it is not decoded.
        Exception: nearly any, of Pillow's decoders on damaged files.
    """
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=decode.FORMATS) as image:
        if image.width * image.height > decode.MAX_PIXELS or max(image.size) > decode.MAX_SIDE:
            raise TooManyPixels(f"declares {image.width:,} x {image.height:,} pixels: not decoded")
        return mask_of(image)


def read_mask(content: Callable[[], bytes], shown: str, problems: list[Problem]) -> Mask:
    """The mask in a file; an empty one where it cannot be read, which is told."""
    try:
        return mask_of_file(content())
    except (decode.TooLarge, TooManyPixels) as error:
        problems.append(Problem("not-scanned", shown, reason(error)))
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        problems.append(Problem("unreadable", shown, f"a mask that cannot be read: {reason(error)[:120]}"))
    return Mask()


def _kept(size: tuple[int, int], mode: str, stored: str, values: NDArray[np.int64], pixels: NDArray[np.int64]) -> Mask:
    order = np.sort(np.argsort(-pixels, kind="stable")[:KEPT])
    return Mask(size, mode, stored, len(values), values[order], pixels[order])


def _counts(image: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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


def marked_in(data: bytes, most: int) -> NDArray[np.float64]:
    """The boxes around the largest parts that a mask marks, in shares of it; [parts, 4] left, top, right and bottom.

    What is not marked is what most of its edge shows. To be called within :func:`decode.strict`; no part where it cannot be read.
    """
    from PIL import Image
    from scipy.ndimage import find_objects, label

    none = np.zeros((0, 4))
    try:
        with Image.open(io.BytesIO(data), formats=decode.FORMATS) as image:
            if image.width * image.height > decode.MAX_PIXELS or max(image.size) > decode.MAX_SIDE:
                return none
            scale = min(1.0, MARKED_SIDE / max(image.size))
            size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            values = np.asarray(image.resize(size, Image.Resampling.NEAREST)).astype(np.int64)
    except Exception:  # Pillow's decoders raise nearly anything on damaged files, of which the mask itself tells
        return none
    flat = values if values.ndim == 2 else values[:, :, :3] @ (256 ** np.arange(min(values.shape[2], 3)))
    edge, counts = np.unique(np.concatenate([flat[0], flat[-1], flat[:, 0], flat[:, -1]]), return_counts=True)
    parts = find_objects(label(flat != edge[counts.argmax()])[0])
    found = np.array([[x.start, y.start, x.stop, y.stop] for y, x in parts], np.float64).reshape(-1, 4)
    area = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    boxes: NDArray[np.float64] = found[np.argsort(-area, kind="stable")[:most]] / np.array([*size, *size])
    return boxes


def block_of(masks: Sequence[Mask]) -> MaskBlock:
    """The masks of some pictures, one each."""
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


def nothing_drawn(described: Sequence[bool]) -> ObjectBlock:
    """No objects, but which pictures have a mask."""
    none = np.zeros(0, np.int64)
    codes, flags = none.astype(np.int32), none.astype(np.uint8)
    sizes = np.zeros((len(described), 2), np.int32)
    return ObjectBlock(none, np.zeros((0, 4)), codes, [], none, flags, sizes, np.array(described, np.bool_))
