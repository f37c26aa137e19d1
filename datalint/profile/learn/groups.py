"""Columns and file names that say from which source (patient, user, video) a sample comes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.codes import factorized
from datalint.core.roles import names_source, words_of
from datalint.core.vocabulary import word_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset
    from datalint.profile.splits import SampledRows, SplitProfile

LEAST_GROUPS = 10
"""Fewer values than this are a category that every split should hold."""
LARGEST = 0.3
"""Share of the samples beyond which one value is no single source."""
LEAST_ROWS = 1.5
"""Samples per source on average, below which the values are names of samples."""
FILE_NAMES = "file names"
_PARTS = word_set(
    "slice frame crop aug augmented patch tile view shot part seg segment copy rot flip z t scan visit take nohash"
)
"""What the last number counts; ``<speaker>_nohash_0.wav`` is how Speech Commands calls its recordings."""
_SOURCE_NAMES = word_set("case vid patients subj sub pat pid uid subjects videos id spk cam")
_STEM = re.compile(r"^(?P<key>.*?[A-Za-z0-9])[ _.-]*(?P<word>[A-Za-z]*)[ _.-]*\(?(?P<number>\d+)\)?$")
_DAY = re.compile(r"(?<!\d)(19|20)\d\d[-_]?(0[1-9]|1[0-2])[-_]?([0-2]\d|3[01])(?!\d)")


@dataclass(frozen=True)
class Key:
    """One way to identify the sources of the pooled sampled rows."""

    name: str
    """A column, or :data:`FILE_NAMES`."""
    codes: NDArray[np.int64]
    """[rows] index into ``values``, -1 where unknown."""
    values: tuple[str, ...]
    named: bool
    """Whether its name says that it is a source, rather than a category or number."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows per source."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values)).astype(np.int64)


def names_a_source(column: str) -> bool:
    """Whether a column's name says that it identifies where a sample comes from (patient, device, video)."""
    return names_source(column)


def group_keys(dataset: Dataset, splits: Sequence[SplitProfile]) -> list[Key]:
    """All keys by which the sampled rows of these splits, one split after the other, may belong together.

    Only keys of many values with several rows each; never the label, nor what follows from it one to one.
    """
    rows = [split.rows for split in splits]
    labels = np.concatenate([r.label for r in rows] or [np.zeros(0, object)])
    found = []
    for name, column, named in [*_columns(dataset, rows), *_file_names(dataset, rows)]:
        key = key_of(name, *factorized(column), named=named)
        if key is not None and not _is_label(key, labels):
            found.append(key)
    return found


def _columns(dataset: Dataset, rows: Sequence[SampledRows]) -> Iterator[tuple[str, NDArray[np.object_], bool]]:
    for field in dataset.fields:
        keyed = field.role in {"group", "id"}
        if not keyed and (field.role != "feature" or field.kind != "text"):
            continue
        parts: list[NDArray[np.object_]] = []
        for r in rows:
            if field.name in r.texts:
                parts.append(r.texts[field.name])
            elif field.name in r.at:
                numbers = r.column(field.name)
                part = numbers.astype(object)
                part[~np.isfinite(numbers)] = None
                parts.append(part)
            else:
                parts.append(np.full(len(r), None, dtype=object))
        yield field.name, np.concatenate(parts), keyed and names_source(field.name)


def _file_names(dataset: Dataset, rows: Sequence[SampledRows]) -> Iterator[tuple[str, NDArray[np.object_], bool]]:
    """What is left of the names without their last number: ``patient12_slice3.png`` gives ``patient12``."""
    if dataset.modality == "table":
        return
    stems: list[str | None] = []
    telling = 0
    for r in rows:
        for part, line in zip(r.places.part.tolist(), r.places.line.tolist(), strict=True):
            name = dataset.partitions[part].sample_id(line).rpartition("/")[2]
            head, dot, suffix = name.rpartition(".")
            # Items of arrays have numbers, not names.
            match = _STEM.match(head) if head and dot and suffix else None
            stem = match["key"] if match is not None else ""
            # A key without a number is the name of a class or of the camera's maker.
            if match is None or not any(c.isdigit() for c in stem):
                stems.append(None)
                continue
            stems.append(stem)
            words = set(words_of(re.sub(r"\d+", " ", stem)))
            telling += bool(words & _SOURCE_NAMES) or names_source(" ".join(words)) or match["word"].lower() in _PARTS
    known = [stem for stem in stems if stem is not None]
    if len(known) < 0.9 * len(stems) or not known:
        return
    days = sum(_DAY.search(stem) is not None for stem in known)
    yield FILE_NAMES, np.array(stems, dtype=object), telling > 0.9 * len(known) and days < 0.5 * len(known)


def key_of(name: str, codes: NDArray[np.int64], values: Sequence[object], *, named: bool) -> Key | None:
    """The key of these codes, if they have many values with several rows each."""
    known = int((codes >= 0).sum())
    if len(values) < LEAST_GROUPS or known < 0.5 * len(codes):
        return None
    key = Key(name, codes, tuple(_text(value) for value in values), named)
    counts = key.counts
    if known < LEAST_ROWS * len(values) or counts.max() > LARGEST * known:
        return None
    # A key of which hardly any value repeats is a name of samples with some duplicates.
    return key if (counts > 1).mean() >= 0.3 else None


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_label(key: Key, labels: NDArray[np.object_]) -> bool:
    """Whether the key is another spelling of the label: each value has one label, and there are hardly more values."""
    both = (key.codes >= 0) & np.array([label is not None for label in labels], np.bool_)
    if not both.any():
        return False
    classes = factorized(labels[both])[0]
    pairs = len(np.unique(key.codes[both] * (int(classes.max()) + 1) + classes))
    values = len(np.unique(key.codes[both]))
    return pairs <= 1.02 * values and values <= 1.5 * (int(classes.max()) + 1)
