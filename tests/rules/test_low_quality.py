"""IMG108 on sets of many kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.rules.trees import scan, state, stems, textured, write

if TYPE_CHECKING:
    from pathlib import Path

CODE = "IMG108"


def set_of(count: int, seed: int = 0) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(textured(rng)) for _ in range(count)]


def spoil(image: Image.Image, kind: str) -> Image.Image:
    if kind == "blurred":
        return image.filter(ImageFilter.GaussianBlur(10))
    change = {"dark": lambda v: v // 8, "bright": lambda v: 238 + v // 16, "flat": lambda v: 120 + v // 40}[kind]
    return image.point(change)


@pytest.mark.parametrize("kind", ["dark", "bright", "flat", "blurred"])
def test_each_kind_is_named_for_each_sample(tmp_path: Path, kind: str) -> None:
    pictures = set_of(100)
    for k in (5, 40, 71, 88):
        pictures[k] = spoil(pictures[k], kind)
    report = scan(write(tmp_path, pictures), CODE)
    (finding,) = report.findings
    assert finding.severity == "warning"
    assert stems(report, CODE) == {"005", "040", "071", "088"}
    assert finding.message.startswith(f"4 of 100 images are of far lower quality than the rest (4 {kind})")
    assert {sample.detail["kind"] for sample in finding.affected.samples} == {kind}


def test_up_to_three_are_info(tmp_path: Path) -> None:
    pictures = set_of(60)
    for k in (7, 8, 9):
        pictures[k] = spoil(pictures[k], "dark")
    (finding,) = scan(write(tmp_path, pictures), CODE).findings
    assert finding.severity == "info"
    assert finding.affected.count == 3


@pytest.mark.parametrize("kind", ["dark", "bright", "flat", "blurred"])
def test_a_set_that_is_like_that_is_left_alone(tmp_path: Path, kind: str) -> None:
    pictures = [spoil(picture, kind) for picture in set_of(60)]
    assert not scan(write(tmp_path, pictures), CODE).findings


def test_small_things_on_an_even_ground(tmp_path: Path) -> None:
    y, x = np.mgrid[:96, :96]
    rng = np.random.default_rng(1)
    sizes = rng.uniform(3, 30, 80)
    pictures = [(255 * (np.hypot(x - 48, y - 48) < size)).astype(np.uint8) for size in sizes]
    assert not scan(write(tmp_path / "dark", pictures), CODE).findings
    assert not scan(write(tmp_path / "bright", [255 - picture for picture in pictures]), CODE).findings


def test_what_is_a_class_is_no_fault(tmp_path: Path) -> None:
    pictures = set_of(200)
    for k in range(0, 200, 25):
        pictures[k] = spoil(pictures[k], "dark")
    assert stems(scan(write(tmp_path / "spread", pictures), CODE), CODE)
    assert not scan(write(tmp_path / "class", pictures, classes=25), CODE).findings


def test_too_few_images_to_compare(tmp_path: Path) -> None:
    report = scan(write(tmp_path, set_of(29)), CODE)
    assert state(report, CODE) == ("skipped", "only 29 images with content: their usual values cannot be estimated")


def test_arrays_of_fractions_have_no_absolute_darkness() -> None:
    rng = np.random.default_rng(2)
    values = np.stack([textured(rng)[..., 0] for _ in range(60)]) / 255.0
    values[4] /= 8
    assert not scan((values, np.arange(60) % 2), CODE).findings
    (finding,) = scan(((values * 255).astype(np.uint8), np.arange(60) % 2), CODE).findings
    assert [sample.index for sample in finding.affected.samples] == [4]
