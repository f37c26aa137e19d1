"""Shards of MosaicML's streaming data sets (MDS), as the ``index.json`` next to them describes their columns."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.problem import Problem
from datalint.sources.files import reason
from datalint.sources.packing import unpacked_limit
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import Candidate, TableFile, TableFormat, left_out
from datalint.sources.tables.sample_rows import HEAD, Row, RowsPartition, json_row, rows_file, vector_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan

SCALARS = frozenset(f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)) - {"float8"}

_VALUES = {
    8: "uint8",
    9: "int8",
    16: "uint16",
    17: "int16",
    18: "float16",
    32: "uint32",
    33: "int32",
    34: "float32",
    64: "uint64",
    65: "int64",
    66: "float64",
}
"""Numbers by which arrays say what they hold."""

_CODECS = {"zstd": "zstd", "br": "brotli", "snappy": "snappy"}
"""What Arrow calls the ways in which shards are packed."""

_FEW = 64
"""Axes of an array at most, and bytes of the name of a mode of pixels."""


@dataclass(frozen=True)
class Columns:
    """The columns of a shard."""

    names: tuple[str, ...]
    encodings: tuple[str, ...]
    sizes: tuple[int | None, ...]
    compression: str = ""
    """How the file is packed; empty if it is not."""
    raw: int = 0
    """Bytes that it unpacks to."""

    def row(self, data: bytes) -> Row:
        """One sample.

        Raises:
            ValueError: its lengths do not fit.
        """
        own, at = [], 0
        for size in self.sizes:
            if size is None:
                own.append(int.from_bytes(data[at : at + 4], "little"))
                at += 4
            else:
                own.append(size)
        if at + sum(own) != len(data):
            raise ValueError(f"a sample of {len(data):,} bytes whose columns hold {at + sum(own):,}")
        row: Row = {}
        for name, encoding, size in zip(self.names, self.encodings, own, strict=True):
            row |= _decoded(name, encoding, data[at : at + size])
            at += size
        return row


def _decoded(name: str, encoding: str, data: bytes) -> Row:
    kind, _, form = encoding.partition(":")
    if kind == "str":
        return {name: data.decode("utf-8", "replace")}
    if kind == "int" or kind in SCALARS:
        return {name: np.frombuffer(data, "int64" if kind == "int" else kind)[0].item()}
    if kind in {"str_int", "str_float", "str_decimal"}:
        return {name: int(data) if kind == "str_int" else float(data)}
    if kind == "json":
        return json_row(name, data)
    if kind == "ndarray":
        return vector_row(name, _array(form, data))
    if kind == "pil":
        return {name: _png(data)}
    return {} if kind == "pkl" else {name: data}


def _array(form: str, data: bytes) -> np.ndarray[Any, Any]:
    """An array whose type and shape stand in its encoding, or before its values."""
    dtype, _, said = form.partition(":")
    at = 0
    if not dtype:
        dtype, at = _VALUES[data[0]], 1
    if said:
        shape = tuple(map(int, said.split(",")))
    else:
        axes, wide = data[at] >> 2, 1 << (data[at] % 4)
        if axes > _FEW:
            raise ValueError("an array of too many axes")
        shape = tuple(np.frombuffer(data[at + 1 : at + 1 + axes * wide], f"uint{8 * wide}").tolist())
        at += 1 + axes * wide
    return np.frombuffer(data[at:], dtype).reshape(shape)


def _png(data: bytes) -> bytes:
    """A picture of plain pixels as a file."""
    from PIL import Image

    width, height, length = np.frombuffer(data[:12], np.uint32).tolist()
    if length > _FEW or width * height > 16 * len(data):
        raise ValueError("a picture whose size does not fit its pixels")
    mode = data[12 : 12 + length].decode("ascii", "replace")
    made = io.BytesIO()
    Image.frombytes(mode, (width, height), data[12 + length :]).save(made, "PNG", compress_level=1)
    return made.getvalue()


@dataclass(frozen=True)
class Shard:
    """One shard as the index lists it."""

    name: str
    samples: int
    columns: Columns


def shards_in(path: Path) -> list[Shard]:
    """What an index lists; nothing where it is no index of such shards.

    Raises:
        OSError: it cannot be read.
    """
    try:
        held = json.loads(path.read_bytes())
        found = []
        for one in held["shards"]:
            if one["format"] != "mds":
                return []
            zipped = one.get("zip_data")
            columns = Columns(
                tuple(map(str, one["column_names"])),
                tuple(map(str, one["column_encodings"])),
                tuple(None if size is None else int(size) for size in one["column_sizes"]),
                str(one.get("compression") or "").partition(":")[0] if zipped else "",
                int(one["raw_data"]["bytes"]),
            )
            found.append(Shard(str((zipped or one["raw_data"])["basename"]), int(one["samples"]), columns))
        return found
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _content(path: Path, columns: Columns) -> bytes:
    """The bytes of a shard.

    Raises:
        OSError, EOFError, ValueError, zlib.error: it cannot be read or unpacked.
    """
    data = path.read_bytes()
    if not columns.compression:
        return data
    if columns.raw > unpacked_limit(len(data)):
        raise ValueError(f"unpacks to {columns.raw:,} bytes, far more than data of this size do")
    if columns.compression == "gz":
        return zlib.decompressobj(wbits=31).decompress(data, columns.raw + 1)
    if columns.compression == "bz2":
        import bz2

        return bz2.BZ2Decompressor().decompress(data, columns.raw + 1)
    if columns.compression in _CODECS:
        import pyarrow as pa

        return bytes(pa.decompress(data, columns.raw, _CODECS[columns.compression], asbytes=True))
    raise ValueError(f"packed with {columns.compression}, which is not read")


def _samples(path: Path, columns: Columns) -> Iterator[Row]:
    """The samples of a shard.

    Raises:
        OSError, EOFError, ValueError, KeyError, IndexError, zlib.error: it is damaged.
    """
    data = _content(path, columns)
    count = int.from_bytes(data[:4], "little")
    if 4 * (count + 2) > len(data):
        raise ValueError(f"{len(data):,} bytes are too few for the {count:,} samples that it counts")
    ends = np.frombuffer(data, np.uint32, count + 1, 4).tolist()
    for start, end in pairwise(ends):
        if not start <= end <= len(data):
            raise ValueError("breaks off within a sample")
        yield columns.row(data[start:end])


DAMAGE = (OSError, EOFError, ValueError, KeyError, IndexError, TypeError, zlib.error)


class MdsFormat(TableFormat):
    """Shards, of which a layout knows the columns."""

    title = "MDS shards"
    suffixes = frozenset()

    def __init__(self, columns: Columns | None = None) -> None:
        self.columns = columns or Columns((), (), ())

    def recognises(self, start: bytes, name: str) -> bool:  # noqa: ARG002 - as TableFormat has it
        """Never by itself."""
        return False

    def look(self, file: Candidate) -> TableFile:
        """Read the first samples."""
        rows: list[Row] = []
        try:
            rows += islice(_samples(file.path, self.columns), HEAD)
        except DAMAGE as error:
            raise NotATable(f"a damaged shard: {reason(error)}") from error
        table = rows_file(file, self, rows)
        pictures = zip(self.columns.names, self.columns.encodings, strict=True)
        table.pictures = tuple(name for name, kind in pictures if kind.partition(":")[0] in {"jpeg", "png", "pil"})
        for name, kind in zip(self.columns.names, self.columns.encodings, strict=True):
            if kind.partition(":")[0] == "pkl":
                table.problems.append(left_out(file.shown, name, "pickles (they may run code)"))
        return table

    def whole(self, file: TableFile, plan: TablePlan) -> MdsPartition:
        """All samples."""
        return MdsPartition(file.path.absolute(), file.shown, plan, file.about, self.columns)


@dataclass(frozen=True)
class MdsPartition(RowsPartition):
    """One shard."""

    columns: Columns = Columns((), (), ())

    def rows(self, problems: list[Problem]) -> Iterator[Row]:
        """The samples in their order."""
        try:
            yield from _samples(self.path, self.columns)
        except DAMAGE as error:
            problems.append(Problem("truncated", self.shown, f"a damaged shard: {reason(error)}"))


def missing(shards: Sequence[Shard], there: set[str]) -> list[str]:
    """The shards that an index lists and that are not there."""
    return [shard.name for shard in shards if shard.name not in there]
