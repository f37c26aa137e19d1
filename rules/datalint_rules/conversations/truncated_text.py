"""CHT103 truncated-text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Severity, binomial_tail, digits
from datalint_rules.conversations._chats import ChatRule, Chats, answers_changed, chats, shown, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST = 200
"""Characters of an answer that may have been cut; shorter limits are none."""

PILE = 5
"""Different answers of exactly the longest length: chance gives one or two."""


OPEN = 0.1
"""Share of other answers that end without a full stop, up to which the end of a sentence is marked."""

WORDS = 5
"""Words of an answer whose last one is looked at: "a" may be the right one of several options."""

_GOES_ON = frozenset(
    [
        *("the a an and or but of with from by because which your their its our my these than into".split()),  # noqa: SIM905
        *("der die das und oder mit von ein eine einen dem den le la les des et ou un une du avec".split()),  # noqa: SIM905
        *("el los las y de una con que".split()),  # noqa: SIM905
    ]
)
"""Words after which a sentence goes on, in some languages."""


class TruncatedText(ChatRule):
    """Answers that stop before they end: all at one length, in the middle of a word or sentence, or within a block of code.

    Judged are answers of the same length that none exceeds; long answers that end in the middle far more often than short
    ones do; answers whose last word is one like "the" or "and"; and blocks of code that are opened and never closed.

    ## Why it hurts

    A model learns to stop in the middle, or at that length. Answers that another model gave with a limit of tokens
    (``max_tokens``) are the usual source, or a column of so many characters.

    ## How to fix it

    Ask again with a higher limit, or drop what was cut. Keep ``finish_reason`` next to each answer and drop those of "length".

    ## When it is wrong

    Where answers are lines of verse, titles or code, whose ends have no full stop; the rule compares long ones with short ones for that.

    ## Reference

    37 reasons, items 4 and 6.
    """

    code = "CHT103"
    name = "truncated-text"
    severity: ClassVar[Severity] = "warning"
    item = "4, 6"
    public = frozenset({"answers", "share", "length", "unfinished_long", "unfinished_short"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(
            0.005, ge=0, le=1, description="Share of answers that were cut from which it is a warning."
        )
        long: float = Field(
            0.05, gt=0, lt=0.5, description="Share of answers, the longest ones, compared with the rest."
        )
        gap: float = Field(0.3, gt=0, le=1, description="By how much more of the long ones must be unfinished.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for some in chats(profile):
            texts = [(one.answers or [""])[-1].strip() for one in some.dialogues]
            # The same answer many times over has one length.
            first = {text: row for row, text in reversed([*enumerate(texts)])}
            hits = self._pile(texts, first) or self._tails(texts, first)
            severity: Severity = "warning"
            if not hits and (hits := self._going_on(texts, first)):
                severity = "warning" if _end_as_a_rule(texts, hits) else "info"
            blocks = {
                row: "a block of code" for row, text in enumerate(texts) if text.count("```") % 2 and row not in hits
            }
            if hits:
                yield self._found(some, hits, _told(hits), "length", severity)
            if blocks:
                severity = weighed(len(blocks), len(some), self.params.share)
                yield self._found(some, blocks, "within a block of code that is never closed", "blocks", severity)

    def _pile(self, texts: list[str], first: dict[str, int]) -> dict[int, str]:
        """Answers of exactly the longest length."""
        longest = max(map(len, texts), default=0)
        held = {row for text, row in first.items() if len(text) == longest}
        if longest < LEAST or len(held) < PILE:
            return {}
        return {row: f"at {longest:,} characters" for row, text in enumerate(texts) if len(text) == longest}

    def _tails(self, texts: list[str], first: dict[str, int]) -> dict[int, str]:
        """The unfinished ones among the longest, where short ones are finished."""
        rows = np.array(sorted(first.values()), np.int64)
        lengths = np.array([len(texts[row]) for row in rows])
        if len(rows) < 100:
            return {}
        cut = np.quantile(lengths, 1 - self.params.long)
        open_ = np.array([_unfinished(texts[row]) for row in rows], np.bool_)
        long = (lengths >= cut) & (lengths >= LEAST)
        if long.sum() < PILE:
            return {}
        usual, count = float(open_[~long].mean()), int(open_[long].sum())
        limit = usual + self.params.gap
        # No chance in 10,000 that long answers are left open as often as others are.
        if count < limit * long.sum() or binomial_tail(count, int(long.sum()), max(usual, 0.02)) > 1e-4:
            return {}
        return {int(row): "..." + shown(texts[row][-40:], 40) for row in rows[long & open_]}

    def _going_on(self, texts: list[str], first: dict[str, int]) -> dict[int, str]:
        """Those that end in a word after which something must follow."""
        if sum(map(_goes_on, first)) < max(PILE, self.params.share * len(first)):
            return {}
        return {row: "..." + shown(text[-40:], 40) for row, text in enumerate(texts) if _goes_on(text)}

    def _found(self, some: Chats, hits: dict[int, str], told: str, subject: str, severity: Severity) -> Found:
        share = len(hits) / len(some)
        return Found(
            message=f"{len(hits):,} of {some.counted} answers stop {told}",
            consequence="A model learns to stop in the middle.",
            remedy="Ask again with a higher limit of tokens, or drop what was cut.",
            severity=severity,
            confidence=0.9,
            split=some.split.name,
            subject=subject,
            evidence={"answers": len(hits), "share": digits(share, 3)},
            cases=some.cases(hits),
            exact=some.exact,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Cut all answers at the length that one in 20 exceeds, one in 4 at full strength."""
        lengths: list[int] = []

        def measured(text: str) -> str:
            lengths.append(len(text))
            return text

        if answers_changed(clean, 1.0, rng, measured) is None:
            return None
        limit = int(np.quantile(lengths, 0.95 - 0.2 * strength))
        made = answers_changed(clean, 1.0, rng, lambda text: text[:limit].rstrip() if len(text) > limit else text)
        if limit < LEAST or made is None:
            return None
        return Planted(made.data, split=made.split)


def _told(hits: dict[int, str]) -> str:
    if any(what.startswith("at ") for what in hits.values()):
        return f"{next(iter(hits.values()))}, and none is longer"
    return f"in the middle of a sentence, such as {next(iter(hits.values()))!r}"


def _end_as_a_rule(texts: list[str], hits: dict[int, str]) -> bool:
    """Whether hardly any of the other answers is left open: lines and titles often are."""
    others = [text for row, text in enumerate(texts) if row not in hits]
    return sum(map(_unfinished, others)) <= OPEN * len(others)


def _goes_on(text: str) -> bool:
    words = text[-200:].split()
    return len(words) >= WORDS and words[-1].casefold() in _GOES_ON


def _unfinished(text: str) -> bool:
    """Whether a text ends within a sentence: with a letter or a comma."""
    end = text[-1:]
    return bool(end) and (end.isalnum() or end in ",-(")
