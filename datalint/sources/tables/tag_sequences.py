"""Whether the tags of sentences follow one scheme: what begins an entity, what goes on with it, and what ends it."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from datalint.core.wording import counted, have

if TYPE_CHECKING:
    from collections.abc import Sequence

TAG = re.compile(r"O|_|[BIESULM]-\S+")
"""A tag of the schemes IOB, BIO, BIOES and BILOU."""
MOST = 0.98
"""Share of such tags from which the column holds no parts of speech."""

_BEGIN, _ALONE, _END = "B", "SU", "EL"


class TagSequences:
    """What the sentences of a file have shown so far."""

    def __init__(self) -> None:
        self.sentences = 0
        self.tags: Counter[str] = Counter()
        self.first: dict[str, int] = {}
        """The sentence in which each tag, or kind of fault, was first seen."""
        self.begun: Counter[str] = Counter()
        """Entities by the prefix of their first tag; not those that follow one of their type, where all schemes agree."""
        self.ended: Counter[bool] = Counter()
        """Entities of several tokens by whether a tag says that they end."""

    def add(self, tags: Sequence[str]) -> None:
        """Take in one sentence."""
        before, name_before = "O", ""
        for tag in [*tags, "O"]:
            prefix, name = _parts(tag)
            going = before not in "O_" + _ALONE + _END  # the entity before is not known to have ended
            if going and (name != name_before or prefix in "O_" + _BEGIN + _ALONE):
                self.ended[False] += 1
                self.first.setdefault("open", self.sentences)
            if prefix in _END:
                self.ended[True] += 1
            if (name and not (name == name_before and (going or before in _ALONE + _END))) or (
                name and prefix not in _BEGIN + _ALONE and before in _ALONE + _END
            ):
                self.begun[prefix] += 1
                self.first.setdefault(f"begun {prefix}", self.sentences)
            before, name_before = prefix, name
        for tag in tags:
            self.tags[tag] += 1
            self.first.setdefault(tag, self.sentences)
        self.sentences += 1

    def told(self) -> str:
        """What is wrong with them, with the first sentence of each fault; empty where they follow one scheme."""
        known = {tag: count for tag, count in self.tags.items() if TAG.fullmatch(tag)}
        named = sum(count for tag, count in known.items() if "-" in tag)
        if not named or sum(known.values()) < MOST * self.tags.total():
            return ""
        said = [*self._starts(), *self._ends()]
        odd = [tag for tag in self.tags if tag and tag not in known]
        if odd:
            rows = sum(self.tags[tag] for tag in odd)
            said.append(
                f"{counted(rows, 'row')} {have(rows)} a tag of no scheme, such as {odd[0]!r} ({self._where(odd[0])})"
            )
        if self.tags[""]:
            said.append(f"{counted(self.tags[''], 'row')} {have(self.tags[''])} no tag ({self._where('')})")
        names = Counter(name for tag in known for name in {tag.partition("-")[2]} if name for _ in range(known[tag]))
        for name in sorted(names, key=lambda name: (names[name], name)):
            like = [other for other in names if other != name and other.casefold() == name.casefold()]
            if like and names[name] <= names[like[0]]:
                said.append(f"{name!r} stands in {counted(names[name], 'tag')} and {like[0]!r} in {names[like[0]]:,}")
                break
        return "; ".join(said)

    def _starts(self) -> list[str]:
        """Entities that begin in two ways. In IOB1 all begin with I-, but for those that follow one of their type."""
        inside = sum(count for prefix, count in self.begun.items() if prefix not in _BEGIN + _ALONE)
        total = self.begun.total()
        if not inside or inside == total:
            return []
        few = [prefix for prefix in self.begun if (prefix in _BEGIN + _ALONE) == (2 * inside > total)]
        count = sum(self.begun[prefix] for prefix in few)
        first = min(few, key=lambda prefix: self.first[f"begun {prefix}"])
        others = "I-" if 2 * inside > total else "B-"
        return [
            f"{count:,} of {total:,} entities begin with {first}- where the others begin with {others} "
            f"({self._where(f'begun {first}')})"
        ]

    def _ends(self) -> list[str]:
        """Entities that do not end, where most say that they do."""
        if not 0 < self.ended[False] <= self.ended[True]:
            return []
        return [
            f"{self.ended[False]:,} of {self.ended.total():,} entities of several tokens lack the tag that ends them "
            f"({self._where('open')})"
        ]

    def _where(self, fault: str) -> str:
        return f"first in sentence {self.first[fault] + 1:,}"


@lru_cache(10_000)
def _parts(tag: str) -> tuple[str, str]:
    """Prefix and name of a tag; what is none ends an entity as O does."""
    prefix, _, name = tag.partition("-") if TAG.fullmatch(tag) else ("O", "", "")
    return prefix, name
