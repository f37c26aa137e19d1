"""TXT107 mixed-language."""

from __future__ import annotations

from collections import Counter
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
    digits,
)
from datalint_rules.text._columns import text_columns
from datalint_rules.text._languages import language_of
from datalint_rules.text._planting import spoiled

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALLEST = 20
"""Texts of a known language by which the usual one is told."""


class MixedLanguage(Rule):
    """Texts in another language than most of their column.

    Scripts are told by their letters, languages in Latin letters by their commonest words; texts of fewer than eight words,
    code, and texts whose words fit several languages are not judged.

    ## Why it hurts

    A model of one language learns nothing from the others, and a tokenizer that was made for one spends many tokens on them.
    Where the language goes with the class or the split, it is what the model learns.

    ## How to fix it

    Leave them out, translate them, or balance the languages on purpose and tell them apart by a column.

    ## When it is wrong

    In sets of several languages; the finding is information only. Quotations may outweigh what stands around them.

    ## Reference

    37 reasons, item 6. NeMo Curator and data-juicer filter by language with fastText; here the commonest words decide.
    """

    code = "TXT107"
    name = "mixed-language"
    severity: ClassVar[Severity] = "info"
    item = "6"
    modalities = frozenset({"table", "audio"})
    public = frozenset({"texts", "share", "languages"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(
            0.02,
            ge=0,
            le=1,
            description="Share of texts in other languages that is mentioned: about one in 100 is misjudged.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every column of sentences; the usual language is that of all splits."""
        columns = list(text_columns(profile))
        told = [[language_of(text) if text else "" for text in column.texts.tolist()] for column in columns]
        usual: dict[str, Counter[str]] = {}
        for column, names in zip(columns, told, strict=True):
            usual.setdefault(column.name, Counter()).update(name for name in names if name)
        for column, names in zip(columns, told, strict=True):
            counts = usual[column.name]
            if counts.total() < SMALLEST:
                continue
            main = counts.most_common(1)[0][0]
            rows = [row for row, name in enumerate(names) if name not in {"", main}]
            if len(rows) < 2 or len(rows) < self.params.share * sum(map(bool, names)):
                continue
            others = Counter(names[row] for row in rows)
            said = ", ".join(f"{count:,} in {name}" for name, count in others.most_common(4))
            yield Found(
                message=(
                    f"{len(rows):,} of {column.counted} texts of {column.name!r} are in another language than "
                    f"{main}: {said}"
                ),
                consequence="A model and a tokenizer of one language learn little from the others.",
                remedy="Leave them out, or balance the languages on purpose and tell them apart by a column.",
                severity="info",
                confidence=0.85,
                split=column.split,
                column=column.name,
                evidence={
                    "texts": len(rows),
                    "share": digits(len(rows) / len(column.texts), 3),
                    "languages": dict(others),
                },
                cases=Cases(
                    column.split,
                    column.places.take(np.array(rows, np.int64)),
                    {"language": [names[row] for row in rows]},
                ),
                exact=column.complete,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Put German texts in the place of 4 % of those of the training split, 20 % at full strength."""
        who = ("Der Nachbar", "Die Lehrerin", "Ein Freund von mir", "Das Kind", "Der alte Mann", "Meine Schwester")
        what = ("hat das nicht gewollt", "ist mit dem Zug gefahren", "war auch bei der Feier", "wird es noch sehen")
        when = ("und das war schon nach dem Essen", "aber nur für einen Tag", "weil es in der Stadt zu laut ist")

        def german(text: str) -> str:
            first, then = (f"{who[int(rng.integers(6))]} {what[int(rng.integers(4))]}" for _ in range(2))
            return f"{first}, {when[int(rng.integers(3))]}. {then} und hat es nicht gesagt ({len(text)})."

        if any(isinstance(cell, list) for table in clean.tables.values() for cell in table.iloc[:1].to_numpy().ravel()):
            return None  # the other turns would outweigh one
        return spoiled(clean, 0.04 + 0.16 * strength, rng, german)
