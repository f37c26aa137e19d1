"""IMG107: every tag but 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.rules.trees import encoded, scan, stems, textured, write

if TYPE_CHECKING:
    from pathlib import Path

CODE = "IMG107"
RNG = np.random.default_rng(0)


def tagged(tag: int, kind: str = "jpg") -> bytes:
    exif = Image.Exif()
    exif[274] = tag
    return encoded(textured(RNG), kind, exif=exif)


def test_all_tags_in_one_finding(tmp_path: Path) -> None:
    pictures = [tagged(tag) for tag in (1, 2, 3, 3, 3, 6, 8)] + [textured(RNG)]
    report = scan(write(tmp_path, pictures, kind="jpg"), CODE)
    (finding,) = report.findings
    assert finding.message == ("6 of 8 images have an EXIF orientation other than 1, mostly 3 (turned by 180 degrees)")
    assert finding.evidence["tags"] == {"2": 1, "3": 3, "6": 1, "8": 1}
    assert stems(report, CODE) == {f"{k:03d}" for k in range(1, 7)}


@pytest.mark.parametrize("tag", [0, 1, 9, 65535])
def test_tags_without_meaning(tmp_path: Path, tag: int) -> None:
    assert not scan(write(tmp_path, [tagged(tag), textured(RNG)], kind="jpg"), CODE).findings


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_other_formats_carry_it_too(tmp_path: Path, kind: str) -> None:
    (finding,) = scan(write(tmp_path, [tagged(6, kind), textured(RNG)], kind=kind), CODE).findings
    assert finding.affected.samples[0].detail == {"exif_orientation": 6}
