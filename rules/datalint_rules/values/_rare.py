"""Categories and codes with next to no samples among few large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datalint_rules.values._tables import Pool, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datalint.author import Profile

FEWEST = 200
"""Samples below which a rare value says nothing."""

MOST_VALUES = 12
SHARE = 0.002
"""Two in a thousand: most batches and small splits hold none."""

LARGE = 0.02


def rare_values(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Values with next to no rows in a column of few categories, the rarest first."""
    total = sum(counts.values())
    if len(counts) > MOST_VALUES or total < FEWEST:
        return []
    rare = sorted(((value, count) for value, count in counts.items() if count <= max(2, SHARE * total)), key=_rarest)
    rest = [count for count in counts.values() if count > max(2, SHARE * total)]
    # With one large category only, the column is nearly constant, which is VAL105's.
    if not rare or len(rare) > 3 or sum(count >= LARGE * total for count in rest) < 2:
        return []
    # Shares that fall off step by step have no odd one out.
    return rare if min(rest) >= 2 * rare[-1][1] else []


def _rarest(item: tuple[str, int]) -> tuple[int, str]:
    return item[1], item[0]


def rare_codes(profile: Profile) -> list[tuple[str, str, int, int]]:
    """Column, value, rows and all rows of rare codes among whole numbers."""
    pool = Pool.of(profile)
    found: list[tuple[str, str, int, int]] = []
    if pool.size < FEWEST:
        return found
    for name in profile.feature_names:
        values = pool.numbers(name)
        # Most columns show within a few values that they are no codes.
        head = values[:64]
        head = head[np.isfinite(head)]
        if (head != np.rint(head)).any() or len(np.unique(head)) > MOST_VALUES:
            continue
        present, counts = np.unique(values[np.isfinite(values)], return_counts=True)
        if len(present) > MOST_VALUES or (present != np.rint(present)).any():
            continue
        rare = dict(rare_values({plain(float(v)): int(c) for v, c in zip(present, counts, strict=True)}))
        common = [float(v) for v in present if plain(float(v)) not in rare]
        # The last one of a count (rooms, children) is rare by nature; a code next to the others is not.
        top = max(common, default=0.0)
        odd = [float(v) for v in present if plain(float(v)) in rare and not top < v <= top + len(rare)]
        grow = pool.samples / max(pool.size, 1)
        found += [(name, plain(v), round(rare[plain(v)] * grow), pool.samples) for v in odd]
    return found
