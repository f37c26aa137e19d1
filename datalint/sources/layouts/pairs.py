"""Which file of its own says what is drawn in a picture: by their names, and by the folders they lie in."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.annotations import PER_OBJECT, Annotations, Gap
from datalint.core.dataset import Dataset, Problem, Split, split_order
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources.annotations.pictures import Notes, noted_partitions
from datalint.sources.files import IMAGES, shared
from datalint.sources.layouts.base import Basis, Claim
from datalint.sources.layouts.class_folders import FLAT_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

FOLDER = re.compile(
    r"(labels?|annotations?|annots?|anns?|bbox(es)?|box(es)?|txts?|xmls?)([-_ ]?(yolo|voc|txts?|xmls?|files|dir|\d))?",
    re.IGNORECASE,
)
"""Names of folders of files about pictures."""


LOOKED_AT = 20
"""Files of a folder whose heads say whether they are about pictures."""


def stem_of(entry: Entry) -> str:
    """The name without its last suffix: ``a.jpg.rf.0b1c.jpg`` and ``a.jpg.rf.0b1c.txt`` belong together."""
    return entry.name.rpartition(".")[0] or entry.name


class Partners:
    """Files about pictures, to be found by the picture."""

    def __init__(self, notes: Iterable[Entry], called: Mapping[Entry, str] | None = None) -> None:
        """Of some files it may be known what they call their picture."""
        self._beside: dict[tuple[tuple[str, ...], str], Entry] = {}
        self._apart: dict[tuple[tuple[str, ...], str], Entry] = {}
        for note in notes:
            stem = (called or {}).get(note, note.name).rpartition(".")[0] or note.name
            self._beside.setdefault((note.folder, stem), note)
            for k, name in enumerate(note.folder):
                if FOLDER.fullmatch(name):
                    below = note.folder[k + 1 :]
                    while below and FOLDER.fullmatch(below[0]):  # annotations/xmls
                        below = below[1:]
                    self._apart.setdefault((note.folder[:k] + below, stem), note)

    def of(self, picture: Entry) -> Entry | None:
        """The file in the picture's own folder, or in a folder of such files that stands beside or in place of one above it."""
        folder, stem = picture.folder, stem_of(picture)
        if (note := self._beside.get((folder, stem))) is not None:
            return note
        for k in reversed(range(len(folder))):
            if (note := self._apart.get((folder[:k] + folder[k + 1 :], stem))) is not None:
                return note
        return self._apart.get((folder, stem))


def notes_in(entries: Iterable[Entry], suffix: str, looks_like: Callable[[Entry], bool]) -> list[Entry]:
    """The files of a suffix, in the folders in which half of those looked at are about pictures."""
    by_folder: defaultdict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.suffix == suffix:
            by_folder[entry.folder].append(entry)
    found = []
    for inside in by_folder.values():
        some = inside[:: max(1, len(inside) // LOOKED_AT)][:LOOKED_AT]
        if 2 * sum(map(looks_like, some)) >= len(some):
            found += inside
    return found


def claims_of_pairs(
    folder: Folder,
    notes: Sequence[Entry],
    form: Notes,
    layout: str,
    called: Mapping[Entry, str] | None = None,
    classes: Mapping[Entry, tuple[str, ...]] | None = None,
) -> Iterator[Claim]:
    """The pictures next to files about them, or in a folder next to theirs, where folders alone say which split is which.

    Args:
        folder: that is scanned.
        notes: the files about pictures.
        form: their format.
        layout: what to call it.
        called: what some of them call their picture.
        classes: files that name the classes.
    """
    pictures = [entry for entry in folder.left if entry.suffix in IMAGES] if notes else []
    partners = Partners(notes, called)
    used: set[tuple[str, ...]] = set()
    for home, pairs in by_home(pictures, partners).items():
        found = PairedSet(home)
        own = [entry for entry in pictures if entry.folder[: len(home)] == home]
        found.by_folders(own, {entry.folder for entry, _ in pairs}, partners)
        for entry, names in (classes or {}).items():
            if entry.folder[: len(home)] == home or home[: len(entry.folder)] == entry.folder:
                found.name_classes(names, entry)
        if used.isdisjoint(found.pictures):
            orphans = found.orphans(notes, partners)
            yield found.claim(folder, layout, form, partners, orphans, Basis.DECLARED, used)


def home_of(picture: Entry, note: Entry) -> tuple[str, ...]:
    """The folder of the data set: above those of pictures, of files about them and of splits."""
    home = picture.folder[: shared(picture.folder, note.folder)]
    while home and (vocabulary.split_of(home[-1]) or FLAT_FOLDERS.fullmatch(home[-1]) or FOLDER.fullmatch(home[-1])):
        home = home[:-1]
    return home


def by_home(pictures: Iterable[Entry], partners: Partners) -> dict[tuple[str, ...], list[tuple[Entry, Entry]]]:
    """Pictures with the files about them, by the folder of their data set.

    Several folders of one place that hold both side by side are one set: scenes, or recordings.
    """
    apart: dict[tuple[str, ...], list[tuple[Entry, Entry]]] = {}
    beside: dict[tuple[str, ...], list[tuple[Entry, Entry]]] = {}
    for picture in pictures:
        if (note := partners.of(picture)) is not None:
            group = beside if note.folder == picture.folder else apart
            group.setdefault(home_of(picture, note), []).append((picture, note))
    places = Counter(home[:-1] for home in beside if home)
    for home, pairs in beside.items():
        joint = home[:-1] if home and places[home[:-1]] > 1 else home
        apart.setdefault(joint, []).extend(pairs)
    return apart


def split_by_folder(entry: Entry, home: tuple[str, ...]) -> tuple[str, str]:
    """The split that a folder of a picture names, and the folder."""
    for name in reversed(entry.folder[len(home) :]):
        if (split := vocabulary.split_of(name)) is not None:
            return split, f"folder {name!r}"
    return WHOLE, "not split"


@dataclass
class PairedSet:
    """A data set as it is found: its pictures by split, the file about each, and what says so."""

    home: tuple[str, ...]
    pairs: dict[str, list[tuple[Entry, Entry | None]]] = field(default_factory=dict)
    """Pictures with the file about each."""
    why: dict[str, str] = field(default_factory=dict)
    absent: list[Gap] = field(default_factory=list)
    unlisted: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    metadata: dict[tuple[str, ...], Entry] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    source: str = ""
    """The file that names the classes."""
    contradictions: list[str] = field(default_factory=list)
    by_name: bool = True
    """Whether folders say which pictures there are, and no list does."""

    @property
    def pictures(self) -> dict[tuple[str, ...], Entry]:
        """All pictures, each once."""
        return {entry.parts: entry for own in self.pairs.values() for entry, _ in own}

    @property
    def notes(self) -> dict[tuple[str, ...], Entry]:
        """All files about pictures."""
        return {note.parts: note for own in self.pairs.values() for _, note in own if note is not None}

    def name_classes(self, names: tuple[str, ...], entry: Entry) -> None:
        """Take in a list of classes; one that is unlike an earlier one is a contradiction."""
        self.metadata[entry.parts] = entry
        if names and not self.classes:
            self.classes, self.source = names, entry.shown
        elif names and names != self.classes:
            k = next((k for k, (a, b) in enumerate(zip(names, self.classes, strict=False)) if a != b), -1)
            text = (
                f"class {k} is {names[k]!r} in {entry.shown} and {self.classes[k]!r} in {self.source}"
                if k >= 0
                else f"{entry.shown} names {len(names):,} classes and {self.source} {len(self.classes):,}"
            )
            self.contradictions.append(text)

    def by_folders(self, pictures: Iterable[Entry], folders: Set[tuple[str, ...]], partners: Partners) -> None:
        """Take in the pictures below the home that lie in some ``folders``, or in those of other splits next to them.

        A split whose pictures have no files is one of the set for all that.
        """
        above = {folder[:-1] for folder in folders if folder and vocabulary.split_of(folder[-1])}
        above |= {folder[:-2] for folder in folders if len(folder) > 1 and vocabulary.split_of(folder[-2])}
        for entry in pictures:
            split, why = split_by_folder(entry, self.home)
            beside = split != WHOLE and any(entry.folder[: len(top)] == top for top in above)
            if entry.folder in folders or beside:
                self.pairs.setdefault(split, []).append((entry, partners.of(entry)))
                self.why.setdefault(split, why)

    @cached_property
    def split_of(self) -> dict[tuple[str, ...], str]:
        """The split whose pictures the files in each folder are about."""
        return {note.folder: split for split, own in self.pairs.items() for _, note in own if note is not None}

    def orphans(
        self, notes: Iterable[Entry], partners: Partners, are_notes: Callable[[Entry], bool] = lambda _: True
    ) -> list[Entry]:
        """Files like those about pictures, whose picture is not there."""
        beside = {note.parts for entry in self.unlisted if (note := partners.of(entry)) is not None}
        taken = {*self.notes, *self.metadata, *beside}
        return [e for e in notes if e.folder in self.split_of and e.parts not in taken and are_notes(e)]

    def claim(
        self,
        folder: Folder,
        layout: str,
        form: Notes,
        partners: Partners,
        orphans: Sequence[Entry],
        basis: Basis,
        used: set[tuple[str, ...]],
    ) -> Claim:
        """The files of the data set, and what it is; adds them to those that are ``used``."""
        splits = sorted(self.pairs, key=split_order)
        lost = "a file of annotations whose picture is not there"
        passed = "lies next to listed pictures and is not listed"
        of_picture = {entry.folder: split for split, own in self.pairs.items() for entry, _ in own}
        gaps = [
            *self.absent,
            *(Gap("orphan", self.split_of[entry.folder], entry.shown, lost) for entry in orphans),
            *(Gap("unlisted", of_picture.get(e.folder, splits[0]), e.shown, passed) for e in self.unlisted),
        ]
        listed = Counter({split: len(own) for split, own in self.pairs.items()})
        listed.update(gap.split for gap in self.absent)
        described = {split: sum(note is not None for _, note in own) for split, own in self.pairs.items()}
        pictures, notes = self.pictures, self.notes
        classes = f", {counted(len(self.classes), 'class')} in {self.source}" if self.classes else ""
        dataset = Dataset(
            name=folder.name(self.home),
            path=folder.path(self.home),
            layout=layout,
            modality="images",
            evidence=f"{counted(len(pictures), 'picture')}, {counted(len(notes), 'file')} of annotations{classes}",
            partitions=[part for split in splits for part in noted_partitions(split, self.pairs[split], form)],
            splits=tuple(Split(split, self.why.get(split, "not split")) for split in splits),
            label=None,
            problems=self.problems,
            by_name=self.by_name,
            skipped_label=PER_OBJECT,
            task="detection",
            annotations=Annotations(
                self.classes,
                tuple(gaps),
                dict(listed),
                {split: count for split, count in described.items() if count},
                form.form,
                form.shares,
                contradictions=tuple(self.contradictions),
            ),
        )
        own = {**pictures, **notes, **self.metadata, **{entry.parts: entry for entry in orphans}}
        # What is about a picture that is not listed belongs to it, unless it is about another as well.
        beside = [note for entry in self.unlisted if (note := partners.of(entry)) is not None]
        left_out = {e.parts: e for e in [*self.unlisted, *beside] if e.parts not in own and e.parts not in used}
        every = [entry for parts, entry in {**own, **left_out}.items() if parts not in used]
        used |= {entry.parts for entry in every}
        return Claim(every, basis, dataset.evidence, dataset, list(left_out.values()))
