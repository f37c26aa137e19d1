"""VAL109 numeric-overflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    NumberStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    TextStats,
    more_of,
)
from datalint_rules.values._tables import Pool, need_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

HALF, SINGLE = 65_504.0, 3.4028234663852886e38
"""Largest finite float16 and float32."""


class NumericOverflow(Rule):
    """Features that lose their values in the number formats models compute with.

    Values beyond the range of float32, of so many digits that float32 cannot distinguish samples, whole numbers beyond
    2^53, or, as info, values beyond the range of float16.

    Rounding counts where neighbouring float32 numbers lie further apart than a fiftieth of the column's deviation:
    time stamps in milliseconds, long keys, small changes on a large base.

    ## Why it hurts

    Frameworks convert inputs to float32, or float16 in mixed precision, without a word. What is too large becomes
    infinity, then NaN in the loss; what has too many digits is rounded until samples look equal.

    ## How to fix it

    Subtract an offset and scale in float64 before the conversion; keep long keys as text and out of the features.

    ## When it is wrong

    Where scaling in float64 comes first anyway.

    ## Reference

    37 reasons, item 37. IEEE 754. No peer checks it.
    """

    code = "VAL109"
    name = "numeric-overflow"
    severity: ClassVar[Severity] = "warning"
    item = "37"
    modalities = frozenset({"table"})
    follows = ("VAL107", "VAL111")
    measures = (NumberStats, Sample, TextStats)

    class Params(RuleParams):
        """Cuts."""

        step: float = Field(0.02, gt=0, le=1, description="Rounding step of float32 per deviation that is too coarse.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        need_tables(profile, texts=False)
        pool = Pool.of(profile)
        over: list[tuple[str, str]] = []
        coarse: list[tuple[str, str]] = []
        half: list[tuple[str, str]] = []
        for name in profile.feature_names:
            largest, whole = _largest(pool, name)
            if largest > SINGLE:
                over.append((name, f"{name!r} reaches {largest:.3g}"))
                continue
            if largest > HALF:
                half.append(
                    (name, f"{name!r} reaches {largest:,.0f}" if largest < 1e9 else f"{name!r} reaches {largest:.3g}")
                )
            if largest > 2**53 and whole:
                coarse.append((name, f"{name!r} holds whole numbers up to {largest:.3g}, beyond the 2^53 of float64"))
            elif largest > 0:
                values = pool.numbers(name)
                why = self._coarse(values[np.isfinite(values)])
                if why:
                    coarse.append((name, f"{name!r} {why}"))
        if over:
            yield _found(
                over, "beyond the range of float32 (3.4e38)", "They become infinity in float32.", None, "float32"
            )
        if coarse:
            yield _found(coarse, "", "Different samples get equal or coarsely rounded inputs.", None, "digits")
        hidden = {name for name, _ in coarse}
        half = [item for item in half if item[0] not in hidden]
        if half:
            lost = "Unscaled they become infinity in mixed precision."
            yield _found(half, "beyond the range of float16 (65,504)", lost, "info", "float16")

    def _coarse(self, values: NDArray[np.float64]) -> str | None:
        """Whether float32 keeps too little of what differs between samples."""
        if len(values) < 10:
            return None
        # The quartiles, not the deviation: a few far values must not hide what happens to the others.
        places = [round(q * (len(values) - 1)) for q in (0.25, 0.5, 0.75)]
        low, middle, high = (float(q) for q in np.partition(values, places)[places])
        spread = (high / 2 - low / 2) * 2 / 1.35
        step = float(np.spacing(np.float32(max(abs(low), abs(high)))))
        if spread <= 0 or step < self.params.step * spread:
            return None
        before = len(np.unique(values))
        after = len(np.unique(values.astype(np.float32)))
        if before < 10 or after > 0.99 * before:
            return None
        return (
            f"has values around {middle:.6g} that differ by {spread:.3g}, of which float32 keeps steps of {step:.3g}: "
            f"{before:,} different values become {after:,}"
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Add an offset to a column so that float32 keeps steps of 8 % of its deviation; 100 % at full strength."""
        if clean.files:
            return None
        first = next(iter(clean.tables.values()))
        columns = []
        for name in first.columns:
            if name == clean.label or first[name].dtype.kind != "f" or first[name].nunique() < 100:
                continue
            low, high = np.nanpercentile(first[name], [25, 75])
            # Columns of even spread only: in others the quartiles may be equal.
            if high - low > 0.2 * np.ptp(first[name].dropna()):
                columns.append(name)
        if not columns:
            return None
        column = columns[int(rng.integers(len(columns)))]
        spread = float(np.subtract(*np.nanpercentile(first[column], [75, 25]))) / 1.35
        offset = 2.0 ** np.ceil(np.log2(spread * 0.08 * 12.5**strength * 2**24))
        tables = {split: table.copy() for split, table in clean.tables.items()}
        for table in tables.values():
            table[column] = table[column] + offset
        return Planted(Clean(clean.name, tables, clean.label), column=str(column))


def _largest(pool: Pool, name: str) -> tuple[float, bool]:
    """The largest magnitude of a column in all splits, and whether it holds whole numbers alone."""
    largest, whole = 0.0, True
    for split in pool.splits:
        numbers = split[NumberStats]
        j = split.position(name)
        if j is not None and numbers.count[j]:
            largest = max(largest, abs(float(numbers.low[j])), abs(float(numbers.high[j])))
            whole = whole and bool(numbers.whole[j])
    return largest, whole


def _found(group: list[tuple[str, str]], what: str, lost: str, severity: Severity | None, subject: str) -> Found:
    told = ", ".join(why for _, why in group[:3])
    more = f" and {more_of(len(group) - 3, 'column')}" if len(group) > 3 else ""
    return Found(
        message=f"{told}{more}{', ' if what else ''}{what}",
        consequence=lost,
        remedy="Subtract an offset and scale in float64 before converting; keep long keys out of the features.",
        severity=severity,
        confidence=0.95,
        column=group[0][0] if len(group) == 1 else None,
        subject=subject,
        evidence={"columns": [{"column": name, "why": why} for name, why in group[:100]]},
    )
