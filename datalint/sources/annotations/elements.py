"""XML of annotation tools, element by element: no tree is built, and no document type is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from xml.parsers import expat

from datalint.sources.annotations.shapes import LONGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEEPEST = 50


class Elements(ABC):
    """Takes in the elements of one file through ``parser``.

    What it does not take raises a ValueError there, whose message says what the file may not have.
    """

    def __init__(self) -> None:
        self.path: list[str] = []
        """The names of the elements that are open, outermost first."""
        self._text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        # Entities could make a small file very large, or read others; no writer of such files declares any.
        self.parser.StartDoctypeDeclHandler = _refuse

    @abstractmethod
    def begin(self, tag: str, given: Mapping[str, str]) -> None:
        """An element begins, the last of ``path``."""

    @abstractmethod
    def end(self, tag: str, text: str) -> None:
        """An element ends, still the last of ``path``; ``text`` is the last that stood in it, cut and without blanks around it."""

    def _start(self, tag: str, given: Mapping[str, str]) -> None:
        self.path.append(tag)
        self._text = []
        if len(self.path) > _DEEPEST:
            raise ValueError("elements are nested too deeply")
        self.begin(tag, given)

    def _characters(self, text: str) -> None:
        if len(self._text) < LONGEST:
            self._text.append(text[:LONGEST])

    def _end(self, tag: str) -> None:
        text, self._text = "".join(self._text).strip()[:LONGEST], []
        self.end(tag, text)
        self.path.pop()


def _refuse(*_: object) -> None:
    raise ValueError("a document type, which may declare entities, is not read")
