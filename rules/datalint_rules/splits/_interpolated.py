"""Rows of one split that lie exactly on the line between two rows of another: oversampling (SMOTE) made them before the split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datalint_rules.splits._scaling_rows import spread_out, written_digits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_PARENTS = 4_000
"""Rows of train that are looked at."""
MOST_JUDGED = 300
"""Rows of another split."""
_LEAST = 3  # independent columns: in a plane three rows in a line are no wonder
_CHANCE = 1e-6  # of one row between two others
_RANK = 2_000  # rows that show how many columns are independent


def between(
    train: Floats, other: Floats, class_of_train: NDArray[np.integer], class_of_other: NDArray[np.integer]
) -> NDArray[np.int64]:
    """The rows of ``other`` [rows, columns] between two rows of train of their class.

    Returns:
        [rows found, 3]: the row of ``other``, and the two rows of train.
    """
    found: list[tuple[int, int, int]] = []
    columns, grain = _columns(np.concatenate([train, other]))
    if not len(columns):
        return np.zeros((0, 3), np.int64)
    scale = train[:, columns].std(axis=0)
    kept = spread_out(np.arange(len(train)), MOST_PARENTS)
    parents, wanted = train[np.ix_(kept, columns)] / scale, other[:, columns] / scale
    # How far rounding moves a row from the line.
    reach = float(np.sqrt(((grain / scale) ** 2).sum())) + 1e-9 * float(np.abs(wanted).max(initial=1.0))
    independent = _rank(parents)
    chance = len(kept) ** 2 * (20 * reach) ** (independent - 1)
    if independent < _LEAST or chance > _CHANCE:
        return np.zeros((0, 3), np.int64)
    ray = np.random.default_rng(0).normal(size=len(columns))
    ray /= np.linalg.norm(ray)
    by_class = {int(name): np.flatnonzero(class_of_train[kept] == name) for name in np.unique(class_of_other)}
    for row in spread_out(np.arange(len(wanted)), MOST_JUDGED):
        own = by_class[int(class_of_other[row])]
        pair = _pair(wanted[row], parents[own], ray, reach) if len(own) > 1 else None
        if pair is not None:
            found.append((int(row), int(kept[own[pair[0]]]), int(kept[own[pair[1]]])))
    return np.array(found, np.int64).reshape(-1, 3)


def _pair(row: Floats, parents: Floats, ray: Floats, reach: float) -> tuple[int, int] | None:
    """Two parents in opposite directions of the row."""
    away = parents - row
    distance = np.linalg.norm(away, axis=1)
    far = np.flatnonzero(distance > 1_000 * reach)
    if len(far) < 2:
        return None
    direction = away[far] / distance[far, None]
    off = 2 * reach / distance[far]
    seen = direction @ ray
    order = np.argsort(seen)
    # Opposite directions are opposite along any ray; of those next to each other there, few are opposite at all.
    start = np.searchsorted(seen[order], -seen - off - off.max())
    end = np.searchsorted(seen[order], -seen + off + off.max(), side="right")
    first = np.repeat(np.arange(len(far)), end - start)
    if not len(first) or len(first) > 100 * len(far):
        return None
    steps = np.arange(len(first)) - np.repeat(np.cumsum(end - start) - (end - start), end - start)
    second = order[start[first] + steps]
    apart = np.linalg.norm(direction[first] + direction[second], axis=1)
    hits = np.flatnonzero(apart <= off[first] + off[second])
    return (int(far[first[hits[0]]]), int(far[second[hits[0]]])) if len(hits) else None


def _columns(rows: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Columns of measurements, which hardly ever repeat, and the step that each is written with."""
    kept, grain = [], []
    for j in range(rows.shape[1]):
        values = rows[:, j]
        if np.isnan(values).any() or 3 * len(np.unique(values)) < len(values) or (values == np.rint(values)).all():
            continue
        kept.append(j)
        grain.append(written_digits(values))
    return np.array(kept, np.intp), np.array(grain, np.float64)


def _rank(rows: Floats) -> int:
    """How many of the columns are no linear function of the others."""
    some = rows[spread_out(np.arange(len(rows)), _RANK)]
    values = np.linalg.svd(some - some.mean(axis=0), compute_uv=False)
    return int((values > 1e-5 * values[0]).sum())
