"""Data sets of tables: single files, shards, one file or folder per split."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Problem
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources import files
from datalint.sources.files import IMAGES, TEXTS, Entry
from datalint.sources.folder import Folder, Wishes, split_folders, stem, unread
from datalint.sources.tables import named_files
from datalint.sources.tables.build import Member, table_dataset
from datalint.sources.tables.conversations import conversation_of
from datalint.sources.tables.croissant import labels_in
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.formats import look, suffixes, tables_of, unsure_suffixes
from datalint.sources.tables.labels import find_column, roles
from datalint.sources.tables.pairs import INPUTS, companions, paired
from datalint.sources.tables.partition_keys import KeyedFormat, is_key, keyed, keys_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from datalint.sources.tables.format import TableFile

FULL_HEADS, SHORT_HEAD = 3, 20
"""Of a series of shards the first few show what its columns hold; the values of a thousand would fill the memory."""

MAX_TEXTS, MIN_ROWS = 500, 20
"""More text files are documents, fewer rows a list of something; neither is a table of samples next to others."""

FEW = f"a list beside larger tables: fewer than {MIN_ROWS} rows, or a single column"

NO_ROWS = "holds column names and no rows"


class TableFolders:
    """The table data sets of a folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._columns: list[list[str]] | None = None
        self._columns_alone: set[tuple[str, ...]] = set()
        """Text files that may be a single column, by their place."""
        self.seen: list[TableFile] = []
        """All tables that were looked at."""

    @property
    def _declared(self) -> dict[str, str]:
        """The label columns that a Croissant file declares, by the name of their file."""
        return self.folder.once("croissant", lambda: labels_in(self.folder.entries))

    def entries(self) -> list[Entry]:
        """The files that are tables by their suffix, and the text files that turn out to be."""
        left = self.folder.left
        sure = [e for e in left if e.suffix in suffixes()]
        data = {e.parts for e in sure if e.suffix == ".data"}
        sure += [e for e in left if e.suffix == ".test" and (*e.folder, f"{e.name[:-5]}.data") in data]
        known = {e.parts for e in sure}
        texts = [e for e in left if e.suffix in TEXTS and e.parts not in known and not is_document(e.name)]
        # A text next to each picture holds its boxes or its caption.
        unsure = [e for e in left if e.suffix in unsure_suffixes()]
        pictures = {stem(e.name) for e in self.folder.entries if e.suffix in IMAGES} if texts or unsure else set()
        texts = [e for e in texts if stem(e.name) not in pictures]
        beside = self._beside(texts)
        if len(texts) <= MAX_TEXTS:
            beside += [e for e in texts if e not in beside and e.suffix and self._is_data(e)]
        beside += self._unsure(
            [e for e in unsure if stem(e.name) not in pictures], bool(pictures), bool(sure or beside)
        )
        # Other text files are looked into only where nothing else says that it is data.
        return sorted(sure + beside, key=lambda e: e.parts) if sure or beside else texts

    def _unsure(self, entries: list[Entry], pictures: bool, tables: bool) -> list[Entry]:
        """Those that are tables by what they hold; next to pictures or other tables they have to be more than notes."""
        if len(entries) > MAX_TEXTS:
            return []
        others = tables or any(e.suffix in files.ARRAYS for e in self.folder.entries)
        rows = MIN_ROWS if others or pictures else 2
        return [e for e in entries if self._is_data(e, rows, quantity=others)]

    def _beside(self, texts: list[Entry]) -> list[Entry]:
        """The text files whose names say that one holds the labels of another."""
        by_folder: dict[tuple[str, ...], list[Entry]] = {}
        for entry in texts:
            by_folder.setdefault(entry.folder, []).append(entry)
        found = []
        for inside in by_folder.values():
            names = companions([entry.name for entry in inside])
            found += [entry for entry in inside if entry.name in names]
        self._columns_alone = {entry.parts for entry in found}
        return found

    def _is_data(self, entry: Entry, rows: int = MIN_ROWS, quantity: bool = True) -> bool:
        """Whether a text file holds samples: rows enough, and a quantity; not a list of classes or names."""
        try:
            return any(_is_data(table, rows, quantity) for table in self._looked_at(entry))
        except NotJudged as error:
            self.folder.unread[entry.parts] = unread(entry, error)
            return False
        except NotATable:
            return False

    def _looked_at(self, entry: Entry) -> Sequence[TableFile]:
        """The tables of a file that may hold some, looked at once."""
        return self.folder.once(("look", entry.parts), lambda: _large(tables_of(entry.path, entry.shown, entry.name)))

    def datasets(self, entries: list[Entry], parts: tuple[str, ...]) -> list[Dataset]:
        """Data sets of the tables below a folder."""
        depth = len(parts)
        groups = dict(files.children(entries, depth))
        direct = [e for e in entries if len(e.parts) == depth + 1]
        found: list[Dataset] = []
        splits = split_folders(dict.fromkeys(groups, True))
        if splits:
            chosen = {splits[name]: inside for name, inside in groups.items() if name in splits}
            members = [
                Member(table, split, f"folder {_folder_of(groups, inside)!r}")
                for split, inside in chosen.items()
                for table in self._keyed(self._paired(self.look(inside)), depth + 1)
            ]
            for own, of_one in _kinds_of_files(members, self.folder.root.joinpath(*parts)):
                found += self.grouped(of_one, (*parts, *own), "one folder per split")
            for name, inside in groups.items():
                if name not in splits:
                    found += self.datasets(inside, (*parts, name))
        elif groups and all(map(is_key, groups)):
            tables = self._keyed([table for inside in groups.values() for table in self.look(inside)], depth)
            found += self.grouped([Member(table, WHOLE, "not split") for table in tables], parts, "partition folders")
        else:
            for name, inside in groups.items():
                found += self.datasets(inside, (*parts, name))
        return found + self._siblings(self.look(direct), parts)

    def _keyed(self, tables: list[TableFile], depth: int) -> list[TableFile]:
        """With the columns that the names of their folders, from some depth on, hold."""
        keys = [keys_in(self.folder.place_of(table.path)[depth:]) for table in tables]
        return keyed(list(zip(tables, keys, strict=True))) if any(keys) else tables

    def look(self, entries: list[Entry]) -> list[TableFile]:
        """Tables among files; what cannot be read becomes a problem."""
        tables = []
        alike: Counter[str] = Counter()
        firsts: dict[str, TableFile] = {}
        for entry in entries:
            try:
                series = re.sub(r"\d+", "#", entry.name)
                known = firsts.get(series) if alike[series] >= FULL_HEADS else None
                if entry.suffix in unsure_suffixes():
                    some = [replace(table, problems=[*table.problems]) for table in self._looked_at(entry)]
                else:
                    some = [look(entry.path, entry.shown, entry.name, known, column=entry.parts in self._columns_alone)]
                for table in some:
                    label = self._declared.get(entry.name)
                    table.declared = table.declared or ((label, ()) if label in table.kinds else None)
                    firsts.setdefault(series, table)
                    alike[series] += 1
                    if alike[series] > FULL_HEADS:
                        table.columns = tuple(replace(head, values=head.values[:SHORT_HEAD]) for head in table.columns)
                    if table.empty:
                        self.folder.unread[entry.parts] = Problem("not-scanned", table.shown, NO_ROWS)
                    else:
                        lost = named_files.absent(table, self.folder.pictures)
                        table.problems += [] if lost is None else [lost]
                        tables.append(table)
                        self.seen.append(table)
            except NotATable as error:
                if entry.suffix not in TEXTS:
                    self.folder.unread[entry.parts] = unread(entry, error)
        return tables

    def _siblings(self, tables: list[TableFile], parts: tuple[str, ...]) -> list[Dataset]:
        """Tables of one folder: splits and shards of one data set, or data sets of their own."""
        tables = self._paired(tables)
        found: list[Dataset] = []
        families: dict[str, list[TableFile]] = {}
        for table in tables:
            families.setdefault(vocabulary.family_of(table.name), []).append(table)
        _join_held_out(families)
        rest: list[TableFile] = []
        submissions = [table for table in tables if vocabulary.is_submission(table.name)]
        columns = tuple(dict.fromkeys(column for table in submissions for column in table.kinds))
        for several in families.values():
            family = self._of_one_format(several)
            splits = vocabulary.split_files([table.name for table in family])
            what = "table" if all(t.inside for t in family) else "file"
            members = [Member(t, splits[t.name], f"{what} name {t.name!r}") for t in family if t.name in splits]
            found += self.grouped(members, parts, f"one {what} per split", columns)
            rest += [t for t in family if t.name not in splits]
        if submissions and (found or self.folder.pictures.known):
            for table in submissions:
                note = "sample submission: holds predictions to fill in, not data"
                self.folder.unread[(*parts, table.name)] = Problem("not-scanned", table.shown, note)
            rest = [t for t in rest if t not in submissions]
        for group in _shards(rest):
            if len(group) == 1:
                dataset = single_table(group[0], self._label_if_present(group))
                dataset.name = self.folder.name((*parts, stem(group[0].name)))
                found.append(dataset)
            else:
                found += self.grouped([Member(t, WHOLE, "not split") for t in group], parts, "shards")
        return found

    def _of_one_format(self, family: list[TableFile]) -> list[TableFile]:
        """Without files that hold, by their names, what others hold in another format, such as ``.ts`` and ``.tsv``."""
        forms: dict[str, set[str]] = {}
        for table in family:
            forms.setdefault(table.format.title, set()).add(stem(table.name))
        best = next((t.format.title for t in family if t.declared), family[0].format.title)
        kept = []
        for table in family:
            if table.format.title != best and stem(table.name) in forms[best] and vocabulary.split_of(table.name):
                text = f"of the name of another file, which is read as {best}"
                self.folder.unread[(*self.folder.place_of(table.path), table.path.name)] = Problem(
                    "not-scanned", table.shown, text
                )
            else:
                kept.append(table)
        return kept

    def grouped(
        self, members: list[Member], parts: tuple[str, ...], how: str, submission: tuple[str, ...] = ()
    ) -> list[Dataset]:
        """One data set per group of members that have the same columns."""
        if not members:
            return []
        kind = members[0].file.format.title
        family = _family(members) if how in {"one file per split", "one table per split"} else ""
        dataset = table_dataset(
            self.folder.name((*parts, family) if family and parts else (family,) if family else parts),
            self.folder.path(parts),
            f"{kind}, {how}",
            f"{counted(len(members), 'table' if members[0].file.inside else 'file')}; the first: {_reading(members[0].file)}",
            members,
            self._label_if_present([m.file for m in members]).label,
            submission,
        )
        formats = [m.file.format for m in members]
        keys = [name for known in formats if isinstance(known, KeyedFormat) for name in known.keys]
        dataset.stored_by = tuple(dict.fromkeys(keys))
        dataset.by_class = dataset.label is not None and dataset.label.name in dataset.stored_by
        # A shard that is there but cannot be read is told by itself.
        names = [m.file.name for m in members] + [place[-1] for place in self.folder.unread]
        missing = vocabulary.missing_shards(names)
        for series, absent in missing.items():
            numbers = ", ".join(map(str, absent[:5])) + (", ..." if len(absent) > 5 else "")
            more = f"{len(absent):,} more shards" if len(absent) > 1 else "one more shard"
            message = f"the file names promise {more}: number {numbers}"
            dataset.problems.append(Problem("unreadable", f"{dataset.path}/{files.printable(series)}", message))
        return [dataset]

    def _paired(self, tables: list[TableFile]) -> list[TableFile]:
        """With the files of labels next to their inputs, folder by folder."""
        by_folder: dict[Path, list[TableFile]] = {}
        for table in tables:
            by_folder.setdefault(table.path.parent, []).append(table)
        return [t for inside in by_folder.values() for t in paired(inside, self.folder.wishes.label)]

    def _label_if_present(self, tables: list[TableFile]) -> Wishes:
        """In a folder of several data sets a label that the user named concerns those that have it."""
        wanted = self.folder.wishes.label
        if wanted is None or any(find_column(list(t.kinds), wanted) for t in tables) or not self._elsewhere(wanted):
            return Wishes(wanted)
        return Wishes()

    def _elsewhere(self, column: str) -> bool:
        if self._columns is None:
            self._columns = []
            for entry in self.entries():
                with contextlib.suppress(NotATable):
                    self._columns += [list(table.kinds) for table in tables_of(entry.path, entry.shown, entry.name)]
        return any(find_column(names, column) for names in self._columns)


def _large(tables: Sequence[TableFile]) -> Sequence[TableFile]:
    """The tables of one file without those that are lists of something next to larger ones."""
    large = [table for table in tables if _is_data(table, MIN_ROWS, quantity=False)]
    if not large:
        return tables
    for table in tables:
        if table not in large:
            large[0].problems.append(Problem("not-scanned", table.shown, FEW))
            # What is told of the file was told with its first table.
            large[0].problems += [problem for problem in table.problems if problem.path != table.shown]
    return large


def _is_data(table: TableFile, rows: int, quantity: bool) -> bool:
    if not table.columns or len(table.columns[0].values) < rows:
        return False
    if conversation_of(table.columns, table.dtypes, None)[0] is not None:
        return True  # turns are a whole sample in one column
    of = roles(table.columns)
    if len(of) < 2 and "text" not in of.values():
        return False
    return not quantity or any(role == "feature" and table.kinds[column] == "number" for column, role in of.items())


def single_table(table: TableFile, wishes: Wishes) -> Dataset:
    """The data set of one table without splits."""
    layout = f"{table.format.title} file"
    member = Member(table, WHOLE, "one file, not split")
    return table_dataset(
        files.printable(stem(table.name)), table.shown, layout, _reading(table), [member], wishes.label
    )


def _reading(table: TableFile) -> str:
    if table.dialect is None:
        return f"{table.format.title}, {counted(len(table.kinds), 'column')}"
    delimiter = table.dialect.delimiter
    sign = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", " ": "blank"}.get(delimiter, repr(delimiter))
    declared = "with declared names" if table.dialect.named else "without a header"
    header = "with a header" if table.dialect.header else declared
    return f"{sign}-separated {header}, {counted(len(table.kinds), 'column')}, {table.dialect.encoding}"


def is_document(name: str) -> bool:
    """Whether a file without a telling suffix is about the data or the code next to it, by its name."""
    return bool(
        re.match(r"(readme|licen[sc]e|copying|notice|changelog|authors|makefile|dockerfile|requirements)", name, re.I)
    )


def _folder_of(groups: dict[str, list[Entry]], inside: list[Entry]) -> str:
    return next(name for name, entries in groups.items() if entries is inside)


def _join_held_out(families: dict[str, list[TableFile]]) -> None:
    """Put further files of held-out splits with the only ``train``: ``dev_matched`` and ``dev_mismatched``, ``test_seen``.

    Their columns tell that they belong to it.
    """
    bare = families.get("", [])
    train = [table for table in bare if vocabulary.split_of(table.name) == vocabulary.TRAIN]
    for name, others in [*families.items()] if train else ():
        held_out = all(vocabulary.split_of(t.name) in {vocabulary.VALIDATION, vocabulary.TEST} for t in others)
        if name and held_out and all(t.kinds.keys() == train[0].kinds.keys() for t in others):
            bare += families.pop(name)


def _shards(tables: list[TableFile]) -> list[list[TableFile]]:
    """Tables with the same columns (and, without a header, names that differ in numbers alone) are shards of one data set."""
    groups: dict[tuple[object, ...], list[TableFile]] = {}
    for table in tables:
        masked = re.sub(r"\d+", "#", table.name)
        key = (table.format, tuple(table.kinds), "" if table.header and len(table.kinds) > 1 else masked)
        groups.setdefault(key, []).append(table)
    return list(groups.values())


def _family(members: list[Member]) -> str:
    """What the files of one data set are called, without the word that says which of its columns they hold."""
    words = vocabulary.family_of(members[0].file.name).split("_")
    return "_".join(w for w in words if w not in INPUTS) if any(m.file.beside for m in members) else "_".join(words)


def _kinds_of_files(members: list[Member], top: Path) -> list[tuple[tuple[str, ...], list[Member]]]:
    """The tables of split folders, as one data set or as several that each split holds.

    They are several where files of the same name, but for the split's, lie in every split and differ in their columns
    from those of other names: shards of one table have the same columns, or nearly so.
    """
    groups: dict[tuple[str, ...], list[Member]] = {}
    for member in members:
        below = member.file.path.parent.relative_to(top).parts[1:]
        groups.setdefault((*below, vocabulary.family_of(member.file.name)), []).append(member)
    splits = {member.split for member in members}
    shared = all({member.split for member in group} == splits for group in groups.values())
    if len(groups) == 1 or len(splits) == 1 or not shared:
        return [((), members)]
    kinds = [set(group[0].file.kinds) for group in groups.values()]
    alike = all(2 * len(kinds[0] & other) >= max(len(kinds[0]), len(other)) for other in kinds[1:])
    if alike and not any(member.file.beside for member in members):
        return [((), members)]
    main = [key for key, group in groups.items() if any(member.file.beside for member in group)]
    return [
        (() if key in main and len(main) == 1 else tuple(filter(None, key)), group) for key, group in groups.items()
    ]
