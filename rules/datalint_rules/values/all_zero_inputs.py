"""VAL101 all-zero-inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    ImageHeaders,
    Measurement,
    NumberStats,
    PixelStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Severity,
    Skip,
    SplitProfile,
    ZeroSamples,
    are,
    blacken,
    digits,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class AllZeroInputs(Rule):
    """Samples whose whole input is zero: rows over the feature columns, images, array items.

    In tables where zeros are common, the number of such rows is compared with what the zeros of the single columns
    would give by chance, so that sparse data is not blamed for being sparse.

    Of colour pictures it also finds those in which one channel holds one value all over while the other two show a picture. In
    JPEG files such a channel is no longer constant, and nothing tells it from dim light: there it is not looked for.

    ## Why it hurts

    An all-zero sample is nearly always a failed read, a missing file or padding that was taken for data. It carries a
    label but nothing to learn it from, gives no gradient to the first layer, and divides by zero in per-sample scaling.

    ## How to fix it

    Find out where the samples come from (the finding lists them), load them again, or drop them.

    ## When it is wrong

    Where zero everywhere is a real observation, such as a customer without any purchase, or where pictures have two channels by
    nature, such as those of two dyes. If most cells of a table are
    zero the finding is only info; otherwise half of a split is an error.

    ## Reference

    37 reasons, item 1.
    """

    code = "VAL101"
    name = "all-zero-inputs"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"table", "images"})
    repair = "drop"
    public = frozenset(
        {"all_zero_samples", "all_zero_share", "expected_by_chance", "zero_cell_share", "dead", "images", "channel"}
    )

    class Params(RuleParams):
        """Cuts."""

        sparse: float = Field(0.5, ge=0, le=1, description="Share of zero cells from which a table counts as sparse.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Where the zero samples lie, and how common zeros are."""
        return (ZeroSamples, NumberStats) if dataset.modality == "table" else (ZeroSamples, PixelStats, ImageHeaders)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split."""
        if profile.dataset.modality == "table" and not profile.feature_names:
            raise Skip("the table has no numeric feature column", applies=False)
        if profile.dataset.modality == "images":
            yield from _dead_channels(profile)
        for split in profile.splits:
            zeros = split[ZeroSamples]
            if zeros.count == 0:
                continue
            sparse, expected = 0.0, 0.0
            if profile.dataset.modality == "table":
                sparse, expected = _by_chance(split, profile.feature_names, zeros.count)
                if not _surprising(zeros.count, expected):
                    continue
            what = {"table": "rows are zero in every feature", "images": "images are zero in every pixel"}
            yield Found(
                message=(
                    f"{zeros.count:,} of {split.samples:,} {what[profile.dataset.modality]} "
                    f"({zeros.count / split.samples:.2%})"
                ),
                consequence="They teach a label from nothing, and per-sample scaling divides by zero.",
                remedy="Trace the listed samples to their source and load them again, or drop them.",
                severity="info"
                if sparse >= self.params.sparse
                else "error"
                if 2 * zeros.count >= split.samples
                else None,
                confidence=0.8 if sparse >= self.params.sparse else 0.98,
                split=split.name,
                evidence={
                    "all_zero_samples": zeros.count,
                    "all_zero_share": digits(zeros.count / split.samples, 3),
                    "expected_by_chance": digits(expected, 3),
                    "zero_cell_share": digits(sparse, 3),
                },
                cases=Cases(split.name, zeros.places),
                count=zeros.count,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Set whole inputs to zero: one sample, up to 5 % at full strength."""
        if clean.files:
            return blacken(clean, strength, rng)
        split = training(clean)
        table = clean.tables[split].copy()
        features = [c for c in table.columns if c != clean.label]
        if any(table[c].dtype.kind not in "iufb" for c in features) or not features:
            return None
        count = max(1, round(0.05 * strength * len(table)))
        rows = rng.choice(len(table), count, replace=False)
        if (table[features] == 0).to_numpy().mean() >= cls.Params().sparse:
            return None
        for column in features:
            table[column] = table[column].where(~table.index.isin(table.index[rows]), 0)
        faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(faulty, split=split, rows={split: frozenset(int(r) for r in rows)})


_CHANNELS = ("red", "green", "blue")
_SHOWN = 16  # deviation, of 255, in which a channel shows something
_PALE = 0.3  # relative to the liveliest channel: above it lie the channels of sound pictures


def _dead_channels(profile: Profile) -> Iterator[Found]:
    """Pictures of which one channel is constant and the other two are not."""
    spread = {split.name: np.nan_to_num(split[PixelStats].spread.astype(np.float64)) for split in profile.splits}
    every = np.concatenate(list(spread.values()))
    if not len(every):
        return
    least, flat = every.argmin(axis=1), every.min(axis=1)
    ordered = np.sort(every, axis=1)
    # Drawings in yellow on black lack blue by nature: their other channels are one.
    alive = (ordered[:, 1] >= _SHOWN) & (ordered[:, 2] - ordered[:, 1] > 1e-6 * ordered[:, 2])
    exact = alive & (flat == 0)
    pale = alive & ~exact & (flat <= _PALE * ordered[:, 2])
    # Dim or glaring light fades by degrees: there more pictures are nearly without a channel than wholly.
    certain = np.array([(exact & (least == k)).sum() >= (pale & (least == k)).sum() for k in range(len(_CHANNELS))])
    lost = exact & certain[least]
    start = 0
    for split in profile.splits:
        some = slice(start, start + len(spread[split.name]))
        start = some.stop
        for channel, name in enumerate(_CHANNELS):
            mine = np.flatnonzero(lost[some] & (least[some] == channel))
            if not len(mine):
                continue
            readable = int(split[PixelStats].measured.sum())
            yield Found(
                message=(
                    f"{len(mine):,} of {readable:,} images {are(len(mine))} of one value in the whole {name} channel "
                    f"({len(mine) / readable:.2%})"
                ),
                consequence="The model never sees this channel of them, and learns what its absence goes with.",
                remedy="Trace the listed images to their source and load them again with all channels, or drop them.",
                confidence=0.9,
                split=split.name,
                subject=name,
                evidence={"dead": len(mine), "images": readable, "channel": name},
                cases=Cases(split.name, split[ImageHeaders].places.take(mine)),
            )


def _by_chance(split: SplitProfile, names: tuple[str, ...], count: int) -> tuple[float, float]:
    """Share of zero cells outside the all-zero rows, and how many of these independent columns would give."""
    numbers = split[NumberStats]
    wanted = set(names)
    picked = np.array([name in wanted for name in numbers.names], np.bool_)
    zero, others = numbers.zero[picked].astype(np.float64), max(split.samples - count, 1)
    varied = zero < split.samples  # a column that is zero throughout says nothing about single rows
    if not varied.any():
        # Nothing but zeros in every feature is no sparseness: there is no input at all.
        return 0.0, 0.0
    sparse = float((zero - count).mean()) / others
    if varied.sum() == 1:
        return sparse, float(count)
    # Of columns that are hardly zero elsewhere the all-zero rows are what is asked about, and no evidence.
    elsewhere = (zero - count) / others
    share = np.where(elsewhere < 0.1, elsewhere, zero / split.samples)[varied]
    return sparse, float(split.samples * share.prod())


def _surprising(count: int, expected: float) -> bool:
    """Whether chance would rarely give as many, even if dependence between columns made it ten times likelier."""
    mean = 10 * expected
    if count <= mean:
        return False
    if mean == 0:
        return True
    # The Poisson tail, bounded by a geometric series.
    tail = count * math.log(mean) - mean - math.lgamma(count + 1) - math.log1p(-mean / (count + 1))
    return tail < math.log(1e-4)
