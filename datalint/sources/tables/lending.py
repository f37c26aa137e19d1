"""Python objects in the hands of pyarrow.

Its threads read ahead, and let go of what they were given a moment after the reading is over. A process that has come
to its end by then is aborted: they need Python to let go, and end in the middle of code that must not be left.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 0.5
"""Seconds to wait at most: someone else may hold the object too, and an interrupted scan ends within a second."""


@contextlib.contextmanager
def lending() -> Iterator[Callable[[Any], Any]]:
    """Give objects to pyarrow through this function; leaving waits until all of them were let go."""
    lent: list[weakref.ref[Any]] = []

    def lend(thing: Any) -> Any:
        lent.append(weakref.ref(thing))
        return thing

    try:
        yield lend
    finally:
        end = time.monotonic() + PATIENCE
        while any(thing() is not None for thing in lent) and time.monotonic() < end:
            time.sleep(0.0005)
