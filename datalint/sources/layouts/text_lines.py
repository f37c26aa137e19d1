"""Texts line by line: ``train.en`` next to ``train.de``, ``train.txt`` next to ``labels.txt``, and corpora such as WikiText."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources.files import TEXTS
from datalint.sources.folder import data_suffixes
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.tables import table_folders
from datalint.sources.layouts.text_folders import is_prose
from datalint.sources.sounds.suffixes import SOUNDS
from datalint.sources.tables.build import Member, table_dataset
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.folders import is_document
from datalint.sources.tables.format import Candidate
from datalint.sources.tables.text_lines import lines_of, side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.format import TableFile

LANGUAGES = vocabulary.word_set(
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id ig is it ja"
    " ka kk km kn ko ku ky li lt lv mg mk ml mn mr ms mt my nb ne nl nn no oc or pa pl ps pt ro ru rw se si sk sl sq sr sv"
    " sw ta te tg th tk tr tt ug uk ur uz vi wa xh yi yo zh zu"
)
"""Codes that end the names of texts in several languages."""

SIDES = ("source", "src", "target", "tgt", "trg")
"""Ends of names of what goes in and of what shall come out, in this order."""

CORPUS = TEXTS | {".tokens", ".raw", ".text"}

LABELS = vocabulary.word_set("label labels target targets class classes y")
INPUTS = vocabulary.word_set("text texts sentence sentences input inputs x data tweet tweets doc docs review reviews")

LEAST, SMALL = 50, 4 << 10
"""Fewer texts, or bytes of them, are notes and no corpus."""

BARE = 1 << 20
"""Bytes from which a file without a suffix is one (``text8``)."""

MOST, NAMED = 1_000, 50
"""Files of a corpus, and of texts with labels, of one folder; more are documents, one a sample."""

_CODE = re.compile(r"\.([a-z]{2})([-_][A-Za-z]{2,4})?")


class TextLines(Layout):
    """Texts line by line: translations, lines with a file of their labels, corpora of language models."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The texts of each folder."""
        by_folder: defaultdict[tuple[str, ...], list[Entry]] = defaultdict(list)
        media = folder.pictures.known or folder.sounds.known  # of which such lists may speak
        for entry in folder.left:
            if (entry.suffix in CORPUS or _side(entry) is not None) and not is_document(entry.name):
                by_folder[entry.folder].append(entry)
        for home, entries in by_folder.items():
            if len(entries) > MOST:
                continue
            pairs = _pairs(entries)
            if pairs:
                yield from _claim(folder, home, pairs, "texts side by side", Basis.STRUCTURE)
            elif labelled := [] if media else _with_labels([e for e in entries if e.suffix in TEXTS]):
                yield from _claim(folder, home, labelled, "lines of text with a file of labels", Basis.STRUCTURE, True)
            else:
                corpus = _corpus(folder, [entry for entry in entries if entry.suffix in CORPUS])
                yield from _claim(folder, home, [(entry,) for entry in corpus], "plain text", Basis.NAMES)


def _side(entry: Entry) -> str | None:
    """Which of several texts of the same meaning a file is, by the end of its name."""
    code = _CODE.fullmatch(entry.suffix)
    known = entry.suffix[1:] in SIDES or (code is not None and code[1] in LANGUAGES)
    return entry.suffix[1:] if known else None


def _pairs(entries: Sequence[Entry]) -> list[tuple[Entry, ...]]:
    """Texts of one name in several languages, or as source and target; in the same order for every name."""
    by_stem: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        if (side := _side(entry)) is not None and entry.size:
            by_stem[entry.name.rpartition(".")[0]][side] = entry
    several = {stem: sides for stem, sides in by_stem.items() if len(sides) > 1}
    if len({frozenset(sides) for sides in several.values()}) != 1:
        return []
    names = sorted(next(iter(several.values())), key=lambda side: (SIDES.index(side) if side in SIDES else -1, side))
    if not all(map(is_prose, next(iter(several.values())).values())):
        return []
    return [tuple(sides[name] for name in names) for sides in several.values()]


def _with_labels(entries: Sequence[Entry]) -> list[tuple[Entry, ...]]:
    """Texts with the files that hold a label for each of their lines, as their names say."""
    texts: defaultdict[tuple[str | None, tuple[str, ...]], list[Entry]] = defaultdict(list)
    labels: dict[tuple[str | None, tuple[str, ...]], Entry] = {}
    for entry in entries if len(entries) <= NAMED else ():
        words = vocabulary.family_of(entry.name).split("_")
        split = vocabulary.split_of(entry.name)
        rest = tuple(word for word in words if word and word not in LABELS | INPUTS)
        if LABELS & {*words}:
            labels[split, rest] = entry
        elif entry.size >= SMALL // 4 and is_prose(entry):
            texts[split, rest].append(entry)
    found = [(own[0], labels[key]) for key, own in texts.items() if len(own) == 1 and key in labels]
    # Where the name says the split, labels that are too few are a fault; elsewhere they may be a list of the classes.
    found = [pair for pair in found if vocabulary.split_of(pair[0].name) or _as_many(*pair)]
    alone = [own[0] for own in texts.values() if len(own) == 1]
    if not found and len(alone) == len(texts) == len(labels) == 1:
        found = [pair for pair in [(alone[0], next(iter(labels.values())))] if _as_many(*pair)]
    return [*found]


def _as_many(text: Entry, label: Entry) -> bool:
    """Whether two files have as many lines, the last of which may lack its end."""
    return abs(_lines(text) - _lines(label)) <= 1


def _lines(entry: Entry) -> int:
    """Lines of a file."""
    try:
        with entry.path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return -9


def _corpus(folder: Folder, entries: Sequence[Entry]) -> list[Entry]:
    """The texts of a corpus: those of splits, or all where there is nothing else that is data."""
    entries = [entry for entry in entries if entry.size]
    splits = vocabulary.split_files([entry.name for entry in entries])
    chosen = [entry for entry in entries if entry.name in splits]
    data = data_suffixes() | SOUNDS
    if len(splits) < 2 and (folder.claimed or any(entry.suffix in data for entry in folder.entries)):
        return []
    # A small file without a suffix may be anything.
    chosen = chosen if len(splits) > 1 else [entry for entry in entries if entry.suffix or entry.size > BARE]
    pictures = {entry.rpartition("/")[2].rpartition(".")[0] for entry in folder.pictures.known}
    chosen = [entry for entry in chosen if entry.name.rpartition(".")[0] not in pictures]
    if not chosen or len(chosen) > MOST or sum(entry.size for entry in chosen) < SMALL:
        return []
    tables = {entry.parts for _, inside in table_folders(folder).sets for entry in inside}
    if any(entry.parts in tables for entry in chosen):
        return []
    return chosen if folder.once(("prose", chosen[0].parts), lambda: all(map(is_prose, chosen[:20]))) else []


def _claim(
    folder: Folder,
    home: tuple[str, ...],
    groups: Sequence[tuple[Entry, ...]],
    layout: str,
    basis: Basis,
    labelled: bool = False,
) -> Iterator[Claim]:
    """The data set of some texts, each with those next to it."""
    names = vocabulary.split_files([group[0].name for group in groups])
    members = []
    try:
        for group in groups:
            table = _table(group, labelled, basis)
            split = names.get(group[0].name, WHOLE)
            why = f"file name {group[0].name!r}" if split != WHOLE else "not split"
            members.append(Member(table, split, why))
    except (NotATable, OSError):
        return
    if basis == Basis.NAMES and sum(len(member.file.columns[0].values) for member in members) < LEAST:
        return
    if not members:
        return
    files = [entry for group in groups for entry in group]
    dataset = table_dataset(
        folder.name(home),
        folder.path(home),
        f"{layout}, one file per split" if len(names) > 1 else layout,
        f"{counted(len(files), 'file')}; of {groups[0][0].name!r} {_samples(members[0].file)} is a sample",
        members,
        folder.wishes.label,
    )
    yield Claim(files, basis, dataset.evidence, dataset)


def _samples(table: TableFile) -> str:
    return "what lies between blank lines" if table.about else "each line"


def _table(group: tuple[Entry, ...], labelled: bool, basis: Basis) -> TableFile:
    columns: Mapping[int, str] = {1: "label"} if labelled else {}
    tables = []
    for k, entry in enumerate(group):
        column = columns.get(k) or (_side(entry) if len(group) > 1 and not labelled else None) or "text"
        file = Candidate(entry.path, entry.shown, entry.name)
        tables.append(lines_of(file, column, paragraphs=basis == Basis.NAMES))
    return side_by_side(tables, "label" if labelled else None) if len(tables) > 1 else tables[0]
