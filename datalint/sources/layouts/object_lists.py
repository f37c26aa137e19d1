"""Files that each describe many pictures and their objects: one data set from those of its splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from datalint.core import vocabulary
from datalint.core.annotations import PER_OBJECT, Annotations, Gap
from datalint.core.dataset import Dataset, Problem, Split, split_order
from datalint.core.vocabulary import WHOLE
from datalint.sources import files
from datalint.sources.annotations.listed import Gallery, Resolved
from datalint.sources.annotations.pictures import annotated_partitions
from datalint.sources.layouts.base import Basis, Claim

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from datalint.core.annotations import Form, ObjectBlock
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder


class ObjectFile(Protocol):
    """A file that describes many pictures."""

    @property
    def entry(self) -> Entry:
        """The file."""

    @property
    def names(self) -> Sequence[str]:
        """Of the pictures, as they are listed."""

    @property
    def class_names(self) -> Sequence[str]:
        """Those that are declared, in their order."""

    @property
    def numbered(self) -> Mapping[Hashable, str]:
        """Names of the classes by the numbers that the file gives them, if it gives any."""

    @property
    def problem(self) -> str:
        """Why it was not read to its end."""

    @property
    def boxless(self) -> int:
        """Annotations without box or outline."""

    @property
    def reading(self) -> str:
        """How its numbers are meant, where that had to be found out."""

    @property
    def shares(self) -> bool:
        """Whether boxes are told in shares of the picture, and not in pixels."""

    @property
    def form(self) -> Form:
        """What the four numbers of a box are."""

    @property
    def lines(self) -> bool:
        """Whether objects are known by the lines of the file."""

    def __len__(self) -> int: ...

    def dangling(self) -> Mapping[Hashable, int]:
        """How many objects name each picture that is not listed."""

    def objects(self, kept: Sequence[int]) -> ObjectBlock:
        """The objects in the pictures at some of the positions."""


@dataclass(frozen=True)
class _Part:
    """A file, the split it is about, and its pictures."""

    file: ObjectFile
    split: str
    why: str
    pictures: Resolved


def claims(folder: Folder, found: Iterable[ObjectFile], layout: str, basis: Basis = Basis.DECLARED) -> Iterator[Claim]:
    """The files of each folder that holds them, or the folders of their splits, with their pictures."""
    homes: dict[tuple[str, ...], list[ObjectFile]] = {}
    for file in found:
        homes.setdefault(_home(file.entry), []).append(file)
    gallery = Gallery(folder.left) if homes else None
    taken: set[tuple[str, ...]] = set()
    for home, files_here in homes.items():
        assert gallery is not None
        parts, moot = _parts(files_here, gallery)
        shown = [e for part in parts for e in part.pictures.entries.values()]
        pictures = {e.parts: e for e in [*shown, *gallery.neighbours(shown)] if e.parts not in taken}
        if not taken.isdisjoint(e.parts for e in shown) or not shown:
            continue
        taken |= pictures.keys()
        listed = {e.parts for e in shown}
        unlisted = [entry for place, entry in pictures.items() if place not in listed]
        dataset = _dataset(folder, home, parts, moot, unlisted, layout)
        own = [file.entry for file in files_here]
        left_out = [*unlisted, *(file.entry for file, _ in moot)]
        yield Claim([*pictures.values(), *own], basis, dataset.evidence, dataset, left_out)


def _home(entry: Entry) -> tuple[str, ...]:
    """The folder of the data set: above those of annotations and of splits."""
    folder = entry.folder
    if folder and (folder[-1].lower() in {"annotations", "annotation", "labels"} or vocabulary.split_of(folder[-1])):
        return folder[:-1]
    return folder


def _parts(found: Sequence[ObjectFile], gallery: Gallery) -> tuple[list[_Part], list[tuple[ObjectFile, str]]]:
    """One part for each file; several about the same pictures of a split are one, that with most objects."""
    parts: list[_Part] = []
    moot: list[tuple[ObjectFile, str]] = []
    for file in sorted(found, key=lambda file: (-len(file), file.entry.parts)):
        name = file.entry.name.rpartition(".")[0]
        named = vocabulary.split_of(name)
        folder = file.entry.folder[-1] if file.entry.folder else ""
        split = named or vocabulary.split_of(folder)
        pictures = gallery.resolve(file.names, file.entry.folder, split)
        why = f"name of {file.entry.name!r}" if named else f"folder {folder!r}" if split else "not split"
        part = _Part(file, split or WHOLE, why, pictures)
        same = next((other for other in parts if other.split == part.split and _overlap(other, part)), None)
        if same is None:
            parts.append(part)
        else:
            moot.append((file, f"describes pictures that {same.file.entry.name!r} describes, too: not read"))
    return parts, moot


def _overlap(a: _Part, b: _Part) -> bool:
    places = {entry.parts for entry in a.pictures.entries.values()}
    return any(entry.parts in places for entry in b.pictures.entries.values())


def _dataset(
    folder: Folder,
    home: tuple[str, ...],
    parts: Sequence[_Part],
    moot: Sequence[tuple[ObjectFile, str]],
    unlisted: Sequence[Entry],
    layout: str,
) -> Dataset:
    partitions = []
    gaps: list[Gap] = []
    problems = [Problem("not-scanned", file.entry.shown, why) for file, why in moot]
    listed: dict[str, int] = {}
    objects: dict[str, int] = {}
    why: dict[str, str] = {}
    described: dict[str, list[bool]] = {}
    """Of each split, whether the objects of its files are known by lines and not by ids."""
    for part in sorted(parts, key=lambda part: (split_order(part.split), part.file.entry.parts)):
        file, split = part.file, part.split
        kept = sorted(part.pictures.entries)
        where = file.entry.shown
        entries = [part.pictures.entries[k] for k in kept]
        note = where if file.lines else ""
        partitions += annotated_partitions(split, entries, file.objects(kept), shares=file.shares, note=note)
        gaps += [
            Gap("absent", split, path, f"listed in {file.entry.name}, and not there") for path in part.pictures.absent
        ]
        for key, count in file.dangling().items():
            many = f"{count:,} annotations name" if count > 1 else "one annotation names"
            text = f"{many} the image id {key!r}, which is not listed"
            gaps.append(Gap("dangling", split, where, files.printable(text)))
        if file.problem:
            problems.append(Problem("truncated", where, f"read in part: {file.problem}"))
        if file.boxless:
            text = f"{file.boxless:,} annotations without a box are not read"
            problems.append(Problem("not-scanned", where, text))
        listed[split] = listed.get(split, 0) + len(file.names)
        objects[split] = objects.get(split, 0) + len(file)
        why.setdefault(split, part.why)
        described.setdefault(split, []).append(file.lines)
    of_folder = {entry.folder: part.split for part in parts for entry in part.pictures.entries.values()}
    text = "lies next to listed pictures and is not listed"
    gaps += [Gap("unlisted", of_folder[entry.folder], entry.shown, text) for entry in unlisted]
    classes = max((part.file.class_names for part in parts), key=len)
    names = ", ".join(repr(part.file.entry.name) for part in parts)
    readings = dict.fromkeys(part.file.reading for part in parts if part.file.reading)
    names += "".join(f"; boxes are {reading}" for reading in readings)
    return Dataset(
        name=folder.name(home),
        path=folder.path(home),
        layout=layout,
        modality="images",
        evidence=f"{sum(listed.values()):,} pictures and {sum(objects.values()):,} objects in {names}",
        partitions=partitions,
        splits=tuple(Split(split, why[split]) for split in sorted(why, key=split_order)),
        label=None,
        problems=problems,
        skipped_label=PER_OBJECT,
        task="detection",
        annotations=Annotations(
            tuple(classes),
            tuple(gaps),
            listed,
            objects,
            parts[0].file.form,
            parts[0].file.shares,
            frozenset(split for split, held in described.items() if held == [False]),
            _contradictions(parts),
        ),
    )


def _contradictions(parts: Sequence[_Part]) -> tuple[str, ...]:
    """Where files give one number to two classes that both of them know, as after two exports."""
    first, *others = sorted(parts, key=lambda part: (split_order(part.split), part.file.entry.parts))
    ours, found = first.file.numbered, []
    for other in (part.file for part in others):
        theirs = other.numbered
        known = {*ours.values()} & {*theirs.values()}
        moved = [key for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]]
        if key := next((key for key in sorted(moved, key=str) if {ours[key], theirs[key]} & known), None):
            told = (
                f"class {key} is {theirs[key]!r} in {other.entry.shown} and {ours[key]!r} in {first.file.entry.shown}"
            )
            found.append(files.printable(told))
    return tuple(found)
