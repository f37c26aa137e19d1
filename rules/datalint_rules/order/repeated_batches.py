"""ORD104 repeated-batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
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
    codes_of,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class RepeatedBatches(Rule):
    """A block of samples repeated back to back: the same contents again, in the same order, at a constant distance.

    All copies of a sample of the contents are placed, so a block that was written twice shows as many contents that come
    again after exactly as many rows. Blocks are distinguished from chance by their distance: copies that happen to exist, or rows
    of few distinct values, come again after all kinds of distances.

    ## Why it hurts

    A loader or an export that repeats its buffer feeds the same batch over and over: the loss falls on a few samples,
    and the epoch holds fewer samples than it counts.

    ## How to fix it

    Look for a loop that does not advance, a retry that appends, or a file that was concatenated twice, and write the
    data again without the repeated rows.

    ## When it is wrong

    Data that were tiled on purpose to balance classes or to fill an epoch. Full designs and calendars are info.

    ## Reference

    37 reasons, item 1 ("the same batch over and over"). No peer looks at the order of duplicates.
    """

    code = "ORD104"
    name = "repeated-batches"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    of_whole = True
    public = frozenset({"period", "repeated", "blocks", "first_row", "last_row"})
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        least: int = Field(8, ge=4, description="Sampled contents that must come again at one distance.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """The coordinated sample with all copies of its contents."""
        return (Sample.reading("labels", "table", "header"),)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split."""
        large = [split for split in profile.splits if split.samples >= 2 * self.params.least]
        if not large:
            raise Skip(f"fewer than {2 * self.params.least} samples")
        for split in large:
            found = self._judge(split, labelled=profile.dataset.label is not None)
            if found is not None:
                yield found

    def _judge(self, split: SplitProfile, *, labelled: bool) -> Found | None:
        places = split[Sample].places
        repeats = np.flatnonzero(places.content[1:] == places.content[:-1])
        # A content that comes again and again, such as an empty row, has no distance of its own.
        starts = np.flatnonzero(np.append(True, places.content[1:] != places.content[:-1])[: len(places)])
        copies = np.diff(np.append(starts, len(places)))
        few = copies <= 64
        for k in np.flatnonzero(~few):
            gaps = np.diff(places.row[starts[k] : starts[k] + copies[k]])
            few[k] = np.unique(gaps, return_counts=True)[1].max() >= 0.5 * len(gaps)
        repeats = repeats[np.repeat(few, copies)[repeats]]
        if len(repeats) < self.params.least:
            return None
        row = places.row
        distance = row[repeats + 1] - row[repeats]
        values, counts = np.unique(distance, return_counts=True)
        best = int(np.lexsort((values, -counts))[0])
        period, count = int(values[best]), int(counts[best])
        # Distances of copies that lie anywhere: at most two in n of them are one given distance.
        expected = len(repeats) * 2 / split.samples
        distinct = len(np.unique(places.content))
        if period < 2 or distinct < 2 * self.params.least or count < max(self.params.least, 10 * expected + 8):
            return None
        again = repeats[distance == period] + 1
        again = again[np.argsort(row[again], kind="stable")]
        rows = row[again]
        sampled = min(1.0, len(places) / max(split.samples, 1))
        # A block fills its stretch of rows, as far as they are sampled; copies here and there do not.
        edges = np.flatnonzero(np.diff(rows) > max(2.0, 8 / sampled)) + 1
        blocks = [block for block in np.split(np.arange(len(rows)), edges) if len(block) >= self.params.least / 2]
        blocks = [block for block in blocks if len(block) >= 0.7 * sampled * (rows[block[-1]] - rows[block[0]] + 1)]
        picked = np.concatenate(blocks) if blocks else np.zeros(0, np.int64)
        if len(picked) < self.params.least:
            return None
        rows, again = rows[picked], again[picked]
        exact = bool(split[Sample].complete)
        total = len(rows) if exact else min(split.samples, round(len(rows) / sampled))
        first, last = int(rows[0]), int(rows[-1])
        # A table that is one pattern over and over, such as a full design or a calendar, was made like that: its outcomes
        # were not, or follow from the pattern.
        designed = (total > 0.7 * split.samples and (not labelled or _of_factors(split))) or _periodic(
            split, rows, period
        )
        places_of = f"in {len(blocks):,} places" if len(blocks) > 1 else f"rows {first:,} to {last:,}"
        return Found(
            message=(
                f"a block is repeated back to back ({places_of}): {'' if exact else 'about '}{total:,} of "
                f"{split.samples:,} samples are the same as the one {period:,} rows earlier, "
                f"about {expected * total / count:,.1f} if duplicates lay anywhere"
            ),
            consequence="The same batch is trained on again and again, and the set is smaller than it looks.",
            remedy="Find the loop or retry that wrote the block again, and drop the repeated rows.",
            severity="info" if designed else "error" if 2 * total >= split.samples else None,
            confidence=0.99,
            split=split.name,
            evidence={
                "period": period,
                "repeated": total,
                "blocks": len(blocks),
                "first_row": first,
                "last_row": last,
            },
            cases=Cases(split.name, places.take(again)),
            count=total,
            exact=exact,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Repeat a block of 20 rows right after itself; 40 rows three times at full strength."""
        import pandas as pd

        if not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split]
        size, times = 20 + round(20 * strength), 1 + round(2 * strength)
        if len(table) < 3 * size or table.duplicated().any():
            return None
        start = int(rng.integers(len(table) - size))
        block = table.iloc[start : start + size]
        faulty = pd.concat(
            [table.iloc[: start + size], *[block] * times, table.iloc[start + size :]], ignore_index=True
        )
        rows = frozenset(range(start + size, start + size * (1 + times)))
        return Planted(Clean(clean.name, {**clean.tables, split: faulty}, clean.label), split=split, rows={split: rows})


def _of_factors(split: SplitProfile) -> bool:
    """Whether the distinct rows are most of the combinations that the values of their columns allow, as in a full design."""
    rows = split.rows
    if rows.pictures is not None:
        return False
    levels = [len(np.unique(column)) for column in rows.numbers.T]
    levels += [len(np.unique(codes_of(column)[0])) for column in rows.texts.values()]
    levels = [count for count in levels if count > 1]
    return len(levels) > 1 and len(np.unique(rows.inputs)) >= 0.5 * float(np.prod(np.asarray(levels, np.float64)))


def _periodic(split: SplitProfile, repeated: NDArray[np.int64], period: int) -> bool:
    """Whether most columns come again after as many rows all over the table, as the factors of a planned experiment do.

    There the rows that are equal as a whole are those whose outcome happens to be equal too. Rows outside the repeated
    blocks tell. Only a sample of all rows has the neighbours that this asks for.
    """
    rows = split.rows
    if not rows.complete or rows.pictures is not None:
        return False
    later = np.setdiff1d(np.arange(period, len(rows)), repeated)
    if len(later) < 20:
        return False
    columns = [np.unique(column, return_inverse=True)[1] for column in rows.numbers.T]
    columns += [codes_of(column)[0] + 1 for column in rows.texts.values()]
    varied = planned = 0
    for codes in columns:
        chance = float(((np.bincount(codes) / len(codes)) ** 2).sum())
        if chance < 0.9:  # one that hardly varies comes again at every distance
            varied += 1
            planned += float((codes[later] == codes[later - period]).mean()) >= 0.95
    return planned >= 2 and 2 * planned >= varied
