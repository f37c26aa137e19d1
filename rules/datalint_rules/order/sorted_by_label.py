"""ORD101 sorted-by-label."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    LabelRuns,
    Measurement,
    Planted,
    Profile,
    Reading,
    Rule,
    RuleParams,
    Run,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    TargetOrder,
    codes_of,
    counted,
    digits,
    midranks,
    training,
)
from datalint.author import statistics as stats
from datalint_rules._shared.series import in_series, panel_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


class SortedByLabel(Rule):
    """Samples stored in the order of their labels.

    For classes: far fewer runs of equal labels than a shuffle gives, or single runs that no shuffle gives (only a part
    is sorted, or sorted shards follow each other). For numeric targets: neighbours far more similar than by chance.

    ## Why it hurts

    A loader that does not shuffle feeds one class for many steps: the model learns to answer that class, forgets the
    others, and the loss jumps at each border. Batch normalisation sees one class at a time. A split taken from the end
    of the file tests on classes that the training part does not have.

    ## How to fix it

    Shuffle once when writing, or at every epoch when loading (``shuffle=True``; with a streaming reader a shuffle
    buffer of at least the size that the finding names). A tree of class folders is always read class by class, so there
    the finding only reminds you to shuffle when loading, and is left out where no batch would hold a single label.

    ## When it is wrong

    Sequences that are meant to be in order, such as time series that are read in windows. A time column lowers the
    finding for numeric targets to info, and so does a target that moves smoothly up and down as a series does, or an order
    so slight that batches are mixed all the same. Splits that are only evaluated on need no shuffling.

    ## Reference

    37 reasons, item 7. Runs test for k categories: Barton and David 1957, with Bernstein's bound
    where some classes are rare. Serial correlation: von Neumann 1941.
    """

    code = "ORD101"
    name = "sorted-by-label"
    severity: ClassVar[Severity] = "warning"
    item = "7"
    of_whole = True
    repair = "shuffle"
    wants = "label"
    tasks = frozenset({"classification", "detection", "regression"})
    follows = ("VAL101:samples", "IMG106:samples", "ORD102")
    public = frozenset(
        {
            "runs",
            "expected_runs",
            "z",
            "batch_size",
            "single_label_batches",
            "full_batches",
            "single_label_batch_share",
            "classes_per_batch",
            "classes_per_batch_if_shuffled",
            "shuffle_buffer",
            "first_sample",
            "samples",
            "lag_1_correlation",
            "of_ranks",
            "rising_steps",
            "falling_steps",
        }
    )

    class Params(RuleParams):
        """Cuts; on shuffled data they give fewer than 1 alarm in 100,000 shuffles."""

        z: float = Field(5.0, gt=0, description="Standard deviations from what a shuffle gives.")
        run_ratio: float = Field(
            0.9, gt=0, le=1, description="Largest share of the expected number of runs that is still reported."
        )
        sorted_share: float = Field(
            0.005, gt=0, le=1, description="Smallest share of samples in improbable runs that is reported."
        )
        correlation: float = Field(
            0.2, gt=0, le=1, description="Smallest lag-1 correlation of a numeric target that is reported."
        )
        marked: float = Field(
            0.5,
            gt=0,
            le=1,
            description="Largest share of the expected number of runs that is a warning whatever the batches.",
        )
        alike: float = Field(
            0.3, gt=0, le=1, description="Lag-1 correlation of a numeric target from which the order is a warning."
        )
        batches: float = Field(
            0.9, gt=0, le=1, description="Share of the expected classes per batch below which the order is a warning."
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """Class folders are read in the order of the folders: no pixel has to be decoded to know it."""
        if dataset.by_class:
            return (LabelRuns, TargetOrder)
        return (LabelRuns, TargetOrder, Sample if dataset.annotations is None else Sample.reading("labels", "header"))

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every labelled split that is trained on."""
        judged = False
        for split in profile.trained:
            if profile.task == "regression":
                judged |= True
                yield from self._target(profile, split)
            elif len(split.counts) > 1 and not (judged and profile.dataset.by_class):
                # In class folders the order is that of the folders: once said, it is said for all splits.
                judged = True
                yield from self._classes(profile, split)
        if not judged:
            raise Skip("there is only one class")

    def _classes(self, profile: Profile, split: SplitProfile) -> Iterator[Found]:
        runs = split[LabelRuns]
        counts = runs.counts or {}
        z, expected = stats.runs_test(runs.runs, list(counts.values()))
        improbable = [run for run in runs.long_runs() if _expected_runs(run, counts, runs.samples) < 1e-6]
        in_runs = sum(run.length for run in improbable)
        all_sorted = self._too_few(runs.runs, counts) or _sorted_throughout(runs.runs, list(counts.values()))
        if not all_sorted and in_runs < self.params.sorted_share * runs.samples:
            return
        if all_sorted and 0 < in_runs < runs.samples / 2:
            # A few long runs may make up for all that is missing.
            rest = Counter(counts)
            for run in improbable:
                rest[run.label] -= run.length
            all_sorted = self._too_few(runs.runs - len(improbable), rest)
        size = profile.settings.batch_size
        single, full = stats.single_label_batches(runs.long_runs(), runs.samples, size)
        if profile.dataset.by_class and not single:
            return  # folders are always read class by class, and here no batch shows it
        share = single / full if full else 0.0
        shuffled = stats.shuffled_classes_per_batch(counts, size)
        stored, buffer = _batches(split, size, shuffled)
        if all_sorted:
            what = (
                f"labels are stored in order: {runs.runs:,} runs of equal labels where a shuffle gives {expected:,.0f}"
            )
        else:
            longest = max(improbable, key=lambda run: run.length)
            what = (
                f"a part is stored in label order: {in_runs:,} of {runs.samples:,} samples lie in "
                f"{counted(len(improbable), 'run')} of one label, the longest {longest.length:,} of {longest.label!r} "
                f"from sample {longest.start:,} on"
            )
        if full:
            what += f"; {share:.0%} of batches of {size} hold one label"
        # Labels that lie together a little more than by chance leave every batch as mixed as after a shuffle.
        matters = (
            not all_sorted
            or runs.runs <= self.params.marked * expected
            or (stored is not None and stored < self.params.batches * shuffled)
        )
        if stored is not None:
            what += f", {stored:.1f} classes on average instead of {shuffled:.1f}"
        yield Found(
            message=what,
            consequence="Without shuffling the model is trained on one class after the other and forgets the earlier ones.",
            remedy=_remedy(profile.dataset, stored is not None, buffer, runs.samples),
            severity=None if matters and not profile.dataset.by_class else "info",
            confidence=0.999,
            split=split.name,
            evidence={
                "runs": runs.runs,
                "expected_runs": digits(expected, 4),
                "z": digits(z, 3),
                "longest_runs": [
                    {"label": run.label, "first_sample": run.start, "samples": run.length}
                    for run in sorted(runs.long_runs(), key=lambda run: (-run.length, run.start))[:5]
                ],
                "batch_size": size,
                "single_label_batches": single,
                "full_batches": full,
                "single_label_batch_share": digits(share, 3),
                "classes_per_batch": None if stored is None else digits(stored, 3),
                "classes_per_batch_if_shuffled": digits(shuffled, 3),
                "shuffle_buffer": buffer,
            },
            cases=None if all_sorted else _inside(split, improbable),
            count=runs.samples if all_sorted else in_runs,
        )

    def _too_few(self, runs: int, counts: Mapping[str, int]) -> bool:
        """Whether there are fewer runs than any shuffle gives, and by enough to matter.

        Bernstein's bound with jumps of 2, the runs lost when two samples of a rare class meet: with a handful of samples
        in all classes but one the number of runs is far from normal, and a z-score alone gives alarms in 1 % of shuffles.
        """
        z, expected = stats.runs_test(runs, [count for count in counts.values() if count])
        if z >= 0 or runs >= self.params.run_ratio * expected:
            return False
        missing = expected - runs
        return missing**2 / ((missing / z) ** 2 + 2 * missing / 3) > self.params.z**2

    def _target(self, profile: Profile, split: SplitProfile) -> Iterator[Found]:
        target = split[TargetOrder]
        if target.present < 20 or target.m2 <= 0:
            return
        monotone = target.steps > 0 and min(target.rising, target.falling) == 0
        rank = _rank_correlation(split)
        # The correlation of a heavy-tailed target hangs on its few largest values; that of ranks does not.
        correlation = 1 - target.squared_steps / (2 * target.m2) if rank is None else rank
        z = correlation * math.sqrt(target.present)
        if not monotone and (z < self.params.z or correlation < self.params.correlation):
            return
        timed = next((field.name for field in profile.dataset.fields if field.role == "time"), None)
        series = timed or panel_of(profile.dataset, split) or (not monotone and in_series(split.rows.target))
        name = profile.dataset.label.name if profile.dataset.label else "the target"
        if monotone:
            what = f"rows are sorted by the target {name!r}: it only {'rises' if target.rising else 'falls'}"
        else:
            what = (
                f"neighbouring rows have similar targets: {name!r} correlates with the row before by {correlation:.2f}, "
                "and a shuffle gives 0"
            )
        yield Found(
            message=what,
            consequence="Without shuffling each batch covers a narrow range of the target, so gradients pull back and forth.",
            remedy="Shuffle the rows before training"
            + (
                f"; if {repr(timed) if timed else 'the order'} makes this a time series, split by time instead."
                if series
                else "."
            ),
            severity=None if (monotone or correlation >= self.params.alike) and not series else "info",
            confidence=0.99,
            split=split.name,
            evidence={
                "lag_1_correlation": digits(correlation, 3),
                "of_ranks": rank is not None,
                "z": digits(z, 3),
                "rising_steps": target.rising,
                "falling_steps": target.falling,
            },
            count=target.samples,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Sort the first 40 % of the training table by its label, 100 rows at least; at full strength all of it."""
        if clean.label is None or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split]
        if table[clean.label].nunique() < 2:
            return None
        part = min(len(table), max(100, round(len(table) * (0.4 + 0.6 * strength))))
        head = table.iloc[:part].sort_values(clean.label, kind="stable")
        import pandas as pd

        faulty = pd.concat([head, table.iloc[part:]], ignore_index=True)
        return Planted(Clean(clean.name, {**clean.tables, split: faulty}, clean.label), split=split)


def _inside(split: SplitProfile, runs: list[Run]) -> Cases | None:
    """The samples of some runs: where they are unusable for another reason, that one leads."""
    if Sample not in split.measured:
        return None
    starts = np.sort(np.array([run.start for run in runs], np.int64))
    ends = np.sort(np.array([run.start + run.length for run in runs], np.int64))
    rows = split.rows.places.row
    at = np.searchsorted(starts, rows, side="right") - 1
    return Cases(split.name, split.rows.places.take((at >= 0) & (rows < ends[at])))


def _expected_runs(run: Run, counts: dict[str, int], samples: int) -> float:
    """How many runs at least as long as this one a shuffle gives of its class."""
    share = counts[run.label] / samples
    return samples * (1 - share) * math.exp(run.length * math.log(share)) if share < 1 else float(samples)


def _sorted_throughout(runs: int, counts: list[int]) -> bool:
    """Every class in one run, in a set too small for a z-score: chance K! prod(n_k!) / n!."""
    if runs != len(counts) or runs < 2:
        return False
    log_chance = math.lgamma(len(counts) + 1) + sum(math.lgamma(c + 1) for c in counts) - math.lgamma(sum(counts) + 1)
    return log_chance < math.log(1e-4)


def _batches(split: SplitProfile, size: int, shuffled: float) -> tuple[float | None, int | None]:
    """Classes per batch in stored order, and the smallest shuffle buffer that repairs it."""
    sequence = _sequence(split) if split.samples >= 2 * size else None
    if sequence is None:
        return None, None
    position, codes = sequence
    if len(codes) == split.samples:
        full = len(codes) // size * size
        stored = float(np.mean([len(np.unique(batch)) for batch in codes[:full].reshape(-1, size)]))
    else:
        stored = stats.expected_classes(stats.buffer_shares(position, codes, split.samples, size), size)
    return stored, stats.smallest_buffer(position, codes, split.samples, size, shuffled)


def _sequence(split: SplitProfile) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Known positions and the classes there: those of the sample, or of the runs where each class has one."""
    if Sample in split.measured:
        rows = split.rows
        present = np.array([label is not None for label in rows.label], np.bool_)
        if not present.any():
            return None
        return rows.places.row[present], codes_of(rows.label[present])[0]
    runs = split[LabelRuns]
    counts = runs.counts or {}
    if runs.runs != len(counts):
        return None
    # Every class in one run: which comes first makes no difference to any batch.
    position = np.unique(np.linspace(0, split.samples - 1, min(split.samples, 5_000)).astype(np.int64))
    ends = np.cumsum(list(counts.values()))
    return position, np.searchsorted(ends, position, side="right").astype(np.int64)


def _remedy(dataset: Dataset, known: bool, buffer: int | None, samples: int) -> str:
    how = "Shuffle before training (shuffle=True)"
    if dataset.by_class:
        what = "files are read in the order of their names," if dataset.by_name else "folders are read"
        how = f"Shuffle when loading: {what} class by class"
    if not known:
        return f"{how}."
    if buffer is None or buffer > 0.8 * samples:
        return f"{how}; a streaming reader must shuffle the whole set, no smaller buffer repairs it."
    return f"{how}; a streaming reader needs a shuffle buffer of at least {buffer:,} samples."


def _rank_correlation(split: SplitProfile) -> float | None:
    """Lag-1 correlation of the target's ranks, where all rows are at hand."""
    rows = split.rows
    if not rows.complete:
        return None
    values = rows.target[np.isfinite(rows.target)]
    if len(values) < 3:
        return None
    # Equal values share their mean rank: ranks by position would make neighbours of equal values similar.
    ranks = midranks(values)
    ranks -= ranks.mean()
    spread = float((ranks**2).sum())
    return 1 - float((np.diff(ranks) ** 2).sum()) / (2 * spread) if spread else None
