"""The sequence of labels: counts, runs of equal labels, and serial dependence of numeric targets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings
from datalint.measures.columns import mean_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch, LabelBlock

MAX_CLASSES = 10_000
"""A label with more distinct values than this is not counted by value."""

MISSING_CLASS = ""
"""How a missing label stands in the counts."""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive samples with one label."""

    start: int
    length: int
    label: str


class LabelRuns(Measurement):
    """Class counts and the runs of equal labels in stored order.

    Keeps the number of runs, the first and the last run, and every inner run that could fill a batch; shorter ones
    matter only by their number. That is all the merge law needs, since only the two ends of a part can grow.
    """

    reads: ClassVar[frozenset[Aspect]] = frozenset({"labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.counts: dict[str, int] | None = {}
        """Samples per class; None once there are more than MAX_CLASSES."""
        self.runs = 0
        self.first: Run | None = None
        self.last: Run | None = None
        self.inner: list[Run] = []
        """Runs of at least one batch that lie between the first and the last run."""

    def update(self, batch: Batch) -> None:
        """Take in the labels of one batch; a batch without classes counts as one of unknown ones."""
        if batch.labels is None or batch.size == 0:
            return
        part = LabelRuns(self.settings)
        part._measure(batch.labels, batch.size)
        self.merge(part)

    def _measure(self, labels: LabelBlock, size: int) -> None:
        self.samples = size
        if labels.codes is None:
            self.counts = None
            return
        names = [*labels.classes, MISSING_CLASS]
        codes = np.where(labels.codes < 0, len(labels.classes), labels.codes)
        if len(set(names)) < len(names):  # a class name that is empty or was declared twice
            at = {name: k for k, name in enumerate(dict.fromkeys(names))}
            codes, names = np.array([at[name] for name in names])[codes], list(at)
        counts = np.bincount(codes, minlength=len(names))
        self.counts = {names[k]: int(counts[k]) for k in np.flatnonzero(counts)}
        starts = np.concatenate([[0], np.flatnonzero(codes[1:] != codes[:-1]) + 1])
        lengths = np.diff(np.append(starts, size))
        self.runs = len(starts)
        self.first = Run(0, int(lengths[0]), names[codes[0]])
        self.last = Run(int(starts[-1]), int(lengths[-1]), names[codes[starts[-1]]])
        for k in np.flatnonzero(lengths[1:-1] >= self.settings.batch_size) + 1:
            self.inner.append(Run(int(starts[k]), int(lengths[k]), names[codes[starts[k]]]))

    def merge(self, later: Self) -> Self:
        """Append the runs of ``later``; the last run here and the first there may be one."""
        self.samples, shift = self.samples + later.samples, self.samples
        self.counts = _merge_counts(self.counts, later.counts)
        if self.counts is None:
            # Too many values for classes: runs mean nothing, numeric order is measured elsewhere.
            self.runs, self.first, self.last, self.inner = 0, None, None, []
            return self
        if later.first is None or later.last is None:
            return self
        first, last = _shift(later.first, shift), _shift(later.last, shift)
        inner = [_shift(run, shift) for run in later.inner]
        if self.first is None or self.last is None:
            self.first, self.last, self.inner, self.runs = first, last, inner, later.runs
            return self
        joined = self.last.label == first.label
        middle: list[Run] = []
        if joined:
            bridge = Run(self.last.start, self.last.length + first.length, first.label)
            if self.runs == 1:
                self.first = bridge
            elif later.runs > 1:
                middle.append(bridge)
            if later.runs == 1:
                last = bridge
        else:
            middle += [self.last] * (self.runs > 1) + [first] * (later.runs > 1)
        self.inner += [run for run in middle if run.length >= self.settings.batch_size] + inner
        self.last = last
        self.runs += later.runs - joined
        return self

    def close(self) -> Self:
        """Order the classes by name, and drop the counts beyond the limit."""
        if self.counts is not None:
            self.counts = dict(sorted(self.counts.items()))
        return self

    def long_runs(self) -> list[Run]:
        """All runs of at least one batch, in stored order."""
        ends = [] if self.first is None or self.last is None else [self.first, *[self.last] * (self.runs > 1)]
        runs = ends[:1] + self.inner + ends[1:]
        return [run for run in runs if run.length >= self.settings.batch_size]


def _shift(run: Run, by: int) -> Run:
    return Run(run.start + by, run.length, run.label)


def _merge_counts(a: dict[str, int] | None, b: dict[str, int] | None) -> dict[str, int] | None:
    if a is None or b is None:
        return None
    merged = dict(a)
    for label, count in b.items():
        merged[label] = merged.get(label, 0) + count
    return merged if len(merged) <= MAX_CLASSES else None


class TargetOrder(Measurement):
    """Serial dependence of a numeric label: moments, squared steps between neighbours, rising and falling steps."""

    reads: ClassVar[frozenset[Aspect]] = frozenset({"labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.present = 0
        self.mean = 0.0
        self.m2 = 0.0
        self.low = float("inf")
        self.high = float("-inf")
        self.squared_steps = 0.0
        self.rising = 0
        self.falling = 0
        self.steps = 0
        self.whole = True
        """Whether all values are whole numbers."""
        self.first: float | None = None
        self.last: float | None = None

    def update(self, batch: Batch) -> None:
        """Take in the numeric labels of one batch; missing ones are passed over."""
        if batch.labels is None or batch.labels.values is None:
            return
        part = TargetOrder(self.settings)
        part.samples = batch.size
        values = batch.labels.values[np.isfinite(batch.labels.values)]
        if len(values):
            part._measure(values)
        self.merge(part)

    def _measure(self, values: NDArray[np.float64]) -> None:
        self.present = len(values)
        self.mean = mean_of(values)
        self.low, self.high = float(values.min()), float(values.max())
        self.whole = bool((values == np.round(values)).all())
        with np.errstate(over="ignore"):
            steps = np.diff(values)
            self.m2 = float(((values - self.mean) ** 2).sum())
            self.squared_steps = float((steps**2).sum())
        self.rising, self.falling, self.steps = int((steps > 0).sum()), int((steps < 0).sum()), len(steps)
        self.first, self.last = float(values[0]), float(values[-1])

    def merge(self, later: Self) -> Self:
        """Pool the moments (Chan, Golub and LeVeque 1983) and add the step between the two parts."""
        self.samples += later.samples
        if later.first is None:
            return self
        if self.first is not None and self.last is not None:
            step = later.first - self.last
            self.squared_steps += step * step  # a power of floats would raise where a product is infinite
            self.rising += step > 0
            self.falling += step < 0
            self.steps += 1
        else:
            self.first = later.first
        total = self.present + later.present
        share = later.present / total
        delta = later.mean - self.mean
        if self.present:
            self.m2 += delta * delta * self.present * share
        self.m2 += later.m2
        # Of huge means of opposite signs the difference overflows.
        self.mean += delta * share if math.isfinite(delta) else later.mean * share - self.mean * share
        self.present = total
        self.low, self.high = min(self.low, later.low), max(self.high, later.high)
        self.whole &= later.whole
        self.squared_steps += later.squared_steps
        self.rising += later.rising
        self.falling += later.falling
        self.steps += later.steps
        self.last = later.last
        return self

    def close(self) -> Self:
        """Nothing to do: the state is canonical."""
        return self
