"""Record batches of Arrow IPC files and streams, none of which is unpacked before its size is known."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from datalint.sources.tables.parquets import CELLS, CELLS_PER_BYTE, UNPACKED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILE, STREAM = b"ARROW1", b"\xff\xff\xff\xff"
"""How a file begins and ends, and how each message of a stream begins."""

DICTIONARY, RECORDS = 2, 3
"""Kinds of messages."""

CODECS = ("lz4", "zstd")

LARGEST = 1 << 30
"""Bytes of one record batch, which is in memory as a whole, at most."""


class Batch(NamedTuple):
    """One record batch of a file."""

    at: int
    """Where it begins, with the dictionaries that come before it."""
    rows: int
    codec: str | None


class ArrowStream:
    """The record batches of a stream; an Arrow file is one between magic bytes and a footer."""

    def __init__(self, raw: Any, columns: Sequence[str] | None = None) -> None:
        import pyarrow as pa

        self._raw, self._size = raw, raw.size()
        self.begin = 8 if raw.read(8).startswith(FILE) else 0
        raw.seek(max(0, self._size - len(FILE)))
        if self.begin and raw.read() != FILE:
            raise ValueError("it breaks off before its end")
        raw.seek(self.begin)
        self._reader = pa.ipc.open_stream(raw)
        names = self._reader.schema.names
        self._wanted = range(len(names)) if columns is None else [names.index(n) for n in columns if n in names] or [0]
        views = [pa.types.is_string_view(kind) for kind in self._reader.schema.types]
        # A view cannot be taken by rows.
        fields = [f.with_type(pa.large_string()) if v else f for f, v in zip(self._reader.schema, views, strict=True)]
        self.schema = pa.schema([fields[at] for at in self._wanted], self._reader.schema.metadata)
        self._first = raw.tell()

    def batches(self) -> Iterator[Batch]:
        """Where each lies, by the headers of the messages.

        Raises:
            ValueError: the file breaks off, or holds more than data of its size do.
        """
        begin = at = self._first
        rows, most = 0, max(CELLS, CELLS_PER_BYTE * self._size) // max(1, len(self.schema.names))
        while (head := self._at(at, 8)).startswith(STREAM) and (length := int.from_bytes(head[4:], "little")):
            if length > self._size:
                raise ValueError("it ends in the middle of a message")
            try:
                message = _Message(self._at(at + 8, length))
                body, end = at + 8 + length, at + 8 + length + message.size
                if message.size < 0 or end > self._size:
                    raise ValueError("it ends in the middle of a record batch")
                places = (body + place for place in message.packed)
                unpacked = message.size + sum(max(0, *struct.unpack("<q", self._at(place, 8))) for place in places)
            except (struct.error, IndexError) as error:
                raise ValueError("a record batch is damaged") from error
            rows += message.rows
            if unpacked > min(LARGEST, max(UNPACKED, 100 * message.size)) or rows > most:
                raise ValueError(
                    f"a record batch unpacks to {unpacked:,} bytes and {message.rows:,} rows: too large to read"
                )
            at = end
            if message.kind == RECORDS:
                yield Batch(begin, message.rows, message.codec)
                begin = at

    def read(self, batch: Batch) -> Any:
        """The wanted columns of a record batch, which may hold anything until it was checked."""
        import pyarrow as pa

        self._raw.seek(batch.at)
        record = self._reader.read_next_batch()
        record.validate(full=True)
        columns = [record.column(at) for at in self._wanted]
        return pa.RecordBatch.from_arrays(
            [
                c.cast(t) if pa.types.is_string_view(c.type) else c
                for c, t in zip(columns, self.schema.types, strict=True)
            ],
            schema=self.schema,
        )

    def _at(self, place: int, size: int) -> bytes:
        self._raw.seek(place)
        data: bytes = self._raw.read(size)
        return data


class _Message:
    """The header of a message, which is a FlatBuffers table."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        message = self._target(0)
        self.kind = self._number("B", message, 1)
        if self.kind not in {DICTIONARY, RECORDS}:
            raise ValueError("a message is no record batch")
        self.size = self._number("q", message, 3)
        batch = self._target(self._field(message, 2))
        if self.kind == DICTIONARY:
            batch = self._target(self._field(batch, 1))
        self.rows = self._number("q", batch, 0) if self.kind == RECORDS else 0
        compression = self._field(batch, 3)
        self.codec = CODECS[self._number("b", self._target(compression), 0)] if compression else None
        buffers = self._target(self._field(batch, 2))
        count = self._unpack("I", buffers) if compression else 0
        pairs = struct.iter_unpack("<qq", data[buffers + 4 : buffers + 4 + 16 * count])
        self.packed = [place for place, size in pairs if size]
        """Where in the body the buffers are that begin with the size to which they unpack."""

    def _unpack(self, kind: str, at: int) -> int:
        return int(struct.unpack_from(f"<{kind}", self._data, at)[0])

    def _target(self, at: int) -> int:
        """Where the offset at this place leads."""
        return at + self._unpack("I", at)

    def _field(self, table: int, number: int) -> int:
        """Where a field of a table is; 0 if it is left out."""
        form = table - self._unpack("i", table)
        held = 4 + 2 * number < self._unpack("H", form)
        inside = self._unpack("H", form + 4 + 2 * number) if held else 0
        return table + inside if inside else 0

    def _number(self, kind: str, table: int, number: int) -> int:
        at = self._field(table, number)
        return self._unpack(kind, at) if at else 0
