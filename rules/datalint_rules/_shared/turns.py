"""Turns of conversations in clean tables, whatever their keys are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Turns = list[dict[str, Any]]

SPEAKER = ("role", "from")
"""What the keys of turns are called that say who speaks, and those that say what."""
SPOKEN = ("content", "value")


def are_turns(cell: Any) -> bool:
    """Whether a cell holds turns."""
    return isinstance(cell, list) and all(isinstance(turn, dict) and set(turn) & {*SPEAKER} for turn in cell)


def key_of(turn: dict[str, Any], names: tuple[str, ...]) -> str:
    """The key of a turn that is one of these."""
    return next((name for name in names if name in turn), names[0])


def with_answer(turns: Turns, change: Callable[[str], str | None]) -> Turns | None:
    """The turns with another text in the last one; None where it has none."""
    said = key_of(turns[-1], SPOKEN) if turns else ""
    if not said or not isinstance(turns[-1].get(said), str):
        return None
    return [*turns[:-1], {**turns[-1], said: change(turns[-1][said])}]
