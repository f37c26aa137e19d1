"""Image files with a mask for each: a picture of the same size whose values are classes."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from datalint.core.dataset import Problem
from datalint.sources.annotations.drawing import mask_over
from datalint.sources.annotations.mask_values import Mask, block_of, mask_of, nothing_drawn
from datalint.sources.files import inside, printable, reason
from datalint.sources.images import decode
from datalint.sources.images.files import ImagePartition
from datalint.sources.places import reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.dataset import Aspect, Batch
    from datalint.sources.annotations.drawing import Drawn


@dataclass(frozen=True)
class MaskedImages(ImagePartition):
    """Image files with the mask of each."""

    masks: tuple[str, ...] = ()
    """Path of each mask; empty for none."""

    @property
    def files_read(self) -> tuple[str, ...]:
        """Pictures and masks."""
        base = str(self.base)
        return (*super().files_read, *(inside(base, name) for name in self.masks if name))

    def cut(self, start: int, stop: int) -> Self:
        """A part of it."""
        return replace(super().cut(start, stop), masks=self.masks[start:stop])

    def note(self, line: int) -> str:
        """What people call the mask of a picture; empty if there is none."""
        return printable(self.masks[line])

    def drawn(self, line: int) -> Drawn | None:
        """What its mask marks over the small picture."""
        try:
            return mask_over(decode.content(reach(self.base, self.masks[line]))) if self.masks[line] else None
        except OSError:
            return None

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
        try:
            return _read(decode.content(reach(self.base, name)))
        except (decode.TooLarge, _TooMany) as error:
            problems.append(Problem("not-scanned", printable(name), reason(error)))
        except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
            problems.append(
                Problem("unreadable", printable(name), f"a mask that cannot be read: {reason(error)[:120]}")
            )
        return Mask()


class _TooMany(ValueError):
    """It declares more pixels than are decoded."""


def _read(data: bytes) -> Mask:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=decode.FORMATS) as image:
        if image.width * image.height > decode.MAX_PIXELS or max(image.size) > decode.MAX_SIDE:
            raise _TooMany(f"declares {image.width:,} x {image.height:,} pixels: not decoded")
        return mask_of(image)
