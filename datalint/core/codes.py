"""Values as whole numbers, in memory that does not grow with the longest text.

An array of NumPy's own texts (``astype(str)``, ``np.unique`` of strings) takes the longest text times the rows: of one note
of 30,000 characters among 30,000 rows it takes gigabytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def codes_of(texts: NDArray[np.object_]) -> tuple[NDArray[np.int64], list[str]]:
    """Texts as codes into the sorted distinct ones; -1 where missing or empty."""
    codes, distinct = factorized(texts)
    words = [str(value) for value in distinct]
    order = [k for k in sorted(range(len(words)), key=words.__getitem__) if words[k]]
    ranks = np.full(len(words) + 1, -1, np.int64)
    ranks[order] = np.arange(len(order))
    return ranks[codes], [words[k] for k in order]


def factorized(values: NDArray[np.object_]) -> tuple[NDArray[np.int64], list[object]]:
    """Codes by first appearance, -1 where missing, and the distinct values; pandas takes longer to load than this takes."""
    at: dict[object, int] = {}
    cells = values.tolist()
    codes = (-1 if cell is None or cell != cell else at.setdefault(cell, len(at)) for cell in cells)  # noqa: PLR0124
    return np.fromiter(codes, np.int64, len(cells)), list(at)
