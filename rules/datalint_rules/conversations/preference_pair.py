"""CHT106 preference-pair."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Severity, Skip, binomial_tail, digits
from datalint_rules.conversations._chats import ChatRule, Chats, chats, column_of, turns_of, weighed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from datalint.author import Dialogue, Turn

LEAST = 50
"""Pairs from which the lengths of answers say something."""


class PreferencePair(ChatRule):
    """Pairs of answers that teach no preference, or the wrong one.

    The preferred answer is equal to the rejected one, both answer different questions, the same two answers are preferred
    in both ways, or the length alone tells which is preferred.

    ## Why it hurts

    Equal answers have a margin of zero whatever the model does. Pairs that contradict each other cancel out. Where the
    longer answer nearly always wins, a reward model learns to count words, and the policy to be wordy.

    ## How to fix it

    Drop equal and contradicting pairs, ask both answers of one question, and add pairs in which the shorter one wins, or
    normalise for the length (SimPO, length-controlled rewards).

    ## When it is wrong

    Where length is what is to be preferred.

    ## Reference

    37 reasons, items 6 and 7. Singhal et al. 2023, "A long way to go: investigating length correlations in RLHF".
    """

    code = "CHT106"
    name = "preference-pair"
    severity: ClassVar[Severity] = "warning"
    item = "6, 7"
    public = frozenset(
        {"pairs", "equal", "contradicting", "other_question", "share", "longer_preferred", "shorter_preferred"}
    )

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.002, ge=0, le=1, description="Share of such pairs that is a warning.")
        # UltraFeedback, HH and the like prefer the longer answer in 55 to 70 % of pairs.
        length: float = Field(0.85, gt=0.5, le=1, description="Share of pairs decided by length that is a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        if profile.dataset.conversation is not None and not profile.dataset.conversation.compares:
            raise Skip("there are no two answers to compare", applies=False)
        for some in chats(profile):
            yield from self._pairs(some)
            yield from self._lengths(some)

    def _pairs(self, some: Chats) -> Iterator[Found]:
        sides = [_sides(one) for one in some.dialogues]
        known = Counter(sides)
        hits: dict[int, str] = {}
        for row, (question, better, worse) in enumerate(sides):
            if better == worse:
                hits[row] = "equal"
            elif question is None:
                hits[row] = "other question"
            elif known[question, worse, better]:
                hits[row] = "contradicting"
        if not hits:
            return
        kinds = Counter(hits.values())
        words = {
            "equal": "equal answers",
            "other question": "answers to different questions",
            "contradicting": "answers that other pairs prefer the other way round",
        }
        yield Found(
            message=(
                f"{len(hits):,} of {some.counted} pairs teach no preference: "
                + ", ".join(f"{count:,} with {words[kind]}" for kind, count in kinds.most_common())
            ),
            consequence="Equal answers have no margin to learn, and pairs that contradict each other cancel out.",
            remedy="Drop these pairs, or find out where the answers were mixed up.",
            severity=weighed(len(hits), len(some), self.params.share),
            confidence=0.99,
            split=some.split.name,
            subject="pairs",
            evidence={
                "pairs": len(hits),
                "equal": kinds["equal"],
                "other_question": kinds["other question"],
                "contradicting": kinds["contradicting"],
                "share": digits(len(hits) / len(some), 3),
            },
            cases=some.cases(hits),
            exact=some.exact,
        )

    def _lengths(self, some: Chats) -> Iterator[Found]:
        gaps = np.array([_length(one.chosen) - _length(one.rejected or ()) for one in some.dialogues])
        longer, shorter = int((gaps > 0).sum()), int((gaps < 0).sum())
        total = longer + shorter
        if total < LEAST:
            return
        most = max(longer, shorter)
        share = most / total
        # No chance in 1,000 that the share lies below the cut.
        if share < self.params.length or binomial_tail(most, total, self.params.length - 0.1) > 1e-3:
            return
        word = "longer" if longer >= shorter else "shorter"
        yield Found(
            message=f"the {word} answer is the preferred one in {most:,} of {total:,} pairs ({share:.0%})",
            consequence=f"A reward model learns to count words, and the policy to be {'wordy' if word == 'longer' else 'terse'}.",
            remedy=f"Add pairs in which the {'shorter' if word == 'longer' else 'longer'} answer wins, or normalise for length.",
            confidence=0.95,
            split=some.split.name,
            subject="length",
            evidence={"pairs": total, f"{word}_preferred": most, "share": digits(share, 3)},
            exact=some.exact,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give pairs two equal answers: 1 % of the training split and three at least, 20 % at full strength."""
        import pandas as pd

        if column_of(clean, "chosen") is None or column_of(clean, "rejected") is None or turns_of(clean):
            return None
        split = "train" if "train" in clean.tables else next(iter(clean.tables))
        table = clean.tables[split]
        count = max(3, round((0.01 + 0.19 * strength) * len(table)))
        rows = sorted(int(row) for row in rng.choice(len(table), count, replace=False))
        worse = table["rejected"].tolist()
        for row in rows:
            worse[row] = table["chosen"].iloc[row]
        table = table.assign(rejected=pd.Series(worse, index=table.index, dtype=object))
        data = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(data, split=split, rows={split: frozenset(rows)})


def _sides(dialogue: Dialogue) -> tuple[str | None, str, str]:
    """What is asked, and both answers; None where they answer different questions."""
    question = [turn.text for turn in dialogue.turns[: len(dialogue.turns) - len(dialogue.chosen)]]
    better, worse = ([turn.text for turn in side] for side in (dialogue.chosen, dialogue.rejected or ()))
    while better and worse and better[0] == worse[0]:
        question.append(better.pop(0))
        worse.pop(0)
    # Whole conversations that part before the answer are about different things.
    apart = {
        turn.role
        for side in (dialogue.chosen[-len(better) :], (dialogue.rejected or ())[-len(worse) :])
        for turn in side[:1]
    }
    asked = None if better and worse and apart != {"assistant"} else _plain("\n".join(question))
    return asked, _plain("\n".join(better)), _plain("\n".join(worse))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _length(turns: Iterable[Turn]) -> int:
    return sum(len(turn.text) for turn in turns if turn.role == "assistant")
