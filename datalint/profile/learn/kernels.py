"""Nystroem features of a radial kernel, on which straight models see curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


BLOCK = 4_096
"""Rows at a time."""


def rbf_features(X: NDArray[np.float32], centres: NDArray[np.float32], least: float) -> NDArray[np.float32]:
    """Features whose inner products are those of an RBF kernel as wide as the median distance (Williams and Seeger 2001).

    Args:
        X: [n, d].
        centres: [m, d] rows on which the kernel is exact.
        least: directions with a smaller share of the largest eigenvalue are left out.

    Returns:
        [n, at most m].
    """
    between = _squared_distances(centres, centres)
    width = float(np.median(between[np.triu_indices(len(centres), 1)])) if len(centres) > 1 else 1.0
    width = width if width > 0 else max(float(between.mean()), 1e-6)
    values, vectors = np.linalg.eigh(np.exp(-between.astype(np.float64) / width))
    keep = values > least * values[-1]
    whiten = (vectors[:, keep] / np.sqrt(values[keep])).astype(np.float32)
    # In blocks: distances of all rows and what is made of them would take three times the room of the features.
    found = np.empty((len(X), whiten.shape[1]), np.float32)
    for start in range(0, len(X), BLOCK):
        rows = slice(start, start + BLOCK)
        found[rows] = np.exp(-_squared_distances(X[rows], centres) / width) @ whiten
    return found


def _squared_distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    distances: NDArray[np.float32] = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    return np.maximum(distances, 0, out=distances)
