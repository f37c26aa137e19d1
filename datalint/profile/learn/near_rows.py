"""Near-identical rows of tables: equal after rounding, or in all but a few columns; and near-identical texts."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.core import hashing
from datalint.core.statistics import log_choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST_COLUMNS = 6
"""Fewer varied columns cannot distinguish similar from equal."""
ROUNDING = 0.005
"""Difference, in robust standard deviations, up to which two numbers are the same but for rounding."""
MOST_CHANGED = 0.1
"""Share of columns that may differ freely, and no more than :data:`FEW` of them."""
FEW = 4
SKEWED = 10.0
"""Ratio of the quartiles of positive numbers from which they are compared by ratio: half of them lie close to zero."""
LEAST_BESIDE = 3
"""Varied columns in addition to a text from which they must agree as well: the text alone is not the sample then."""
SAME_WORDS = 0.9
"""Share of the words of two short texts that are the same where one is the other but for a slip."""
_TRIED = 100
"""Rows that are compared with all others to see whether near ones are set apart from the rest."""
_MOST_COLUMNS = 400
_MOST_PAIRS = 100_000
"""Candidates of one group of columns; a group that pairs more rows says nothing about them."""
_MOST_NEAR = 50_000
"""Pairs that are kept, nearest first."""
_HASHED = 6
"""Columns of a group that are hashed: with more of them rounding would tear near rows apart."""
_WIDE = 3.0
"""Cells of the hash in units of rounding."""
_SHINGLE = 9
_KEEP = 8
_HASHES = 48
_BANDS = 12
_LEAST_SHINGLES = 40
_ALIKE = 0.75
_MOST_BYTES = 2_000
_AT_ONCE = 512
"""Texts hashed at once: their shingles take some 50 times the bytes of the texts."""


@dataclass(frozen=True)
class RowPairs:
    """Pairs of near-identical rows, nearest first."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    changed: NDArray[np.int64]
    """Columns in which they differ by more than rounding."""
    columns: int
    """Columns compared."""

    @classmethod
    def none(cls, columns: int = 0) -> RowPairs:
        """No pairs."""
        empty = np.zeros(0, np.int64)
        return cls(empty, empty, empty, columns)


def near_rows(
    numbers: NDArray[np.float64], codes: Sequence[NDArray[np.int64]], contents: NDArray[np.uint64]
) -> RowPairs:
    """Pairs of rows that are equal but for rounding and a few columns.

    The columns are dealt into groups, the most varied first, and rows that agree in a whole group are candidates; with
    fewer changed columns than groups some group is intact. Whether agreement means anything depends on the table: rows of
    few categories coincide all the time. Chance makes rows that differ in a few more columns far more common than rows
    that differ in few, because each further agreement is a coincidence more; so near-identical rows count only if they
    outnumber those, and if the frequencies of the single values make hardly one such pair likely in the whole table.

    Args:
        numbers: [n, p] numeric features, NaN where missing.
        codes: text features as indices into their values, -1 where missing.
        contents: [n] hash of each row; rows of equal hash are copies and never a pair.
    """
    cells, number = _cells(numbers, codes)
    n, p = cells.shape
    if p < LEAST_COLUMNS or n < 20:
        return RowPairs.none(p)
    allowed = _allowed(p)
    logs = _coincidence(cells)
    order = np.argsort(logs, kind="stable")
    groups = min(p // 2, 2 * allowed + 2)
    found = []
    for k in range(groups):
        columns = order[k::groups][:_HASHED]
        for shift in (0.0, 0.5):
            pairs = _equal_pairs(_group_hash(cells[:, columns], number[columns], shift))
            if pairs is not None:
                found.append(pairs)
    if not found:
        return RowPairs.none(p)
    both = np.unique(np.concatenate(found))
    first, second = both // n, both % n
    apart = contents[first] != contents[second]
    first, second = first[apart], second[apart]
    changed, agreed = _compare(cells, number, logs, first, second, 3 * allowed + 1)
    # Of each pair of rows: how many pairs chance gives that agree in as improbable values, were columns independent.
    expected = np.log(n * n / 2) + agreed + log_choose(p, allowed)
    near = (changed <= allowed) & (expected < math.log(1e-3))
    beyond = int(((changed > allowed) & (changed <= 3 * allowed)).sum())
    count = int(near.sum())
    if count == 0 or beyond > count or _continuum(cells, number, logs, first[near], allowed):
        return RowPairs.none(p)
    rows = np.flatnonzero(near)
    rows = rows[np.lexsort((second[rows], first[rows], changed[rows]))]
    rows = rows[:_MOST_NEAR]
    return RowPairs(first[rows], second[rows], changed[rows], p)


def agreeing(
    numbers: NDArray[np.float64],
    codes: Sequence[NDArray[np.int64]],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """[pairs] Whether rows with similar texts are similar in their other columns, where these are :data:`LEAST_BESIDE` or more."""
    cells, number = _cells(numbers, codes)
    p = cells.shape[1]
    if p < LEAST_BESIDE:
        return np.ones(len(first), np.bool_)
    changed, _ = _compare(cells, number, np.zeros(p), first, second, _allowed(p))
    return changed <= _allowed(p)


def _allowed(columns: int) -> int:
    """Columns in which near-identical rows may differ freely."""
    return min(FEW, max(1, int(MOST_CHANGED * columns)))


def _continuum(
    cells: NDArray[np.float64],
    number: NDArray[np.bool_],
    logs: NDArray[np.float64],
    rows: NDArray[np.int64],
    allowed: int,
) -> bool:
    """Whether rows have more others within three roundings than within one.

    Copies lie close together and far from the rest. Curves that differ by a factor are near to whichever is next in size.
    """
    tried = np.unique(rows)
    tried = tried[np.linspace(0, len(tried) - 1, min(len(tried), _TRIED)).astype(np.int64)]
    every = np.arange(len(cells))
    counts = {1.0: 0, 3.0: 0}
    for row in tried:
        for roundings in counts:
            changed, _ = _compare(cells, number, logs, np.full(len(cells), row), every, allowed, roundings)
            counts[roundings] += int((changed <= allowed).sum()) - 1  # but itself
    return counts[3.0] > 2 * counts[1.0]


def _cells(
    numbers: NDArray[np.float64], codes: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Varied columns in units of rounding (numbers) or as codes, and which of them are numbers."""
    n = len(numbers)
    kept = numbers[:, :_MOST_COLUMNS]
    cells = np.empty((n, kept.shape[1] + len(codes)), order="F")
    number = np.zeros(cells.shape[1], np.bool_)
    count = 0
    sample = np.linspace(0, n - 1, min(n, 2_000)).astype(np.int64)
    for j in range(kept.shape[1]):
        # Squares and differences of what is beyond would overflow.
        column = np.clip(kept[:, j], -1e150, 1e150)
        some = column[sample]
        some = some[np.isfinite(some)]
        if len(some) == 0:
            continue
        low, high, least, most = np.quantile(some, [0.25, 0.75, 0.0, 1.0])
        if least > 0 and high > SKEWED * low:
            with np.errstate(invalid="ignore", divide="ignore"):
                column = np.log(column)
            low, high, least, most = np.log([low, high, least, most])
        # A column that is mostly one value has no spread between its quartiles.
        spread = (high - low) / 1.349 if high > low else (most - least) / 10
        if not 0 < spread < 1e300:
            continue
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            scaled = column / (2 * ROUNDING * spread)
        cells[:, count] = np.where(np.isfinite(scaled), np.clip(scaled, -1e15, 1e15), -1e16)
        number[count] = True
        count += 1
    for column_codes in codes:
        if len(column_codes) and (column_codes != column_codes[0]).any():
            cells[:, count] = column_codes
            count += 1
    return cells[:, :count], number[:count]


def _coincidence(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per column the logarithm of the chance that two rows agree."""
    n = len(cells)
    rows = cells[np.linspace(0, n - 1, min(n, 4_000)).astype(np.int64)]
    m = len(rows)
    out = np.zeros(cells.shape[1])
    for j in range(cells.shape[1]):
        ranked = np.sort(np.rint(rows[:, j]))
        counts = np.diff(np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])))
        # Agreeing within rounding is up to twice as likely as falling into one cell.
        out[j] = math.log(min(1.0, 2 * (float((counts * (counts - 1.0)).sum()) + 1) / (m * max(m - 1, 1))))
    return out


def _group_hash(cells: NDArray[np.float64], number: NDArray[np.bool_], shift: float) -> NDArray[np.uint64]:
    """Rows that agree within rounding mostly fall into the same wide cells, of one grid or of the shifted one."""
    total = np.zeros(len(cells), np.uint64)
    for j in range(cells.shape[1]):
        column = np.rint(cells[:, j] / _WIDE + shift) if number[j] else cells[:, j]
        total += hashing.scramble(hashing.number_bits(column), 2 * j + 0x51ED270B)
    return hashing.mix(total)


def _equal_pairs(key: NDArray[np.uint64]) -> NDArray[np.int64] | None:
    """Pairs of equal keys as first * n + second; None where there are too many to mean anything."""
    n = len(key)
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    counts = np.diff(np.append(starts, n))
    if float((counts * (counts - 1.0) / 2).sum()) > _MOST_PAIRS:
        return None
    parts = []
    step = 1
    while True:
        equal = np.flatnonzero(ranked[step:] == ranked[:-step])
        if len(equal) == 0:
            break
        a, b = order[equal], order[equal + step]
        parts.append(np.minimum(a, b) * n + np.maximum(a, b))
        step += 1
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _compare(
    cells: NDArray[np.float64],
    number: NDArray[np.bool_],
    logs: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    most: int,
    roundings: float = 1.0,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Number of columns that differ by more than so many roundings, and the logarithm of the chance of those that agree.

    Of pairs that differ in more than ``most`` columns the rest is not looked at.
    """
    changed = np.zeros(len(first), np.int64)
    agreed = np.zeros(len(first))
    alive = np.arange(len(first))
    for j in np.argsort(logs, kind="stable"):
        column = cells[:, j]
        gap = np.abs(column[first[alive]] - column[second[alive]])
        differs = gap > (roundings if number[j] else 0.0)
        changed[alive] += differs
        agreed[alive] += np.where(differs, 0.0, logs[j])
        if (changed[alive] > most).any():
            alive = alive[changed[alive] <= most]
    return changed, agreed


def _minima(texts: Sequence[str | None]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Which of the texts are long enough, and the minima [long texts, hashes] of their shingles."""
    # What lies beyond is cut off twice: a character takes at least a byte, and case folding can make it longer.
    data = [(text or "")[:_MOST_BYTES].casefold().encode("utf-8", "replace")[:_MOST_BYTES] for text in texts]
    joined = np.frombuffer((b"\0" * _SHINGLE).join(data) + b"\0" * _SHINGLE, np.uint8).astype(np.uint64)
    ends = np.cumsum([len(d) + _SHINGLE for d in data])
    rolling = np.zeros(len(joined) - _SHINGLE + 1, np.uint64)
    for k in range(_SHINGLE):
        rolling = rolling * np.uint64(0x100000001B3) + joined[k : k + len(rolling)]
    owner = np.repeat(np.arange(len(data)), np.diff(np.concatenate([[0], ends])))[: len(rolling)]
    whole = np.arange(len(rolling)) + 2 * _SHINGLE <= ends[owner]
    hashes = hashing.mix(rolling)
    kept = whole & (hashes % np.uint64(_KEEP) == 0)
    hashes, owner = hashes[kept], owner[kept]
    enough = np.bincount(owner, minlength=len(data)) >= max(2, _LEAST_SHINGLES // _KEEP)
    long = np.flatnonzero(enough)
    if len(long) == 0:
        return long, np.zeros((0, _HASHES), np.uint64)
    hashes, owner = hashes[enough[owner]], owner[enough[owner]]
    starts = np.searchsorted(owner, long)
    found = [np.minimum.reduceat(hashing.scramble(hashes, 2 * k + 0x9E3779B9), starts) for k in range(_HASHES)]
    return long, np.stack(found, axis=1)


def told_apart(first: str, second: str) -> bool:
    """Whether two texts differ in more than a few words once the lines that both have are left out.

    Questions about one passage share most of their wording, and still ask for something else.
    """
    lines = [[line.casefold().strip() for line in text.splitlines()] for text in (first, second)]
    both = {*lines[0]} & {*lines[1]}
    words = [Counter(word for line in own if line not in both for word in line.split()) for own in lines]
    total = words[0].total() + words[1].total()
    common = (words[0] & words[1]).total()
    return bool(words[0]) and bool(words[1]) and 2 * common < SAME_WORDS * total


def near_texts(texts: Sequence[str | None], contents: NDArray[np.uint64]) -> tuple[RowPairs, NDArray[np.float64]]:
    """Pairs of long texts that share most of their wording, and the share of shingles that they have in common.

    Shingles of nine bytes, of which one in eight is kept; 48 minima of hashes per text estimate how much two texts share
    (Broder 1997), bands of four find candidates. Texts on one template are similar without being duplicates: if many pairs
    share half, those that share more are no news.
    """
    none = RowPairs.none(1), np.zeros(0)
    blocks = [_minima(texts[start : start + _AT_ONCE]) for start in range(0, len(texts), _AT_ONCE)]
    if sum(len(block) for block, _ in blocks) < 2:
        return none
    long = np.concatenate([block + k * _AT_ONCE for k, (block, _) in enumerate(blocks)])
    minima = np.concatenate([minima for _, minima in blocks])
    found = []
    rows = _HASHES // _BANDS
    for band in range(_BANDS):
        key = np.zeros(len(long), np.uint64)
        for k in range(rows):
            key += hashing.scramble(minima[:, band * rows + k], 2 * k + 1)
        pairs = _equal_pairs(key)
        if pairs is not None:
            found.append(pairs)
    if not found:
        return none
    both = np.unique(np.concatenate(found))
    first, second = both // len(long), both % len(long)
    share = np.empty(len(first))
    for start in range(0, len(first), 16_384):
        part = slice(start, start + 16_384)
        share[part] = (minima[first[part]] == minima[second[part]]).mean(axis=1)
    first, second = long[first], long[second]
    apart = contents[first] != contents[second]
    first, second, share = first[apart], second[apart], share[apart]
    near = share >= _ALIKE
    if near.sum() == 0 or ((share >= 0.4) & ~near).sum() > near.sum():
        return none
    order = np.flatnonzero(near)
    order = order[np.lexsort((second[order], first[order], -share[order]))]
    return RowPairs(first[order], second[order], np.zeros(len(order), np.int64), 1), share[order]
