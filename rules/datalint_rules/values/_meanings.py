"""Values that cannot be by what their column is called: an age of -5, a latitude of 95, a house built in 2097."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datalint.author import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMITS: dict[str, tuple[float, float]] = {
    "age": (0, 130),
    "latitude": (-90, 90),
    "lat": (-90, 90),
    "longitude": (-180, 360),
    "lon": (-180, 360),
    "lng": (-180, 360),
    "month": (0, 12),
    "hour": (0, 24),
    "minute": (0, 60),
    "weekday": (0, 7),
    "ph": (0, 14),
    "percent": (0, 100),
    "percentage": (0, 100),
    "pct": (0, 100),
    "probability": (0, 1),
}
"""What a column of that last word can hold."""

_OF_PEOPLE = frozenset(
    ["patient", "person", "customer", "client", "user", "applicant", "driver", "owner", "mother", "father"]
)
_AS_SHARES = frozenset(["percent", "percentage", "pct"])
_CHANGES = frozenset(["change", "changes", "growth", "diff", "difference", "delta", "return", "increase", "gain"])

_YEARS: tuple[float, float] = (1000, 2030)
"""Years of what has happened. That the end comes nearer does no harm: what is taken for impossible lies apart from the others."""

_YEAR = frozenset(["year", "yr"])
_PAST = frozenset(
    [
        "built",
        "build",
        "construction",
        "constructed",
        "erected",
        "completed",
        "renovated",
        "renovation",
        "remodeled",
        "remodelled",
        "remod",
        "birth",
        "born",
        "death",
        "died",
        "founded",
        "foundation",
        "established",
        "opened",
        "made",
        "manufacture",
        "manufactured",
        "production",
        "release",
        "released",
        "publication",
        "published",
        "registration",
        "registered",
        "graduation",
        "graduated",
    ]
)
_ALONE = frozenset(["built", "constructed", "born", "founded", "established"])
"""Of these the year is meant where nothing else is said."""

_POSITIVE = frozenset(["price", "weight", "height", "width", "diameter", "circumference", "perimeter", "mass", "carat"])
_WEIGHTS = frozenset(["sample", "survey", "class", "loss"])

INSIDE = 0.99
"""Share of the values that must be possible: a column of other values means something else by its name."""

YEARS_INSIDE = 0.5
"""The same of years: whole numbers of four digits under such a name are nothing else."""

APART = 0.1
"""How far from all others an impossible value lies, as a share of their range: ages of trees go on beyond 130."""


def of_past_years(name: str) -> bool:
    """Whether a column says in which year something happened."""
    words = set(words_of(name))
    return bool(words & _PAST and words & _YEAR) or (len(words) == 1 and words <= _ALONE)


def limits_of(name: str) -> tuple[float, float] | None:
    """What a column can hold by its name."""
    if of_past_years(name):
        return _YEARS
    words = words_of(name)
    last = words[-1] if words else ""
    if last not in LIMITS or _CHANGES & set(words):
        return None
    if last == "age" and not set(words[:-1]) <= _OF_PEOPLE:
        return None  # of houses, and of what is much older
    if last in {"month", "hour", "minute", "ph"} and len(words) > 1:
        return None
    return LIMITS[last]


def cannot_be_zero(name: str) -> bool:
    """Whether what a column's name says is never nothing: a price, a weight of a body."""
    words = words_of(name)
    return bool(words) and words[-1] in _POSITIVE and not _WEIGHTS & set(words)


def may_exceed(name: str) -> bool:
    """Whether such a column is a share of something, of which there may be more than all."""
    return bool(_AS_SHARES & set(words_of(name)))


def impossible(name: str, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows whose value cannot be by the name of the column, if they are few and apart from the others."""
    limits = limits_of(name)
    known = np.isfinite(values)
    if of_past_years(name):
        known &= values != 0  # never renovated
        if (values[known] != np.rint(values[known])).any():
            return np.empty(0, np.int64)
    if limits is None or not known.any():
        return np.empty(0, np.int64)
    inside = known & (values >= limits[0]) & (values <= limits[1])
    needed = YEARS_INSIDE if of_past_years(name) else INSIDE
    if inside.sum() < needed * known.sum() or inside.sum() == known.sum():
        return np.empty(0, np.int64)
    low, high = float(values[inside].min()), float(values[inside].max())
    margin = APART * (high - low)
    return np.flatnonzero(known & ~inside & ((values < low - margin) | (values > high + margin)))
