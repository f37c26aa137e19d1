"""The objects that are drawn in pictures: boxes, classes, and the sizes of pictures that annotations declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from datalint.measures.base import Measurement, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch


class Objects(Measurement):
    """Every object and every declared size; some 40 bytes for each object. Boxes are told apart to a 1,000th of a pixel."""

    reads: ClassVar[frozenset[Aspect]] = frozenset({"annotations"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.picture = np.zeros(0, np.int64)
        """Position of its picture in the split."""
        self.boxes = np.zeros((0, 4), np.float32)
        """Left, top, right and bottom in pixels; NaN where no number stands."""
        self.codes: NDArray[np.int32] = np.zeros(0, np.int32)
        """Index into ``classes``."""
        self.classes: list[str] = []
        """Those that occur."""
        self.refs = np.zeros(0, np.int64)
        """What its file knows an object by; -1 for nothing."""
        self.flags = np.zeros(0, np.uint8)
        self.sizes = np.zeros((0, 2), np.int32)
        """[pictures, 2] declared width and height; zeros for none."""
        self.described = np.zeros(0, np.bool_)
        """[pictures] whether anything says what is in it."""

    def update(self, batch: Batch) -> None:
        """Take in one batch."""
        part = type(self)(self.settings)
        part.samples, part.sizes = batch.size, np.zeros((batch.size, 2), np.int32)
        part.described = np.zeros(batch.size, np.bool_)
        block = batch.objects
        if block is not None:
            used, codes = np.unique(block.codes, return_inverse=True)
            part.codes = codes.astype(np.int32)
            part.classes = [block.classes[code] for code in used]
            with np.errstate(over="ignore"):
                part.boxes = block.boxes.astype(np.float32)
            part.picture, part.refs, part.flags, part.sizes = block.picture, block.refs, block.flags, block.sizes
            part.described = block.described
        self.merge(part)

    def merge(self, later: Self) -> Self:
        """Append."""
        self.picture = np.concatenate([self.picture, later.picture + self.samples])
        self.boxes = np.concatenate([self.boxes, later.boxes])
        at = {name: code for code, name in enumerate(self.classes)}
        table = np.array([at.setdefault(name, len(at)) for name in later.classes], np.int32)
        self.codes = np.concatenate([self.codes, table[later.codes]])
        self.classes = list(at)
        self.refs = np.concatenate([self.refs, later.refs])
        self.flags = np.concatenate([self.flags, later.flags])
        self.sizes = np.concatenate([self.sizes, later.sizes])
        self.described = np.concatenate([self.described, later.described])
        self.samples += later.samples
        return self

    def close(self) -> Self:
        """Order the classes by name."""
        order = sorted(range(len(self.classes)), key=self.classes.__getitem__)
        rank = np.zeros(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        self.codes = rank[self.codes]
        self.classes = [self.classes[code] for code in order]
        return self
