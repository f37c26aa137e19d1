"""Tensors in a file of ``torch.save``: its pickle is followed step by step and never run, and torch is not needed."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.sources.arrays.files import NotAnArray, NotLookedInto
from datalint.sources.arrays.safetensors import Tensor
from datalint.sources.files import reason
from datalint.sources.pickles import MAX_BYTES, NotPlain, load_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.sources.arrays.files import ArrayFile

STORAGES = {
    **{"DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": "u2", "BoolStorage": "b1"},
    **{"LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1"},
}
"""Types by the names of their storages; the bits of BFloat16 are the upper half of those of a float."""

DEPTH = 5


@dataclass(frozen=True)
class _Storage:
    """A run of values in a member of the archive."""

    kind: str
    key: str
    size: int


@dataclass(frozen=True)
class _Found:
    """A tensor as the pickle describes it."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def saved_tensors(path: Path) -> list[ArrayFile]:
    """The tensors in a file, by the names under which they were saved.

    Raises:
        NotAnArray: it is damaged, or holds more than tensors and plain values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {item.filename: item for item in archive.infolist()}
            home = next((name[: -len("data.pkl")] for name in members if name.endswith("/data.pkl")), None)
            if home is None:
                raise NotLookedInto("no file of torch.save that can be read without running it")
            item = members[f"{home}data.pkl"]
            if item.file_size > MAX_BYTES or (
                (order := members.get(f"{home}byteorder")) and archive.read(order) != b"little"
            ):
                raise NotLookedInto("a file of torch.save that is too large, or of a big-endian machine")
            content = load_bytes(archive.read(item), _made, _stored)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise NotLookedInto(f"no file of torch.save that can be read without running it: {reason(error)}") from error
    except NotPlain as error:
        raise NotLookedInto(f"{error}; save tensors alone, as a dict, to have them judged") from error
    tensors: dict[str, _Found] = {}
    _collect(content, "", tensors, 0)
    names = _names(tensors)
    return [_array(path, names[name], found, members, home) for name, found in tensors.items()]


def _names(tensors: dict[str, _Found]) -> dict[str, str]:
    """What the tensors are called: of a pair the second is the label if it holds one value for each of the first."""
    found = {name: name for name in tensors}
    for name, tensor in tensors.items():
        base, dot, last = name.rpartition(".")
        inputs = tensors.get(f"{base}{dot}0")
        pair = last == "1" and inputs is not None and f"{base}{dot}2" not in tensors
        if pair and len(tensor.shape) == 1 and inputs is not None and inputs.shape[:1] == tensor.shape:
            found |= {f"{base}{dot}0": f"{base}{dot}data", name: f"{base}{dot}targets"}
    return found


def _collect(value: Any, name: str, found: dict[str, _Found], depth: int) -> None:
    if isinstance(value, _Found):
        found[name or "data"] = value
    elif isinstance(value, dict) and depth < DEPTH:
        for key, inside in value.items():
            _collect(inside, f"{name}.{key}" if name else str(key), found, depth + 1)
    elif isinstance(value, (list, tuple)) and depth < DEPTH:
        for k, inside in enumerate(value):
            _collect(inside, f"{name}.{k}" if name else str(k), found, depth + 1)


def _stored(identity: Any) -> _Storage:
    """What a reference to something outside the pickle means."""
    if isinstance(identity, tuple) and len(identity) == 5 and identity[0] == "storage":
        _, kind, key, _, size = identity
        name = getattr(kind, "name", "")
        if name in STORAGES and isinstance(key, str) and isinstance(size, int):
            return _Storage(name, key, size)
    raise NotPlain("a pickle that refers to something else than values of tensors, so it is not opened")


def _made(module: str, name: str, arguments: Any) -> Any:
    """What a call of torch makes; NotImplemented for any other."""
    if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
        storage, offset, shape, strides = arguments[:4]
        whole = [offset, *shape, *strides] if isinstance(shape, tuple) and isinstance(strides, tuple) else [None]
        if isinstance(storage, _Storage) and all(type(n) is int and 0 <= n < 1 << 62 for n in whole):
            return _Found(storage, offset, shape, strides)
        raise NotPlain("a damaged pickle")
    if (module, name) == ("torch._utils", "_rebuild_parameter"):
        return arguments[0]
    if (module, name) == ("collections", "OrderedDict") and not arguments:
        return {}
    return NotImplemented


def _array(path: Path, name: str, found: _Found, members: dict[str, zipfile.ZipInfo], home: str) -> Tensor:
    half = found.storage.kind == "BFloat16Storage"
    stored = np.dtype("<" + STORAGES[found.storage.kind])
    item = members.get(f"{home}data/{found.storage.key}")
    if item is None or item.compress_type != zipfile.ZIP_STORED:
        raise NotAnArray(f"the values of {name!r} are not there")
    count = math.prod(found.shape)
    if (found.offset + count) * stored.itemsize > item.file_size:
        raise NotAnArray(f"{name!r} breaks off: {' x '.join(map(str, found.shape))} values are promised")
    if count and found.strides != _in_rows(found.shape) and _spread(found):
        raise NotLookedInto(f"{name!r} does not lie row by row: save it after .contiguous()")
    start = _begin(path, item) + found.offset * stored.itemsize
    return Tensor(path, name, found.shape, "<f4" if half else stored.str, start=start, half=half)


def _in_rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def _spread(found: _Found) -> bool:
    """Whether the strides differ along an axis of more than one item."""
    wanted = _in_rows(found.shape)
    if len(found.strides) != len(wanted):
        return True
    return any(size > 1 and own != row for size, own, row in zip(found.shape, found.strides, wanted, strict=True))


def _begin(path: Path, item: zipfile.ZipInfo) -> int:
    """Where the bytes of a member lie in the file."""
    with path.open("rb") as file:
        file.seek(item.header_offset)
        head = file.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise NotAnArray("a damaged archive")
    return item.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
