"""The features of a ``tf.train.Example``, read from its bytes: a few levels of the wire format of protocol buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Values = list[bytes] | list[float] | list[int]

MOST = 1_000_000
"""Values of one feature."""


class NoExample(ValueError):
    """The bytes are something else."""


def features_of(data: bytes) -> dict[str, Values]:
    """The features by name.

    Raises:
        NoExample: the bytes are no Example.
    """
    found: dict[str, Values] = {}
    for number, features in _messages(data):
        if number != 1:
            raise NoExample("a field that an Example does not have")
        for _, entry in _messages(features):
            parts = dict(_messages(entry))
            if 1 not in parts:
                raise NoExample("a feature without a name")
            try:
                name = parts[1].decode("utf-8")
            except UnicodeDecodeError as error:
                raise NoExample("a name that is no text") from error
            found[name] = _values(parts.get(2, b""))
    return found


def _values(feature: bytes) -> Values:
    for kind, inside in _messages(feature):
        if kind == 1:
            return [value for _, value in _messages(inside)]
        if kind == 2:
            return _floats(inside)
        if kind == 3:
            return _whole(inside)
        raise NoExample("a list of a kind that there is not")
    return []


def _floats(data: bytes) -> list[float]:
    found: list[float] = []
    for _, wire, value in wire_fields(data):
        if wire not in {2, 5} or not isinstance(value, bytes) or len(value) % 4:
            raise NoExample("no floats")
        found += np.frombuffer(value, "<f4").tolist()
    return found


def _whole(data: bytes) -> list[int]:
    found: list[int] = []
    for _, wire, value in wire_fields(data):
        if wire == 0 and isinstance(value, int):
            found.append(_signed(value))
        elif wire == 2 and isinstance(value, bytes):
            at = 0
            while at < len(value):
                number, at = _varint(value, at)
                found.append(_signed(number))
        else:
            raise NoExample("no whole numbers")
        if len(found) > MOST:
            raise NoExample("more values than are read")
    return found


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    for number, wire, value in wire_fields(data):
        if wire != 2 or not isinstance(value, bytes):
            raise NoExample("a number where a message should be")
        yield number, value


def wire_fields(data: bytes) -> Iterator[tuple[int, int, bytes | int]]:
    """The fields of any message: number, kind on the wire, and value.

    Raises:
        NoExample: the bytes are no message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, wire, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in {1, 5}:
            size = 8 if wire == 1 else 4
        else:
            raise NoExample("a kind of field that there is not")
        if size > len(data) - at:
            raise NoExample("a field that is longer than what holds it")
        yield key >> 3, wire, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1), at
        shift += 7
    raise NoExample("a number that does not end")


def example(features: Mapping[str, Sequence[bytes | float | int]]) -> bytes:
    """The bytes of an Example, its features by name."""
    out = b""
    for name, values in features.items():
        if values and isinstance(values[0], bytes):
            inside = _told(1, b"".join(_told(1, value) for value in values if isinstance(value, bytes)))
        elif values and isinstance(values[0], float):
            inside = _told(2, _told(1, np.array(values, "<f4").tobytes()))
        else:
            inside = _told(
                3, _told(1, b"".join(_packed(int(value)) for value in values if not isinstance(value, bytes)))
            )
        out += _told(1, _told(1, name.encode("utf-8", "replace")) + _told(2, inside))
    return _told(1, out)


def _told(number: int, data: bytes) -> bytes:
    return _packed(number << 3 | 2) + _packed(len(data)) + data


def _packed(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
