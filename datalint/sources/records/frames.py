"""The frames of TFRecord files: length, checksum of the length, data, checksum of the data."""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING

from datalint.sources.records.checksums import crc32c, crc32c_of_few, masked

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = struct.Struct("<QI")
MAX_RECORD = 512 << 20
"""Bytes of a record that is read."""

GROUP, GROUP_BYTES = 512, 8 << 20
"""Records, and their bytes, that are checked together."""


class Broken(ValueError):
    """The message says where and how the file breaks off."""


def groups(stream: IO[bytes], *, check: bool = True) -> Iterator[list[bytes]]:
    """The records of a file, some at a time.

    Raises:
        Broken: it ends within a record, or a checksum is another; those before it were given.
        OSError: it cannot be read.
    """
    number = 0
    while True:
        records, sums, why = _group(stream, number)
        good = _checked(records, sums) if check and records else len(records)
        if good:
            yield records[:good]
        number += good
        if good < len(records):
            raise Broken(f"the checksum of record {number:,} is another than that of its data")
        if why:
            raise Broken(why)
        if not records:
            return


def _group(stream: IO[bytes], number: int) -> tuple[list[bytes], list[int], str]:
    records: list[bytes] = []
    sums: list[int] = []
    held = 0
    while len(records) < GROUP and held < GROUP_BYTES:
        head = stream.read(HEAD.size)
        at = number + len(records)
        if not head:
            return records, sums, ""
        if len(head) < HEAD.size:
            return records, sums, f"ends within the length of record {at:,}"
        size, told = HEAD.unpack(head)
        if masked(crc32c_of_few(head[:8])) != told:
            return records, sums, f"the checksum of the length of record {at:,} is another: damaged, or no TFRecord"
        if size > MAX_RECORD:
            return records, sums, f"record {at:,} has {size:,} bytes: not read"
        data = stream.read(size + 4)
        if len(data) < size + 4:
            return records, sums, f"ends within record {at:,}: {len(data):,} of its {size + 4:,} bytes are there"
        records.append(data[:size])
        sums.append(int.from_bytes(data[size:], "little"))
        held += size
    return records, sums, ""


def _checked(records: list[bytes], sums: list[int]) -> int:
    """How many records come before the first whose checksum is another."""
    found = crc32c(records).tolist()
    return next((k for k, (own, told) in enumerate(zip(found, sums, strict=True)) if masked(own) != told), len(records))


def starts_as_frame(start: bytes) -> bool:
    """Whether a file begins as a TFRecord file does."""
    if len(start) < HEAD.size:
        return False
    size, told = HEAD.unpack(start[: HEAD.size])
    return bool(size <= MAX_RECORD and masked(crc32c_of_few(start[:8])) == told)


def frame(data: bytes) -> bytes:
    """A record as it is stored."""
    length = struct.pack("<Q", len(data))
    sums = [masked(checksum).to_bytes(4, "little") for checksum in crc32c([length, data]).tolist()]
    return length + sums[0] + data + sums[1]
