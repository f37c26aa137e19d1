"""Files that hold a sample each: what their partitions have in common."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from datalint.core.dataset import LabelBlock
from datalint.sources.files import inside, printable
from datalint.sources.remote.path import RemotePath

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path


T = TypeVar("T")

AT_ONCE, AHEAD = 8, 16
"""Files of a server that are asked for at the same time, and how far before they are wanted."""


class Ahead(Generic[T]):
    """What some files hold, read in their order; those of a server are asked for before they are wanted."""

    def __init__(self, paths: Sequence[str | Path], read: Callable[[str | Path], T]) -> None:
        self._paths, self._read = paths, read
        self._asked: dict[int, Future[T]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE) if any(isinstance(path, RemotePath) for path in paths) else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def of(self, k: int) -> T:
        """What one of them holds; raises what reading it raises."""
        if self._pool is None:
            return self._read(self._paths[k])
        for near, later in enumerate(self._paths[k : k + AHEAD], k):
            if near not in self._asked:
                self._asked[near] = self._pool.submit(self._read, later)
        return self._asked.pop(k).result()


@dataclass(frozen=True)
class SampleFiles:
    """Consecutive files of one split, a sample each."""

    base: Path
    """Folder from which the paths are meant."""
    files: tuple[str, ...]
    """Paths in stored order."""
    classes: tuple[str, ...] | None
    """Class of each file, empty where it is missing."""
    split: str
    weight: int = 0
    """Bytes of the files."""

    aligned: ClassVar[tuple[str, ...]] = ("files", "classes")
    """What has an entry for each file; nothing where what is known of the files cannot be taken apart so."""

    @property
    def files_read(self) -> tuple[str, ...]:
        """The files whose content decides what is read."""
        base = str(self.base)
        return tuple(inside(base, name) for name in self.files)

    def cut(self, start: int, stop: int) -> Self:
        """A part of it."""
        own: dict[str, Any] = {name: value[start:stop] for name in self.aligned if (value := getattr(self, name))}
        return replace(self, **own)

    def joined(self, parts: Sequence[Self]) -> Self:
        """All files of several parts of which this is the first."""
        own: dict[str, Any] = {
            name: tuple(item for part in parts for item in getattr(part, name))
            for name in self.aligned
            if getattr(self, name)
        }
        return replace(self, weight=sum(part.weight for part in parts), **own)

    def of(self, places: Sequence[int], split: str) -> Self:
        """Some of its files, in this order, as ones of a split."""
        own: dict[str, Any] = {
            name: tuple(value[k] for k in places) for name in self.aligned if (value := getattr(self, name))
        }
        weight = self.weight * len(places) // max(1, len(self.files))
        return replace(self, split=split, weight=weight, **own)

    def sample_id(self, line: int) -> str:
        """Path of the file."""
        return printable(self.files[line])

    def _labels(self, start: int, size: int) -> LabelBlock | None:
        if self.classes is None:
            return None
        mine = self.classes[start : start + size]
        names = sorted({name for name in mine if name})
        at = {name: k for k, name in enumerate(names)} | {"": -1}
        return LabelBlock(np.array([at[name] for name in mine], np.int32), names)
