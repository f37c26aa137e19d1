"""JSON files that hold a table as one document: a list of records, alone or under a name, or one list per column."""

from __future__ import annotations

import io
import json
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from datalint.core import vocabulary
from datalint.core.errors import DatalintError
from datalint.core.terms import Storage
from datalint.sources.annotations.json_items import BrokenJson, Text, Written, json_members
from datalint.sources.files import reason
from datalint.sources.packing import packing_of
from datalint.sources.tables.encoding import NotATable, refuse_bytes
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat
from datalint.sources.tables.jsonlines import (
    BLOCK,
    LINE,
    JsonLinesFormat,
    JsonLinesPartition,
    flags_of,
    rows_table,
)
from datalint.sources.tables.packed import open_bytes, replacing_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan

HOLDERS = frozenset(
    "data dataset records rows items examples samples entries instances documents questions observations".split()  # noqa: SIM905
)
"""Names of the member that holds the records of a document."""

SPLIT = "split"
"""Column of the member that a record stands in, where the members are splits."""

KEY = "key"
"""Column of the name of a record, where records are the members."""

FIRST, LOOKED_AT = 1 << 20, 16 << 20
"""Characters of a document that are looked at to recognise it: of most the first, of the others and of its records more."""

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")

KEPT = 4_000
"""Records kept of these, from all over them."""

SLICE = 10_000
"""Rows that are made of columns at once."""

PARAGRAPHS, ASKED = "paragraphs", "qas"
"""Members of an article and of its passages in SQuAD."""

Shape = Literal["records", "splits", "members", "columns", "rows", "questions"]


@dataclass(frozen=True)
class Document:
    """How a document holds a table."""

    shape: Shape
    holder: str = ""
    """The list of records: "" is the document itself."""

    def rows(self, text: Text, *, written: bool = False) -> Iterator[Any]:
        """The records in their order, each an object unless it is broken; as they are ``written`` where that is known.

        Raises:
            BrokenJson, OSError, ValueError: the file is damaged; what came before is good.
        """
        if self.shape == "columns":
            yield from _of_columns(text)
        elif self.shape == "rows":
            yield from _of_rows(text)
        elif self.shape == "members":
            for k, (name, _, value) in enumerate(json_members(text)):
                named = isinstance(value, dict) and KEY not in value and name != str(k)
                yield {KEY: name, **value} if named else value
        elif self.shape == "splits":
            yield from _of_splits(text)
        else:
            asked = self.shape == "questions"
            held = (
                value
                for name, listed, value in json_members(text, written=written and not asked)
                if listed and name == self.holder
            )
            yield from chain.from_iterable(map(_of_article, held)) if asked else held


class JsonFormat(TableFormat):
    """One document that holds records or columns, or JSON lines under the name of a document."""

    title = "JSON"
    storage = Storage.JSON
    suffixes = frozenset({".json"})
    sure = False

    def look(self, file: Candidate) -> TableFile:
        """Find where its records are, and look at those of its beginning."""
        head, _ = file.head()
        refuse_bytes(head)
        if _is_lines(head):
            return JsonLinesFormat().look(file)
        document, rows = _recognised(file.path)
        if not rows:
            raise NotATable("JSON without any record")
        found = rows_table(file, self, rows)
        found.about = document
        return found

    def whole(self, file: TableFile, plan: TablePlan) -> JsonPartition:
        """The document."""
        packing = packing_of(file.path)
        flags, types = flags_of(file), file.unseen_types
        return JsonPartition(file.path.absolute(), file.shown, packing, plan, flags, file.opened, types, file.about)


@dataclass(frozen=True)
class JsonPartition(JsonLinesPartition):
    """One document, as if its records were written line by line."""

    document: Document = field(default_factory=lambda: Document("records"))

    def sample_id(self, line: int) -> str:
        """File and 0-based record."""
        return f"{self.shown}[{line}]"

    def blocks(self) -> Iterator[bytes]:
        """The records as lines; of a damaged file those before the damage."""
        lines: list[bytes] = []
        size = 0
        with _opened(self.path) as text:
            rows = self.document.rows(text, written=True)
            while True:
                try:
                    row = next(rows)
                except StopIteration:
                    break
                except (OSError, EOFError, zlib.error, ValueError) as error:
                    yield b"".join(lines)
                    raise OSError(_said(error)) from error
                line = (row if isinstance(row, Written) else json.dumps(row)).encode()
                lines.append((line.translate(_ONE_LINE) if b"\n" in line or b"\r" in line else line) + b"\n")
                size += len(lines[-1])
                if size >= BLOCK:
                    yield b"".join(lines)
                    lines, size = [], 0
        yield b"".join(lines)

    def write(self, path: Path, batches: Iterable[Any]) -> JsonPartition:
        """The same document with these records.

        Raises:
            DatalintError: it is no list of records.
        """
        if self.document.shape != "records":
            raise DatalintError(f"{self.shown}: JSON of this form is not written again; save it as a list of records")
        name = self.document.holder
        around: dict[str, Any] = {}
        if name:
            with _opened(self.path) as text:
                for other, listed, value in json_members(text):
                    if listed:
                        around.setdefault(other, []).extend([] if other == name else [value])
                    else:
                        around[other] = value
        mark = json.dumps({**around, name: [LINE]}, ensure_ascii=False, indent=1) if name else json.dumps([LINE])
        before, after = mark.split(json.dumps(LINE))
        with replacing_bytes(path, self.compression) as raw_out:
            raw_out.write(before.encode())
            between = b"\n"
            for batch in batches:
                for row in batch.to_pylist():
                    raw_out.write(between + self.line_of(row))
                    between = b",\n"
            raw_out.write(b"\n" + after.encode() + b"\n")
        return replace(self, path=path)


@contextmanager
def _opened(path: Path) -> Iterator[Text]:
    with open_bytes(path, packing_of(path)) as raw, io.TextIOWrapper(raw, "utf-8-sig") as text:
        yield text


def _said(error: Exception) -> str:
    return "text that is not UTF-8" if isinstance(error, UnicodeDecodeError) else reason(error)


def _is_lines(head: bytes) -> bool:
    """Whether a file holds one object per line."""
    first, _, rest = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    if not first.startswith(b"{") or not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _recognised(path: Path) -> tuple[Document, list[dict[str, Any]]]:
    """How the document holds a table, and records from all over its beginning."""
    try:
        with _opened(path) as text:
            document = _shape(_Window(text, FIRST))
        if document is None:
            with _opened(path) as text:
                document = _shape(_Window(text, LOOKED_AT))
        if document is None:
            raise NotATable("JSON that holds neither records, such as a list of objects, nor columns")
        if document.shape == "records":
            with _opened(path) as text:
                first = next((row for row in document.rows(_Window(text, LOOKED_AT)) if isinstance(row, dict)), {})
            passages = first.get(PARAGRAPHS)
            if isinstance(passages, list) and any(isinstance(one, dict) and ASKED in one for one in passages):
                document = Document("questions", document.holder)
        with _opened(path) as text:
            return document, _sampled(document, text)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise NotATable(f"broken JSON: {_said(error)}") from error


class _Window:
    """The beginning of a text."""

    def __init__(self, text: Text, size: int) -> None:
        self._text, self._left = text, size

    def read(self, size: int, /) -> str:
        """As of the text itself, up to the end of the window."""
        piece = self._text.read(min(self._left, size))
        self._left -= len(piece)
        return piece

    @property
    def over(self) -> bool:
        """Whether it was read to its end."""
        return self._left == 0


def _shape(window: _Window) -> Document | None:
    """What the document is by its beginning; None if that says nothing.

    Raises:
        NotATable: no table; the message says what instead.
        BrokenJson, OSError, ValueError: damaged before its second record.
    """
    objects: Counter[str] = Counter()
    lists: Counter[str] = Counter()
    scalars: Counter[str] = Counter()
    members: dict[str, Any] = {}
    name = ""
    try:
        for name, listed, value in json_members(window):
            kinds = objects if isinstance(value, dict) else lists if isinstance(value, list) else scalars
            if listed:
                kinds[name] += 1
            else:
                members[name] = sorted(value) if isinstance(value, dict) else None
    except BrokenJson:
        if sum(objects.values()) + sum(lists.values()) + sum(scalars.values()) + len(members) < 2:
            if window.over:
                return None
            raise
        if window.over and name and name not in objects:
            for kinds in (lists, scalars):  # the list that the window cuts looks shorter than it is
                kinds.pop(name, None)
    if "" in objects or "" in lists or "" in scalars:
        if 2 * objects[""] < objects[""] + lists[""] + scalars[""]:
            raise NotATable("a JSON list of values, not of records")
        return Document("records")
    return _of_members(objects, lists, scalars, members)


def _of_members(
    objects: Counter[str], lists: Counter[str], scalars: Counter[str], members: dict[str, Any]
) -> Document | None:
    held = [name for name in objects if objects[name] > lists[name] + scalars[name]]
    named = [name for name in held if name.lower() in HOLDERS]
    if len(named) == 1:
        return Document("records", named[0])
    if {"images", "annotations"} <= {*held}:  # as COCO has its captions
        return Document("records", "annotations")
    if held and vocabulary.split_values(held):
        return Document("splits")
    if held:
        raise NotATable(f"JSON whose lists of objects ({', '.join(held[:5])}) are not known to be records")
    if lists["data"] and scalars["columns"]:
        return Document("rows")
    every = {*scalars, *lists, *members}
    if len(every) > 1 and not members and len({scalars[name] + lists[name] for name in every}) == 1:
        return Document("columns")
    inner = [tuple(keys) if keys else None for keys in members.values()]
    if len(inner) == len(every) > 1:
        common, count = Counter(inner).most_common(1)[0]
        if common is not None and count == len(inner) and all(key.isdigit() for key in common):
            return Document("columns")
        if common is not None and 10 * count >= 9 * len(inner) and len(inner) >= len(common):
            return Document("members")
    return None


def _sampled(document: Document, text: Text) -> list[dict[str, Any]]:
    """Records from all over the beginning of a document."""
    window = text if document.shape in {"columns", "splits"} else _Window(text, LOOKED_AT)
    kept: list[dict[str, Any]] = []
    step = 1
    try:
        for k, row in enumerate(document.rows(window)):
            if k % step == 0 and isinstance(row, dict):
                kept.append(row)
                if len(kept) >= max(100, min(KEPT, 4 * CELLS // max(1, len(row)))):
                    kept, step = kept[::2], 2 * step
    except (OSError, EOFError, zlib.error, ValueError):
        pass  # which is for the scan to tell
    return kept


def _of_splits(text: Text) -> Iterator[Any]:
    for name, listed, value in json_members(text):
        if listed and vocabulary.split_of(name):
            yield {SPLIT: name, **value} if isinstance(value, dict) and SPLIT not in value else value


def _of_article(article: Any) -> Iterator[dict[str, Any]]:
    """The questions about an article as SQuAD has them, each with its passage and the first answer to it."""
    for passage in _dicts(article.get(PARAGRAPHS)) if isinstance(article, dict) else ():
        context = passage.get("context")
        blanks = 0
        if isinstance(context, str):  # blanks before a text are not read: where its parts begin counts without them
            blanks, context = len(context) - len(context.lstrip()), context.strip()
        for asked in _dicts(passage.get(ASKED)):
            answers = _dicts(asked.get("answers")) or _dicts(asked.get("plausible_answers"))
            given = answers[0] if answers and not asked.get("is_impossible") else {}
            start = given.get("answer_start")
            row = {"id": asked.get("id"), "title": article.get("title"), "context": context}
            row |= {"question": asked.get("question"), "answer": given.get("text")}
            row["answer_start"] = start - blanks if isinstance(start, int) else start
            yield row | ({"is_impossible": asked["is_impossible"]} if "is_impossible" in asked else {})


def _dicts(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _of_columns(text: Text) -> Iterator[Any]:
    """The rows of a document of columns, which must be read to its end before the first row is known."""
    packed: dict[str, tuple[Any, bool]] = {}
    values: list[Any] = []
    last = None
    for name, listed, value in json_members(text):
        if name != last and last is not None:
            packed[last], values = _packed(values), []
        last = name
        if listed:
            values.append(value)
        elif isinstance(value, dict):
            values = [*value.values()]
    if last is not None:
        packed[last] = _packed(values)
    size = max((len(array) for array, _ in packed.values()), default=0)
    if any(len(array) != size for array, _ in packed.values()):
        raise BrokenJson("columns of different lengths")
    for start in range(0, size, SLICE):
        part = [_unpacked(array.slice(start, SLICE), coded) for array, coded in packed.values()]
        for cells in zip(*part, strict=True):
            yield dict(zip(packed, cells, strict=True))


def _packed(values: list[Any]) -> tuple[Any, bool]:
    """A column in little memory, and whether its values are written as JSON: those that have no type in common."""
    import pyarrow as pa

    if {type(value) for value in values} <= {float, type(None)} or {type(value) for value in values} <= {
        str,
        type(None),
    }:
        return pa.array(values), False
    return pa.array(map(json.dumps, values), pa.string()), True


def _unpacked(array: Any, coded: bool) -> list[Any]:
    values: list[Any] = array.to_pylist()
    return [json.loads(value) for value in values] if coded else values


def _of_rows(text: Text) -> Iterator[Any]:
    names: list[str] = []
    for name, listed, value in json_members(text):
        if listed and name == "columns":
            names.append(str(value))
        elif listed and name == "data":
            fits = isinstance(value, list) and len(value) == len(names)
            yield dict(zip(names, value, strict=True)) if fits else value
