"""TXT105 mixed-scripts."""

from __future__ import annotations

import re
import unicodedata
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
from datalint_rules.text._planting import spoiled

if TYPE_CHECKING:
    from collections.abc import Iterator


class MixedScripts(Rule):
    """Words of two alphabets: Cyrillic or Greek letters that look like Latin ones within a Latin word, or the other way round.

    Counts only words in which all the foreign letters have a lookalike, so that units, formulas and loan words with a
    native ending are left alone.

    ## Why it hurts

    The word looks right and is another string: it gets a token of its own, that was hardly ever seen. Such letters come
    from scanned books, from typing on two keyboards, and from people who evade filters, whom they then give away.

    ## How to fix it

    Replace the look-alikes by the letters of the alphabet that the rest of the word is in.

    ## When it is wrong

    Where evading a filter is what is to be learned.

    ## Reference

    37 reasons, item 1; Unicode Technical Standard 39, "Unicode security mechanisms", on confusable letters. No peer looks
    for them.
    """

    code = "TXT105"
    name = "mixed-scripts"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"table", "audio"})
    public = frozenset({"texts", "share"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        # Single texts are slips of one hand.
        share: float = Field(
            0.005, ge=0, le=1, description="Share of texts with such words from which it is a warning."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every column of sentences in every split."""
        pattern, other = _pattern(), re.compile("[\u0370-\u04ff]")
        for column in text_columns(profile):
            if not other.search(column.joined[0]):
                continue  # most texts are of one alphabet, which is a quick check
            hits = column.hits(pattern, _confused)
            if not hits:
                continue
            rows = np.array(sorted(hits), np.int64)
            share = len(rows) / len(column.texts)
            word = hits[int(rows[0])]
            yield Found(
                message=(
                    f"{len(rows):,} of {column.counted} texts of {column.name!r} hold words of two alphabets ({share:.2%}), "
                    f"such as {word!r} with {_foreign(word)}"
                ),
                consequence="The word looks right and is another string, with a token that was hardly ever seen.",
                remedy="Replace the lookalike letters by those of the alphabet of the word.",
                severity="warning" if share >= self.params.share and len(rows) > 1 else "info",
                confidence=0.95,
                split=column.split,
                column=column.name,
                evidence={"texts": len(rows), "share": digits(share, 3), "words": [*sorted(set(hits.values()))[:20]]},
                cases=Cases(column.split, column.places.take(rows), {"word": [hits[int(row)] for row in rows]}),
                exact=column.complete,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Make the vowels of one text in 50 Cyrillic ones that look the same; of one in 5 at full strength."""
        table = str.maketrans({"a": "\u0430", "e": "\u0435", "o": "\u043e"})
        return spoiled(clean, 0.02 + 0.18 * strength, rng, lambda text: text.translate(table))


# Letters of the other alphabet by their Latin lookalike: Cyrillic, then Greek.
_TWINS = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405",
        "aeopcyxijsABEKMHOPCTXIJS",
        strict=True,
    )
) | dict(
    zip(
        "\u03bf\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
        "oABEZHIKMNOPTYX",
        strict=True,
    )
)


def _pattern() -> re.Pattern[str]:
    """Words that change alphabet."""
    other = "\u0370-\u03ff\u0400-\u04ff"
    return re.compile(f"[A-Za-z{other}]*(?:[A-Za-z][{other}]|[{other}][A-Za-z])[A-Za-z{other}]*")


def _confused(match: re.Match[str]) -> bool:
    """Whether a word of three letters or more is of one alphabet but for look-alikes, which are fewer."""
    word = match[0]
    latin = [letter for letter in word if letter.isascii()]
    other = [letter for letter in word if not letter.isascii()]
    if len(word) < 3:
        return False
    if len(latin) >= len(other):
        return all(letter in _TWINS for letter in other)
    return set(latin) <= set(_TWINS.values())


def _foreign(word: str) -> str:
    latin = sum(letter.isascii() for letter in word)
    rare = [letter for letter in word if letter.isascii() == (2 * latin < len(word))]
    names = dict.fromkeys(unicodedata.name(letter, "?").lower() for letter in rare)
    return ", ".join(list(names)[:2])
