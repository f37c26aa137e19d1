"""Image files in class folders, as partitions of some hundred files."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from datalint.core import hashing
from datalint.core.dataset import Batch, ImageBlock, Problem
from datalint.sources.files import printable, reason
from datalint.sources.images import decode as pictures
from datalint.sources.images.pixels import pixel_block
from datalint.sources.places import reach
from datalint.sources.sample_files import Ahead, SampleFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect
    from datalint.sources.files import Entry

FILES = 256
"""Files of one partition, about."""

DRAWN_SIDE = 144
"""Pixels of the longer side of a picture of a report in which annotations are drawn, so that they are seen."""

BATCH = 128
"""Files of one batch: some megabytes of thumbnails."""


@dataclass(frozen=True)
class ImagePartition(SampleFiles):
    """Consecutive image files of one split."""

    declared: tuple[tuple[int, int], ...] = field(default=(), kw_only=True)
    """Width and height of each picture as a list of them says; empty where there is none."""

    aligned: ClassVar[tuple[str, ...]] = (*SampleFiles.aligned, "declared")

    def picture(self, line: int) -> bytes | None:
        """The image as a small WebP file."""
        try:
            data = pictures.content(reach(self.base, self.files[line]))
        except OSError:
            return None
        draw = self.drawn(line)
        return pictures.report_picture(data) if draw is None else pictures.report_picture(data, DRAWN_SIDE, draw)

    def drawn(self, line: int) -> Callable[[Any, tuple[int, int]], Any] | None:  # noqa: ARG002 - of annotated ones
        """What draws annotations over the small picture; None where there are none."""
        return None

    def view(self, line: int, side: int) -> NDArray[np.uint8] | None:
        """The colours of the image, its longer side reduced to so many pixels; None where it cannot be decoded."""
        try:
            data = pictures.content(reach(self.base, self.files[line]))
        except OSError:
            return None
        return pictures.view(data, side)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the files; each is opened once."""
        for start in range(0, len(self.files), BATCH):
            names = self.files[start : start + BATCH]
            batch = Batch(self.split, start, len(names), labels=self._labels(start, len(names)))
            if aspects & {"header", "pixels"}:
                batch.images = self._read(names, start, batch.problems, "pixels" in aspects)
            yield batch

    def _read(self, names: tuple[str, ...], start: int, problems: list[Problem], pixels: bool) -> ImageBlock:
        files = [
            Stored(printable(name), None, reach(self.base, name), os.path.splitext(name)[1].lower(), name)  # noqa: PTH122
            for name in names
        ]
        block = read_pictures(files, start, problems, pixels)
        told = self.declared[start : start + len(names)]
        return replace(block, declared=np.array(told, np.int32).reshape(-1, 2)) if told else block


@dataclass(frozen=True, slots=True)
class Stored:
    """One picture as it is stored: its bytes, or the path of its file."""

    shown: str
    """What people call it."""
    data: bytes | None
    path: str | Path | None
    suffix: str
    """What its name says of its format, with the dot; empty if nothing."""
    name: str = ""
    """What stands for its content if that cannot be read; ``shown`` if empty."""
    missing: str = ""
    """Why there is nothing to be read."""


def read_pictures(files: Sequence[Stored], start: int, problems: list[Problem], pixels: bool) -> ImageBlock:
    """Read each file once; ``start`` is the position of the first, and what is wrong is added to ``problems``."""
    read: list[pictures.Picture] = []
    hashes, sizes = np.zeros(len(files), np.uint64), np.zeros(len(files), np.int64)
    with pictures.strict(), Ahead([stored.path or "" for stored in files], pictures.content) as ahead:
        for k, stored in enumerate(files):
            try:
                if stored.missing:
                    raise OSError(stored.missing)
                data = ahead.of(k) if stored.data is None else stored.data
            except OSError as error:
                kind: Literal["not-scanned", "unreadable"]
                kind = "not-scanned" if isinstance(error, pictures.TooLarge) else "unreadable"
                found = Problem(kind, stored.shown, reason(error))
                picture = pictures.Picture(problem=found)
                hashes[k] = hashing.bytes_hash(os.fsencode(stored.name or stored.shown))  # nothing else is known of it
            else:
                hashes[k], sizes[k] = hashing.bytes_hash(data), len(data)
                picture = pictures.read(data, stored.shown, stored.suffix, pixels)
            if picture.problem is not None:
                found = picture.problem
                problems.append(Problem(found.kind, found.path, found.message, start + k))
            read.append(picture)
    return block_of(read, hashes, sizes, pixels)


def block_of(
    read: Sequence[pictures.Picture], hashes: NDArray[np.uint64], sizes: NDArray[np.int64], pixels: bool
) -> ImageBlock:
    """What pictures say, with hashes and sizes of their files."""
    thumbnails = pictures.stack([*read]) if pixels else None
    return ImageBlock(
        width=np.array([p.width for p in read], np.int32),
        height=np.array([p.height for p in read], np.int32),
        orientation=np.array([p.orientation for p in read], np.uint8),
        mode=[p.mode for p in read],
        hashes=hashes,
        all_zero=np.array([p.all_zero for p in read], np.bool_) if pixels else None,
        readable=np.array([p.readable for p in read], np.bool_),
        thumbnails=thumbnails,
        format=[p.format for p in read],
        file_size=sizes,
        pixels=None if thumbnails is None else pixel_block(read, thumbnails),
    )


def image_partitions(
    split: str, entries: list[Entry], classes: list[str] | None, files: int = FILES
) -> list[ImagePartition]:
    """Cut a split's files into partitions of about ``files``; ``classes`` gives the class of each entry.

    The names of the files decide where the cuts are, so that a file that comes or goes changes one partition, and what
    was measured on the others is still known.
    """
    found, start = [], 0
    # No long ones: a core that is done must not wait for another's last. Short ones let the cuts fall into step again.
    least, spread, most = files // 4, max(1, files // 2), 2 * files
    for end in range(1, len(entries) + 1):
        held = end - start
        wanted = held >= least and hashing.bytes_hash(os.fsencode(entries[end - 1].name)) % spread == 0
        if wanted or held >= most or end == len(entries):
            found.append(_partition(split, entries[start:end], None if classes is None else classes[start:end]))
            start = end
    return found


def _partition(split: str, entries: list[Entry], classes: list[str] | None) -> ImagePartition:
    return ImagePartition(
        entries[0].place or Path.cwd(),
        tuple(entry.where.replace(os.sep, "/") for entry in entries),
        None if classes is None else tuple(classes),
        split,
        sum(entry.size for entry in entries),
    )
