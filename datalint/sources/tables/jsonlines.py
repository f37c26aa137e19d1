"""Tables as JSON lines: one object per line, its keys the columns."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from datalint.core.dataset import Batch, Problem
from datalint.sources.files import printable, reason
from datalint.sources.tables.convert import TableFilePartition, TableReader
from datalint.sources.tables.csvs import open_bytes
from datalint.sources.tables.lending import lending

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from datalint.core.dataset import Aspect
    from datalint.sources.tables.convert import TablePlan

BLOCK = 4 << 20
"""Bytes parsed at a time."""

MAX_LINE = 64 << 20
"""A longer line is no row of a table."""

MAX_KEYS = 10_000
"""Keys that become columns: where there are more, they are values."""

BATCH_CELLS = 4_000_000
"""Cells of one batch, about: where each line has keys of its own, they are many more than the values."""

MAX_EXAMPLES = 5


@dataclass(frozen=True)
class JsonLinesPartition(TableFilePartition):
    """One file of JSON lines."""

    path: Path
    shown: str
    compression: str | None
    plan: TablePlan
    flags: frozenset[str] = frozenset()
    """Columns of true and false."""

    def sample_id(self, line: int) -> str:
        """File and line, blank lines not counted."""
        return f"{self.shown}:{line + 1}"

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the rows; lines that are no objects become a problem."""
        reader = TableReader(self.plan, labels_only="table" not in aspects)
        kinds = {f.name: f.kind for f in self.plan.fields}
        wanted = {name: kinds[name] for name in reader.columns}
        broken = _Broken()
        problems = []
        try:
            with open_bytes(self.path, self.compression) as file:
                for block in _blocks(file):
                    for piece in _pieces(block, max(1, BATCH_CELLS // max(1, len(wanted)))):
                        yield from reader.read(_record(piece, wanted, self.flags, broken))
        except (OSError, EOFError, zlib.error) as error:
            problems.append(Problem("truncated", self.shown, f"breaks off: {reason(error)}"))
        if broken.count:
            problems.append(Problem("ragged", self.shown, broken.told()))
        problems += reader.remarks(self.shown)
        if problems:
            yield Batch(reader.home, reader.line, 0, problems=problems)


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


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time."""
    rest = b""
    while block := file.read(BLOCK):
        whole, end, rest = (rest + block).rpartition(b"\n")
        if end:
            yield whole + end
        elif len(rest) > MAX_LINE:
            raise OSError(f"a line of more than {MAX_LINE:,} bytes")
    if rest.strip():
        yield rest


def _pieces(block: bytes, most: int) -> Iterator[bytes]:
    """A block of lines in pieces of at most so many."""
    if block.count(b"\n") <= most:
        yield block
        return
    lines = block.splitlines(keepends=True)
    for start in range(0, len(lines), most):
        yield b"".join(lines[start : start + most])


def _record(block: bytes, kinds: Mapping[str, str], flags: frozenset[str], broken: _Broken) -> Any:
    """The wanted columns of some lines as an Arrow record batch."""
    import pyarrow as pa
    import pyarrow.json as pajson

    types = {
        name: pa.float64() if kind == "number" else pa.bool_() if name in flags else pa.string()
        for name, kind in kinds.items()
    }
    try:
        with lending() as lend:
            table = pajson.read_json(
                lend(io.BytesIO(block)),
                pajson.ReadOptions(use_threads=False, block_size=max(1 << 20, 2 * len(block))),
                pajson.ParseOptions(explicit_schema=pa.schema(list(types.items())), unexpected_field_behavior="ignore"),
            )
        return table.combine_chunks().to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([])
    except pa.ArrowInvalid:
        # A value of another type or a broken line: slowly, value by value.
        rows = list(_rows(block, broken))
        columns: dict[str, list[str | None]] = {name: [None] * len(rows) for name in types}
        for k, row in enumerate(rows):
            for name in row.keys() & columns.keys():
                columns[name][k] = _text(row[name])
        return pa.RecordBatch.from_arrays([pa.array(cells, pa.string()) for cells in columns.values()], list(types))


def _rows(block: bytes, broken: _Broken) -> Iterator[dict[str, Any]]:
    for line in block.splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            # Half of a surrogate pair is JSON, and no text that could be written anywhere.
            yield row if all(map(str.isascii, row)) else {printable(name): value for name, value in row.items()}
        else:
            broken.add(line)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else json.dumps(value)


def head_rows(blocks: Sequence[bytes]) -> list[dict[str, Any]]:
    """The objects of some blocks of whole lines; none where most lines are none."""
    broken = _Broken()
    rows = [row for block in blocks for row in _rows(block, broken)]
    return rows if len(rows) > broken.count else []


@dataclass
class Key:
    """What the first lines hold under one key."""

    present: list[str] = field(default_factory=list)
    """All values that are there, as texts."""
    nested: int = 0
    """How many of them are lists or objects."""
    cells: list[str | None] = field(default_factory=list)
    """Those of the first rows, None for missing ones."""


def keys_of(rows: Sequence[dict[str, Any]], most: int) -> dict[str, Key]:
    """The keys of some rows; the cells of so many rows that there are ``most`` of them, about.

    Takes time in the number of values, not of keys times rows: each row may have keys of its own.
    """
    found: dict[str, Key] = {}
    for row in rows:
        for name, value in row.items():
            key = found.setdefault(name, Key())
            if value is not None:
                key.nested += isinstance(value, (dict, list))
                key.present.append(_text(value) or "")
    deep = rows[: max(50, most // max(1, len(found)))]
    for key in found.values():
        key.cells = [None] * len(deep)
    for k, row in enumerate(deep):
        for name, value in row.items():
            found[name].cells[k] = _text(value)
    return found
