"""The small pictures of a report: asked for while rules judge, and made meanwhile where cores are free."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from datalint.core.dataset import InPasses
from datalint.sources.images.decode import strict, webp
from datalint.sources.images.files import ImagePartition

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from datalint.core.dataset import Partition


class Thumbnails:
    """Which samples the report shows a picture of; a context, outside of which none is made."""

    def __init__(self, threads: int = 1) -> None:
        """Prepare for making pictures.

        Args:
            threads: files to decode at once; Pillow does the work without holding the interpreter.
        """
        self._threads = threads
        self._stored: dict[str, tuple[Partition, int]] = {}
        self._given: dict[str, NDArray[np.uint8]] = {}
        self._early: dict[str, Future[bytes | None]] = {}
        """Of files, which are decoded while rules judge."""
        self._pool: ThreadPoolExecutor | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def __len__(self) -> int:
        return len(self._stored) + len(self._given)

    def want(self, sample: str, partition: Partition, line: int) -> None:
        """Of a sample as it is stored; once, however often it is asked for."""
        if sample in self._given or sample in self._stored:
            return
        self._stored[sample] = (partition, line)
        if self._threads > 1 and isinstance(partition, ImagePartition):
            if self._pool is None:
                self._open.enter_context(strict())  # around the threads: what it sets is the whole process's
                self._pool = self._open.enter_context(ThreadPoolExecutor(self._threads))
            self._early[sample] = self._pool.submit(partition.picture, line)

    def give(self, sample: str, pixels: NDArray[np.uint8]) -> None:
        """Of pixels at hand, [height, width] or [height, width, 3]."""
        if sample not in self._stored:
            self._given.setdefault(sample, pixels)

    def made(self) -> dict[str, bytes]:
        """WebP files by sample, without those that cannot be decoded."""
        if not len(self):
            return {}
        from PIL import Image

        made: dict[str, bytes] = {}
        with strict():
            passes = self._in_passes()
            for sample, (partition, line) in self._stored.items():
                early = self._early.get(sample)
                if isinstance(partition, InPasses):
                    data = passes[sample]
                else:
                    data = partition.picture(line) if early is None else early.result()
                if data is not None:
                    made[sample] = data
        return made | {sample: webp(Image.fromarray(pixels)) for sample, pixels in self._given.items()}

    def _in_passes(self) -> dict[str, bytes | None]:
        """Those of each partition in one pass."""
        wanted: dict[int, tuple[InPasses, list[tuple[str, int]]]] = {}
        for sample, (partition, line) in self._stored.items():
            if isinstance(partition, InPasses):
                wanted.setdefault(id(partition), (partition, []))[1].append((sample, line))
        found: dict[str, bytes | None] = {}
        for held, asked in wanted.values():
            made = held.pictures([line for _, line in asked])
            found |= {sample: data for (sample, _), data in zip(asked, made, strict=True)}
        return found
