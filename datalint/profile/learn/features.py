"""Features of our own making for tables, pictures and given vectors: one float32 matrix, ready for distances and linear models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_COLUMNS = 1024
"""Widest table that keeps its own columns; wider ones are hashed down to this many (bounds memory and model cost)."""
ONE_HOT_LEVELS = 16
"""Categories with more levels than this are hashed: one column per level would outweigh the numbers."""
FREQUENT_GAPS = 0.02
"""Share of missing cells from which the gap itself becomes a feature."""
HEAVY_TAIL = 6.0
"""Robust deviations beyond which a column is compressed (a Gaussian passes it once in 5e8 values)."""
_CLIP = 8.0
_BLOCK = 1024
_IMAGE_DIMS = 96
_HOG_BINS = 8
_TEXT, _TEXTS = 5_000, 4_000_000
"""Characters of a text, and of all texts, that are looked at; of many texts the beginnings say what they are about."""
_PARTS = 2_000_000
"""Characters of all texts up to which pairs of words and parts of words count as well: more texts show what words mean."""
_TEXT_DIMS = 128


def encode_table(
    numbers: NDArray[np.float64], categories: Sequence[NDArray[np.integer]], levels: Sequence[int]
) -> NDArray[np.float32]:
    """Encode a table as one float matrix, each column of about unit spread.

    numbers: (n, p), NaN (or infinite) = missing. categories: one int array (n,) per column, -1 = missing.
    levels: number of levels of each category. Returns (n, d) with d <= about 2 * MAX_COLUMNS; d may be 0 when
    every column is constant. Raises ValueError when lengths disagree.
    """
    if len(categories) != len(levels):
        raise ValueError(f"{len(categories)} category columns but {len(levels)} level counts")
    n = numbers.shape[0]
    if any(len(codes) != n for codes in categories):
        raise ValueError("category columns and numbers differ in length")
    parts = [_encode_numbers(numbers)]
    one_hot_total = sum(count for count in levels if count <= ONE_HOT_LEVELS)
    for codes, count in zip(categories, levels, strict=True):
        buckets = ONE_HOT_LEVELS if one_hot_total <= MAX_COLUMNS else max(2, MAX_COLUMNS // len(levels))
        parts.append(_encode_category(np.asarray(codes), count, buckets))
    return np.concatenate(parts, axis=1, dtype=np.float32)


def encode_images(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Encode thumbnails (n, h, w) or (n, h, w, 3), 0..255, as (n, d) with d <= 96 principal components.

    Pixels give the layout, histograms of oriented gradients (Dalal and Triggs 2005; cells of a few pixels, eight
    unsigned directions) the shape, and colour histograms the palette. Needs no labels, so nothing leaks between folds.
    """
    n, h, w = pictures.shape[:3]
    cell = max(2, round(min(h, w) / 8))
    blocks = []
    for start in range(0, n, _BLOCK):
        chunk = pictures[start : start + _BLOCK].astype(np.float32) / 255.0
        grey = chunk if chunk.ndim == 3 else chunk @ np.array([0.299, 0.587, 0.114], np.float32)
        parts = [gradient_histograms(grey, cell), 0.5 * _pool(grey, max(1, min(h, w) // 16)).reshape(len(chunk), -1)]
        if chunk.ndim == 4:
            parts.append(_pool(chunk, max(1, min(h, w) // 4)).reshape(len(chunk), -1))
            parts.append(_colour_histogram(pictures[start : start + _BLOCK]))
        blocks.append(np.concatenate(parts, axis=1))
    return _principal(np.concatenate(blocks), _IMAGE_DIMS)


def encode_texts(texts: Sequence[str | None]) -> NDArray[np.float32]:
    """Encode sentences as (n, d) with d <= 128: what they are about, from hashed words and parts of words.

    Weighted by how rare each is (TF-IDF), then the strongest components (latent semantic analysis, Deerwester et al. 1990).
    Needs no labels and no vocabulary, so nothing leaks between folds; words that a few texts alone have do not count.
    """
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.utils.extmath import randomized_svd

    if len(texts) < 2:
        return np.zeros((len(texts), 0), np.float32)
    most = min(_TEXT, _TEXTS // max(1, len(texts)))
    cells = [(text or "")[:most] for text in texts]
    few = sum(map(len, cells)) <= _PARTS
    kinds = (("word", (1, 2)), ("char_wb", (3, 4))) if few else (("word", (1, 1)),)
    parts = []
    for analyzer, lengths in kinds:
        hashed = HashingVectorizer(
            n_features=1 << (18 if few else 15),
            analyzer=analyzer,
            ngram_range=lengths,
            alternate_sign=False,
            norm=None,
            dtype=np.float32,
        ).transform(cells)
        # What a single text has says nothing of another one.
        common = np.flatnonzero(np.bincount(hashed.indices, minlength=hashed.shape[1]) >= 2)
        if len(common):
            parts.append(TfidfTransformer(sublinear_tf=True).fit_transform(hashed[:, common]))
    if not parts:
        return np.zeros((len(cells), 0), np.float32)
    matrix = hstack(parts).tocsr()
    dims = min(_TEXT_DIMS, *(side - 1 for side in matrix.shape))
    if dims < 1:
        return np.zeros((len(cells), 0), np.float32)
    left, strength, _ = randomized_svd(matrix, dims, n_iter=4, random_state=0)
    components = np.asarray(left * strength, np.float32)
    components -= components.mean(axis=0)
    spread = np.sqrt((components**2).mean(axis=0).max(initial=0.0))
    return components / spread if spread > 0 else components[:, :0]


def encode_vectors(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Encode embeddings (n, d) that the user already has: centred, one common scale, at most 2 * 96 components."""
    return _principal(np.nan_to_num(np.asarray(vectors, np.float32), posinf=0.0, neginf=0.0), 2 * _IMAGE_DIMS)


def _encode_numbers(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    n, p = numbers.shape
    hashed = p > MAX_COLUMNS
    # Count sketch (Charikar et al. 2002): every column is added, with a random sign, to one of the kept columns;
    # distances survive in expectation and the work stays linear in the width.
    mixed = _mix(np.arange(1, p + 1, dtype=np.uint64))
    bucket = (mixed >> np.uint64(32)) % np.uint64(MAX_COLUMNS)
    sign = np.where((mixed >> np.uint64(63)).astype(bool), 1.0, -1.0).astype(np.float32)
    sketch = np.zeros((n, MAX_COLUMNS if hashed else 0), np.float32)
    kept = []
    for start in range(0, p, _BLOCK):
        columns, source = _standardise(numbers[:, start : start + _BLOCK])
        if hashed:
            for j, origin in enumerate(source + start):
                sketch[:, bucket[origin]] += sign[origin] * columns[:, j]
        else:
            kept.append(columns)
    if hashed:
        spread = sketch.std()
        return sketch / spread if spread > 0 else sketch[:, :0]
    return np.concatenate(kept, axis=1) if kept else np.zeros((n, 0), np.float32)


def _standardise(numbers: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Impute, compress heavy tails, standardise; columns without spread are dropped. Returns the columns and their origin."""
    missing = ~np.isfinite(numbers)
    # Squares must not overflow; what is beyond is an extreme anyway.
    filled = np.clip(np.where(missing, np.nan, numbers), -1e150, 1e150)
    empty = missing.all(axis=0)
    filled[:, empty] = 0.0
    low, middle, high = np.nanquantile(filled, [0.25, 0.5, 0.75], axis=0)
    filled = np.where(np.isnan(filled), middle, filled) - middle
    robust = (high - low) / 1.349
    # A column that is mostly one value (counts, pixels) has no spread between its quartiles.
    scale = np.where(robust > 0, robust, filled.std(axis=0))
    filled /= np.where(scale > 0, scale, 1.0)
    heavy = np.abs(filled).max(axis=0, initial=0.0) > HEAVY_TAIL
    filled[:, heavy] = np.arcsinh(filled[:, heavy])
    filled -= filled.mean(axis=0)
    spread = filled.std(axis=0)
    useful = np.flatnonzero(spread > 1e-9)
    columns = np.clip(filled[:, useful] / spread[useful], -_CLIP, _CLIP)
    share = missing.mean(axis=0)
    gaps = np.flatnonzero((share >= FREQUENT_GAPS) & (share <= 1 - FREQUENT_GAPS))
    both = np.concatenate([columns, missing[:, gaps]], axis=1, dtype=np.float32)
    return both, np.concatenate([useful, gaps])


def _encode_category(codes: NDArray[np.integer], levels: int, buckets: int) -> NDArray[np.float32]:
    """One column per level, or per hash bucket plus the level's frequency.

    Equal cells are at distance 0, different ones at squared distance 2: the mean of two random standardised numbers.
    """
    shifted = codes.astype(np.int64) + 1  # 0 = missing is a level of its own
    columns = []
    slot, width = shifted, levels + 1
    if width > buckets + 1:
        slot = (_mix(shifted.astype(np.uint64)) >> np.uint64(33)).astype(np.int64) % buckets
        width = buckets
        share = np.bincount(shifted, minlength=levels + 1)[shifted] / max(1, len(shifted))
        columns.append(_standardise(np.log(share)[:, None])[0])
    one_hot = np.zeros((len(codes), width), np.float32)
    one_hot[np.arange(len(codes)), slot] = 1.0
    mean = one_hot.mean(axis=0)
    columns.append(one_hot[:, (mean > 0) & (mean < 1)])
    return np.concatenate(columns, axis=1)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter integers over 64 bits (the finaliser of splitmix64).

    A plain multiple would spread them too evenly, and columns that move together would cancel.
    """
    mixed = values * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _pool(pictures: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Mean over size x size blocks; a remainder at the right and lower edge is left out."""
    if size == 1:
        return pictures
    h, w = pictures.shape[1] // size, pictures.shape[2] // size
    cut = pictures[:, : h * size, : w * size]
    pooled: NDArray[np.float32] = cut.reshape(len(cut), h, size, w, size, *cut.shape[3:]).mean(axis=(2, 4))
    return pooled


def gradient_histograms(grey: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    """Histograms of oriented gradients, normalised per cell of `cell` pixels.

    A gradient between two directions counts for both, so a small turn is a small change.
    """
    rows, columns = grey.shape[1] // cell, grey.shape[2] // cell
    inside = (slice(None), slice(rows * cell), slice(columns * cell))
    dy, dx = np.gradient(grey, axis=1)[inside], np.gradient(grey, axis=2)[inside]
    strength = np.sqrt(dx * dx + dy * dy)
    place = np.arctan2(dy, dx) * np.float32(_HOG_BINS / np.pi) + np.float32(_HOG_BINS)
    lower = place.astype(np.int32)
    second = strength * (place - lower)
    cells = np.arange(rows * cell)[:, None] // cell * columns + np.arange(columns * cell) // cell
    first_bin = (np.arange(len(grey))[:, None, None] * (rows * columns) + cells) * _HOG_BINS
    size = len(grey) * rows * columns * _HOG_BINS
    sums = np.bincount((first_bin + lower % _HOG_BINS).ravel(), (strength - second).ravel(), size)
    sums += np.bincount((first_bin + (lower + 1) % _HOG_BINS).ravel(), second.ravel(), size)
    stacked = (sums / cell**2).reshape(len(grey), rows, columns, _HOG_BINS).astype(np.float32)
    energy = np.sqrt((stacked**2).sum(axis=-1, keepdims=True))
    near = energy.copy()  # contrast of the neighbourhood: a faint stroke next to a strong one stays faint
    near[:, 1:] += energy[:, :-1]
    near[:, :-1] += energy[:, 1:]
    near[:, :, 1:] += energy[:, :, :-1]
    near[:, :, :-1] += energy[:, :, 1:]
    return np.asarray((stacked / (near + 0.02)).reshape(len(grey), -1), np.float32)


def _colour_histogram(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    index = (pictures[..., 0] >> 6).astype(np.int64) * 16 + (pictures[..., 1] >> 6) * 4 + (pictures[..., 2] >> 6)
    flat = index.reshape(len(pictures), -1) + 64 * np.arange(len(pictures))[:, None]
    counts = np.bincount(flat.ravel(), minlength=64 * len(pictures)).reshape(len(pictures), 64)
    return np.asarray(np.sqrt(counts / flat.shape[1]), np.float32)


def _principal(features: NDArray[np.float32], dims: int) -> NDArray[np.float32]:
    """Centre, keep the strongest components, and scale all by one number (their relative strength carries meaning)."""
    centred = features - features.mean(axis=0)
    if centred.shape[1] > dims:
        few = len(centred) < centred.shape[1]
        gram = centred @ centred.T if few else centred.T @ centred
        values, vectors = np.linalg.eigh(gram.astype(np.float64))
        top = np.argsort(values)[::-1][:dims]
        top = top[values[top] > 1e-9 * max(values[-1], 1e-30)]
        vectors = vectors[:, top]
        # Signs of eigenvectors are arbitrary and differ between libraries.
        vectors = vectors * np.where(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(top))] < 0, -1.0, 1.0)
        centred = (vectors * np.sqrt(values[top]) if few else centred @ vectors).astype(np.float32)
    spread = np.sqrt((centred**2).mean(axis=0).max(initial=0.0))
    return np.asarray(centred / spread if spread > 0 else centred[:, :0], np.float32)
