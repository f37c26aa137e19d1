"""Statistics of numeric columns, exact, for all columns at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch

MAX_TOKENS = 100
"""A numeric column with more distinct stray texts than this keeps none of them."""


class NumberStats(Measurement):
    """Count, mean, squared deviations, extremes, signs and zeros of every numeric column.

    Arrays have one entry per column in ``names``; a column that a part of the data lacks counts as missing there.
    Infinite values are counted and left out of the moments and extremes.
    """

    reads: ClassVar[frozenset[Aspect]] = frozenset({"table"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.names: tuple[str, ...] = ()
        self._resize(())
        self.tokens: dict[str, dict[str, int] | None] = {}
        """Text found in otherwise numeric columns, with its count; None for more than MAX_TOKENS of them."""

    def _resize(self, names: tuple[str, ...]) -> None:
        p = len(names)
        self.names = names
        self.count = np.zeros(p, np.int64)
        self.infinite = np.zeros(p, np.int64)
        self.mean = np.zeros(p)
        self.m2 = np.zeros(p)
        self.low = np.full(p, np.inf)
        self.high = np.full(p, -np.inf)
        self.negative = np.zeros(p, np.int64)
        self.zero = np.zeros(p, np.int64)
        self.whole = np.ones(p, np.bool_)

    @property
    def missing(self) -> NDArray[np.int64]:
        """Cells without a number, per column."""
        return self.samples - self.count - self.infinite

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation per column, dividing by n."""
        return np.sqrt(self.m2 / np.maximum(self.count, 1))

    def update(self, batch: Batch) -> None:
        """Take in the numeric columns of one batch."""
        if batch.table is None:
            return
        part = type(self)(self.settings)
        part._resize(batch.table.names)
        part.samples = batch.size
        part.tokens = {name: dict(counts) for name, counts in batch.table.tokens.items()}
        if batch.size and batch.table.names:
            with np.errstate(invalid="ignore", over="ignore"):
                part._measure(batch.table.numbers)
        self.merge(part)

    def _measure(self, numbers: NDArray[np.float64]) -> None:
        # Column by column: every temporary stays in the processor's cache.
        spare = np.empty(len(numbers))
        for j in range(numbers.shape[1]):
            column = numbers[:, j]
            total = column.sum()
            if not np.isfinite(total):
                self.infinite[j] = np.count_nonzero(np.isinf(column))
                column = column[np.isfinite(column)]
                if len(column) == 0:
                    continue
                total = column.sum()
            self.count[j] = len(column)
            self.mean[j] = mean = total / len(column) if np.isfinite(total) else mean_of(column)
            centred = np.subtract(column, mean, out=spare[: len(column)])
            # Not a dot product: BLAS would wake its threads for it.
            self.m2[j] = np.square(centred, out=centred).sum()
            self.low[j], self.high[j] = low, high = column.min(), column.max()
            if low <= 0 <= high:
                self.zero[j] = len(column) - np.count_nonzero(column)
            if low < 0:
                self.negative[j] = np.count_nonzero(column < 0)
            self.whole[j] = _whole(column)

    def merge(self, later: Self) -> Self:
        """Pool the moments (Chan, Golub and LeVeque 1983); columns are matched by name."""
        if later.names != self.names:
            names = self.names + tuple(name for name in later.names if name not in set(self.names))
            self._align(names)
            if later.names != names:
                later._align(names)
        total = self.count + later.count
        both = (self.count > 0) & (later.count > 0)
        share = later.count / np.maximum(total, 1)
        with np.errstate(invalid="ignore", over="ignore"):
            delta = later.mean - self.mean
            self.m2 += later.m2 + np.where(both, delta**2 * self.count * share, 0.0)
            # Of huge means of opposite signs the difference overflows.
            apart = self.mean * (1 - share) + later.mean * share
            self.mean = np.where(np.isfinite(delta), self.mean + delta * share, apart)
        self.samples += later.samples
        self.count = total
        self.infinite += later.infinite
        np.minimum(self.low, later.low, out=self.low)
        np.maximum(self.high, later.high, out=self.high)
        self.negative += later.negative
        self.zero += later.zero
        self.whole &= later.whole
        for name, counts in later.tokens.items():
            self.tokens[name] = _merge_tokens(self.tokens.get(name, {}), counts)
        return self

    def _align(self, names: tuple[str, ...]) -> None:
        old, state = self.names, dict(vars(self))
        self._resize(names)
        at = {name: j for j, name in enumerate(names)}
        places = np.array([at[name] for name in old], np.int64)
        for key in ("count", "infinite", "mean", "m2", "low", "high", "negative", "zero", "whole"):
            getattr(self, key)[places] = state[key]

    def close(self) -> Self:
        """Put the columns into the order of their names, so that no part decides the order."""
        self._align(tuple(sorted(self.names)))
        self.tokens = {name: counts and dict(sorted(counts.items())) for name, counts in sorted(self.tokens.items())}
        return self


def _merge_tokens(a: dict[str, int] | None, b: dict[str, int] | None) -> dict[str, int] | None:
    if a is None or b is None:
        return None
    merged = {token: a.get(token, 0) + b.get(token, 0) for token in a | b}
    return merged if len(merged) <= MAX_TOKENS else None


def mean_of(values: NDArray[np.float64]) -> float:
    """The mean of finite values, at least one, even where their sum overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(values.mean())
    return mean if np.isfinite(mean) else float((values / len(values)).sum())


def _whole(column: NDArray[np.float64]) -> bool:
    # Most fractional columns show it within a few values.
    head = column[:64]
    return bool((head == np.rint(head)).all() and (column == np.rint(column)).all())
