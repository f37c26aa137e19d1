"""Pictures with a text file of boxes for each: ``images/train`` next to ``labels/train``, with or without ``data.yaml``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.annotations import Gap
from datalint.core.dataset import Problem
from datalint.core.vocabulary import WHOLE
from datalint.sources import files
from datalint.sources.annotations.listed import Gallery
from datalint.sources.annotations.yolo import (
    Card,
    YoloNotes,
    darknet_card,
    is_foreign,
    lengths_of,
    names_in,
    tail_parts,
    yaml_card,
)
from datalint.sources.files import IMAGES, shared
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.pairs import PairedSet, Partners, by_home, split_by_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

LOOKED_AT = 20
"""Files of a set whose lines say whether it is one of boxes, and whether they are outlines."""

NAMES = ("classes.txt", "obj.names", "classes.names", "predefined_classes.txt")
"""Files that hold the names of the classes, one on each line."""

LISTS = {"train.txt": "train", "val.txt": "validation", "valid.txt": "validation", "test.txt": "test"}
"""Lists of pictures."""


class Yolo(Layout):
    """Pictures with a text file of boxes for each."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Sets that a description declares, then those whose pictures have such files."""
        left = folder.left
        pictures = [entry for entry in left if entry.suffix in IMAGES]
        texts = [entry for entry in left if entry.suffix == ".txt"]
        cards = folder.once("yolo cards", lambda: _cards(folder)) if pictures else []
        if not pictures or not (texts or cards):
            return
        place = _Place(folder, pictures, texts)
        for look in (_declared(place, cards), _found(place)):
            for found in look:
                if place.used.isdisjoint(found.pictures):
                    yield _claim(folder, place, found)


@dataclass
class _Set(PairedSet):
    """A set of YOLO."""

    points: int = 0
    """Numbers of the keypoints that follow each box."""


class _Place:
    """Pictures and texts below a folder, to be found by what a description calls them."""

    def __init__(self, folder: Folder, pictures: Sequence[Entry], texts: Sequence[Entry]) -> None:
        self.folder, self.pictures, self.texts = folder, pictures, texts
        self.partners = Partners(texts)
        self.gallery = Gallery(pictures)
        self.used: set[tuple[str, ...]] = set()
        self._by_end: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        """Folders that hold pictures, and lists, by the last part of their path."""
        for entry in pictures:
            for k in range(1, len(entry.parts)):
                self._by_end[entry.parts[k - 1]].add(entry.parts[:k])
        self.lists = {entry.parts: entry for entry in texts}
        for parts in self.lists:
            self._by_end[parts[-1]].add(parts)

    def resolve(self, home: tuple[str, ...], base: str, written: str) -> tuple[str, ...] | None:
        """What a description in the folder ``home`` calls by this path: as it is written, or the longest end of it."""
        exact = list(home)
        for part in f"{base}/{written}".replace("\\", "/").split("/"):
            if part == ".." and exact:
                exact.pop()
            elif part not in {"", ".", ".."}:
                exact.append(part)
        if not exact or tuple(exact) in self._by_end[exact[-1]]:
            return tuple(exact)
        tail = tail_parts(written if written.startswith("/") else f"{base}/{written}")
        for k in range(len(tail)):
            end = tail[k:]
            if k and vocabulary.split_of(tail[k - 1]):
                return None  # test/images that is not there is not images
            if several := [parts for parts in self._by_end.get(end[-1], ()) if parts[-len(end) :] == end]:
                return max(several, key=lambda parts: (shared(parts, home), -len(parts)))
        return None

    def below(self, parts: tuple[str, ...]) -> list[Entry]:
        """The pictures in a folder and below it."""
        return [entry for entry in self.pictures if entry.parts[: len(parts)] == parts]

    def pair(self, entries: Iterable[Entry]) -> list[tuple[Entry, Entry | None]]:
        """Each picture with the file about it."""
        return [(entry, self.partners.of(entry)) for entry in entries]


# --- sets with a description ----------------------------------------------------------------------------------------


def _cards(folder: Folder) -> list[Card]:
    found = []
    for entry in folder.entries:
        look = yaml_card if entry.suffix in {".yaml", ".yml"} else darknet_card if entry.suffix == ".data" else None
        if look is not None and (card := look(entry)) is not None:
            found.append(card)
    return sorted(found, key=lambda card: (len(card.entry.parts), card.entry.parts))


def _declared(place: _Place, cards: Sequence[Card]) -> Iterator[_Set]:
    sets: list[_Set] = []
    for card in cards:
        if card.entry.parts in place.folder.claimed:
            continue
        found = _of_card(place, card)
        same = next((other for other in sets if not other.pictures.keys().isdisjoint(found.pictures)), None)
        if same is None:
            sets.append(found)
        else:
            same.name_classes(card.classes, card.entry)
    yield from (found for found in sets if found.pairs)


def _of_card(place: _Place, card: Card) -> _Set:
    found = _Set(card.entry.folder, points=card.points)
    found.name_classes(card.classes, card.entry)
    if card.names_file:
        wanted = tail_parts(card.names_file)[-1:]
        named = [entry for entry in place.folder.left if entry.parts[-1:] == wanted]
        for entry in sorted(named, key=lambda entry: -shared(entry.parts, card.entry.parts))[:1]:
            found.name_classes(names_in(entry), entry)
    if card.count is not None and found.classes and card.count != len(found.classes):
        found.contradictions.append(
            f"{card.entry.shown} declares {card.count:,} classes and names {len(found.classes):,}"
        )
    for split, places in card.places.items():
        for written in places:
            parts = place.resolve(card.entry.folder, card.base, written)
            if parts is None or (parts not in place.lists and not place.below(parts)):
                if split != "test":  # many that have no test split name one
                    text = f"names {files.printable(written)!r} as the place of {split}, and no picture is there"
                    found.problems.append(Problem("absent", card.entry.shown, text))
                continue
            _add(place, found, split, parts)
            foreign = is_foreign(written) or is_foreign(card.base)
            told = f", found by the end of {files.printable(written)!r}" if foreign else ""
            where = files.printable("/".join(parts) or ".")
            found.why.setdefault(split, f"{card.entry.name} names {where}{told}")
    if not found.pairs:
        return found
    _rest(place, found, card)
    return found


def _add(place: _Place, found: _Set, split: str, parts: tuple[str, ...]) -> None:
    """The pictures in a folder or on a list."""
    if parts not in place.lists:
        entries = place.below(parts)
    else:
        entry = place.lists[parts]
        found.by_name = False
        found.metadata[parts] = entry
        # Those that do not begin at the list begin where training was started, on some machine.
        names = [name if name.startswith(".") else f"/{name.lstrip('/')}" for name in names_in(entry) if name]
        resolved = place.gallery.resolve(names, entry.folder, split)
        entries = [resolved.entries[k] for k in sorted(resolved.entries)]
        text = f"listed in {entry.name}, and not there"
        found.absent += [Gap("absent", split, path, text) for path in resolved.absent]
        if not entries:
            return
    found.pairs.setdefault(split, []).extend(place.pair(entries))


def _rest(place: _Place, found: _Set, card: Card) -> None:
    """Pictures next to those that are named: a split that the description forgets, or ones that no list names."""
    known = found.pictures
    folders = {entry.folder for entry in known.values()}
    for entry in place.below(found.home):
        if entry.parts in known:
            continue
        split, why = split_by_folder(entry, found.home)
        if entry.folder in folders:
            found.unlisted.append(entry)
        elif split not in {WHOLE, *card.places} and place.partners.of(entry) is not None:
            found.pairs.setdefault(split, []).extend(place.pair([entry]))
            found.why.setdefault(split, f"{why}, which {card.entry.name} does not name")


# --- sets without a description -------------------------------------------------------------------------------------


def _found(place: _Place) -> Iterator[_Set]:
    """Pictures with files of boxes, by the folder that holds both."""
    free = [entry for entry in place.pictures if entry.parts not in place.used]
    for home, pairs in by_home(free, place.partners).items():
        notes = {note.parts: note for _, note in pairs}
        if _are_boxes(list(notes.values())):
            found = _Set(home)
            lists = [place.lists[(*home, name)] for name in LISTS if (*home, name) in place.lists]
            for entry in lists:
                if entry.parts not in notes and entry.parts not in place.used:
                    _add(place, found, LISTS[entry.name], entry.parts)
                    found.why.setdefault(LISTS[entry.name], f"list {entry.name!r}")
            if not found.pairs:
                free = [entry for entry in place.below(home) if entry.parts not in place.used]
                found.by_folders(free, {entry.folder for entry, _ in pairs}, place.partners)
            yield found


def _are_boxes(notes: Sequence[Entry]) -> bool:
    """Whether half of the files that hold anything hold lines of a class and its box."""
    full = [note for note in notes if note.size]
    some = full[:: max(1, len(full) // LOOKED_AT)][:LOOKED_AT]
    good = sum(bool(lengths) and 2 * sum(n >= 5 for n in lengths) >= len(lengths) for lengths in map(_lengths, some))
    return bool(some) and 2 * good >= len(some)


def _lengths(note: Entry) -> list[int]:
    return lengths_of([note])


# --- the data set ---------------------------------------------------------------------------------------------------


def _claim(folder: Folder, place: _Place, found: _Set) -> Claim:
    homes = {found.home, *found.split_of}
    below = {note.folder[:k] for note in found.notes.values() for k in range(len(found.home), len(note.folder) + 1)}
    for entry in folder.left:
        if entry.name.lower() in NAMES and (entry.folder in homes or entry.folder in below):
            # Above the files of boxes may lie what another export left: longer, or out of date.
            names = names_in(entry)
            if entry.folder in homes or not found.classes or sorted(names) == sorted(found.classes):
                found.name_classes(names, entry)
    orphans = found.orphans(place.texts, place.partners, lambda entry: all(n >= 5 for n in lengths_of([entry])))
    full = [note for note in found.notes.values() if note.size]
    lengths = lengths_of(full[:: max(1, len(full) // LOOKED_AT)][:LOOKED_AT])
    outlined = any(n >= 9 and n % 2 for n in lengths) or (bool(lengths) and all(n == 7 for n in lengths))
    form = YoloNotes(found.classes, found.points, outlined and not found.points)
    declared = any(entry.suffix != ".txt" for entry in found.metadata.values())
    basis = Basis.DECLARED if declared else Basis.STRUCTURE
    return found.claim(folder, "YOLO", form, place.partners, orphans, basis, place.used)
