"""Objects drawn in pictures: boxes with their classes, and what their files say of the data set as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CROWD: Final = 1
"""Stands for a crowd of objects."""
MALFORMED: Final = 2
"""Its box is no four numbers."""
OUTLINED: Final = 8
"""It is drawn as an outline or a mask, of which the box is what encloses it."""
OTHER_SIZE: Final = 16
"""Its mask has another size than its picture is declared to have."""
UNSEEN: Final = 32
"""Its keypoints have places, and are said to be absent."""
Form = Literal["corners", "sizes", "centres"]
"""Left, top, right and bottom; left, top, width and height; centre, width and height."""

PER_OBJECT: Final = "each picture has objects, and no label of its own"
"""Why a data set of annotated pictures has no label."""

PER_PIXEL: Final = "each picture has a mask, and no label of its own"
"""Why a data set of pictures with masks has none."""

UNDECLARED: Final = 4
"""Its class is not among those that are declared; its name is the number in the file."""


@dataclass(frozen=True, eq=False)
class ObjectBlock:
    """The objects in some pictures; arrays have one entry per object, in the order of the pictures, unless they say otherwise."""

    picture: NDArray[np.int64]
    """Position of its picture among these."""
    boxes: NDArray[np.float64]
    """[objects, 4] left, top, right and bottom in pixels from the top left corner; NaN where no number stands."""
    codes: NDArray[np.int32]
    """Index into ``classes``."""
    classes: list[str]
    refs: NDArray[np.int64]
    """What its file knows it by: an id, a line, or its number; -1 for nothing."""
    flags: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    """[pictures, 2] width and height that the annotations declare; zeros for none."""
    described: NDArray[np.bool_]
    """[pictures] whether an entry or a file says what is in it, be it nothing."""

    def cut(self, start: int, stop: int) -> ObjectBlock:
        """Those in some consecutive pictures."""
        low, high = np.searchsorted(self.picture, [start, stop])
        part = slice(low, high)
        return ObjectBlock(
            self.picture[part] - start,
            self.boxes[part],
            self.codes[part],
            self.classes,
            self.refs[part],
            self.flags[part],
            self.sizes[start:stop],
            self.described[start:stop],
        )


def objects_of(of: NDArray[np.int64], kept: Sequence[int], listed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The objects of some of the pictures that are listed, picture by picture.

    Args:
        of: [objects] position of the picture of each among those listed, -1 for none.
        kept: positions of the pictures that are wanted.
        listed: how many there are.

    Returns:
        Which objects these are, and for each which of the kept pictures is its own.
    """
    place = np.full(listed + 1, -1, np.int64)  # the last stands for no picture
    place[list(kept)] = np.arange(len(kept))
    picture = place[of]
    order = np.argsort(picture, kind="stable")
    order = order[picture[order] >= 0]
    return order, picture[order]


@dataclass(frozen=True, eq=False)
class MaskBlock:
    """The masks of some pictures; arrays have one entry per picture, unless they say otherwise."""

    size: NDArray[np.int32]
    """[pictures, 2] width and height as stored; zeros where there is none, or none that can be read."""
    mode: list[str]
    """Pillow's name for the pixel format; empty where there is none."""
    format: list[str]
    """Pillow's name for the file format."""
    distinct: NDArray[np.int32]
    """How many values it has, of colours the triples."""
    picture: NDArray[np.int64]
    """[values] Position of its picture among these."""
    values: NDArray[np.int64]
    """[values] The most frequent of each mask, in order; of colours red, green and blue as one number."""
    pixels: NDArray[np.int64]
    """[values] How many pixels have it."""


@dataclass(frozen=True)
class Gap:
    """A picture without an entry among the annotations, or an entry without its picture."""

    kind: Literal["absent", "dangling", "orphan", "unlisted"]
    """A listed picture that is not there; an object of a picture that is not listed; a file of annotations without its
    picture; a picture that no file lists."""
    split: str
    path: str
    what: str


@dataclass(frozen=True)
class Annotations:
    """What the files of annotations say before any picture is read."""

    classes: tuple[str, ...]
    """Declared names in their order."""
    gaps: tuple[Gap, ...] = ()
    listed: Mapping[str, int] = field(default_factory=dict)
    """Pictures that are listed, by split."""
    objects: Mapping[str, int] = field(default_factory=dict)
    """Objects, those of pictures that are not listed included, or files that hold them, by split."""
    form: Form = "corners"
    """What the four numbers of a box are in its file."""
    shares: bool = False
    """Whether they are shares of the picture, and not pixels."""
    identified: frozenset[str] = frozenset()
    """Splits whose objects have ids, no two of them the same."""
    contradictions: tuple[str, ...] = ()
    """Where two lists of classes disagree, in words."""
