"""How much of a report the HTML page shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

TYPICAL_BYTES: Final = 2_000_000
"""Size aimed at: browsers open it in an instant and mail servers accept it."""

MOST_BYTES: Final = 8_000_000
"""Size never exceeded: the last of the limits below bounds every list and every string."""


@dataclass(frozen=True)
class Limits:
    """How much of a report a page shows; all but ``picture_bytes`` and ``text`` are numbers of things."""

    datasets: int
    cards: int
    cards_per_rule: int
    samples: int
    """Samples per card."""
    pictures: int
    picture_bytes: int
    """Bytes of all thumbnails together, as they stand in the page."""
    rows: int
    """Rows of one table, and items of one list."""
    bins: int
    """Stretches of one label strip."""
    strips: int
    """Label strips per data set."""
    text: int
    """Characters of one name or sentence."""
    characters: int | None
    """Characters of all cards' tables, beyond which building stops; None where the other limits suffice."""


_FULL: Final = Limits(
    datasets=100,
    cards=800,
    cards_per_rule=100,
    samples=50,
    pictures=300,
    picture_bytes=800_000,
    rows=50,
    bins=300,
    strips=8,
    text=4_000,
    characters=TYPICAL_BYTES,
)
LEVELS: Final = (
    _FULL,
    replace(_FULL, samples=10, rows=20, bins=150, text=1_000),
    replace(_FULL, datasets=50, cards=400, cards_per_rule=30, samples=5, rows=12, bins=100, strips=4, text=500),
    replace(
        _FULL,
        datasets=20,
        cards=150,
        cards_per_rule=10,
        samples=3,
        pictures=100,
        picture_bytes=400_000,
        rows=8,
        bins=60,
        strips=3,
        text=300,
    ),
    Limits(
        datasets=5,
        cards=12,
        cards_per_rule=4,
        samples=3,
        pictures=50,
        picture_bytes=200_000,
        rows=6,
        bins=60,
        strips=2,
        text=120,
        characters=None,
    ),
)
"""From all that is reasonable to what fits in any case; the first that gives a page of typical size is used."""
