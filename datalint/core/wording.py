"""Words of messages."""

from __future__ import annotations


def more_of(count: int, noun: str) -> str:
    """'1 more column', '3 more columns'."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} more {noun if count == 1 else plural}"
