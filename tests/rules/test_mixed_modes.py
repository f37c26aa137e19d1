"""IMG104: what loaders make of a mode decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.rules.trees import scan, stems, textured, write

if TYPE_CHECKING:
    from pathlib import Path

CODE = "IMG104"


def pictures(count: int) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(textured(rng, 24, 24)) for _ in range(count)]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "LA"])
def test_a_few_that_conversion_sets_right_are_info(tmp_path: Path, mode: str) -> None:
    all_of_them = pictures(60)
    for k in (3, 30):
        all_of_them[k] = all_of_them[k].convert(mode)
    report = scan(write(tmp_path, all_of_them), CODE)
    (finding,) = report.findings
    assert finding.severity == "info"
    assert stems(report, CODE) == {"003", "030"}
    assert finding.affected.samples[0].detail == {"mode": mode}


def test_sixteen_bits_are_a_warning_whatever_their_share(tmp_path: Path) -> None:
    all_of_them = pictures(40)
    for k in range(10):
        all_of_them[k] = Image.fromarray(np.asarray(all_of_them[k].convert("L")).astype(np.uint16) * 257)
    report = scan(write(tmp_path, all_of_them), CODE)
    (finding,) = report.findings
    assert finding.severity == "warning"
    assert finding.message == (
        "10 of 40 images are of another pixel format (10 of 16 bits or more) while the set is mostly colour"
    )
    assert len(stems(report, CODE)) == 10


def test_a_mixture_names_no_samples(tmp_path: Path) -> None:
    all_of_them = [p.convert("L") if k % 3 == 0 else p for k, p in enumerate(pictures(60))]
    (finding,) = scan(write(tmp_path, all_of_them), CODE).findings
    assert finding.severity == "info"
    assert finding.message == "the images are of several pixel formats: 40 colour, 20 grey of 60"
    assert not finding.affected.samples


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_one_mode_is_no_fault(tmp_path: Path, mode: str) -> None:
    assert not scan(write(tmp_path, [picture.convert(mode) for picture in pictures(20)]), CODE).findings


def test_printing_colours(tmp_path: Path) -> None:
    all_of_them = pictures(40)
    all_of_them[9] = all_of_them[9].convert("CMYK")
    (finding,) = scan(write(tmp_path, all_of_them, kind="jpg"), CODE).findings
    assert finding.severity == "warning"
    assert finding.evidence["odd"] == {"CMYK": 1}


@pytest.mark.parametrize("deep", [1, 10, 19, 25, 39])
def test_sixteen_bits_are_no_milder_where_most_pictures_have_them(tmp_path: Path, deep: int) -> None:
    all_of_them = pictures(40)
    for k in range(deep):
        all_of_them[k] = Image.fromarray(np.asarray(all_of_them[k].convert("L")).astype(np.uint16) * 257)
    assert [finding.severity for finding in scan(write(tmp_path, all_of_them), CODE).findings] == ["warning"]
