"""How far the columns of two splits lie apart, and whether a model can distinguish the splits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import (
    Profile,
    SplitProfile,
    auc,
    auc_error,
    chi_square,
    codes_of,
    design_effect,
    design_effect_of_classes,
    features_of,
    fewer,
    kolmogorov_smirnov,
    midranks,
    one_thread,
)
from datalint_rules._shared.times import times_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_CELLS = 2_000_000
"""Cells of one split that are compared; wide tables are judged on fewer rows."""
MODEL_ROWS = 1_500
"""Rows of each split that the model sees."""
LEVELS = 200
"""A text column of more different values is no category."""


@dataclass(frozen=True)
class Gap:
    """What differs in one column."""

    column: str
    effect: float
    """Largest gap between cumulative shares, or the share of samples that would have to change category."""
    p_value: float
    says: str


@dataclass(frozen=True)
class Drawn:
    """What was drawn into two splits, whose rows lie one split after the other: rows, or sources with all their rows."""

    second: NDArray[np.bool_]
    units: NDArray[np.int64] | None
    """[rows] of which source each row is, if sources were drawn."""

    def effect(self, values: NDArray[np.float64], known: NDArray[np.bool_] | None = None) -> float:
        """The design's effect on a test of the known ones of these numbers."""
        if self.units is None:
            return 1.0
        kept = np.ones(len(values), np.bool_) if known is None else known
        return design_effect(midranks(values[kept]), self.units[kept], self.second[kept])

    def effect_on_shares(self, codes: NDArray[np.int64]) -> float:
        """The same on a test of the shares of categories; -1 is unknown."""
        if self.units is None:
            return 1.0
        kept = codes >= 0
        return design_effect_of_classes(codes[kept], self.units[kept], self.second[kept])


def _drawn(units: NDArray[np.int64] | None, train: SplitProfile, rows: Sequence[NDArray[np.int64]]) -> Drawn:
    second = np.arange(sum(map(len, rows))) >= len(rows[0])
    return Drawn(second, None if units is None else units[np.concatenate([rows[0], rows[1] + len(train.rows)])])


def column_gaps(
    profile: Profile, train: SplitProfile, other: SplitProfile, units: NDArray[np.int64] | None
) -> tuple[list[Gap], int]:
    """The gaps of all feature columns, and how many tests that took.

    Args:
        profile: of the data set.
        train: the one split.
        other: the one compared with it.
        units: what was drawn, as ``_compare.units_of`` finds it.
    """
    gaps: list[Gap] = []
    most = max(500, min(5_000, MAX_CELLS // max(1, len(profile.feature_names))))
    rows = {split.name: fewer(split.rows, np.flatnonzero(split.rows.readable), most) for split in (train, other)}
    drawn = _drawn(units, train, (rows[train.name], rows[other.name]))
    for name in profile.feature_names:
        a, b = _numbers(train, name, rows), _numbers(other, name, rows)
        if a is None or b is None or not np.isfinite(a).any() or not np.isfinite(b).any() or _counter(a, b):
            continue
        gaps.append(_emptiness(name, train, other, ~np.isfinite(a), ~np.isfinite(b), drawn))
        if np.isfinite(a).sum() >= 20 and np.isfinite(b).sum() >= 20:
            gaps.append(_shift(name, other, a, b, drawn))
    for field in profile.dataset.fields:
        if field.role != "feature" or field.kind != "text":
            continue
        x, y = train.rows.texts.get(field.name), other.rows.texts.get(field.name)
        if x is None or y is None:
            continue
        x, y = x[rows[train.name]], y[rows[other.name]]
        if all(text is None for text in x) or all(text is None for text in y):
            continue
        codes, names = codes_of(np.concatenate([x, y]))
        if len(names) > LEVELS or len(names) > (len(x) + len(y)) / 5:
            continue
        gaps.append(_emptiness(field.name, train, other, codes[: len(x)] < 0, codes[len(x) :] < 0, drawn))
        gaps.append(_category(field.name, train, other, codes, drawn, names))
    # What could not differ was not tested.
    return gaps, max(1, sum(gap.says != "" for gap in gaps))


def _numbers(split: SplitProfile, name: str, rows: dict[str, NDArray[np.int64]]) -> NDArray[np.float64] | None:
    if name not in split.rows.at:
        return None
    return np.asarray(split.rows.column(name)[rows[split.name]])


def _counter(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether the column counts rows: it rises without a repeat in both splits."""
    return all(len(x) >= 20 and bool((x[1:] > x[:-1]).all()) for x in (a, b))


def _shift(
    name: str,
    other: SplitProfile,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    drawn: Drawn,
) -> Gap:
    both = np.concatenate([a, b])
    effect = drawn.effect(both, np.isfinite(both))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    gap, p_value = kolmogorov_smirnov(a, b, effect)
    with np.errstate(all="ignore"):
        low, first, third, high = np.quantile(np.concatenate([a, b]), [0.05, 0.25, 0.75, 0.95])
        x, y = a, b
        if max(a.max(), b.max()) - third > 4 * (third - first) or first - min(a.min(), b.min()) > 4 * (third - first):
            # Means of heavy tails say little: the central nine tenths do.
            x, y = np.clip(a, low, high), np.clip(b, low, high)
        apart, spread = float(y.mean() - x.mean()), float(x.std())
    if spread > 0 and math.isfinite(apart) and abs(apart) >= 0.15 * spread:
        way = "higher" if apart > 0 else "lower"
        says = f"{name!r} is {abs(apart):.3g} ({abs(apart) / spread:.1f} deviations) {way} in {other.name}"
    else:
        says = f"{name!r} is distributed otherwise in {other.name} (cumulative shares differ by up to {gap:.0%})"
    return Gap(name, gap, p_value, says)


def _category(
    name: str, train: SplitProfile, other: SplitProfile, codes: NDArray[np.int64], drawn: Drawn, names: list[str]
) -> Gap:
    a, b = codes[~drawn.second], codes[drawn.second]
    table = np.stack([np.bincount(x[x >= 0], minlength=len(names)) for x in (a, b)])
    if not table.sum(1).all():
        return Gap(name, 0.0, 1.0, "")
    p_value, _ = chi_square(table, effect=drawn.effect_on_shares(codes))
    shares = table / table.sum(1, keepdims=True)
    k = int(np.abs(shares[1] - shares[0]).argmax())
    says = f"{name!r} is {names[k]!r} in {shares[1, k]:.0%} of {other.name} and {shares[0, k]:.0%} of {train.name}"
    return Gap(name, float(np.abs(shares[1] - shares[0]).sum() / 2), p_value, says)


def _emptiness(
    name: str, train: SplitProfile, other: SplitProfile, a: NDArray[np.bool_], b: NDArray[np.bool_], drawn: Drawn
) -> Gap:
    if not a.any() and not b.any():
        return Gap(name, 0.0, 1.0, "")
    table = np.array([[x.sum(), len(x) - x.sum()] for x in (a, b)])
    p_value, _ = chi_square(table, effect=drawn.effect(np.concatenate([a, b]).astype(np.float64)))
    says = f"{name!r} is empty in {b.mean():.0%} of {other.name} and {a.mean():.0%} of {train.name}"
    return Gap(name, abs(float(b.mean() - a.mean())), p_value, says)


@one_thread()
def tell_apart(
    profile: Profile, train: SplitProfile, other: SplitProfile, units: NDArray[np.int64] | None
) -> tuple[float, float]:
    """Out-of-fold AUC of a model that distinguishes the two splits, and its standard error where they do not differ."""
    from sklearn.ensemble import ExtraTreesClassifier

    parts = [(s, fewer(s.rows, np.flatnonzero(s.rows.readable), MODEL_ROWS)) for s in (train, other)]
    sizes = [len(rows) for _, rows in parts]
    if min(sizes) < 20:
        return 0.5, 1.0
    X = features_of(profile.dataset, profile.feature_names, parts, _one_sided(profile, train, other))
    if X.shape[1] == 0:
        return 0.5, 1.0
    second = np.arange(len(X)) >= sizes[0]
    # Copies of one input share a fold, and so do the rows of one source, so that none is recognised.
    inputs = np.concatenate([s.rows.inputs[rows] for s, rows in parts])
    drawn = _drawn(units, train, [rows for _, rows in parts])
    if drawn.units is not None:
        inputs = np.where(drawn.units >= 0, drawn.units.astype(np.uint64) + np.uint64(1), inputs)
    fold = ((inputs * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(33)) % np.uint64(3)
    scores = np.full(len(X), 0.5)
    for f in range(3):
        inside, outside = fold == f, fold != f
        if inside.any() and 0 < second[outside].sum() < outside.sum():
            model = ExtraTreesClassifier(50, min_samples_leaf=3, class_weight="balanced", random_state=0)
            scores[inside] = model.fit(X[outside], second[outside]).predict_proba(X[inside])[:, 1]
    return auc(scores, second), auc_error(sizes[1], sizes[0]) * math.sqrt(drawn.effect(scores))


def _one_sided(profile: Profile, train: SplitProfile, other: SplitProfile) -> set[str]:
    """Columns that count rows, or that one of the splits lacks or never fills: those are no matter of distribution."""
    aside = set()
    whole = {split.name: np.arange(len(split.rows)) for split in (train, other)}
    for name in profile.feature_names:
        a, b = _numbers(train, name, whole), _numbers(other, name, whole)
        if a is None or b is None or not np.isfinite(a).any() or not np.isfinite(b).any() or _counter(a, b):
            aside.add(name)
    for field in profile.dataset.fields:
        if field.kind == "text" and any(
            all(text is None for text in split.rows.texts.get(field.name, ())) for split in (train, other)
        ):
            aside.add(field.name)
    return aside


def apart_in_time(profile: Profile, train: SplitProfile, other: SplitProfile) -> str | None:
    """The time column in which the two splits lie one after the other, if there is one."""
    for field in profile.dataset.fields:
        if field.role != "time":
            continue
        a, b = times_of(train.rows, field), times_of(other.rows, field)
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        if len(a) >= 10 and len(b) >= 10:
            later = auc(np.concatenate([a, b]), np.arange(len(a) + len(b)) >= len(a))
            if later >= 0.9 or later <= 0.1:
                return field.name
    return None
