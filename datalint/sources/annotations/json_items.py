"""JSON files of any size, item by item."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1 << 20
"""Characters that are read at a time."""

LONGEST = 64 << 20
"""Characters of one item: more than the outline of any object takes."""

_BLANKS = re.compile(r"[ \t\n\r]*")


class Text(Protocol):
    """What a text is read from."""

    def read(self, size: int, /) -> str:
        """So many characters, or fewer at the end."""


class Written(str):
    """An object as it is written in a file."""

    __slots__ = ()


class BrokenJson(ValueError):
    """The message says what is wrong, and where."""


def json_items(text: Text) -> Iterator[tuple[str, Any]]:
    """The members of the object that a file holds: each item of a list by itself, with the name of the list.

    Raises:
        BrokenJson: it is something else, breaks off, or an item is too large; what came before it is good.
    """
    reader = _Reader(text)
    reader.expect("{")
    return ((name, value) for name, _, value in _members(reader))


def json_members(text: Text, *, written: bool = False) -> Iterator[tuple[str, bool, Any]]:
    """The same of an object or a list, whose items have the name "", with whether each is the item of a list.

    Args:
        text: where it is read from.
        written: whether objects in lists are given as they are written instead.

    Raises:
        BrokenJson: as above.
    """
    reader = _Reader(text, written)
    if reader.peek() == "[":
        yield from (("", True, value) for value in _items(reader))
        return
    reader.expect("{")
    yield from _members(reader)


def _items(reader: _Reader) -> Iterator[Any]:
    try:
        reader.expect("[")
        mark = reader.peek()
        while mark != "]":
            yield reader.item(mark)
            mark = reader.between("]")
        reader.expect("]")
    except RecursionError as error:
        raise BrokenJson("nested too deeply") from error


def _members(reader: _Reader) -> Iterator[tuple[str, bool, Any]]:
    try:
        while reader.peek() != "}":
            name = reader.value()
            if not isinstance(name, str):
                raise BrokenJson("a member without a name")
            reader.expect(":")
            if reader.peek() == "[":
                yield from ((name, True, value) for value in _items(reader))
            else:
                yield name, False, reader.value()
            reader.between("}")
    except RecursionError as error:
        raise BrokenJson("nested too deeply") from error


class _Reader:
    """A window that moves over the text."""

    def __init__(self, file: Text, written: bool = False) -> None:
        self._file, self._written = file, written
        self._decode = json.JSONDecoder().raw_decode
        self._text, self._at, self._before = "", 0, 0

    def _fill(self) -> bool:
        """Move on; False at the end of the file."""
        more = self._file.read(max(PIECE, len(self._text) - self._at))
        self._before += self._at
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)

    def peek(self) -> str:
        """The next character that is not blank."""
        if self._at < len(self._text) and (mark := self._text[self._at]) not in " \t\n\r":
            return mark
        while True:
            if blanks := _BLANKS.match(self._text, self._at):
                self._at = blanks.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                raise BrokenJson("the file breaks off")

    def expect(self, mark: str) -> None:
        """Pass over a mark."""
        if self.peek() != mark:
            raise BrokenJson(f"no {mark!r} at character {self._before + self._at:,}")
        self._at += 1

    def between(self, end: str) -> str:
        """Pass over the comma before another item; the next character."""
        mark = self.peek()
        if mark != end:
            self.expect(",")
            mark = self.peek()
            if mark == end:
                raise BrokenJson(f"a comma before {end!r} at character {self._before + self._at:,}")
        return mark

    def item(self, mark: str) -> Any:
        """The next item of a list, which begins so, or the text of it if it is an object and that is what is wanted."""
        if not self._written or mark != "{":
            return self._value()
        before = self._before + self._at
        self._value()
        # What was read is in the window until more is.
        return Written(self._text[before - self._before : self._at])

    def value(self) -> Any:
        """The next value."""
        self.peek()
        return self._value()

    def _value(self) -> Any:
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # Broken, or not all there yet.
                if len(self._text) - self._at > LONGEST:
                    raise BrokenJson(f"no end of the value at character {self._before + self._at:,}") from error
                at = self._before + error.pos
                if not self._fill():
                    cut = at >= self._before + len(self._text) or error.msg.startswith("Unterminated")
                    raise BrokenJson("the file breaks off" if cut else f"{error.msg} at character {at:,}") from error
            except ValueError as error:  # a number of thousands of digits
                raise BrokenJson(f"no number at character {self._before + self._at:,}") from error
            else:
                # A number may go on, even where it is followed by ".", "e" or "e+".
                open_end = end + 2 >= len(self._text) if isinstance(value, (int, float)) else end == len(self._text)
                size = end - self._at
                if not open_end or not self._fill():
                    self._at += size
                    return value
