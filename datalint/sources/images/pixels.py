"""What the pixels of some images say, from the small pictures that were decoded for other reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import PixelBlock, reduction
from datalint.sources.images.decode import PATCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from datalint.sources.images.decode import Picture

CHUNK = 1 << 14
"""Pixels worked on at once: memory for larger temporaries is given back and asked for again each time, and its
pages cost more than the sums."""

NEAR = 4
"""How far from 0 or 255 values lie that were small positive or negative numbers before they were stored unsigned."""


def pixel_block(pictures: Sequence[Picture], thumbnails: NDArray[np.uint8]) -> PixelBlock:
    """The facts of image files."""
    n = len(pictures)
    block = _from_thumbnails(thumbnails)
    gone = np.array([picture.thumbnail is None for picture in pictures], np.bool_)
    block.colour[gone] = block.spread[gone] = np.nan
    block.low[gone] = block.high[gone] = np.nan
    with np.errstate(over="ignore"):
        for k, picture in enumerate(pictures):
            if picture.extremes is not None and not gone[k]:
                block.low[k], block.high[k] = np.array(picture.extremes, np.float64).astype(np.float32)
    block.blank = np.array([p.blank for p in pictures], np.bool_)
    block.sharpness = np.full(n, np.nan, np.float32)
    for rows, stack in _stacked([p.grey for p in pictures]):
        block.sharpness[rows] = sharpness(stack)
    for rows, stack in _stacked([p.patch for p in pictures]):
        block.wrapped[rows] = wrapped(stack)
    return block


def array_block(
    flat: NDArray[Any], shown: NDArray[np.uint8], thumbnails: NDArray[np.uint8], channels: int, first: bool
) -> PixelBlock:
    """The facts of array items.

    Args:
        flat: [items, values] as stored.
        shown: [items, h, w] or [items, h, w, 3], 0 to 255.
        thumbnails: small pictures of the same.
        channels: of each item.
        first: whether the channels come before the pixels.
    """
    block = _from_thumbnails(thumbnails)
    if flat.dtype.kind in "iufb":
        values = flat.view(np.uint8) if flat.dtype.kind == "b" else flat
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
            block.low, block.high = low.astype(np.float32), high.astype(np.float32)
        shape = (len(flat), channels, -1) if first else (len(flat), -1, channels)
        start = values[:, : 1 if channels == 1 else None]
        if channels > 1:
            cube = values.reshape(shape)
            start = cube[:, :, :1] if first else cube[:, :1, :]
            block.blank = (cube == start).all(axis=(1, 2)) & (high != 0)
        else:
            block.blank = (low == high) & (high != 0)
    grey = shown if shown.ndim == 3 else luma(shown)
    factor = reduction(shown.shape[2], shown.shape[1])
    n, height, width = grey.shape
    if factor > 1:
        cut = grey[:, : height // factor * factor, : width // factor * factor]
        cells = cut.reshape(n, height // factor, factor, width // factor, factor)
        grey = cells.mean(axis=(2, 4), dtype=np.float32).astype(np.uint8)
    block.sharpness = np.full(n, np.nan, np.float32) if min(grey.shape[1:]) < 3 else sharpness(grey)
    if flat.dtype == np.uint8:
        top, left = max(0, (height - PATCH) // 2), max(0, (width - PATCH) // 2)
        patch = (shown if shown.ndim == 3 else shown[..., 0])[:, top : top + PATCH, left : left + PATCH]
        block.wrapped = wrapped(patch)
    return block


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Brightness of [..., 3] pixels in whole numbers, so that a grey stays what it is."""
    parts = pixels.astype(np.uint16)
    return ((parts[..., 0] * 77 + parts[..., 1] * 150 + parts[..., 2] * 29) >> 8).astype(np.uint8)


def sharpness(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Variance of the Laplacian of each of [n, h, w] pictures."""
    n, height, width = grey.shape
    # Of larger pictures every second row is enough of a sample.
    stride = 1 if height * width <= 4096 else 2
    middle, above, below = grey[:, 1:-1:stride], grey[:, :-2:stride], grey[:, 2::stride]
    inner = middle.shape[1] * (width - 2)
    out = np.empty(n, np.float32)
    step = max(1, CHUNK // (height * width))
    for k in range(0, n, step):
        some = slice(k, k + step)
        a = middle[some].astype(np.int16)
        edge = a[:, :, 1:-1] << 2
        edge -= a[:, :, :-2]
        edge -= a[:, :, 2:]
        edge -= above[some, :, 1:-1]
        edge -= below[some, :, 1:-1]
        values = edge.astype(np.float32)
        # Its mean is next to zero: all but the values at the border cancel.
        out[some] = np.einsum("nij,nij->n", values, values) / inner
    return out


def wrapped(patch: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether values below zero seem to have been stored unsigned, for each of [n, h, w] pictures.

    Either nothing is left but values next to 0 and next to 255, and not 0 and 255 themselves alone, as in a drawing in
    black and white: small numbers around zero were cast. Or neighbours jump from one end of the range to the other, more
    often than they jump less far (in sound pictures larger jumps are rarer), in pictures that have many shades between:
    the picture was shifted below zero.
    """
    n = len(patch)
    out = np.zeros(n, np.bool_)
    if min(patch.shape[1:]) < 8:
        return out
    step = max(1, CHUNK // (patch.shape[1] * patch.shape[2]))
    for k in range(0, n, step):
        a = patch[k : k + step]
        dark, bright = a <= NEAR, a >= 255 - NEAR
        ends = (dark | bright).mean(axis=(1, 2))
        strict = ((a == 0) | (a == 255)).mean(axis=(1, 2))
        both = np.minimum(dark.mean(axis=(1, 2)), bright.mean(axis=(1, 2)))
        cast = (ends == 1) & (both >= 0.01) & (ends - strict >= 0.01)
        values = a.astype(np.int16)
        jump = np.abs(
            np.concatenate(
                [np.diff(values, axis=1).reshape(len(a), -1), np.diff(values, axis=2).reshape(len(a), -1)], axis=1
            )
        )
        far, less = (jump >= 224).mean(axis=1), ((jump >= 144) & (jump < 208)).mean(axis=1)
        shades = ((a >= 16) & (a < 240)).mean(axis=(1, 2))
        out[k : k + step] = cast | ((far >= 0.005) & (far >= 1.5 * less) & (shades >= 0.3))
    return out


def _from_thumbnails(thumbnails: NDArray[np.uint8]) -> PixelBlock:
    """Colour and brightness; whole numbers are summed, so that no order of summing shows."""
    n = len(thumbnails)
    grey = thumbnails if thumbnails.ndim == 3 else luma(thumbnails)
    cells = grey.reshape(n, -1)
    size = cells.shape[1]
    ranks = [size // 100, size // 20, size - 1 - size // 20, size - 1 - size // 100]
    # Sorting 16-bit numbers is many times faster than finding ranks among bytes.
    ordered = np.sort(cells.astype(np.int16), axis=1)
    levels = ordered[:, ranks].astype(np.uint8)
    low, high = ordered[:, 0].astype(np.float32), ordered[:, -1].astype(np.float32)
    channels = thumbnails.reshape(n, size, -1)
    mean, deviation = np.empty((n, 3)), np.empty((n, 3))
    for k in range(3):
        part = channels[..., min(k, channels.shape[2] - 1)]
        mean[:, k] = part.sum(axis=1, dtype=np.int64) / size
        squares = np.square(part, dtype=np.uint16).sum(axis=1, dtype=np.int64) / size
        deviation[:, k] = np.sqrt(np.maximum(squares - mean[:, k] ** 2, 0))
    colour, spread = mean.astype(np.float32), deviation.astype(np.float32)
    unknown = np.full(n, np.nan, np.float32)
    no = np.zeros(n, np.bool_)
    return PixelBlock(low, high, colour, spread, levels, unknown, no, no.copy())


def _stacked(parts: Sequence[NDArray[np.uint8] | None]) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """Pictures of one size together, with their positions; none below 3 pixels, and no more at once than one chunk."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for k, part in enumerate(parts):
        if part is not None and min(part.shape) >= 3:
            by_shape.setdefault(part.shape, []).append(k)
    for (height, width), rows in by_shape.items():
        step = max(1, CHUNK // (height * width))
        for k in range(0, len(rows), step):
            some = rows[k : k + step]
            yield some, np.stack([part for row in some if (part := parts[row]) is not None])
