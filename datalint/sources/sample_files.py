"""Files that hold a sample each: what their partitions have in common."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from datalint.core.dataset import LabelBlock
from datalint.sources.files import printable

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class SampleFiles:
    """Consecutive files of one split, a sample each."""

    base: Path
    """Folder from which the paths are meant."""
    files: tuple[str, ...]
    """Paths in stored order."""
    classes: tuple[str, ...] | None
    """Class of each file."""
    split: str
    weight: int = 0
    """Bytes of the files."""

    @property
    def files_read(self) -> tuple[str, ...]:
        """The files whose content decides what is read."""
        base = str(self.base)
        return tuple(os.path.join(base, name) for name in self.files)  # noqa: PTH118 - a Path costs ten times as much

    def cut(self, start: int, stop: int) -> Self:
        """A part of it."""
        classes = None if self.classes is None else self.classes[start:stop]
        return replace(self, files=self.files[start:stop], classes=classes)

    def sample_id(self, line: int) -> str:
        """Path of the file."""
        return printable(self.files[line])

    def _labels(self, start: int, size: int) -> LabelBlock | None:
        if self.classes is None:
            return None
        mine = self.classes[start : start + size]
        names = sorted(set(mine))
        at = {name: k for k, name in enumerate(names)}
        return LabelBlock(np.array([at[name] for name in mine], np.int32), names)
