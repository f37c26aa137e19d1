"""Tables as JSON lines: one object per line, its keys the columns."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, Final, Self

from datalint.core.dataset import Problem
from datalint.core.dialogues import TURNS
from datalint.core.terms import Storage
from datalint.sources.files import printable, reason
from datalint.sources.packing import packing_of
from datalint.sources.tables import nested
from datalint.sources.tables.conversations import as_texts, holds_turns, plain_texts, plain_type, text_of
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.flips import Flips
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat, TablePartition, left_out
from datalint.sources.tables.kinds import kind_of, text_head
from datalint.sources.tables.labels import ColumnHead
from datalint.sources.tables.lending import lending
from datalint.sources.tables.packed import DAMAGE, Sound, open_bytes, replacing_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from datalint.sources.packing import Packing
    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells

LINE: Final = "\n"
"""Column of the line that a row was, among verbatim rows; keys are not called so."""

BLOCK = 4 << 20
"""Bytes parsed at a time."""

MAX_LINE = 64 << 20
"""A longer line is no row of a table."""

MAX_KEYS = 10_000
"""Keys that become columns: where there are more, they are values."""

TYPED = 1_000
"""Lists and objects of one key that show their type."""

BATCH_CELLS = 4_000_000
"""Cells of one batch, about: where each line has keys of its own, they are many more than the values."""


class JsonLinesFormat(TableFormat):
    """One JSON object per line."""

    title = "JSON lines"
    storage = Storage.JSON_LINES
    suffixes = frozenset({".jsonl", ".ndjson"})

    def look(self, file: Candidate) -> TableFile:
        """Collect the keys of objects from all over the file."""
        head, blocks = file.sampled()
        rows = head_rows(blocks)
        if not rows and head.strip():
            raise NotATable("no JSON lines, which are one object per line")
        return rows_table(file, self, rows)

    def whole(self, file: TableFile, plan: TablePlan) -> JsonLinesPartition:
        """All lines."""
        packing = packing_of(file.path)
        return JsonLinesPartition(
            file.path.absolute(), file.shown, packing, plan, flags_of(file), file.opened, file.unseen_types
        )


def rows_table(file: Candidate, format_: TableFormat, rows: Sequence[dict[str, Any]]) -> TableFile:
    """A file whose rows are JSON objects, as some of them show it.

    Raises:
        NotJudged: none of its keys holds what can be a column.
    """
    found = TableFile(file.path, file.shown, file.name, format_, (), {}, {}, opened=nested.opened(rows))
    keys = keys_of([nested.flat(row, found.opened) for row in rows], CELLS)
    if len(keys) > MAX_KEYS:
        text = f"its keys beyond the first {MAX_KEYS:,}: so many are values and no columns"
        found.problems.append(Problem("not-scanned", file.shown, text))
    for column, key in islice(keys.items(), MAX_KEYS):
        if 2 * key.nested > len(key.present) and holds_turns(key.present):
            found.kinds[column], found.dtypes[column] = "text", TURNS
            found.columns += (ColumnHead(column, "text", key.cells),)
            continue
        if 2 * key.nested > len(key.present):
            found.problems.append(left_out(file.shown, column, "lists or objects"))
            found.unseen[column] = "lists or objects"
            found.unseen_types[column] = _inferred(key.objects)
            if 2 * key.lists > len(key.present):
                found.lists += (ColumnHead(column, "text", key.cells),)
            continue
        kind, dtype = found.kinds[column], found.dtypes[column] = kind_of(key.present)
        found.columns += (text_head(column, kind, dtype, key.cells),)
    if keys and not found.columns and not found.lists:
        raise NotJudged(f"its rows hold nothing but lists or objects ({', '.join(islice(keys, 5))})")
    found.empty = not found.columns and not found.lists
    return found


def flags_of(file: TableFile) -> frozenset[str]:
    """The columns of true and false."""
    return frozenset(name for name, dtype in file.dtypes.items() if dtype == "bool")


@dataclass(frozen=True)
class JsonLinesPartition(TablePartition):
    """One file of JSON lines."""

    path: Path
    shown: str
    compression: Packing | None
    plan: TablePlan
    flags: frozenset[str] = frozenset()
    """Columns of true and false."""
    opened: frozenset[nested.Path] = frozenset()
    """Where the objects lie whose keys are columns."""
    unseen: Mapping[str, Any] = field(default_factory=dict)
    """Arrow types of the columns of lists and objects; None where no type is known."""

    def sample_id(self, line: int) -> str:
        """File and line, blank lines not counted."""
        return f"{self.shown}:{line + 1}"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """As numbers, flags and texts, or as texts alone: what is no string as JSON."""
        kinds = {f.name: f.kind for f in self.plan.fields}
        wanted = {name: kinds[name] for name in columns or self.names if name in kinds}
        unseen = [name for name in columns or () if name in self.unseen and name not in kinds]
        whole = [LINE] if cells == "verbatim" and columns is None else []
        most = max(1, BATCH_CELLS // max(1, len(wanted)))
        broken = _Broken()
        turns = {f.name for f in self.plan.fields if f.dtype == TURNS}
        flips = Flips([name for name, kind in wanted.items() if kind == "number"], turns)
        line = 0
        try:
            for piece in chain.from_iterable(_pieces(block, most) for block in self.blocks()):
                if cells == "wanted":
                    record = self._record(piece, wanted, unseen, broken, flips, line)
                    line += record.num_rows
                    yield record
                else:
                    yield _texts(self._rows(piece, broken), [*wanted, *whole])
        except DAMAGE as error:
            problems.append(Problem("truncated", self.shown, f"breaks off: {reason(error)}"))
        if broken.count:
            problems.append(Problem("ragged", self.shown, broken.told()))
        if told := flips.told(self.sample_id):
            problems.append(Problem("types", self.shown, told))

    def blocks(self) -> Iterator[bytes]:
        """The lines, some megabytes at a time.

        Raises:
            OSError, EOFError, zlib.error: the file is damaged, or a line is too long.
        """
        with open_bytes(self.path, self.compression) as file:
            yield from whole_lines(file)

    def _rows(self, block: bytes, broken: _Broken) -> list[tuple[bytes, Mapping[str, Any]]]:
        return [(line, nested.flat(row, self.opened)) for line, row in _rows(block, broken)]

    def _record(
        self,
        block: bytes,
        kinds: Mapping[str, str],
        unseen: Sequence[str],
        broken: _Broken,
        flips: Flips,
        line: int,
    ) -> Any:
        """The wanted columns of some lines as an Arrow record batch."""
        import pyarrow as pa
        import pyarrow.json as pajson

        types = {
            name: pa.float64() if kind == "number" else pa.bool_() if name in self.flags else pa.string()
            for name, kind in kinds.items()
        }
        types |= {name: kind for name, kind in self.unseen.items() if name in kinds and kind is not None}
        types |= {name: self.unseen[name] for name in unseen}
        turns = {f.name for f in self.plan.fields if f.dtype == TURNS} & kinds.keys()
        if turns:
            first = self._rows(block[: block.find(b"\n") + 1], _Broken())
            types |= {name: plain_type(first[0][1].get(name) if first else None) for name in turns}
        try:
            schema = nested.schema(types, self.opened)
            with lending() as lend:
                table = pajson.read_json(
                    lend(io.BytesIO(block)),
                    pajson.ReadOptions(use_threads=False, block_size=max(1 << 20, 2 * len(block))),
                    pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
                )
            if not table.num_rows:
                return pa.RecordBatch.from_pylist([])
            record = table.combine_chunks().to_batches()[0]
            record = nested.columns(record, types, self.opened) if self.opened else record
            flips.typed(record, line)
            for name in turns:
                texts = record.column(name)
                texts = as_texts(texts) if pa.types.is_string(texts.type) else plain_texts(texts)
                record = record.set_column(record.schema.get_field_index(name), name, texts)
            return record
        except (pa.ArrowInvalid, TypeError):
            # A value of another type or of none that is known, or a broken line: slowly, value by value.
            raw = list(_rows(block, broken))
            flips.rows([row for _, row in raw], line, [*kinds, *unseen])
            rows = [(text, nested.flat(row, self.opened)) for text, row in raw]
            record = _texts(rows, list(kinds), turns)
            for name in unseen:
                record = record.append_column(name, _nestings([row.get(name) for _, row in rows], self.unseen[name]))
            return record

    @property
    def names(self) -> list[str]:
        """The keys that are columns."""
        return [f.name for f in self.plan.fields]

    @property
    def schema(self) -> Any:
        """The columns as texts, and the line itself."""
        import pyarrow as pa

        return pa.schema([(name, pa.string()) for name in [*self.names, LINE]])

    def write(self, path: Path, batches: Iterable[Any]) -> Self:
        """Each line as it was, but for values that differ from it."""
        with replacing_bytes(path, self.compression) as raw:
            for batch in batches:
                for row in batch.to_pylist():
                    raw.write(self.line_of(row) + b"\n")
        return replace(self, path=path)

    def line_of(self, row: dict[str, str | None]) -> bytes:
        """A verbatim row as it is written."""
        line = row.pop(LINE)
        assert line is not None
        return _changed(line, row, self.opened).encode()


def _changed(line: str, cells: dict[str, str | None], opened: frozenset[nested.Path]) -> str:
    """A line whose values are these; one that was a string stays one."""
    row = json.loads(line)
    differ = False
    for name, cell in cells.items():
        path = nested.path_of(name, opened)
        old = nested.get(row, path)
        if cell != _text(old):
            differ = True
            nested.put(row, path, cell if cell is None or isinstance(old, str) else json.loads(cell))
    return json.dumps(row, ensure_ascii=False) if differ else line


class _Broken:
    """Lines that are no JSON objects."""

    def __init__(self) -> None:
        self.count = 0
        self.example = ""

    def add(self, line: bytes) -> None:
        self.count += 1
        self.example = self.example or line[:40].decode("utf-8", "replace")

    def told(self) -> str:
        lines = f"{self.count:,} lines are" if self.count > 1 else "1 line is"
        return f"{lines} no JSON object, such as {self.example!r}; left out of the scan"


def whole_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time; of a damaged file all before the error.

    Raises:
        OSError, EOFError, zlib.error: the file is damaged, or a line is too long.
    """
    rest, sound = b"", Sound(file)
    lines = io.BufferedReader(sound)
    while block := lines.read(BLOCK):
        whole, end, rest = (rest + block).rpartition(b"\n")
        if end:
            yield whole + end
        elif len(rest) > MAX_LINE:
            raise OSError(f"a line of more than {MAX_LINE:,} bytes")
    if rest.strip():
        yield rest
    if sound.damage is not None:
        raise sound.damage


def _pieces(block: bytes, most: int) -> Iterator[bytes]:
    """A block of lines in pieces of at most so many."""
    if block.count(b"\n") <= most:
        yield block
        return
    lines = block.splitlines(keepends=True)
    for start in range(0, len(lines), most):
        yield b"".join(lines[start : start + most])


def _texts(rows: Sequence[tuple[bytes, Mapping[str, Any]]], names: Sequence[str], turns: Collection[str] = ()) -> Any:
    """Some rows as an Arrow record batch of texts; of turns one text for each cell."""
    import pyarrow as pa

    columns: dict[str, list[str | None]] = {name: [None] * len(rows) for name in names}
    for k, (line, row) in enumerate(rows):
        for name in row.keys() & columns.keys():
            columns[name][k] = text_of(row[name]) if name in turns else _text(row[name])
        if LINE in columns:
            columns[LINE][k] = line.decode("utf-8", "replace")
    return pa.RecordBatch.from_arrays([pa.array(cells, pa.string()) for cells in columns.values()], list(names))


def _inferred(values: Sequence[Any]) -> Any:
    """The Arrow type of some lists or objects; None if they have none in common, or objects are the keys of many values."""
    import pyarrow as pa

    try:
        return None if nested.keys_in(values) > nested.MOST_KEYS else pa.array(values).type
    except (pa.ArrowException, OverflowError, RecursionError):
        return None


def _nestings(values: Sequence[Any], kind: Any) -> Any:
    """Lists or objects as an Arrow array of their type; of texts where they have none, or another.

    A type that is made of the values themselves has a field for each of their keys.
    """
    import pyarrow as pa

    if kind is not None:
        with contextlib.suppress(pa.ArrowException, OverflowError, RecursionError, TypeError, ValueError):
            return pa.array(values, kind)
    return pa.array([_text(value) for value in values], pa.string())


def _rows(block: bytes, broken: _Broken) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Each line that is an object, and the object."""
    for line in block.splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            # Half of a surrogate pair is JSON, and no text that could be written anywhere.
            yield line, row if all(map(str.isascii, row)) else {printable(name): value for name, value in row.items()}
        else:
            broken.add(line)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else json.dumps(value)


def head_rows(blocks: Sequence[bytes]) -> list[dict[str, Any]]:
    """The objects of some blocks of whole lines; none where most lines are none."""
    broken = _Broken()
    rows = [row for block in blocks for _, row in _rows(block, broken)]
    return rows if len(rows) > broken.count else []


@dataclass
class Key:
    """What the first lines hold under one key."""

    present: list[str] = field(default_factory=list)
    """All values that are there, as texts."""
    nested: int = 0
    """How many of them are lists or objects."""
    lists: int = 0
    """How many are lists of texts or whole numbers, for the most part."""
    objects: list[Any] = field(default_factory=list)
    """The first lists or objects themselves."""
    cells: list[str | None] = field(default_factory=list)
    """Those of the first rows, None for missing ones."""


def keys_of(rows: Sequence[Mapping[str, Any]], most: int) -> dict[str, Key]:
    """The keys of some rows; the cells of so many rows that there are ``most`` of them, about.

    Takes time in the number of values, not of keys times rows: each row may have keys of its own.
    """
    found: dict[str, Key] = {}
    for row in rows:
        for name, value in row.items():
            key = found.setdefault(name, Key())
            if value is not None:
                if isinstance(value, (dict, list)):
                    key.nested += 1
                    if len(key.objects) < TYPED:
                        key.objects.append(value)
                key.lists += isinstance(value, list) and 2 * sum(isinstance(v, (str, int)) for v in value) >= len(value)
                key.present.append(_text(value) or "")
    deep = rows[: max(50, most // max(1, len(found)))]
    for key in found.values():
        key.cells = [None] * len(deep)
    for k, row in enumerate(deep):
        for name, value in row.items():
            found[name].cells[k] = _text(value)
    return found
