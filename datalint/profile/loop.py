"""What was measured of a training loop before it trains: records that every framework's adapter fills, and rules read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datalint.core.loops import Target

Record = TypeVar("Record")
Shape = tuple[int, ...]


class NotMeasured(Exception):
    """A record is not there; the message says why, as a clause."""

    def __init__(self, reason: str, *, failed: bool = False) -> None:
        super().__init__(reason)
        self.failed = failed
        """Whether measuring it broke down, rather than made no sense."""


@dataclass(frozen=True)
class LoopProfile:
    """All that is known of one loop."""

    name: str
    """Of the model's class."""
    framework: str
    target: Target
    batch_size: int
    samples: int | None
    """Of the data set behind the loader; None where nobody knows."""
    parameters: int
    trainable: int
    records: Mapping[type, object] = field(default_factory=dict)
    """By type what was measured, or why it was not."""

    def __getitem__(self, kind: type[Record]) -> Record:
        """What was measured.

        Raises:
            NotMeasured: it was not.
        """
        record = self.records.get(kind)
        if isinstance(record, kind):
            return record
        if isinstance(record, NotMeasured):
            raise record
        raise NotMeasured("it was not measured")


# --- the first pass -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LossCall:
    """A loss function as the loop calls it."""

    name: str
    """As the framework calls it: ``cross_entropy``."""
    shape: Shape = ()
    """Of the predictions."""
    low: float = 0.0
    high: float = 0.0
    maker: str = ""
    """The activation that made the predictions; empty if none did."""
    sums_to_one: bool = False
    """Whether they are positive and sum to one over the classes."""
    logs_sum_to_one: bool = False
    """Whether they are logarithms of such."""
    target_shape: Shape = ()
    target_whole: bool = False
    """Whether the targets are of a type of whole numbers."""
    target_low: float = 0.0
    target_high: float = 0.0
    one_hot: bool = False
    """Whether the targets are one-hot vectors."""
    ignored: float = 0.0
    """Share of the targets that are ignored."""
    reduction: str = "mean"
    error: str = ""
    """Why it refused what it got; empty if it did not."""


@dataclass(frozen=True)
class Stretch:
    """Arithmetic in the loss whose result is larger than what it is made of."""

    left: Shape
    right: Shape
    result: Shape


@dataclass(frozen=True)
class FirstStep:
    """One pass from a batch to its loss."""

    loss: float
    output_shape: Shape
    target_shape: Shape
    calls: tuple[LossCall, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    values: int = 1
    """Numbers that the loss consists of: more than one where it is not reduced."""
    growth: float = 1.0
    """The loss of all samples against that of half of them: about 2 where it is a sum."""
    error: str = ""
    """Why the loss refused what it got; empty if it did not."""


@dataclass(frozen=True)
class Chance:
    """The first loss against what can be had without looking at the inputs."""

    loss: float
    """Over the first batches, in training mode."""
    constant: float
    """Of the best prediction that is the same for all samples."""
    classes: int | None
    """How many the loss tells apart, where it is a cross-entropy; 2 for a binary one."""
    uniform: float | None
    """Of a prediction that takes all classes for equally likely."""
    samples: int
