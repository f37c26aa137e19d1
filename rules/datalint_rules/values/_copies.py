"""Columns that say the same as another one."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import midranks
from datalint_rules.values._tables import Pool, text_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.author import Profile

MAX_COLUMNS = 2_000
"""Beyond it only equal columns are looked for: pairs grow with the square."""

ROWS = 1_000
"""Rows on which all pairs are compared at first."""

MAX_TEXTS = 60
"""Text columns compared pair by pair."""

MAX_LEVELS = 200
"""Categories of a column that may be renamed."""

ALIKE = 0.95
"""Rank correlation of a rescaled copy at least; rounding of small values leaves more."""


@dataclass
class Copies:
    """What was found; groups and pairs in the order of the names."""

    rows: int
    complete: bool
    equal: list[list[str]] = field(default_factory=list)
    rare: list[list[str]] = field(default_factory=list)
    """Equal, but with few rows off the commonest value."""
    mapped: list[tuple[str, str, str]] = field(default_factory=list)
    """Kind, column, copy."""


def find(profile: Profile, pool: Pool, rows: int, correlation: float) -> Copies:
    """Compare all feature columns.

    Args:
        profile: the data set.
        pool: its sampled rows.
        rows: fewest rows off the commonest value for equality to be no accident.
        correlation: from which a column is a copy of another.
    """
    copies = Copies(pool.size, pool.complete)
    numeric = profile.feature_names
    textual = text_names(profile)
    groups: dict[bytes, list[str]] = {}
    constant: set[str] = set()
    for name in numeric:
        values = pool.numbers(name)
        if _is_constant(values):
            constant.add(name)
            continue
        # -0.0 is 0.0, and a gap is a gap.
        groups.setdefault(_digest(values + 0.0), []).append(name)
    codes: dict[str, NDArray[np.int64]] = {}
    for name in textual:
        found = _codes(pool.texts(name))
        if found is None:
            continue
        codes[name], key = found
        groups.setdefault(key, []).append(name)
    for group in groups.values():
        if len(group) < 2:
            continue
        first = codes[group[0]] if group[0] in codes else pool.numbers(group[0])
        (copies.equal if _off_commonest(first) >= rows else copies.rare).append(sorted(group))
    copies.equal.sort()
    copies.rare.sort()
    known = {name for group in (*copies.equal, *copies.rare) for name in group[1:]}
    distinct = [name for name in numeric if name not in constant and name not in known]
    copies.mapped = _maps(pool, distinct, correlation, rows)
    copies.mapped += _renamed(pool, [n for n in codes if n not in known][:MAX_TEXTS], codes, distinct, rows)
    return copies


def _digest(values: NDArray[np.float64]) -> bytes:
    return blake2b(np.where(np.isnan(values), np.nan, values).tobytes(), digest_size=16).digest()


def _is_constant(values: NDArray[np.float64]) -> bool:
    present = values[~np.isnan(values)]
    return len(present) == 0 or bool((present == present[0]).all())


def _codes(cells: NDArray[np.object_]) -> tuple[NDArray[np.int64], bytes] | None:
    """Codes of texts in order of appearance, -1 where missing, and a digest of the texts; None where constant."""
    at: dict[object, int] = {}
    codes = np.array([-1 if cell is None else at.setdefault(cell, len(at)) for cell in cells.tolist()], np.int64)
    if len(at) < 2:
        return None
    digest = blake2b(codes.tobytes(), digest_size=16)
    digest.update("\0".join(map(str, at)).encode("utf-8", "surrogatepass"))
    return codes, digest.digest()


def _off_commonest(values: NDArray[np.float64] | NDArray[np.int64]) -> int:
    _, counts = np.unique(values, return_counts=True)
    return int(len(values) - counts.max())


def _maps(pool: Pool, names: list[str], correlation: float, rows: int) -> list[tuple[str, str, str]]:
    """Rescaled and otherwise monotone copies among numeric columns that are not equal."""
    if not 2 <= len(names) <= MAX_COLUMNS:
        return []
    step = max(1, pool.size // ROWS)
    columns, ranks, kept = [], [], []
    for name in names:
        values = pool.numbers(name)[::step]
        finite = np.isfinite(values)
        if finite.sum() < max(10, 0.5 * len(values)):
            continue
        # A gap goes to the middle: copies have their gaps in the same rows.
        filled = np.where(finite, values, np.median(values[finite]))
        scaled = _standard(filled / max(float(np.abs(filled).max()), 1e-300))
        ranked = _standard(midranks(filled))
        if scaled is None or ranked is None:
            continue
        columns.append(scaled)
        ranks.append(ranked)
        kept.append(name)
    if len(kept) < 2:
        return []
    matrix = np.array(columns)
    linear = np.abs(matrix @ matrix.T) / matrix.shape[1]
    rank_matrix = np.array(ranks)
    ranked_pairs = np.abs(rank_matrix @ rank_matrix.T) / matrix.shape[1]
    found, second = [], set()
    close = np.argwhere(np.triu((linear >= correlation) | (ranked_pairs >= 1 - 1e-9), 1))
    for i, j in close.tolist():
        a, b = kept[i], kept[j]
        if a in second or b in second:
            continue
        kind = _relation(pool.numbers(a), pool.numbers(b), correlation, rows)
        if kind:
            found.append((kind, a, b))
            second.add(b)
    return found


def _relation(a: NDArray[np.float64], b: NDArray[np.float64], correlation: float, rows: int) -> str | None:
    """How the one follows from the other in all rows, if it does."""
    both = np.isfinite(a) & np.isfinite(b)
    # Gaps in other rows would be information.
    if both.sum() < max(10, 0.99 * max(np.isfinite(a).sum(), np.isfinite(b).sum())):
        return None
    a, b = a[both], b[both]
    if min(_off_commonest(a), _off_commonest(b)) < max(rows, 10):
        return None
    x = _standard(a / max(float(np.abs(a).max()), 1e-300))
    y = _standard(b / max(float(np.abs(b).max()), 1e-300))
    if x is None or y is None:
        return None
    order_x, order_y = _standard(midranks(a)), _standard(midranks(b))
    if order_x is None or order_y is None:
        return None
    # A few huge values make the correlation, not the order, of columns that are independent elsewhere.
    if abs(float(x @ y)) / len(x) >= correlation and abs(float(order_x @ order_y)) / len(x) >= ALIKE:
        return "scaled"
    levels = len(np.unique(a))
    # Columns of few levels agree in order too easily; few levels that correspond are a renaming.
    if levels < 20 or len(np.unique(b)) != levels:
        return None
    order = np.argsort(a, kind="stable")
    steps, rises = np.diff(a[order]), np.diff(b[order])
    same = bool(((steps > 0) == (rises > 0)).all() or ((steps > 0) == (rises < 0)).all())
    return "monotone" if same and bool(((steps == 0) == (rises == 0)).all()) else None


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    centred = values - values.mean()
    deviation = float(np.sqrt(np.square(centred).mean()))
    return centred / deviation if deviation > 1e-12 else None


def _numeric_levels(pool: Pool, names: list[str]) -> dict[str, NDArray[np.int64]]:
    """Columns of few whole numbers as codes, -1 where missing."""
    levels = {}
    for name in names:
        values = pool.numbers(name)
        present = values[np.isfinite(values)]
        if len(present) and bool((present == np.rint(present)).all()):
            distinct, inverse = np.unique(values, return_inverse=True)
            if 2 <= len(distinct) <= MAX_LEVELS:
                levels[name] = np.where(np.isnan(values), -1, inverse)
    return levels


def _renamed(
    pool: Pool, textual: list[str], codes: dict[str, NDArray[np.int64]], numeric: list[str], rows: int
) -> list[tuple[str, str, str]]:
    """Categories that correspond one to one, with each other or with a numeric code."""
    levels = {name: codes[name] for name in textual if 2 <= int(codes[name].max()) + 1 <= MAX_LEVELS}
    if not levels:
        return []
    levels |= _numeric_levels(pool, numeric[:MAX_TEXTS])
    found, second = [], set()
    names = sorted(levels)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if a in second or b in second or (a not in codes and b not in codes):
                continue
            x, y = levels[a], levels[b]
            if not ((x < 0) == (y < 0)).all():
                continue
            sizes = len(np.unique(x[x >= 0])), len(np.unique(y[y >= 0]))
            # Nearly unique values correspond to anything.
            if sizes[0] != sizes[1] or sizes[0] > 0.1 * len(x) or min(_off_commonest(x), _off_commonest(y)) < rows:
                continue
            pairs = len(np.unique(x * (MAX_LEVELS + 2) + y))
            if pairs == sizes[0] + bool((x < 0).any()):
                found.append(("renamed", a, b))
                second.add(b)
    return found
