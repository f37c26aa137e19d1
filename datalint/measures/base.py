"""What every measurement is: a monoid over the stream of samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Batch


MEMORY = 1_000_000_000
"""Bytes that the hashes of the samples may take, about."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What measurements need to know of the configuration."""

    batch_size: int = 32
    sample_size: int = 20_000
    memory: int = MEMORY
    """Beyond it copies are counted on a sample of the contents."""


@dataclass(frozen=True)
class Reading:
    """A measurement, and what it is to see of each sample where that is not all it could use."""

    kind: type[Measurement]
    reads: frozenset[Aspect]


class Measurement(ABC):
    """A fact about one split, taken batch by batch.

    The law that gives parallel, cluster and incremental scans: for any cut of the stream,
    ``measure(A + B) == measure(A).merge(measure(B))``. Every subclass has a property test of it.
    """

    reads: ClassVar[frozenset[Aspect]]
    """What it wants of each sample."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def reading(cls, *aspects: Aspect) -> Reading:
        """This measurement, but of these aspects of a sample."""
        return Reading(cls, frozenset(aspects))

    @abstractmethod
    def update(self, batch: Batch) -> None:
        """Take in the next batch of the stream."""

    @abstractmethod
    def merge(self, later: Self) -> Self:
        """Take in what was measured on the part of the stream that follows; returns self."""

    @abstractmethod
    def close(self) -> Self:
        """Bring the state into its one canonical form; called before a state is compared, kept or sent."""

    def renumber(self, part: int) -> bool:
        """Say that all of this was measured on the partition of that number; False if it would have been another then.

        What was kept of a partition is used again when partitions have come or gone before it.
        """
        from datalint.measures.places import Places

        for value in vars(self).values():
            if isinstance(value, Places):
                value.part[:] = part
        return True
