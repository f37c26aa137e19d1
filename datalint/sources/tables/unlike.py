"""What is odd between the files of one table, and in the course of one file."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.sources.files import IMAGES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from datalint.core.dataset import Batch, Kind
    from datalint.sources.files import Entry
    from datalint.sources.tables.format import TableFile

SIGNS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "blanks"}
WORDS = {"number": "numbers", "text": "text", "time": "times", "other": "values that are not looked into"}
LITTER = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"})
"""What file managers leave behind, and every loader passes over."""

UNREAD_IMAGES = frozenset({".heic", ".heif", ".avif", ".jfif", ".jp2", ".jxl", ".svg", ".dng", ".cr2", ".nef", ".psd"})
SWALLOWED = 20
"""Lines in one row from which an open quote has drawn in others; addresses and comments have fewer."""


def known_kind(file: TableFile, column: str) -> Kind | None:
    """The kind of a column in one file; None where it is not there or holds no value."""
    return None if file.dtypes.get(column) == "null" else file.kinds.get(column)


def unlike(members: Sequence[tuple[TableFile, str]]) -> list[Problem]:
    """Files that are written otherwise than most of their data set, or whose columns differ from most of their split."""
    problems: list[Problem] = []
    texts = [(file, file.dialect) for file, _ in members if file.dialect is not None]
    signs = _usual([dialect.delimiter for file, dialect in texts if len(file.kinds) > 1])
    # A file of plain ASCII is the same in all the encodings that occur here but UTF-16.
    families = {"utf-8-sig": "utf-8", "latin-1": "cp1252"}
    written = [
        (file, families.get(dialect.encoding, dialect.encoding))
        for file, dialect in texts
        if not file.ascii or dialect.encoding == "utf-16"
    ]
    encoding = _usual([name for _, name in written])
    for file, dialect in texts:
        if signs and len(file.kinds) > 1 and dialect.delimiter != signs:
            said = f"values are set apart by {SIGNS.get(dialect.delimiter, dialect.delimiter)}, in the other files by {SIGNS.get(signs, signs)}"
            problems.append(Problem("delimiter", file.shown, said))
    problems += [
        Problem("encoding", file.shown, f"is written in {own}, the other files in {encoding}")
        for file, own in written
        if encoding and own != encoding
    ]
    for split in dict.fromkeys(split for _, split in members):
        problems += _columns([file for file, own in members if own == split])
    return problems


def _usual(values: Sequence[str]) -> str:
    """The most frequent of several values, the first of equals; empty where all are equal."""
    counts = Counter(values)
    return counts.most_common(1)[0][0] if len(counts) > 1 else ""


def _columns(files: Sequence[TableFile]) -> list[Problem]:
    """Shards of one split whose columns or their kinds are not those of most."""
    if len(files) < 2:
        return []
    held = Counter(column for file in files for column in file.kinds)
    flips: dict[str, Hashable] = {}
    for column in held:
        kinds = Counter(kind for file in files if (kind := known_kind(file, column)) is not None)
        if len(kinds) > 1:
            flips[column] = kinds.most_common(1)[0][0]
    problems = []
    for file in files:
        lacking = [column for column, count in held.items() if column not in file.kinds and 2 * count >= len(files)]
        added = [column for column in file.kinds if 2 * held[column] < len(files)]
        if lacking or added:
            said = [f"lacks the {_named(lacking)}"] * bool(lacking) + [f"adds the {_named(added)}"] * bool(added)
            problems.append(Problem("columns", file.shown, " and ".join(said)))
        for column, usual in flips.items():
            kind = known_kind(file, column)
            if kind is not None and kind != usual:
                other = WORDS[str(usual)]
                text = f"the column {column!r} holds {WORDS[kind]} here and {other} in other files"
                problems.append(Problem("types", file.shown, text))
    return problems


def _named(columns: Sequence[str]) -> str:
    shown = ", ".join(map(repr, columns[:3])) + (f" and {len(columns) - 3} more" if len(columns) > 3 else "")
    return f"column {shown}" if len(columns) == 1 else f"columns {shown}"


def among_images(entries: Sequence[Entry], images: Sequence[Entry]) -> list[Problem]:
    """Files in the folders of images that are none, and images of kinds that common loaders pass over.

    A file next to each image (its boxes, its caption) belongs there; so do files of which there are many.
    """
    others = [entry for entry in entries if entry.suffix not in IMAGES and entry.name.casefold() not in LITTER]
    if not others:
        return []
    folders = {entry.folder for entry in images}
    stems = {(entry.folder, entry.name.partition(".")[0]) for entry in images}
    strays = [
        entry
        for entry in others
        if entry.folder in folders and (entry.folder, entry.name.partition(".")[0]) not in stems
    ]
    if len(strays) > max(3, len(images) // 10):
        return []
    unread = "is an image of a kind that most loaders, and datalint, do not read"
    other = "lies among the images of a class and is none"
    return [Problem("stray", entry.shown, unread if entry.suffix in UNREAD_IMAGES else other) for entry in strays]


def header_rows(batch: Batch) -> int:
    """Rows of a batch that repeat the header: a numeric column holds its own name."""
    if batch.table is None or not batch.table.tokens:
        return 0
    return max((counts.get(name, 0) for name, counts in batch.table.tokens.items()), default=0)


def swallowed_lines(batch: Batch, delimiter: str, width: int) -> int:
    """The most lines within one value that are built like rows: what an open quote has drawn in up to the next one."""
    if width < 2:
        return 0
    most = 0
    for value in chain.from_iterable(values for values, _ in _texts(batch)):
        if value.count("\n") > SWALLOWED:
            lines = value.split("\n")[1:-1]
            rows = sum(line.count(delimiter) == width - 1 for line in lines)
            most = max(most, len(lines) if rows > 0.9 * len(lines) else 0)
    return most


def last_row_spans(batch: Batch) -> bool:
    """Whether a value of the last row has several lines."""
    last = [values[codes[-1]] for values, codes in _texts(batch) if len(codes) and codes[-1] >= 0]
    return any("\n" in value for value in last)


def _texts(batch: Batch) -> Iterator[tuple[Sequence[str], NDArray[np.int32]]]:
    """The distinct texts of each column, the label's among them, and which of them each row has."""
    if batch.table is not None:
        yield from ((column.values, column.codes) for column in batch.table.categories)
    if batch.labels is not None and batch.labels.codes is not None:
        yield batch.labels.classes, batch.labels.codes


def reader_hazards(shown: str, headers: int) -> list[Problem]:
    """What came up while a file was read to its end."""
    if not headers:
        return []
    rows = f"{headers:,} rows repeat" if headers > 1 else "1 row repeats"
    return [Problem("header", shown, f"{rows} the header among the data")]
