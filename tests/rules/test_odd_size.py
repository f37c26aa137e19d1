"""IMG105: sets of one size and sets of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.rules.trees import scan, state, stems, write

if TYPE_CHECKING:
    from pathlib import Path

CODE = "IMG105"


def tree(folder: Path, sizes: list[tuple[int, int]]) -> Path:
    return write(folder, [Image.new("L", size, 77) for size in sizes])


@pytest.mark.parametrize(
    ("odd", "severity"), [((45, 60), "warning"), ((45, 30), "warning"), ((900, 60), "warning"), ((90, 61), "info")]
)
def test_a_few_others_in_a_set_of_one_size(tmp_path: Path, odd: tuple[int, int], severity: str) -> None:
    sizes = [(90, 60)] * 100
    sizes[31] = odd
    report = scan(tree(tmp_path, sizes), CODE)
    (finding,) = report.findings
    assert finding.severity == severity
    assert stems(report, CODE) == {"031"}
    assert finding.message == (
        f"1 of 100 images has an odd size ({odd[0]} x {odd[1]}) while the rest of the set is 90 x 60"
    )


def test_upright_among_others_is_not_odd(tmp_path: Path) -> None:
    assert not scan(tree(tmp_path, [(90, 60)] * 97 + [(60, 90)] * 3), CODE).findings


@pytest.mark.parametrize("seed", range(4))
def test_a_natural_collection_is_silent(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    side, ratio = np.exp(rng.normal(4, 0.5, 150)), np.exp(rng.normal(0, 0.35, 150))
    sizes = [(max(8, int(s * r)), max(8, int(s / r))) for s, r in zip(side, ratio, strict=True)]
    (finding,) = scan(tree(tmp_path, sizes), CODE).findings
    assert finding.severity == "info"
    assert finding.message.startswith("150 images have ")


def test_an_icon_and_a_banner_in_a_collection(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sizes = [(int(w), int(h)) for w, h in rng.integers(200, 400, (300, 2))]
    sizes[10], sizes[20] = (16, 16), (900, 40)
    report = scan(tree(tmp_path, sizes), CODE)
    assert [finding.severity for finding in report.findings] == ["info", "info"]
    assert stems(report, CODE) == {"010", "020"}


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_thumbnails_in_a_collection(tmp_path: Path, share: float) -> None:
    rng = np.random.default_rng(1)
    sizes = [(int(w), int(h)) for w, h in rng.integers(180, 400, (200, 2))]
    count = int(200 * share)
    for k in range(count):
        sizes[5 * k % 200 if share < 0.2 else k] = (48, int(rng.integers(30, 52)))
    finding, _ = scan(tree(tmp_path, sizes), CODE).findings
    assert (finding.severity, finding.affected.count) == ("warning", count)
    assert "mostly 18" in finding.message or "mostly 19" in finding.message or "mostly 2" in finding.message


def test_two_cameras_are_no_odd_ones(tmp_path: Path) -> None:
    (finding,) = scan(tree(tmp_path, [(90, 60)] * 70 + [(120, 80)] * 30), CODE).findings
    assert finding.severity == "info"
    assert finding.message == (
        "100 images have 2 different sizes, from 90 x 60 to 120 x 80; the commonest, 90 x 60, is that of 70%"
    )


def test_too_few_images(tmp_path: Path) -> None:
    assert state(scan(tree(tmp_path, [(90, 60)] * 49), CODE), CODE)[0] == "skipped"
