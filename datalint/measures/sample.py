"""The coordinated sample: the samples with the smallest content hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings
from datalint.measures.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch

MAX_COPIES = 32
"""Places kept per content on average: enough for all copies of anything but mass duplicates."""

MAX_CELLS = 24_000_000
"""Numbers kept in all: about 200 MB; wide tables keep fewer samples."""

MIN_SAMPLES = 200

MAX_PENDING = 500
"""Parts put aside at most, however small: their sizes are added up every time."""

_LAST = np.uint64(2**64 - 1)


@dataclass(slots=True)
class Payload:
    """What is kept of each sampled content; arrays have one entry per content."""

    label: NDArray[np.object_]
    """Class name; None where missing or where the target has no classes."""
    target: NDArray[np.float64]
    """The label as a number, NaN where it is none."""
    inputs: NDArray[np.uint64]
    """Hash of the inputs without the label."""
    numbers: NDArray[np.float64]
    """[contents, numeric columns]"""
    texts: dict[str, NDArray[np.object_]]
    """Text columns by name; None where missing."""
    pictures: NDArray[np.uint8] | None
    """Thumbnails of images."""
    readable: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> Payload:
        """Some contents."""
        return Payload(
            self.label[rows],
            self.target[rows],
            self.inputs[rows],
            self.numbers[rows],
            {name: column[rows] for name, column in self.texts.items()},
            None if self.pictures is None else self.pictures[rows],
            self.readable[rows],
        )


class Sample(Measurement):
    """A uniform sample of the distinct contents of a split, with the places of their copies.

    The contents with the k smallest hashes are kept (bottom-k sampling, Cohen and Kaplan 2007): which those are does
    not depend on the order, the partitions or the machine, and the union of two such samples gives that of both parts.
    Every copy of a kept content is counted. Up to :attr:`copies` of each are placed, chosen by a hash of the place: the
    first ones would make a shuffled table of few distinct contents look sorted. While a split has no more than k samples
    the sample is the split.
    """

    reads: ClassVar[frozenset[Aspect]] = frozenset({"labels", "table", "pixels", "header"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.names: tuple[str, ...] = ()
        """Numeric columns, in the order of ``payload.numbers``."""
        self.contents = np.zeros(0, np.uint64)
        """Hashes of the kept contents, ascending."""
        self.counts = np.zeros(0, np.int64)
        """Copies of each content in the whole split."""
        self.payload: Payload | None = None
        self.places = Places.none()
        """Copies of the kept contents, ordered by content and position."""
        self._pending: list[Sample] = []
        self._limit = _LAST
        self._reach: NDArray[np.uint64] | None = None
        """Last priority that is placed of each content; None while all are."""
        self._ordered = -1
        """How many copies of each content were allowed when the places were last put in order; -1 for never."""

    @property
    def size(self) -> int:
        """How many contents are kept at most."""
        columns = max(1, len(self.names))
        return max(MIN_SAMPLES, min(self.settings.sample_size, MAX_CELLS // columns))

    @property
    def copies(self) -> int:
        """How many copies of each content are placed at most: all while they fit, and ever fewer from then on."""
        size, contents = self.size, len(self.contents)
        if contents >= size:
            return MAX_COPIES
        return self.samples if self.samples <= MAX_COPIES * size else MAX_COPIES * size // max(1, contents)

    @property
    def complete(self) -> bool:
        """Whether every sample of the split is in it."""
        return int(self.counts.sum()) == self.samples and len(self.places) == self.samples

    def update(self, batch: Batch) -> None:
        """Keep the samples of one batch whose hash is small enough."""
        if batch.size == 0:
            return
        rows = np.flatnonzero(batch.hashes <= self._limit)
        # Columns count even where none of their samples is kept: they decide the size.
        new = self.payload is None or self._new_columns(batch)
        offset, self.samples = self.samples, self.samples + batch.size
        if len(rows) or new:
            part = Sample(self.settings)
            part._fill(batch, rows, self._reachable(Places.of(batch, rows, offset)))
            self._await(part, new)

    def _await(self, part: Sample, new: bool) -> None:
        """Put a part aside; merging many at once is cheaper than one after the other."""
        self._pending.append(part)
        contents = sum(len(p.contents) for p in self._pending)
        places = sum(len(p.places) for p in self._pending)
        crowded = contents > self.size or places > MAX_COPIES * self.size or len(self._pending) > MAX_PENDING
        if new or crowded:
            self._compact()

    def _new_columns(self, batch: Batch) -> bool:
        if batch.table is None:
            return False
        return self._unknown(batch.table.names, [column.name for column in batch.table.categories])

    def _unknown(self, numbers: tuple[str, ...], texts: Iterable[str]) -> bool:
        """Whether any of these columns is new."""
        if self.payload is None:
            return False
        numeric = numbers == self.names or set(numbers) <= set(self.names)
        return not numeric or any(name not in self.payload.texts for name in texts)

    def _reachable(self, places: Places) -> Places:
        if self._reach is None:
            return places
        at = np.minimum(np.searchsorted(self.contents, places.content), len(self.contents) - 1)
        known = self.contents[at] == places.content
        return places.take(~known | (places.priority <= self._reach[at]))

    def _fill(self, batch: Batch, rows: NDArray[np.int64], places: Places) -> None:
        self.contents, first, counts = np.unique(batch.hashes[rows], return_index=True, return_counts=True)
        self.counts = counts.astype(np.int64)
        self.places = places
        self.payload = _payload(batch, rows[first])
        if batch.table is not None:
            self.names = batch.table.names

    def _compact(self) -> None:
        """Merge what is pending and keep the k smallest."""
        if not self._pending:
            if self.copies != self._ordered:
                self.places = self._order(self.places)
            return
        parts = [p for p in [self, *self._pending] if p.payload is not None]
        self._pending = []
        _same_columns(parts)
        self.names = parts[0].names
        everything = np.concatenate([p.contents for p in parts])
        contents, first, inverse = np.unique(everything, return_index=True, return_inverse=True)
        counts = np.bincount(inverse, np.concatenate([p.counts for p in parts])).astype(np.int64)
        kept = min(len(contents), self.size)
        self.payload = _gathered([p.payload for p in parts if p.payload is not None], first[:kept])
        self.contents, self.counts = contents[:kept].copy(), counts[:kept].copy()
        if len(contents) >= self.size:
            self._limit = self.contents[-1]
        places = Places.none()
        for part in parts:
            places = places.then(part.places)
        self.places = self._order(places)

    def _order(self, places: Places) -> Places:
        """Sort the places, and drop those of contents that were dropped and those that are too many."""
        self._reach, copies = None, self.copies
        self._ordered = copies
        if len(places) == 0:
            return places
        places = places.take(places.content <= self.contents[-1])
        # Copies of a content come in stored order; a stable sort leaves them so, and is quick on what is sorted in part.
        places = places.take(np.argsort(places.content, kind="stable"))
        if self.counts.max() <= copies:
            return places
        priority = places.priority
        starts = np.searchsorted(places.content, self.contents)
        placed = np.diff(np.append(starts, len(places)))
        self._reach = np.full(len(placed), _LAST)
        for k in np.flatnonzero(placed >= copies):
            own = priority[starts[k] : starts[k] + placed[k]]
            self._reach[k] = np.partition(own, copies - 1)[copies - 1]
        return places.take(priority <= np.repeat(self._reach, placed))

    def merge(self, later: Self) -> Self:
        """The k smallest of both; the copies of a content add up."""
        later._compact()
        offset, self.samples = self.samples, self.samples + later.samples
        if later.payload is None:
            return self
        new = self.payload is None or self._unknown(later.names, later.payload.texts)
        # Once this sample is full, next to nothing of a later part can still enter it.
        later._cut(self._limit)
        if len(later.contents) or new:
            later.places = Places.none().then(later.places, offset)
            self._await(later, new)
        return self

    def _cut(self, limit: np.uint64) -> None:
        """Leave out the contents beyond a hash."""
        kept = int(np.searchsorted(self.contents, limit, side="right"))
        if kept == len(self.contents) or self.payload is None:
            return
        self.payload = self.payload.take(np.arange(kept))
        self.contents, self.counts = self.contents[:kept].copy(), self.counts[:kept].copy()
        self.places = self.places.take(np.arange(np.searchsorted(self.places.content, limit, side="right")))
        self._reach = None

    def close(self) -> Self:
        """Merge what is pending, order the columns by name, and keep one channel of pictures that are all grey."""
        self._compact()
        payload = self.payload
        if payload is None:
            return self
        if list(self.names) != sorted(self.names):
            order = sorted(range(len(self.names)), key=self.names.__getitem__)
            self.names = tuple(self.names[j] for j in order)
            payload.numbers = payload.numbers[:, order]
        payload.texts = dict(sorted(payload.texts.items()))
        pictures = payload.pictures
        if pictures is not None and pictures.ndim == 4 and _grey(pictures):
            payload.pictures = np.ascontiguousarray(pictures[..., 0])
        return self

    def renumber(self, part: int) -> bool:
        """Say on which partition this was measured; where copies had to be left out, the number decided which."""
        return self._reach is None and super().renumber(part)


def _grey(pictures: NDArray[np.uint8]) -> bool:
    """Whether no picture has a colour; of a colourful set the first few decide."""
    blocks = (pictures[start : start + 64] for start in range(0, len(pictures), 64))
    return all((block == block[..., :1]).all() for block in blocks)


def _payload(batch: Batch, rows: NDArray[np.int64]) -> Payload:
    label = np.full(len(rows), None, dtype=object)
    target = np.full(len(rows), np.nan)
    if batch.labels is not None:
        if batch.labels.codes is not None:
            table = np.array([*(name or None for name in batch.labels.classes), None], dtype=object)
            label = table[batch.labels.codes[rows]]
        if batch.labels.values is not None:
            target = batch.labels.values[rows]
    texts: dict[str, NDArray[np.object_]] = {}
    numbers = np.zeros((len(rows), 0))
    if batch.table is not None:
        numbers = batch.table.numbers[rows]
        for column in batch.table.categories:
            texts[column.name] = np.array([*column.values, None], dtype=object)[column.codes[rows]]
    pictures, readable = None, np.ones(len(rows), np.bool_)
    if batch.images is not None and batch.images.thumbnails is not None:
        pictures = batch.images.thumbnails[rows]
        if batch.images.readable is not None:
            readable = batch.images.readable[rows]
    elif batch.sounds is not None:
        pictures, readable = batch.sounds.pictures[rows], batch.sounds.readable[rows]
    return Payload(label, target, batch.input_hashes[rows], numbers, texts, pictures, readable)


def _same_columns(parts: list[Sample]) -> None:
    """Give all parts the same numeric and text columns; what a part lacks is missing there."""
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    texts = list(dict.fromkeys(name for part in parts if part.payload for name in part.payload.texts))
    colour = any(
        p.payload is not None and p.payload.pictures is not None and p.payload.pictures.ndim == 4 for p in parts
    )
    for part in parts:
        payload = part.payload
        if payload is None:
            continue
        n = len(part.contents)
        if part.names != names:
            numbers = np.full((n, len(names)), np.nan)
            at = {name: j for j, name in enumerate(names)}
            numbers[:, [at[name] for name in part.names]] = payload.numbers
            payload.numbers, part.names = numbers, names
        if list(payload.texts) != texts:
            payload.texts = {name: payload.texts.get(name, np.full(n, None, dtype=object)) for name in texts}
        if colour and payload.pictures is not None and payload.pictures.ndim == 3:
            payload.pictures = np.repeat(payload.pictures[..., None], 3, axis=3)


def _gathered(parts: Sequence[Payload], rows: NDArray[np.int64]) -> Payload:
    """Some contents of several parts; ``rows`` count through all of them."""
    whole = Payload(
        np.concatenate([p.label for p in parts]),
        np.concatenate([p.target for p in parts]),
        np.concatenate([p.inputs for p in parts]),
        np.concatenate([p.numbers for p in parts]),
        {name: np.concatenate([p.texts[name] for p in parts]) for name in parts[0].texts},
        None,
        np.concatenate([p.readable for p in parts]),
    ).take(rows)
    whole.pictures = _gathered_pictures([p.pictures for p in parts if p.pictures is not None], rows)
    return whole


def _gathered_pictures(parts: Sequence[NDArray[np.uint8]], rows: NDArray[np.int64]) -> NDArray[np.uint8] | None:
    """Straight to their places: to put all of them together first takes twice the memory, which must be fetched."""
    if not parts:
        return None
    ends = np.cumsum([len(part) for part in parts])
    order = np.argsort(rows, kind="stable")
    bounds = np.searchsorted(rows[order], ends)
    out = np.empty((len(rows), *parts[0].shape[1:]), np.uint8)
    start = 0
    for part, end, stop in zip(parts, ends.tolist(), bounds.tolist(), strict=True):
        out[order[start:stop]] = part[rows[order[start:stop]] - (end - len(part))]
        start = stop
    return out
