"""What objects look like: crops of the boxes in sampled pictures, as they are drawn and put elsewhere, as features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.annotations import UNDECLARED
from datalint.measures.images import ImageHeaders
from datalint.measures.objects import Objects
from datalint.sources.images.decode import strict
from datalint.sources.images.files import ImagePartition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset
    from datalint.profile.splits import SplitProfile

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SIDE = 256
"""Longer side in pixels to which pictures are reduced."""
LEAST = 6
"""Pixels of the shorter side of a box in such a picture from which it shows anything."""
LARGEST = 0.8
"""Share of its picture beyond which a box says nothing of where the object is."""
AROUND = 0.4
"""What is looked at around a box, in shares of it: the edge of an object is the best sign that it is there."""
CELLS = 16
"""Side in pixels to which crops are scaled."""
PARTS = 6
"""Of each mask."""
_MARGIN = 0.3
"""Share of the longer side by which pictures are continued, for boxes that are put beyond their edge."""


@dataclass(frozen=True, eq=False)
class ObjectViews:
    """Some pictures of a split, and boxes in shares of their picture; of boxes that show something."""

    rows: Ints
    """[pictures] Position in the split."""
    pictures: list[Any]
    """Reduced, and continued beyond their edges."""
    boxes: list[Floats]
    """[objects, 4] of each picture: left, top, right, bottom."""
    objects: list[Ints]
    """[objects] of each picture: position among all objects of the split."""
    after: list[Floats]
    """Boxes of the picture that follows each in the split."""
    before: list[Floats]

    @classmethod
    def of(cls, dataset: Dataset, split: SplitProfile, most: int) -> ObjectViews:
        """Read up to so many pictures, chosen by what they hold."""
        if dataset.task == "segmentation":
            return cls._of_masks(dataset, split, most // 2)
        headers, objects = split[ImageHeaders], split[Objects]
        size = np.column_stack([headers.width, headers.height]).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            shares = objects.boxes.astype(np.float64) / np.tile(size, 2)[objects.picture]
        good = np.flatnonzero(_telling(shares, size[objects.picture]))
        good = good[(headers.orientation[objects.picture[good]] <= 1) & ((objects.flags[good] & UNDECLARED) == 0)]
        starts = np.searchsorted(objects.picture[good], np.arange(objects.samples + 1))

        def held(row: int) -> Ints:
            part: Ints = good[starts[row] : starts[row + 1]]
            return part

        with_objects = np.flatnonzero(np.diff(starts))
        # By content, so that the same pictures are looked at however the data is cut into partitions.
        order = with_objects[np.argsort(headers.places.content[with_objects], kind="stable")]
        rows: list[int] = []
        pictures: list[Any] = []
        with strict():
            for row in order[: 2 * most].tolist():
                if len(rows) == most:
                    break
                if (pixels := _view(dataset, headers, row)) is not None:
                    rows.append(row)
                    pictures.append(_continued(pixels))
        last = objects.samples - 1
        return cls(
            np.array(rows, np.int64),
            pictures,
            [shares[held(row)] for row in rows],
            [held(row) for row in rows],
            [shares[held(row + 1 if row < last else 0)] for row in rows],
            [shares[held(row - 1 if row else last)] for row in rows],
        )

    @classmethod
    def _of_masks(cls, dataset: Dataset, split: SplitProfile, most: int) -> ObjectViews:
        """The same of what masks mark."""
        headers = split[ImageHeaders]
        upright = np.flatnonzero((headers.width > 0) & (headers.orientation <= 1))
        order = upright[np.argsort(headers.places.content[upright], kind="stable")][: 2 * most]
        last = len(headers.width) - 1
        found: list[tuple[int, Any, Floats, Floats, Floats]] = []
        known: dict[int, Floats] = {}

        def marked(row: int) -> Floats:
            if row not in known:
                partition = dataset.partitions[int(headers.places.part[row])]
                look = getattr(partition, "marked", None)
                boxes = look(int(headers.places.line[row]), PARTS) if look is not None else np.zeros((0, 4))
                size = np.array([[headers.width[row], headers.height[row]]], np.float64)
                known[row] = boxes[_telling(boxes, size)]
            return known[row]

        with strict():
            for row in order.tolist():
                if len(found) == most:
                    break
                if len(marked(row)) and (pixels := _view(dataset, headers, row)) is not None:
                    after, before = row + 1 if row < last else 0, row - 1 if row else last
                    found.append((row, _continued(pixels), marked(row), marked(after), marked(before)))
        return cls(
            np.array([row for row, *_ in found], np.int64),
            [picture for _, picture, *_ in found],
            [boxes for _, _, boxes, *_ in found],
            [np.arange(len(boxes)) for _, _, boxes, *_ in found],
            [after for *_, after, _ in found],
            [before for *_, before in found],
        )

    def __len__(self) -> int:
        return len(self.rows)

    def crops(self, boxes: list[Floats]) -> tuple[NDArray[np.float32], Ints, Ints]:
        """What lies in boxes, given for each picture; those far outside of it show nothing.

        Returns:
            Features of those that show something, the picture of each, and its number among all boxes.
        """
        found: list[NDArray[np.uint8]] = []
        owner: list[int] = []
        which: list[int] = []
        start = 0
        for k, (picture, own) in enumerate(zip(self.pictures, boxes, strict=True)):
            for j, crop in _crops(picture, own):
                found.append(crop)
                owner.append(k)
                which.append(start + j)
            start += len(own)
        if not found:
            none = np.zeros(0, np.int64)
            return np.zeros((0, 0), np.float32), none, none
        return features(np.stack(found)), np.array(owner, np.int64), np.array(which, np.int64)


def _view(dataset: Dataset, headers: ImageHeaders, row: int) -> NDArray[np.uint8] | None:
    """A picture of the split, reduced; to be called within ``strict``."""
    partition = dataset.partitions[int(headers.places.part[row])]
    return partition.view(int(headers.places.line[row]), SIDE) if isinstance(partition, ImagePartition) else None


def _telling(shares: Floats, size: Floats) -> NDArray[np.bool_]:
    """Boxes within their picture of a size that shows something."""
    with np.errstate(invalid="ignore"):
        inside = (shares > -0.02).all(axis=1) & (shares < 1.02).all(axis=1)
        sides = shares[:, 2:] - shares[:, :2]
        scale = np.minimum(1.0, SIDE / np.maximum(size.max(axis=1, initial=1), 1))
        large = (sides * size).min(axis=1, initial=np.inf) * scale >= LEAST
        return np.asarray(inside & large & (sides.prod(axis=1) <= LARGEST))


def _continued(pixels: NDArray[np.uint8]) -> Any:
    from PIL import Image

    margin = _margin(pixels.shape[1], pixels.shape[0])
    return Image.fromarray(np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge"))


def _margin(width: int, height: int) -> int:
    return round(_MARGIN * max(width, height))


def _crops(picture: Any, boxes: Floats) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    # Both sides of the picture grew by the same margin, which is a share of the longer one.
    margin = round(max(picture.size) * _MARGIN / (1 + 2 * _MARGIN))
    size = np.array([picture.width - 2 * margin, picture.height - 2 * margin], np.float64)
    for k, box in enumerate(boxes):
        low, high = box[:2] * size, box[2:] * size
        middle, half = (low + high) / 2, np.maximum((high - low) * (0.5 + AROUND / 2), LEAST / 2)
        window = np.concatenate([middle - half, middle + half]) + margin
        window = np.clip(window, 0, [*picture.size, *picture.size])
        if (window[2:] - window[:2]).min() >= 2:
            yield k, np.asarray(picture.resize((CELLS, CELLS), 2, box=tuple(window)))


def features(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What crops look like: edges by direction and place, colours by place, shapes of light and dark, inside against around.

    Args:
        crops: [n, CELLS, CELLS, 3].
    """
    colour = crops.astype(np.float32) / 255
    count = len(colour)
    grey = colour.mean(axis=3)
    spread = grey.std(axis=(1, 2), keepdims=True) + 0.02
    shape = (grey - grey.mean(axis=(1, 2), keepdims=True)) / spread
    across, down = np.zeros_like(shape), np.zeros_like(shape)
    across[:, :, 1:-1] = shape[:, :, 2:] - shape[:, :, :-2]
    down[:, 1:-1] = shape[:, 2:] - shape[:, :-2]
    edges = (
        np.maximum(across, 0),
        np.maximum(-across, 0),
        np.maximum(down, 0),
        np.maximum(-down, 0),
        np.abs(across + down),
        np.abs(across - down),
    )
    rim = 3
    inner = colour[:, rim:-rim, rim:-rim]
    inside = inner.mean(axis=(1, 2))
    around = (colour.sum(axis=(1, 2)) - inner.sum(axis=(1, 2))) / (CELLS**2 - (CELLS - 2 * rim) ** 2)
    parts = [np.sqrt(_blocks(edge, 4)) for edge in edges]
    parts += [_blocks(colour, 4), _blocks(shape, 2) / 2, np.abs(inside - around), spread[:, :, 0]]
    parts.append(colour.std(axis=(1, 2)))
    return np.concatenate([part.reshape(count, -1) for part in parts], axis=1)


def _blocks(values: NDArray[Any], side: int) -> NDArray[np.float32]:
    """Means over square blocks."""
    count, number = len(values), CELLS // side
    split = values.reshape(count, number, side, number, side, *values.shape[3:])
    means: NDArray[np.float32] = split.mean(axis=(2, 4)).reshape(count, -1).astype(np.float32)
    return means
