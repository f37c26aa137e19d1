"""IMG106: how even a picture must be, and what is left to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.rules.trees import scan, stems, textured, write

if TYPE_CHECKING:
    from pathlib import Path

CODE = "IMG106"
RNG = np.random.default_rng(0)


def even(level: int, noise: float = 0.0, side: int = 80) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.clip(level + RNG.normal(0, noise, (side, side, 3)), 0, 255).round().astype(np.uint8)


def test_colours_are_named(tmp_path: Path) -> None:
    red = np.zeros((80, 80, 3), np.uint8)
    red[..., 0] = 200
    pictures = [textured(RNG), even(255), even(128), red, even(3)]
    (finding,) = scan(write(tmp_path, pictures), CODE).findings
    assert finding.message == "4 of 5 images are of one colour all over (1 black, 1 white, 1 grey, 1 coloured)"
    assert finding.severity == "warning"


def test_zero_all_over_is_left_to_all_zero_inputs(tmp_path: Path) -> None:
    assert not scan(write(tmp_path, [textured(RNG), even(0)]), CODE).findings


@pytest.mark.parametrize(("noise", "found"), [(0.0, True), (0.7, True), (3.0, False)])
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_noise_that_nobody_sees(tmp_path: Path, kind: str, noise: float, found: bool) -> None:
    report = scan(write(tmp_path, [textured(RNG), even(90, noise)], kind=kind), CODE)
    assert bool(report.findings) == found


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_detail_that_reduced_decoding_averages_away(tmp_path: Path, kind: str) -> None:
    board = np.kron(np.indices((320, 320)).sum(0) % 2, np.ones((2, 2))).astype(np.uint8) * 255
    star = np.full((2100, 2100), 60, np.uint8)
    star[1000, 1000] = 90
    assert not scan(write(tmp_path, [board, star, board, star], kind=kind, quality=95), CODE).findings


def test_arrays_are_blank_only_if_all_values_are_equal() -> None:
    values = RNG.random((12, 20, 20, 3))
    values[3] = 0.25
    values[5] = [0.1, 0.2, 0.3]
    values[7] = 0.5
    values[7, 0, 0, 0] = 0.501
    report = scan((values, np.arange(12) % 2), CODE)
    assert [sample.index for sample in report.findings[0].affected.samples] == [3, 5]
    first = scan((np.moveaxis(values, 3, 1), np.arange(12) % 2), CODE)
    assert [sample.index for sample in first.findings[0].affected.samples] == [3, 5]


def test_a_file_that_cannot_be_read_is_not_blank(tmp_path: Path) -> None:
    report = scan(write(tmp_path, [textured(RNG), b"", even(20), b"no picture"]), CODE)
    assert stems(report, CODE) == {"002"}
