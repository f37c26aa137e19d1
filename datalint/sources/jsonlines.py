"""Tables as JSON lines: one object per line, its keys the columns."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from datalint.dataset import Batch, Problem
from datalint.sources.convert import TableFilePartition, TableReader
from datalint.sources.csvs import open_bytes
from datalint.sources.files import printable, reason
from datalint.sources.lending import lending

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from datalint.dataset import Aspect
    from datalint.sources.convert import TablePlan

BLOCK = 4 << 20
"""Bytes parsed at a time."""

MAX_LINE = 64 << 20
"""A longer line is no row of a table."""

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
                    yield from reader.read(_record(block, wanted, self.flags, broken))
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
        columns = [pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in types]
        return pa.RecordBatch.from_arrays(columns, names=list(types))


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


def columns_of(rows: Sequence[dict[str, Any]]) -> dict[str, list[str | None] | None]:
    """The values of each key as texts, None for a missing one; None instead of the list where they are mostly nested."""
    names = dict.fromkeys(name for row in rows for name in row)
    found: dict[str, list[str | None] | None] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        there = [value for value in values if value is not None]
        nested = sum(isinstance(value, (dict, list)) for value in there)
        found[name] = None if 2 * nested > len(there) else [_text(value) for value in values]
    return found
