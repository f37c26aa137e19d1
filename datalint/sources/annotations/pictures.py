"""Image files with the objects that annotations draw in them."""

from __future__ import annotations

import os
from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np

from datalint.core.annotations import ObjectBlock
from datalint.core.dataset import Problem
from datalint.sources.annotations.drawing import boxes_over
from datalint.sources.files import inside, printable, reason
from datalint.sources.images.files import ImagePartition, image_partitions
from datalint.sources.places import opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.core.annotations import Form
    from datalint.core.dataset import Aspect, Batch, ImageBlock
    from datalint.sources.annotations.drawing import Drawn
    from datalint.sources.files import Entry

LARGEST = 64 << 20
"""Bytes of a file about one picture: more than a million boxes take."""


@dataclass(frozen=True, eq=False)
class AnnotatedImages(ImagePartition):
    """Image files whose objects are known from a file that describes all of them."""

    objects: ObjectBlock | None = None
    shares: bool = False
    """Whether boxes are told in shares of the picture as it is seen, and not in pixels."""
    file: str = ""
    """What people call that file, where its objects are known by their lines."""

    aligned: ClassVar[tuple[str, ...]] = ()

    def note(self, _: int) -> str:
        """The file about a picture, where its objects are known by their lines."""
        return self.file

    def drawn(self, line: int) -> Drawn | None:
        """Its boxes over the small picture."""
        boxes = np.zeros((0, 4)) if self.objects is None else self.objects.cut(line, line + 1).boxes
        return boxes_over(boxes, shares=self.shares) if len(boxes) else None

    def cut(self, start: int, stop: int) -> Self:
        """A part of it."""
        objects = self.objects and self.objects.cut(start, stop)
        return replace(self, files=self.files[start:stop], objects=objects)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the files; each is opened once."""
        wanted = "annotations" in aspects
        for batch in super().batches(aspects | ({"header"} if wanted and self.shares else set())):
            if self.objects is not None and wanted:
                objects = self.objects.cut(batch.start, batch.start + batch.size)
                batch.objects = in_pixels(objects, batch.images) if self.shares else objects
            yield batch


def in_pixels(objects: ObjectBlock, images: ImageBlock | None) -> ObjectBlock:
    """The objects of a batch whose boxes are shares of the pictures as they are seen."""
    if images is None:
        return objects
    size = np.maximum(np.column_stack([images.width, images.height]), 1)
    size = np.where(images.orientation[:, None] >= 5, size[:, ::-1], size)
    return replace(objects, boxes=objects.boxes * np.tile(size, 2)[objects.picture])


def annotated_partitions(
    split: str, entries: list[Entry], objects: ObjectBlock, *, shares: bool, note: str
) -> list[AnnotatedImages]:
    """The pictures of a split with their objects, cut into partitions."""
    found, start = [], 0
    for part in image_partitions(split, entries, None):
        held = objects.cut(start, start + len(part.files))
        found.append(AnnotatedImages(part.base, part.files, None, split, part.weight, held, shares, note))
        start += len(part.files)
    return found


# --- a file for each picture ----------------------------------------------------------------------------------------


@dataclass
class Note:
    """What a file says of its picture."""

    boxes: array[float] = field(default_factory=lambda: array("d"))
    """Left, top, right and bottom of each object."""
    names: list[str] = field(default_factory=list)
    """Class of each object."""
    refs: array[int] = field(default_factory=lambda: array("q"))
    """Line of each object, from 1."""
    flags: bytearray = field(default_factory=bytearray)
    size: tuple[int, int] = (0, 0)
    """Width and height that it declares."""
    picture: str = ""
    """What it calls its picture."""
    problem: str = ""
    """Why it was not read, or not to its end."""

    def add(self, corners: Sequence[float], name: str, ref: int, flags: int) -> None:
        """Take in an object."""
        self.boxes.extend(corners)
        self.names.append(name)
        self.refs.append(ref)
        self.flags.append(flags)


class Notes(Protocol):
    """One format of files about one picture each; small and picklable."""

    @property
    def shares(self) -> bool:
        """Whether boxes are told in shares of the picture as it is seen, and not in pixels."""

    @property
    def form(self) -> Form:
        """What the four numbers of a box are."""

    def read(self, data: bytes) -> Note:
        """What the bytes of a file say; whatever is wrong becomes a problem or a flag."""


@dataclass(frozen=True, eq=False)
class NotedImages(ImagePartition):
    """Image files each of which has a file of its own that says what is drawn in it."""

    notes: tuple[str, ...] = ()
    """Path of the file about each picture; empty for none."""
    format: Notes | None = None

    aligned: ClassVar[tuple[str, ...]] = ()

    @property
    def files_read(self) -> tuple[str, ...]:
        """Pictures and the files about them."""
        base = str(self.base)
        return (*super().files_read, *(inside(base, name) for name in self.notes if name))

    def drawn(self, line: int) -> Drawn | None:
        """Its boxes over the small picture."""
        if not self.notes[line] or self.format is None:
            return None
        boxes = self._objects(self.notes[line : line + 1], []).boxes
        return boxes_over(boxes, shares=self.format.shares) if len(boxes) else None

    def cut(self, start: int, stop: int) -> Self:
        """A part of it."""
        return replace(self, files=self.files[start:stop], notes=self.notes[start:stop])

    def note(self, line: int) -> str:
        """What people call the file about a picture; empty if there is none."""
        return printable(self.notes[line])

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the pictures, and the files about them; each is opened once."""
        wanted = "annotations" in aspects
        shares = self.format is not None and self.format.shares
        for batch in super().batches(aspects | ({"header"} if wanted and shares else set())):
            if wanted:
                objects = self._objects(self.notes[batch.start : batch.start + batch.size], batch.problems)
                batch.objects = in_pixels(objects, batch.images) if shares else objects
            yield batch

    def _objects(self, files: Sequence[str], problems: list[Problem]) -> ObjectBlock:
        found = [self._note(name, problems) if name else None for name in files]
        notes = [note or Note() for note in found]
        picture = np.repeat(np.arange(len(notes)), [len(note.refs) for note in notes])
        boxes = np.concatenate([np.zeros(0), *(np.array(note.boxes) for note in notes)]).reshape(-1, 4)
        names = [name for note in notes for name in note.names]
        at = {name: code for code, name in enumerate(dict.fromkeys(names))}
        return ObjectBlock(
            picture,
            boxes,
            np.array([at[name] for name in names], np.int32),
            list(at),
            np.concatenate([np.zeros(0, np.int64), *(np.array(note.refs, np.int64) for note in notes)]),
            np.frombuffer(b"".join(bytes(note.flags) for note in notes), np.uint8),
            np.array([note.size for note in notes], np.int32).reshape(-1, 2),
            np.array([note is not None for note in found], np.bool_),
        )

    def _note(self, name: str, problems: list[Problem]) -> Note:
        assert self.format is not None
        try:
            with opened(self.base, name) as file:
                data = file.read(LARGEST + 1)
            if len(data) > LARGEST:
                problems.append(Problem("not-scanned", printable(name), f"has more than {LARGEST:,} bytes: not read"))
                return Note()
            note = self.format.read(data)
        except OSError as error:
            problems.append(Problem("unreadable", printable(name), reason(error)))
            return Note()
        if note.problem:
            problems.append(Problem("truncated" if note.refs else "unreadable", printable(name), note.problem))
        return note


def noted_partitions(split: str, pairs: Sequence[tuple[Entry, Entry | None]], form: Notes) -> list[NotedImages]:
    """The pictures of a split with the files about them, cut into partitions."""
    found, start = [], 0
    for part in image_partitions(split, [picture for picture, _ in pairs], None):
        own = pairs[start : start + len(part.files)]
        notes = tuple(note.where.replace(os.sep, "/") if note is not None else "" for _, note in own)
        weight = part.weight + sum(note.size for _, note in own if note is not None)
        found.append(NotedImages(part.base, part.files, None, split, weight, notes, form))
        start += len(part.files)
    return found
