"""Texts in a file each, in class folders: 20 Newsgroups, ``aclImdb``, mails in ``ham`` and ``spam``."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from datalint.core.dataset import Dataset, Field, Label, Split, split_order
from datalint.core.terms import Storage
from datalint.core.vocabulary import UNLABELED
from datalint.sources.files import TEXTS, printable
from datalint.sources.folder import data_suffixes, strays
from datalint.sources.images.files import image_partitions
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import CLASSLESS, arranged
from datalint.sources.tables.folders import is_document
from datalint.sources.texts.files import TEXT, NoText, TextFiles, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.layouts.class_folders import Pictures

FEWEST, FEWEST_OF_CLASS = 20, 3
"""Fewer files are documents."""

RECORD = ".json"
"""Suffix of files that may hold a record each, such as an article with its title."""

LOOKED_AT = 20
"""Files of which most must hold words."""

_NAMELESS = re.compile(r"\.([0-9]+|[0-9a-f]{8,}|eml|email|text)")
"""Ends of names of mails and other texts: numbers, hashes."""

_UNLABELED = re.compile(r"unsup(ervised)?|unlabell?ed", re.IGNORECASE)


class TextFolders(Layout):
    """Texts in class folders, with or without split folders."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The texts of each data set, if they are nearly all that lies there and hold words."""
        texts = [e for e in folder.left if e.suffix in TEXTS | {RECORD} or _NAMELESS.fullmatch(e.suffix)]
        texts = [e for e in texts if not is_document(e.name)]
        if len(texts) < FEWEST:
            return
        for found in arranged(texts, ()):
            level = found.class_depth
            if level is None or not _are_samples(found, level):
                continue
            if not _are_all(found, folder.left):
                continue  # texts that go with pictures, tables or programs
            if not folder.once(("words", found.parts), lambda found=found: hold_words(found.entries)):  # type: ignore[misc]
                continue
            dataset = text_dataset(folder, found, level)
            yield Claim([*found.entries, *found.strays], Basis.STRUCTURE, dataset.evidence, dataset, found.left_out)


def _are_samples(found: Pictures, level: int) -> bool:
    """Whether there are several classes of several files each."""
    counts: dict[str, int] = {}
    for entry in found.entries:
        if len(entry.parts) > level + 1:
            counts[entry.parts[level]] = counts.get(entry.parts[level], 0) + 1
    several = sum(count >= FEWEST_OF_CLASS for count in counts.values())
    return len(counts) > 1 and sum(counts.values()) >= FEWEST and 2 * several > len(counts)


def _are_all(found: Pictures, left: Sequence[Entry]) -> bool:
    """Whether hardly any file that is left there is of another kind."""
    data = data_suffixes()
    below = [entry for entry in left if entry.parts[: len(found.parts)] == found.parts]
    own = {entry.parts for entry in found.entries}
    others = sum(entry.suffix in data and entry.parts not in own for entry in below)
    return 10 * others <= len(found.entries) and 2 * len(found.entries) > len(below)


def hold_words(entries: Sequence[Entry]) -> bool:
    """Whether most of some files are made up of words rather than of numbers."""
    step = max(1, len(entries) // LOOKED_AT)
    some = entries[::step][:LOOKED_AT]
    return 2 * sum(map(is_prose, some)) > len(some)


def is_prose(entry: Entry) -> bool:
    """Whether a file is made up of words."""
    try:
        text, _ = read_text(entry.place or entry.where)
    except (OSError, NoText):
        return False
    if entry.suffix == RECORD:
        text = _said_in(text)
    signs = [sign for sign in text[:10_000] if not sign.isspace()]
    return len(signs) > 0 and sum(map(str.isalpha, signs)) > 0.5 * len(signs) and len(text[:10_000].split()) > 2


def _said_in(text: str) -> str:
    """The texts of a JSON object; nothing of other JSON, which is a table or a list of something."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return " ".join(value for value in held.values() if isinstance(value, str)) if isinstance(held, dict) else ""


def text_dataset(folder: Folder, found: Pictures, level: int | None) -> Dataset:
    """The data set of texts whose classes are the folders at some level; without classes where there is none."""
    partitions: list[TextFiles] = []
    names: set[str] = set()
    by_split: dict[str, list[Entry]] = {}
    why = dict(found.why)
    for split, entries in found.by_split.items():
        for entry in entries:
            place = split
            if level is not None:
                if len(entry.parts) <= level + 1:
                    continue
                place = UNLABELED if _UNLABELED.fullmatch(entry.parts[level]) else split
                why.setdefault(place, f"folder {entry.parts[level]!r}")
            by_split.setdefault(place, []).append(entry)
    splits = sorted(by_split, key=split_order)
    for split in splits:
        entries = sorted(by_split[split], key=lambda e: ("" if level is None else e.parts[level], e.parts))
        classes = None if split == UNLABELED or level is None else [printable(e.parts[level]) for e in entries]
        names |= set(classes or ())
        partitions += [
            TextFiles(p.base, p.files, p.classes, p.split, p.weight) for p in image_partitions(split, entries, classes)
        ]
    shown = ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "")
    return Dataset(
        name=folder.name(found.parts),
        path=folder.path(found.parts),
        layout=("texts in files" if level is None else "text class folders")
        + (" in split folders" if len(found.by_split) > 1 else ""),
        modality="table",
        evidence=f"{sum(len(p.files) for p in partitions):,} text files",
        partitions=partitions,
        splits=tuple(Split(split, why[split]) for split in splits),
        label=None if level is None else Label("class folder", f"{len(names)} folders: {shown}", "high"),
        fields=(Field(TEXT, "text", "text", "file"),),
        problems=strays([*found.classless, *found.strays], CLASSLESS) if level is not None else [],
        by_class=level is not None,
        storage=Storage.TEXTS,
    )
