"""TXT103 length-outliers."""

from __future__ import annotations

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
    training,
)
from datalint_rules.text._columns import TextColumn, text_columns
from datalint_rules.text._planting import spoiled, text_column

if TYPE_CHECKING:
    from collections.abc import Iterator


class LengthOutliers(Rule):
    """Texts far longer or shorter than the others, and texts that were all cut off at one length.

    Compares the logarithm of the length with the middle half of all. Some long texts are usual, so this is info unless one
    is a hundred times as long as the typical text. Cut off: the largest length is far more frequent than those just below
    it, and most of these texts end within a word.

    ## Why it hurts

    A batch is padded to its longest text, so one of a hundred times the length takes a hundred times the memory, or is cut
    off. Cut texts lack what they were going to say, which may be what decides the label.

    ## How to fix it

    Look at the listed texts: several documents in one field, an open quote, or a dump. Fetch cut texts again in full.

    ## When it is wrong

    Where lengths differ as much by nature, such as titles and books.

    ## Reference

    37 reasons, item 1. Deepchecks reports outliers of text properties; no peer finds a common cut.
    """

    code = "TXT103"
    name = "length-outliers"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"table", "audio"})
    public = frozenset({"typical_length", "long", "short", "texts", "share", "within_a_word"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        # Lengths are close to lognormal: 6 deviations come up once in 500 million texts.
        deviations: float = Field(
            6.0, gt=3, description="Robust deviations of the log length from which it is an outlier."
        )
        times: float = Field(100.0, gt=1, description="Multiple of the typical length that is a warning.")
        cut: float = Field(0.02, gt=0, le=1, description="Share of texts of the largest length that may be a cut.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every column of sentences in every split."""
        for column in text_columns(profile):
            if column.present.sum() < 50:
                continue
            cut = self._cut(column)
            if cut is not None:
                yield cut
            outliers = self._outliers(column)
            if outliers is not None:
                yield outliers

    def _outliers(self, column: TextColumn) -> Found | None:
        logs = np.log(np.maximum(column.lengths, 1))
        typical = float(np.median(logs[column.present]))
        spread = float(np.subtract(*np.quantile(logs[column.present], [0.75, 0.25]))) / 1.35
        # Texts of nearly one length would make every other one an outlier: fourfold is the least that counts.
        limit = max(self.params.deviations * spread, np.log(4))
        away = np.where(column.present, np.abs(logs - typical), 0)
        rows = np.flatnonzero(away > limit)
        long = logs > typical
        if len(rows) == 0 or len(rows) > 0.05 * len(logs):
            return None  # many are a second kind of text, not outliers
        rows = rows[np.argsort(-away[rows], kind="stable")]
        worst = int(rows[0])
        times = float(np.exp(logs - typical)[rows].max())
        return Found(
            message=(
                f"{len(rows):,} of {column.counted} texts of {column.name!r} are of unusual length: "
                f"{int(column.lengths[worst]):,} characters where {np.exp(typical):,.0f} are typical"
            ),
            consequence="A batch is padded to its longest text, or that is cut off.",
            remedy="Look at the listed texts: several documents in one field, an open quote, or a dump.",
            severity="warning" if times >= self.params.times else "info",
            confidence=0.95,
            split=column.split,
            column=column.name,
            subject="outliers",
            evidence={
                "typical_length": digits(float(np.exp(typical)), 3),
                "longest": int(column.lengths.max()),
                "long": int(long[rows].sum()),
                "short": int((~long[rows]).sum()),
            },
            cases=Cases(column.split, column.places.take(rows), {"length": [int(column.lengths[row]) for row in rows]}),
            exact=column.complete,
        )

    def _cut(self, column: TextColumn) -> Found | None:
        longest = int(column.lengths.max())
        rows = np.flatnonzero(column.lengths == longest)
        below = int(((column.lengths >= 0.9 * longest) & (column.lengths < longest)).sum())
        usual = below / max(1.0, 0.1 * longest)
        if longest < 20 or len(rows) < max(10, self.params.cut * len(column.texts), 10 * usual):
            return None
        inside = sum(str(column.texts[row])[-1:].isalnum() for row in rows)
        if inside < 0.5 * len(rows):
            return None  # people write up to a limit, but end their sentences
        share = len(rows) / len(column.texts)
        return Found(
            message=(
                f"{len(rows):,} of {column.counted} texts of {column.name!r} are cut off at {longest:,} characters "
                f"({share:.1%})"
            ),
            consequence="What the text was going to say is missing, which may be what decides the label.",
            remedy="Fetch the texts again in full; look for a field of limited width on their way.",
            severity="warning",
            confidence=0.95,
            split=column.split,
            column=column.name,
            subject="cut",
            evidence={"length": longest, "texts": len(rows), "share": digits(share, 3), "within_a_word": inside},
            cases=Cases(column.split, column.places.take(rows)),
            exact=column.complete,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Repeat three texts of the training split to 150 times the typical length; 400 times at full strength."""
        column = text_column(clean)
        if column is None:
            return None
        length = clean.tables[training(clean)][column].astype(str).str.len().median() * (150 + 250 * strength)
        return spoiled(clean, 0, rng, lambda text: " ".join([text] * (1 + int(length / max(1, len(text))))))
