"""Lists of single samples: where they lie and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from datalint.core import hashing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.dataset import Batch


@dataclass(slots=True)
class Places:
    """Some samples of a split, in stored order; arrays have one entry per sample."""

    row: NDArray[np.int64]
    """0-based position in the split."""
    part: NDArray[np.int32]
    """Number of the partition."""
    line: NDArray[np.int64]
    """Where it lies in the partition."""
    content: NDArray[np.uint64]
    """Hash of inputs and label."""

    @classmethod
    def none(cls) -> Self:
        """No samples."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint64))

    @classmethod
    def of(cls, batch: Batch, rows: NDArray[np.int64], offset: int) -> Self:
        """The given rows of a batch whose first sample has position ``offset`` in the stream so far."""
        return cls(
            rows + offset,
            np.full(len(rows), batch.part, np.int32),
            batch.where[rows],
            batch.hashes[rows],
        )

    @property
    def priority(self) -> NDArray[np.uint64]:
        """A random rank per sample from where it lies; no two samples of a split share one."""
        return hashing.mix((self.part.astype(np.uint64) << np.uint64(40)) + self.line.astype(np.uint64))

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Self:
        """Some of them."""
        return type(self)(self.row[rows], self.part[rows], self.line[rows], self.content[rows])

    def then(self, later: Self, shift: int = 0) -> Self:
        """These and the later ones, whose positions move up by ``shift``."""
        return type(self)(
            np.concatenate([self.row, later.row + shift]),
            np.concatenate([self.part, later.part]),
            np.concatenate([self.line, later.line]),
            np.concatenate([self.content, later.content]),
        )
