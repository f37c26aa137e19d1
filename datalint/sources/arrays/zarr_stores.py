"""The arrays of a Zarr store, which is a folder of their chunks. Needs the extra ``zarr``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import Problem
from datalint.core.project import install
from datalint.sources.arrays.files import ROWS_BYTES, ArrayFile, NotAnArray, NotLookedInto
from datalint.sources.files import inside, reason
from datalint.sources.remote.url import is_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from datalint.sources.files import Entry

NOTES = frozenset({"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"})
"""Files of a store that are no chunks."""


@dataclass(frozen=True)
class ZarrArray(ArrayFile):
    """One array of a store."""

    chunks: tuple[str, ...] = ()
    """Its files, below the store."""

    @property
    def files(self) -> tuple[str, ...]:
        """All of its chunks, and what describes them."""
        assert self.path is not None
        return tuple(inside(self.path, name) for name in self.chunks)

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in blocks of ``count`` items, or of whole chunks where these hold more."""
        assert self.path is not None
        found = _opened(self.path)
        found = found if self.key is None else found[self.key]
        if found.shape != self.shape or found.dtype.str != self.dtype:
            raise ValueError("it was changed while it was read")
        item = max(1, found.dtype.itemsize * math.prod(found.shape[1:]))
        step = max(count, min(found.chunks[0] if found.chunks else 1, max(1, ROWS_BYTES // item)))
        for start in range(0, self.shape[0], step):
            yield np.asarray(found[start : start + step])


def _opened(path: Path) -> Any:
    try:
        import zarr
    except ImportError as error:
        raise NotLookedInto(f"a Zarr store: {install('zarr')} reads it") from error
    return zarr.open(str(path), mode="r")


def arrays_of(path: Path, entries: Sequence[Entry], depth: int) -> tuple[list[ZarrArray], list[Problem]]:
    """The arrays of a store, and of which of them chunks are missing: these are read as if they held nothing but one value.

    Args:
        path: the store.
        entries: its files.
        depth: how many folders lead to it.

    Raises:
        NotAnArray: it cannot be read, or the library is not installed.
    """
    if is_url(str(path)):
        raise NotLookedInto("a Zarr store at a URL, which is not read: download it first")
    found: list[ZarrArray] = []
    problems: list[Problem] = []
    names = ["/".join(entry.parts[depth:]) for entry in entries]
    try:
        for name, array in _members(_opened(path)):
            own = tuple(file for file in names if name is None or file.startswith(f"{name}/"))
            found.append(ZarrArray(path, name, tuple(map(int, array.shape)), array.dtype.str, chunks=own))
            lost = math.prod(array.cdata_shape) - sum(Path(file).name not in NOTES for file in own)
            if lost > 0 and getattr(array, "shards", None) is None:
                text = f"{lost:,} of {math.prod(array.cdata_shape):,} chunks are missing: read as {array.fill_value}"
                problems.append(Problem("absent", found[-1].shown, text))
    except NotAnArray:
        raise
    except Exception as error:  # the libraries that read chunks raise nearly anything
        raise NotAnArray(f"not a readable Zarr store: {reason(error)}") from error
    return found, problems


def _members(top: Any) -> Iterator[tuple[str | None, Any]]:
    """The arrays with their names; a store that is one array has none."""
    for name, item in sorted(top.members(max_depth=None)) if hasattr(top, "members") else [(None, top)]:
        if hasattr(item, "cdata_shape") and item.shape:
            yield name, item
