"""Pictures whose labels stand in a table: ``train.csv`` next to ``train/0001.jpg``, ``metadata.csv`` of an image folder."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from datalint.core import vocabulary
from datalint.core.dataset import Categories, Dataset, Label, LabelBlock, Problem, Split, split_order
from datalint.core.dialogues import TURNS
from datalint.core.vocabulary import WHOLE
from datalint.sources import files
from datalint.sources.annotations.shapes import side
from datalint.sources.images.files import ImagePartition, image_partitions
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import picture_dataset, pictures_of
from datalint.sources.layouts.tables import table_folders
from datalint.sources.tables.convert import number_classes
from datalint.sources.tables.labels import LabelNotFound, choose_label, find_split_column, roles
from datalint.sources.tables.named_files import PEEK, name_column, rows_of
from datalint.sources.tables.several_labels import SeveralLabels, choose_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.format import TableFile
    from datalint.sources.tables.labels import ColumnHead, LabelChoice


ABOUT_THE_FILE = re.compile(
    r"(im(g|age)|pic(ture)?|photo|file|original|orig)?[-_ ]?"
    r"(w|h|width|height|rows|cols|columns|channels|size|file[-_ ]?size|bytes|format|mode|ext(ension)?|md5|sha1|sha256|crc32|url|license)"
    r"|((roi|b?box)[-._ ]?)?([xy][-_ ]?[012]|[xy][-_ ]?(min|max)|[wh]|width|height)|.+[-_. ][xy]",
    re.IGNORECASE,
)
"""Names of columns that say of a picture what its file says itself, or where in it something lies."""


SIDE = re.compile(r"((im(g|age)|pic(ture)?|photo|file|original|orig)[-_ ]?)?(?P<side>width|height)", re.IGNORECASE)
"""Names of columns of the width or the height of each picture."""

PLACE = re.compile(r"((roi|b?box)[-._ ]?)?([xy][-_ ]?[012]?|[xy][-_ ]?(min|max)|left|top)|.*b?box.*", re.IGNORECASE)
"""Names of columns of where something lies, next to which width and height may be those of a box."""

FEW_INPUTS = 6
"""Columns next to the label that describe pictures; a table of more is a data set of its own as well."""

DESCRIPTION = re.compile(r"metadata\.(csv|jsonl|parquet)")
"""Names of lists as ImageFolder of Hugging Face reads them."""

FILE_NAME = re.compile(r"(.+_)?file_name")
"""Names of their columns of files."""


@dataclass(frozen=True)
class ListedImages(ImagePartition):
    """Image files in the order of a table that holds their labels; an empty class is a missing one."""

    numeric: bool = False
    """Whether the labels are numbers."""
    several: SeveralLabels | None = None
    """Where each picture may have several labels: what joins them, or else the names that stand in lists."""

    def _labels(self, start: int, size: int) -> LabelBlock | None:
        if self.classes is None:
            return None
        mine = self.classes[start : start + size]
        if self.several is not None and not self.several.joint:
            none = [""] * len(self.several.columns)
            rows = [text.split(",") if text else none for text in mine]
            return self.several.of_flags(np.array([[_flag(cell) for cell in row] for row in rows]))
        if self.several is not None:
            cells = list(dict.fromkeys(filter(None, mine)))
            codes = {cell: k for k, cell in enumerate(cells)} | {"": -1}
            held = Categories("", np.array([codes[cell] for cell in mine], np.int32), cells)
            return self.several.of_texts(held)
        if self.numeric:
            return number_classes(np.array([_number(text) for text in mine]))
        return super()._labels(start, size)


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
    several: SeveralLabels | None
    rows: list[tuple[Entry, str, str | None]]
    """Picture, label and split of each row."""
    why: str
    """Where the splits of the rows come from."""
    says: frozenset[str]
    """The columns of labels and splits."""
    described: bool = False
    """Whether it is a list that ImageFolder reads, which holds nothing but what is known of the pictures."""
    problems: tuple[Problem, ...] = ()
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Width and height of pictures by path, where it says them."""


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
            joint = _joined(folder, dataset, mine, own)
            labelled, unlisted = _labelled(folder, dataset, joint, own)
            described = [one for one in mine if one.described]
            if labelled is None and not described and not (dataset.by_class and any(one.choice for one in mine)):
                continue
            dataset = _with_sizes(labelled or dataset, mine)
            if described and labelled is None:
                dataset.evidence += f", described in {described[0].table.name!r}, whose texts are not looked at"
            dataset.problems += [problem for one in mine for problem in one.problems]
            used = {_where(one): one.says for one in joint.all}
            told = {_where(one) for one in described}
            idle = {_where(one) for one in joint.passed}
            moot = [i for i in sets if _read_of(i[0]) <= idle or _lists_only(i[0], used) or _describes_only(i[0], told)]
            sets = [item for item in sets if item not in moot]
            dataset.problems += [problem for table, _ in moot for problem in table.problems]
            dataset.problems += [
                Problem(
                    "not-scanned", one.table.shown, f"tells of the pictures that {joint.labels[0].table.name} labels"
                )
                for one in joint.passed
            ]
            lost = [entry for _, entries in moot for entry in entries if str(entry.path.absolute()) in idle]
            files = [*found.entries, *found.strays, *(entry for _, entries in moot for entry in entries)]
            yield Claim(files, Basis.STRUCTURE, dataset.evidence, dataset, [*found.left_out, *unlisted, *lost])


def _where(one: _List) -> str:
    return str(one.table.path.absolute())


def _lists_only(table: Dataset, used: Mapping[str, frozenset[str]]) -> bool:
    """Whether a data set of tables merely lists pictures: with labels and splits, and little else that is known of them."""
    mine = _read_of(table) & used.keys()
    said = {column for name in mine for column in used[name]}
    inputs = [
        column.name
        for column in table.fields
        if column.role in {"feature", "text", "time"}
        and column.name not in said
        and not ABOUT_THE_FILE.fullmatch(column.name)
    ]
    return bool(mine) and len(inputs) <= (FEW_INPUTS if said else 0)


def _describes_only(table: Dataset, used: set[str]) -> bool:
    """Whether a data set of tables holds nothing but texts about the pictures."""
    numbers = [column.name for column in table.fields if column.role == "feature" and column.kind == "number"]
    quantities = not all(map(ABOUT_THE_FILE.fullmatch, numbers))
    return not quantities and _read_of(table) <= used


def _read_of(table: Dataset) -> set[str]:
    return {name for part in table.partitions for name in part.files_read}


def _list(folder: Folder, table: TableFile, label: str | None = None) -> _List | None:
    """The table as a list of pictures, with a certain column of labels or its likeliest; None if it is something else."""
    described = [name for name in table.kinds if FILE_NAME.fullmatch(name)]
    described = described if DESCRIPTION.fullmatch(table.path.name.lower()) else []
    column = None if vocabulary.is_submission(table.name) else name_column(table, folder.pictures)
    column = column or next(iter(described), None)
    if column is None:
        return None
    others = [head for head in table.columns if head.name != column and table.dtypes.get(head.name) != TURNS]
    by_role = roles(others)
    split_column, splits = find_split_column(others, by_role)
    if split_column is None:
        split_column, splits = _coded(table, others)
    own_choice = folder.wishes.label if label is None else label
    others = [head for head in others if head.name != split_column]
    choice, several = _label_in(table, column, others, own_choice, by_role)
    flags = several.columns if several is not None and not several.joint else ()
    sides = _sides(table)
    wanted = [column, split_column or column, *(flags or [choice.name if choice else column]), *sides]
    home, own = folder.place_of(table.path), vocabulary.split_of(table.name)
    rows, sizes = [], {}
    astray: list[tuple[str, Entry]] = []
    for name, split, *cells in rows_of(table, wanted):
        entry = folder.pictures.entry(name, home, own)
        if entry is None and column in described:
            entry = folder.pictures.entry(name.rpartition("/")[2], home, own)
        if entry is not None:
            if column in described and _leads_astray(name, entry, home, table.path.suffix.lower()):
                astray.append((name, entry))
            if sides:
                sizes[_path(entry)] = (side(cells.pop(-2)), side(cells.pop()))
            said = ",".join(cell.strip() for cell in cells) if flags else cells[0]
            rows.append((entry, said.strip() if choice else "", splits.get(split.strip()) if split_column else own))
    names = Counter(entry.parts for entry, _, _ in rows)
    if not rows or len(names) < 0.95 * len(rows):
        return None
    why = f"values of the column {split_column!r}" if split_column and table.header else f"table {table.name!r}"
    problems = []
    if astray:
        name, entry = astray[0]
        there = "/".join(entry.parts[len(home) :]) if entry.folder[: len(home)] == home else "elsewhere"
        text = (
            f"names {len(astray):,} of {len(rows):,} pictures in {column!r} where ImageFolder does not find them: {name!r} is "
            f"meant from the folder of the list, where it is {there!r}"
        )
        problems.append(Problem("absent", table.shown, files.printable(text)))
    says = {*flags, split_column, *([choice.name, *choice.twins] if choice else ())} - {None}
    return _List(
        table,
        column,
        choice,
        several,
        rows,
        why,
        frozenset(map(str, says)),
        column in described,
        tuple(problems),
        sizes,
    )


def _sides(table: TableFile) -> tuple[str, ...]:
    """The columns of the width and height of each picture; none where they may be those of a box."""
    if any(map(PLACE.fullmatch, table.kinds)):
        return ()
    found = {match["side"].lower(): name for name in table.kinds if (match := SIDE.fullmatch(name))}
    return (found["width"], found["height"]) if len(found) == 2 else ()


def _with_sizes(dataset: Dataset, lists: Sequence[_List]) -> Dataset:
    """The data set with the sizes that lists say of its pictures."""
    sizes = {path: size for one in lists for path, size in one.sizes.items()}
    if not sizes:
        return dataset
    parts = [
        replace(part, declared=tuple(sizes.get(name, (0, 0)) for name in part.files))
        if isinstance(part, ImagePartition)
        else part
        for part in dataset.partitions
    ]
    return replace(dataset, partitions=parts)


def _coded(table: TableFile, others: Sequence[ColumnHead]) -> tuple[str | None, dict[str, str]]:
    """The column whose numbers stand for splits, by its own name or, where it is the only one, by that of its table."""
    for head in others:
        name = head.name if len(others) > 1 else f"{table.name}_{head.name}"
        # A list is often sorted by splits: the head of it shows the first alone.
        if head.kind == "number" and {0, 1, 2} >= set(head.facts.counts):
            values = {text.strip() for (text,) in rows_of(table, [head.name])}
            if (splits := vocabulary.coded_splits(name, values)) is not None:
                return head.name, splits
    return None, {}


def _label_in(
    table: TableFile, column: str, others: Sequence[ColumnHead], asked: str | None, by_role: Mapping[str, str]
) -> tuple[LabelChoice | None, SeveralLabels | None]:
    """The column of labels, or those of 0 and 1, among what a list tells of its pictures."""
    features = [head for head in others if by_role[head.name] == "feature"]
    try:
        choice, several = choose_target(others, header=True, explicit=asked) if others else (None, None)
    except LabelNotFound:
        choice, several = None, None
    if asked is None and several is None and (choice is None or choice.confidence == "low"):
        names = [head for head in table.columns if head.name == column]
        more, flags = choose_target([*names, *others], header=True)
        if more is not None and flags is not None and not flags.joint:
            choice, several = replace(more, confidence="medium"), flags
    if choice is None and len(features) == 1 and _is_target(features[0]):
        choice = choose_label(features, header=True, explicit=features[0].name)
        choice = choice and replace(choice, evidence=f"the only column beside {column!r}", confidence="medium")
    return choice, several


def _flag(text: str) -> float:
    """A cell of a column of 0 and 1."""
    return {"true": 1.0, "false": 0.0}.get(text.casefold(), _number(text))


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


@dataclass
class _Joint:
    """What the lists of one data set say together."""

    labels: list[_List]
    """Those whose labels are taken."""
    splits: list[_List]
    """Those that say no more than the split of each picture."""
    passed: list[_List]
    """Those of pictures whose labels come from another list."""
    folders: Mapping[str, str]
    """The class of each picture by its folder, where the lists speak of the same classes."""

    @property
    def all(self) -> list[_List]:
        """All of them."""
        return [*self.labels, *self.splits, *self.passed]


_SURE = ("certain", "high", "medium", "low")


def _joined(folder: Folder, dataset: Dataset, lists: Sequence[_List], own: Mapping[str, str]) -> _Joint:
    """Several lists of the same pictures as one: the likeliest label of them, and the splits of any."""
    classes = _class_folders(dataset)
    known = set(classes.values())
    lists = [_by_folders(folder, one, known) if known else one for one in lists]
    splits = [one for one in lists if one.choice is None and any(split for _, _, split in one.rows) and one.says]
    with_labels = [one for one in lists if one.choice is not None and not (known and _guessed(one, known))]
    with_labels.sort(key=lambda one: (one.several is None, _SURE.index(one.choice.confidence) if one.choice else 9))
    taken: list[_List] = []
    seen: set[str] = set()
    for one in with_labels:
        places = {_path(entry) for entry, _, _ in one.rows if _path(entry) in own}
        if 2 * len(places & seen) <= len(places):
            taken.append(one)
            seen |= places
    taken = [one for one in lists if one in taken]
    rest = [one for one in lists if one not in taken and one not in splits and not one.described]
    passed = [one for one in rest if taken and any(_path(entry) in seen for entry, _, _ in one.rows[:PEEK])]
    same = known and taken and all(_speaks_of(one, known) for one in taken)
    return _Joint(taken, splits, passed, classes if same or not taken else {})


def _class_folders(dataset: Dataset) -> dict[str, str]:
    """The class of each picture by its folder."""
    return {
        name: class_
        for part in dataset.partitions
        if dataset.by_class and isinstance(part, ImagePartition)
        for name, class_ in zip(part.files, part.classes or (), strict=False)
    }


def _speaks_of(one: _List, classes: set[str]) -> bool:
    """Whether the labels of a list are the names of class folders."""
    said = {label for _, label, _ in one.rows if label}
    return bool(said) and len(said & classes) >= 0.9 * len(said)


def _guessed(one: _List, classes: set[str]) -> bool:
    """Whether the label of a list is a guess, while its pictures lie in folders of other classes."""
    return one.choice is not None and one.choice.confidence == "low" and not _speaks_of(one, classes)


def _by_folders(folder: Folder, one: _List, classes: set[str]) -> _List:
    """The list with the column that tells the classes of folders as its label, if there is one."""
    if _speaks_of(one, classes):
        return one
    for head in one.table.columns:
        said = {str(value).strip() for value in head.values if value is not None}
        if head.kind == "text" and head.name != one.column and said and len(said & classes) >= 0.9 * len(said):
            found = _list(folder, one.table, head.name)
            if found is not None and found.choice is not None:
                found.choice = replace(found.choice, evidence="its values are the class folders", confidence="high")
                return found
    return one


def _labelled(
    folder: Folder, dataset: Dataset, joint: _Joint, own: dict[str, str]
) -> tuple[Dataset | None, list[Entry]]:
    """The data set as its lists describe it, and the pictures that they do not list.

    There is none where they hold neither a label nor a split, or the label that the folders tell.
    """
    lists = joint.labels
    if not lists and not joint.splits:
        return None, []
    if not joint.splits and dataset.by_class and _same_as_folders(dataset, lists, own):
        return None, []
    by_split, why, unlisted = _placed(dataset, joint, own, {_path(entry): entry for entry in folder.entries})
    splits = sorted(by_split, key=split_order)
    problems = [problem for problem in dataset.problems if problem.kind != "stray"]
    if unlisted:
        count = (
            f"{len(unlisted):,} images that no table lists" if len(unlisted) > 1 else "one image that no table lists"
        )
        problems.append(Problem("not-scanned", unlisted[0].shown, f"{count} are left out, this the first"))
    tables = ", ".join(dict.fromkeys(repr(one.table.name) for one in [*lists, *joint.splits]))
    described = replace(
        dataset,
        evidence=f"{sum(map(len, by_split.values())):,} image files, named in {tables}, column {(lists or joint.splits)[0].column!r}",
        splits=tuple(Split(split, why[split]) for split in splits),
        problems=problems,
    )
    if not lists:
        return replace(
            described, partitions=[part for split in splits for part in listed_partitions(split, by_split[split])]
        ), unlisted
    labelled = _with_label(described, lists[0], [(split, by_split[split]) for split in splits])
    listed = {_path(entry) for one in lists for entry, _, _ in one.rows}
    if dataset.label is not None and not listed.issuperset(joint.folders):
        label = replace(dataset.label, evidence=f"{dataset.label.evidence}; the same classes in {tables}")
        labelled = replace(labelled, layout=dataset.layout, label=label, by_class=True)
    return labelled, unlisted


def _placed(
    dataset: Dataset, joint: _Joint, own: Mapping[str, str], by_path: Mapping[str, Entry]
) -> tuple[dict[str, list[tuple[Entry, str]]], dict[str, str], list[Entry]]:
    """The pictures with their labels by split, what says the splits, and the pictures that are not listed."""
    told = {_path(entry): (split, one.why) for one in joint.splits for entry, _, split in one.rows if split}
    by_split: dict[str, list[tuple[Entry, str]]] = {}
    why: dict[str, str] = {}

    def put(entry: Entry, label: str, split: tuple[str, str]) -> None:
        by_split.setdefault(split[0], []).append((entry, label))
        why.setdefault(*split)

    for one in joint.labels:
        for entry, label, split in one.rows:
            if (path := _path(entry)) in own:
                there = (own[path], _why(dataset, own[path]))
                put(entry, label, (split, one.why) if split else told.get(path, there))
    listed = {_path(entry) for rows in by_split.values() for entry, _ in rows}
    halves = {own[path] for path in listed}
    unlisted: list[Entry] = []
    for name, split in own.items():
        if name in listed or name not in by_path:
            continue
        # A split without a list has the labels of its folders or none; elsewhere a picture that is not listed is not read.
        if name in told or name in joint.folders or split not in halves:
            put(by_path[name], joint.folders.get(name, ""), told.get(name, (split, _why(dataset, split))))
        else:
            unlisted.append(by_path[name])
    return by_split, why, unlisted


def _with_label(dataset: Dataset, one: _List, by_split: Sequence[tuple[str, Sequence[tuple[Entry, str]]]]) -> Dataset:
    """The data set with the pictures and labels of a list."""
    assert one.choice is not None
    numeric = one.table.kinds.get(one.choice.name) == "number"
    return replace(
        dataset,
        layout="images listed in a table",
        partitions=[part for split, rows in by_split for part in listed_partitions(split, rows, numeric, one.several)],
        label=Label(one.choice.name, f"{one.choice.evidence}, in {one.table.name}", one.choice.confidence),
        task="multi-label" if one.several is not None else dataset.task,
        by_class=False,
    )


def _why(dataset: Dataset, split: str) -> str:
    return next((s.evidence for s in dataset.splits if s.name == split), "not split") if split != WHOLE else "not split"


def _same_as_folders(dataset: Dataset, lists: Sequence[_List], own: Mapping[str, str]) -> bool:
    """Whether the tables tell the class folders again, in the same words or others, and nothing of other pictures."""
    folders = _class_folders(dataset)
    told = [(_path(entry), label) for one in lists if one.choice for entry, label, _ in one.rows if _path(entry) in own]
    pairs = {(folders[path], label) for path, label in told if path in folders}
    alike = len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    return alike and all(path in folders for path, _ in told)


def listed_partitions(
    split: str, rows: Sequence[tuple[Entry, str]], numeric: bool = False, several: SeveralLabels | None = None
) -> list[ListedImages]:
    """Pictures with what lists say of each, in parts; an empty label is a missing one."""
    classes = [files.printable(label) for _, label in rows] if any(label for _, label in rows) else None
    plain = image_partitions(split, [entry for entry, _ in rows], classes)
    return [ListedImages(p.base, p.files, p.classes, p.split, p.weight, numeric, several) for p in plain]
