"""Image files with the objects that annotations draw in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from datalint.sources.images.files import ImagePartition, image_partitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.annotations import ObjectBlock
    from datalint.core.dataset import Aspect, Batch
    from datalint.sources.files import Entry


@dataclass(frozen=True, eq=False)
class AnnotatedImages(ImagePartition):
    """Image files whose objects are known from a file that describes all of them."""

    objects: ObjectBlock | None = None

    def cut(self, start: int, stop: int) -> Self:
        """A part of it."""
        objects = self.objects and self.objects.cut(start, stop)
        return replace(super().cut(start, stop), objects=objects)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the files; each is opened once."""
        for batch in super().batches(aspects):
            if self.objects is not None and "annotations" in aspects:
                batch.objects = self.objects.cut(batch.start, batch.start + batch.size)
            yield batch


def annotated_partitions(split: str, entries: list[Entry], objects: ObjectBlock) -> list[AnnotatedImages]:
    """The pictures of a split with their objects, cut into partitions."""
    found, start = [], 0
    for part in image_partitions(split, entries, None):
        held = objects.cut(start, start + len(part.files))
        found.append(AnnotatedImages(part.base, part.files, None, split, part.weight, held))
        start += len(part.files)
    return found
