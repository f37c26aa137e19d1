"""Shards of WebDataset: tar archives whose consecutive members of one key are a sample."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datalint.core.dataset import Batch, LabelBlock, Problem
from datalint.core.wording import counted
from datalint.sources import tars
from datalint.sources.files import IMAGES, printable
from datalint.sources.images import decode as pictures
from datalint.sources.images.files import BATCH, Stored, read_pictures
from datalint.sources.tables.convert import number_classes, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.dataset import Aspect

BATCH_BYTES = 64 << 20
"""Bytes of pictures that are held at a time."""

MAX_LABEL = 1 << 20
"""Bytes of a part that may hold a label."""

TOLD = 200
"""Members without a place in any sample, and samples that lack a part, of which the names are kept."""

_KEY = re.compile(r"((?:.*/)?[^/.][^/.]*)\.([^/]+)")

PICTURES = tuple(suffix[1:] for suffix in (".jpg", ".jpeg", ".png", ".webp", *sorted(IMAGES)))
"""Parts that are pictures, the likeliest input first."""


def key_of(name: str) -> tuple[str, str] | None:
    """The key and the part that a member's name says: what stands before and after the first point; None without one."""
    match = _KEY.fullmatch(name)
    return (match[1], match[2].lower()) if match else None


@dataclass
class Sample:
    """The consecutive members of one key."""

    key: str
    parts: dict[str, bytes | None] = field(default_factory=dict)
    """Their content; None where it was not wanted."""
    twice: str = ""
    """A part that came again."""


def samples(
    path: Path, wanted: Callable[[str], bool], odd: list[tuple[str, str]], limit: int | None = None
) -> Iterator[Sample]:
    """The samples of a shard in their order.

    Args:
        path: of the shard.
        wanted: says of a part whether its content is read.
        odd: gets the members that belong to no sample, and why.
        limit: bytes of each part, beyond which it is not read.

    Raises:
        Exception: one of ``tars.DAMAGE``.
    """
    sample: Sample | None = None
    with tars.opened(path) as members:
        for member, read in members:
            if member.refused:
                odd.append((member.name, member.refused))
                continue
            split = key_of(member.name)
            if split is None:
                if not os.path.basename(member.name).startswith((".", "__")):  # noqa: PTH119 - of a member
                    odd.append((member.name, "has no suffix, so it is a part of no sample"))
                continue
            key, part = split
            if sample is None or sample.key != key:
                if sample is not None:
                    yield sample
                sample = Sample(key)
            if part in sample.parts:
                sample.twice = part
                continue
            fits = limit is None or member.size <= limit
            sample.parts[part] = read() if fits and wanted(part) else None
    if sample is not None:
        yield sample


@dataclass(frozen=True)
class Labelled:
    """Where the label of a sample stands."""

    part: str
    column: str = ""
    """Member of the JSON object in it."""
    kind: Literal["number", "text"] = "text"

    @property
    def name(self) -> str:
        """What the label is called."""
        return f"{self.part}.{self.column}" if self.column else self.part

    def value(self, sample: Sample) -> str | None:
        """The label of one sample; None where there is none."""
        data = sample.parts.get(self.part)
        if data is None:
            return None
        if not self.column:
            return data.decode("utf-8", "replace").strip() or None
        found = json_of(data).get(self.column)
        return None if found is None or isinstance(found, (dict, list)) else str(found)


def json_of(data: bytes) -> dict[str, Any]:
    """The object in a part; an empty one if it is none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class ShardPartition:
    """One shard of samples with pictures."""

    path: Path
    shown: str
    split: str
    pictures_in: tuple[str, ...]
    """Parts of which the first that a sample has is its picture."""
    label: Labelled | None
    expected: tuple[str, ...]
    """Parts that all samples should have."""
    weight: int

    @property
    def files_read(self) -> tuple[str, ...]:
        """The archive."""
        return (str(self.path),)

    def sample_id(self, line: int) -> str:
        """The shard and the 0-based sample in it."""
        return f"{self.shown}[{line}]"

    def picture(self, line: int) -> bytes | None:
        """The picture of one sample as a small WebP file."""
        return self.pictures([line])[0]

    def pictures(self, lines: Sequence[int]) -> list[bytes | None]:
        """Those of several samples, in one pass."""
        made: dict[int, bytes | None] = {}
        wanted = set(lines)
        try:
            for line, sample in enumerate(samples(self.path, self.pictures_in.__contains__, [])):
                if line in wanted:
                    data = self._picture(sample)[1]
                    made[line] = None if data is None else pictures.report_picture(data)
                if line >= max(wanted):
                    break
        except tars.DAMAGE:
            pass  # which reading it has told
        return [made.get(line) for line in lines]

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """The samples, decoded a hundred at a time."""
        shown = bool(aspects & {"header", "pixels"})
        parts = [self.label.part] if self.label else []
        wanted = frozenset([*parts, *(self.pictures_in if shown else ())])
        odd: list[tuple[str, str]] = []
        lost: Counter[str] = Counter()
        first: dict[str, str] = {}
        held: list[Sample] = []
        start = size = 0
        broken: Problem | None = None
        try:
            for sample in samples(self.path, wanted.__contains__, odd):
                if sample.twice:
                    odd.append((f"{sample.key}.{sample.twice}", "comes twice, at which loaders stop"))
                for part in self._lacking(sample):
                    lost[part] += 1
                    first.setdefault(part, sample.key)
                held.append(sample)
                size += sum(len(data) for data in sample.parts.values() if data)
                if len(held) >= BATCH or size >= BATCH_BYTES:
                    yield self._batch(held, start, aspects)
                    start, held, size = start + len(held), [], 0
        except tars.DAMAGE as error:
            broken = Problem("truncated", self.shown, tars.damage(error))
        if held:
            yield self._batch(held, start, aspects)
            start += len(held)
        problems = [*self._lost(lost, first, start), *_odd(self.shown, odd), *([broken] if broken else [])]
        if problems:
            yield Batch(self.split, start, 0, problems=problems)

    def _lacking(self, sample: Sample) -> Iterator[str]:
        for part in self.expected:
            if part not in sample.parts:
                yield f".{part}"

    def _lost(self, lost: Counter[str], first: dict[str, str], total: int) -> list[Problem]:
        return [
            Problem(
                "absent",
                self.shown,
                printable(
                    f"{count:,} of {counted(total, 'sample')} without {part}, which the others have, such as {first[part]!r}"
                ),
            )
            for part, count in lost.items()
        ]

    def _batch(self, held: Sequence[Sample], start: int, aspects: frozenset[Aspect]) -> Batch:
        labels = None
        if self.label is not None:
            labels = label_block([self.label.value(sample) for sample in held], self.label)
        batch = Batch(self.split, start, len(held), labels=labels)
        if aspects & {"header", "pixels"}:
            stored = [self._stored(sample) for sample in held]
            batch.images = read_pictures(stored, start, batch.problems, "pixels" in aspects)
        return batch

    def _picture(self, sample: Sample) -> tuple[str, bytes | None]:
        part = next((name for name in self.pictures_in if name in sample.parts), "")
        return part, sample.parts.get(part)

    def _stored(self, sample: Sample) -> Stored:
        part, data = self._picture(sample)
        name = printable(f"{self.shown}/{sample.key}.{part}" if part else f"{self.shown}/{sample.key}")
        if data is None:
            return Stored(name, None, None, "", missing="the sample has no picture")
        return Stored(name, data, None, f".{part.rpartition('.')[2]}")


def label_block(values: Sequence[str | None], label: Labelled) -> LabelBlock:
    """The labels of some samples."""
    import pyarrow as pa

    if label.kind == "number":
        return number_classes(np.array([_number(value) for value in values], np.float64))
    texts = texts_of(label.name, pa.array(values, pa.string()))
    return LabelBlock(texts.codes, texts.values, padded=texts.padded)


def _number(value: str | None) -> float:
    try:
        return float("nan") if value is None else float(value)
    except ValueError:
        return float("nan")


def _odd(shown: str, odd: Sequence[tuple[str, str]]) -> list[Problem]:
    by_reason: dict[str, list[str]] = {}
    for name, why in odd[:TOLD]:
        by_reason.setdefault(why, []).append(name)
    return [
        Problem(
            "not-scanned",
            printable(f"{shown}/{names[0]}"),
            f"{why}" + (f" (and {len(names) - 1:,} more)" if names[1:] else ""),
        )
        for why, names in by_reason.items()
    ]
