"""Pictures that are a part of another picture: cropped by up to about a quarter of its width and height."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.statistics import binomial_tail, normal_tail
from datalint.profile.learn.near_pictures import EXPECTED, LEAST_DETAIL, SIDE, leading_directions, ones, unit_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

CUTS = ((0.0, 0.0), (0.12, 0.0), (0.0, 0.12), (0.25, 0.0), (0.0, 0.25), (0.125, 0.125))
"""Shares taken off the two ends of an axis; a hash tolerates that the true ones are up to half a step off."""
LEAST_REMOVED = 0.03
"""Share of the area that a crop lacks at least."""
LIKE = 0.97
"""Least correlation of a crop with the part of the other picture that it shows."""
SAME_DETAIL = 0.85
"""Least correlation of their detail: each cell less its four neighbours. Unlike pictures share slopes of light and dark,
and can be cut until those match; the detail is left."""
SOME_DETAIL = 0.5
"""Correlation of detail from which a pair counts as similar: more than any crop of different photos gives."""
CONTINUUM = 0.25
"""Share of look-alikes among all pairs of at least such detail from which it is a set of look-alikes: digits, faces,
textures and cut-outs of one scene have 0.3 to 0.7 of them, unlike photos next to none."""
DOUBT = 0.05
"""Chance that a set of look-alikes shows as few look-alikes; so at least 11 crops are needed."""
_WORDS = 2
_FAR_BITS = 26
_FAR_LOW = 0.12
_CROWD = 32
"""Pictures of one piece of the hash, beyond which they are look-alikes and no pair of them would count."""
_AT_ONCE = 1 << 17
_MOST = 2_000
_MOST_OTHERS = 1_000
_NULL_PAIRS = 300
_WINDOWS = tuple((*across, *down) for down in CUTS for across in CUTS if (across, down) != (CUTS[0], CUTS[0]))


@dataclass(frozen=True)
class Crops:
    """Pairs of pictures of which the second is a part of the first, nearest first."""

    whole: Ints
    part: Ints
    likeness: Floats
    """Correlation of the part with what it shows of the whole."""
    removed: Floats
    """Share of the area of the whole that the part lacks."""


def near_crops(
    pictures: NDArray[np.uint8], contents: NDArray[np.uint64], rows: NDArray[np.int64] | None = None
) -> Crops:
    """Pictures that are crops of others.

    Every picture is cut to 35 windows; a window and a whole picture of which one of eight pieces of the hash agrees (bits
    are signs of random directions in the principal space of the set, Charikar 2002) are laid over each other exactly
    (Lucas and Kanade 1981: both ends of both axes, brightness and contrast) and compared in their light and their detail.

    Nothing is reported where pairs of such detail only end a continuum of look-alikes, nor where random pairs, laid over
    each other in the same way, make more than :data:`EXPECTED` such pairs in the whole set likely.

    Args:
        pictures: [n, 32, 32] or [n, 32, 32, 3].
        contents: [m] hash of each that is compared; pictures of equal hash are copies of one file and never a pair.
        rows: [m] which of the pictures are compared; all if not given.
    """
    rows = np.arange(len(pictures)) if rows is None else rows
    cells, detail = unit_cells(pictures, rows)
    kept = np.flatnonzero(detail >= LEAST_DETAIL)
    none = Crops(*(np.zeros(0, np.int64),) * 2, *(np.zeros(0, np.float32),) * 2)
    if len(kept) < SIDE:
        return none
    pictures, contents = pictures[rows[kept]], contents[kept]
    space = _Space.of(cells[kept], detail[kept])
    whole, part, window, distance = space.candidates()
    apart = contents[whole] != contents[part]
    whole, part, window, distance = whole[apart], part[apart], window[apart], distance[apart]
    # A sample of the farther ones shows what the near ones are the end of.
    rest = np.argsort(distance, kind="stable")[_MOST:]
    others = np.random.default_rng(2).permutation(rest)[:_MOST_OTHERS]
    weight = np.ones(len(whole))
    weight[others] = len(rest) / max(len(others), 1)
    chosen = np.concatenate([np.argsort(distance, kind="stable")[:_MOST], others])
    whole, part, weight = whole[chosen], part[chosen], weight[chosen]
    fit = _laid_over(pictures, whole, part, window[chosen])
    # What lacks nothing is not cropped, and is found without any of this.
    alike = (fit.likeness >= LIKE) & (fit.removed >= LEAST_REMOVED)
    near = alike & (fit.detail >= SAME_DETAIL)
    if not near.any():
        return none
    sure = float(weight[near].sum())
    unsure = float(weight[alike & ~near & (fit.detail >= SOME_DETAIL)].sum())
    if binomial_tail(round(sure), round(sure + unsure), 1 - CONTINUUM) > DOUBT or _expected(pictures, space) > EXPECTED:
        return none
    found = np.flatnonzero(near)
    found = found[np.argsort(-fit.detail[found], kind="stable")]
    low, high = np.minimum(whole, part)[found], np.maximum(whole, part)[found]
    found = found[np.sort(np.unique(low * len(kept) + high, return_index=True)[1])]
    return Crops(kept[whole[found]], kept[part[found]], fit.likeness[found], fit.removed[found])


def _expected(pictures: NDArray[np.uint8], space: _Space) -> float:
    """Unrelated pairs of the whole set whose details are expected to agree by chance."""
    n = len(pictures)
    rng = np.random.default_rng(3)
    whole, part = rng.integers(n, size=(2, _NULL_PAIRS))
    whole, part = whole[whole != part], part[whole != part]
    detail = _laid_over(pictures, whole, part, space.best_windows(whole, part)).detail
    # Fisher's z; median and upper half, which copies among the random pairs hardly move.
    scores = np.arctanh(np.clip(detail.astype(np.float64), -0.999, 0.999))
    middle, high = np.quantile(scores, [0.5, 0.9])
    spread = max(float(high - middle) / 1.2816, 1 / SIDE)
    return n * (n - 1) * normal_tail(float(np.arctanh(SAME_DETAIL) - middle) / spread)


@dataclass(frozen=True)
class _Space:
    """Pictures and their windows in the leading principal directions of the set."""

    plain: Floats
    """[n, d]."""
    windows: Floats
    """[n, windows, d]."""
    clear: NDArray[np.bool_]
    """[n, windows] whether a window shows enough."""
    plane: Floats
    """[d, bits] directions of the hash."""
    middle: Floats

    @classmethod
    def of(cls, cells: Floats, detail: Floats) -> _Space:
        rng = np.random.default_rng(0)
        n = len(cells)
        mean, values, basis = leading_directions(cells, rng)
        axes = basis.astype(np.float32)
        plane = (rng.normal(size=(len(values), 64 * _WORDS)) / np.sqrt(values)[:, None]).astype(np.float32)
        cut, mean_of = [], []
        for left, right, above, below in _WINDOWS:
            resized = np.kron(_means(above, 1 - below, SIDE, SIDE), _means(left, 1 - right, SIDE, SIDE))
            cut.append((resized - resized.mean(axis=0)).T @ axes)
            mean_of.append(np.kron(_means(above, 1 - below, SIDE, 1), _means(left, 1 - right, SIDE, 1))[0])
        cuts = np.concatenate(cut, axis=1).astype(np.float32)
        means = np.stack(mean_of, axis=1).astype(np.float32)
        windows = np.empty((n, len(_WINDOWS), len(values)), np.float32)
        clear = np.empty((n, len(_WINDOWS)), np.bool_)
        for start in range(0, n, 512):
            part = cells[start : start + 512]
            spread = np.sqrt(np.maximum((part * part) @ means - (part @ means) ** 2, 1e-12))
            windows[start : start + 512] = (part @ cuts).reshape(len(part), len(_WINDOWS), -1)
            windows[start : start + 512] /= (SIDE * spread)[..., None]
            clear[start : start + 512] = spread * SIDE * detail[start : start + 512, None] >= LEAST_DETAIL
        return cls(cells @ axes, windows, clear, plane, (mean @ axes @ plane).astype(np.float32))

    def _hashed(self, points: Floats) -> NDArray[np.uint64]:
        out = np.empty((len(points), _WORDS), np.uint64)
        for start in range(0, len(points), 8_192):
            bits = points[start : start + 8_192] @ self.plane > self.middle
            out[start : start + 8_192] = np.packbits(bits, axis=1).view(np.uint64)
        return out

    def candidates(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Pairs (whole, part) that may be crops, the best window of each, and how far apart they are there."""
        n, count = self.clear.shape
        queries = np.flatnonzero(self.clear)
        asked = self._hashed(self.windows.reshape(n * count, -1))[queries]
        stored = self._hashed(self.plain)
        found: list[tuple[Ints, Ints]] = []
        for piece in range(4 * _WORDS):
            key, wanted = stored.view(np.uint16)[:, piece], asked.view(np.uint16)[:, piece]
            order = np.argsort(key, kind="stable")
            size = np.bincount(key, minlength=1 << 16)
            first = np.cumsum(size) - size
            size[size > _CROWD] = 0
            for start in range(0, len(queries), _AT_ONCE):
                have = start + np.flatnonzero(size[wanted[start : start + _AT_ONCE]])
                each = size[wanted[have]]
                query = np.repeat(have, each)
                inside = np.arange(len(query)) - np.repeat(np.cumsum(each) - each, each)
                target = order[np.repeat(first[wanted[have]], each) + inside]
                bits = sum(ones(asked[query, word] ^ stored[target, word]).astype(np.int64) for word in range(_WORDS))
                close = np.flatnonzero((bits <= _FAR_BITS) & (queries[query] // count != target))
                found.append((queries[query[close]], target[close]))
        query, target = (np.concatenate(parts) for parts in zip(*found, strict=True))
        distance = np.empty(len(query), np.float32)
        for start in range(0, len(query), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            apart = self.windows.reshape(n * count, -1)[query[some]] - self.plain[target[some]]
            distance[some] = np.square(apart).sum(axis=1)
        close = np.flatnonzero(distance <= _FAR_LOW)
        close = close[np.argsort(distance[close], kind="stable")]
        _, once = np.unique(query[close] // count * n + target[close], return_index=True)
        best = close[once]
        return query[best] // count, target[best], query[best] % count, distance[best]

    def best_windows(self, whole: Ints, part: Ints) -> Ints:
        """Of each pair, the window of one picture that is most like the other."""
        best: Ints = np.square(self.windows[whole] - self.plain[part][:, None]).sum(axis=2).argmin(axis=1)
        return best


@dataclass(frozen=True)
class _Fit:
    """Pairs, the second laid over the part of the first that it fits best."""

    likeness: Floats
    detail: Floats
    removed: Floats


def _laid_over(pictures: NDArray[np.uint8], whole: Ints, part: Ints, window: Ints) -> _Fit:
    """Lay pairs over each other, beginning at windows."""
    out = _Fit(*(np.zeros(len(whole), np.float32) for _ in range(3)))
    for start in range(0, len(whole), 512):
        some = slice(start, start + 512)
        left, right, above, below = np.array(_WINDOWS, np.float32)[window[some]].T
        box = np.stack([left, 1 - right, above, 1 - below], axis=1)
        source, target = _grey(pictures[whole[some]]), _grey(pictures[part[some]])
        out.likeness[some], out.detail[some], out.removed[some] = _aligned(source, target, box)
    return out


def _aligned(source: Floats, target: Floats, box: Floats) -> tuple[Floats, Floats, Floats]:
    """Correlation, correlation of detail and removed share at the best of some Gauss-Newton steps from a box."""
    goal = _cut(target, np.tile(np.array([0, 1, 0, 1], np.float32), (len(box), 1)))
    u = ((np.arange(SIDE) + 0.5) / SIDE).astype(np.float32)
    best = np.full((3, len(box)), -1, np.float32)
    for step in range(4):
        cells = _cut(source, box)
        likeness = (_unit(cells) * _unit(goal)).sum(axis=1)
        detail = (_unit(_fine(cells)) * _unit(_fine(goal))).sum(axis=1)
        width, height = box[:, 1] - box[:, 0], box[:, 3] - box[:, 2]
        better = likeness > best[0]
        best[:, better] = np.stack([likeness, detail, 1 - width * height])[:, better]
        if step == 3:
            break
        right = np.gradient(cells, axis=2) * SIDE / width[:, None, None]
        down = np.gradient(cells, axis=1) * SIDE / height[:, None, None]
        moves = [right * (1 - u), right * u, down * (1 - u)[:, None], down * u[:, None]]
        base = np.stack([*moves, cells], axis=1).reshape(len(box), 5, -1)
        base -= base.mean(axis=2, keepdims=True)
        gram = base @ base.transpose(0, 2, 1)
        size = np.maximum(np.einsum("ijj->i", gram), 1.0)[:, None, None]
        # Where the picture says little of an end, it stays.
        ridge = np.diag(np.array([1e-3, 1e-3, 1e-3, 1e-3, 1e-6], np.float32)) * size / 5
        weights = np.linalg.solve(gram + ridge, base @ goal.reshape(len(box), -1, 1))[..., 0]
        contrast = np.maximum(weights[:, 4:], 0.2)
        box = box + np.clip(weights[:, :4] / contrast, -0.06, 0.06)
        # The whole has nothing beyond its edges.
        box = np.clip(box, np.array([0, 0.55, 0, 0.55], np.float32), np.array([0.45, 1, 0.45, 1], np.float32))
    return best[0], best[1], best[2]


def _grey(pictures: NDArray[np.uint8]) -> Floats:
    weights = np.array([77, 150, 29], np.float32) / 256
    gray: Floats = (
        (pictures.astype(np.float32) @ weights).astype(np.float32)
        if pictures.ndim == 4
        else pictures.astype(np.float32)
    )
    return gray


def _means(low: float, high: float, source: int, count: int) -> NDArray[np.float64]:
    """[count, source] weights that make equal cells of a part of an axis into means."""
    edges = np.linspace(low, high, count + 1) * source
    cells = np.diff(np.clip(edges[:, None] - np.arange(source), 0, 1), axis=0)
    means: NDArray[np.float64] = cells / cells.sum(axis=1, keepdims=True)
    return means


def _cut(pictures: Floats, box: Floats) -> Floats:
    """[n, 16, 16] means over the cells of a box (left, right, top, bottom) of each picture."""
    side = pictures.shape[1]
    steps = np.linspace(0, 1, SIDE + 1, dtype=np.float32)
    weights = []
    for low, high in ((box[:, 0], box[:, 1]), (box[:, 2], box[:, 3])):
        edges = (low[:, None] + (high - low)[:, None] * steps) * side
        cells = np.diff(np.clip(edges[..., None] - np.arange(side, dtype=np.float32), 0, 1), axis=1)
        weights.append(cells / cells.sum(axis=2, keepdims=True))
    return np.asarray(weights[1] @ pictures @ weights[0].transpose(0, 2, 1), np.float32)


def _fine(cells: Floats) -> Floats:
    """[n, 14, 14] inner cells less the mean of their four neighbours."""
    around = cells[:, :-2, 1:-1] + cells[:, 2:, 1:-1] + cells[:, 1:-1, :-2] + cells[:, 1:-1, 2:]
    fine: Floats = np.asarray(cells[:, 1:-1, 1:-1] - around / 4, np.float32)
    return fine


def _unit(cells: Floats) -> Floats:
    flat = cells.reshape(len(cells), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.sqrt((flat * flat).sum(axis=1, keepdims=True)), 1e-6), np.float32)
