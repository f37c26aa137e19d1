"""Counted things as rates with their uncertainty."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WANTED = 0.95
"""Share of planted faults that a rule is to find."""

Z = 1.959964
"""Of a two-sided interval of 95 %."""


def interval(count: int, trials: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson 1927)."""
    if trials == 0:
        return 0.0, 1.0
    p = count / trials
    middle, scale = p + Z * Z / (2 * trials), 1 + Z * Z / trials
    spread = Z * math.sqrt(p * (1 - p) / trials + Z * Z / (4 * trials * trials))
    return (middle - spread) / scale if count else 0.0, (middle + spread) / scale if count < trials else 1.0


def share(count: int, trials: int) -> dict[str, Any]:
    """A rate with its interval."""
    low, high = interval(count, trials)
    rate = round(count / trials, 4) if trials else None
    return {"planted": trials, "found": count, "rate": rate, "low": round(low, 4), "high": round(high, 4)}


def per_thousand(count: int, scans: int) -> dict[str, Any]:
    """A rate of false alarms with its interval, per 1,000 scans."""
    low, high = interval(count, scans)
    return {
        "clean_scans": scans,
        "false_alarms": count,
        "false_alarms_per_1000": round(1000 * count / scans, 2) if scans else None,
        "false_alarms_per_1000_interval": [round(1000 * low, 2), round(1000 * high, 2)],
    }


def smallest(found: Mapping[float, tuple[int, int]], wanted: float = WANTED) -> float | None:
    """The strength from which a fault is found often enough, at it and at every larger one.

    Args:
        found: by strength, how many were found of how many.
        wanted: the share to be found.
    """
    least = None
    for strength in sorted(found, reverse=True):
        hits, trials = found[strength]
        if not trials:
            continue
        if hits / trials < wanted:
            break
        least = strength
    return least


def mean(values: Sequence[float | None], digits: int = 4) -> float | None:
    """Of the known ones."""
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), digits) if known else None
