"""What the user silenced, and what became of it: for the rule that looks for silences nobody needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SilenceKind = Literal["ignore", "suppression", "baseline"]
SilenceState = Literal["used", "unused", "expired", "unjudged"]


@dataclass(frozen=True)
class Silence:
    """One entry that takes findings out of the report."""

    kind: SilenceKind
    file: str
    """Where it is written."""
    text: str
    """The entry, as a person finds it there."""
    state: SilenceState
    """``unjudged`` where this scan cannot decide: its rules did not run, or its data was not scanned."""
