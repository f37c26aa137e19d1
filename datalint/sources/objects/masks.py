"""Masks that the items of segmentation data sets in memory hold next to the picture: a class for each of its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from datalint.sources.annotations.mask_values import KEPT, block_of, mask_of, mask_of_array
from datalint.sources.images.masks import names_mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from datalint.core.annotations import MaskBlock
    from datalint.sources.annotations.mask_values import Mask

MODES: Final = frozenset({"1", "L", "P", "I", "I;16"})
"""Of pictures of Pillow that may be masks: one number per pixel."""

TARGETS: Final = frozenset({"target", "targets", "y"})
"""Parts that may be masks next to those that are called so."""

Key = int | str


def mask_in(columns: Mapping[Any, Any], picture: Key) -> Key | None:
    """The part of some items that holds a mask for each picture.

    A mask has the sides of its picture and whole numbers, few of them: a picture to be restored, or a map of depths, has many.

    Args:
        columns: the parts of the first items.
        picture: which of them are the pictures.
    """
    sides = [_sides(item) for item in columns[picture]]
    for name, column in columns.items():
        if name == picture or isinstance(column, dict) or len(column) != len(sides):
            continue
        if isinstance(name, str) and not (names_mask(name) or name.casefold() in TARGETS):
            continue
        try:
            masks = [_mask(item) for item in column]
        except (ValueError, TypeError):
            continue
        fitting = sum(mask.size in own for mask, own in zip(masks, sides, strict=True))
        if masks and 2 * fitting > len(masks) and all(mask.distinct <= KEPT for mask in masks):
            return str(name) if isinstance(name, str) else int(name)
    return None


def mask_block(column: Any) -> MaskBlock:
    """The masks of some pictures.

    Raises:
        ValueError, TypeError: one is no plane of whole numbers.
    """
    return block_of([_mask(item) for item in column])


def _mask(item: Any) -> Mask:
    if hasattr(item, "getbands"):
        if item.mode not in MODES:
            raise ValueError(f"a mask of the mode {item.mode}, which is no class per pixel")
        return mask_of(item)
    return mask_of_array(_plane(np.asarray(item)))


def _plane(array: NDArray[Any]) -> NDArray[Any]:
    """[rows, columns] whole numbers, of an array that may have an axis of one channel."""
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array[0] if array.shape[0] == 1 else array[:, :, 0]
    if array.ndim != 2 or array.dtype.kind not in "iufb":
        raise ValueError(f"a mask of the shape {array.shape} and the type {array.dtype}, which is no class per pixel")
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.floor(array)).all()):
        raise ValueError("a mask of values that are no whole numbers")
    return array


def _sides(item: Any) -> tuple[tuple[int, int], ...]:
    """Width and height of a picture; of an array that does not tell where its channels are, both that it may mean."""
    if hasattr(item, "getbands"):
        return ((int(item.width), int(item.height)),)
    shape = np.shape(item)
    return tuple((w, h) for h, w in ((shape[:2], shape[1:]) if len(shape) == 3 else (shape,)))
