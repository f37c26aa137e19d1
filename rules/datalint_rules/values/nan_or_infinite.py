"""VAL102 nan-or-infinite."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Found,
    ImageHeaders,
    Measurement,
    NumberStats,
    Planted,
    Problems,
    Profile,
    Reading,
    Rule,
    Sample,
    Severity,
    Skip,
    TextStats,
    counted,
    digits,
    training,
)
from datalint_rules.values._tables import Pool, need_tables, only_split

if TYPE_CHECKING:
    from collections.abc import Iterator


class NanOrInfinite(Rule):
    """Infinite values in numeric features, and NaN in arrays, of numbers or of pictures.

    A table writes a gap as an empty cell, a null or NaN; all three are gaps and VAL103's. An array has no gaps: NaN in it
    goes into the model as it is.

    ## Why it hurts

    One such value makes the output, the loss and the gradient NaN, and after one step every weight. Statistics of the
    column (mean, deviation) become NaN as well, so standardising spreads it to all samples.

    ## How to fix it

    Look for the division or logarithm of zero or the overflow that made the listed values, and mend it; or treat them
    like gaps: fill them in or drop the samples.

    ## When it is wrong

    Hardly ever. Gradient boosting takes NaN for a gap; it does not take infinity.

    ## Reference

    37 reasons, item 37. ydata (infinite), cleanlab Datalab (null). Unlike these it names the samples and keeps gaps apart.
    """

    code = "VAL102"
    name = "nan-or-infinite"
    severity: ClassVar[Severity] = "error"
    item = "37"
    modalities = frozenset({"table", "images"})
    public = frozenset({"infinite", "nan", "pictures", "share"})

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """Counts per column and the sample for the rows; of pictures in arrays what was met while reading."""
        if dataset.modality == "images":
            return (Problems.reading("labels", "header", "pixels"), ImageHeaders) if dataset.storage.of_arrays else ()
        return (NumberStats, Sample, TextStats)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        if profile.dataset.modality == "images":
            yield from _pictures(profile)
            return
        need_tables(profile, texts=False)
        pool = Pool.of(profile)
        arrays = profile.dataset.storage.of_arrays
        infinite, nan = dict.fromkeys(profile.feature_names, 0), dict.fromkeys(profile.feature_names, 0)
        by_split: dict[str, int] = {}
        for split in pool.splits:
            numbers = split[NumberStats]
            missing = numbers.missing if arrays else np.zeros(len(numbers.names), np.int64)
            for j, name in enumerate(numbers.names):
                if name in infinite:
                    infinite[name] += int(numbers.infinite[j])
                    nan[name] += int(missing[j])
                    here = int(numbers.infinite[j]) + int(missing[j])
                    by_split[split.name] = by_split.get(split.name, 0) + here
        both = {name: infinite[name] + nan[name] for name in infinite}
        worst = sorted((name for name in both if both[name]), key=lambda name: (-both[name], name))
        if not worst:
            return
        bad = np.zeros(pool.size, np.bool_)
        for name in worst:
            values = pool.numbers(name)
            bad |= ~np.isfinite(values) if arrays else np.isinf(values)
        rows = np.flatnonzero(bad)
        kinds = [
            f"{total:,} {word if total > 1 else word.removesuffix('s')}"
            for total, word in ((sum(infinite.values()), "infinite values"), (sum(nan.values()), "NaN"))
            if total
        ]
        top = ", ".join(f"{both[name]:,} in {name!r}" for name in worst[:3])
        more = f" and {counted(len(worst) - 3, 'column')} more" if len(worst) > 3 else ""
        about = "" if pool.complete else "about "
        count = max(1, round(len(rows) / max(pool.size, 1) * pool.samples))
        yield Found(
            message=f"{' and '.join(kinds)} in {about}{count:,} of {pool.samples:,} samples: {top}{more}",
            consequence="One of them makes the loss NaN, and after one step every weight.",
            remedy="Mend the division, logarithm or overflow that made them, or fill them in like gaps.",
            confidence=0.99,
            split=only_split(by_split) if len(pool.splits) > 1 else None,
            column=worst[0] if len(worst) == 1 else None,
            evidence={
                "infinite": sum(infinite.values()),
                "nan": sum(nan.values()),
                "columns": [{"column": n, "infinite": infinite[n], "nan": nan[n]} for n in worst[:200]],
            },
            cases=pool.cases(rows),
            count=count,
            exact=pool.complete,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Make values of one column infinite: one, 5 % at full strength."""
        if clean.files:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        columns = [c for c in table.columns if c != clean.label and table[c].dtype.kind == "f"]
        if not columns:
            return None
        column = columns[int(rng.integers(len(columns)))]
        rows = rng.choice(len(table), max(1, round(0.05 * strength * len(table))), replace=False)
        values = table[column].to_numpy(dtype=float, copy=True)
        values[rows] = rng.choice([np.inf, -np.inf], len(rows))
        table[column] = values
        faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        named = {split: frozenset(int(row) for row in rows)}
        return Planted(faulty, split=split, column=str(column), rows=named)


def _pictures(profile: Profile) -> Iterator[Found]:
    """Items of arrays of pictures."""
    if not profile.dataset.storage.of_arrays:
        raise Skip("image files hold neither NaN nor infinite values", applies=False)
    for split in profile.splits:
        found = [(row, problem) for row, _, problem in split[Problems].found if problem.kind == "not-finite"]
        if not found:
            continue
        places = split[ImageHeaders].places.take(np.array([row for row, _ in found], np.int64))
        few = "1 picture holds" if len(found) == 1 else f"{len(found):,} of {split.samples:,} pictures hold"
        yield Found(
            message=f"{few} values that are NaN or infinite, such as {found[0][1].path}: {found[0][1].message}",
            consequence="One of them makes the loss NaN, and after one step every weight.",
            remedy="Mend the division, logarithm or overflow that made them, or leave the pictures out.",
            confidence=0.99,
            split=split.name,
            evidence={"pictures": len(found), "share": digits(len(found) / max(split.samples, 1), 3)},
            cases=Cases(split.name, places, {"values": [problem.message for _, problem in found]}),
        )
