"""CHT102 empty-turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Severity, digits
from datalint_rules.conversations._chats import ChatRule, answers_changed, chats, shown, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from datalint.author import Dialogue

_STAND_IN = re.compile(
    r"<\s*no\s?(?:in|out)put\s*>|no (?:in|out)put\.?|n/a|nan|null|\[(?:deleted|removed|empty|blank)\]|tbd|todo|lorem ipsum.{0,60}",
    re.IGNORECASE | re.DOTALL,
)

WORDS = 4
"""Words of a question that an answer repeats; a name may well be its own translation."""

EDITED = 0.05
"""Share of the other answers that have half of their words from the question, from which repeating it may be right."""


class EmptyTurn(ChatRule):
    """Turns with nothing in them: empty answers, empty questions, stand-ins such as ``<no output>``, samples without turns.

    An answer that only repeats its question says nothing either, unless others are edited versions of theirs.

    What tools give back may be empty, and so may what the system is told.

    ## Why it hurts

    From an empty answer a model learns to say nothing: the end of text is all that is left to be predicted. An empty
    question teaches it to answer without being asked.

    ## How to fix it

    Drop these samples, or find out where the texts were lost: a filter, a failed request, tool calls in another field.

    ## When it is wrong

    Where saying nothing is the right answer, as in a filter that passes on what it is given.

    ## Reference

    37 reasons, items 1 and 6. The Alpaca data are known for empty outputs (``AlpacaDataCleaned`` lists them).
    """

    code = "CHT102"
    name = "empty-turn"
    severity: ClassVar[Severity] = "warning"
    item = "1, 6"
    repair = "drop"
    public = frozenset({"conversations", "answers", "questions", "without_turns", "share"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(
            0.001, ge=0, le=1, description="Share of conversations with empty turns that is a warning."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for some in chats(profile):
            hits = {row: what for row, one in enumerate(some.dialogues) if (what := _empty(one))}
            hits |= {row: "repeats" for row in _repeating(some.dialogues) if row not in hits}
            if not hits:
                continue
            kinds = {
                kind: sum(what.startswith(kind) for what in hits.values())
                for kind in ("answer", "repeats", "question", "no turns")
            }
            told = [
                f"{kinds[kind]:,} {words}"
                for kind, words in (
                    ("answer", "with an answer"),
                    ("repeats", "with an answer that repeats the question"),
                    ("question", "with a question"),
                    ("no turns", "without any turn"),
                )
                if kinds[kind]
            ]
            share = len(hits) / len(some)
            yield Found(
                message=f"{len(hits):,} of {some.counted} conversations hold nothing where a turn should be: {', '.join(told)}",
                consequence="A model learns to answer with nothing, or without being asked.",
                remedy="Drop these conversations, or find out where the texts were lost.",
                severity=weighed(len(hits), len(some), self.params.share),
                confidence=0.98,
                split=some.split.name,
                evidence={
                    "conversations": len(hits),
                    "answers": kinds["answer"] + kinds["repeats"],
                    "questions": kinds["question"],
                    "without_turns": kinds["no turns"],
                    "share": digits(share, 3),
                },
                cases=some.cases(hits),
                exact=some.exact,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Empty answers, or put stand-ins there: 1 % of the training split and three at least, 20 % more at full strength."""
        words = ["", "  \n", "<no output>", "N/A", "null"]
        return answers_changed(clean, 0.01 + 0.2 * strength, rng, lambda _: words[int(rng.integers(len(words)))])


def _repeating(dialogues: Sequence[Dialogue]) -> list[int]:
    """Conversations whose last answer is their last question; none where texts are to be edited."""
    found, edited, judged = [], 0, 0
    for row, one in enumerate(dialogues):
        texts = {turn.role: turn.text for turn in one.turns}
        words = [texts.get(role, "").casefold().split() for role in ("user", "assistant")]
        if min(map(len, words)) < WORDS:
            continue
        if words[0] == words[1]:
            found.append(row)
            continue
        judged += 1
        both = {*words[0]} & {*words[1]}
        edited += 2 * len(both) >= len({*words[0]} | {*words[1]})
    return found if edited <= EDITED * judged else []


def _empty(dialogue: Dialogue) -> str:
    """What is empty in a conversation; nothing if all is well."""
    if not dialogue.turns:
        return "no turns"
    last = len(dialogue.turns) - 1
    turns = [*enumerate(dialogue.turns), *((last, turn) for turn in dialogue.rejected or ())]
    for kind, role in (("answer", "assistant"), ("question", "user")):
        for at, turn in turns:
            if turn.role == role and (not turn.text.strip() or _STAND_IN.fullmatch(turn.text.strip())):
                return f"{kind} {at + 1}: {shown(turn.text, 20)!r}"
    return ""
