"""What installed distributions say of themselves: read once, since it takes longer than the scan of a small table."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints, SelectableGroups

version = cache(importlib.metadata.version)


def entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group, in all distributions that can be imported."""
    return [*_entry_points(tuple((place, _changed(place)) for place in sys.path)).select(group=group)]


@lru_cache(maxsize=1)
def _entry_points(places: tuple[tuple[str, int], ...]) -> EntryPoints | SelectableGroups:  # noqa: ARG001 - the key
    return importlib.metadata.entry_points()


def _changed(place: str) -> int:
    """When something was last installed there."""
    try:
        return os.stat(place or ".").st_mtime_ns  # noqa: PTH116 - several times as fast
    except OSError:
        return 0
