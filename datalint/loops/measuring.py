"""Running the probes of a framework one after the other: what each measured, or why it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from datalint.core.errors import DatalintError
from datalint.profile.loop import NotMeasured
from datalint.sources.objects.draw import said

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


class Clock(Protocol):
    """How much time is left."""

    def short(self) -> bool:
        """Whether it is too little to begin anything."""


def measured(
    run: Callable[[type], object],
    known: Collection[type],
    wanted: Collection[type],
    clock: Clock,
    budget: float,
    framework: str,
    scarce: Callable[[Exception], bool],
) -> dict[type, object]:
    """The records that are wanted, or the reason for each that is missing.

    Args:
        run: runs the probe of a kind of record.
        known: the kinds that this framework has a probe for, from cheap to dear.
        wanted: the kinds that rules ask for.
        clock: what bounds the probes.
        budget: the seconds that there were at first.
        framework: its name.
        scarce: whether an error says that memory is used up, which ends all.

    Raises:
        MemoryError: memory is used up.
        DatalintError: an object is not what a loop needs.
    """

    def one(kind: type) -> object:
        if clock.short():
            return NotMeasured(f"the budget of {budget:g} s was used up before")
        try:
            return run(kind)
        except NotMeasured as missing:
            return missing
        except (DatalintError, MemoryError):
            raise
        except Exception as error:  # one probe that breaks down does not take the others with it
            if scarce(error):
                raise MemoryError(said(error)) from error
            return NotMeasured(said(error), failed=True)

    missing = NotMeasured(f"it is measured with PyTorch alone, and this is {framework}")
    return {kind: one(kind) for kind in known if kind in wanted} | {
        kind: missing for kind in wanted if kind not in known
    }
