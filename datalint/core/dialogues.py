"""Conversations as one text per sample, and the turns that such a text is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from datalint.core.vocabulary import word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

TURNS: Final = "turns"
"""Storage type of a column whose cells are turns."""

# The characters that ASCII has for it; ``str.split`` takes them for blanks, so that nobody sees them.
TURN, SAID = "\x1e", "\x1f"
"""What stands between two turns, and between who speaks and what is said."""

CALL: Final = "[call"
"""What the text begins with in which an assistant calls a tool."""

NOBODY: Final = "?"
"""Who speaks where the data does not say it."""

LONGEST_NAME: Final = 40
"""Characters of the name of a speaker that are kept."""

_SPEAKERS: Final = {
    "system": word_set("system developer"),
    "user": word_set("user human prompter instruction"),
    "assistant": word_set("assistant gpt chatgpt bot chatbot model bing bard ai function_call tool_call"),
    "tool": word_set("tool function observation ipython tool_response function_response tool_result environment"),
}
_CALLERS: Final = word_set("function_call tool_call")
_TRANSCRIPT: Final = re.compile(r"(?:\A|\n\n)(Human|Assistant):")
_ROLE_OF: Final = {word: role for role, words in _SPEAKERS.items() for word in words}

Part = Literal["turns", "system", "given", "user", "input", "assistant", "chosen", "rejected"]
"""What a column of a conversation is: turns, one of them, more of the question, or one of two answers.

``given`` is what a model sees besides what is said, such as its tools.
"""


class Turn(NamedTuple):
    """What one speaker says at a time."""

    speaker: str
    """As the data calls it."""
    text: str

    @property
    def role(self) -> str:
        """``system``, ``user``, ``assistant`` or ``tool``; empty for any other speaker."""
        return _ROLE_OF.get(self.speaker.strip().casefold(), "")

    @property
    def calls(self) -> bool:
        """Whether it calls a tool instead of saying something to people."""
        return self.text.startswith((CALL, "<tool_call>")) or self.speaker.strip().casefold() in _CALLERS


class Dialogue(NamedTuple):
    """One sample: its turns, and where two answers are compared those of each."""

    turns: tuple[Turn, ...]
    """The conversation; with the better answer, where there are two."""
    chosen: tuple[Turn, ...] = ()
    rejected: tuple[Turn, ...] | None = None
    """The worse answer; None where there is but one."""

    @property
    def answers(self) -> list[str]:
        """What the assistant says."""
        return [turn.text for turn in self.turns if turn.role == "assistant"]


@dataclass(frozen=True)
class Conversation:
    """Which columns of a table make up a conversation, in its order."""

    parts: tuple[tuple[str, Part], ...]
    evidence: str
    mixed: bool = False
    """Whether the files of several splits have columns of their own."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(column for column, _ in self.parts)

    @property
    def compares(self) -> bool:
        """Whether a better and a worse answer stand next to each other."""
        return any(part == "rejected" for _, part in self.parts)

    @property
    def spoken(self) -> frozenset[str]:
        """The columns of texts that people read, which a list of tools or files is not."""
        return frozenset(column for column, part in self.parts if part != "given")

    @property
    def optional(self) -> frozenset[str]:
        """The columns in which a gap is as it should be: not every question has more to it, or a system prompt."""
        return frozenset(column for column, part in self.parts if part in {"input", "system", "given"})

    def within(self, texts: Mapping[str, NDArray[object]]) -> list[tuple[str, Part]]:  # type: ignore[type-var]
        """The columns that a split with these texts has."""
        held = [(column, part) for column, part in self.parts if column in texts]
        return [(c, part) for c, part in held if not self.mixed or any(cell is not None for cell in texts[c])]

    def dialogues(self, texts: Mapping[str, NDArray[object]], count: int) -> list[Dialogue]:  # type: ignore[type-var]
        """The samples with these texts by column."""
        columns = [(part, texts[column]) for column, part in self.within(texts)]
        return [self._dialogue([(part, str(cells[k] or "")) for part, cells in columns]) for k in range(count)]

    def _dialogue(self, cells: Iterable[tuple[Part, str]]) -> Dialogue:
        turns: list[Turn] = []
        chosen: tuple[Turn, ...] = ()
        rejected: tuple[Turn, ...] | None = None
        for part, text in cells:
            if part == "turns":
                turns += parted(text)
            elif part == "system":
                turns += [Turn("system", text)] if text else []
            elif part == "given":
                continue
            elif part == "input":
                if text:
                    asked = turns.pop() if turns else Turn("user", "")
                    turns.append(Turn(asked.speaker, f"{asked.text}\n{text}".strip()))
            elif part == "chosen":
                chosen = _answer(text)
            elif part == "rejected":
                rejected = _answer(text)
            else:
                turns += parted(text) if SAID in text else [Turn(part, text)]
        if rejected is None:
            return Dialogue(tuple(turns))
        # Chosen and rejected may hold the whole conversation each.
        whole = any(turn.role != "assistant" for turn in chosen)
        return Dialogue(chosen if whole else (*turns, *chosen), chosen, rejected)


def _answer(text: str) -> tuple[Turn, ...]:
    if SAID in text:
        return parted(text)
    # Whole conversations as one text, as HH-RLHF has them.
    pieces = _TRANSCRIPT.split(text) if text.startswith("Human:") else [text]
    if len(pieces) < 5:
        return (Turn("assistant", text),)
    return tuple(Turn(who, said.strip()) for who, said in zip(pieces[1::2], pieces[2::2], strict=True))


def joined(turns: Iterable[tuple[str, str]]) -> str:
    """Turns, each a speaker and a text, as one text."""
    return TURN.join(f"{_plain(speaker)[:LONGEST_NAME] or NOBODY}{SAID}{_plain(text)}" for speaker, text in turns)


def _plain(text: str) -> str:
    return text.replace(TURN, " ").replace(SAID, " ").strip() if TURN in text or SAID in text else text.strip()


def parted(text: str) -> tuple[Turn, ...]:
    """The turns of such a text."""
    pieces = (piece.partition(SAID) for piece in text.split(TURN)) if text else ()
    return tuple(Turn(speaker.strip(), said) for speaker, _, said in pieces)


def without_speakers(text: str) -> str:
    """What is said, one turn after the other."""
    return "\n".join(turn.text for turn in parted(text)) if SAID in text else text


def told(text: str) -> str:
    """As people read it: who speaks, and what is said."""
    return "\n".join(f"{turn.speaker}: {turn.text}" for turn in parted(text)) if SAID in text else text


def spoken(dialogue: Dialogue) -> str:
    """What is asked and answered, without what the system is told, which many conversations share."""
    turns: Sequence[Turn] = [*dialogue.turns, *(dialogue.rejected or ())]
    return "\n".join(turn.text for turn in turns if turn.role != "system")


def asked(dialogue: Dialogue) -> str:
    """What is asked, with all that it is asked about."""
    return "\n".join(turn.text for turn in dialogue.turns if turn.role not in {"system", "assistant"})
