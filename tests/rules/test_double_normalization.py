"""NRM104: its four signs, and what only looks like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.rules.trees import scan, textured, write

if TYPE_CHECKING:
    from pathlib import Path

CODE = "NRM104"
RNG = np.random.default_rng(0)
BYTES = np.stack([textured(RNG, 24, 24) for _ in range(40)])
LABELS = np.arange(40) % 2


def drawing(rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Black strokes on white, without any shade between."""
    page = np.full((64, 64), 255, np.uint8)
    for _ in range(20):
        top, left = rng.integers(0, 56, 2)
        page[top : top + 2, left : left + 8] = 0
    return page


def test_divided_twice() -> None:
    (finding,) = scan((BYTES / 255 / 255, LABELS), CODE).findings
    assert finding.message == (
        "the largest pixel value is 0.00392, at most 1/255: the values look divided by 255 twice"
    )
    assert not scan((BYTES / 255, LABELS), CODE).findings


def test_some_items_scaled() -> None:
    values = BYTES.astype(np.float32)
    values[[3, 8]] /= 255
    (finding,) = scan((values, LABELS), CODE).findings
    assert [sample.index for sample in finding.affected.samples] == [3, 8]
    dark = BYTES.copy()
    dark[5] = dark[5] // 100
    assert not scan((dark, LABELS), CODE).findings


@pytest.mark.parametrize(
    "change",
    [
        lambda values: np.trunc((values - values.mean()) / values.std()),
        lambda values: values - 100,
    ],
    ids=["standardised", "shifted"],
)
def test_stored_unsigned(tmp_path: Path, change: Any) -> None:
    pictures = [(change(textured(RNG).astype(float)) % 256).astype(np.uint8) for _ in range(20)]
    (finding,) = scan(write(tmp_path, pictures), CODE).findings
    assert "values below zero stored unsigned" in finding.message
    assert finding.affected.count >= 10
    assert scan((np.stack(pictures), np.arange(20) % 2), CODE).findings


def test_scaled_and_stored_as_whole_numbers(tmp_path: Path) -> None:
    pictures = [(textured(RNG) > 140).astype(np.uint8) for _ in range(20)]
    (finding,) = scan(write(tmp_path, pictures), CODE).findings
    assert finding.message == ("20 of 20 images hold no value above 1: scaled to 0..1 and then stored as whole numbers")


def test_bright_strokes_standardised_and_stored_as_whole_numbers(tmp_path: Path) -> None:
    pages = [np.where(drawing(RNG) == 0, RNG.integers(150, 255, (64, 64)), 0) for _ in range(20)]
    pictures = [np.trunc((page - 60) / 90).astype(np.uint8) for page in pages]
    (finding,) = scan(write(tmp_path, pictures), CODE).findings
    assert finding.message == "20 of 20 images hold no value above 2: standardised and then stored as whole numbers"


@pytest.mark.parametrize("kind", ["drawing", "grain", "checks", "photo", "masks", "three classes"])
def test_hard_edges_are_no_wrapping(tmp_path: Path, kind: str) -> None:
    makes: dict[str, Any] = {
        "drawing": lambda: drawing(RNG),
        "grain": lambda: RNG.integers(0, 256, (64, 64)).astype(np.uint8),
        "checks": lambda: np.kron(RNG.integers(0, 2, (16, 16)), np.full((4, 4), 255)).astype(np.uint8),
        "photo": lambda: textured(RNG),
        "masks": lambda: np.kron(RNG.integers(0, 5, (8, 8)), np.ones((8, 8))).astype(np.uint8),
        "three classes": lambda: np.kron(RNG.integers(0, 3, (8, 8)), np.ones((8, 8))).astype(np.uint8),
    }
    pictures = [makes[kind]() for _ in range(20)]
    assert not scan(write(tmp_path, pictures), CODE).findings
