"""Statistics of label sequences: what a shuffle would give, and how far the stored order is from it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.statistics import log_choose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from datalint.measures.order import Run


def runs_test(runs: int, counts: Sequence[int]) -> tuple[float, float]:
    """The k-category runs test (Barton and David 1957), corrected for skewness.

    Equal neighbours in a rare class are few and come like Poisson events: two among three such samples happen in one
    shuffle of 170 (of 1,000 samples), and would count as 11 standard deviations. So the z-score is the root of the
    deviance of the Poisson variable, scaled and shifted, that has the exact mean, variance and skewness.

    Args:
        runs: number of runs of equal labels in the sequence.
        counts: samples per class.

    Returns:
        The z-score (negative: fewer, longer runs than a shuffle gives) and the expected number of runs.
    """
    n = sum(counts)
    if n < 2:
        return 0.0, float(runs)
    mean, variance, skewness = _alike_neighbours(counts)
    if variance <= 1e-9:
        return 0.0, n - mean
    excess = (n - runs - mean) / math.sqrt(variance)
    lean = excess * max(skewness, 0.0)
    if abs(lean) < 1e-3:
        excess *= 1 - lean / 6
    else:
        ratio = max(1 + lean, 1e-300)
        deviance = 2 * (ratio * math.log(ratio) - ratio + 1) / skewness**2
        excess = math.copysign(math.sqrt(deviance), excess)
    return -excess, n - mean


def _alike_neighbours(counts: Sequence[int]) -> tuple[float, float, float]:
    """Mean, variance and skewness of the number of equal neighbours after a shuffle, from its factorial moments."""
    n = sum(counts)
    f = [[math.perm(c, k) for c in counts] for k in range(7)]

    def chance(ways: int, places: int) -> Fraction:
        return Fraction(ways, math.perm(n, places)) if n >= places else Fraction(0)

    def both(a: int, b: int) -> int:
        """Ordered draws of ``a`` samples of one class and ``b`` of the same or another."""
        return sum(f[a]) * sum(f[b]) - sum(x * y for x, y in zip(f[a], f[b], strict=True)) + sum(f[a + b])

    two = sum(f[2])
    squares, cubes = sum(x * x for x in f[2]), sum(x**3 for x in f[2])
    apart = two**3 - 3 * two * squares + 2 * cubes
    threes = sum(f[6]) + 3 * (both(4, 2) - sum(f[6])) + apart
    # Pairs of neighbours that share a sample, or not; of three pairs all, two or none hang together.
    first = (n - 1) * chance(two, 2)
    second = 2 * ((n - 2) * chance(sum(f[3]), 3) + math.comb(max(n - 2, 0), 2) * chance(both(2, 2), 4))
    third = 6 * (
        max(n - 3, 0) * chance(sum(f[4]), 4)
        + max(n - 3, 0) * max(n - 4, 0) * chance(both(3, 2), 5)
        + math.comb(max(n - 3, 0), 3) * chance(threes, 6)
    )
    variance = second + first - first**2
    central = third + 3 * second + first - 3 * first * (second + first) + 2 * first**3
    skewness = float(central) / float(variance) ** 1.5 if variance > 0 else 0.0
    return float(first), float(variance), skewness


def single_label_batches(long_runs: Sequence[Run], samples: int, size: int) -> tuple[int, int]:
    """How many full sequential batches hold one label only, and how many full batches there are.

    Args:
        long_runs: all runs of at least ``size`` samples.
        samples: samples in the split.
        size: samples per batch.
    """
    full = samples // size
    single = sum(max(0, min((run.start + run.length) // size, full) - -(-run.start // size)) for run in long_runs)
    return single, full


def shuffled_single_label_share(counts: Mapping[str, int], size: int) -> float:
    """Share of batches with one label only after a shuffle: hypergeometric, sum of C(n_k, B) / C(n, B)."""
    n = sum(counts.values())
    if n < size or size < 1:
        return 0.0
    whole = log_choose(n, size)
    return float(sum(math.exp(log_choose(c, size) - whole) for c in counts.values() if c >= size))


def shuffled_classes_per_batch(counts: Mapping[str, int], size: int) -> float:
    """Expected number of classes in a batch after a shuffle."""
    n = sum(counts.values())
    if n < size:
        return float(len(counts))
    whole = log_choose(n, size)
    absent = (math.exp(log_choose(n - c, size) - whole) if n - c >= size else 0.0 for c in counts.values())
    return float(len(counts) - sum(absent))


def class_weights(counts: Mapping[str, int]) -> dict[str, float]:
    """Weights that give every class the same total: n / (classes * count), as scikit-learn's "balanced"."""
    n = sum(counts.values())
    return {name: n / (len(counts) * count) for name, count in counts.items() if count}


def buffer_shares(
    position: NDArray[np.int64], codes: NDArray[np.int64], samples: int, buffer: float
) -> NDArray[np.float64]:
    """Class shares that a streaming shuffle with a buffer delivers along the way.

    A buffer of b samples delivers at step t a sample that entered at t + b - Exp(b): each stored sample leaves after a
    geometric time, those that filled the buffer at first all the same. So the shares are the stored labels smoothed with
    an exponential kernel that is flat over the first b samples.

    Args:
        position: [m] ascending places of the known samples, 0 to ``samples`` - 1.
        codes: [m] their classes, 0 to K - 1.
        samples: samples in the split.
        buffer: samples in the buffer.

    Returns:
        [steps, K] shares at up to 400 evenly spread steps.
    """
    classes = int(codes.max()) + 1 if len(codes) else 0
    last = np.linspace(0, max(samples - 1, 0), 400) + buffer
    # Each sample is weighed at the first step that may deliver it; from step to step all that came before fades by the same factor.
    first = np.searchsorted(last, position)
    weight = np.exp((np.maximum(position, buffer) - last[first]) / max(buffer, 1e-9))
    out = np.bincount(first * classes + codes, weight, minlength=len(last) * classes).reshape(len(last), classes)
    fading = math.exp(-(last[1] - last[0]) / max(buffer, 1e-9))
    for k in range(1, len(last)):
        out[k] += fading * out[k - 1]
    shares: NDArray[np.float64] = out / np.maximum(out.sum(axis=1, keepdims=True), 1e-300)
    return shares


def smallest_buffer(
    position: NDArray[np.int64], codes: NDArray[np.int64], samples: int, size: int, classes_wanted: float
) -> int | None:
    """The smallest shuffle buffer (two significant digits) that gives batches nearly as mixed as a full shuffle.

    Nearly: at least 90 % of the expected classes per batch. None where only a full shuffle does.
    """
    low, high = math.log(max(size, 2)), math.log(max(samples, 3))
    if expected_classes(buffer_shares(position, codes, samples, samples), size) < 0.9 * classes_wanted:
        return None
    for _ in range(12):
        middle = (low + high) / 2
        enough = (
            expected_classes(buffer_shares(position, codes, samples, math.exp(middle)), size) >= 0.9 * classes_wanted
        )
        low, high = (low, middle) if enough else (middle, high)
    return min(samples, round_up(math.exp(high)))


def expected_classes(shares: NDArray[np.float64], size: int) -> float:
    """Mean over steps of the expected number of classes among ``size`` draws."""
    return float((1 - (1 - shares) ** size).sum(1).mean())


def round_up(value: float) -> int:
    """Up to two significant digits."""
    if value < 100:
        return math.ceil(value)
    unit = int(10 ** (math.floor(math.log10(value)) - 1))
    return math.ceil(value / unit) * unit
