"""Stores of arrays that are folders (Zarr), which are not read: said in one line, and no file of theirs is taken for data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.core.wording import counted
from datalint.sources.layouts.base import Basis, Claim, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

SUFFIX, MARK = ".zarr", "zarr.json"


class Stores(Layout):
    """Folders of the chunks of arrays."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each store, of which no data set is made."""
        tops = {entry.folder for entry in folder.left if entry.name == MARK}
        homes: dict[tuple[str, ...], list[Entry]] = {}
        for entry in folder.left:
            home = next(
                (entry.parts[:k] for k in range(len(entry.parts)) if self._is_store(entry.parts[:k], tops)), None
            )
            if home is not None:
                homes.setdefault(home, []).append(entry)
        for home, entries in homes.items():
            text = f"a Zarr store of {counted(len(entries), 'file')}, which is not read: zarr opens it, numpy.savez makes arrays of it that are"
            folder.unread[entries[0].parts] = Problem("not-scanned", folder.path(home), text)
            yield Claim(entries, Basis.DECLARED, text, None, entries)

    @staticmethod
    def _is_store(place: tuple[str, ...], tops: set[tuple[str, ...]]) -> bool:
        return place in tops or bool(place and place[-1].lower().endswith(SUFFIX))

    def dataset(self, claim: Claim) -> Dataset | None:  # noqa: ARG002 - as Layout has it
        """None."""
        return None
