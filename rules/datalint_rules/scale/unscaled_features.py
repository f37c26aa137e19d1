"""NRM101 unscaled-features."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    AllWell,
    Clean,
    Field,
    Found,
    NumberStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    SampledRows,
    Severity,
    Skip,
    digits,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydantic import JsonValue


class UnscaledFeatures(Rule):
    """Numeric features of very different scale, or far from zero, as the training split holds them.

    Compares the standard deviations of the features, and their means in units of them. Nearly every raw table is
    unscaled, which is info; it is a warning where the largest feature is so large that in 32-bit floats the smallest
    one vanishes next to it.

    ## Why it hurts

    One learning rate must serve all weights: it is too large for the weights of the large features or too small for
    those of the small ones, and the number of steps grows with the square of the ratio. Distances and penalties count
    the large features only. Trees do not mind.

    ## How to fix it

    Standardise the features with the mean and deviation of the training split (``StandardScaler`` in a pipeline).

    ## When it is wrong

    For trees and forests, and where the model scales its inputs itself.

    ## Reference

    37 reasons, item 12; LeCun et al., 1998, "Efficient BackProp", section 4.3. Peers call a ratio of 100 (zgornel) or
    10,000 (preflight-data) a fault; on raw real tables that is the rule, so here it is info.
    """

    code = "NRM101"
    name = "unscaled-features"
    severity: ClassVar[Severity] = "warning"
    item = "12"
    of_whole = True
    modalities = frozenset({"table"})
    public = frozenset({"ratio", "largest", "smallest", "features", "not_centred"})
    measures = (NumberStats, Sample)

    class Params(RuleParams):
        """Cuts."""

        # A gradient step then changes the loss along one feature 10,000 times as much as along the other.
        ratio: float = Field(100.0, gt=1, description="Ratio of standard deviations from which it is info.")
        # 2 ** 24: next to a larger term, a 32-bit float loses all of a smaller one.
        extreme: float = Field(2.0**24, gt=1, description="Ratio of standard deviations from which it is a warning.")
        offset: float = Field(10.0, gt=0, description="Distance of a mean from zero, in deviations, that is info.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the training split."""
        split = next((split for split in profile.splits if split.samples), None)
        if split is None or not profile.feature_names:
            raise Skip("the table has no numeric feature column", applies=False)
        numbers = split[NumberStats]
        wanted = set(profile.feature_names)
        picked = np.array([name in wanted for name in numbers.names], np.bool_)
        with np.errstate(over="ignore", invalid="ignore"):
            deviation = numbers.deviation
            # A deviation below the rounding of the mean is that of a constant.
            picked &= (numbers.count > 1) & np.isfinite(deviation) & (deviation > 1e-12 * np.abs(numbers.mean))
        if picked.sum() < 2:
            raise Skip("fewer than two numeric features vary", applies=False)
        names = np.array(numbers.names, dtype=object)[picked]
        deviation, mean = deviation[picked], numbers.mean[picked]
        largest, smallest = int(deviation.argmax()), int(deviation.argmin())
        with np.errstate(over="ignore"):
            ratio = float(deviation[largest] / deviation[smallest])
            far = np.abs(mean) / deviation >= self.params.offset
        if ratio < self.params.ratio and not far.any():
            raise AllWell(f"the spreads of the features differ no more than {ratio:,.3g} to 1")
        extreme = ratio >= self.params.extreme and _typical_ratio(split.rows, names) >= self.params.extreme
        centred = f"; {far.sum():,} of {len(names):,} have a mean {self.params.offset:g} or more deviations from zero"
        apart = (
            f"features differ {ratio:,.3g} to 1 in spread: {names[largest]!r} (standard deviation "
            f"{deviation[largest]:.3g}) against {names[smallest]!r} ({deviation[smallest]:.3g})"
        )
        worst = int((np.abs(mean) / deviation).argmax())
        offset = (
            f"{far.sum():,} of {len(names):,} features lie far from zero, most of all {names[worst]!r} "
            f"(mean {mean[worst]:.3g}, standard deviation {deviation[worst]:.3g})"
        )
        order = sorted(range(len(names)), key=lambda j: (-deviation[j], str(names[j])))
        shown = [*order[:10], *order[10:][-10:]]
        columns: list[JsonValue] = [
            {"column": str(names[j]), "mean": digits(float(mean[j]), 4), "deviation": digits(float(deviation[j]), 4)}
            for j in shown
        ]
        yield Found(
            message=apart + centred * bool(far.any()) if ratio >= self.params.ratio else offset,
            consequence=(
                "In 32-bit floats the small features vanish next to the large ones: gradient descent cannot use them."
                if extreme
                else "Gradient methods need many more steps, and distances see the large features only; trees do not mind."
            ),
            remedy="Standardise the features with the mean and deviation of the training split alone.",
            severity="warning" if extreme else "info",
            confidence=0.95 if extreme else 0.9,
            split=split.name,
            evidence={
                "ratio": digits(ratio, 4),
                "largest": str(names[largest]),
                "smallest": str(names[smallest]),
                "features": len(names),
                "not_centred": int(far.sum()),
                "columns": columns,
            },
            count=0,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give one feature another unit, so that it is 10 ** 9 times as wide as the narrowest; 10 ** 12 at full strength."""
        if not clean.tables:
            return None
        table = clean.tables[training(clean)]
        spread = {
            c: float(table[c].std())
            for c in table.columns
            if c != clean.label and table[c].dtype.kind == "f" and table[c].nunique() > 20
        }
        if len(spread) < 2 or min(spread.values()) <= 0:
            return None
        column = str(rng.choice(list(spread)))
        other = min(deviation for name, deviation in spread.items() if name != column)
        factor = 10 ** round(9 + 3 * strength) * other / spread[column]
        tables = {
            name: frame.assign(**{column: frame[column] * factor}) if column in frame else frame
            for name, frame in clean.tables.items()
        }
        return Planted(Clean(clean.name, tables, clean.label), split=training(clean), column=column)


def _typical_ratio(rows: object, names: NDArray[np.object_]) -> float:
    """Ratio of the largest to the smallest typical deviation from the median: a single wild value gives none."""
    if not isinstance(rows, SampledRows) or len(rows) == 0:
        return 0.0
    at = {name: j for j, name in enumerate(rows.names)}
    spreads = []
    for name in names:
        column = rows.numbers[:, at[name]]
        column = column[np.isfinite(column)]
        if len(column) == 0:
            continue
        with np.errstate(over="ignore"):
            away = np.abs(column - np.median(column))
        away = away[away > 0]
        if len(away):
            spreads.append(float(np.median(away)))
    with np.errstate(over="ignore"):
        return max(spreads) / min(spreads) if len(spreads) > 1 else 0.0
