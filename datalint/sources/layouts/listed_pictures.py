"""Pictures whose labels stand in a table: ``train.csv`` beside ``train/0001.jpg``, ``metadata.csv`` of an image folder."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Label, LabelBlock, Problem, Split, split_order
from datalint.core.dialogues import TURNS
from datalint.core.vocabulary import WHOLE
from datalint.sources import files
from datalint.sources.images.files import ImagePartition, image_partitions
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import picture_dataset, pictures_of
from datalint.sources.layouts.tables import table_folders
from datalint.sources.tables.convert import number_classes
from datalint.sources.tables.labels import LabelNotFound, choose_label, find_split_column, roles
from datalint.sources.tables.named_files import name_column, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.format import TableFile
    from datalint.sources.tables.labels import ColumnHead, LabelChoice


ABOUT_THE_FILE = re.compile(
    r"(im(g|age)|pic(ture)?|photo|file|original|orig)?[-_ ]?"
    r"(w|h|width|height|rows|cols|columns|channels|size|file[-_ ]?size|bytes|format|mode|ext(ension)?|md5|sha1|sha256|crc32|url|license)"
    r"|((roi|b?box)[-._ ]?)?([xy][-_ ]?[012]|[xy][-_ ]?(min|max)|[wh]|width|height)",
    re.IGNORECASE,
)
"""Names of columns that say of a picture what its file says itself, or where in it something lies."""


DESCRIPTION = re.compile(r"metadata\.(csv|jsonl|parquet)")
"""Names of lists as ImageFolder of Hugging Face reads them."""

FILE_NAME = re.compile(r"(.+_)?file_name")
"""Names of their columns of files."""


@dataclass(frozen=True)
class ListedImages(ImagePartition):
    """Image files in the order of a table that holds their labels; an empty class is a missing one."""

    numeric: bool = False
    """Whether the labels are numbers."""

    def _labels(self, start: int, size: int) -> LabelBlock | None:
        if self.classes is None:
            return None
        mine = self.classes[start : start + size]
        if self.numeric:
            return number_classes(np.array([_number(text) for text in mine]))
        names = sorted({name for name in mine if name})
        at = {name: k for k, name in enumerate(names)} | {"": -1}
        return LabelBlock(np.array([at[name] for name in mine], np.int32), names)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


@dataclass
class _List:
    """A table whose rows name pictures."""

    table: TableFile
    column: str
    choice: LabelChoice | None
    rows: list[tuple[Entry, str, str | None]]
    """Picture, label and split of each row."""
    why: str
    """Where the splits of the rows come from."""
    described: bool = False
    """Whether it is a list that ImageFolder reads, which holds nothing but what is known of the pictures."""
    problems: tuple[Problem, ...] = ()


class ListedPictures(Layout):
    """Pictures whose labels stand in a table.

    A table counts that names at least half of a data set's pictures (or of one of its splits), each once or nearly so:
    a list of the objects in pictures names them many times.
    """

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The pictures with the tables that do no more than list them."""
        pictures = pictures_of(folder)
        tables = table_folders(folder) if pictures else None
        sets = tables.sets if tables else []
        if tables is None or not sets:
            return
        lists = [one for table in tables.seen if (one := _list(folder, table)) is not None]
        for found in pictures if lists else []:
            dataset = picture_dataset(folder, found)
            mine, own = _of(dataset, lists)
            labelled, unlisted = _labelled(folder, dataset, mine, own) if mine else (None, [])
            described = [one for one in mine if one.described]
            if labelled is None and not described and not (dataset.by_class and any(one.choice for one in mine)):
                continue
            dataset = labelled or dataset
            if described and labelled is None:
                dataset.evidence += f", described in {described[0].table.name!r}, whose texts are not looked at"
            dataset.problems += [problem for one in mine for problem in one.problems]
            used = {str(one.table.path.absolute()): one.choice.name if one.choice else "" for one in mine}
            told = {str(one.table.path.absolute()) for one in described}
            moot = [item for item in sets if _lists_only(item[0], used) or _describes_only(item[0], told)]
            sets = [item for item in sets if item not in moot]
            dataset.problems += [problem for table, _ in moot for problem in table.problems]
            files = [*found.entries, *found.strays, *(entry for _, entries in moot for entry in entries)]
            yield Claim(files, Basis.STRUCTURE, dataset.evidence, dataset, [*found.left_out, *unlisted])


def _lists_only(table: Dataset, used: Mapping[str, str]) -> bool:
    """Whether a data set of tables merely lists pictures with their labels, of which each table has its column."""
    mine = _read_of(table) & used.keys()
    labels = {used[name] for name in mine}
    inputs = any(
        column.role in {"feature", "text", "time"}
        and column.name not in labels
        and not ABOUT_THE_FILE.fullmatch(column.name)
        for column in table.fields
    )
    return not inputs and bool(mine)


def _describes_only(table: Dataset, used: set[str]) -> bool:
    """Whether a data set of tables holds nothing but texts about the pictures."""
    numbers = [column.name for column in table.fields if column.role == "feature" and column.kind == "number"]
    quantities = not all(map(ABOUT_THE_FILE.fullmatch, numbers))
    return not quantities and _read_of(table) <= used


def _read_of(table: Dataset) -> set[str]:
    return {name for part in table.partitions for name in part.files_read}


def _list(folder: Folder, table: TableFile) -> _List | None:
    """The table as a list of pictures; None if it is something else."""
    described = [name for name in table.kinds if FILE_NAME.fullmatch(name)]
    described = described if DESCRIPTION.fullmatch(table.path.name.lower()) else []
    column = None if vocabulary.is_submission(table.name) else name_column(table, folder.pictures)
    column = column or next(iter(described), None)
    if column is None:
        return None
    others = [head for head in table.columns if head.name != column and table.dtypes.get(head.name) != TURNS]
    by_role = roles(others)
    split_column, splits = find_split_column(others, by_role)
    features = [head for head in others if by_role[head.name] == "feature"]
    try:
        choice = choose_label(others, header=True, explicit=folder.wishes.label) if others else None
    except LabelNotFound:
        choice = None
    if choice is None and len(features) == 1 and _is_target(features[0]):
        choice = choose_label(features, header=True, explicit=features[0].name)
        choice = choice and replace(choice, evidence=f"the only column beside {column!r}", confidence="medium")
    wanted = [column, choice.name if choice else column, split_column or column]
    home, own = folder.place_of(table.path), vocabulary.split_of(table.name)
    rows = []
    astray: list[tuple[str, Entry]] = []
    for name, label, split in rows_of(table, wanted):
        entry = folder.pictures.entry(name, home, own)
        if entry is None and column in described:
            entry = folder.pictures.entry(name.rpartition("/")[2], home, own)
        if entry is not None:
            if column in described and _leads_astray(name, entry, home, table.path.suffix.lower()):
                astray.append((name, entry))
            rows.append((entry, label.strip() if choice else "", splits.get(split.strip()) if split_column else own))
    names = Counter(entry.parts for entry, _, _ in rows)
    if not rows or len(names) < 0.95 * len(rows):
        return None
    why = f"values of the column {split_column!r}" if split_column else f"table {table.name!r}"
    problems = []
    if astray:
        name, entry = astray[0]
        there = "/".join(entry.parts[len(home) :]) if entry.folder[: len(home)] == home else "elsewhere"
        text = (
            f"names {len(astray):,} of {len(rows):,} pictures in {column!r} where ImageFolder does not find them: {name!r} is "
            f"meant from the folder of the list, where it is {there!r}"
        )
        problems.append(Problem("absent", table.shown, files.printable(text)))
    return _List(table, column, choice, rows, why, column in described, tuple(problems))


def _is_target(head: ColumnHead) -> bool:
    """Whether the only thing that a list says of its pictures is what is to be learned of them."""
    quantity = head.kind == "number" and not ABOUT_THE_FILE.fullmatch(head.name)
    return quantity or 2 * len(head.facts.counts) <= head.facts.present


def _leads_astray(name: str, entry: Entry, home: tuple[str, ...], suffix: str) -> bool:
    """Whether a picture lies elsewhere than its name says, which is meant from the folder of the list.

    A bare name in a ``metadata.csv`` may be meant from a folder of pictures: others than ImageFolder read such lists too.
    """
    meant = os.path.normpath("/".join([*home, name.strip()]))
    return meant != "/".join(entry.parts) and (suffix != ".csv" or "/" in name or entry.folder == home)


def _of(dataset: Dataset, lists: Sequence[_List]) -> tuple[list[_List], dict[str, str]]:
    """The lists that name pictures of this data set, and the split of each of its pictures by path."""
    own = {
        name: partition.split
        for partition in dataset.partitions
        if isinstance(partition, ImagePartition)
        for name in partition.files
    }
    sizes = Counter(own.values())
    mine = []
    named: Counter[str] = Counter()
    for one in lists:
        hits = Counter(own[_path(entry)] for entry, _, _ in one.rows if _path(entry) in own)
        if hits:
            mine.append(one)
            named += hits
    enough = 2 * named.total() >= len(own) or any(2 * named[split] >= size for split, size in sizes.items())
    return (mine if enough else []), own


def _path(entry: Entry) -> str:
    return entry.path.as_posix()


def _labelled(
    folder: Folder, dataset: Dataset, lists: list[_List], own: dict[str, str]
) -> tuple[Dataset | None, list[Entry]]:
    """The data set as its lists describe it, and the pictures that they do not list.

    There is none where they hold no label, or the one that the folders tell.
    """
    first = next((one for one in lists if one.choice is not None), None)
    if first is None or first.choice is None or (dataset.by_class and _same_as_folders(dataset, lists, own)):
        return None, []
    by_split: dict[str, list[tuple[Entry, str]]] = {}
    why: dict[str, str] = {}
    for one in lists:
        for entry, label, split in one.rows:
            if _path(entry) not in own:
                continue
            folders = own[_path(entry)]
            place = split or folders
            by_split.setdefault(place, []).append((entry, label if one.choice is not None else ""))
            why.setdefault(place, one.why if split else _why(dataset, folders))
    listed = {_path(entry) for rows in by_split.values() for entry, _ in rows}
    unlisted: list[Entry] = []
    by_path = {_path(entry): entry for entry in folder.entries}
    for name, split in own.items():
        if name in listed or name not in by_path:
            continue
        # A split without a list has no labels; elsewhere a picture that is not listed is not read.
        if any(own.get(path) == split for path in listed):
            unlisted.append(by_path[name])
        else:
            by_split.setdefault(split, []).append((by_path[name], ""))
            why.setdefault(split, _why(dataset, split))
    numeric = first.table.kinds[first.choice.name] == "number"
    splits = sorted(by_split, key=split_order)
    partitions = [part for split in splits for part in _partitions(split, by_split[split], numeric)]
    problems = [problem for problem in dataset.problems if problem.kind != "stray"]
    if unlisted:
        count = (
            f"{len(unlisted):,} images that no table lists" if len(unlisted) > 1 else "one image that no table lists"
        )
        problems.append(Problem("not-scanned", unlisted[0].shown, f"{count} are left out, this the first"))
    tables = ", ".join(dict.fromkeys(repr(one.table.name) for one in lists))
    labelled = replace(
        dataset,
        layout="images listed in a table",
        evidence=f"{sum(map(len, by_split.values())):,} image files, named in {tables}, column {first.column!r}",
        partitions=partitions,
        splits=tuple(Split(split, why[split]) for split in splits),
        label=Label(first.choice.name, f"{first.choice.evidence}, in {first.table.name}", first.choice.confidence),
        problems=problems,
        by_class=False,
    )
    return labelled, unlisted


def _why(dataset: Dataset, split: str) -> str:
    return next((s.evidence for s in dataset.splits if s.name == split), "not split") if split != WHOLE else "not split"


def _same_as_folders(dataset: Dataset, lists: Sequence[_List], own: Mapping[str, str]) -> bool:
    """Whether the tables tell the class folders again, in the same words or others, and nothing of other pictures."""
    folders = {
        name: class_
        for part in dataset.partitions
        if isinstance(part, ImagePartition)
        for name, class_ in zip(part.files, part.classes or (), strict=False)
    }
    told = [(_path(entry), label) for one in lists if one.choice for entry, label, _ in one.rows if _path(entry) in own]
    pairs = {(folders[path], label) for path, label in told if path in folders}
    alike = len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    return alike and all(path in folders for path, _ in told)


def _partitions(split: str, rows: Sequence[tuple[Entry, str]], numeric: bool) -> list[ListedImages]:
    classes = [files.printable(label) for _, label in rows] if any(label for _, label in rows) else None
    plain = image_partitions(split, [entry for entry, _ in rows], classes)
    return [ListedImages(p.base, p.files, p.classes, p.split, p.weight, numeric) for p in plain]
