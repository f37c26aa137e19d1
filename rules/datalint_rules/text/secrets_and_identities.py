"""TXT106 secrets-and-identities."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Found,
    Planted,
    Profile,
    Rule,
    Sample,
    Severity,
    counted,
    digits,
    pattern_of_secrets,
    secrets_in,
)
from datalint_rules.text._columns import text_columns
from datalint_rules.text._planting import spoiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.author import Secret
    from datalint_rules.text._columns import TextColumn


KINDS = ("key", "mail address", "phone number", "card number", "bank account", "person's number")


class SecretsAndIdentities(Rule):
    """Keys, mail addresses, and numbers of phones, cards, accounts and persons in texts.

    Keys are known by how those who hand them out begin them, cards and accounts by their check digits; chance alone, as in
    hashes, is no key. Addresses that belong to nobody, such as those at ``example.com``, do not count. None is shown in full,
    in any format of the report.

    ## Why it hurts

    Language models learn such strings by heart and say them to strangers. A key that was published is a break-in; addresses
    and numbers of persons may not be passed on in many countries.

    ## How to fix it

    Replace them by words for their kind (``<mail>``), and have keys withdrawn: they were seen already.

    ## When it is wrong

    Where they are public on purpose, such as the addresses of offices.

    ## Reference

    37 reasons, item 6. Carlini et al., "Extracting training data from large language models", 2021; BigCode's filter of the
    Stack.
    """

    code = "TXT106"
    name = "secrets-and-identities"
    severity: ClassVar[Severity] = "info"
    item = "6"
    modalities = frozenset({"table", "audio"})
    public = frozenset({"texts", "share", "kinds", *KINDS})
    measures = (Sample,)
    sampled = True

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every column of sentences in every split."""
        for column in text_columns(profile):
            hits = _found(column)
            if not hits:
                continue
            kinds = Counter(secret.kind for own in hits.values() for secret in own)
            example = {secret.kind: secret.masked for own in reversed([*hits.values()]) for secret in own}
            told = ", ".join(f"{counted(count, kind)} such as {example[kind]}" for kind, count in kinds.most_common(4))
            rows = sorted(hits)
            yield Found(
                message=f"{len(rows):,} of {column.counted} texts of {column.name!r} hold {told}",
                consequence="Models learn such strings by heart, and say them to strangers.",
                remedy="Replace them by words for their kind, and have keys withdrawn.",
                severity="info",
                confidence=0.9,
                split=column.split,
                column=column.name,
                evidence={
                    "texts": len(rows),
                    "share": digits(len(rows) / len(column.texts), 3),
                    "kinds": dict(kinds),
                },
                cases=Cases(
                    column.split,
                    column.places.take(np.array(rows, np.int64)),
                    {"found": [", ".join(sorted({secret.masked for secret in hits[row]})) for row in rows]},
                ),
                exact=column.complete,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Put a mail address, a key or the number of a card into 1 % of the texts, 10 % at full strength."""
        some = (
            "Write to marta.olsen@nordlicht-verlag.no about it.",
            "My key is AKIA" + "Q3RT7ZPL2MVX8WKD.",
            "Charge it to 4539 1488 0343 6467.",
            "Call me on +49 30 8871 2290.",
        )

        def told(text: str) -> str:
            return f"{text} {some[int(rng.integers(len(some)))]}"

        return spoiled(clean, 0.01 + 0.09 * strength, rng, told)


def _found(column: TextColumn) -> dict[int, list[Secret]]:
    """The texts in which there is one, each with what there is."""
    likely = column.hits(pattern_of_secrets())
    found = {row: list(secrets_in(str(column.texts[row]))) for row in likely}
    return {row: own for row, own in found.items() if own}
