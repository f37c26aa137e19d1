"""Generated pictures with boxes or masks, clean, of the kinds that detectors and segmenters are trained on.

Each is a picture of its own, in which objects are drawn whose look says their class: dense and sparse, tiny and large, many
classes and one, touching and alone, pictures in which there is nothing. Splits are drawn at random.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.clean import Clean
from tests.reference import crop, photos, picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""Left, top, width and height."""

SPLIT = 4
"""Every fourth picture is for validation."""


def _photo(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float64]:
    """A part of a photo, mirrored or not, lighter or darker."""
    source = list(photos().values())[int(rng.integers(2))]
    part = crop(source, width, height, rng).astype(np.float64)
    part = part[:, ::-1] if rng.random() < 0.5 else part
    return np.clip(part * rng.uniform(0.7, 1.2), 0, 255)


def _grain(rng: np.random.Generator, width: int, height: int, level: float, noise: float) -> NDArray[np.float64]:
    """Paper or a slide: a level that changes slowly, and noise."""
    slope = (
        np.linspace(0, rng.uniform(-25, 25), width)[None, :, None]
        + np.linspace(0, rng.uniform(-25, 25), height)[:, None, None]
    )
    return np.clip(level + slope + rng.normal(0, noise, (height, width, 3)), 0, 255)


def _boxes(
    name: str,
    classes: list[str],
    scenes: list[tuple[NDArray[np.float64], list[tuple[int, Box]]]],
    rng: np.random.Generator,
) -> Clean:
    """Pictures with COCO annotations; each is that picture and its objects, class and box."""
    documents: dict[str, dict[str, list[Any]]] = {
        split: {
            "images": [],
            "annotations": [],
            "categories": [{"id": k + 1, "name": c} for k, c in enumerate(classes)],
        }
        for split in ("train", "validation")
    }
    files: dict[str, bytes] = {}
    order = rng.permutation(len(scenes))
    for k, (pixels, objects) in enumerate(scenes):
        split = "validation" if order[k] % SPLIT == 0 else "train"
        height, width = pixels.shape[:2]
        documents[split]["images"].append({"id": k + 1, "file_name": f"{k:04d}.jpg", "width": width, "height": height})
        for kind, box in objects:
            own = documents[split]["annotations"]
            own.append(
                {"id": len(own) + 1, "image_id": k + 1, "category_id": kind + 1, "bbox": [int(side) for side in box]}
                | {"area": int(box[2] * box[3]), "iscrowd": 0}
            )
        files[f"{split}/{k:04d}.jpg"] = picture(np.clip(pixels, 0, 255).astype(np.uint8), "JPEG", quality=92)
    annotations = {f"annotations/{split}.json": json.dumps(document).encode() for split, document in documents.items()}
    return Clean(name, files=files, annotations=annotations)


def _masks(name: str, scenes: list[tuple[NDArray[np.float64], NDArray[np.uint8]]], rng: np.random.Generator) -> Clean:
    """Pictures with a mask each."""
    order = rng.permutation(len(scenes))
    files, masks = {}, {}
    for k, (pixels, mask) in enumerate(scenes):
        split = "validation" if order[k] % SPLIT == 0 else "train"
        files[f"{split}/images/{k:04d}.jpg"] = picture(np.clip(pixels, 0, 255).astype(np.uint8), "JPEG", quality=92)
        masks[f"{split}/masks/{k:04d}.png"] = picture(mask)
    return Clean(name, files=files, annotations=masks)


def _disc(height: int, width: int, x: float, y: float, across: float, down: float) -> NDArray[np.float64]:
    """How far each pixel is from the middle of an ellipse; 1 on its rim."""
    rows, columns = np.mgrid[:height, :width]
    far: NDArray[np.float64] = np.hypot((columns - x) / across, (rows - y) / down)
    return far


def _around(inside: NDArray[np.bool_]) -> Box:
    rows, columns = np.nonzero(inside)
    return int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def _places(rng: np.random.Generator, width: int, height: int, cell: int, share: float) -> list[tuple[int, int]]:
    """Top left corners of some of the cells of a grid."""
    every = [(x, y) for y in range(0, height - cell + 1, cell) for x in range(0, width - cell + 1, cell)]
    return [place for place in every if rng.random() < share]


def _coins(rng: np.random.Generator) -> Clean:
    """Coins of three metals and sizes on cloth."""
    metals = np.array([[184, 115, 51], [200, 200, 205], [212, 175, 55]], np.float64)
    scenes = []
    for _ in range(int(rng.integers(90, 130))):
        pixels, objects = _grain(rng, 144, 108, rng.uniform(40, 110), 9), []
        for x, y in _places(rng, 144, 108, 36, 0.4):
            kind = int(rng.integers(3))
            radius = (9, 12, 15)[kind] + rng.uniform(-1, 1)
            far = _disc(108, 144, x + 18 + rng.uniform(-2, 2), y + 18 + rng.uniform(-2, 2), radius, radius)
            shade = 1.1 - 0.35 * far + 0.25 * (far > 0.82)
            pixels = np.where((far <= 1)[..., None], metals[kind] * shade[..., None] * rng.uniform(0.9, 1.1), pixels)
            objects.append((kind, _around(far <= 1)))
        scenes.append((pixels, objects))
    return _boxes("coins", ["copper", "silver", "gold"], scenes, rng)


def _cells(rng: np.random.Generator) -> Clean:
    """Many cells of two kinds on a slide, some of which touch."""
    scenes = []
    for _ in range(int(rng.integers(60, 90))):
        pixels, objects = _grain(rng, 160, 160, 215, 5), []
        for x, y in _places(rng, 160, 160, 20, float(rng.uniform(0.3, 0.6))):
            kind = int(rng.random() < 0.3)
            across, down = rng.uniform(7, 10, 2) if kind else rng.uniform(4.5, 7, 2)
            far = _disc(160, 160, x + 10 + rng.uniform(-1, 1), y + 10 + rng.uniform(-1, 1), across, down)
            colour = np.array([110, 70, 160]) if kind else np.array([215, 120, 140])
            core = np.where((far < 0.45)[..., None], colour * 0.55, colour + rng.normal(0, 5, 3))
            pixels = np.where((far <= 1)[..., None], core, pixels)
            objects.append((kind, _around(far <= 1)))
        scenes.append((pixels, objects))
    return _boxes("cells", ["red", "white"], scenes, rng)


def _aerial(rng: np.random.Generator) -> Clean:
    """Small cars on large pictures, more than half of which have none."""
    scenes = []
    for _ in range(int(rng.integers(110, 150))):
        pixels, objects = _photo(rng, 200, 160), []
        for x, y in _places(rng, 200, 160, 40, 0.25) if rng.random() < 0.45 else []:
            wide, high = (14, 8) if rng.random() < 0.5 else (8, 14)
            left, top = x + int(rng.integers(3, 22)), y + int(rng.integers(3, 22))
            part = pixels[top : top + high, left : left + wide]
            body = (part.mean(axis=(0, 1)) + 128 + rng.uniform(-30, 30, 3)) % 256
            part[:] = body
            part[2:-2, 2:-2] = body * 0.45
            objects.append((0, (left, top, wide, high)))
        scenes.append((pixels, objects))
    return _boxes("cars from above", ["car"], scenes, rng)


def _portraits(rng: np.random.Generator) -> Clean:
    """One large face in each picture, somewhere near its middle."""
    scenes = []
    for _ in range(int(rng.integers(80, 120))):
        pixels = _photo(rng, 96, 120)
        across, down = rng.uniform(20, 30), rng.uniform(27, 40)
        x, y = 48 + rng.uniform(-12, 12), 60 + rng.uniform(-12, 12)
        far = _disc(120, 96, x, y, across, down)
        skin = np.array([225, 180, 150]) * rng.uniform(0.4, 1.05)
        pixels = np.where((far <= 1)[..., None], skin * (1.1 - 0.3 * far[..., None]), pixels)
        for side in (-1, 1):
            eye = _disc(120, 96, x + side * across * 0.4, y - down * 0.25, across * 0.14, down * 0.08)
            pixels = np.where((eye <= 1)[..., None], 30, pixels)
        mouth = _disc(120, 96, x, y + down * 0.45, across * 0.35, down * 0.07)
        pixels = np.where((mouth <= 1)[..., None], np.array([150, 60, 60]), pixels)
        scenes.append((pixels, [(0, _around(far <= 1))]))
    return _boxes("portraits", ["face"], scenes, rng)


def _pages(rng: np.random.Generator) -> Clean:
    """Pages with blocks of text, tables and pictures, one below the other."""
    scenes = []
    for _ in range(int(rng.integers(60, 90))):
        pixels, objects, top = _grain(rng, 150, 200, 242, 2), [], 8
        while top < 160:
            kind, high = int(rng.choice(3, p=[0.6, 0.2, 0.2])), int(rng.integers(24, 50))
            high = min(high, 192 - top)
            left = int(rng.integers(8, 20))
            wide = int(rng.integers(90, 140 - left))
            part = pixels[top : top + high, left : left + wide]
            if kind == 0:
                for line in range(1, high - 2, 5):
                    words = rng.random(wide) < 0.75
                    part[line : line + 3, words] = rng.uniform(20, 70)
            elif kind == 1:
                part[::8], part[:, ::22] = 60, 60
                part[-1], part[:, -1] = 60, 60
                for row in range(3, high - 4, 8):
                    part[row : row + 3, 4::22] = 90
            else:
                part[:] = _photo(rng, wide, high)
            objects.append((kind, (left, top, wide, high)))
            top += high + int(rng.integers(6, 14))
        scenes.append((pixels, objects))
    return _boxes("pages", ["text", "table", "figure"], scenes, rng)


def _shelves(rng: np.random.Generator) -> Clean:
    """Products of eight kinds that stand side by side, a few kinds on most shelves and the others seldom."""
    looks = np.random.default_rng(5).uniform(20, 240, (8, 2, 3))
    shares = 1 / np.arange(1, 9)
    scenes = []
    for _ in range(int(rng.integers(70, 100))):
        pixels, objects = _grain(rng, 160, 120, 150, 6), []
        for row in range(3):
            left = int(rng.integers(2, 10))
            while left < 135:
                kind = int(rng.choice(8, p=shares / shares.sum()))
                wide, high = 14 + kind % 3 * 3, 26 + kind % 4 * 2
                top = row * 40 + 38 - high
                part = pixels[top : top + high, left : left + wide]
                part[:] = looks[kind, 0] * rng.uniform(0.85, 1.1)
                part[high // 3 : high // 3 * 2] = looks[kind, 1] * rng.uniform(0.85, 1.1)
                part[:, :: wide - 1] *= 0.6
                objects.append((kind, (left, top, wide, high)))
                left += wide + int(rng.integers(1, 9))
        scenes.append((pixels, objects))
    return _boxes("shelves", [f"product {k}" for k in range(8)], scenes, rng)


def _roads(rng: np.random.Generator) -> Clean:
    """Sky, houses, a road and its edge: every pixel has one of four classes."""
    colours = np.array([[135, 185, 235], [150, 110, 90], [90, 90, 95], [90, 140, 70]], np.float64)
    scenes = []
    for _ in range(int(rng.integers(80, 110))):
        mask = np.zeros((80, 120), np.uint8)
        rows, columns = np.mgrid[:80, :120]
        horizon = int(rng.integers(25, 45))
        roofs = horizon - np.repeat(rng.integers(3, 20, 8), 15)
        mask[rows >= roofs[None, :]] = 1
        mask[rows >= horizon] = 3
        middle, slope = rng.uniform(40, 80), rng.uniform(0.5, 1.1)
        mask[(rows >= horizon) & (abs(columns - middle) < 4 + slope * (rows - horizon))] = 2
        pixels = colours[mask] * rng.uniform(0.75, 1.1) + rng.normal(0, 12, (80, 120, 3))
        scenes.append((pixels, mask))
    return _masks("roads", scenes, rng)


def _tumours(rng: np.random.Generator) -> Clean:
    """Slices in a third of which something is marked with 1."""
    scenes = []
    for _ in range(int(rng.integers(90, 130))):
        body = _disc(96, 96, 48 + rng.uniform(-4, 4), 48 + rng.uniform(-4, 4), rng.uniform(30, 42), rng.uniform(34, 44))
        grey = np.where(body <= 1, 120 + 30 * np.cos(body * 9), 12) + rng.normal(0, 8, (96, 96))
        mask = np.zeros((96, 96), np.uint8)
        if rng.random() < 0.35:
            far = _disc(
                96, 96, 48 + rng.uniform(-15, 15), 48 + rng.uniform(-15, 15), rng.uniform(3, 9), rng.uniform(3, 9)
            )
            mask[far <= 1] = 1
            grey = np.where(far <= 1, 205 + rng.normal(0, 8, (96, 96)), grey)
        scenes.append((np.repeat(grey[..., None], 3, axis=2), mask))
    return _masks("slices", scenes, rng)


def _leaves(rng: np.random.Generator) -> Clean:
    """Leaves of five plants whose rim is left out with 255."""
    greens = np.random.default_rng(9).uniform([20, 90, 10], [120, 200, 90], (5, 3))
    scenes = []
    for _ in range(int(rng.integers(90, 120))):
        pixels, mask = _photo(rng, 112, 88), np.zeros((88, 112), np.uint8)
        for x, y in _places(rng, 112, 88, 44, 0.6):
            kind = int(rng.integers(5))
            far = _disc(
                88,
                112,
                x + 22 + rng.uniform(-4, 4),
                y + 22 + rng.uniform(-4, 4),
                rng.uniform(10, 17),
                rng.uniform(8, 17),
            )
            pixels = np.where((far <= 1)[..., None], greens[kind] * (1.2 - 0.4 * far[..., None]), pixels)
            mask[far <= 1.0] = kind + 1
            mask[(far > 0.92) & (far <= 1.06)] = 255
        scenes.append((pixels, mask))
    return _masks("leaves", scenes, rng)


ANNOTATED: tuple[Callable[[np.random.Generator], Clean], ...] = (
    _coins,
    _cells,
    _aerial,
    _portraits,
    _pages,
    _shelves,
    _roads,
    _tumours,
    _leaves,
)
