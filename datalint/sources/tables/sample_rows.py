"""Samples that a file holds one after the other, each with values of its own names: what becomes of them as rows of a table."""

from __future__ import annotations

import io
import json
import math
from abc import abstractmethod
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datalint.core.errors import DatalintError
from datalint.sources.files import printable
from datalint.sources.tables.format import TablePartition
from datalint.sources.tables.kinds import arrow_table_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from datalint.core.problem import Problem
    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Candidate, Cells, TableFile, TableFormat

Row = dict[str, Any]
"""Bytes, texts, numbers and lists of numbers by name."""

Kind = Literal["bytes", "text", "int", "float", "list"]

HEAD = 500
"""Rows that show what the columns hold."""

WIDE = 512
"""Values of a vector that become columns; longer ones are told apart, no more."""

BATCH, BATCH_BYTES = 1_024, 32 << 20
"""Rows, and bytes in them, that are held at a time."""

MAX_KEYS = 1_000
"""Keys of an object that become columns."""


def json_row(name: str, data: bytes) -> Row:
    """The members of a JSON object as columns; what is none is a text."""
    try:
        held = json.loads(data)
    except (ValueError, RecursionError):
        return {name: data.decode("utf-8", "replace")}
    if not isinstance(held, dict):
        return {name: held if isinstance(held, (int, float, str)) else json.dumps(held)}
    row: Row = {}
    for key, value in islice(held.items(), MAX_KEYS):
        plain = isinstance(value, (str, int, float)) or value is None
        row[f"{name}.{key}"] = value if plain else json.dumps(value)
    return row


def array_row(name: str, data: bytes) -> Row:
    """The values of a small vector as columns, those of a larger array as a list; nothing where it is no array."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        rest = data[stream.tell() :]
        # A header may promise more than there is, for which no memory is asked.
        if dtype.kind not in "biuf" or math.prod(shape) * dtype.itemsize != len(rest):
            return {}
        held = np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")
    except (ValueError, EOFError, OSError, SyntaxError, TypeError):
        return {}
    return vector_row(name, held)


def vector_row(name: str, held: np.ndarray[Any, Any]) -> Row:
    """The same of an array."""
    if held.ndim == 0:
        return {name: held.item()}
    flat = held.astype(np.float64).reshape(-1)
    if held.ndim == 1 and len(flat) <= WIDE:
        return {f"{name}.{k}": value for k, value in enumerate(flat.tolist())}
    return {name: flat.tolist()}


def kinds_of(rows: Sequence[Row]) -> dict[str, Kind]:
    """What each column holds, as some rows show it."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, []).append(value)
    return {printable(name): _kind([value for value in held if value is not None]) for name, held in values.items()}


def _kind(held: Sequence[Any]) -> Kind:
    if any(isinstance(value, bytes) for value in held):
        return "bytes"
    if any(isinstance(value, list) for value in held):
        return "list"
    if any(isinstance(value, str) for value in held):
        return "text"
    return "int" if all(isinstance(value, int) for value in held) else "float"


def record_of(rows: Sequence[Row], kinds: Mapping[str, Kind], names: Sequence[str]) -> Any:
    """Some columns of rows as an Arrow record batch."""
    import pyarrow as pa

    held = [{printable(name): value for name, value in row.items()} for row in rows]
    types = {
        "bytes": pa.binary(),
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "list": pa.list_(pa.float64()),
    }
    arrays = [pa.array([_cell(row.get(name), kinds[name]) for row in held], types[kinds[name]]) for name in names]
    return pa.RecordBatch.from_arrays(arrays, list(names))


def _cell(value: Any, kind: Kind) -> Any:
    """A value as its column has it; None for what it cannot be."""
    if value is None:
        return None
    if kind == "bytes":
        return value if isinstance(value, bytes) else str(value).encode()
    if kind == "text":
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        return (text if isinstance(text, str) else json.dumps(text)).encode("utf-8", "replace").decode()
    if kind == "list":
        return [float(item) for item in value] if isinstance(value, list) else None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if kind == "int":
        return int(number) if number.is_integer() and abs(number) < 2**63 else None
    return number


def rows_file(file: Candidate, format_: TableFormat, rows: Sequence[Row], label: str | None = None) -> TableFile:
    """A file of such samples as its first ones show it."""
    kinds = kinds_of(rows)
    head = record_of(rows, kinds, [*kinds])
    found = arrow_table_file(file, format_, head.schema, [head], bool(rows))
    found.about = tuple(kinds.items())
    found.declared = (label, ()) if label in kinds else None
    return found


@dataclass(frozen=True)
class RowsPartition(TablePartition):
    """The samples of one file."""

    path: Path
    shown: str
    plan: TablePlan
    kinds: tuple[tuple[str, Kind], ...]

    @abstractmethod
    def rows(self, problems: list[Problem]) -> Iterator[Row]:
        """The samples in their order; what is wrong is added to ``problems``, also where it breaks off."""

    def sample_id(self, line: int) -> str:
        """File and 0-based sample."""
        return f"{self.shown}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """Some samples at a time."""
        kinds = dict(self.kinds)
        wanted = [*kinds] if columns is None else [name for name in kinds if name in columns] or [*kinds][:1]
        held: list[Row] = []
        size = 0
        own: list[Problem] = []
        for row in self.rows(own):
            held.append(row)
            size += sum(len(value) for value in row.values() if isinstance(value, (bytes, str, list)))
            if len(held) >= BATCH or size >= BATCH_BYTES:
                yield record_of(held, kinds, wanted)
                held, size = [], 0
        if held:
            yield record_of(held, kinds, wanted)
        broken = next((problem for problem in own if problem.kind == "truncated"), None)
        if broken is not None and cells != "wanted":
            raise DatalintError(f"{self.shown} cannot be read to its end: {broken.message}")
        problems += own

    @property
    def schema(self) -> Any:
        """Of the kinds that its first samples show."""
        return record_of([], dict(self.kinds), [name for name, _ in self.kinds]).schema

    def write(self, path: Path, batches: Iterable[Any]) -> Self:  # noqa: ARG002 - as TablePartition has it
        """Not possible."""
        raise DatalintError(f"{self.shown}: no copies of such files are written; {path.name} was not made")
