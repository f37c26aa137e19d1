"""Image files with a mask for each: a picture of the same size whose values are classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from datalint.sources.annotations.drawing import mask_over
from datalint.sources.annotations.mask_values import Mask, block_of, marked_in, nothing_drawn, read_mask
from datalint.sources.files import inside, printable
from datalint.sources.images import decode
from datalint.sources.images.files import ImagePartition
from datalint.sources.places import reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect, Batch, Problem
    from datalint.sources.annotations.drawing import Drawn


@dataclass(frozen=True)
class MaskedImages(ImagePartition):
    """Image files with the mask of each."""

    masks: tuple[str, ...] = ()
    """Path of each mask; empty for none."""

    aligned: ClassVar[tuple[str, ...]] = (*ImagePartition.aligned, "masks")

    @property
    def files_read(self) -> tuple[str, ...]:
        """Pictures and masks."""
        base = str(self.base)
        return (*super().files_read, *(inside(base, name) for name in self.masks if name))

    def note(self, line: int) -> str:
        """What people call the mask of a picture; empty if there is none."""
        return printable(self.masks[line])

    def drawn(self, line: int) -> Drawn | None:
        """What its mask marks over the small picture."""
        try:
            return mask_over(decode.content(reach(self.base, self.masks[line]))) if self.masks[line] else None
        except OSError:
            return None

    def marked(self, line: int, most: int) -> NDArray[np.float64]:
        """The boxes around the largest parts that its mask marks, in shares of the picture."""
        name = self.masks[line]
        try:
            data = decode.content(reach(self.base, name)) if name else b""
        except OSError:
            data = b""
        return marked_in(data, most)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the pictures and their masks; each is opened once."""
        for batch in super().batches(aspects):
            names = self.masks[batch.start : batch.start + batch.size]
            if "annotations" in aspects:
                batch.objects = nothing_drawn([bool(name) for name in names])
            if "masks" in aspects:
                with decode.strict():
                    masks = [self._mask(name, batch.problems) if name else Mask() for name in names]
                batch.masks = block_of(masks)
            yield batch

    def _mask(self, name: str, problems: list[Problem]) -> Mask:
        return read_mask(lambda: decode.content(reach(self.base, name)), printable(name), problems)
