"""DUP101 exact-duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Contents,
    Dataset,
    Field,
    Found,
    Measurement,
    Places,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    ZeroSamples,
    coincidences,
    digits,
    firsts,
    plural,
    quoted,
)
from datalint_rules._shared.duplicate_plants import repeat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import JsonValue


FEW = 3
"""Fewer copies than this weigh next to nothing, whatever their share of a small table."""

NATURAL = 1 / 3
"""
Share of the repeats that near coincidences explain from which all of them may be coincidences: they explain too few where
columns hang together, and next to none of copies among measured values.
"""


class ExactDuplicates(Rule):
    """Samples of a split that repeat an earlier one: rows with the same values and label, images with the same content.

    Ids and row numbers are left out of the comparison, all-zero samples are VAL101's, rows without a number VAL103's, silent
    recordings AUD103's, and unreadable files are no copies of each other. Every sample is compared while the hashes fit the memory budget; beyond it
    the number is an estimate from a uniform sample of the contents, and the finding gives its interval. In tables of coarse values rows coincide
    by themselves, as the many that differ in one column alone show: the finding says so, and is then only info.

    ## Why it hurts

    A repeated sample counts twice in the loss, the class balance and every validation score; a random split of the data
    puts copies on both sides, so that a model which remembers looks like one that generalises.

    ## How to fix it

    Keep one of each: `DataFrame.drop_duplicates()` on the columns without ids, before the split. Then find out why they
    are there: a file read twice, a join that multiplies rows, or oversampling that was saved.

    ## When it is wrong

    Where the same observation can be made twice, such as survey answers or counts: the repetition is part of the
    distribution. The finding says so where that is known.

    ## Reference

    37 reasons, item 1. Lee et al. 2022, "Deduplicating training data makes language models better". Deepchecks'
    DataDuplicates and pandas count ids and coincidences as well.
    """

    code = "DUP101"
    name = "exact-duplicates"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    repair = "drop-copies"
    follows: ClassVar[tuple[str, ...]] = ("IMG106:samples", "ORD104:samples")
    public = frozenset({"repeated", "distinct_repeated", "share", "explained_by_coarse_values"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.01, ge=0, le=1, description="Share of repeated samples from which it is a warning.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The hashes of all samples; of a table also which rows are zero and how coarse its values are, of sound what is silent."""
        if dataset.modality == "table":
            return (Contents, Sample, ZeroSamples)
        return (Contents, ZeroSamples) if dataset.modality == "audio" else (Contents,)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split."""
        if profile.dataset.redrawn:
            raise Skip("the sampler draws with replacement, so duplicates are meant", applies=False)
        if profile.dataset.modality == "table" and not profile.content_names:
            raise Skip("the table has no column but the label and ids", applies=False)
        copies = profile.copies
        noun = {"table": "rows", "images": "images", "audio": "recordings"}[profile.dataset.modality]
        noun = noun if profile.dataset.conversation is None else "conversations"
        alike = _alike(profile)
        for number, split in enumerate(profile.splits):
            mine = copies.of_split(number)
            zeros = split.measured.get(ZeroSamples)
            if isinstance(zeros, ZeroSamples):
                mine = mine[~np.isin(copies.places.content[mine], zeros.places.content)]
            # An image under two labels is one image; a row under two labels is an observation that differs (LBL106).
            content = copies.inputs[mine] if profile.dataset.modality != "table" else copies.places.content[mine]
            first = firsts(content)
            again = np.flatnonzero(first != np.arange(len(mine)))
            if len(again) == 0:
                continue
            again = again[np.argsort(copies.places.row[mine[again]])]
            count = copies.estimate(len(again))
            groups = len(np.unique(content[again]))
            share = count / split.samples
            natural = 0.0
            if profile.dataset.modality == "table":
                natural = coincidences(split, sorted(profile.content_names), profile.sentence_names)
            about, span = "", ""
            if not copies.exact:
                low, high = copies.interval(groups, len(again))
                about, span = "about ", f"; estimated, 95 % interval {low:,} to {high:,}"
            # One row may well be there twice; that two files are equal is no chance.
            few = count < FEW and profile.dataset.modality == "table"
            chance = "; values this coarse make rows coincide by themselves" if natural >= NATURAL else ""
            yield Found(
                message=(
                    f"{about}{count:,} of {split.samples:,} {noun} repeat an earlier one {alike} ({digits(100 * share, 2):g} %)"
                    f"{span}{chance}"
                ),
                consequence="Copies weigh double in the loss and the scores, and a random split puts them on both sides.",
                remedy="Keep one of each before splitting, and find out where the duplicates come from.",
                severity="info" if natural >= NATURAL or share < self.params.share or few else None,
                confidence=0.6 if natural >= NATURAL else 0.99,
                split=split.name,
                evidence={
                    "repeated": count,
                    "distinct_repeated": copies.estimate(groups),
                    "share": digits(share, 3),
                    "explained_by_coarse_values": digits(min(natural, 1.0), 2),
                },
                cases=Cases(
                    split.name,
                    copies.places.take(mine[again]),
                    self._originals(profile, copies.places.take(mine[first[again]])),
                ),
                count=count,
                exact=copies.exact,
            )

    def _originals(self, profile: Profile, places: Places) -> dict[str, Sequence[JsonValue]]:
        """The samples that are repeated, by their position; images also as files to open."""
        rows = [int(row) for row in places.row]
        if profile.dataset.modality == "table":
            return {"repeats_index": rows}
        parts = profile.dataset.partitions
        pairs = zip(places.part, places.line, strict=True)
        return {"repeats": [parts[int(part)].sample_id(int(line)) for part, line in pairs], "repeats_index": rows}

    def coverage(self, profile: Profile) -> str:
        """All samples, or a sample of the contents."""
        return profile.copies.coverage

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Repeat samples: 2 % of the training split and three at least, a fifth of it at full strength."""
        return repeat(clean, 0.02 + 0.18 * strength, rng)


def _alike(profile: Profile) -> str:
    """What "the same" means: keys are not compared, so a table with keys may hold rows that differ in these."""
    keys = [field.name for field in profile.dataset.fields if field.role == "id"]
    if not keys or profile.dataset.modality != "table" or profile.dataset.conversation is not None:
        return "exactly"
    return f"with the {plural('key', len(keys))} {quoted(keys)} left out"
