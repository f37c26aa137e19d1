"""Measurements as bytes and back, without pickle: a stored state can only ever become numbers, texts and our own records.

Layout: magic, length of the JSON tree, JSON tree, the bytes of the arrays it points to. The cache adds a checksum.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import struct
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datalint.measures.base import Measurement
from datalint.measures.spool import Spooled

MAGIC = b"datalint-state/1\n"
if TYPE_CHECKING:
    from numpy.typing import NDArray

_TRUSTED = ("datalint.measures.", "datalint.core.dataset.", "datalint.core.problem.")


class Damaged(ValueError):
    """The bytes are not a whole stored state."""


def freeze(value: Any) -> bytes:
    """Bytes of a tree of plain values, arrays and datalint's own records.

    Raises:
        TypeError: something in the tree is neither; such a state is not kept.
    """
    arrays = _Arrays()
    tree = json.dumps(_down(value, arrays), separators=(",", ":")).encode()
    return b"".join([MAGIC, struct.pack("<Q", len(tree)), tree, *arrays.parts])


def thaw(data: bytes) -> Any:
    """The value that :func:`freeze` was given.

    Raises:
        Damaged: the bytes were cut, changed, or come from another version.
    """
    if not data.startswith(MAGIC):
        raise Damaged("another format")
    body = data[len(MAGIC) :]
    try:
        (length,) = struct.unpack_from("<Q", body)
        return _up(json.loads(body[8 : 8 + length]), memoryview(body)[8 + length :])
    except Exception as error:  # bytes of any kind can go wrong anywhere
        raise Damaged(str(error)) from error


class _Arrays:
    """The bytes of arrays, put together once."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._size = 0

    def add(self, data: bytes) -> int:
        """Where in the whole these bytes stand."""
        start = self._size
        self.parts.append(data)
        self._size += len(data)
        return start


def _down(value: Any, arrays: _Arrays) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.generic):
        return _down(value.item(), arrays)
    if isinstance(value, float):
        return {"f": value.hex()}
    if isinstance(value, (list, tuple)):
        return {"t" if isinstance(value, tuple) else "l": [_down(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"d": [[_down(key, arrays), _down(item, arrays)] for key, item in value.items()]}
    if isinstance(value, Spooled):
        value = value.load()
    if isinstance(value, np.ndarray):
        return _array_down(value, arrays)
    kind = type(value)
    if f"{kind.__module__}.".startswith(_TRUSTED) and (
        dataclasses.is_dataclass(value) or isinstance(value, Measurement)
    ):
        names = [f.name for f in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else sorted(vars(value))
        return {
            "r": f"{kind.__module__}:{kind.__qualname__}",
            "v": {n: _down(getattr(value, n), arrays) for n in names},
        }
    raise TypeError(f"a {kind.__name__} cannot be stored")


def _array_down(value: NDArray[Any], arrays: _Arrays) -> dict[str, Any]:
    if value.dtype.hasobject:
        cells = value.ravel().tolist()
        if value.ndim == 1 and {*map(type, cells)} <= {str, type(None)}:
            # Texts come again and again: each is written once.
            at: dict[Any, int] = {}
            codes = np.fromiter((at.setdefault(cell, len(at)) for cell in cells), np.int32, len(cells))
            return {"s": [list(at), _down(codes, arrays)]}
        return {"o": [_down(item, arrays) for item in value.tolist()]}
    order: Literal["F", "C"] = (
        "F" if value.ndim > 1 and value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    )
    return {"a": [value.dtype.str, list(value.shape), order, arrays.add(value.tobytes(order))]}


def _record_up(tree: dict[str, Any], arrays: memoryview) -> Any:
    kind = _trusted(tree["r"])
    record = object.__new__(kind)
    if dataclasses.is_dataclass(kind) and tree["v"].keys() != {item.name for item in dataclasses.fields(kind)}:
        raise ValueError(f"other fields than a {kind.__name__} has")
    for name, value in tree["v"].items():
        object.__setattr__(record, name, _up(value, arrays))
    return record


def _up(tree: Any, arrays: memoryview) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "r" in tree:
        return _record_up(tree, arrays)
    ((tag, content),) = tree.items()
    if tag == "f":
        return float.fromhex(content)
    if tag in "tl":
        items = [_up(item, arrays) for item in content]
        return tuple(items) if tag == "t" else items
    if tag == "d":
        return {_up(key, arrays): _up(item, arrays) for key, item in content}
    if tag == "o":
        array = np.empty(len(content), dtype=object)
        array[:] = [_up(item, arrays) for item in content]
        return array
    if tag == "s":
        texts = np.empty(len(content[0]), dtype=object)
        texts[:] = content[0]
        return texts[_up(content[1], arrays)]
    if tag != "a":
        raise ValueError(tag)
    name, shape, order, start = content
    dtype = np.dtype(name)
    if dtype.hasobject:
        raise ValueError("objects are not stored as arrays")
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(arrays, dtype, count, start).reshape(shape, order=order).copy(order=order)


def _trusted(name: str) -> type[Any]:
    module, _, qualname = name.partition(":")
    if not f"{module}.".startswith(_TRUSTED):
        raise ValueError(f"{name} is not a stored kind of record")
    kind = getattr(importlib.import_module(module), qualname)
    if not (isinstance(kind, type) and (dataclasses.is_dataclass(kind) or issubclass(kind, Measurement))):
        raise ValueError(f"{name} is not a stored kind of record")
    return kind
