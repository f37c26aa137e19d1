"""Pictures with an XML file of objects for each: Pascal VOC, and the same next to the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.annotations import Gap
from datalint.core.vocabulary import TRAIN, TRAINVAL, VALIDATION, family_of, split_of
from datalint.sources import files
from datalint.sources.annotations.pictures import LARGEST
from datalint.sources.annotations.voc import VocNotes, looks_like_voc
from datalint.sources.files import IMAGES
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import mask_folders
from datalint.sources.layouts.pairs import PairedSet, Partners, by_home, notes_in, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

LIST = 64 << 20
"""Bytes of a list of pictures that are read."""


class Voc(Layout):
    """Pictures with an XML file of objects for each."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The pictures next to such files, or in a folder next to theirs."""
        left = folder.left
        notes = folder.once(("voc", len(folder.claimed)), lambda: notes_in(left, ".xml", looks_like_voc))
        masks = {entry.parts for group in mask_folders(folder) for entry in group.of} if notes else set()
        pictures = [entry for entry in left if entry.suffix in IMAGES and entry.parts not in masks] if notes else []
        partners = Partners(notes, _named_inside(notes, pictures))
        used: set[tuple[str, ...]] = set()
        for home, pairs in by_home(pictures, partners).items():
            found = _set(left, pictures, home, pairs, partners)
            if used.isdisjoint(found.pictures):
                orphans = found.orphans(notes, partners)
                yield found.claim(folder, "Pascal VOC", VocNotes(), partners, orphans, Basis.DECLARED, used)


def _named_inside(notes: Sequence[Entry], pictures: Sequence[Entry]) -> dict[Entry, str]:
    """The name of its picture in each file that is not called like one."""
    stems = {stem_of(entry) for entry in pictures}
    found = {}
    for note in notes:
        if stem_of(note) not in stems and note.size <= LARGEST:
            try:
                name = VocNotes().read(note.path.read_bytes()).picture
            except OSError:
                continue
            if name:
                found[note] = name.replace("\\", "/").rpartition("/")[2]
    return found


def _set(
    left: Sequence[Entry],
    pictures: Sequence[Entry],
    home: tuple[str, ...],
    pairs: Sequence[tuple[Entry, Entry]],
    partners: Partners,
) -> PairedSet:
    found = PairedSet(home)
    folders = {entry.folder for entry, _ in pairs}
    inside = [entry for entry in pictures if entry.folder in folders]
    lists = _lists(left, home, inside)
    for entry in (entry for entry in left if entry.suffix == ".txt" and "ImageSets" in entry.folder[len(home) :]):
        found.metadata[entry.parts] = entry
    if not lists:
        found.by_folders([e for e in pictures if e.folder[: len(home)] == home], folders, partners)
        return found
    found.by_name = False
    by_stem = {stem_of(entry): entry for entry in inside}
    base = "/".join([*inside[0].where.split("/")[:-1], ""])
    for split, (entry, names) in lists.items():
        found.metadata[entry.parts] = entry
        found.why[split] = f"list {entry.name!r} in {files.printable('/'.join(entry.folder) or '.')}"
        own = [by_stem.get(_stem(name)) for name in names]
        found.pairs[split] = [(picture, partners.of(picture)) for picture in own if picture is not None]
        text = f"listed in {entry.name}, and not there"
        lost = [name for name, picture in zip(names, own, strict=True) if picture is None]
        found.absent += [Gap("absent", split, files.printable(base + name), text) for name in lost]
    known = found.pictures
    found.unlisted = [entry for entry in inside if entry.parts not in known]
    return found


def _lists(
    left: Sequence[Entry], home: tuple[str, ...], pictures: Sequence[Entry]
) -> Mapping[str, tuple[Entry, list[str]]]:
    """The lists of pictures by split: ``ImageSets/Main/train.txt``; the class of VOC's own ``cat_train.txt`` is no split."""
    stems = {stem_of(entry) for entry in pictures}
    found: dict[str, tuple[Entry, list[str]]] = {}
    # The lists for detection before those for other tasks.
    lists = [e for e in left if e.suffix == ".txt" and e.folder[: len(home)] == home and not family_of(e.name)]
    for entry in sorted(lists, key=lambda e: (e.folder[-1:] != ("Main",), len(e.parts), e.parts)):
        split = split_of(entry.name)
        if split is None or split in found or entry.size > LIST:
            continue
        try:
            text = entry.path.read_text("utf-8-sig")
        except (OSError, ValueError):
            continue
        names = [words[0] for line in text.splitlines() if (words := line.split())]
        if 2 * sum(_stem(name) in stems for name in names) >= len(names) > 0:
            found[split] = (entry, names)
    # The two joined, where they are there by themselves.
    if {TRAIN, VALIDATION} & found.keys():
        found.pop(TRAINVAL, None)
    elif TRAINVAL in found:
        found[TRAIN] = found.pop(TRAINVAL)
    return found


def _stem(name: str) -> str:
    """The name of a picture in a list, which may have a folder and a suffix."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    suffix = "." + plain.rpartition(".")[2].lower()
    return plain[: -len(suffix)] if suffix in IMAGES | {".txt"} else plain
