"""What the rules about conversations share: the sampled ones by split, and faults put into clean ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Conversation,
    Dataset,
    Dialogue,
    Measurement,
    Planted,
    Profile,
    Rule,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    masked,
    training,
)
from datalint_rules._shared.turns import are_turns, with_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import JsonValue

LONGEST = 4_000
"""Characters of a text of which the beginning is shown."""

HALF = 0.5
"""Share from which a split is of no use."""


class ChatRule(Rule):
    """A rule about conversations."""

    modalities = frozenset({"table"})
    measures = (Sample,)
    sampled = True

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The sampled conversations, where there are any."""
        return () if dataset.conversation is None else (Sample,)


@dataclass(frozen=True)
class Chats:
    """The sampled conversations of one split."""

    split: SplitProfile
    about: Conversation
    dialogues: list[Dialogue]

    def __len__(self) -> int:
        return len(self.dialogues)

    @property
    def counted(self) -> str:
        """How many were looked at, for a message."""
        return f"{len(self):,}" if self.exact else f"{len(self):,} sampled"

    @property
    def answered(self) -> bool:
        """Whether there is a column in which answers stand: a benchmark may hold questions alone."""
        parts = {part for _, part in self.about.within(self.split.rows.texts)}
        return not parts.isdisjoint({"turns", "assistant", "chosen"})

    @property
    def exact(self) -> bool:
        """Whether these are all."""
        return self.split.rows.complete

    def cases(self, details: Mapping[int, JsonValue], name: str = "found") -> Cases:
        """Some of them by their number, each with what is wrong with it."""
        rows = np.array(sorted(details), np.int64)
        return Cases(self.split.name, self.split.rows.places.take(rows), {name: [details[int(row)] for row in rows]})


def chats(profile: Profile) -> Iterator[Chats]:
    """The conversations of each split.

    Raises:
        Skip: there are none.
    """
    about = profile.dataset.conversation
    if about is None:
        raise Skip("the table holds no conversations", applies=False)
    for split in profile.splits:
        if len(split.rows) and about.within(split.rows.texts):
            yield Chats(split, about, profile.dialogues[split.name])


def weighed(count: int, total: int, share: float) -> Severity:
    """An error from half of a split on, and info where there are but a few."""
    if count >= HALF * total:
        return "error"
    return "warning" if count > 1 and count >= share * total else "info"


def shown(text: str, length: int = 60) -> str:
    """The beginning of a text, for a message."""
    text = " ".join(masked(text[:LONGEST]).split())
    return text if len(text) <= length else text[: length - 3] + "..."


# --- planting -------------------------------------------------------------------------------------------------------


def turns_of(clean: Clean) -> str | None:
    """The column of turns of the training table."""
    if not clean.tables:
        return None
    table = clean.tables[training(clean)]
    return next((str(name) for name in table.columns if len(table) and are_turns(table[name].iloc[0])), None)


def column_of(clean: Clean, *names: str) -> str | None:
    """The first of these columns that the training table has."""
    if not clean.tables or clean.label in names:
        return None
    return next((name for name in names if name in clean.tables[training(clean)].columns), None)


def changed(
    clean: Clean,
    column: str | None,
    share: float,
    rng: np.random.Generator,
    change: Callable[[Any], Any],
    least: int = 3,
) -> Planted | None:
    """Change so many cells of a column of the training split, at least a few; None where a cell cannot hold the fault."""
    if column is None or turns_of(clean) not in {None, column}:
        return None
    split = training(clean)
    table = clean.tables[split].copy()
    if len(table) < 60:
        return None
    rows = sorted(int(row) for row in rng.choice(len(table), max(least, round(share * len(table))), replace=False))
    cells = table[column].tolist()
    for row in rows:
        cells[row] = change(cells[row])
    table[column] = np.fromiter(cells, dtype=object, count=len(cells))
    return Planted(
        Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split, rows={split: frozenset(rows)}
    )


def answers_changed(
    clean: Clean, share: float, rng: np.random.Generator, change: Callable[[str], str], least: int = 3
) -> Planted | None:
    """Change so many answers, the last one of each conversation."""
    turns = turns_of(clean)
    if turns is None:
        return changed(clean, column_of(clean, "completion", "chosen"), share, rng, change, least)

    if with_answer(clean.tables[training(clean)][turns].iloc[0], str) is None:
        return None
    return changed(clean, turns, share, rng, lambda cell: with_answer(cell, change) or cell, least)
