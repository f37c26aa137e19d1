"""What other distributions bring to read data with, by their entry points."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from datalint.core.installed import entry_points
from datalint.sources.files import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

LAYOUTS: Final = "datalint.layouts"
FORMATS: Final = "datalint.formats"


def not_used(plugin: str, error: Exception) -> str:
    """What a report says of a plug-in that failed."""
    return f"{plugin} is not used: {spoken(error)}"


def loaded(group: str, kind: type[T]) -> tuple[list[tuple[T, str]], list[str]]:
    """An instance of each class that a group names, with what messages call it, and what is wrong with the others."""
    found, wrong = [], []
    for point in entry_points(group):
        by = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
        plugin = f"the {group.rpartition('.')[2].removesuffix('s')} {point.name!r}{by}"
        try:
            made = point.load()()
            if not isinstance(made, kind):
                raise TypeError(f"{point.value} is no {kind.__module__}.{kind.__name__}")
        except Exception as error:
            wrong.append(not_used(plugin, error))
        else:
            found.append((made, plugin))
    return found, wrong


def plugin_sources() -> Iterator[Path]:
    """Where the sources of plug-ins lie, none of which is imported: what is cached depends on them."""
    points = [*entry_points(LAYOUTS), *entry_points(FORMATS)]
    for name in sorted({point.module.partition(".")[0] for point in points}):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin) if spec.submodule_search_locations is None else Path(spec.origin).parent
