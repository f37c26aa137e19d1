"""The small pictures of a report: asked for while rules judge, and made together at the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from datalint.sources.images import ImagePartition
from datalint.sources.pictures import strict, webp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from datalint.dataset import Partition


class Thumbnails:
    """Which samples the report shows a picture of."""

    def __init__(self) -> None:
        self._stored: dict[str, tuple[Partition, int]] = {}
        self._given: dict[str, NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return len(self._stored) + len(self._given)

    def want(self, sample: str, partition: Partition, line: int) -> None:
        """Of a sample as it is stored; once, however often it is asked for."""
        if sample not in self._given:
            self._stored.setdefault(sample, (partition, line))

    def give(self, sample: str, pixels: NDArray[np.uint8]) -> None:
        """Of pixels at hand, [height, width] or [height, width, 3]."""
        if sample not in self._stored:
            self._given.setdefault(sample, pixels)

    def made(self, threads: int) -> dict[str, bytes]:
        """
        WebP files by sample, without those that cannot be decoded.

        Args:
            threads: files to decode at once; Pillow does the work without holding the interpreter.
        """
        if not len(self):
            return {}
        from PIL import Image

        with strict():  # around the threads too: what each of them sets is the whole process's
            if threads > 1 and all(isinstance(partition, ImagePartition) for partition, _ in self._stored.values()):
                with ThreadPoolExecutor(threads) as pool:
                    pictures = list(pool.map(_stored, self._stored.values()))
            else:
                pictures = [_stored(place) for place in self._stored.values()]
        made = {sample: data for sample, data in zip(self._stored, pictures, strict=True) if data is not None}
        return made | {sample: webp(Image.fromarray(pixels)) for sample, pixels in self._given.items()}


def _stored(place: tuple[Partition, int]) -> bytes | None:
    partition, line = place
    return partition.picture(line)
