"""Stores of arrays that are folders (Zarr)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.sources.arrays.bundles import array_dataset, bundle_of
from datalint.sources.arrays.files import NotAnArray, NotLookedInto
from datalint.sources.arrays.zarr_stores import NOTES, arrays_of
from datalint.sources.layouts.base import Basis, Claim, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

SUFFIX = ".zarr"


class Stores(Layout):
    """Folders of the chunks of arrays."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each store: a data set, or none where it cannot be read."""
        tops = {entry.folder for entry in folder.left if entry.name in NOTES}
        homes: dict[tuple[str, ...], list[Entry]] = {}
        for entry in folder.left:
            home = next(
                (entry.parts[:k] for k in range(len(entry.parts)) if self._is_store(entry.parts[:k], tops)), None
            )
            if home is not None:
                homes.setdefault(home, []).append(entry)
        for home, entries in homes.items():
            try:
                dataset = folder.once(("zarr", home), lambda h=home, e=entries: _dataset(folder, h, e))  # type: ignore[misc]
            except NotAnArray as error:
                looked = not isinstance(error, NotLookedInto)
                problem = Problem("unreadable" if looked else "not-scanned", folder.path(home), str(error))
                folder.unread[entries[0].parts] = problem
                yield Claim(entries, Basis.DECLARED, str(error), None, entries)
            else:
                yield Claim(entries, Basis.DECLARED, f"{dataset.layout}: {dataset.evidence}", dataset)

    @staticmethod
    def _is_store(place: tuple[str, ...], tops: set[tuple[str, ...]]) -> bool:
        return place in tops or bool(place and place[-1].lower().endswith(SUFFIX))


def _dataset(folder: Folder, home: tuple[str, ...], entries: list[Entry]) -> Dataset:
    below = entries[0].parts[len(home) :]
    path = entries[0].path
    for _ in below:
        path = path.parent
    arrays, problems = arrays_of(path, entries, len(home))
    dataset = array_dataset(folder.name(home), folder.path(home), bundle_of(arrays))
    return replace(dataset, layout=dataset.layout.replace("NumPy", "Zarr"), problems=[*dataset.problems, *problems])
