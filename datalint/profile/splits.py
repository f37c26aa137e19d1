"""One split as it was measured, its sampled rows, and what the user already has for it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from datalint.measures.columns import NumberStats
from datalint.measures.label_sets import LabelSets
from datalint.measures.order import MISSING_CLASS, LabelRuns
from datalint.measures.problems import Problems
from datalint.measures.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Partition, Split
    from datalint.measures.base import Measurement
    from datalint.measures.passages import Passages
    from datalint.measures.places import Places

M = TypeVar("M", bound="Measurement")


@dataclass(frozen=True)
class SplitProfile:
    """What was measured on one split."""

    name: str
    info: Split
    measured: Mapping[type[Measurement], Measurement]

    def __getitem__(self, kind: type[M]) -> M:
        """The measurement of that kind; a KeyError means that the rule does not declare it in ``needs``."""
        return cast("M", self.measured[kind])

    @property
    def samples(self) -> int:
        """How many there are."""
        return self[Problems].samples

    @cached_property
    def counts(self) -> dict[str, int]:
        """Samples per class or label, without the missing labels; empty where there are none that could be counted."""
        if LabelSets in self.measured:
            return {label: count for label, count in (self[LabelSets].counts or {}).items() if count}
        counts = self[LabelRuns].counts or {}
        return {label: count for label, count in counts.items() if label != MISSING_CLASS}

    @property
    def labelled(self) -> int:
        """Samples whose labels are known."""
        return self[LabelSets].samples if LabelSets in self.measured else sum(self.counts.values())

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        return {name: j for j, name in enumerate(self[NumberStats].names)}

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.info.columns)

    def lacks(self, name: str) -> bool:
        """Whether the files of the split have no such column at all."""
        return bool(self._named) and name not in self._named

    def position(self, name: str) -> int | None:
        """Where :class:`NumberStats` has a column; None where the split has no such numeric column."""
        return self._columns.get(name)

    @cached_property
    def rows(self) -> SampledRows:
        """The sampled samples in stored order, every copy of a content on its own row."""
        return SampledRows.of(self[Sample], several=LabelSets in self.measured)


@dataclass(frozen=True)
class SampledRows:
    """The coordinated sample of one split as rows in stored order, no more than its size; arrays have one entry per row.

    Where contents have many copies the rows are a uniform sample of the copies, so that a content is as frequent among
    the rows as in the split, and lies where it lies there.
    """

    places: Places
    label: NDArray[np.object_]
    """Class name; None where missing or where the target has no classes. A JSON list if samples have several labels."""
    target: NDArray[np.float64]
    names: tuple[str, ...]
    numbers: NDArray[np.float64]
    """[rows, numeric columns]"""
    texts: Mapping[str, NDArray[np.object_]]
    pictures: NDArray[np.uint8] | None
    readable: NDArray[np.bool_]
    inputs: NDArray[np.uint64]
    """Hash of the inputs without the label."""
    total: int
    """Samples in the whole split."""
    several: bool = False
    """Whether samples have several labels."""

    @classmethod
    def of(cls, sample: Sample, *, several: bool = False) -> SampledRows:
        """The rows of a sample."""
        payload = sample.payload
        if payload is None:
            none = np.zeros(0)
            empty = np.zeros(0, dtype=object)
            yes = np.zeros(0, np.bool_)
            hashes = np.zeros(0, np.uint64)
            return cls(sample.places, empty, none, (), np.zeros((0, 0)), {}, None, yes, hashes, sample.samples, several)
        places = sample.places
        if len(places) > sample.size:
            places = places.take(np.argsort(places.priority)[: sample.size])
        places = places.take(np.argsort(places.row))
        rows = payload.take(np.searchsorted(sample.contents, places.content))
        return cls(
            places,
            rows.label,
            rows.target,
            sample.names,
            rows.numbers,
            rows.texts,
            rows.pictures,
            rows.readable,
            rows.inputs,
            sample.samples,
            several,
        )

    def __len__(self) -> int:
        return len(self.label)

    @property
    def complete(self) -> bool:
        """Whether these are all samples of the split."""
        return len(self) == self.total

    @cached_property
    def _sets(self) -> list[frozenset[str]]:
        known: dict[str | None, frozenset[str]] = {None: frozenset()}
        for label in self.label:
            if label not in known:
                known[label] = frozenset(json.loads(label) if self.several else [label])
        return [known[label] for label in self.label]

    def members(self, labels: Iterable[str]) -> NDArray[np.bool_]:
        """[rows, labels] Which samples have which of some classes or labels."""
        at = {label: k for k, label in enumerate(labels)}
        found = np.zeros((len(self), len(at)), np.bool_)
        for k, own in enumerate(self._sets):
            found[k, [at[label] for label in own if label in at]] = True
        return found

    def having(self, labels: Iterable[str]) -> NDArray[np.bool_]:
        """Which samples have any of some classes or labels."""
        found: NDArray[np.bool_] = np.any(self.members(labels), axis=1)
        return found

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Where each numeric column is in ``numbers``: to search the names for every column takes their square."""
        return {name: j for j, name in enumerate(self.names)}

    def column(self, name: str) -> NDArray[np.float64]:
        """A numeric column, NaN where missing and where the split has no such column."""
        j = self.at.get(name)
        return np.full(len(self), np.nan) if j is None else self.numbers[:, j]


@dataclass(frozen=True)
class Elsewhere:
    """The passages of texts that lie elsewhere, such as a benchmark that training data must not hold."""

    name: str
    passages: Passages
    partitions: Sequence[Partition]

    def sample_id(self, place: int) -> str:
        """What a person can open to see one of the texts."""
        places = self.passages.places
        return self.partitions[int(places.part[place])].sample_id(int(places.line[place]))


@dataclass(frozen=True)
class Given:
    """What the user already has: predictions or embeddings, one row per sample in stored order, and texts of evaluation."""

    pred_probs: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """[samples, classes] by split."""
    embeddings: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """[samples, dimensions] by split."""
    against: tuple[Elsewhere, ...] = ()


def class_order(name: str) -> tuple[int, float, str]:
    """Sort key of class names: numbers by value, as scikit-learn sorts them, then texts."""
    try:
        value = float(name)
    except ValueError:
        value = math.nan
    return (0, value, name) if math.isfinite(value) else (1, 0.0, name)
