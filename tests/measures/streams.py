"""Streams of samples that can be cut anywhere: what a sample is does not depend on the cut."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from hypothesis import strategies as st

from datalint.core import hashing
from datalint.core.annotations import MaskBlock, ObjectBlock
from datalint.core.dataset import Batch, Categories, ImageBlock, LabelBlock, LabelSet, PixelBlock, Problem, TableBlock
from datalint.core.sounds import SoundBlock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.measures.base import Measurement, Settings

M = TypeVar("M", bound="Measurement")

KINDS = ("table", "numeric labels", "label sets", "images", "sounds")
WILD = np.array(
    [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 2.0**53 + 2, -(2.0**63), 1e100, 1e200, -1.7e308, 1.7e308]
)
LONG = " ".join(f"word{k}" for k in range(30))
TEXTS = ("red", "Red", "", "0", "ein\x00d", "\ud800", "日本", LONG, LONG[40:])
TOKENS = tuple(f"?{k}" for k in range(140))


@dataclass
class Section:
    """A partition: all its samples have the same columns. Arrays have one entry per sample."""

    size: int
    names: tuple[str, ...] | None = None
    numbers: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    features: NDArray[np.bool_] | None = None
    texts: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    tokens: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    classes: NDArray[np.object_] | None = None
    values: NDArray[np.float64] | None = None
    declared: tuple[str, ...] | None = None
    """Labels that are declared where ``classes`` are JSON lists of labels."""
    pictures: list[NDArray[np.uint8] | None] | None = None
    """None for a picture that cannot be read."""
    pixels: NDArray[np.float64] | None = None
    """[samples, 2] numbers of the pictures, where they are arrays of numbers."""
    sounds: NDArray[np.int64] | None = None
    """A number that stands for each recording; 0 for one that cannot be read."""
    objects: NDArray[np.int64] | None = None
    """Number of objects in each sample."""
    image: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    problems: list[tuple[int, bool]] = field(default_factory=list)
    """The sample at which each is met, and whether it knows its position."""

    def batch(self, number: int, start: int, stop: int, rng: np.random.Generator) -> Batch:
        """The samples from ``start`` to ``stop``; codes are dealt out anew in every batch."""
        rows = slice(start, stop)
        batch = Batch("all", start, stop - start, number)
        if self.classes is not None:
            codes, names = _encode(self.classes[rows], rng)
            values = None if self.values is None else self.values[rows]
            batch.labels = LabelBlock(codes, names, values, _padded(self.classes[rows]))
            if self.declared is not None:
                batch.labels.sets = [_set(name) for name in names]
                batch.labels.declared = self.declared
        elif self.values is not None:
            batch.labels = LabelBlock(None, [], self.values[rows])
        if self.names is not None:
            columns = (
                Categories(name, *_encode(cells[rows], rng), padded=_padded(cells[rows]))
                for name, cells in self.texts.items()
            )
            numbers = np.asfortranarray(self.numbers[rows])
            batch.table = TableBlock(self.names, numbers, tuple(columns), self.features, tokens=self._tokens(rows))
        if self.pictures is not None:
            batch.images = self._images(rows)
        if self.sounds is not None:
            batch.sounds = self._sounds(self.sounds[rows])
        if self.objects is not None:
            batch.objects = self._objects(start, stop, rng)
            batch.masks = self._masks(start, stop)
        for at, known in self.problems:
            if start <= at < stop:
                batch.problems.append(Problem("unreadable", f"file {at}", "broken", at if known else -1))
        return batch

    def _tokens(self, rows: slice) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for name, cells in self.tokens.items():
            for token in cells[rows]:
                if token is not None:
                    counts = found.setdefault(name, {})
                    counts[token] = counts.get(token, 0) + 1
        return found

    def _sounds(self, numbers: NDArray[np.int64]) -> SoundBlock:
        read = numbers > 0
        level = np.where(read, numbers / 50, np.nan).astype(np.float32)
        return SoundBlock(
            rate=(numbers % 3 * 8000).astype(np.int32),
            channels=(numbers % 3).astype(np.int16),
            seconds=numbers.astype(np.float64) * 0.1,
            format=["WAV" if number else "" for number in numbers],
            depth=["PCM_16" if number else "" for number in numbers],
            loudest=level,
            clipped=level,
            offset=level,
            spread=level,
            dead=numbers % 5 == 1,
            hashes=hashing.mix(numbers.astype(np.uint64)),
            readable=read,
            pictures=np.repeat(numbers % 256, 16).reshape(-1, 4, 4).astype(np.uint8),
        )

    def _objects(self, start: int, stop: int, rng: np.random.Generator) -> ObjectBlock:
        assert self.objects is not None
        counts = self.objects[start:stop]
        picture = np.repeat(np.arange(stop - start), counts)
        ref = np.arange(self.objects[:start].sum(), self.objects[:stop].sum())
        boxes = np.where(ref[:, None] % 7 == 0, np.nan, ref[:, None] * [0.3, 1.7, 2.1, 1e39])
        codes, names = _encode(np.array(["cat", "Cat", "7", "\ud800"], dtype=object)[ref * ref % 4], rng)
        sizes = np.column_stack([counts * 10, counts * 20]).astype(np.int32)
        return ObjectBlock(picture, boxes, codes, names, ref, (ref % 8).astype(np.uint8), sizes, counts % 3 > 0)

    def _masks(self, start: int, stop: int) -> MaskBlock:
        assert self.objects is not None
        counts = self.objects[start:stop]
        picture = np.repeat(np.arange(stop - start), counts)
        number = np.arange(self.objects[:start].sum(), self.objects[:stop].sum())
        size = np.column_stack([counts * 10, counts * 20]).astype(np.int32)
        kinds = [["", "L", "P"][count % 3] for count in counts]
        return MaskBlock(size, kinds, kinds, counts.astype(np.int32), picture, number * 7 % 256, number)

    def _images(self, rows: slice) -> ImageBlock:
        pictures = (self.pictures or [])[rows]
        colour = any(picture is not None and picture.ndim == 3 for picture in pictures)
        stack = np.zeros((len(pictures), 4, 4, 3) if colour else (len(pictures), 4, 4), np.uint8)
        for k, picture in enumerate(pictures):
            if picture is not None:
                stack[k] = picture[..., None] if colour and picture.ndim == 2 else picture
        size = np.array([0 if p is None else 4 + p.ndim for p in pictures], np.int32)
        mean = np.array([np.nan if p is None else p.mean() for p in pictures], np.float32)
        three = np.repeat(mean[:, None], 3, axis=1)
        levels = np.nan_to_num(np.repeat(mean[:, None], 4, axis=1)).astype(np.uint8)
        blank = mean < 100
        pixels = PixelBlock(mean, mean, three, three, levels, mean, blank, np.logical_not(blank))
        return ImageBlock(
            width=size,
            height=size * 2,
            orientation=np.array([1 if p is None else p.ndim for p in pictures], np.uint8),
            mode=["" if p is None else "L" if p.ndim == 2 else "RGB" for p in pictures],
            hashes=self.image[rows],
            all_zero=np.array([p is not None and not p.any() for p in pictures], np.bool_),
            readable=np.array([p is not None for p in pictures], np.bool_),
            thumbnails=stack,
            format=["" if p is None else "PNG" for p in pictures],
            file_size=size.astype(np.int64) * 100,
            declared=np.column_stack([size, size]),
            pixels=pixels,
            numbers=None if self.pixels is None else self._pixels(self.pixels[rows]),
        )

    def _pixels(self, numbers: NDArray[np.float64]) -> TableBlock:
        gaps = int(np.isnan(numbers[:, 0]).sum())
        tokens = {"pixel 0": {"?": gaps}} if gaps else {}
        return TableBlock(("pixel 0", "mean of channel 0"), np.asfortranarray(numbers), tokens=tokens)


@dataclass
class Stream:
    """Sections one after the other."""

    sections: list[Section]

    @property
    def size(self) -> int:
        """Samples in all."""
        return sum(section.size for section in self.sections)

    def batches(self, start: int, stop: int, cuts: set[int], rng: np.random.Generator) -> list[Batch]:
        """The samples from ``start`` to ``stop``, in batches that end at the cuts; now and then an empty batch."""
        found: list[Batch] = []
        offset = 0
        for number, section in enumerate(self.sections):
            low, high = max(start - offset, 0), min(stop - offset, section.size)
            ends = sorted({low, high} | {c - offset for c in cuts if low < c - offset < high}) if low < high else []
            for a, b in pairwise(ends):
                found.append(section.batch(number, a, b, rng))
                if rng.random() < 0.1:
                    found.append(section.batch(number, b, b, rng))
            offset += section.size
        return found


def measured(kind: type[M], settings: Settings, batches: list[Batch]) -> M:
    """One measurement of some batches, not closed."""
    state = kind(settings)
    for batch in batches:
        state.update(batch)
    return state


def _encode(cells: NDArray[np.object_], rng: np.random.Generator) -> tuple[NDArray[np.int32], list[str]]:
    """Codes in random order, with one value that does not occur."""
    values = [*sorted({cell for cell in cells if cell is not None}), "unused"]
    values = [values[k] for k in rng.permutation(len(values))]
    at = {value: k for k, value in enumerate(values)}
    return np.array([-1 if cell is None else at[cell] for cell in cells], np.int32), values


def _padded(cells: NDArray[np.object_]) -> dict[str, int]:
    """As if three of the texts had always had blanks around them."""
    return {value: count for value in ("Red", "0", "1") if (count := int((cells == value).sum()))}


def _set(name: str) -> LabelSet:
    labels = [] if name == "unused" else json.loads(name)
    return LabelSet(tuple(labels), ("a repeated label",) if len(labels) % 4 == 3 else ())


@st.composite
def streams(draw: st.DrawFn, kind: str) -> Stream:
    """Streams of one kind, up to some hundred samples, in up to three sections."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(0, 4) | st.integers(0, 40) | st.integers(100, 350), min_size=1, max_size=3))
    make = {"table": _table, "numeric labels": _target, "label sets": _sets, "images": _images, "sounds": _sounds}[kind]
    return Stream([_with_problems(make(rng, size), rng) for size in sizes])


def _with_problems(section: Section, rng: np.random.Generator) -> Section:
    count = int(rng.integers(0, 4)) if section.size else 0
    at = sorted(int(k) for k in rng.integers(max(section.size, 1), size=count))
    section.problems = [(k, bool(rng.random() < 0.7)) for k in at]
    return section


def _column(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    noise = rng.normal(size=size)
    gaps = np.where(rng.random(size) < 0.2, np.nan, noise)
    kinds = (
        noise, gaps, rng.integers(-3, 4, size).astype(float), rng.choice(WILD, size), np.full(size, 0.1),
        1e9 + noise, np.full(size, np.nan), np.zeros(size), rng.integers(2**52, 2**53, size).astype(float),
        noise * 1e-300,
    )  # fmt: skip
    return kinds[int(rng.integers(len(kinds)))]


def _labels(rng: np.random.Generator, size: int) -> NDArray[np.object_] | None:
    classes = np.array([None, "", "1", "01", "a", "b", "\ud800"], dtype=object)[: int(rng.integers(1, 8))]
    cells = classes[rng.integers(len(classes), size=size)]
    order = int(rng.integers(4))
    if order == 0:
        return None
    if order == 1:  # long runs
        cells = np.repeat(cells, rng.integers(1, 90, size))[:size]
    return cells


def _table(rng: np.random.Generator, size: int) -> Section:
    names = [name for name in ("b", "a", "d", "c") if rng.random() < 0.7]
    rng.shuffle(names)
    # Rows come from a pool, so that there are duplicates.
    rows = rng.integers(int(rng.integers(1, 2 * size + 2)), size=size)
    pool = int(rows.max(initial=0)) + 1
    numbers = np.stack([_column(rng, pool)[rows] for _ in names], axis=1) if names else np.zeros((size, 0))
    texts = {
        name: np.array([None, *TEXTS], dtype=object)[rng.integers(len(TEXTS) + 1, size=pool)][rows]
        for name in ("s", "t")
        if rng.random() < 0.5
    }
    tokens = {}
    for name, some in (("a", 2), ("b", len(TOKENS))):
        if name in names:
            tokens[name] = np.array(TOKENS, dtype=object)[rng.integers(some, size=size)]
            tokens[name][rng.random(size) < 0.5] = None
    features = rng.random(len(names)) < 0.8 if rng.random() < 0.5 else None
    return Section(size, tuple(names), numbers, features, texts, tokens, _labels(rng, size))


def _target(rng: np.random.Generator, size: int) -> Section:
    values = _column(rng, size)
    if rng.random() < 0.3:
        values = np.sort(values)
    distinct = np.unique(values[~np.isnan(values)])
    classes = None
    if len(distinct) < 10:
        classes = np.array([None if np.isnan(value) else repr(value + 0.0) for value in values], dtype=object)
    section = Section(size, ("x",), rng.integers(0, 9, (size, 1)).astype(float), classes=classes)
    section.values = values if rng.random() < 0.9 else None
    return section


def _sets(rng: np.random.Generator, size: int) -> Section:
    # Now and then more labels than pairs are counted of.
    names = [f"l{k}" for k in range(int(rng.choice([1, 3, 12, 500])))]
    pool = np.array([json.dumps([n for n in names if rng.random() < 3 / len(names)]) for _ in range(40)] + [None])
    section = _target(rng, size)
    section.values = None
    section.classes = pool[rng.integers(len(pool), size=size)]
    section.declared = tuple(names[:5])
    return section


def _sounds(rng: np.random.Generator, size: int) -> Section:
    section = Section(size, classes=_labels(rng, size))
    section.sounds = rng.integers(0, int(rng.integers(1, 300)), size)
    return section


def _images(rng: np.random.Generator, size: int) -> Section:
    pool: list[NDArray[np.uint8] | None] = [None]
    for _ in range(int(rng.integers(0, 300))):
        shape = (4, 4) if rng.random() < 0.9 else (4, 4, 3)
        pool.append(rng.integers(0, 1 if rng.random() < 0.1 else 256, shape).astype(np.uint8))
    picked = rng.integers(len(pool), size=size)
    hashes = np.array([0 if p is None else hashing.bytes_hash(p.tobytes()) for p in pool], np.uint64)
    section = Section(size, classes=_labels(rng, size), image=hashes[picked])
    section.pictures = [pool[k] for k in picked]
    if rng.random() < 0.5:
        section.pixels = np.stack([_column(rng, size), _column(rng, size)], axis=1)
    section.objects = rng.integers(0, 4, size) if rng.random() < 0.8 else None
    return section
