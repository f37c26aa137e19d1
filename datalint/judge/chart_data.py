"""From the profile of a data set to what the report's pictures show; each a small record of bounded size."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.dataset import THUMBNAIL
from datalint.core.dialogues import told
from datalint.core.secrets import LONGEST, masked
from datalint.core.statistics import digits
from datalint.engine.engine import read
from datalint.measures.columns import NumberStats
from datalint.measures.images import ImageHeaders
from datalint.measures.sample import Sample
from datalint.measures.texts import TextStats
from datalint.report.views import (
    Column,
    Columns,
    ColumnScale,
    ColumnValues,
    FirstBatches,
    HeadBatch,
    HeadSample,
    Mark,
    Overlap,
    Scales,
    Size,
    Sizes,
    Views,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from pydantic import JsonValue

    from datalint.core.dataset import Aspect, Batch, Field, Partition
    from datalint.judge.thumbnails import Thumbnails
    from datalint.profile.profile import Profile
    from datalint.profile.splits import SplitProfile

SPLITS = 8
"""Splits in the overlap matrix; more are no picture."""

COLUMNS = 40
"""Columns in the chart of scales, and in the table of columns."""

COMPARED = 4
"""Splits that the columns are compared over."""

BINS = 16
"""Stretches of a numeric column's range."""

TOP = 4
"""Most frequent values of a column."""

POINTS = 400
"""Points in the scatter of sizes."""

BATCHES = 2
SHOWN = 32
"""Samples shown of a batch: all of one of the usual size."""

CLASSES = 20
"""Classes listed of a batch."""

VALUES = 8
"""Columns of which the values are shown."""

CHARACTERS = 60
"""Of one value that is text."""

LOOKED_AT = 200_000
"""Rows read at most to find the first ones of a split that shares its file with others."""


def views_of(profile: Profile, thumbnails: Thumbnails) -> Views:
    """What was measured, as the pictures show it; the first samples are added to the ``thumbnails`` to be made."""
    return Views(
        overlap=overlap(profile),
        scales=scales(profile),
        columns=columns(profile),
        sizes=sizes(profile),
        first_batches=first_batches(profile, thumbnails),
    )


def overlap(profile: Profile) -> Overlap | None:
    """Samples that several splits hold; None where there is one split, or inputs were not compared."""
    splits = min(len(profile.splits), SPLITS)
    if splits < 2 or not profile.compares_inputs:
        return None
    copies = profile.copies
    kept = copies.split < splits
    split, inputs = copies.split[kept], copies.inputs[kept]
    table = np.zeros((splits, splits), np.int64)
    if len(inputs):
        # Copies are ordered by input and split: which splits hold an input is one number of a bit per split.
        first = np.concatenate([[True], inputs[1:] != inputs[:-1]])
        holders = np.bitwise_or.reduceat(np.left_shift(1, split), np.flatnonzero(first))
        who = np.bincount(split << splits | holders[np.cumsum(first) - 1], minlength=splits << splits)
        by_holders = who.reshape(splits, 1 << splits)
        for column in range(splits):
            table[:, column] = by_holders[:, np.arange(1 << splits) >> column & 1 == 1].sum(axis=1)
        anew = first | np.concatenate([[True], split[1:] != split[:-1]])
        np.fill_diagonal(table, np.bincount(split[~anew], minlength=splits))
    return Overlap(
        splits=copies.names[:splits],
        samples=copies.samples[:splits],
        shared=tuple(tuple(copies.estimate(int(count)) for count in row) for row in table),
        exact=copies.exact,
    )


def scales(profile: Profile) -> Scales | None:
    """Range and deviation of the numeric features of the first split that has samples."""
    split = next((split for split in profile.splits if split.samples), None)
    if split is None or NumberStats not in split.measured:
        return None
    numbers = split[NumberStats]
    wanted = set(profile.feature_names)
    picked = [j for j, name in enumerate(numbers.names) if name in wanted and numbers.count[j]]
    deviation = numbers.deviation
    columns = [
        ColumnScale(
            name=numbers.names[j],
            low=digits(float(numbers.low[j])),
            high=digits(float(numbers.high[j])),
            mean=digits(float(numbers.mean[j])),
            # A deviation below the rounding of the mean is that of a constant.
            deviation=digits(float(deviation[j])) if deviation[j] > 1e-12 * abs(numbers.mean[j]) else 0.0,
        )
        for j in picked
        if math.isfinite(deviation[j]) and math.isfinite(numbers.mean[j])
    ]
    if len(columns) < 2:
        return None
    columns.sort(key=_strangeness)
    spreads = [column.deviation for column in columns if column.deviation > 0]
    ratio = max(spreads) / min(spreads) if len(spreads) > 1 else math.inf
    return Scales(
        split=split.name,
        columns=tuple(columns[:COLUMNS]),
        features=len(columns),
        ratio=digits(ratio) if math.isfinite(ratio) else None,
    )


def _strangeness(column: ColumnScale) -> tuple[float, str]:
    far = -abs(math.log10(column.deviation)) if column.deviation > 0 else 1.0
    return far, column.name


def columns(profile: Profile) -> Columns | None:
    """Gaps, range, middle and the most frequent values of each column, split by split; None for pictures."""
    splits = [split for split in profile.splits if split.samples][:COMPARED]
    dataset = profile.dataset
    wanted = (NumberStats, TextStats, Sample)
    if dataset.modality != "table" or not splits or not all(kind in s.measured for s in splits for kind in wanted):
        return None
    fields = [f for f in dataset.fields if f.kind != "other" and f.role != "label"]
    shown = [column for f in fields[:COLUMNS] if (column := _column(f, splits)) is not None]
    if not shown:
        return None
    return Columns(
        splits=tuple(split.name for split in splits),
        samples=tuple(split.samples for split in splits),
        columns=tuple(shown),
        total=max(len(fields), len(shown)),
        exact=all(split.rows.complete for split in splits),
    )


def _column(field: Field, splits: Sequence[SplitProfile]) -> Column | None:
    if any(split.position(field.name) is not None for split in splits):
        finite = [(v := split.rows.column(field.name))[np.isfinite(v)] for split in splits]
        ends = [(float(v.min()), float(v.max())) for v in finite if len(v)]
        start, end = (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else (0.0, 0.0)
        edges = _edges(start, end, whole=all(_is_whole(field.name, split) for split in splits))
        values = [_numbers(field.name, s, v, edges) for s, v in zip(splits, finite, strict=True)]
        if edges is None:
            return Column(name=field.name, kind=field.kind, role=field.role, splits=tuple(values))
        bounds = {"start": digits(start), "end": digits(end)}
        return Column(name=field.name, kind=field.kind, role=field.role, splits=tuple(values), **bounds)
    if any(field.name in split[TextStats].present for split in splits):
        texts = tuple(_texts(field.name, split) for split in splits)
        return Column(name=field.name, kind=field.kind, role=field.role, splits=texts)
    return None


def _is_whole(name: str, split: SplitProfile) -> bool:
    j = split.position(name)
    return j is None or bool(split[NumberStats].whole[j])


def _edges(start: float, end: float, *, whole: bool) -> NDArray[np.float64] | None:
    """Where the stretches of a range end; those of whole numbers hold equally many of these."""
    if not math.isfinite(end - start) or end <= start:
        return None
    if not whole or end - start > 1e9:
        return np.linspace(start, end, BINS + 1)
    step = math.ceil((end - start + 1) / BINS)
    return start - 0.5 + step * np.arange(math.ceil((end - start + 1) / step) + 1, dtype=np.float64)


def _numbers(
    name: str, split: SplitProfile, values: NDArray[np.float64], edges: NDArray[np.float64] | None
) -> ColumnValues | None:
    j = split.position(name)
    if j is None:
        return None
    stats = split[NumberStats]
    known = bool(stats.count[j]) and len(values) > 0
    bins = np.histogram(values, edges)[0] if edges is not None and known else ()
    return ColumnValues(
        missing=int(stats.missing[j]),
        distinct=len(np.unique(values)) if split.rows.complete else None,
        low=digits(float(stats.low[j])) if known else None,
        median=digits(float(np.median(values))) if known else None,
        high=digits(float(stats.high[j])) if known else None,
        bins=tuple(int(count) for count in bins),
    )


def _texts(name: str, split: SplitProfile) -> ColumnValues | None:
    stats = split[TextStats]
    if name not in stats.present:
        return None
    counts = stats.values.get(name)
    top = sorted((counts or {}).items(), key=lambda item: (-item[1], item[0]))[:TOP]
    # Of texts that are all different none is frequent.
    top = top if counts and top[0][1] > 1 else []
    return ColumnValues(
        missing=stats.missing(name),
        distinct=None if counts is None else len(counts),
        top=tuple((_short(masked(told(value)[:LONGEST])), count) for value, count in top),
    )


def _short(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…"


def sizes(profile: Profile) -> Sizes | None:
    """Width and height of the images of all splits; None where all are equal."""
    headers = [split[ImageHeaders] for split in profile.splits if ImageHeaders in split.measured]
    if not headers:
        return None
    width = np.concatenate([h.width for h in headers]).astype(np.int64)
    height = np.concatenate([h.height for h in headers]).astype(np.int64)
    turned = np.concatenate([h.orientation for h in headers]) >= 5
    width, height = np.where(turned, height, width), np.where(turned, width, height)
    known = width > 0
    # One number for all three: sorting numbers is many times faster than sorting rows.
    codes, counts = np.unique((width << 32 | height << 1 | turned)[known], return_counts=True)
    if len(codes) < 2:
        return None
    found = np.column_stack([codes >> 32, codes >> 1 & 0x7FFFFFFF, codes & 1])
    upright: dict[tuple[int, int], int] = {}
    for (w, h, _), count in zip(found.tolist(), counts.tolist(), strict=True):
        upright[w, h] = upright.get((w, h), 0) + count
    points = []
    for (w, h, tag), count in zip(found.tolist(), counts.tolist(), strict=True):
        mark: Mark = "tagged" if tag else "swapped" if upright.get((h, w), 0) > upright[w, h] else ""
        points.append(Size(width=w, height=h, images=count, mark=mark))
    points.sort(key=lambda p: (p.mark == "", -p.images, p.width, p.height))
    return Sizes(points=tuple(points[:POINTS]), distinct=len(upright))


def first_batches(profile: Profile, thumbnails: Thumbnails) -> FirstBatches | None:
    """The first batches of the training split, read once more from where they are stored."""
    split = next((split for split in profile.splits if split.samples), None)
    if split is None:
        return None
    size = profile.settings.batch_size
    names = [f.name for f in profile.dataset.fields if f.role in {"feature", "text"}]
    pictures = _Pictures(split, thumbnails)
    batches: list[_Batch] = []
    for number, (partition, batch, row) in enumerate(_head(profile, split, size * BATCHES)):
        if number % size == 0:
            batches.append(_Batch(names or _columns(batch), profile.task == "classification"))
        sample = batches[-1].add(partition, batch, row, number)
        if sample is not None and profile.dataset.modality == "images":
            pictures.keep(sample, partition, int(batch.where[row]))
    if not batches:
        return None
    columns = batches[0].columns if profile.dataset.modality == "table" else []
    return FirstBatches(
        split=split.name,
        batch_size=size,
        columns=tuple(columns),
        hidden_columns=max(len(batches[0].all_columns) - len(columns), 0) if columns else 0,
        batches=tuple(batch.view() for batch in batches),
    )


def _head(profile: Profile, split: SplitProfile, count: int) -> Iterator[tuple[Partition, Batch, int]]:
    """The first samples of a split with the batch as read that holds them, and their row in it."""
    tables: set[Aspect] = {"table"} if profile.dataset.modality == "table" else set()
    aspects: frozenset[Aspect] = frozenset({"labels", "head", *tables})
    seen = 0
    for partition in profile.dataset.partitions:
        if partition.split not in (None, split.name):
            continue
        with contextlib.closing(read(partition, aspects)) as batches:
            for batch in batches:
                seen += batch.size
                if batch.split == split.name:
                    for row in range(min(batch.size, count)):
                        yield partition, batch, row
                    count -= min(batch.size, count)
                if count == 0 or seen >= LOOKED_AT:
                    return


def _columns(batch: Batch) -> list[str]:
    if batch.table is None:
        return []
    return [*batch.table.names, *(column.name for column in batch.table.categories)]


class _Batch:
    """One batch while it is being filled."""

    def __init__(self, names: list[str], classes: bool) -> None:
        self.all_columns, self.classes = names, classes
        self.columns = names[:VALUES]
        self.samples = self.missing = 0
        self.labels: dict[str, int] = {}
        self.shown: list[HeadSample] = []

    def add(self, partition: Partition, batch: Batch, row: int, index: int) -> HeadSample | None:
        """Take in the next sample; returned if it is shown."""
        self.samples += 1
        label = _label(batch, row, self.classes)
        if isinstance(label, str):
            self.labels[label] = self.labels.get(label, 0) + 1
        elif label is None:
            self.missing += 1
        if len(self.shown) >= SHOWN:
            return None
        sample = HeadSample(
            id=partition.sample_id(int(batch.where[row])), index=index, label=label, values=self._values(batch, row)
        )
        self.shown.append(sample)
        return sample

    def _values(self, batch: Batch, row: int) -> tuple[JsonValue, ...]:
        table = batch.table
        if table is None:
            return ()
        numbers = {name: j for j, name in enumerate(table.names)}
        texts = {column.name: column for column in table.categories}
        found: list[JsonValue] = []
        for name in self.columns:
            if name in numbers:
                number = float(table.numbers[row, numbers[name]])
                found.append(digits(number) if math.isfinite(number) else None if math.isnan(number) else str(number))
            elif name in texts and texts[name].codes[row] >= 0:
                text = masked(told(texts[name].values[texts[name].codes[row]][:LONGEST]))
                found.append(_short(text))
            else:
                found.append(None)
        return tuple(found)

    def view(self) -> HeadBatch:
        """The batch as it is told."""
        labels = sorted(self.labels.items(), key=lambda item: (-item[1], item[0]))
        return HeadBatch(
            samples=self.samples, labels=dict(labels[:CLASSES]), missing=self.missing, shown=tuple(self.shown)
        )


def _label(batch: Batch, row: int, classes: bool) -> str | float | None:
    labels = batch.labels
    if labels is None:
        return None
    if labels.codes is not None and (classes or labels.values is None):
        return labels.classes[labels.codes[row]] if labels.codes[row] >= 0 else None
    value = math.nan if labels.values is None else float(labels.values[row])
    return digits(value) if math.isfinite(value) else None


class _Pictures:
    """Small pictures of the first samples."""

    def __init__(self, split: SplitProfile, thumbnails: Thumbnails) -> None:
        self.thumbnails = thumbnails
        self.sampled: NDArray[np.uint8] | None = None
        # Items of a compressed array cost a whole read each; small ones are at hand as they are, near enough.
        small = split.info.shape is not None and max(split.info.shape[1:], default=1) <= 2 * THUMBNAIL
        if small and Sample in split.measured and split.rows.complete:
            self.sampled = split.rows.pictures

    def keep(self, sample: HeadSample, partition: Partition, line: int) -> None:
        """Show the picture of a sample."""
        if self.sampled is not None:
            self.thumbnails.give(sample.id, self.sampled[sample.index])
        else:
            self.thumbnails.want(sample.id, partition, line)
