"""The columns of sentences, and patterns looked for in all their texts at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import TURNS, Places, Profile, Skip, masked, without_speakers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

WORDS = 4
"""Words that the typical text of a column of sentences has at least; categories and names have fewer."""

MAX_TEXT = 20_000
"""Characters of one text that are looked at."""

LONGEST = 4_000
"""Characters of a text of which the beginning is shown."""

BETWEEN = "\x00"

_CODE_LINE = re.compile(
    r"\s*(?:@?\w+[\w.\[\]'\"]*\s*(?:[-+*/|&]?=(?!=)|\()|(?:def|class|import|from|return|raise|yield|if|elif|for|while|with|try|except"
    r"|async|public|private|static|function|var|let|const|namespace|package|using)\b.*[:;({]\s*$|(?:return|raise|import|from|yield)\b"
    r"|[#@]\w|//|[\])}]+[,;:]*\s*$)|.*[;{]\s*$"
)
"""A line as programs have them: an assignment, a call, a statement, a comment or a brace."""

_COMMENT = re.compile(r"(\"{3}|'{3}).*?(\1|\Z)|/\*.*?(\*/|\Z)", re.DOTALL)
_CODE_SHARE, _CODE_LINES = 0.4, 2


@dataclass(frozen=True)
class TextColumn:
    """One column of sentences in one split, as far as it was sampled."""

    split: str
    name: str
    texts: NDArray[np.object_]
    """None where missing."""
    places: Places
    samples: int
    """Samples in the whole split."""
    complete: bool
    """Whether these are all of them."""

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which are there."""
        return np.asarray(self.texts != None, np.bool_)  # noqa: E711 - element by element

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Characters of each; 0 where missing."""
        return np.fromiter((len(text) if text is not None else 0 for text in self.texts), np.int64, len(self.texts))

    @cached_property
    def joined(self) -> tuple[str, NDArray[np.int64]]:
        """All texts one after the other, and where each starts."""
        cut = [text[:MAX_TEXT].replace(BETWEEN, " ") if text is not None else "" for text in self.texts]
        starts = np.zeros(len(cut), np.int64)
        np.cumsum([len(text) + 1 for text in cut[:-1]], out=starts[1:])
        return BETWEEN.join(cut), starts

    def hits(self, pattern: re.Pattern[str], keep: Callable[[re.Match[str]], bool] | None = None) -> dict[int, str]:
        """Rows in which a pattern occurs, each with the first thing found; it must not match the separator."""
        text, starts = self.joined
        found = [match for match in pattern.finditer(text) if keep is None or keep(match)]
        rows = np.searchsorted(starts, [match.start() for match in found], side="right") - 1
        first: dict[int, str] = {}
        for row, match in zip(rows.tolist(), found, strict=True):
            first.setdefault(row, match[0])
        return first

    @property
    def counted(self) -> str:
        """How many texts were looked at, for a message."""
        return f"{len(self.texts):,}" if self.complete else f"{len(self.texts):,} sampled"


def text_columns(profile: Profile) -> Iterator[TextColumn]:
    """The columns of sentences, split by split.

    Raises:
        Skip: there are none.
    """
    label = profile.dataset.label.name if profile.dataset.label else None
    conversation = profile.dataset.conversation
    names = [
        f.name
        for f in profile.dataset.fields
        if f.kind == "text"
        and f.name != label
        and f.role in {"text", "feature", "id"}
        and (conversation is None or f.name in conversation.spoken)
    ]
    sure = {f.name for f in profile.dataset.fields if f.role == "text"}
    turns = {f.name for f in profile.dataset.fields if f.dtype == TURNS}
    splits = [split for split in profile.splits if split.samples]
    chosen = [name for name in names if name in sure or any(_sentences(s.rows.texts.get(name)) for s in splits)]
    if not chosen:
        raise Skip("the table has no column of sentences", applies=False)
    for split in splits:
        for name in chosen:
            texts = split.rows.texts.get(name)
            if texts is not None and name in turns:
                texts = np.array([text and without_speakers(text) for text in texts], dtype=object)
            if texts is not None and len(texts):
                yield TextColumn(split.name, name, texts, split.rows.places, split.samples, split.rows.complete)


def _sentences(texts: NDArray[np.object_] | None) -> bool:
    """Whether most texts of a column have several words and are new."""
    if texts is None:
        return False
    head = [text for text in texts[:2_000] if text is not None]
    if len(head) < 10 or len(set(head)) < 0.5 * len(head):
        return False
    if 2 * sum(any(map(str.isalpha, text[:100])) for text in head) < len(head):
        return False  # lists of numbers, such as pixels
    words = sorted(text.count(" ") + 1 for text in head)
    return bool(words[len(words) // 2] >= WORDS)


def shown(text: str, length: int = 60) -> str:
    """The beginning of a text, for a message."""
    text = " ".join(masked(text[:LONGEST]).split())
    return text if len(text) <= length else text[: length - 3] + "..."


def is_code(text: str) -> bool:
    """Whether a text is the source of a program: so many of its lines are as programs have them."""
    bare = _COMMENT.sub("", text[:LONGEST])
    lines = [line for line in bare.splitlines() if line.strip()]
    return len(lines) >= _CODE_LINES and sum(bool(_CODE_LINE.match(line)) for line in lines) >= _CODE_SHARE * len(lines)
