"""ORD107 contiguous-groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    FILE_NAMES,
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    Key,
    Measurement,
    Planted,
    Profile,
    Reading,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    digits,
    group_keys,
    names_a_source,
)
from datalint_rules._shared.series import series_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class ContiguousGroups(Rule):
    """Samples of one source (patient, device, video, augmented copies) stored as blocks, so that a random split would leak.

    Each column of names or keys, and the file names without their last number, is tried as the key: neighbours of one
    value are counted and compared with what a shuffle gives. Near-identical neighbours are counted as well, for sources
    that no column names. The finding proposes the key that explains the blocks. The label, times and row numbers are no
    keys.

    ## Why it hurts

    Sequential batches hold one source. And a split of the rows at random puts samples of nearly every source on both
    sides: the test score then says how well the model knows its sources.

    ## How to fix it

    Shuffle for training, and split by the key: ``GroupShuffleSplit`` or ``StratifiedGroupKFold``.

    ## When it is wrong

    Where the rows are series that lie one after the other, each in the order of its time: then it is info. Where the blocks are of a category that has nothing to do with the source of the samples, such as an alphabetical
    list of towns.

    ## Reference

    37 reasons, items 7 and 15. Wald and Wolfowitz, 1940 (runs). No peer looks at the order of columns.
    """

    code = "ORD107"
    name = "contiguous-groups"
    severity: ClassVar[Severity] = "warning"
    item = "7, 15"
    of_whole = True
    searches = frozenset({"table"})
    follows = ("SPL107",)
    public = frozenset(
        {
            "key",
            "sources",
            "runs",
            "runs_if_shuffled",
            "neighbours_of_one_source",
            "torn_by_random_split",
            "neighbouring_pairs",
            "pairs",
            "neighbouring_if_shuffled",
            "samples",
        }
    )
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        together: float = Field(
            0.8, gt=0, le=1, description="Share of the samples of one source that must follow each other."
        )
        near: float = Field(
            0.05, gt=0, le=1, description="Share of samples with a near-identical neighbour from which it is a warning."
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """The coordinated sample with its positions."""
        return (Sample.reading("labels", "table", "header"),)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split that is trained on: the best key first, near-identical neighbours where no key explains them."""
        large = [split for split in profile.trained if len(split.rows) >= 40]
        if not large:
            raise Skip("fewer than 40 samples")
        for split in large:
            judged = [self._judge(profile, split, key) for key in group_keys(profile.dataset, [split])]
            found = sorted((item for item in judged if item is not None), key=lambda item: item[0], reverse=True)
            if found:
                yield found[0][1]
                continue
            pictured = profile.dataset.modality == "table" or split.rows.pictures is not None
            neighbours = self._neighbours(profile, split) if pictured else None
            if neighbours is not None:
                yield neighbours

    def _judge(self, profile: Profile, split: SplitProfile, key: Key) -> tuple[tuple[bool, float], Found] | None:
        files = key.name == FILE_NAMES
        loose = len(profile.splits) == 1
        if files and not loose:
            return None  # files are read in the order of their names, and the split is already made
        codes = key.codes
        known = codes >= 0
        n, counts = len(codes), key.counts
        together = int(((codes[1:] == codes[:-1]) & known[1:] & known[:-1]).sum())
        most = int(counts.sum() - len(counts))
        # After a shuffle each of the n - 1 neighbours is one of the pairs of equal values; nearly Poisson.
        shuffled = float((counts * (counts - 1.0)).sum()) / n
        if together < self.params.together * most or together < shuffled + 10 * np.sqrt(shuffled + 1):
            return None
        # Few large blocks of a category leave little to a shuffle, too.
        if most - shuffled < 0.5 * most:
            return None
        runs = 1 + int((codes[1:] != codes[:-1]).sum())
        where = "file names" if files else f"column {key.name!r}"
        torn = float((1 - 0.8**counts - 0.2**counts).sum())
        groups = "the names without their last number" if files else f"{key.name!r}"
        panel = not files and series_of(profile.dataset, split.rows, codes)
        found = Found(
            message=(
                f"samples of one source lie together by the {where}: {len(counts):,} sources in {runs:,} runs, "
                f"about {n - shuffled:,.0f} if shuffled"
                + (f"; a random split 80 to 20 would tear about {torn:,.0f} of them apart" if loose else "")
            ),
            consequence="Sequential batches hold one source, and a random split puts nearly every source on both sides.",
            remedy=f"Keep the order of each series, and split by time, or by series: GroupShuffleSplit with {groups} as groups."
            if panel
            else f"Shuffle for training, and split by source: GroupShuffleSplit with {groups} as groups.",
            severity=None
            if key.named and loose and not panel and key.name not in profile.dataset.stored_by
            else "info",
            confidence=0.95 if key.named else 0.7,
            split=split.name,
            column=None if files else key.name,
            subject=key.name,
            evidence={
                "key": key.name,
                "sources": len(counts),
                "runs": runs,
                "runs_if_shuffled": digits(n - shuffled, 4),
                "neighbours_of_one_source": digits(together / most, 3),
                "torn_by_random_split": digits(torn, 3),
                "examples": list(key.values[:5]),
            },
            count=split.samples,
            exact=split.rows.complete,
        )
        return (key.named, together / most), found

    def _neighbours(self, profile: Profile, split: SplitProfile) -> Found | None:
        """Near-identical samples right after each other, far more than a shuffle gives."""
        near = profile.near
        if near.reason is not None or split.name not in near.splits:
            return None
        pairs = near.within(split.name)
        if len(pairs) < 5:
            return None
        # Ranks among the sampled rows: neighbours in the sample are near each other in the split.
        gap = np.abs(near.second[pairs] - near.first[pairs])
        close = pairs[gap <= 2]
        n = len(split.rows)
        shuffled = len(pairs) * 4 / n
        if len(close) < 5 or len(close) < 0.5 * len(pairs) or len(close) < 3 * shuffled + 5 * np.sqrt(shuffled):
            return None
        rows, names, words = near.listed(profile.dataset, close)
        serious = len(rows) >= self.params.near * n and len(profile.splits) == 1
        return Found(
            message=(
                f"{len(rows):,} of {n:,} samples follow a near-identical one, as frames or augmented versions do: "
                f"{len(close):,} of {len(pairs):,} near-identical pairs lie next to each other, "
                f"about {shuffled:,.1f} if shuffled"
            ),
            consequence="A random split puts near-identical samples on both sides, so the test score measures memory.",
            remedy="Split by source before anything else, and take one sample of each run for the test.",
            severity=None if serious else "info",
            confidence=0.9,
            split=split.name,
            subject="near-identical neighbours",
            evidence={
                "neighbouring_pairs": len(close),
                "pairs": len(pairs),
                "neighbouring_if_shuffled": digits(shuffled, 3),
                "samples": len(rows),
            },
            cases=Cases(split.name, near.places.take(rows), {"near": names, "comparison": words}),
            exact=split.rows.complete,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Sort a table by its source; at low strength a tenth of the rows stays elsewhere."""
        if [*clean.tables] != ["all"]:
            return None
        table = clean.tables["all"]
        keys = [c for c in table.columns if c != clean.label and names_a_source(str(c)) and table[c].duplicated().any()]
        if not keys:
            return None
        order = np.argsort(rng.permutation(table[keys[0]].nunique())[table[keys[0]].factorize()[0]], kind="stable")
        stray = np.flatnonzero(rng.random(len(order)) < 0.06 * (1 - strength))
        order[stray] = order[rng.permutation(stray)]
        faulty = table.iloc[order].reset_index(drop=True)
        return Planted(Clean(clean.name, {"all": faulty}, clean.label), column=str(keys[0]))
