"""From a path to the data sets that lie there."""

from __future__ import annotations

import contextlib
import fnmatch
import re
import stat
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from datalint.dataset import Dataset, Label, Problem, Split, split_order
from datalint.errors import DatalintError
from datalint.sources import files, named_files, vocabulary
from datalint.sources.arrays import ArrayFile, NotAnArray, NotLookedInto, array_files
from datalint.sources.bundles import Bundle, array_dataset, bundle_of
from datalint.sources.dialect import NotATable
from datalint.sources.files import ARRAYS, IMAGES, PARQUET, TABLES, TEXTS, Entry
from datalint.sources.images import image_partitions
from datalint.sources.labels import ASKED, find_column
from datalint.sources.tables import Member, TableFile, look, table_dataset
from datalint.sources.unlike import among_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

WHOLE = "all"
"""Name of the only split of a data set that is not split."""

FLAT_FOLDERS = re.compile(r"(images?|imgs?|photos?|pictures?|pics?|data|jpegimages|raw|files|samples)", re.IGNORECASE)
"""Folder names that say what is inside rather than which class it is."""


CLASSLESS = "lies beside the class folders, so it has no class"

FULL_HEADS, SHORT_HEAD = 3, 20
"""Of a series of shards the first few show what its columns hold; the values of a thousand would fill the memory."""

NO_ROWS = "holds column names and no rows"

MAX_LOOSE = 20
"""Arrays of one folder, with names that say nothing, that are each a data set; more are samples in files of their own."""


@dataclass(frozen=True)
class Wishes:
    """What the user said about a data set instead of leaving it to be recognised."""

    label: str | None = None
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Glob patterns, below the scanned folder, of the files of each split."""
    folders: Mapping[Path, files.Listing] = field(default_factory=dict)
    """What lies below folders that were walked already."""


def recognise(path: Path, wishes: Wishes) -> list[Dataset]:
    """
    The data sets at a path.

    Raises:
        DatalintError: there is no such path, or nothing in it is a data set.
    """
    try:
        kind = path.stat().st_mode
    except FileNotFoundError as error:
        raise DatalintError(f"no such file or folder: {path}{_near(path)}") from error
    except (OSError, ValueError) as error:
        raise DatalintError(f"cannot read {path}: {files.reason(error)}") from error
    if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
        raise DatalintError(f"{path} is a pipe or device: save what it gives in a file and scan that")
    found = _Folder(path, wishes).datasets() if stat.S_ISDIR(kind) else _one_file(path, wishes)
    if wishes.label is not None and all(d.label is None or d.label.evidence != ASKED for d in found):
        raise DatalintError(f"--label {wishes.label}: none of the data sets in {path} has a label column to choose")
    return found


def recognise_files(paths: Sequence[str | Path]) -> list[Dataset]:
    """
    Changed files, each by itself: tables and arrays as data sets, all images together as one without labels.

    Files that are no data of a known kind pass; broken ones become problems of the data set "changed files".
    """
    found: list[Dataset] = []
    images: list[Entry] = []
    problems: list[Problem] = []
    for item in paths:
        path = Path(item)
        if not path.is_file():
            continue  # deleted since
        entry = Entry(str(path), path.parts, 0)
        try:
            if entry.suffix in IMAGES:
                images.append(entry)
            elif entry.suffix in ARRAYS:
                found.append(_single_array(entry))
            elif entry.suffix in TABLES | PARQUET:
                table = look(path, entry.shown, path.name)
                if table.empty:
                    problems.append(Problem("not-scanned", table.shown, NO_ROWS))
                else:
                    found.append(_single_table(table, Wishes()))
        except (NotAnArray, NotATable) as error:
            problems.append(_unread(entry, error))
    if images or problems:
        why = f"{len(images):,} image files"
        split = (Split(WHOLE, "not split"),)
        partitions = image_partitions(WHOLE, images, None)
        alone = "files are looked at one by one, so there are no labels"
        found.append(
            Dataset(
                "changed files",
                ".",
                "changed files",
                "images",
                why,
                partitions,
                split,
                None,
                (),
                problems,
                False,
                alone,
            )
        )
    return found


def _near(path: Path) -> str:
    import difflib

    try:
        siblings = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        siblings = []
    near = difflib.get_close_matches(path.name, siblings, 1)
    return f"; did you mean {path.parent / near[0]}?" if near else ""


def _one_file(path: Path, wishes: Wishes) -> list[Dataset]:
    entry = Entry(str(path), (path.name,), 0)
    if wishes.splits:
        raise DatalintError("--split chooses among the files of a folder; scan the folder instead")
    if entry.suffix in IMAGES:
        raise DatalintError(f"{path} is one image: scan the folder that holds the data set")
    if entry.suffix in ARRAYS:
        try:
            return [_single_array(entry)]
        except NotAnArray as error:
            raise DatalintError(f"{path} cannot be read: {error}") from error
    try:
        table = look(path, entry.shown, path.name)
    except NotATable as error:
        hint = "give a CSV, TSV, Parquet, .npy or .npz file, or a folder"
        raise DatalintError(f"{path} is no data set that can be read: {error}; {hint}") from error
    if table.empty:
        raise DatalintError(f"{path} {NO_ROWS}")
    return [_single_table(table, wishes)]


def _single_array(entry: Entry) -> Dataset:
    return array_dataset(files.printable(_stem(entry.name)), entry.shown, bundle_of(array_files(entry.path)))


def _unread(entry: Entry, error: Exception) -> Problem:
    if isinstance(error, NotLookedInto):
        return Problem("not-scanned", entry.shown, str(error))
    return Problem("pointer" if files.is_pointer(_peek(entry.path)) else "unreadable", entry.shown, str(error))


def _stem(name: str) -> str:
    return re.sub(r"(\.[A-Za-z0-9]+){1,2}$", "", name) or name


def _single_table(table: TableFile, wishes: Wishes) -> Dataset:
    layout = "Parquet file" if table.format == "parquet" else "delimited text file"
    member = Member(table, WHOLE, "one file, not split")
    return table_dataset(
        files.printable(_stem(table.name)), table.shown, layout, _reading(table), [member], wishes.label
    )


def _reading(table: TableFile) -> str:
    if table.dialect is None:
        return f"Parquet, {len(table.kinds)} columns"
    sign = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", " ": "blank"}[table.dialect.delimiter]
    declared = "with declared names" if table.dialect.named else "without a header"
    header = "with a header" if table.dialect.header else declared
    return f"{sign}-separated {header}, {len(table.kinds)} columns, {table.dialect.encoding}"


class _Folder:
    """The data sets below one folder."""

    def __init__(self, root: Path, wishes: Wishes) -> None:
        self.root = root
        self.wishes = wishes
        listing = wishes.folders.get(root) or files.walk(root)
        self.problems = listing.problems
        self.unread: dict[tuple[str, ...], Problem] = {}
        """Files that look like data and are not, by their place."""
        self.entries = listing.entries
        self.empty = listing.empty
        self._columns: list[list[str]] | None = None

    @cached_property
    def pictures(self) -> named_files.Places:
        """The pictures that tables may name."""
        return named_files.Places(self.entries)

    def datasets(self) -> list[Dataset]:
        """All of them; a DatalintError if there is none."""
        if self.wishes.splits:
            found = self._wished()
        else:
            found = self._images([e for e in self.entries if e.suffix in IMAGES], ())
            found += self._arrays([e for e in self.entries if e.suffix in ARRAYS])
            found += self._tables(self._table_entries(), ())
        if not found:
            raise DatalintError(self._nothing())
        self._hand_out_problems(found)
        return found

    def _nothing(self) -> str:
        if self.unread:
            first = next(iter(self.unread.values()))
            more = f" (and {len(self.unread) - 1:,} more)" if len(self.unread) > 1 else ""
            return f"nothing in {self.root} can be scanned: {first.path}: {first.message}{more}"
        if self.problems and not self.entries:
            first = self.problems[0]
            return f"nothing in {self.root} can be read: {first.path}: {first.message}; scan the folder where the files lie"
        if not self.entries:
            return f"{self.root} holds no files; scan a folder of tables (CSV, Parquet), class folders of images or NumPy arrays"
        suffixes = sorted({e.suffix or e.name for e in self.entries})[:5]
        return (
            f"no data set recognised in {self.root} (its files: {', '.join(suffixes)}); datalint reads CSV, TSV and Parquet "
            "tables, class folders of images, and .npy and .npz arrays"
        )

    def _hand_out_problems(self, found: list[Dataset]) -> None:
        # A file that belongs to no data set is told with the one that lies nearest.
        for problem in [*self.unread.values(), *self.problems]:
            place = problem.path
            nearest = max(found, key=lambda dataset: _shared(dataset.path, place))
            nearest.problems.append(problem)

    def _name(self, parts: tuple[str, ...]) -> str:
        return files.printable("/".join(parts) if parts else (self.root.resolve().name or "data"))

    def _path(self, parts: tuple[str, ...]) -> str:
        return files.printable(self.root.joinpath(*parts).as_posix())

    # --- images -----------------------------------------------------------------------------------------------

    def _images(self, entries: list[Entry], parts: tuple[str, ...]) -> list[Dataset]:
        """The image data sets at and below one folder."""
        if not entries:
            return []
        depth = len(parts)
        groups = dict(files.children(entries, depth))
        direct = [e for e in entries if len(e.parts) == depth + 1]
        few = max(5, len(entries) // 10)
        splits = _split_folders(
            {name: all(len(e.parts) > depth + 2 for e in inside) for name, inside in groups.items()}
        )
        if splits and len(direct) <= few:
            others = {name: inside for name, inside in groups.items() if name not in splits}
            dataset = self._split_images(groups, splits, parts)
            dataset.problems += _strays(direct, "lies beside the split folders, so it belongs to none")
            return [dataset, *(d for name, inside in others.items() for d in self._images(inside, (*parts, name)))]
        if len(groups) == 1 and not direct:
            only, inside = next(iter(groups.items()))
            if all(len(e.parts) > depth + 2 for e in inside) or FLAT_FOLDERS.fullmatch(only):
                return self._images(inside, (*parts, only))
        if not groups:
            return [self._flat_images(direct, parts)]
        leaves = [name for name, inside in groups.items() if any(len(e.parts) == depth + 2 for e in inside)]
        nested = [name for name in groups if name not in leaves]
        if nested and (not leaves or self._are_datasets(groups, nested, depth)):
            found = [dataset for name in nested for dataset in self._images(groups[name], (*parts, name))]
            rest = [e for name in leaves for e in groups[name]]
            return found + (self._images(rest + direct, parts) if rest or direct else [])
        if len(direct) > few:
            return [self._flat_images(entries, parts)]
        return [self._class_images(groups, direct, parts)]

    def _are_datasets(self, groups: dict[str, list[Entry]], nested: list[str], depth: int) -> bool:
        """Whether folders without images of their own are data sets rather than classes."""
        return all(vocabulary.split_folders(list(dict(files.children(groups[name], depth + 1)))) for name in nested)

    def _split_images(self, groups: dict[str, list[Entry]], splits: dict[str, str], parts: tuple[str, ...]) -> Dataset:
        depth = len(parts) + 1
        by_split: dict[str, list[Entry]] = {}
        why: dict[str, str] = {}
        for folder, inside in groups.items():
            if folder in splits:
                by_split.setdefault(splits[folder], []).extend(inside)
                why.setdefault(splits[folder], f"folder {folder!r}")
        deep = sum(len(e.parts) > depth + 1 for inside in by_split.values() for e in inside)
        total = sum(len(inside) for inside in by_split.values())
        classes = deep > total // 2
        return self._image_dataset(by_split, why, depth if classes else None, parts, "split folders")

    def _class_images(self, groups: dict[str, list[Entry]], stray: list[Entry], parts: tuple[str, ...]) -> Dataset:
        entries = [e for inside in groups.values() for e in inside]
        dataset = self._image_dataset({WHOLE: entries}, {WHOLE: "not split"}, len(parts), parts, "class folders")
        dataset.problems += _strays(stray, CLASSLESS)
        dataset.problems += [
            Problem(
                "not-scanned",
                self._path(empty),
                "a class folder without files, at which torchvision's ImageFolder stops",
            )
            for empty in self.empty
            if empty[:-1] == parts
        ]
        return dataset

    def _flat_images(self, entries: list[Entry], parts: tuple[str, ...]) -> Dataset:
        dataset = self._image_dataset({WHOLE: entries}, {WHOLE: "not split"}, None, parts, "a folder of images")
        dataset.skipped_label = "the images lie in no class folders, so there are no labels"
        return dataset

    def _image_dataset(
        self,
        by_split: dict[str, list[Entry]],
        why: dict[str, str],
        class_depth: int | None,
        parts: tuple[str, ...],
        layout: str,
    ) -> Dataset:
        partitions = []
        names: set[str] = set()
        strays: list[Problem] = []
        for split in sorted(by_split, key=split_order):
            entries = sorted(by_split[split], key=lambda e: e.parts)
            classes: list[str] | None = None
            if class_depth is not None:
                classless = [e for e in entries if len(e.parts) <= class_depth + 1]
                strays += _strays(classless, CLASSLESS)
                entries = [e for e in entries if len(e.parts) > class_depth + 1]
                # Class first: the same class may lie in two folders of one split (train, train_extra).
                entries.sort(key=lambda e: (e.parts[class_depth], e.parts))
                classes = [files.printable(e.parts[class_depth]) for e in entries]
                names |= set(classes)
            partitions += image_partitions(split, entries, classes)
        if names:
            strays += among_images(self.entries, [e for entries in by_split.values() for e in entries])
        label = None
        if names:
            shown = ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "")
            label = Label("class folder", f"{len(names)} folders: {shown}", "high")
            layout = "image class folders" + (" in split folders" if len(by_split) > 1 or WHOLE not in by_split else "")
        return Dataset(
            name=self._name(parts),
            path=self._path(parts),
            layout=layout,
            modality="images",
            evidence=f"{sum(len(p.files) for p in partitions):,} image files",
            partitions=partitions,
            splits=tuple(Split(s, why[s]) for s in sorted(by_split, key=split_order)),
            label=label,
            problems=strays,
            by_class=bool(names),
            skipped_label="the images lie in no class folders, so there are no labels",
        )

    # --- arrays -----------------------------------------------------------------------------------------------

    def _arrays(self, entries: list[Entry]) -> list[Dataset]:
        """Every .npz is a data set; the .npy files of one folder are one together."""
        found: list[Dataset] = []
        loose: dict[tuple[str, ...], list[Entry]] = {}
        for entry in entries:
            if entry.suffix == ".npz":
                parts = (*entry.folder, _stem(entry.name))
                found += self._array_dataset(parts, [entry], lambda arrays: [bundle_of(arrays)])
            else:
                loose.setdefault(entry.folder, []).append(entry)
        for folder, inside in _joined_folders(loose).items():
            found += self._array_dataset(folder, inside, _bundles)
        return found

    def _array_dataset(
        self, parts: tuple[str, ...], entries: list[Entry], bundles: Callable[[list[ArrayFile]], list[Bundle]]
    ) -> list[Dataset]:
        arrays: list[ArrayFile] = []
        for entry in entries:
            try:
                arrays += array_files(entry.path)
            except NotAnArray as error:
                self.unread[entry.parts] = _unread(entry, error)
        place = entries[0].shown if len(entries) == 1 else self._path(parts)
        found = []
        related = bundles(arrays) if arrays or entries[0].parts not in self.unread else []
        for bundle in related:
            own = parts if len(related) == 1 else (*parts, bundle.first.name)
            try:
                found.append(array_dataset(self._name(own), place, bundle))
            except NotLookedInto as error:
                self.unread[own] = Problem("not-scanned", place, str(error))
        return found

    # --- tables -----------------------------------------------------------------------------------------------

    def _table_entries(self) -> list[Entry]:
        sure = [e for e in self.entries if e.suffix in TABLES | PARQUET]
        if sure:
            return sure
        # Text files are looked into only where nothing else says that it is data.
        return [e for e in self.entries if e.suffix in TEXTS and not _is_prose(e.name)]

    def _tables(self, entries: list[Entry], parts: tuple[str, ...]) -> list[Dataset]:
        depth = len(parts)
        groups = dict(files.children(entries, depth))
        direct = [e for e in entries if len(e.parts) == depth + 1]
        found: list[Dataset] = []
        splits = _split_folders(dict.fromkeys(groups, True))
        if splits:
            chosen = {splits[name]: inside for name, inside in groups.items() if name in splits}
            members = [
                Member(table, split, f"folder {_folder_of(groups, inside)!r}")
                for split, inside in chosen.items()
                for table in self._look(inside)
            ]
            found += self._grouped(members, parts, "one folder per split")
            for name, inside in groups.items():
                if name not in splits:
                    found += self._tables(inside, (*parts, name))
        elif groups and all("=" in name for name in groups):
            members = [Member(t, WHOLE, "not split") for inside in groups.values() for t in self._look(inside)]
            found += self._grouped(members, parts, "partition folders")
        else:
            for name, inside in groups.items():
                found += self._tables(inside, (*parts, name))
        return found + self._siblings(self._look(direct), parts)

    def _look(self, entries: list[Entry]) -> list[TableFile]:
        tables = []
        alike: Counter[str] = Counter()
        firsts: dict[str, TableFile] = {}
        for entry in entries:
            try:
                series = re.sub(r"\d+", "#", entry.name)
                known = firsts.get(series) if alike[series] >= FULL_HEADS else None
                table = look(entry.path, entry.shown, entry.name, known)
                firsts.setdefault(series, table)
                alike[series] += 1
                if alike[series] > FULL_HEADS:
                    table.columns = tuple(replace(head, values=head.values[:SHORT_HEAD]) for head in table.columns)
                if table.empty:
                    self.unread[entry.parts] = Problem("not-scanned", table.shown, NO_ROWS)
                else:
                    lost = named_files.absent(table, self.pictures)
                    table.problems += [] if lost is None else [lost]
                    tables.append(table)
            except NotATable as error:
                if entry.suffix not in TEXTS:
                    self.unread[entry.parts] = _unread(entry, error)
        return tables

    def _siblings(self, tables: list[TableFile], parts: tuple[str, ...]) -> list[Dataset]:
        """Tables of one folder: splits and shards of one data set, or data sets of their own."""
        found: list[Dataset] = []
        families: dict[str, list[TableFile]] = {}
        for table in tables:
            families.setdefault(vocabulary.family_of(table.name), []).append(table)
        rest: list[TableFile] = []
        submissions = [table for table in tables if vocabulary.is_submission(table.name)]
        columns = tuple(dict.fromkeys(column for table in submissions for column in list(table.kinds)[1:]))
        for family in families.values():
            splits = vocabulary.split_files([table.name for table in family])
            members = [Member(t, splits[t.name], f"file name {t.name!r}") for t in family if t.name in splits]
            found += self._grouped(members, parts, "one file per split", columns)
            rest += [t for t in family if t.name not in splits]
        if found and submissions:
            for table in submissions:
                note = "sample submission: holds predictions to fill in, not data"
                self.unread[(*parts, table.name)] = Problem("not-scanned", table.shown, note)
            rest = [t for t in rest if t not in submissions]
        for group in _shards(rest):
            if len(group) == 1:
                dataset = _single_table(group[0], self._label_if_present(group))
                dataset.name = self._name((*parts, _stem(group[0].name)))
                found.append(dataset)
            else:
                found += self._grouped([Member(t, WHOLE, "not split") for t in group], parts, "shards")
        return found

    def _grouped(
        self, members: list[Member], parts: tuple[str, ...], how: str, submission: tuple[str, ...] = ()
    ) -> list[Dataset]:
        if not members:
            return []
        kind = "Parquet" if members[0].file.format == "parquet" else "delimited text"
        family = vocabulary.family_of(members[0].file.name) if how == "one file per split" else ""
        dataset = table_dataset(
            self._name((*parts, family) if family and parts else (family,) if family else parts),
            self._path(parts),
            f"{kind}, {how}",
            f"{len(members)} files; the first: {_reading(members[0].file)}",
            members,
            self._label_if_present([m.file for m in members]).label,
            submission,
        )
        # A shard that is there but cannot be read is told by itself.
        names = [m.file.name for m in members] + [place[-1] for place in self.unread]
        missing = vocabulary.missing_shards(names)
        for series, absent in missing.items():
            numbers = ", ".join(map(str, absent[:5])) + (", ..." if len(absent) > 5 else "")
            more = f"{len(absent):,} more shards" if len(absent) > 1 else "one more shard"
            message = f"the file names promise {more}: number {numbers}"
            dataset.problems.append(Problem("unreadable", f"{dataset.path}/{files.printable(series)}", message))
        return [dataset]

    def _label_if_present(self, tables: list[TableFile]) -> Wishes:
        """In a folder of several data sets a label that the user named concerns those that have it."""
        wanted = self.wishes.label
        if wanted is None or any(find_column(list(t.kinds), wanted) for t in tables) or not self._elsewhere(wanted):
            return Wishes(wanted)
        return Wishes()

    def _elsewhere(self, column: str) -> bool:
        if self._columns is None:
            self._columns = []
            for entry in self._table_entries():
                with contextlib.suppress(NotATable):
                    self._columns.append(list(look(entry.path, entry.shown, entry.name).kinds))
        return any(find_column(names, column) for names in self._columns)

    # --- what the user wished ---------------------------------------------------------------------------------

    def _wished(self) -> list[Dataset]:
        chosen: dict[str, list[Entry]] = {}
        why: dict[str, str] = {}
        for split, patterns in self.wishes.splits.items():
            hits = [e for e in self.entries if any(_matches(e, pattern) for pattern in patterns)]
            if not hits:
                raise DatalintError(f"--split {split}={','.join(patterns)}: no file below {self.root} matches")
            chosen[split] = hits
            why[split] = f"--split {split}={','.join(patterns)}"
        seen: set[Entry] = set()
        for split, hits in chosen.items():
            twice = seen.intersection(hits)
            if twice:
                raise DatalintError(f"--split {split}: {min(twice, key=lambda e: e.parts).shown} is in two splits")
            seen |= set(hits)
        images = {split: [e for e in hits if e.suffix in IMAGES] for split, hits in chosen.items()}
        if any(images.values()):
            # Where the splits lie is up to the user, so the class is the folder that holds the file.
            depth = {len(e.parts) - 2 for hits in images.values() for e in hits}
            level = depth.pop() if len(depth) == 1 else None
            return [self._image_dataset(images, why, level if level is None or level >= 0 else None, (), "images")]
        members = [Member(table, split, why[split]) for split, hits in chosen.items() for table in self._look(hits)]
        return self._grouped(members, (), "one file per split")


def _split_folders(groups: Mapping[str, bool]) -> dict[str, str] | None:
    """
    Splits of sibling folders, or None.

    Beside a train folder and that of another split there may be folders of other things; they are no classes if, as the
    second entry of each item says, no file lies directly in the folders that are named by a split.
    """
    whole = vocabulary.split_folders(list(groups))
    if whole:
        return whole
    named = [name for name in groups if vocabulary.split_of(name)]
    found = vocabulary.split_folders(named) if all(groups[name] for name in named) else None
    return found if found and len(set(found.values())) > 1 else None


def _joined_folders(loose: dict[tuple[str, ...], list[Entry]]) -> dict[tuple[str, ...], list[Entry]]:
    """The .npy files by folder; those in sibling folders that are splits belong together."""
    parents: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for folder in loose:
        parents.setdefault(folder[:-1], []).append(folder)
    joined = dict(loose)
    for parent, folders in parents.items():
        if len(folders) > 1 and vocabulary.split_folders([folder[-1] for folder in folders if folder]):
            joined[parent] = joined.get(parent, []) + [entry for folder in folders for entry in joined.pop(folder)]
    return joined


def _bundles(arrays: list[ArrayFile]) -> list[Bundle]:
    """The arrays of one folder: one data set, or as many as there are arrays."""
    bundle = bundle_of(arrays)
    return [bundle] if bundle.related or len(arrays) > MAX_LOOSE else [Bundle.alone(array) for array in arrays]


def _strays(entries: Iterable[Entry], why: str) -> list[Problem]:
    return [Problem("not-scanned", entry.shown, why) for entry in entries]


def _matches(entry: Entry, pattern: str) -> bool:
    below = "/".join(entry.parts)
    plain = pattern.removeprefix("./").rstrip("/")
    return fnmatch.fnmatch(below, plain) or fnmatch.fnmatch(entry.name, plain) or below.startswith(plain + "/")


def _peek(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1024)
    except OSError:
        return b""


def _is_prose(name: str) -> bool:
    return bool(
        re.match(r"(readme|licen[sc]e|copying|notice|changelog|authors|makefile|dockerfile|requirements)", name, re.I)
    )


def _folder_of(groups: dict[str, list[Entry]], inside: list[Entry]) -> str:
    return next(name for name, entries in groups.items() if entries is inside)


def _shared(a: str, b: str) -> int:
    count = 0
    for x, y in zip(Path(a).parts, Path(b).parts, strict=False):
        if x != y:
            break
        count += 1
    return count


def _shards(tables: list[TableFile]) -> list[list[TableFile]]:
    """Tables with the same columns (and, without a header, names alike but for numbers) are shards of one data set."""
    groups: dict[tuple[object, ...], list[TableFile]] = {}
    for table in tables:
        masked = re.sub(r"\d+", "#", table.name)
        key = (table.format, tuple(table.kinds), "" if table.header and len(table.kinds) > 1 else masked)
        groups.setdefault(key, []).append(table)
    return list(groups.values())
