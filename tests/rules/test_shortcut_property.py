"""IMG109: properties of files against properties of content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.rules.trees import encoded, scan, state, textured, write

if TYPE_CHECKING:
    from pathlib import Path

CODE = "IMG109"


def pictures(count: int, seed: int = 0) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(textured(rng, 48, 64)) for _ in range(count)]


def test_one_class_of_another_size(tmp_path: Path) -> None:
    made = pictures(90)
    for k in range(0, 90, 3):
        if k % 30:
            made[k] = made[k].resize((48, 36))
    (finding,) = scan(write(tmp_path, made, classes=3), CODE).findings
    assert (finding.severity, finding.class_) == ("warning", "a")
    assert finding.evidence["property"] == "size"
    assert finding.message.startswith("the size alone separates 'a' from the other classes: 0.90 recognised")


def test_the_file_format_of_two_classes(tmp_path: Path) -> None:
    for k, picture in enumerate(pictures(60)):
        kind = "png" if k % 2 else "jpg"
        path = tmp_path / ("dog" if k % 2 else "cat") / f"{k}.{kind}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(picture, kind))
    (finding,) = scan(tmp_path, CODE).findings
    assert finding.evidence["told"] == ["cat", "dog"]
    assert "(so does file size)" in finding.message


@pytest.mark.parametrize("classes", [2, 4])
def test_brightness_of_two_classes_may_be_content(tmp_path: Path, classes: int) -> None:
    made = [p.point(lambda v, k=k % classes: v // 8 + k * 220 // (classes - 1)) for k, p in enumerate(pictures(120))]
    (finding,) = scan(write(tmp_path, made, classes=classes), CODE).findings
    assert finding.severity == ("info" if classes == 2 else "warning")
    assert finding.evidence["property"] == "brightness"


def test_one_dark_class_of_many_is_what_it_looks_like(tmp_path: Path) -> None:
    made = [p.point(lambda v: v // 5) if k % 6 == 0 else p for k, p in enumerate(pictures(120))]
    assert not scan(write(tmp_path, made, classes=6), CODE).findings


@pytest.mark.parametrize("seed", range(3))
def test_sizes_that_have_nothing_to_do_with_the_class(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = [p.resize((int(w), int(h))) for p, (w, h) in zip(pictures(120), rng.integers(20, 80, (120, 2)), strict=True)]
    assert not scan(write(tmp_path, made, classes=12), CODE).findings


def test_classes_too_small_to_tell(tmp_path: Path) -> None:
    report = scan(write(tmp_path, pictures(18)), CODE)
    assert state(report, CODE) == ("skipped", "fewer than two classes have 10 readable images")
