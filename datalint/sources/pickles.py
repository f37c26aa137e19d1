"""What lies in a pickle of plain values and arrays, worked out without running any of it.

Pickles are programs: the names in them are looked up and called. Here nothing is looked up: the few that build arrays,
numbers and bytes are known by name, and any other ends the reading.
"""

from __future__ import annotations

import io
import pickletools
import struct
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 30
"""A larger pickle is not opened: it must be in memory as a whole."""

MAX_STEPS = 20_000_000
"""Steps of the program that are followed."""

_NUMPY = frozenset({"numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric"})


_DAMAGE = (
    *(ValueError, TypeError, IndexError, KeyError, AttributeError),
    *(OverflowError, MemoryError, RecursionError, struct.error),
)
"""What following a program that makes no sense raises."""


class NotPlain(ValueError):
    """The message says what the pickle holds that is not opened, or what is wrong with it."""


def is_pickle(data: bytes) -> bool:
    """Whether bytes begin and end as a pickle does."""
    return len(data) > 3 and data[0] == 0x80 and 2 <= data[1] <= 5 and data.endswith(b".")


def load_plain(path: Path) -> Any:
    """The dicts, lists, texts, bytes, numbers and arrays of numbers in a pickle file.

    Raises:
        NotPlain: it holds anything else, or is damaged.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise NotPlain(f"a pickle of more than {MAX_BYTES:,} bytes")
    return load_bytes(data)


Call = Callable[[str, str, Any], Any]
"""Makes what a call of a module's name with these arguments stands for; NotImplemented if it knows none."""


def load_bytes(data: bytes, call: Call | None = None, outside: Callable[[Any], Any] | None = None) -> Any:
    """The same of bytes.

    Args:
        data: the pickle.
        call: knows further calls than those that build arrays, numbers and bytes.
        outside: makes what a reference to something outside the pickle stands for.

    Raises:
        NotPlain: as above.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the texts in damaged ones
            return _Reader(data, call, outside).value()
    except NotPlain:
        raise
    except _DAMAGE as error:
        raise NotPlain("a damaged pickle") from error


class _Mark:
    """Where a run of values on the stack begins."""


class _Name:
    """A name that a pickle would look up."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Array:
    """An array whose values have not come yet."""

    def __init__(self) -> None:
        self.value: Any = None


class _Type:
    """A type of numbers whose byte order has not come yet."""

    def __init__(self, name: str) -> None:
        self.dtype = _plain_type(name)


def _plain_type(name: object) -> np.dtype[Any]:
    dtype = np.dtype(name) if isinstance(name, str) else None
    if dtype is None or dtype.kind not in "biufS" or dtype.itemsize == 0:
        raise NotPlain("an array of other values than numbers and bytes")
    return dtype


class _Reader:
    """Follows the program of a pickle on a stack of plain values."""

    def __init__(self, data: bytes, call: Call | None, outside: Callable[[Any], Any] | None) -> None:
        self._data = data
        self._call, self._outside = call, outside
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def value(self) -> Any:
        """What it builds."""
        for steps, (code, argument, _) in enumerate(pickletools.genops(io.BytesIO(self._data))):
            if steps > MAX_STEPS:
                raise NotPlain(f"a pickle of more than {MAX_STEPS:,} steps")
            if code.name == "STOP":
                return _plain(self._stack.pop())
            if code.name in _VALUES:
                self._stack.append(_VALUES[code.name](argument))
            elif code.name in _RUNS:
                values = self._run()
                _RUNS[code.name](self._stack, values)
            elif code.name == "REDUCE":
                arguments, called = self._stack.pop(), self._stack.pop()
                self._stack.append(_built(called, arguments, self._call))
            elif code.name == "BINPERSID" and self._outside is not None:
                self._stack.append(self._outside(self._stack.pop()))
            elif code.name in _ENDS:
                _ENDS[code.name](self._stack)
            elif code.name not in {"PROTO", "FRAME"}:
                self._remember(code.name, argument)
        raise NotPlain("a damaged pickle")

    def _remember(self, name: str, argument: Any) -> None:
        if name in {"PUT", "BINPUT", "LONG_BINPUT"}:
            self._memo[argument] = self._stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1]
        elif name in {"GET", "BINGET", "LONG_BINGET"}:
            self._stack.append(self._memo[argument])
        else:
            raise NotPlain(f"a pickle with the step {name}, so it is not opened")

    def _run(self) -> list[Any]:
        """The values since the last mark."""
        at = len(self._stack) - 1
        while not isinstance(self._stack[at], _Mark):
            at -= 1
        values = self._stack[at + 1 :]
        del self._stack[at:]
        return values


def _extend(stack: list[Any], values: list[Any]) -> None:
    if type(stack[-1]) is not list:
        raise NotPlain("a damaged pickle")
    stack[-1].extend(values)


def _update(stack: list[Any], values: list[Any]) -> None:
    if type(stack[-1]) is not dict or len(values) % 2:
        raise NotPlain("a damaged pickle")
    stack[-1].update(zip(values[::2], values[1::2], strict=True))


def _named(stack: list[Any]) -> None:
    name, module = stack.pop(), stack.pop()
    stack.append(_Name(str(module), str(name)))


def _build(stack: list[Any]) -> None:
    state, owner = stack.pop(), stack.pop()
    stack.append(_completed(owner, state))


def _tuple(stack: list[Any], count: int) -> None:
    stack[-count:] = [tuple(stack[-count:])]


def _set_item(stack: list[Any]) -> None:
    value, key = stack.pop(), stack.pop()
    _update(stack, [key, value])


_VALUES: dict[str, Callable[[Any], Any]] = {
    "MARK": lambda _: _Mark(),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_DICT": lambda _: {},
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
    "GLOBAL": lambda names: _Name(*names.split(" ", 1)),
    **dict.fromkeys(
        (
            *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
            *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
            *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
        ),
        lambda value: value,
    ),
}
"""Steps that put a value on the stack."""

_RUNS: dict[str, Callable[[list[Any], list[Any]], None]] = {
    "TUPLE": lambda stack, values: stack.append(tuple(values)),
    "LIST": lambda stack, values: stack.append(values),
    "DICT": lambda stack, values: stack.append(dict(zip(values[::2], values[1::2], strict=True))),
    "APPENDS": _extend,
    "SETITEMS": _update,
}
"""Steps that take all values since the last mark."""

_ENDS: dict[str, Callable[[list[Any]], None]] = {
    "STACK_GLOBAL": _named,
    "BUILD": _build,
    "TUPLE1": lambda stack: _tuple(stack, 1),
    "TUPLE2": lambda stack: _tuple(stack, 2),
    "TUPLE3": lambda stack: _tuple(stack, 3),
    "APPEND": lambda stack: _extend(stack, [stack.pop()]),  # taken off before the list is looked at
    "SETITEM": _set_item,
}
"""Steps that take the values at the end of the stack."""


def _built(called: object, arguments: Any, call: Call | None) -> Any:
    if not isinstance(called, _Name):
        raise NotPlain("a damaged pickle")
    if call is not None and (made := call(called.module, called.name, arguments)) is not NotImplemented:
        return made
    numpy = called.module in _NUMPY
    if numpy and called.name == "_reconstruct":
        return _Array()
    if numpy and called.name == "scalar":
        kind, data = arguments
        return np.frombuffer(_bytes(data), kind.dtype, 1)[0].item()
    if numpy and called.name == "_frombuffer":
        data, kind, shape, order = arguments
        return np.frombuffer(_bytes(data), kind.dtype).reshape(shape, order="F" if order == "F" else "C")
    if (called.module, called.name) == ("numpy", "dtype"):
        return _Type(_text(arguments[0]))
    if (called.module, called.name) == ("_codecs", "encode") and _text(arguments[1]) == "latin1":
        return arguments[0].encode("latin-1")
    if called.name == "bytes" and not arguments:
        return b""
    raise NotPlain(f"a pickle that would call {called.module}.{called.name}, so it is not opened")


def _completed(owner: object, state: Any) -> Any:
    """What a state makes of an object: of arrays and their types alone."""
    if isinstance(owner, _Type):
        if _text(state[1]) == ">":
            owner.dtype = owner.dtype.newbyteorder(">")
        return owner
    if isinstance(owner, _Array):
        _, shape, kind, fortran, data = state
        if not isinstance(kind, _Type):
            raise NotPlain("an array of other values than numbers and bytes")
        owner.value = np.frombuffer(_bytes(data), kind.dtype).reshape(shape, order="F" if fortran else "C")
        return owner
    if isinstance(owner, dict):  # what an ordered one knows besides its items
        return owner
    raise NotPlain("a pickle of objects, so it is not opened")


def _text(value: object) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def _bytes(value: object) -> bytes | bytearray:
    """Bytes, which Python 2 wrote as its texts."""
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, (bytes, bytearray)):
        return value
    raise NotPlain("a damaged pickle")


def _plain(value: Any) -> Any:
    """The value with its arrays in place; only the outer dict and its values are looked at."""
    if isinstance(value, dict):
        return {key: _plain_inner(item) for key, item in value.items()}
    return _plain_inner(value)


def _plain_inner(value: Any) -> Any:
    if isinstance(value, _Array):
        value = value.value
    if isinstance(value, (_Name, _Type, _Mark)) or value is None:
        raise NotPlain("a damaged pickle")
    return value
