"""The entries of LMDB databases as rows: one each, or all those of a number (``image-000000001``, ``label-000000001``)."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.problem import Problem
from datalint.core.wording import counted
from datalint.sources.files import printable, reason
from datalint.sources.pickles import is_pickle
from datalint.sources.records.examples import NoExample, wire_fields
from datalint.sources.records.lmdb import MARK, Broken, Store
from datalint.sources.remote.url import is_url
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.format import Candidate, TableFile, TableFormat
from datalint.sources.tables.picture_columns import is_picture, is_sound
from datalint.sources.tables.sample_rows import HEAD, Row, RowsPartition, array_row, json_row, rows_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan

PART_BYTES = 64 << 20
"""Bytes of a database that are read at a time."""

PLACES = 8
"""Of a database, from which its first rows are taken: its keys are sorted, and often by class."""

LOOKED_AT = 32 << 20
"""Bytes of values that are looked at to recognise it."""

MOST_FIELDS, MOST_OTHERS = 32, 16
"""Names before the numbers of keys, and keys without a number among them."""

LOOKED_AT_ROWS = 20
"""Numbers of which one must come with other names, too."""

PICKLES = "pickles, which may run code, so they are never opened: store pictures as files, and labels as text or JSON"

_NUMBERED = re.compile(rb"(.*?[^\d])(\d+)", re.DOTALL)
_COUNTS = (b"num-samples", b"num_samples", b"length", b"__len__")
"""Keys of how many samples there are, where that is written in digits."""

_NOTES = frozenset({*_COUNTS, b"__keys__"})
"""Keys that are no samples."""

_WRITTEN = {"label": "text"}

_CONTROL = re.compile("[\0-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Reading:
    """What a row is made of."""

    fields: tuple[bytes, ...] = ()
    """What the keys of a row begin with, that of the first range first; none where each entry is a row."""
    named: tuple[str, ...] = ()
    """What each is called as a column."""
    folders: bool = False
    """Whether keys begin with a folder, which is the class."""
    datum: bool = False
    """Whether values are those of Caffe."""

    @property
    def range(self) -> tuple[bytes, bytes | None]:
        """The keys that begin a row."""
        return (self.fields[0] + b"0", self.fields[0] + b":") if self.fields else (b"", None)


def _text(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text[:4096]) else text


def _values(name: str, data: bytes | None) -> Row:
    """The columns of one value."""
    if data is None or is_pickle(data):
        return {}
    if data.startswith(b"\x93NUMPY"):
        return array_row(name, data)
    text = _text(data)
    if text is None:
        return {name: data}
    return json_row(name, data) if text.lstrip()[:1] == "{" else {name: text}


def _datum(data: bytes) -> Row | None:
    """A picture and its class as Caffe stores them; None where it is something else."""
    numbers: dict[int, int] = {}
    pixels = b""
    try:
        for number, wire, value in wire_fields(data):
            if isinstance(value, int) and wire == 0 and number in {1, 2, 3, 5, 7}:
                numbers[number] = value
            elif isinstance(value, bytes) and wire == 2 and number == 4:
                pixels = value
            else:
                return None
    except NoExample:
        return None
    label = numbers.get(5, 0)
    if numbers.get(7) or is_picture(pixels):
        return {"image": pixels, "label": label} if is_picture(pixels) else None
    channels, height, width = (numbers.get(k, 0) for k in (1, 2, 3))
    if channels not in {1, 3} or not pixels or channels * height * width != len(pixels):
        return None
    return {"image": _png(np.frombuffer(pixels, np.uint8).reshape(channels, height, width)), "label": label}


def _png(planes: np.ndarray[Any, Any]) -> bytes:
    """Planes of blue, green and red, or of grey, as a file."""
    import io

    from PIL import Image

    made = io.BytesIO()
    Image.fromarray(planes[0] if len(planes) == 1 else planes[::-1].transpose(1, 2, 0)).save(
        made, "PNG", compress_level=1
    )
    return made.getvalue()


def _row(key: bytes, data: bytes | None, how: Reading) -> Row:
    """The row of one entry."""
    if how.datum:
        row = _datum(data) if data is not None else None
        return row or {}
    name = "image" if data is not None and is_picture(data) else "audio" if data and is_sound(data) else "value"
    row = {of.removeprefix(f"{name}."): value for of, value in _values(name, data).items()}
    if how.folders:
        row["class"] = key.rpartition(b"/")[0].rpartition(b"/")[2].decode("utf-8", "replace")
    return row


def _rows(store: Store, how: Reading, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, Row]]:
    """The rows of a range of keys with the first key of each."""
    for node in store.nodes(start, stop):
        if not how.fields:
            if node.key not in _NOTES:
                yield node.key, _row(node.key, store.value(node), how)
            continue
        number = node.key[len(how.fields[0]) :]
        if number.isdigit():
            held = [store.value(node), *(store.get(field + number) for field in how.fields[1:])]
            row: Row = {}
            for name, data in zip(how.named, held, strict=True):
                row |= _values(name, data)
            yield node.key, row


def _fields(store: Store) -> tuple[bytes, ...]:
    """What keys begin with before a number, if there are several kinds of them; where pictures are first."""
    found: dict[bytes, bytes | None] = {}
    strange = 0
    at = b""
    while (node := next(store.nodes(at), None)) is not None:
        match = _NUMBERED.fullmatch(node.key)
        if match is None:
            strange += 1
            at = node.key + b"\0"
        else:
            found[match[1]] = store.value(node)
            at = match[1] + b":"
        if len(found) > MOST_FIELDS or strange > MOST_OTHERS:
            return ()
    if len(found) < 2:
        return ()
    pictured = [field for field, data in found.items() if data is not None and is_picture(data) and _text(data) is None]
    first = pictured[0] if pictured else next(iter(found))
    numbers = [node.key[len(first) :] for node in islice(store.nodes(first + b"0", first + b":"), LOOKED_AT_ROWS)]
    # Keys that are checksums end in numbers, too, and no two in the same.
    others = [f for f in found if f != first and any(store.get(f + number) is not None for number in numbers)]
    return (first, *others) if others else ()


def _places(store: Store, start: bytes, stop: bytes | None) -> list[tuple[bytes, bytes | None]]:
    """Parts of a range, from which its first rows are taken."""
    cuts = store.cuts(start, stop, PLACES)
    return [*zip([start, *cuts], [*cuts, stop], strict=True)]


def _reading(store: Store) -> Reading:
    fields = _fields(store)
    if fields:
        names = [field.rstrip(b"-_:/ .").decode("utf-8", "replace") or "value" for field in fields]
        return Reading(fields, tuple(names if len(set(names)) == len(names) else map(repr, fields)))
    nodes = [node for place, end in _places(store, b"", None) for node in islice(store.nodes(place, end), 8)]
    nodes = [node for node in nodes if node.key not in _NOTES]
    folders = Counter(node.key.rpartition(b"/")[0] for node in nodes)
    # As many folders as keys, or one, are no classes.
    classes = b"" not in folders and len(folders) > 1 and 2 * len(folders) <= len(nodes)
    values = [store.value(node) for node in nodes]
    return Reading(folders=classes, datum=bool(values) and all(value and _datum(value) for value in values))


class LmdbFormat(TableFormat):
    """Databases, which a layout finds by their first page."""

    title = "LMDB"
    suffixes = frozenset()

    def recognises(self, start: bytes, name: str) -> bool:  # noqa: ARG002 - as TableFormat has it
        """By the first page."""
        return start[16:].startswith(MARK)

    def look(self, file: Candidate) -> TableFile:
        """Read the first rows of some places."""
        if is_url(str(file.path)):
            raise NotJudged("an LMDB database at a URL or in an archive, which is not read: get the file itself first")
        try:
            with Store(file.path) as store:
                if not store.entries:
                    raise NotATable("an empty LMDB database")
                how = _reading(store)
                rows, values = self._head(store, how)
                told = self._told(store, how, file.shown)
        except (Broken, OSError) as error:
            raise NotATable(f"a damaged LMDB database: {reason(error)}") from error
        pickled = sum(map(is_pickle, values))
        if not any(rows) or (pickled and not how.fields):
            raise NotJudged(f"an LMDB database of {PICKLES if pickled else 'values that are nothing known'}")
        how, rows = _without_words(how, rows)
        columns = dict.fromkeys(name for row in rows for name in row)
        digits = [name for name in columns if _digits(rows, name)]
        rows = [{n: int(v) if n in digits and isinstance(v, str) else v for n, v in row.items()} for row in rows]
        table = rows_file(file, self, rows, "class" if how.folders else None)
        table.sounds = tuple(name for name in columns if _all(rows, name, is_sound))
        table.about = (table.about, how)
        if pickled:
            for name in how.named:
                if name not in columns:
                    told.append(Problem("unseen", file.shown, f"column {name!r} holds {PICKLES}"))
        table.problems += told
        return table

    @staticmethod
    def _head(store: Store, how: Reading) -> tuple[list[Row], list[bytes]]:
        """Some rows, and some of the values in them."""
        start, stop = how.range
        places = _places(store, start, stop)
        rows: list[Row] = []
        values: list[bytes] = []
        held = 0
        for place, end in places:
            for key, row in islice(_rows(store, how, place, end), HEAD // len(places)):
                rows.append(row)
                held += sum(len(value) for value in row.values() if isinstance(value, (bytes, str)))
                if len(values) < HEAD:
                    number = key[len(how.fields[0]) :] if how.fields else b""
                    of_row = [field + number for field in how.fields] or [key]
                    values += [data for own in of_row if (data := store.get(own)) is not None]
                if held > LOOKED_AT:
                    return rows, values
        return rows, values

    @staticmethod
    def _told(store: Store, how: Reading, shown: str) -> list[Problem]:
        """What the database says of itself that is not so."""
        told = []
        if not store.whole:
            told.append(Problem("truncated", shown, "breaks off: its last pages are not there"))
        said = next((data for key in _COUNTS if (data := store.get(key)) is not None and data.isdigit()), None)
        if said is not None and len(said) < 16 and how.fields:
            field = how.fields[0]
            usual = next((len(node.key) - len(field) for node in store.nodes(*how.range)), 0)
            # They count from 1, or from 0.
            last, before = (field + str(int(said) - k).encode().rjust(usual, b"0") for k in (0, 1))
            if int(said) and store.get(last) is None and store.get(before) is None:
                text = f"says that it holds {counted(int(said), 'sample')}, and has no {printable(last.decode('utf-8', 'replace'))!r}"
                told.append(Problem("absent", shown, text))
        return told

    def whole(self, file: TableFile, plan: TablePlan) -> LmdbPartition:
        """All entries."""
        kinds, how = file.about
        start, stop = how.range
        return LmdbPartition(file.path.absolute(), file.shown, plan, kinds, how, start, stop, file.path.stat().st_size)

    def partitions(self, file: TableFile, plan: TablePlan) -> Sequence[LmdbPartition]:
        """Ranges of keys."""
        whole = self.whole(file, plan)
        pieces = max(1, round(whole.size / PART_BYTES))
        try:
            with Store(file.path) as store:
                keys = store.cuts(whole.start, whole.stop, pieces) if pieces > 1 else []
        except (Broken, OSError):
            keys = []  # reading it tells what is wrong
        size = whole.size // (1 + len(keys))
        return [
            replace(whole, start=start, stop=stop, size=size)
            for start, stop in zip([whole.start, *keys], [*keys, whole.stop], strict=True)
        ]


def _without_words(how: Reading, rows: list[Row]) -> tuple[Reading, list[Row]]:
    """The labels of text recognition as texts: what is written in pictures are no classes."""
    texts = [row["label"] for row in rows if isinstance(row.get("label"), str)]
    if not how.fields or _digits(rows, "label") or 4 * len(set(texts)) < len(rows):
        return how, rows
    renamed = replace(how, named=tuple(_WRITTEN.get(name, name) for name in how.named))
    return renamed, [{_WRITTEN.get(name, name): value for name, value in row.items()} for row in rows]


def _digits(rows: Sequence[Row], name: str) -> bool:
    """Whether a column of texts is one of whole numbers."""
    texts = [row[name] for row in rows if isinstance(row.get(name), str)]
    return bool(texts) and all(text.isascii() and text.strip().lstrip("-").isdigit() for text in texts)


def _all(rows: Sequence[Mapping[str, Any]], name: str, one: Any) -> bool:
    held = [row[name] for row in rows if isinstance(row.get(name), bytes)]
    return bool(held) and all(map(one, held))


@dataclass(frozen=True)
class LmdbPartition(RowsPartition):
    """The rows whose first keys lie in a range."""

    how: Reading
    start: bytes
    stop: bytes | None
    size: int

    @property
    def weight(self) -> int:
        """About as much of the file as it is of the keys."""
        return self.size

    def sample_id(self, line: int) -> str:
        """File and key."""
        try:
            keys = _keys(self.path, self.how, self.start, self.stop, self.path.stat().st_mtime_ns)
        except (Broken, OSError):
            keys = []
        told = printable(keys[line].decode("utf-8", "backslashreplace")) if line < len(keys) else str(line)
        return f"{self.shown}[{told}]"

    def rows(self, problems: list[Problem]) -> Iterator[Row]:
        """The rows in the order of their keys; what lacks something is told."""
        lost: Counter[str] = Counter()
        first: dict[str, bytes] = {}
        count = 0
        expected = [name for name, _ in self.kinds] if self.how.fields else []
        try:
            with Store(self.path) as store:
                for key, row in _rows(store, self.how, self.start, self.stop):
                    count += 1
                    for name in expected:
                        if name not in row:
                            lost[name] += 1
                            first.setdefault(name, key)
                    yield row
        except (Broken, OSError) as error:
            problems.append(Problem("truncated", self.shown, f"a damaged LMDB database: {reason(error)}"))
        for name, lacking in lost.items():
            if 2 * lacking < count:
                text = f"{lacking:,} of {count:,} samples without {name!r}, such as {printable(first[name].decode('utf-8', 'backslashreplace'))!r}"
                problems.append(Problem("absent", self.shown, text))


@lru_cache(2)  # asked for each sample of a part, one part after the other
def _keys(path: Path, how: Reading, start: bytes, stop: bytes | None, _changed: int) -> list[bytes]:
    """The first keys of the rows of a part; those before damage."""
    skip = len(how.fields[0]) if how.fields else 0
    found: list[bytes] = []
    with Store(path) as store, contextlib.suppress(Broken):
        found.extend(
            node.key
            for node in store.nodes(start, stop)
            if (node.key[skip:].isdigit() if skip else node.key not in _NOTES)
        )
    return found
