"""What could not be read on the way through the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from datalint.measures.base import Measurement, Settings

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch, Problem


class Problems(Measurement):
    """The problems met while reading, in stored order."""

    reads: ClassVar[frozenset[Aspect]] = frozenset({"labels"})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.samples = 0
        self.found: list[tuple[int, int, Problem]] = []
        """Position in the split (-1 if the problem has none), partition, problem."""

    def update(self, batch: Batch) -> None:
        """Take in one batch."""
        for problem in batch.problems:
            row = problem.position - batch.start + self.samples if problem.position >= 0 else -1
            self.found.append((row, batch.part, problem))
        self.samples += batch.size

    def merge(self, later: Self) -> Self:
        """Append."""
        self.found += [(row + self.samples if row >= 0 else -1, part, found) for row, part, found in later.found]
        self.samples += later.samples
        return self

    def close(self) -> Self:
        """Nothing to do: the state is canonical."""
        return self

    def renumber(self, part: int) -> bool:
        """Say on which partition the problems were met."""
        self.found = [(row, part, problem) for row, _, problem in self.found]
        return True
