"""Where rules come from: the built-in pack, and those of other distributions through the same door."""

from __future__ import annotations

import importlib.util
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from datalint.core.installed import entry_points

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILT_IN = "datalint_rules"
ENTRY_POINTS = "datalint.rules"


def rule_packages() -> Iterator[str]:
    """Names of the packages that hold rules."""
    yield BUILT_IN
    for point in entry_points(ENTRY_POINTS):
        yield point.value


def pack_folders() -> list[Path]:
    """Where the sources of the packs lie; none of them is imported for it."""
    return [folder for package in rule_packages() for folder in folders_of(package)]


def folders_of(package: str) -> list[Path]:
    """Where the sources of one pack lie."""
    spec = importlib.util.find_spec(package)
    return [Path(place) for place in (spec.submodule_search_locations if spec else None) or ()]


def sources_of(package: str) -> dict[str, str]:
    """The source files of one pack, by path within it, each with a checksum of its content.

    Names, sizes and times do not show whether an installed file is the one that was built.
    """
    return dict(sorted(item for folder in folders_of(package) for item in _checksums(str(folder))))


def _checksums(folder: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    # pathlib takes four times as long, and this runs before each `datalint rules`.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _checksums(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".py"):
                with open(entry.path, "rb") as file:  # noqa: PTH123
                    yield prefix + entry.name, f"{zlib.crc32(file.read()):08x}"
