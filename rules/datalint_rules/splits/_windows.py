"""Windows of one recording that overlap: the end of a row of one split is the beginning of a row of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from datalint.author import Profile, SplitProfile

SHORTEST = 32
"""Values of a row from which it may be a window."""

PARTS = 4
"""Windows are cut at steps of halves and quarters, or of what divides them: then some are half a window apart too."""

CHANNELS = 16
"""Channels at most that are stored one after the other; those that alternate shift as one."""

PROBES = 6
"""Values by which a shared part is looked for; candidates are compared in full."""

_ODD = np.uint64(0x9E3779B97F4A7C15)

VARIED = 8
"""Distinct values of a shared part: flat lines and bars repeat by themselves."""


@dataclass(frozen=True)
class Shared:
    """Rows of a later split that share a part with rows of an earlier one."""

    rows: NDArray[np.int64]
    """In the later split's sampled rows."""
    other: NDArray[np.int64]
    """One row of the earlier split for each."""
    part: float
    """How much of a window they share."""
    several: bool
    """Whether some share less."""
    border: bool
    """Whether they lie where the one split ends and the other begins, as in a series that is cut in two."""


def window_columns(profile: Profile) -> list[str]:
    """The columns of a table that holds nothing but numbers of one kind, in stored order; empty for other tables."""
    if profile.dataset.modality != "table" or profile.unseen_names or profile.dataset.conversation is not None:
        return []
    features = [field for field in profile.dataset.fields if field.role == "feature"]
    if len(features) < SHORTEST or any(field.kind != "number" for field in features):
        return []
    return [field.name for field in features]


def shared_parts(earlier: SplitProfile, later: SplitProfile, columns: list[str]) -> Shared | None:
    """Rows of a split that share a part with one of another, whatever the shift."""
    a, b = (_matrix(split, columns) for split in (earlier, later))
    parts: dict[float, dict[int, int]] = {}
    for channels, step in _cuts(len(columns)):
        found = _matches(a, b, channels, step)
        if found:
            parts.setdefault(1 - step / (len(columns) // channels), {}).update(found)
    if not parts:
        return None
    most = max(map(len, parts.values()))
    # What few rows share more of does not describe the others.
    part = max(part for part, found in parts.items() if 2 * len(found) >= most)
    everything = {row: other for _, found in sorted(parts.items()) for row, other in found.items()}
    rows = np.array(sorted(everything), np.int64)
    other = np.array([everything[row] for row in rows.tolist()], np.int64)
    return Shared(rows, other, part, len(parts) > 1, _at_border(earlier, later, rows, other))


def _matrix(split: SplitProfile, columns: list[str]) -> NDArray[np.float64]:
    at = split.rows.at
    if any(name not in at for name in columns):
        return np.zeros((0, len(columns)))
    return split.rows.numbers[:, [at[name] for name in columns]]


def _cuts(width: int) -> Iterator[tuple[int, int]]:
    """How many channels lie one after the other, and by how many values of each the windows are shifted."""
    for channels in range(1, CHANNELS + 1):
        length, rest = divmod(width, channels)
        if rest or length < SHORTEST // 2:
            continue
        yield from ((channels, length * k // PARTS) for k in (2, 1, 3) if length * k % PARTS == 0)


def _matches(a: NDArray[np.float64], b: NDArray[np.float64], channels: int, step: int) -> dict[int, int]:
    """Rows of the second matrix whose beginning is the end of one of the first, or the other way round, with that one."""
    length = a.shape[1] // channels
    places = np.arange(a.shape[1]).reshape(channels, length)
    head, tail = places[:, : length - step].ravel(), places[:, step:].ravel()
    found: dict[int, int] = {}
    for here, there in ((head, tail), (tail, head)):
        for row, other in zip(*_equal(b, here, a, there), strict=True):
            found.setdefault(int(row), int(other))
    return found


def _equal(
    b: NDArray[np.float64], here: NDArray[np.int64], a: NDArray[np.float64], there: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of two matrices whose values at some places are the same."""
    probes = np.linspace(0, len(here) - 1, PROBES + 2).astype(np.int64)[1:-1]
    mine, theirs = _keys(b[:, here[probes]]), _keys(a[:, there[probes]])
    if not len(theirs):
        return here[:0], there[:0]
    order = np.argsort(theirs, kind="stable")
    first = order[np.minimum(np.searchsorted(theirs, mine, sorter=order), len(theirs) - 1)]
    # A flat line is the same wherever it is cut.
    levels = 1 + (np.diff(np.sort(b[:, here[probes]], axis=1), axis=1) > 0).sum(1)
    rows = np.flatnonzero((theirs[first] == mine) & (levels > PROBES // 2))
    kept = [
        row
        for row in rows.tolist()
        if np.array_equal(b[row, here], a[first[row], there]) and len(np.unique(b[row, here])) >= VARIED
    ]
    chosen = np.array(kept, np.int64)
    return chosen, first[chosen]


def _keys(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """One number for each row of a few values."""
    bits = np.ascontiguousarray(values + 0.0).view(np.uint64)
    keys: NDArray[np.uint64] = (bits * (2 * np.arange(bits.shape[1], dtype=np.uint64) + _ODD)).sum(
        axis=1, dtype=np.uint64
    )
    return keys


def _at_border(earlier: SplitProfile, later: SplitProfile, rows: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Whether the rows lie at the beginning of the one split and at the end of the other, and nowhere else."""
    here = later.rows.places.row[rows]
    there = earlier.rows.places.row[other]
    room = 2 * len(rows) + 2
    begins = bool(here.max() < room and there.min() >= earlier.samples - room)
    ends = bool(there.max() < room and here.min() >= later.samples - room)
    return (begins or ends) and room < later.samples
