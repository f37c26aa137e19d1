"""TXT102 broken-encoding."""

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
from datalint_rules.text._columns import shown, text_columns
from datalint_rules.text._planting import spoiled

if TYPE_CHECKING:
    from collections.abc import Iterator


class BrokenEncoding(Rule):
    """Texts that were read in the wrong encoding: "cafÃ©" for "café", "â€™" for an apostrophe, or replacement characters.

    Looks for runs of letters and signs that become one plausible character when they are written as Windows-1252 or
    Latin-1 and read as UTF-8, and for the replacement character. A single text in thousands is info.

    ## Why it hurts

    One word has two spellings, of which one is rare: the vocabulary grows by garbage, and what a replacement character
    stood for is lost. Where one source is broken and another is not, the garbage reveals the source, and often the label.

    ## How to fix it

    Read the source again as UTF-8; where that is gone, ``text.encode("cp1252").decode("utf-8")`` mends what is not lost
    (the package ftfy does it with care).

    ## When it is wrong

    In texts about encodings.

    ## Reference

    37 reasons, item 1. inspect-dataset decodes each text as a whole; here single runs count, so that one healthy accent
    next to them does not hide them, and a run must give a character that texts are likely to hold.
    """

    code = "TXT102"
    name = "broken-encoding"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"table", "audio"})
    public = frozenset({"texts", "replacement_characters", "share"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        # Pasted texts of single people: a broken source breaks all of its accents.
        share: float = Field(0.002, ge=0, le=1, description="Share of broken texts from which it is a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every column of sentences in every split."""
        pattern = _pattern()
        for column in text_columns(profile):
            hits = column.hits(pattern, _broken)
            if not hits:
                continue
            rows = np.array(sorted(hits), np.int64)
            share = len(rows) / len(column.texts)
            lost = sum("\ufffd" in hit for hit in hits.values())
            first = next((row for row in rows if "\ufffd" not in hits[row]), rows[0])
            text = str(column.texts[first])
            start = max(0, text.find(hits[int(first)]) - 15)
            mended = _mended(hits[int(first)])
            such = f"{hits[int(first)]!r} for {mended!r} in " if mended else ""
            gone = f"; {lost:,} hold replacement characters" if lost and lost < len(rows) else ""
            yield Found(
                message=(
                    f"{len(rows):,} of {column.counted} texts of {column.name!r} were read in the wrong encoding ({share:.2%}), "
                    f"such as {such}{shown(text[start:], 40)!r}{gone}"
                ),
                consequence="One word has two spellings, of which one is garbage, and it may reveal the source.",
                remedy="Read the source again as UTF-8, or mend the texts with ftfy.",
                severity="warning" if share >= self.params.share and len(rows) > 1 else "info",
                confidence=0.97,
                split=column.split,
                column=column.name,
                evidence={"texts": len(rows), "replacement_characters": lost, "share": digits(share, 3)},
                cases=Cases(column.split, column.places.take(rows), {"found": [hits[int(row)] for row in rows]}),
                exact=column.complete,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Read one text in 50 of those with accents in Windows-1252, after giving it an accent; 1 in 5 at full strength."""

        def garble(text: str) -> str:
            accented = text.replace("\ufffd", "") + " \u2013 in the caf\u00e9"
            return accented.encode().decode("cp1252", "replace")

        return spoiled(clean, 0.02 + 0.18 * strength, rng, garble)


_HIGH = "\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
"""What the second and later bytes of UTF-8 look like in Windows-1252 and Latin-1."""


def _pattern() -> re.Pattern[str]:
    return re.compile(f"[\u00c2-\u00df][{_HIGH}]|[\u00e0-\u00ef][{_HIGH}]{{2}}|[\u00f0-\u00f4][{_HIGH}]{{3}}|\ufffd+")


def _mended(found: str) -> str:
    """What the run was meant to be; empty where it is no broken character."""
    raw = bytearray()
    for letter in found:
        try:
            raw += letter.encode("latin-1" if ord(letter) < 256 else "cp1252")
        except UnicodeEncodeError:
            return ""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _broken(match: re.Match[str]) -> bool:
    """Whether a run is a broken character rather than a letter before a quotation mark."""
    found = match[0]
    if found[0] == "\ufffd":
        return True
    mended = _mended(found)
    if not mended or unicodedata.category(mended) in {"Cn", "Co", "Cc"}:
        return False
    if any("\u0080" <= letter <= "\u009f" for letter in found):
        return True  # control characters that no keyboard has
    if len(found) == 4 or "\u2000" <= mended <= "\u27bf" or "\u1e00" <= mended <= "\u1eff" or mended == "\ufeff":
        return True
    before, after = match.string[max(0, match.start() - 1) : match.start()], match.string[match.end() : match.end() + 1]
    if len(found) > 2 or ord(mended) >= 0x180:
        # Other scripts: their letters stand in rows. Alone it is a French letter before a quotation mark ("é »").
        return (
            "\u00c2" <= after <= "\u00ef"
            or "\u0080" <= before <= "\u00bf"
            or before
            in set(
                "\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u02dc\u2122\u0161\u203a\u0153\u0178\u20ac"
            )
        )
    # Two signs: capitals before closing quotes, dots and dashes are usual ("CAFÉ…").
    return found[1] not in "\u2019\u201d\u201c\u2018\u2026\u2013\u2014\u00bb\u203a\u00a0" or after.isalpha()
