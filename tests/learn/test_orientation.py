"""Pictures that look like their peers only when turned."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from datalint.profile.learn import orientation
from datalint.profile.learn.orientation import VERSIONS, orient


def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return np.kron((X.reshape(-1, 8, 8) * 15).astype(np.uint8), np.ones((1, 4, 4), np.uint8)), y.astype(np.int64)


def test_descriptions_of_turned_pictures_are_turned_descriptions() -> None:
    pictures, _ = digits()
    pictures = pictures[:20]
    cells, grey = orientation._describe(pictures)
    for version in range(1, len(VERSIONS)):
        turned = pictures.transpose(0, 2, 1) if version == 1 else np.rot90(pictures, version - 1, axes=(1, 2))
        expected = orientation._flat(*orientation._describe(np.ascontiguousarray(turned)))
        assert np.allclose(orientation._flat(*orientation._turn(cells, grey, version)), expected, atol=1e-5)


def test_transposed_digits() -> None:
    pictures, classes = digits()
    pictures = pictures.copy()
    rng = np.random.default_rng(0)
    turned = rng.choice(len(pictures), 18, replace=False)
    pictures[turned] = pictures[turned].transpose(0, 2, 1)
    contents = np.arange(len(pictures), dtype=np.uint64)
    seen = orient(pictures, contents, classes, np.ones(len(pictures), np.bool_))
    assert seen is not None
    named = np.flatnonzero(seen.gain > 0.4)
    assert len(set(named) & set(turned)) >= 14
    assert len(set(named) - set(turned)) <= 2


def test_noise_has_no_upright() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (400, 32, 32), dtype=np.uint8)
    everything = np.ones(400, np.bool_)
    assert orient(pictures, np.arange(400, dtype=np.uint64), np.full(400, -1), everything) is None
    few = np.arange(400) < 20
    assert orient(pictures, np.arange(400, dtype=np.uint64), np.full(400, -1), few) is None
