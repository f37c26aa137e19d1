"""Which way round pictures are: whether a picture looks more like its peers once it is transposed or turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.profile.learn import features

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSIONS = ("as stored", "transposed", "rotated by 90 degrees", "rotated by 180 degrees", "rotated by 270 degrees")
"""What may have been done to a picture; rotations are counter-clockwise."""
MOST = 1_000
"""Pictures of the reference."""
LEAST = 60
"""Fewer pictures say little about how their kind stands."""
UPRIGHT = 0.75
"""Share of the reference that must look most like its peers as it is stored: textures and maps have no upright."""
_UNDO = (0, 1, 4, 3, 2)
_NEIGHBOURS = 5
_LEAST_OF_CLASS = 15
_DIMENSIONS = 96
_BINS = 8


@dataclass(frozen=True)
class Orientation:
    """How each picture compares with the reference, in each version."""

    upright: float
    """Share of the reference that looks most like its peers as it is stored."""
    version: NDArray[np.int64]
    """[pictures] index into :data:`VERSIONS`: what was done to it if it should look most like its peers."""
    gain: NDArray[np.float64]
    """[pictures] logarithm of how much nearer it comes to its peers when that is undone; below 0 for upright ones."""
    doubt: NDArray[np.float64]
    """[pictures] the same among all peers, where ``gain`` is among those of its class."""


def orient(
    pictures: NDArray[np.uint8], contents: NDArray[np.uint64], classes: NDArray[np.int64], train: NDArray[np.bool_]
) -> Orientation | None:
    """Compare pictures and their turned versions with a reference of stored ones.

    Each picture is undone in five ways, and the distance to its nearest neighbours in the reference is taken of each.
    Neighbours rather than a linear model: digits turned by half differ from other digits only in their details.
    Gradients and grey levels of a turned picture follow from those of the picture by exchanging cells and directions, so
    they are computed once.

    Args:
        pictures: [n, 32, 32] or [n, 32, 32, 3].
        contents: [n] hash of each: a picture is never compared with its copies.
        classes: [n] class of each, -1 where unknown.
        train: [n] whether the reference may hold it.

    Returns:
        None with too few pictures, or where they have no upright.
    """
    rng = np.random.default_rng(0)
    pool = np.flatnonzero(train)
    reference = np.sort(rng.choice(pool, min(len(pool), MOST), replace=False))
    if len(reference) < LEAST:
        return None
    cells, grey = _describe(pictures[reference])
    flat = _flat(cells, grey)
    mean, basis = _principal(flat)
    model = _Peers((flat - mean) @ basis, contents[reference], classes[reference])
    some = np.sort(rng.choice(len(reference), min(len(reference), 300), replace=False))
    few = model.distances(cells[some], grey[some], mean, basis, contents[reference[some]], None)
    upright = float((few.argmin(axis=1) == 0).mean())
    if upright < UPRIGHT:
        return None
    everyone, own = np.empty((len(pictures), 5)), np.empty((len(pictures), 5))
    for start in range(0, len(pictures), 1_024):
        part = slice(start, start + 1_024)
        cells, grey = _describe(pictures[part])
        both = model.distances(cells, grey, mean, basis, contents[part], classes[part])
        everyone[part], own[part] = both[:, :5], both[:, 5:]
    known = np.asarray(np.isfinite(own).all(axis=1), np.bool_)
    own = np.where(known[:, None], own, everyone)
    version = 1 + own[:, 1:].argmin(axis=1)
    rows = np.arange(len(pictures))
    gain, doubt = (np.log(np.maximum(d[:, 0], 1e-6) / np.maximum(d[rows, version], 1e-6)) for d in (own, everyone))
    return Orientation(upright, version, gain, doubt)


class _Peers:
    """Neighbours among stored pictures."""

    def __init__(self, points: NDArray[np.floating], contents: NDArray[np.uint64], classes: NDArray[np.int64]) -> None:
        self.points, self.contents, self.classes = points, contents, classes
        self.norms = (points**2).sum(axis=1)
        known = classes[classes >= 0]
        counts = np.bincount(known) if len(known) else np.zeros(1, np.int64)
        self.large = np.flatnonzero(counts >= _LEAST_OF_CLASS)

    def distances(
        self,
        cells: NDArray[np.float32],
        grey: NDArray[np.float32],
        mean: NDArray[np.float32],
        basis: NDArray[np.float32],
        contents: NDArray[np.uint64],
        classes: NDArray[np.int64] | None,
    ) -> NDArray[np.float64]:
        """[pictures, 5] mean distance to the nearest peers of each undone version; five more among those of its class."""
        n = len(cells)
        out = np.full((n, 5 if classes is None else 10), np.inf)
        order = np.argsort(self.contents)
        at = np.minimum(np.searchsorted(self.contents[order], contents), len(order) - 1)
        itself = np.flatnonzero(self.contents[order[at]] == contents)
        column = order[at[itself]]
        for version, undo in enumerate(_UNDO):
            points = (_flat(*_turn(cells, grey, undo)) - mean) @ basis
            squared = (points**2).sum(axis=1)[:, None] + self.norms - 2 * points @ self.points.T
            squared[itself, column] = np.inf
            out[:, version] = _nearest(squared)
            if classes is None:
                continue
            for name in self.large:
                mine, peers = np.flatnonzero(classes == name), np.flatnonzero(self.classes == name)
                if len(mine):
                    out[mine, 5 + version] = _nearest(squared[np.ix_(mine, peers)])
        return out


def _nearest(squared: NDArray[np.float32]) -> NDArray[np.float32]:
    # The nearest two are left out: they may be turned themselves.
    nearest = np.partition(squared, (1, _NEIGHBOURS - 1), axis=1)[:, 2:_NEIGHBOURS]
    distance: NDArray[np.float32] = np.sqrt(np.maximum(nearest, 0)).mean(axis=1)
    return distance


def _describe(pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[n, 8, 8, 8] directions of gradients by cell, and [n, 8, 8] normalised grey levels."""
    cells, grey = [], []
    for start in range(0, len(pictures), 1_024):
        chunk = pictures[start : start + 1_024].astype(np.float32) / np.float32(255)
        grey_of = np.array([0.299, 0.587, 0.114], np.float32)
        plain: NDArray[np.float32] = chunk if chunk.ndim == 3 else (chunk @ grey_of).astype(np.float32)
        side = plain.shape[1]
        hog = features.gradient_histograms(plain, side // 8)
        cells.append(hog.reshape(len(plain), 8, 8, _BINS))
        small = plain.reshape(len(plain), 8, side // 8, 8, side // 8).mean(axis=(2, 4))
        spread = small.std(axis=(1, 2), keepdims=True)
        grey.append((small - small.mean(axis=(1, 2), keepdims=True)) / (spread + 0.02))
    return np.concatenate(cells), np.concatenate(grey)


def _turn(
    cells: NDArray[np.float32], grey: NDArray[np.float32], version: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The description of the turned pictures."""
    directions = np.arange(_BINS)
    quarter = (directions + _BINS // 2) % _BINS
    if version == 1:  # rows become columns: the direction is mirrored at the diagonal
        return cells.transpose(0, 2, 1, 3)[..., (_BINS // 2 - directions) % _BINS], grey.transpose(0, 2, 1)
    if version == 3:
        return cells[:, ::-1, ::-1], grey[:, ::-1, ::-1]
    if version in {2, 4}:
        times = version - 1
        return np.rot90(cells, times, axes=(1, 2))[..., quarter], np.rot90(grey, times, axes=(1, 2))
    return cells, grey


def _flat(cells: NDArray[np.float32], grey: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([cells.reshape(len(cells), -1), 0.3 * grey.reshape(len(grey), -1)], axis=1)


def _principal(shown: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and basis of the strongest components."""
    mean = shown.mean(axis=0)
    centred = shown - mean
    values, vectors = np.linalg.eigh((centred.T @ centred / len(centred)).astype(np.float64))
    top = np.argsort(values)[::-1][:_DIMENSIONS]
    top = top[values[top] > 1e-6 * max(float(values.max()), 1e-30)]
    basis = vectors[:, top] / max(float(np.sqrt(values.max())), 1e-12)
    return mean, basis.astype(np.float32)
