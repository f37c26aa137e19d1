"""Near-identical pictures among thumbnails: the same picture compressed, brightened, mirrored or slightly cropped again."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

Item = TypeVar("Item")
Made = TypeVar("Made")

SIDE = 16
"""Side of the compared pictures: finer detail does not survive compression, coarser detail does not distinguish pictures."""
LEAST_DETAIL = 4.0
"""Standard deviation in grey levels below which a picture holds next to nothing that could be the same in another."""
FARTHEST = 0.5
"""Distance (square root of 2 - 2 * correlation) beyond which no pair is called near: a crop by a tenth is nearer."""
COLOURLESS = 12.0
"""Levels that colours of two pictures may be apart without being seen: what compression and white balance do."""
RECOLOURED = 0.6
"""Share of the stronger colours of two pictures from which their distance makes them others; half the brightness is 0.5."""
EXPECTED = 0.02
"""Pairs of unrelated pictures of the whole set that may be as near as a reported pair."""
_BITS = 64
_TABLES = 12
_WINDOW = 3
_FAR_BITS = 16
_REFERENCES = 800
_NEIGHBOUR = 10
_MOST_PAIRS = 6_000
_DIMENSIONS = 24
_LEAST_DIMENSIONS = 3.0
"""Two of place and one of the content."""
_REACH = 0.8
"""How far pairs are counted, to see whether near ones stand apart."""
_MOST_DIMENSIONS = 14.0
"""More cannot be estimated from ten neighbours, and nothing is gained by believing it."""


def near_pictures(
    pictures: NDArray[np.uint8],
    contents: NDArray[np.uint64],
    rows: NDArray[np.int64] | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Pairs of near-identical pictures.

    Pictures are compared as 16 x 16 grey levels of mean 0 and length 1, so brightness and contrast do not count; pairs whose
    colours differ, as those of a red and a green apple do, are no pairs.
    Candidates are neighbours in sorted random permutations of a 64-bit hash (Charikar 2002), whose bits are signs of
    random directions in the whitened principal space of this very set, and so are balanced whatever the set shows.

    How near is near depends on the set: unrelated digits are more similar than unrelated photos. Around each picture of a
    candidate pair the number of unrelated pictures within a distance t grows like t to the power of the local dimension
    (Levina and Bickel 2005); both are measured against a random reference of the set, and a pair counts if over the
    whole set less than :data:`EXPECTED` unrelated pairs would be as near.

    Args:
        pictures: [n, 32, 32] or [n, 32, 32, 3].
        contents: [m] hash of each that is compared; pictures of equal hash are copies of one file and never a pair.
        rows: [m] which of the pictures are compared; all if not given.
        threads: how many parts of the work are done at once; what is found does not depend on it.

    Returns:
        The pairs, nearest first: first, second (indices into ``contents``), correlation, and whether the second is mirrored.
    """
    at = np.arange(len(pictures)) if rows is None else rows
    vectors, detail = unit_cells(pictures, at, threads)
    kept = np.flatnonzero(detail >= LEAST_DETAIL)
    empty = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_)
    if len(kept) < 2 * _NEIGHBOUR:
        return empty
    if len(kept) < len(vectors):
        vectors, contents = vectors[kept], contents[kept]
    first, second, flip = _candidates(vectors, threads)
    apart = (first != second) & (contents[first] != contents[second])
    first, second, flip = first[apart], second[apart], flip[apart]
    distance, aligned = _distances(vectors, first, second, flip, threads)
    order = np.argsort(distance, kind="stable")[:_MOST_PAIRS]
    order = order[distance[order] <= _REACH]
    first, second, flip = first[order], second[order], flip[order]
    distance, aligned = distance[order], aligned[order]
    if len(first) == 0:
        return empty
    near = _surprising(vectors, first, second, aligned) & (distance <= FARTHEST) & ~_continuum(distance)
    first, second, flip, aligned = first[near], second[near], flip[near], aligned[near]
    alike = _coloured_alike(pictures, at[kept[first]], at[kept[second]], flip)
    first, second, flip, aligned = first[alike], second[alike], flip[alike], aligned[alike]
    order = np.argsort(aligned, kind="stable")
    return kept[first[order]], kept[second[order]], 1 - aligned[order].astype(np.float64) ** 2 / 2, flip[order]


def _coloured_alike(
    pictures: NDArray[np.uint8], first: NDArray[np.int64], second: NDArray[np.int64], flip: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether the two of each pair have the same colours in the same places, more or less saturated."""
    if pictures.ndim == 3 or len(first) == 0:
        return np.ones(len(first), np.bool_)
    one, two = _chroma(pictures[first]), _chroma(pictures[second])
    two[flip] = two[flip][:, :, ::-1]
    apart = np.sqrt(((one - two) ** 2).mean(axis=(1, 2, 3)))
    most = np.sqrt(np.maximum((one**2).mean(axis=(1, 2, 3)), (two**2).mean(axis=(1, 2, 3))))
    return np.asarray((apart <= COLOURLESS) | (apart <= RECOLOURED * most))


def _chroma(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[n, 4, 4, 2] how far cells are from grey, from red to green and from blue to yellow."""
    n, height, width = pictures.shape[:3]
    cells = pictures.reshape(n, 4, height // 4, 4, width // 4, 3).mean(axis=(2, 4), dtype=np.float32)
    red, green, blue = cells[..., 0], cells[..., 1], cells[..., 2]
    return np.stack([red - green, (red + green) / 2 - blue], axis=-1)


def _side_by_side(function: Callable[[Item], Made], items: Iterable[Item], threads: int) -> list[Made]:
    """What a function makes of each item; numpy does most of it without holding the interpreter."""
    if threads < 2:
        return list(map(function, items))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))


def unit_cells(
    pictures: NDArray[np.uint8], rows: NDArray[np.int64], threads: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """[n, 256] grey levels of mean 0 and length 1 of some pictures, and the standard deviation that they had."""
    n, (height, width) = len(rows), pictures.shape[1:3]
    if height != width or height % SIDE:
        raise ValueError(f"thumbnails are {width} x {height}")
    flat, length = np.empty((n, SIDE * SIDE), np.float32), np.empty(n, np.float32)

    def fill(start: int) -> None:
        part = flat[start : start + 128]
        part[:] = _cells(pictures[rows[start : start + 128]])
        part -= part.mean(axis=1, keepdims=True)
        length[start : start + 128] = own = np.sqrt(np.einsum("ij,ij->i", part, part))
        part /= np.maximum(own, 1e-6)[:, None]

    # Temporaries that stay in the processor's cache: the whole at once takes three times as long.
    _side_by_side(fill, range(0, n, 128), threads)
    length /= SIDE
    return flat, length


def _cells(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[n, 256] mean grey levels of the cells."""
    # Whole numbers: half the memory and a third of the time of floats.
    wide = pictures.astype(np.uint16)
    grey = wide if wide.ndim == 3 else (77 * wide[..., 0] + 150 * wide[..., 1] + 29 * wide[..., 2]) >> 8
    step = grey.shape[1] // SIDE
    rows = grey[:, ::step].copy()
    for k in range(1, step):
        rows += grey[:, k::step]
    cells = rows[:, :, ::step].copy()
    for k in range(1, step):
        cells += rows[:, :, k::step]
    means: NDArray[np.float32] = cells.reshape(len(grey), -1).astype(np.float32) / (step * step)
    return means


def leading_directions(
    vectors: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Of [n, d] vectors, by a sample: mean [d], variances [k] along their principal directions, and these, [d, k]."""
    some = vectors[rng.choice(len(vectors), min(len(vectors), 2_000), replace=False)]
    mean = some.mean(axis=0)
    values, basis = np.linalg.eigh(np.cov(some - mean, rowvar=False).astype(np.float64))
    top = np.argsort(values)[::-1][:_DIMENSIONS]
    top = top[values[top] > 1e-6 * max(float(values.max()), 1e-30)]
    return mean, values[top], basis[:, top]


def _candidates(
    vectors: NDArray[np.float32], threads: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Pairs whose hashes are close: neighbours in one of some sorted orders."""
    rng = np.random.default_rng(0)
    n = len(vectors)
    mean, values, top = leading_directions(vectors, rng)
    if len(values) == 0:
        none = np.zeros(0, np.int64)
        return none, none, none.astype(np.bool_)
    white = top / np.sqrt(values)
    plane = (white @ rng.normal(size=(len(values), _BITS))).astype(np.float32)
    middle = mean @ plane
    bits = np.concatenate([vectors @ plane > middle, vectors @ _mirrored(plane.T).T > middle])
    packed = np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint64).ravel()

    def neighbours(order: NDArray[np.int64]) -> NDArray[np.int64]:
        found = []
        key = np.ascontiguousarray(np.packbits(bits[:, order], axis=1)).view(">u8").ravel().astype(np.uint64)
        sort = np.argsort(key, kind="stable")
        ranked = packed[sort]
        for step in range(1, _WINDOW + 1):
            close = np.flatnonzero(ones(ranked[step:] ^ ranked[:-step]) <= _FAR_BITS)
            a, b = sort[close], sort[close + step]
            # Two mirrored pictures are the pair of the plain ones once more.
            mixed = ~((a >= n) & (b >= n))
            low, high = np.minimum(a, b)[mixed], np.maximum(a, b)[mixed]
            found.append(low * (2 * n) + high)
        return np.concatenate(found)

    tables = _side_by_side(neighbours, [rng.permutation(_BITS) for _ in range(_TABLES)], threads)
    pairs = np.unique(np.concatenate(tables))
    first, second = pairs // (2 * n), pairs % (2 * n)
    flip = second >= n
    second = np.where(flip, second - n, second)
    # A mirrored pair is found from both of its sides.
    low, high = np.minimum(first, second), np.maximum(first, second)
    _, once = np.unique((low * n + high) * 2 + flip, return_index=True)
    return low[once], high[once], flip[once]


def _mirrored(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    n = len(vectors)
    return np.ascontiguousarray(vectors.reshape(n, SIDE, SIDE)[:, :, ::-1]).reshape(n, SIDE * SIDE)


def _turned(vectors: NDArray[np.float32], flip: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The vectors, in place, with some of them mirrored."""
    vectors[flip] = _mirrored(vectors[flip])
    return vectors


def _distances(
    vectors: NDArray[np.float32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    flip: NDArray[np.bool_],
    threads: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance of each pair as it is, and after the small shift and zoom of the first that fit the second best."""
    plain = np.zeros(len(first), np.float32)

    def measure(start: int) -> None:
        part = slice(start, start + 2_048)
        other = _turned(vectors[second[part]], flip[part])
        other -= vectors[first[part]]
        plain[part] = np.sqrt(np.einsum("ij,ij->i", other, other))

    _side_by_side(measure, range(0, len(first), 2_048), threads)
    aligned = plain.copy()
    # Where nothing was cropped there is nothing to align.
    unclear = np.flatnonzero((plain > 0.05) & (plain <= FARTHEST))
    unclear = unclear[np.argsort(plain[unclear], kind="stable")[:_MOST_PAIRS]]
    for start in range(0, len(unclear), 1_024):
        part_rows = unclear[start : start + 1_024]
        target = _turned(vectors[second[part_rows]], flip[part_rows])
        # What three more free numbers gain on unrelated pictures is taken back.
        aligned[part_rows] = np.minimum(plain[part_rows], 1.15 * _aligned(vectors[first[part_rows]], target))
    return plain, aligned


def _aligned(source: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float32]:
    """One Gauss-Newton step over shift and zoom (Lucas and Kanade 1981), exact enough up to a cell of 16."""
    n = len(source)
    cells = source.reshape(n, SIDE, SIDE)
    down, right = np.gradient(cells, axis=1), np.gradient(cells, axis=2)
    centred = ((np.arange(SIDE) - (SIDE - 1) / 2) * 2 / SIDE).astype(np.float32)
    zoom = right * centred + down * centred[:, None]
    base = np.stack([cells, right, down, zoom], axis=1).reshape(n, 4, -1)
    base -= base.mean(axis=2, keepdims=True)
    gram = base @ base.transpose(0, 2, 1)
    ridge = 1e-5 * np.eye(4, dtype=np.float32)
    weights = np.linalg.solve(gram + ridge, base @ target[:, :, None])
    fit = (weights.transpose(0, 2, 1) @ base)[:, 0]
    length = np.sqrt(np.einsum("ij,ij->i", fit, fit))
    likeness = np.einsum("ij,ij->i", fit, target) / np.maximum(length, 1e-9)
    distance: NDArray[np.float32] = np.sqrt(np.maximum(2 - 2 * likeness, 0)).astype(np.float32)
    return distance


def _surprising(
    vectors: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64], distance: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Which pairs are nearer than unrelated pictures of this set come to each other."""
    rng = np.random.default_rng(1)
    n = len(vectors)
    reference = rng.choice(n, min(n, _REFERENCES), replace=False)
    ends, where = np.unique(np.concatenate([first, second]), return_inverse=True)
    scale, dimension = _surroundings(vectors, reference, ends)
    a, b = where[: len(first)], where[len(first) :]
    # The copies that are looked for may stand in the reference too; the tenth neighbour is beyond them.
    density = _NEIGHBOUR * n / len(reference)
    near = distance / np.maximum(np.minimum(scale[a], scale[b]), 1e-9)
    power = (dimension[a] + dimension[b]) / 2
    return np.asarray(n / 2 * density * near**power < EXPECTED)


def _surroundings(
    vectors: NDArray[np.float32], reference: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance to the tenth neighbour within the reference, and the local dimension, of some pictures."""
    scale, inverse = np.zeros(len(ends)), np.zeros(len(ends))
    # In m dimensions the logarithm of tenth to j-th distance is 1/m times this on average (Renyi's spacings). The first
    # two neighbours may be the copies that are looked for.
    spacing = np.array([sum(1 / step for step in range(j, _NEIGHBOUR)) for j in range(3, _NEIGHBOUR)])
    for start in range(0, len(ends), 1_024):
        part = ends[start : start + 1_024]
        squared = np.maximum(2 - 2 * (vectors[part] @ vectors[reference].T), 1e-12)
        squared[part[:, None] == reference] = 4.0
        nearest = np.sqrt(np.sort(np.partition(squared, _NEIGHBOUR - 1, axis=1)[:, :_NEIGHBOUR], axis=1))
        ratios = np.log(nearest[:, -1:] / nearest[:, 2:-1])
        scale[start : start + 1_024] = nearest[:, -1]
        inverse[start : start + 1_024] = ratios.sum(axis=1) / spacing.sum()
    # Seven ratios are few: half of the weight lies on what the set shows elsewhere.
    return scale, 1 / np.clip((inverse + np.median(inverse)) / 2, 1 / _MOST_DIMENSIONS, 1 / _LEAST_DIMENSIONS)


def _continuum(distance: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pairs that are only the near end of a continuum, such as windows that overlap more or less.

    Windows cut at random from one picture differ in place, in two dimensions: of all pairs up to three times as far, a
    ninth would be as near. Copies stand out from that, at their own distance or together with nearly as near ones. Where
    the pairs beyond grow in number faster than in two dimensions, fewer of them are expected to be near.
    """
    order = np.argsort(distance, kind="stable")
    ranked = np.maximum(distance[order].astype(np.float64), 1e-6)
    within = np.arange(1, len(order) + 1)
    outer = np.minimum(3 * ranked, ranked[-1])
    half = np.log(outer / ranked) / 2
    near, far = (np.searchsorted(ranked, ranked * np.exp(k * half), side="right") - within for k in (1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        # The inner half counted high, the outer half low.
        power = np.log((far - near - np.sqrt(far)) / (near + np.sqrt(near) + 1)) / half
    # Rough pictures part with the root of the shift, which looks like four dimensions from afar and is two near by.
    power = np.where(np.nan_to_num(power, nan=2.0, neginf=2.0, posinf=2.0) > 5, power, 2.0)
    chance = far / np.maximum(np.exp(np.minimum(2 * half * power, 50.0)) - 1, 1e-9)
    # Only the shell out to a pair's own distance is compared: nearer copies must not carry farther pairs with them.
    shell = within - np.searchsorted(ranked, ranked / 2, side="left")
    chance *= 1 - 0.5**power
    apart = (shell >= chance + 3 * np.sqrt(chance)) & (half > 0.2)
    last = np.flatnonzero(apart)
    out = np.ones(len(order), np.bool_)
    out[order[: last[-1] + 1 if len(last) else 0]] = False
    # Where nothing lies beyond the near pairs there is no continuum.
    return out & bool(ranked[-1] > 0.55)


def ones(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Number of bits that are set."""
    two, four, byte = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
    bits = bits - ((bits >> np.uint64(1)) & two)
    bits = (bits & four) + ((bits >> np.uint64(2)) & four)
    bits = (bits + (bits >> np.uint64(4))) & byte
    return (bits * np.uint64(0x0101010101010101)) >> np.uint64(56)
