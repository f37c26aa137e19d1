"""Words of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def plural(noun: str, count: int) -> str:
    """The noun as it goes with a number."""
    if count == 1:
        return noun
    soft = noun.endswith("y") and noun[-2:-1] not in set("aeiou")
    return f"{noun[:-1]}ies" if soft else f"{noun}es" if noun.endswith(("s", "x")) else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """'1 column', '12,431 columns'."""
    return f"{count:,} {plural(noun, count)}"


def more_of(count: int, noun: str) -> str:
    """'1 more column', '3 more columns'."""
    return f"{count:,} more {plural(noun, count)}"


def are(count: int) -> str:
    """'is' or 'are'."""
    return "is" if count == 1 else "are"


def have(count: int) -> str:
    """'has' or 'have'."""
    return "has" if count == 1 else "have"


def quoted(names: Sequence[str], limit: int = 3) -> str:
    """A few names: 'a' and 'b', or 'a', 'b', 'c' and 7 more."""
    shown = [repr(name) for name in names[:limit]]
    if len(names) > limit:
        return f"{', '.join(shown)} and {len(names) - limit:,} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """End of a message, such as "; did you mean 'select'?"; empty where nothing is near."""
    from difflib import get_close_matches

    names = list(known)
    for spelling in dict.fromkeys([key, key.replace("_", "-"), key.upper(), key.lower()]):
        if near := get_close_matches(spelling, names, 1):
            return f"; did you mean {near[0]!r}?"
    return ""
