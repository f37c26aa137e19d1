"""Recordings in a table of numbers each, in class folders: ``walking/rec01.csv`` of sensors, points of shapes."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from datalint.core import hashing
from datalint.core.dataset import Batch, Dataset, Field, Label, Problem, Split, TableBlock, split_order
from datalint.core.terms import Storage
from datalint.core.vocabulary import WHOLE
from datalint.sources.files import head_of, printable, reason
from datalint.sources.folder import strays
from datalint.sources.images.decode import content
from datalint.sources.images.files import image_partitions
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import CLASSLESS, arranged
from datalint.sources.places import reach
from datalint.sources.sample_files import SampleFiles
from datalint.sources.tables.partition_keys import keys_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.core.dataset import Aspect
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.layouts.class_folders import Pictures

SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".dat", ".pts", ".xyz"})

FEWEST, FEWEST_OF_CLASS = 20, 3
"""Fewer files are tables."""

LOOKED_AT = 20
"""Files that are looked at."""

HEAD, ROWS = 64 << 10, 10
"""Bytes of each, and the fewest rows of a recording."""

BATCH = 256

_TIME = re.compile(
    r"t|(elapsed|relative)?[-_ ]?(time|seconds?|sec|ms|millis)([-_ ]?(s|ms|us))?|frame|step",
    re.IGNORECASE,
)
"""Names of columns that count from the beginning of a recording."""

_DATE = re.compile(r"(19|20)\d\d([-_]?\d\d){0,2}")
"""Names of folders that are years, months or days."""


@dataclass(frozen=True)
class _Form:
    """How a file begins."""

    header: tuple[str, ...]
    """Empty where there is none."""
    sign: str | None
    """What sets values apart; None for blanks."""
    columns: int
    start: float
    rising: bool
    """Whether the first column rises from row to row."""


class SequenceFolders(Layout):
    """Files that are a sequence of rows each, in class folders, with or without split folders.

    Shards of one table lie in folders as well. A recording begins anew in every file: its first column is a time or a number
    that rises from the same value in nearly all of them. Files of numbers without a header and with names that are no series
    are samples as well.
    """

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each data set."""
        entries = [e for e in folder.left if e.suffix in SUFFIXES and len(e.parts) > 1]
        if len(entries) < FEWEST:
            return
        for found in arranged(entries, ()):
            level = found.class_depth
            if level is None or not _are_classes(found, level):
                continue
            form = folder.once(("sequences", found.parts, len(found.entries)), lambda f=found: _form_of_all(f.entries))  # type: ignore[misc]
            if form is not None:
                dataset = _dataset(folder, found, level, form)
                yield Claim([*found.entries, *found.strays], Basis.STRUCTURE, dataset.evidence, dataset, found.left_out)


def _are_classes(found: Pictures, level: int) -> bool:
    counts = Counter(e.parts[level] for e in found.entries if len(e.parts) > level + 1)
    several = sum(count >= FEWEST_OF_CLASS for count in counts.values())
    if len(counts) < 2 or counts.total() < FEWEST or 2 * several <= len(counts):
        return False
    return not all(map(_DATE.fullmatch, counts))


def _form_of_all(entries: Sequence[Entry]) -> _Form | None:
    """How nearly all of some files begin, if each is a recording."""
    if any(keys_in(entry.folder) for entry in entries[:1]):
        return None
    step = max(1, len(entries) // LOOKED_AT)
    some = [form for entry in entries[::step][:LOOKED_AT] if (form := _form(entry)) is not None]
    shapes = Counter((form.header, form.sign, form.columns) for form in some)
    if not some or 10 * max(shapes.values()) < 9 * min(len(entries), LOOKED_AT):
        return None
    first = some[0]
    starts = Counter(round(form.start, 3) for form in some if form.rising)
    anew = bool(starts) and 10 * max(starts.values()) >= 9 * len(some)
    counted = not first.header or _TIME.fullmatch(first.header[0].strip()) is not None
    series = Counter(re.sub(r"\d+", "", e.name) for e in entries)
    nameless = not first.header and 2 * max(series.values()) < len(entries) and 3 <= first.columns <= 9
    return first if (anew and counted) or nameless else None


def _form(entry: Entry) -> _Form | None:
    """How a file begins; None where it is no table of numbers."""
    try:
        head, whole = head_of(entry.path, HEAD)
    except OSError:
        return None
    lines = [line.strip() for line in head.decode("utf-8", "replace").splitlines() if line.strip()]
    lines = lines if whole else lines[:-1]
    if len(lines) <= ROWS:
        return None
    sign = next((one for one in (",", "\t", ";") if one in lines[1]), None)
    cells = [line.split(sign) for line in lines]
    header = () if _numbers(cells[0]) is not None else tuple(cells[0])
    rows = [_numbers(row) for row in cells[bool(header) :]]
    numbers = [row for row in rows if row is not None]
    if len(numbers) < len(rows) or len({len(row) for row in numbers}) > 1 or len(numbers[0]) < 2:
        return None
    if header and len(header) != len(numbers[0]):
        return None
    first = [row[0] for row in numbers]
    rising = all(a < b for a, b in pairwise(first))
    return _Form(header, sign, len(numbers[0]), first[0], rising)


def _numbers(cells: Sequence[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def _dataset(folder: Folder, found: Pictures, level: int, form: _Form) -> Dataset:
    partitions: list[SequenceFiles] = []
    names: set[str] = set()
    splits = sorted(found.by_split, key=split_order)
    for split in splits:
        entries = sorted(
            (e for e in found.by_split[split] if len(e.parts) > level + 1), key=lambda e: (e.parts[level], e.parts)
        )
        classes = [printable(e.parts[level]) for e in entries]
        names |= set(classes)
        partitions += [
            SequenceFiles(p.base, p.files, p.classes, p.split, p.weight, form.sign, form.columns)
            for p in image_partitions(split, entries, classes)
        ]
    shown = ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "")
    said = f"columns {', '.join(map(printable, form.header[:6]))}" if form.header else f"{form.columns} columns"
    text = "the files are sequences of rows, so their values are not looked into"
    return Dataset(
        name=folder.name(found.parts),
        path=folder.path(found.parts),
        layout="sequences in class folders" + (" in split folders" if splits != [WHOLE] else ""),
        modality="table",
        evidence=f"{sum(len(p.files) for p in partitions):,} files, a sequence of {said} each",
        partitions=partitions,
        splits=tuple(Split(split, found.why[split]) for split in splits),
        label=Label("class folder", f"{len(names)} folders: {shown}", "medium"),
        fields=(Field("sequence", "other", "ignored"),),
        problems=[
            *strays([*found.classless, *found.strays], CLASSLESS),
            Problem("unseen", folder.path(found.parts), text),
        ],
        by_class=True,
        storage=Storage.OTHER,
    )


@dataclass(frozen=True)
class SequenceFiles(SampleFiles):
    """Consecutive files of one split, a sequence of rows each, of which no more is known than whether two are equal."""

    sign: str | None = ","
    columns: int = 0

    def picture(self, line: int) -> bytes | None:
        """Sequences are no pictures."""

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the files; each is opened once."""
        for start in range(0, len(self.files), BATCH):
            names = self.files[start : start + BATCH]
            batch = Batch(self.split, start, len(names), labels=self._labels(start, len(names)))
            if "table" in aspects:
                hashes = np.array([self._read(name, batch.problems) for name in names], np.uint64)
                batch.table = TableBlock((), np.zeros((len(names), 0)), unseen=hashes)
            yield batch

    def _read(self, name: str, problems: list[Problem]) -> int:
        """What a file holds as a number; what is wrong with its last row is told."""
        try:
            data = content(reach(self.base, name))
        except OSError as error:
            problems.append(Problem("unreadable", printable(name), reason(error)))
            return hashing.bytes_hash(os.fsencode(name))
        last = data.rstrip().rpartition(b"\n")[2].decode("utf-8", "replace").strip()
        count = len(last.split(self.sign)) if last else 0
        if count != self.columns and data[:2] not in {b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5"}:
            text = f"ends in a row of {count} values, the others have {self.columns}" if count else "an empty file"
            problems.append(Problem("truncated", printable(name), text))
        return hashing.bytes_hash(data)
