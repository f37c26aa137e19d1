"""Recordings whose transcripts lie in files of their keys: LibriSpeech, Multilingual LibriSpeech, AISHELL, Kaldi."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Problem
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources.files import TEXTS
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.listed_sounds import heard, listed_in
from datalint.sources.tables.build import Member, table_dataset
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import TablePartition
from datalint.sources.tables.transcripts import FILE, KEY, Transcripts, pairs_in, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

KALDI = frozenset({"utt2spk", "spk2utt", "segments", "feats.scp", "cmvn.scp", "spk2gender", "utt2dur", "reco2dur"})
"""What lies next to ``wav.scp`` and ``text``."""

LINES = 20
"""Lines of a file of which half must begin with the names of recordings."""

_ABOUT = re.compile(r"[A-Z]+\.TXT")
"""Names of what LibriSpeech says of its speakers, chapters and books."""


@dataclass
class _Found:
    """The transcripts of one split."""

    entries: list[Entry] = field(default_factory=list)
    beside: list[Entry] = field(default_factory=list)
    transcripts: Transcripts = field(default_factory=lambda: Transcripts(()))
    cut: bool = False
    """Whether what is said is so of parts of recordings."""


class TranscribedSounds(Layout):
    """Recordings with files of lines that say of each key what is spoken, by speaker."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The transcripts with their recordings."""
        left = folder.left
        homes = _kaldi(left) or _keyed(folder, left)
        for home, splits in homes.items():
            if (claim := _claim(folder, home, splits)) is not None:
                yield claim


def _where(folder: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The home of a data set and the folder of the split in it, if any part of a path names one."""
    for k, name in enumerate(folder):
        if vocabulary.split_of(name) is not None:
            return folder[:k], name
    return folder, ""


def _kaldi(left: Sequence[Entry]) -> dict[tuple[str, ...], dict[str, _Found]]:
    """The folders that hold ``wav.scp`` and ``text``, by data set and split."""
    by_folder: defaultdict[tuple[str, ...], dict[str, Entry]] = defaultdict(dict)
    for entry in left:
        if entry.name in KALDI or entry.name in {"wav.scp", "text"}:
            by_folder[entry.folder][entry.name] = entry
    homes: dict[tuple[str, ...], dict[str, _Found]] = {}
    for place, own in by_folder.items():
        if {"wav.scp", "text"} <= own.keys():
            home, split = _where(place)
            speakers = own["utt2spk"].where if "utt2spk" in own else ""
            base = own["text"].place
            text = Transcripts((own["text"].where,), speakers, own["wav.scp"].where, base=base)
            others = [entry for name, entry in own.items() if name != "text"]
            homes.setdefault(home, {})[split] = _Found([own["text"]], others, text, "segments" in own)
    return homes


def _keyed(folder: Folder, left: Sequence[Entry]) -> dict[tuple[str, ...], dict[str, _Found]]:
    """The texts whose lines begin with the names of recordings, by data set and split."""
    homes: dict[tuple[str, ...], dict[str, _Found]] = {}
    if not folder.sounds.known:
        return homes
    for entry in left:
        if entry.suffix in TEXTS | {".trans"} and folder.once(("keys", entry.parts), lambda e=entry: _names(folder, e)):  # type: ignore[misc]
            home, split = _where(entry.folder)
            # Without folders of splits all files of one name, or of names by speaker, are about one set.
            home = home if split else _above(entry.folder, homes)
            homes.setdefault(home, {}).setdefault(split, _Found()).entries.append(entry)
    for splits in homes.values():
        for found in splits.values():
            own = tuple(entry.where for entry in found.entries)
            found.transcripts = Transcripts(own, apart=_apart(folder, found.entries[0]), base=found.entries[0].place)
    return homes


def _above(place: tuple[str, ...], homes: dict[tuple[str, ...], dict[str, _Found]]) -> tuple[str, ...]:
    """The home of a set that has a file in a folder near this one, else the folder itself."""
    near = (home for home, splits in homes.items() if "" in splits and place[: len(home)] == home)
    return next(near, place[:-2] if len(place) > 1 else place)


def _names(folder: Folder, entry: Entry) -> bool:
    """Whether the lines of a text begin with the names of recordings, and say more than a class of each."""
    try:
        pairs = [*islice(pairs_in(entry.place or entry.where), LINES)] if entry.size else []
    except OSError:
        return False
    hits = [text for key, text in pairs if "." not in key and folder.sounds.holds(key)]
    return bool(hits) and 2 * len(hits) >= len(pairs) and sum(" " in text for text in hits) > len(hits) / 2


def _apart(folder: Folder, entry: Entry) -> str:
    """What stands in keys after the speaker, where a folder above the recording is called like that."""
    for key, _ in islice(pairs_in(entry.place or entry.where), LINES):
        sound = folder.sounds.entry(key, entry.folder, None)
        for sign in "-_":
            if sound is not None and sign in key and key.partition(sign)[0] in sound.folder:
                return sign
    return ""


def _claim(folder: Folder, home: tuple[str, ...], splits: dict[str, _Found]) -> Claim | None:
    named = vocabulary.split_folders([name for name in splits if name]) or {}
    members = []
    own = [entry for found in splits.values() for entry in [*found.entries, *found.beside]]
    try:
        for name, found in splits.items():
            split = named.get(name, WHOLE)
            why = f"folder {name!r}" if split != WHOLE else "not split"
            members.append(Member(table_of(found.entries[0], found.transcripts), split, why))
    except (NotATable, OSError):
        return None
    column = FILE if any(found.transcripts.recordings for found in splits.values()) else KEY
    count = counted(sum(len(found.entries) for found in splits.values()), "file")
    dataset = table_dataset(
        folder.name(home),
        folder.path(home),
        "transcripts",
        f"{count} of transcripts",
        members,
        folder.wishes.label,
    )
    parts = [part for part in dataset.partitions if isinstance(part, TablePartition)]
    cut = any(found.cut for found in splits.values())
    listed, sounds = ([], {}) if cut else listed_in(parts, column, folder.sounds, {})
    if not sounds:
        if column == KEY:
            return None
        text = "its recordings are read in parts" if cut else "none of its recordings lies in the scanned folder"
        scp = next(entry for entry in own if entry.name == "wav.scp")
        dataset.problems.append(Problem("not-scanned", scp.shown, f"{text}: only the transcripts are looked at"))
        left_out = [entry for entry in own if entry.name in {"wav.scp", "segments"}]
        return Claim(own, Basis.STRUCTURE, dataset.evidence, dataset, left_out)
    suffixes = {entry.suffix for entry in sounds.values()}
    above = Counter(entry.folder for entry in sounds.values())
    others = [e for e in folder.left if e.folder in above and e.suffix in suffixes and e.parts not in sounds]
    about = [e for e in folder.left if e.folder == home and _ABOUT.fullmatch(e.name) and e not in own]
    made = heard(dataset, members[0].file, column, listed, len(sounds), others)
    made = replace(
        made,
        layout="recordings with transcripts",
        evidence=f"{counted(len(sounds), 'recording')}, {count} of transcripts",
    )
    files = {entry.parts: entry for entry in [*own, *sounds.values(), *others, *about]}
    if not folder.claimed.isdisjoint(files):
        return None
    return Claim([*files.values()], Basis.STRUCTURE, made.evidence, made, others)
