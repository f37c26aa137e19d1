"""What a data set is once a source has recognised it: partitions that can be read, and batches of samples in order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

from datalint.core import hashing
from datalint.core.problem import Problem as Problem  # noqa: PLC0414, TC001 - belongs to what a batch is
from datalint.core.terms import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from datalint.core.annotations import Annotations, MaskBlock, ObjectBlock
    from datalint.core.dialogues import Conversation
    from datalint.core.sounds import Recordings, SoundBlock
    from datalint.core.terms import Confidence, Modality

Kind = Literal["number", "text", "time", "other"]
Role = Literal["feature", "label", "id", "index", "time", "split", "group", "text", "ignored"]
Task = Literal["classification", "multi-label", "regression", "detection", "segmentation", "chat", "preference"]
Aspect = Literal["labels", "table", "header", "pixels", "annotations", "masks", "head"]
"""What a measurement wants of each sample; a partition reads no more than is asked.

``head``: the first samples are enough, so that small pieces are best.
"""


NAME_IT = "no label column found; name it with --label"

HASHED_ROLES: frozenset[Role] = frozenset({"feature", "text", "group", "time", "ignored"})
"""Roles that make up a sample's content: two rows that differ in an id alone are the same sample."""

THUMBNAIL = 32
"""Side in pixels of the small pictures that stand for images in model-based rules."""


def reduction(width: int, height: int) -> int:
    """By how much a picture is reduced before its sharpness is judged.

    A quarter for common photos, so that what a JPEG decoder gives for nothing is enough; the shorter side keeps at least
    64 pixels, if it has them, and no more than 256: on it the same blur counts as much in small pictures as in large ones.
    """
    short = min(width, height)
    return 4 * max(1, short // 512) if short >= 8 * THUMBNAIL else 2 if short >= 4 * THUMBNAIL else 1


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table."""

    name: str
    kind: Kind
    role: Role = "feature"
    dtype: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """The column, folder level or array that holds the labels, and why."""

    name: str
    evidence: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of one sample that may have any number of them."""

    labels: tuple[str, ...]
    """In order, each once."""
    strange: tuple[str, ...] = ()
    """What else stands where labels should, in words."""


@dataclass
class LabelBlock:
    """Targets of one batch: classes as codes, numbers as values, both for whole numbers, or codes of sets of labels."""

    codes: NDArray[np.int32] | None
    """Index into ``classes`` per sample, -1 where the label is missing; None for a continuous target."""
    classes: list[str]
    values: NDArray[np.float64] | None = None
    """The label as a number, NaN where missing; None where labels are not numbers."""
    padded: dict[str, int] = field(default_factory=dict)
    """Samples per class whose label had blanks around it, which the reader removed."""
    sets: list[LabelSet] | None = None
    """What each of ``classes``, then a JSON list, stands for where samples have several labels."""
    declared: tuple[str, ...] = ()
    """Labels that exist even if no sample has them."""

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """One hash per label."""
        if self.values is not None:
            return hashing.number_bits(self.values)
        if self.codes is None:
            raise ValueError("a label block holds codes, values or both")
        return np.append(hashing.text_hashes(self.classes), hashing.MISSING)[self.codes]

    def take(self, rows: NDArray[np.int64]) -> LabelBlock:
        """The labels of some samples."""
        return LabelBlock(
            None if self.codes is None else self.codes[rows],
            self.classes,
            None if self.values is None else self.values[rows],
            sets=self.sets,
            declared=self.declared,
        )


@dataclass(frozen=True, slots=True)
class Categories:
    """One text column of a batch, as codes into its distinct values."""

    name: str
    codes: NDArray[np.int32]
    """Index into ``values`` per sample, -1 where missing."""
    values: list[str]
    hashes: NDArray[np.uint64] | None = None
    """Hash of each value, where its reader knows them already."""
    padded: dict[str, int] = field(default_factory=dict)
    """Rows per value that had blanks around it, which the reader removed."""


@dataclass
class TableBlock:
    """The columns of one batch, without the label."""

    names: tuple[str, ...]
    """Names of the numeric columns."""
    numbers: NDArray[np.float64]
    """[samples, numeric columns], column-major, NaN where missing."""
    categories: tuple[Categories, ...] = ()
    features: NDArray[np.bool_] | None = None
    """[numeric columns]: which are features (not ids, times, split or group keys); None for all."""
    text_features: frozenset[str] | None = None
    """Names of the text columns that are features; None for all."""
    hashed: frozenset[str] | None = None
    """Columns that make up a sample's content; None for all."""
    tokens: dict[str, dict[str, int]] = field(default_factory=dict)
    """Text found in otherwise numeric columns, with its count: ``{"age": {"?": 446}}``."""
    unseen: NDArray[np.uint64] | None = None
    """One hash per sample over the columns that no rule looks into; None where there are none."""

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """One content hash per sample over its columns, whatever their order."""
        total = np.zeros(len(self.numbers), np.uint64)
        for j, name in enumerate(self.names):
            if self.hashed is None or name in self.hashed:
                total += hashing.scramble(hashing.number_bits(self.numbers[:, j]), hashing.salt_of(name))
        for column in self.categories:
            if self.hashed is None or column.name in self.hashed:
                hashes = hashing.text_hashes(column.values) if column.hashes is None else column.hashes
                table = np.append(hashes, hashing.MISSING)
                total += hashing.scramble(table[column.codes], hashing.salt_of(column.name))
        if self.unseen is not None:
            total += self.unseen
        return hashing.mix(total)

    @cached_property
    def all_zero(self) -> NDArray[np.bool_]:
        """Samples whose every feature is zero; a text feature that holds anything but 0 is not zero."""
        picked = self.numbers if self.features is None else self.numbers[:, self.features]
        if picked.shape[1] == 0 or self.unseen is not None:
            return np.zeros(len(self.numbers), np.bool_)
        zero: NDArray[np.bool_] = np.equal(picked[:, 0], 0)
        for j in range(1, picked.shape[1]):
            if not zero.any():
                return zero
            zero &= picked[:, j] == 0
        for column in self.categories:
            if self.text_features is not None and column.name not in self.text_features:
                continue
            empty = np.array([value.strip() in {"", "0", "0.0"} for value in column.values] + [True])
            zero &= empty[column.codes]
        return zero


@dataclass
class PixelBlock:
    """What the pixels of each image of one batch say; arrays have one entry per image, NaN where unreadable."""

    low: NDArray[np.float32]
    """Smallest stored value: of an array its own; of a file that of its small picture, 0 to 255, or as stored
    where that is deeper than 8 bits or of one colour."""
    high: NDArray[np.float32]
    colour: NDArray[np.float32]
    """[images, 3] mean red, green and blue, 0 to 255."""
    spread: NDArray[np.float32]
    """[images, 3] standard deviations of the same."""
    levels: NDArray[np.uint8]
    """[images, 4] brightness, 0 to 255, that 1, 5, 95 and 99 % of the picture stay below; zeros where unreadable."""
    sharpness: NDArray[np.float32]
    """Variance of the Laplacian of the brightness of the picture at a quarter of its size; NaN below 3 pixels."""
    blank: NDArray[np.bool_]
    """One colour other than zero all over, up to noise that nobody sees."""
    wrapped: NDArray[np.bool_]
    """Values as they are after something below zero was stored without a sign."""


@dataclass
class ImageBlock:
    """The images of one batch; arrays have one entry per image."""

    width: NDArray[np.int32]
    """Pixels as stored, before any EXIF rotation; 0 where the header could not be read."""
    height: NDArray[np.int32]
    orientation: NDArray[np.uint8]
    """EXIF orientation 1 to 8; 1 where there is no tag."""
    mode: list[str]
    """Pillow's name for the pixel format (L, RGB, ...); empty where unreadable."""
    hashes: NDArray[np.uint64]
    """Hash of the file's bytes or of the array item."""
    all_zero: NDArray[np.bool_] | None = None
    """Only when pixels were asked for."""
    readable: NDArray[np.bool_] | None = None
    thumbnails: NDArray[np.uint8] | None = None
    """[images, 32, 32] or [images, 32, 32, 3]; zeros where unreadable."""
    format: list[str] | None = None
    """Pillow's name for the file format, or the data type of an array's items; empty where unreadable."""
    file_size: NDArray[np.int64] | None = None
    """Bytes of each file; None for array items."""
    declared: NDArray[np.int32] | None = None
    """[images, 2] width and height that the list of the pictures says; zeros where it says none."""
    pixels: PixelBlock | None = None
    """Only when pixels were asked for."""
    numbers: TableBlock | None = None
    """
    Of arrays of floating-point numbers, when pixels were asked for: the values at some places of each picture
    (``pixel 12``), and of each channel their mean and mean square (``mean of channel 0``, ``square of channel 0``).
    """


@dataclass
class Batch:
    """Some samples of one split, in stored order."""

    split: str
    start: int
    """Position of the first sample within its partition's share of the split."""
    size: int
    part: int = 0
    """Number of the partition within the data set."""
    lines: NDArray[np.int64] | None = None
    """Where each sample lies in its partition, if that differs from its position."""
    labels: LabelBlock | None = None
    table: TableBlock | None = None
    images: ImageBlock | None = None
    objects: ObjectBlock | None = None
    """Only when annotations were asked for."""
    masks: MaskBlock | None = None
    """Only when masks were asked for."""
    sounds: SoundBlock | None = None
    """Recordings, whatever a table says of them."""
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def where(self) -> NDArray[np.int64]:
        """Where each sample lies in its partition."""
        return np.arange(self.start, self.start + self.size, dtype=np.int64) if self.lines is None else self.lines

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """Content hash per sample: inputs and label together."""
        inputs = self.input_hashes
        if self.labels is None:
            return inputs
        return hashing.mix(inputs + hashing.scramble(self.labels.hashes, 1))

    @cached_property
    def input_hashes(self) -> NDArray[np.uint64]:
        """Content hash per sample without its label."""
        if self.sounds is not None:
            return self.sounds.hashes
        if self.table is not None:
            return self.table.hashes
        if self.images is not None:
            return self.images.hashes
        return hashing.mix(self.where.astype(np.uint64))

    @property
    def all_zero(self) -> NDArray[np.bool_]:
        """Samples whose whole input is zero."""
        if self.sounds is not None:
            return np.asarray(self.sounds.loudest == 0, np.bool_)
        if self.table is not None:
            return self.table.all_zero
        if self.images is not None and self.images.all_zero is not None:
            return self.images.all_zero
        return np.zeros(self.size, np.bool_)


class Partition(Protocol):
    """A part of a data set that can be read by itself: a file, a row group, some hundred images. Small and picklable."""

    @property
    def split(self) -> str | None:
        """The split that all samples belong to; None where each row says its own."""

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the samples in stored order. Broken content becomes a :class:`Problem` of a batch, never an exception."""

    @property
    def files_read(self) -> tuple[str, ...]:
        """The paths of the files whose content decides what is read; none if it lies in this process's memory."""

    @property
    def weight(self) -> int:
        """Bytes to be read, roughly."""

    def sample_id(self, line: int) -> str:
        """What a person can open to see the sample at this place of the partition."""

    def picture(self, line: int) -> bytes | None:
        """The image at this place as a small WebP file for a report; None for samples that are not images."""


@runtime_checkable
class InPasses(Protocol):
    """A partition of which several pictures are had in one pass: to get at one costs the reading of all before it."""

    def pictures(self, lines: Sequence[int]) -> list[bytes | None]:
        """The images at these places as small WebP files; None for those that cannot be read any more."""


@dataclass
class LoadedBatches:
    """The batches of two samples or more that a loader gave in one epoch."""

    sizes: Counter[int] = field(default_factory=Counter)
    """How many there are of each size."""
    single: int = 0
    """How many of them hold one label."""

    def add(self, codes: NDArray[np.int32], sizes: Sequence[int]) -> None:
        """Take in the labels of some batches, one after the other."""
        batches = [batch for batch in np.split(codes, np.cumsum(sizes)[:-1]) if len(batch) > 1]
        self.sizes.update(map(len, batches))
        self.single += sum(bool((batch == batch[0]).all()) for batch in batches)


@dataclass(frozen=True)
class Split:
    """One split as the source recognised it."""

    name: str
    evidence: str
    shape: tuple[int, ...] | None = None
    """Shape of the stored array, samples first, for arrays."""
    columns: tuple[tuple[str, Kind | None], ...] = ()
    """The columns that the split's own table has, with their kinds (None where it holds no value); none if not known."""
    trains: bool = True
    """Whether its order may be one that a training loop sees: a loader of validation data need not shuffle."""
    augmented: bool = False
    """Whether an item is another at every draw, as augmentation makes it."""
    loaded: LoadedBatches | None = None
    """The batches that a loader gave, once it was read."""


@dataclass
class Dataset:
    """One data set as a source recognised it: nothing of the samples has been read but a few heads."""

    name: str
    path: str
    layout: str
    modality: Modality
    evidence: str
    partitions: Sequence[Partition]
    splits: tuple[Split, ...]
    """In the order train, validation, test, others."""
    label: Label | None
    fields: tuple[Field, ...] = ()
    """Its columns; of those that nobody looks into the kind is "other"."""
    problems: list[Problem] = field(default_factory=list)
    by_class: bool = False
    """Whether the stored order is the order of class folders, whatever the samples are."""
    stored_by: tuple[str, ...] = ()
    """Columns after whose values folders are named, so that the stored order goes by them on purpose."""
    by_name: bool = False
    """Whether it is that of the names of files, which nobody chose."""
    skipped_label: str = NAME_IT
    """Why there is no label."""
    batch_size: int | None = None
    """Samples per training batch where the data set is a loader, which knows."""
    redrawn: bool = False
    """Whether samples were drawn with replacement, so that copies are no fault."""
    storage: Storage = Storage.OTHER
    task: Task | None = None
    """What is to be predicted; None where the values of the label decide."""
    conversation: Conversation | None = None
    """The columns that make up the conversation of each sample; None where there is none."""
    annotations: Annotations | None = None
    """What is known of the objects that are drawn in its pictures; None where there are none."""
    against: bool = False
    """Whether texts from elsewhere are looked for in it."""
    recordings: Recordings | None = None
    """The columns that speak of recordings; None where there are none."""

    def column(self, name: str) -> Field | None:
        """The column of that name."""
        return next((f for f in self.fields if f.name == name), None)


CANONICAL = ("train", "validation", "test")


def split_order(name: str) -> tuple[int, str]:
    """Sort key: train, validation, test, then the others by name."""
    return (CANONICAL.index(name) if name in CANONICAL else len(CANONICAL), name)
