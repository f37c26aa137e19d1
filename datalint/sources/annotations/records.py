"""A file that describes many pictures, whatever its format: its pictures and their objects as they come."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.core.annotations import MALFORMED, UNDECLARED, ObjectBlock, objects_of
from datalint.sources import files
from datalint.sources.annotations.shapes import LONGEST, NOTHING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from datalint.core.annotations import Form
    from datalint.sources.files import Entry


@dataclass
class Records:
    """What the file says; boxes are in pixels unless they are ``shares``."""

    entry: Entry
    form: Form = "corners"
    lines: bool = False
    shares: bool = False
    reading: str = ""
    names: list[str] = field(default_factory=list)
    """Of the pictures, as they are listed."""
    class_names: list[str] = field(default_factory=list)
    numbered: ClassVar[Mapping[Hashable, str]] = {}
    problem: str = ""
    boxless: int = 0
    _sizes: array[int] = field(default_factory=lambda: array("i"))
    _kinds: dict[str, int] = field(default_factory=dict)
    _of: array[int] = field(default_factory=lambda: array("q"))
    _kind: array[int] = field(default_factory=lambda: array("i"))
    _boxes: array[float] = field(default_factory=lambda: array("d"))
    _refs: array[int] = field(default_factory=lambda: array("q"))
    _flags: bytearray = field(default_factory=bytearray)

    def picture(self, name: str, width: int = 0, height: int = 0) -> int:
        """Take in a picture; its position."""
        self.names.append(name)
        self._sizes.extend((width, height))
        return len(self.names) - 1

    def add(self, at: int, name: str, corners: Sequence[float] | None, ref: int, flags: int = 0) -> None:
        """Take in an object of the picture at some position; without corners its box is malformed."""
        self._boxes.extend(corners or NOTHING)
        self._of.append(at)
        self._kind.append(self._kinds.setdefault(files.printable(name[:LONGEST]), len(self._kinds)))
        self._refs.append(ref)
        self._flags.append(flags | (0 if corners else MALFORMED))

    def __len__(self) -> int:
        return len(self._flags)

    def dangling(self) -> Mapping[Hashable, int]:
        """Objects of pictures that are not listed: none, as they stand with their picture."""
        return {}

    def objects(self, kept: Sequence[int]) -> ObjectBlock:
        """The objects in the pictures at some of the positions."""
        order, picture = objects_of(np.array(self._of, np.int64), kept, len(self.names))
        declared = set(self.class_names)
        strange = np.array([bool(declared) and name not in declared for name in self._kinds] or [False])
        codes = np.array(self._kind, np.int32)[order]
        return ObjectBlock(
            picture,
            np.array(self._boxes).reshape(-1, 4)[order],
            codes,
            list(self._kinds),
            np.array(self._refs, np.int64)[order],
            np.frombuffer(bytes(self._flags), np.uint8)[order]
            | np.where(strange[codes], UNDECLARED, 0).astype(np.uint8),
            np.array(self._sizes, np.int32).reshape(-1, 2)[list(kept)],
            np.ones(len(kept), np.bool_),
        )
