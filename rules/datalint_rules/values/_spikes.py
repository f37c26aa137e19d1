"""Single values of a numeric column that occur far too often at its end: sentinels, zeros for gaps, and caps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["sentinel", "zero", "code", "cap"]


@dataclass(frozen=True)
class Spike:
    """A value that may stand for something else."""

    kind: Kind
    """sentinel: far outside; zero: 0 in a positive quantity; code: -1 below counts; cap: the upper end is cut off."""
    value: float
    count: int
    nearest: float
    """The next value of the column."""
    sure: bool


LEVELS = 10
"""Distinct other values from which a column has a bulk that something can lie outside of."""

CLIPPED = 5.199337582605575
"""Where scikit-learn's QuantileTransformer ends: the normal quantiles of 1e-7 and of the rest."""

RARE_ZEROS = 0.1
"""Share of zeros up to which they are stray: what many do not have at all is zero often."""

CONTINUOUS = 50
"""Distinct other values of a quantity that is measured, not counted."""

WHOLE = 0.99
"""Share of whole numbers from which a column holds counts."""


def spikes(values: NDArray[np.float64], least: int = 5, share: float = 0.002) -> list[Spike]:
    """What stands out in a column.

    Args:
        values: finite values.
        least: fewest repeats.
        share: smallest share of the values.
    """
    found: list[Spike] = []
    if len(values) < 20:
        return found
    need = max(least, share * len(values))
    # A second sentinel may lie at the other end or behind the first.
    for _ in range(3):
        with np.errstate(over="ignore", invalid="ignore"):  # differences of huge numbers
            spike = next((s for top in (False, True) if (s := _at_end(values, top, need)) is not None), None)
        if spike is None:
            break
        found.append(spike)
        values = values[values != spike.value]
    if not found:
        most = cap(values)
        if most is not None:
            found.append(most)
    return found


def _at_end(values: NDArray[np.float64], top: bool, need: float) -> Spike | None:
    if len(values) < 20:
        return None
    value = float(values.max() if top else values.min())
    typical = looks_like_sentinel(value)
    same = values == value
    count = int(same.sum())
    if count < (min(need, 3) if typical else need) or count > 0.95 * len(values) or abs(abs(value) - CLIPPED) < 1e-4:
        return None
    rest = values[~same]
    # The ends of a share or a percentage are where values pile up by nature.
    if (value in {0, 1} and values.min() >= 0 and values.max() <= 1) or (value == 100 and rest.min() >= 0):
        return None
    nearest = float(rest.max() if top else rest.min())
    gap = abs(value - nearest)
    low, q1, q3, high = (float(q) for q in np.percentile(rest, [1, 25, 75, 99], method="lower"))
    bulk, spread = high - low, q3 - q1
    distinct = np.unique(rest)
    if bulk <= 0 or len(distinct) < 3:
        return None
    # 1.5 interquartile ranges are the usual fence; columns of few values or of one main value have none to speak of,
    # so the gap must be wide against the bulk as well.
    if gap > 1.5 * spread and gap > 0.5 * bulk and gap > 3 * _largest_step(distinct, top) and len(distinct) >= LEVELS:
        # Quantities that many do not have at all (no garage, nothing drunk) are zero often.
        if value == 0:
            return Spike("zero", value, count, nearest, count <= 0.1 * len(values))
        # A value that nobody would choose as a code may be real: all rows of one city share its population. Ten times
        # the range of all others away it is none of them.
        return Spike("sentinel", value, count, nearest, typical or value < 0 <= nearest or gap > 10 * bulk)
    if typical and gap > spread and gap > 0.5 * bulk and gap >= 3 * _usual_step(distinct) and abs(value) >= 9:
        # Few levels: 9 and 99 may be the last of a list of codes.
        return Spike("sentinel", value, count, nearest, len(distinct) >= LEVELS or abs(value) >= 999)
    if typical and value <= -9 and nearest >= 0 and gap > 3 * _usual_step(distinct):
        return Spike("sentinel", value, count, nearest, len(distinct) >= LEVELS)
    if value == 0 and len(distinct) >= LEVELS and count >= 8 and _is_zero_for_gap(rest, distinct, gap):
        # No garage has an area of zero: such zeros may be meant.
        return Spike("zero", value, count, nearest, False)
    # In whole numbers -1 is a code where nothing else is negative; among fractions it must also repeat as no other does.
    # A mean of two counts here and there (40.5) makes them no fractions.
    often = float((rest == np.rint(rest)).mean()) >= WHOLE or count >= 5 * int(
        np.unique(rest, return_counts=True)[1].max()
    )
    code = value == -1 and nearest >= 0 and often and len(distinct) >= LEVELS
    return Spike("code", value, count, nearest, False) if code else None


def _is_zero_for_gap(rest: NDArray[np.float64], distinct: NDArray[np.float64], gap: float) -> bool:
    """Whether a positive quantity keeps away from zero.

    Its bulk does not reach down to zero (counts, amounts and durations do), and the step from zero to its lowest value
    is far wider than the steps between its low values.
    """
    middle = float(np.median(rest))
    low, q1, q3 = (float(q) for q in np.percentile(rest, [0, 25, 75]))
    steps = np.diff(distinct[: max(3, len(distinct) // 4)])
    return low > 0 and low >= 0.2 * middle and q3 - q1 < middle and gap >= 4 * float(np.median(steps))


def stray_zeros(rest: NDArray[np.float64], zeros: int, *, positive: bool) -> Spike | None:
    """Zeros in a few cells of a continuous quantity that is never near zero otherwise: sizes of diamonds, prices.

    Below the lowest thousandth of its values there is room for more of them than there are steps of its precision. Zeros
    of quantities that can be nothing (incomes, concave points) have neighbours: towards zero their values spread out.

    Args:
        rest: the other values, all of them positive.
        zeros: how many zeros there are.
        positive: whether the name says that it cannot be zero.
    """
    distinct = np.unique(rest)
    share = zeros / (zeros + len(rest)) if zeros else 0.0
    if not zeros or share > RARE_ZEROS or len(distinct) < CONTINUOUS or distinct[0] <= 0:
        return None
    steps = np.diff(distinct)
    precision = float(steps[steps > 1e-9 * distinct[-1]].min(initial=np.inf))
    low, foot = (float(q) for q in np.percentile(rest, [0.1, 1], method="lower"))
    between = int((rest < foot / 2).sum())
    if 5 * between > zeros:
        return None
    apart = len(rest) >= 500 and low >= 100 * precision and low >= 5 * (foot - low)
    if not apart and not (positive and low >= 20 * precision):
        return None
    return Spike("zero", 0.0, zeros, float(distinct[0]), apart)


def _largest_step(distinct: NDArray[np.float64], top: bool) -> float:
    """The widest step between the ten values next to the end: in a heavy tail the last step is one of many wide ones."""
    near = distinct[-11:] if top else distinct[:11]
    return float(np.diff(near).max()) if len(near) > 1 else 0.0


def _usual_step(distinct: NDArray[np.float64]) -> float:
    return float(np.median(np.diff(distinct)))


def cap(values: NDArray[np.float64]) -> Spike | None:
    """A repeated maximum of a column of many values that repeat seldom; repeated minima are natural floors."""
    value = float(values.max())
    count = int((values == value).sum())
    # Shares and percentages end at 1 and 100 by nature.
    if value in {0, 1, 100} or count < max(10, 0.005 * len(values)) or count > 0.5 * len(values):
        return None
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < max(50, 0.02 * len(values)):
        return None
    near = np.sort(counts[-26:-1])
    # The tail thins out towards the end: ten times its neighbours is no chance. One of them may be common by itself.
    if count >= 10 * near.mean() and count >= 3 * near[-2] and count >= 2 * near[-1]:
        return Spike("cap", value, count, float(distinct[-2]), True)
    return None


def looks_like_sentinel(value: float) -> bool:
    """Whether people write this number for a missing one: 99, -999, 9999.0, the ends of integer types."""
    if abs(value) in {32767, 32768, 65535, 2147483647, 2147483648, 4294967295, 1e20, 1e30, 1e36, 1e38}:
        return True
    if value != int(value) or abs(value) > 1e15:
        return round(value, 9) in {-99.9, -999.9, -9999.9, 999.9, 9999.9, -999.99, 999.99, -9.9}
    text = str(abs(int(value)))
    if value < 0:
        return set(text) <= {"9"} or (len(text) >= 3 and len(set(text)) == 1 and text[0] in "78")
    return (len(text) >= 2 and set(text) == {"9"}) or (len(text) >= 3 and len(set(text)) == 1 and text[0] in "78")
