"""TXT101 empty-text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    digits,
    training,
)
from datalint_rules.text._columns import text_columns
from datalint_rules.text._planting import spoiled

if TYPE_CHECKING:
    from collections.abc import Iterator


class EmptyText(Rule):
    """Texts with nothing to read: missing, blank, without a letter or digit, or a word that stands for nothing ("n/a", "[deleted]").

    A few are info; from one in a hundred on it is a warning, where the text is the only input, and from one in five where
    there are other features, gaps not counted. A column in which most of them say "none" is only info: it is an answer.

    ## Why it hurts

    An empty text carries a label but nothing to learn it from. Tokenisers turn it into padding alone, over which attention
    and averages divide by zero.

    ## How to fix it

    Drop these rows, or find out where the texts were lost.

    ## When it is wrong

    Where leaving a text out means something, such as a review without words; then make it a feature of its own.

    ## Reference

    37 reasons, item 1. Gaps in columns of numbers and categories are VAL103's.
    """

    code = "TXT101"
    name = "empty-text"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"table", "audio"})
    public = frozenset({"empty", "missing", "share"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        alone: float = Field(
            0.01, ge=0, le=1, description="Share of empty texts that is a warning without other features."
        )
        beside: float = Field(
            0.2, ge=0, le=1, description="The same where there are other features, of stand-ins alone."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every column of sentences in every split."""
        # Between texts stands a zero character, which is no letter either.
        nothing = re.compile(
            r"(?<![^\x00])(?:(?:[^\w\x00]|_)*"
            r"|[^\w\x00]*(?:n\.?/?a\.?|none|null|nan|nil|empty|missing|unknown|deleted|removed|no text|tbd|todo)[^\w\x00]*)"
            r"(?![^\x00])",
            re.IGNORECASE,
        )
        if profile.dataset.conversation is not None:
            raise Skip("empty turns of conversations are judged by CHT102", applies=False)
        for column in text_columns(profile):
            others = [f for f in profile.dataset.fields if f.role in {"feature", "text"} and f.name != column.name]
            hits = set(column.hits(nothing))
            empty = np.array([row in hits for row in range(len(column.texts))], np.bool_) | ~column.present
            count = int(empty.sum())
            if count == 0:
                continue
            share = count / len(column.texts)
            lost = int((~column.present).sum())
            # Written out in most of them, "none" and its like are an answer.
            meant = _answers(column.texts[np.flatnonzero(empty & column.present)].tolist()) > count / 2
            # With other features the gaps are VAL103's; what stands in for a text is not seen there.
            weighed = (count - lost) / len(column.texts) if others else share
            loud = weighed >= (self.params.beside if others else self.params.alone) and count > 1 and not meant
            words = column.texts[np.flatnonzero(empty & column.present)]
            such = f", {count - lost:,} of them with a stand-in such as {str(words[0])[:20]!r}" if len(words) else ""
            yield Found(
                message=f"{count:,} of {column.counted} texts of {column.name!r} are empty ({share:.2%}){such}",
                consequence="They teach a label from nothing, and padding alone divides by zero in some models.",
                remedy="Drop these rows, or find out where the texts were lost.",
                severity="warning" if loud else "info",
                confidence=0.98,
                split=column.split,
                column=column.name,
                evidence={"empty": count, "missing": lost, "share": digits(share, 3)},
                cases=Cases(column.split, column.places.take(empty)),
                exact=column.complete,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Empty texts of the training split, or put stand-ins there: 2 % (22 % with other features); 20 % more at full."""
        others = bool(clean.tables) and clean.tables[training(clean)].shape[1] - (clean.label is not None) > 1
        least = 1.1 * cls.Params().beside if others else 0.02
        # With other features gaps count as VAL103's fault, and blanks are read as gaps.
        words = ["N/A", "[deleted]", "...", "-", *([] if others else [None, "", "   "])]
        return spoiled(clean, least + 0.2 * strength, rng, lambda _: words[int(rng.integers(len(words)))])


def _answers(texts: list[object]) -> int:
    """How many texts are a word for "nothing to report"."""
    return sum(str(text).strip(" .").casefold() in {"none", "nothing", "nil", "unknown", "no"} for text in texts)
