"""TXT104 markup-leftovers."""

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
)
from datalint_rules.text._columns import is_code, shown, text_columns
from datalint_rules.text._planting import spoiled

if TYPE_CHECKING:
    from collections.abc import Iterator


class MarkupLeftovers(Rule):
    """Texts that still hold what a page or a program put there: HTML tags and entities, or placeholders such as {{name}}.

    A column in which nearly every text holds tags is a corpus of markup, which is info. Texts that are code are passed over.

    ## Why it hurts

    Tags and entities are tokens without meaning that come from one source or layout, so they reveal where a text is from
    rather than what it says. A placeholder shows that a template was never filled in: the text is no text.

    ## How to fix it

    Take the text out of the page with a parser (not a pattern), ``html.unescape`` entities, and drop or fill templates.

    ## When it is wrong

    Where markup is what is to be learned.

    ## Reference

    37 reasons, items 1 and 5. Among its peers only text cleaners (clean-text, ftfy) look for markup, and remove it unseen.
    """

    code = "TXT104"
    name = "markup-leftovers"
    severity: ClassVar[Severity] = "warning"
    item = "1, 5"
    modalities = frozenset({"table", "audio"})
    public = frozenset({"texts", "share", "tags", "entities", "placeholders"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        # Single texts are about markup; a page that was scraped leaves it in many.
        share: float = Field(0.005, ge=0, le=1, description="Share of texts with leftovers from which it is a warning.")
        corpus: float = Field(0.9, gt=0, le=1, description="Share from which the column is markup by nature: info.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every column of sentences in every split."""
        if profile.dataset.conversation is not None:
            raise Skip("tags and placeholders are what many conversations are about", applies=False)
        patterns = _patterns()
        for column in text_columns(profile):
            hits = {kind: column.hits(pattern) for kind, pattern in patterns.items()}
            code = {row for row in set().union(*hits.values()) if is_code(str(column.texts[row]))}
            hits = {kind: {row: what for row, what in found.items() if row not in code} for kind, found in hits.items()}
            rows = np.array(sorted(set().union(*hits.values())), np.int64)
            if len(rows) == 0:
                continue
            share = len(rows) / len(column.texts)
            parts = [
                f"{len(found):,} with {kind} such as {shown(next(iter(found.values())), 30)!r}"
                for kind, found in hits.items()
                if found
            ]
            loud = self.params.share <= share < self.params.corpus and len(rows) > 1
            yield Found(
                message=(
                    f"{len(rows):,} of {column.counted} texts of {column.name!r} hold leftovers of markup ({share:.2%}): "
                    f"{', '.join(parts)}"
                ),
                consequence="These tokens reveal where a text is from rather than what it says.",
                remedy="Take the text out with an HTML parser and html.unescape; drop or fill templates.",
                severity="warning" if loud else "info",
                confidence=0.95,
                split=column.split,
                column=column.name,
                evidence={
                    "texts": len(rows),
                    "share": digits(share, 3),
                    **{k: len(found) for k, found in hits.items()},
                },
                cases=Cases(
                    column.split,
                    column.places.take(rows),
                    {
                        "found": [
                            shown(next(found[int(row)] for found in hits.values() if int(row) in found)) for row in rows
                        ]
                    },
                ),
                exact=column.complete,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Put tags, entities or a placeholder into one text in 50 of the training split; one in 5 at full strength."""
        ways = (
            "<p>{}</p>",
            "{}<br />",
            "{} &amp; more",
            "Dear {{{{name}}}}, {}",
            '<a href="x.html">{}</a>',
            "{}&nbsp;",
        )

        def marked(text: str) -> str:
            return ways[int(rng.integers(len(ways)))].format(text)

        return spoiled(clean, 0.02 + 0.18 * strength, rng, marked)


def _patterns() -> dict[str, re.Pattern[str]]:
    names = (
        "a|abbr|article|b|blockquote|body|br|button|center|code|dd|div|dl|dt|em|font|footer|form|h[1-6]|head|header|hr|html|i|"
        "iframe|img|input|li|link|main|meta|nav|ol|option|p|pre|s|script|section|select|small|span|strong|style|sub|sup|table|"
        "tbody|td|textarea|th|thead|title|tr|u|ul|video"
    )
    return {
        # A tag that closes, or whose name is followed by its end or by an attribute: "a < b > c" is none.
        "tags": re.compile(
            rf"</(?:{names})\s*>|<(?:{names})\s*/?>|<(?:{names})\s+[\w:-]+\s*=[^<>\x00]{{1,400}}>|<!--|<!doctype",
            re.IGNORECASE,
        ),
        "entities": re.compile(
            r"&(?:amp|lt|gt|quot|apos|nbsp|ndash|mdash|hellip|[lr][sd]quo|copy|reg|trade|bull|middot|euro|pound|"
            r"[a-zA-Z](?:uml|acute|grave|circ|tilde|cedil|ring|slash)|szlig|#\d{2,6}|#[xX][0-9a-fA-F]{2,5});"
        ),
        "placeholders": re.compile(
            r"\{\{[^{}\x00]{1,60}\}\}|\{%[^{}%\x00]{1,80}%\}|\$\{[A-Za-z_][\w.]{0,40}\}|<%=?[^%<>\x00]{1,80}%>|%\([A-Za-z_]\w{0,40}\)[sdf]"
            r"|\[(?:insert|your|first|last|customer|company) [a-z ]{2,30}\]|\blorem ipsum\b",
            re.IGNORECASE,
        ),
    }
