"""Passages of texts as hashes: runs of words in which case and marks do not count."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from datalint.core import hashing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WORDS = 13
"""Words of a passage (Brown et al. 2020): two texts share so many in one order by descent and not by chance."""

SIGNS = 50
"""The same of a script without spaces, in characters."""

AT_ONCE = 400_000
"""Characters hashed at once: what is made of each takes some 60 bytes."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_WORD_FACTOR = np.uint64(0xBF58476D1CE4E5B9)


@cache
def _kinds() -> NDArray[np.uint8]:
    """By character: 0 for marks and blanks, 1 for letters of words, 2 for signs that are words of their own."""
    kinds = np.ones(0x110000, np.uint8)
    for code in range(0x3000):
        kinds[code] = chr(code).isalnum() or 0x300 <= code < 0x370
    kinds[0x3000:0x3040] = kinds[0xFF00:0xFF10] = 0
    kinds[0x0E00:0x0F00] = kinds[0x3040:0xA000] = kinds[0xF900:0xFB00] = kinds[0x20000:0x32000] = 2
    return kinds


def passages(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The distinct passages of each text: which text each is of, in order, and its hash."""
    owners, hashes = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    start = size = 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= AT_ONCE or end == len(texts):
            owner, found = _passages(texts[start:end])
            owners.append(owner + start)
            hashes.append(found)
            start, size = end, 0
    return np.concatenate(owners), np.concatenate(hashes)


def _passages(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    folded = [text.lower() for text in texts]
    codes = np.frombuffer("\n".join([*folded, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _kinds()[codes]
    letters = kinds > 0
    before = np.concatenate([np.zeros(1, np.uint8), kinds[:-1]])
    starts = np.flatnonzero(letters & ((before != 1) | (kinds == 2)))
    if len(starts) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    # The hash of a word is a sum of its letters times powers; sums of runs are differences of sums from the start.
    powers = np.multiply.accumulate(np.full(len(codes), _FACTOR, np.uint64))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(np.where(letters, codes, 0) * powers, dtype=np.uint64)])
    ends = np.append(starts[1:], len(codes))
    back = np.multiply.accumulate(np.full(len(codes), _INVERSE, np.uint64))
    words = hashing.mix((sums[ends] - sums[starts]) * back[starts])
    text_ends = np.cumsum([len(text) + 1 for text in folded])
    owner = np.searchsorted(text_ends, starts, side="right")
    dense = np.bincount(owner, kinds[starts] == 2, minlength=len(texts)) * 2 > np.bincount(owner, minlength=len(texts))
    found = [_runs(words, owner, SIGNS, dense), _runs(words, owner, WORDS, ~dense)]
    owners, hashes = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((hashes, owners))
    owners, hashes = owners[order], hashes[order]
    new = np.ones(len(owners), np.bool_)
    new[1:] = (owners[1:] != owners[:-1]) | (hashes[1:] != hashes[:-1])
    return owners[new], hashes[new]


def _runs(
    words: NDArray[np.uint64], owner: NDArray[np.int64], size: int, wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Hashes of runs of so many words within the wanted texts."""
    kept = wanted[owner]
    words, owner = words[kept], owner[kept]
    count = len(words) - size + 1
    if count <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    total = np.zeros(count, np.uint64)
    for k in range(size):
        total = total * _WORD_FACTOR + words[k : k + count]
    within = owner[:count] == owner[size - 1 :]
    return owner[:count][within], hashing.mix(total[within])
