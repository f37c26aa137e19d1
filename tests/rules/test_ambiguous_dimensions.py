"""IMG110 on shapes of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.rules.trees import scan, state, textured, write

if TYPE_CHECKING:
    from pathlib import Path

CODE = "IMG110"
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((28, 28, 28), "as many samples as pixels on a side (28)"),
        ((30, 4, 4, 4), "height, width and channels are all 4"),
        ((30, 4, 16, 4), "the first axis of an item (4) and the last (4) can both be the channels"),
        ((16, 3, 16, 24), "as many samples as pixels on a side (16)"),
        ((16, 24, 16, 3), "as many samples as pixels on a side (16)"),
    ],
)
def test_axes_that_cannot_be_told(shape: tuple[int, ...], words: str) -> None:
    (finding,) = scan((RNG.integers(0, 256, shape).astype(np.uint8), np.arange(shape[0]) % 2), CODE).findings
    assert finding.severity == "info"
    assert words in finding.message


@pytest.mark.parametrize("shape", [(30, 28, 28), (30, 32, 32, 3), (30, 3, 32, 32), (30, 24, 32, 1)])
def test_squares_are_common(shape: tuple[int, ...]) -> None:
    assert not scan((RNG.integers(0, 256, shape).astype(np.uint8), np.arange(shape[0]) % 2), CODE).findings


def test_files_say_it_themselves(tmp_path: Path) -> None:
    report = scan(write(tmp_path, [textured(RNG) for _ in range(4)]), CODE)
    assert state(report, CODE) == ("passed", "image files say themselves which side is which")
