"""Columns of a table that speak of recordings: which file, what is said in it, and how long it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from datalint.core.roles import roles, words_of
from datalint.core.sounds import Recordings
from datalint.sources.sounds.suffixes import SOUNDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.roles import ColumnHead

LOOKED_AT = 200
"""Cells that are looked at."""

SAID = ("transcript", "transcription", "sentence", "text", "normalized_text", "normalized_transcript", "utterance")
"""Names of a column of what is said, the surest first; a usual word of a longer name counts as well."""

LONG = frozenset({"duration", "durations", "dur", "seconds", "sec", "length"})
THOUSANDTHS = frozenset({"ms", "msec", "milliseconds", "millis"})


def recordings_of(columns: Sequence[ColumnHead], file: str | None = None) -> Recordings | None:
    """What the columns say of recordings; None where none of them names such files.

    Args:
        columns: as a table has them.
        file: the column that names the files, where that is known.
    """
    if file is None:
        file = next((c.name for c in columns if c.kind == "text" and _names_sounds(c.values)), None)
    if file is None:
        return None
    others = [column for column in columns if column.name != file]
    by_role = roles(others)
    texts = [c.name for c in others if c.kind == "text" and (by_role[c.name] == "text" or c.name.casefold() in SAID)]
    said = sorted(texts, key=lambda name: (_rank(name), texts.index(name)))
    numbers = [c for c in others if c.kind == "number"]
    long = next((c for c in numbers if (LONG | THOUSANDTHS) & set(words_of(c.name))), None)
    scale = 1.0 if long is None else _scale(long)
    return Recordings(file, said[0] if said else None, None if long is None else long.name, scale)


def _names_sounds(values: Sequence[object]) -> bool:
    shown = [str(value) for value in values[:LOOKED_AT] if value]
    found = sum(re.fullmatch(r"[^\n]*\.\w{2,4}", name) is not None and _suffix(name) in SOUNDS for name in shown)
    return len(shown) > 1 and found >= 0.9 * len(shown)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :].lower()


def _rank(name: str) -> int:
    folded = name.strip().casefold()
    if folded in SAID:
        return SAID.index(folded)
    return len(SAID) + (0 if any(word in SAID for word in words_of(name)) else 1)


def _scale(column: ColumnHead) -> float:
    """Seconds of a unit: thousandths where the name says so, or where recordings would last for hours."""
    if THOUSANDTHS & set(words_of(column.name)):
        return 0.001
    known = sorted(float(str(value)) for value in column.values[:LOOKED_AT] if isinstance(value, (int, float)))
    return 0.001 if known and known[len(known) // 2] >= 500 and all(value == int(value) for value in known) else 1.0
