"""What the pixels of images say: files and arrays agree, whatever the format, the batch and the size."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from datalint.core.dataset import PixelBlock, reduction
from datalint.sources.arrays.files import ArrayFile, ArrayPartition
from datalint.sources.images import decode as pictures
from datalint.sources.images.pixels import luma, pixel_block, sharpness, wrapped

RNG = np.random.default_rng(3)
COARSE = np.kron(RNG.integers(0, 256, (12, 16, 3)), np.ones((40, 40, 1))).astype(np.uint8)
PHOTO = Image.fromarray(COARSE).filter(ImageFilter.GaussianBlur(2))


def of_files(*files: bytes) -> PixelBlock:
    with pictures.strict():
        read = [pictures.read(data, "a", "", True) for data in files]
    return pixel_block(read, pictures.stack(read))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def of_array(values: Any, layout: Any, scale: tuple[float, float] = (0.0, 1.0)) -> PixelBlock:
    file = ArrayFile(None, "X", values.shape, values.dtype.str, values)
    (batch,) = ArrayPartition("all", file, None, layout, scale).batches(frozenset({"pixels"}))
    assert batch.images is not None and batch.images.pixels is not None
    return batch.images.pixels


def test_formats_agree_about_the_same_picture() -> None:
    block = of_files(*(encoded(PHOTO, kind, quality=95) for kind in ("PNG", "JPEG", "WEBP")), encoded(PHOTO, "BMP"))
    assert np.ptp(block.colour, axis=0).max() < 2
    assert block.sharpness.max() < 1.1 * block.sharpness.min()
    assert np.ptp(block.levels.astype(int), axis=0).max() <= 6


def test_sharpness_falls_with_blur() -> None:
    soft = [PHOTO.filter(ImageFilter.GaussianBlur(sigma)) for sigma in (0, 4, 8, 16)]
    values = of_files(*(encoded(image, "JPEG", quality=90) for image in soft)).sharpness
    assert (values[:-1] > 2 * values[1:]).all()


@pytest.mark.parametrize(
    ("size", "factor"),
    [
        ((20, 20), 1),
        ((127, 400), 1),
        ((128, 128), 2),
        ((255, 400), 2),
        ((256, 300), 4),
        ((640, 480), 4),
        ((4000, 3000), 20),
    ],
)
def test_reduction(size: tuple[int, int], factor: int) -> None:
    assert reduction(*size) == factor


def test_a_batch_of_grey_and_colour_pictures_is_as_each_alone() -> None:
    grey = encoded(PHOTO.convert("L"))
    together, alone = of_files(grey, encoded(PHOTO), b"no picture"), of_files(grey)
    for name in ("colour", "spread", "levels", "sharpness", "low", "high"):
        assert (getattr(together, name)[0] == getattr(alone, name)[0]).all(), name
    assert np.isnan(together.colour[2]).all() and np.isnan(together.low[2])


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_arrays_agree_with_files(layout: str) -> None:
    values = np.asarray(PHOTO)[None]
    stored = np.moveaxis(values, 3, 1) if layout == "NCHW" else values
    array, file = of_array(stored, layout), of_files(encoded(PHOTO))
    assert np.allclose(array.colour, file.colour, atol=0.1)
    assert np.abs(array.levels.astype(int) - file.levels).max() <= 2
    assert abs(array.sharpness[0] / file.sharpness[0] - 1) < 0.05


def test_extremes_of_arrays_are_their_own() -> None:
    values = RNG.normal(size=(6, 20, 20)).astype(np.float32)
    values[1, 3] = np.nan
    values[2] = np.nan
    values[3, 0, 0] = np.inf
    block = of_array(values, "NHW", (3.0, 40.0))
    assert np.allclose(block.low[[0, 4, 5]], values[[0, 4, 5]].min(axis=(1, 2)))
    assert block.low[1] == np.nanmin(values[1]) and np.isnan(block.low[2]) and block.high[3] == np.inf


def test_extremes_of_deep_files_are_as_stored() -> None:
    deep = encoded(Image.fromarray(np.linspace(100, 4000, 900).reshape(30, 30).astype(np.uint16)))
    block = of_files(deep, encoded(Image.fromarray(np.full((30, 30), 5, np.uint16))))
    assert block.low.tolist() == [100, 5] and block.high.tolist() == [4000, 5]
    assert block.blank.tolist() == [False, True]


def test_brightness_of_a_grey_is_that_grey() -> None:
    grey = np.arange(256, dtype=np.uint8)
    assert (luma(np.repeat(grey[:, None], 3, axis=1)) == grey).all()


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    stack = RNG.integers(0, 256, (3, 40, 50)).astype(np.uint8)
    a = stack.astype(float)
    edge = 4 * a[:, 1:-1, 1:-1] - a[:, :-2, 1:-1] - a[:, 2:, 1:-1] - a[:, 1:-1, :-2] - a[:, 1:-1, 2:]
    assert np.allclose(sharpness(stack), edge.var(axis=(1, 2)), rtol=1e-2)
    assert sharpness(np.zeros((0, 9, 9), np.uint8)).shape == (0,)


def test_what_was_stored_unsigned() -> None:
    hills = np.hypot(*np.mgrid[-1:1:64j, -1:1:64j]) * 150 + 20
    smooth = np.clip(hills + RNG.normal(0, 8, (64, 64)), 0, 255).astype(int)
    signed = np.rint((smooth - smooth.mean()) / smooth.std()).astype(int)
    stack = np.stack([smooth, smooth - 128, signed, (smooth > 128) * 255]) % 256
    assert wrapped(stack.astype(np.uint8)).tolist() == [False, True, True, False]
