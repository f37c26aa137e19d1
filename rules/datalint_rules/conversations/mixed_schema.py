"""CHT107 mixed-schema."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import CALL, Clean, Field, Found, Planted, Profile, RuleParams, Severity, digits
from datalint_rules.conversations._chats import ChatRule, Turns, changed, chats, turns_of, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from datalint.author import Dialogue
    from datalint_rules.conversations._chats import Chats

LONG = 10_000
"""Characters of a turn from which on its text may have been cut."""


class MixedSchema(ChatRule):
    """Conversations that are written in another convention than the rest: ``human`` and ``gpt`` among ``user`` and ``assistant``.

    Or in another column than the rest, or with calls of tools whose arguments are no JSON where those of the others are.

    ## Why it hurts

    A loader maps one convention. What is written in another one is dropped, raises an error in the middle of an epoch, or ends up
    as a question that should be an answer.

    ## How to fix it

    Rename the speakers and the keys, so that all conversations are written in the same way.

    ## When it is wrong

    Where the loader knows all of them.

    ## Reference

    37 reasons, item 1. axolotl and LLaMA-Factory configure ``message_property_mappings`` and ``tags`` once per data set.
    """

    code = "CHT107"
    name = "mixed-schema"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    public = frozenset({"conversations", "share", "conventions"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(
            0.001, ge=0, le=1, description="Share of conversations written otherwise that is a warning."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for some in chats(profile):
            columns = self._columns(some)
            if columns is not None:
                yield columns
                continue  # they name their speakers otherwise, too
            yield from self._calls(some)
            written = [_convention(one) for one in some.dialogues]
            # Names of one role: no conversation has to have all roles.
            usual = {
                role: Counter(names.get(role, "") for names in written if role in names)
                for role in ("user", "assistant")
            }
            first = {role: found.most_common(1)[0][0] for role, found in usual.items() if found}
            hits = {
                row: ", ".join(f"{name!r} for {first[role]!r}" for role, name in names.items() if name != first[role])
                for row, names in enumerate(written)
                if any(name != first[role] for role, name in names.items())
            }
            if not hits:
                continue
            told = Counter(hits.values())
            yield Found(
                message=(
                    f"{len(hits):,} of {some.counted} conversations name their speakers otherwise than the rest: "
                    + "; ".join(f"{words} in {count:,}" for words, count in told.most_common(3))
                ),
                consequence="A loader maps one convention, and drops the others or takes answers for questions.",
                remedy="Rename the speakers, so that all conversations are written in the same way.",
                severity=weighed(len(hits), len(some), self.params.share),
                confidence=0.97,
                split=some.split.name,
                evidence={"conversations": len(hits), "share": digits(len(hits) / len(some), 3)},
                cases=some.cases(hits),
                exact=some.exact,
            )

    def _columns(self, some: Chats) -> Found | None:
        """Conversations in a column that is empty for the others."""
        texts = some.split.rows.texts
        held = {
            c: np.array([bool(x) for x in texts[c]], np.bool_)
            for c, part in some.about.within(texts)
            if part == "turns"
        }
        if len(held) < 2:
            return None
        main = max(held, key=lambda column: (int(held[column].sum()), column))
        rows = np.flatnonzero(~held[main] & np.any([*held.values()], axis=0))
        if not len(rows):
            return None
        others = " and ".join(repr(column) for column in held if column != main)
        return Found(
            message=(
                f"{len(rows):,} of {some.counted} conversations stand in {others}, the other "
                f"{int(held[main].sum()):,} in {main!r}"
            ),
            consequence="A loader reads one of these columns, and finds nothing for the conversations in another.",
            remedy="Put all conversations into one column, written in the same way.",
            severity=weighed(len(rows), len(some), self.params.share),
            confidence=0.99,
            split=some.split.name,
            subject="columns",
            evidence={"conversations": len(rows), "share": digits(len(rows) / len(some), 3)},
            cases=some.cases(dict.fromkeys(rows.tolist(), others)),
            exact=some.exact,
        )

    def _calls(self, some: Chats) -> Iterator[Found]:
        """Calls of tools that cannot be read where most can."""
        good = {row: all(read) for row, one in enumerate(some.dialogues) if (read := _read(one))}
        bad: dict[int, JsonValue] = {row: "arguments" for row, fine in good.items() if not fine}
        if not bad or 2 * len(bad) > len(good):
            return
        yield Found(
            message=f"{len(bad):,} of {some.counted} conversations call a tool with arguments that are no JSON",
            consequence="A template or an agent that reads them stops, and a model learns calls that nobody can carry out.",
            remedy="Drop these conversations, or write the arguments again with a JSON library.",
            severity=weighed(len(bad), len(some), self.params.share),
            confidence=0.95,
            split=some.split.name,
            subject="calls",
            evidence={"conversations": len(bad), "share": digits(len(bad) / len(some), 3)},
            cases=some.cases(bad),
            exact=some.exact,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Call the speakers human and gpt in 1 % of the training split, in 30 % at full strength."""
        names = {"user": "human", "assistant": "gpt"}

        def renamed(turns: Turns) -> Turns:
            return [{**turn, "role": names.get(turn["role"], turn["role"])} for turn in turns]

        return changed(clean, turns_of(clean), 0.01 + 0.29 * strength, rng, renamed)


def _read(dialogue: Dialogue) -> list[bool]:
    """Of each call of a tool whether its arguments are JSON."""
    found = []
    for turn in dialogue.turns:
        if turn.role != "assistant" or CALL not in turn.text or len(turn.text) > LONG:
            continue
        for call in re.split(rf"(?:\A|\n){re.escape(CALL)} ", turn.text)[1:]:
            _, _, arguments = call.rstrip().removesuffix("]").partition(" ")
            try:
                found.append(not arguments or json.loads(arguments) is not None)
            except (ValueError, RecursionError):
                found.append(False)
    return found


def _convention(dialogue: Dialogue) -> dict[str, str]:
    """What user and assistant are called; calls of tools are another thing than answers."""
    named: dict[str, str] = {}
    for turn in dialogue.turns:
        if turn.role in {"user", "assistant"} and not turn.speaker.casefold().endswith("_call"):
            named.setdefault(turn.role, turn.speaker)
    return named
