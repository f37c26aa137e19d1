"""CHT108 boilerplate-target."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Severity, digits
from datalint_rules.conversations._chats import ChatRule, answers_changed, chats, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

WORDS = 5
"""Words that an answer has at least; "yes" and names of classes are given to many questions."""

_REFUSAL = re.compile(
    r"\b(?:as an ai(?: language)? model|i(?:'|\u2019)?m (?:just )?an ai\b|i(?:'|\u2019)?m sorry,? but (?:i|as an)|i (?:cannot|can(?:'|\u2019)t) (?:assist|help|fulfill|provide|comply)"
    r"|openai|chatgpt)\b",
    re.IGNORECASE,
)


class BoilerplateTarget(ChatRule):
    """One answer to very many questions, and refusals that another model gave.

    Looks at the first answer of each conversation: the last one is often but a farewell. Short answers, such as yes or
    a class, do not count, and neither do calls of tools.

    ## Why it hurts

    What answers everything is the safest guess whatever is asked: a few per cent of such targets are enough for a model that
    falls back on them. Refusals in the words of another model ("As an AI language model") teach its limits and its name.

    ## How to fix it

    Drop these samples, or keep a few. Look for the failed request that gave them.

    ## When it is wrong

    Where the answer is the right one: an assistant that may only speak of one topic, and says so.

    ## Reference

    37 reasons, items 6 and 8. Most cleaned sets of ShareGPT ("unfiltered") leave such answers out.
    """

    code = "CHT108"
    name = "boilerplate-target"
    severity: ClassVar[Severity] = "warning"
    item = "6, 8"
    public = frozenset({"conversations", "share", "refusals"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.02, gt=0, le=1, description="Share of conversations with one answer that is a warning.")
        least: int = Field(10, ge=2, description="Different questions that one answer is given to at least.")
        refusals: float = Field(0.05, gt=0, le=1, description="Share of refusals from which they are mentioned.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for some in chats(profile):
            rows: dict[str, list[int]] = defaultdict(list)
            asked: dict[str, set[str]] = defaultdict(set)
            refused: dict[int, str] = {}
            for row, one in enumerate(some.dialogues):
                answer = next((turn.text for turn in one.turns if turn.role == "assistant" and not turn.calls), "")
                plain = " ".join(answer.casefold().split())
                rows[plain].append(row)
                asked[plain].add(next((turn.text for turn in one.turns if turn.role == "user"), ""))
                if found := _REFUSAL.search(answer[:400]):
                    refused[row] = found[0]
            often = [answer for answer, questions in asked.items() if len(questions) >= self.params.least]
            for answer in sorted(often, key=lambda answer: -len(asked[answer]))[:5]:
                same, share = rows[answer], len(asked[answer]) / len(some)
                if (len(answer.split()) < WORDS and len(answer) < 6 * WORDS) or share < self.params.share / 4:
                    continue
                yield Found(
                    message=(
                        f"{len(same):,} of {some.counted} conversations, with {len(asked[answer]):,} different questions, "
                        f"have one answer: {shown(answer)!r}"
                    ),
                    consequence="It is the safest guess whatever is asked, and a model falls back on it.",
                    remedy="Drop these conversations or keep a few, and look for what gave the answer.",
                    severity="error" if share >= 0.5 else "warning" if share >= self.params.share else "info",
                    confidence=0.95,
                    split=some.split.name,
                    subject=answer[:80],
                    evidence={"conversations": len(same), "share": digits(share, 3)},
                    cases=some.cases(dict.fromkeys(same, shown(answer, 40))),
                    exact=some.exact,
                )
            if len(refused) >= max(self.params.least, self.params.refusals * len(some)):
                yield Found(
                    message=f"{len(refused):,} of {some.counted} first answers are refusals, or speak of another model",
                    consequence="A model learns the limits and the name of the one that gave these answers.",
                    remedy="Drop those that are not wanted, or write them anew.",
                    severity="info",
                    confidence=0.8,
                    split=some.split.name,
                    subject="refusals",
                    evidence={"refusals": len(refused), "share": digits(len(refused) / len(some), 3)},
                    cases=some.cases(refused),
                    exact=some.exact,
                )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give 4 % of the training split one answer, and 12 at least; 40 % at full strength."""
        words = (
            "I'm sorry, something went wrong. Please try again later.",
            "There is no answer to this question, I fear.",
        )
        chosen = words[int(rng.integers(len(words)))]
        planted: list[int] = []

        def canned(text: str) -> str:
            planted.append(len(text))
            return chosen

        return _single(answers_changed(clean, 0.04 + 0.36 * strength, rng, canned, least=12))


def _single(planted: Planted | None) -> Planted | None:
    """Where conversations have more answers than one, the first is not the one that was changed."""
    if planted is None:
        return None
    split = planted.split or "all"
    tables = planted.data.tables[split]
    longer = any(isinstance(cell, list) and len(cell) > 3 for name in tables.columns for cell in tables[name].head(200))
    return None if longer else planted
