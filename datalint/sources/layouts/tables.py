"""Files of tables, one by one, as shards, or by split."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.sources.annotations.coco import looks_like_coco
from datalint.sources.files import TEXTS
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.tables.folders import FEW, MIN_ROWS, TableFolders
from datalint.sources.tables.formats import unsure_suffixes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder


class Tables(Layout):
    """Tables by their suffixes and contents."""

    surest = Basis.NAMES

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Every file that is a table."""
        groups: list[tuple[list[Entry], list[Dataset]]] = []
        whose: dict[str, int] = {}
        for dataset, files in table_folders(folder).sets:
            if files:
                whose |= {str(entry.path.absolute()): len(groups) for entry in files}
                groups.append((files, [dataset]))
            else:  # of the same files as another
                read = min(name for part in dataset.partitions for name in part.files_read)
                groups[whose[read]][1].append(dataset)
        for files, datasets in groups:
            told = folder.pictures.known and all(entry.suffix in unsure_suffixes() | TEXTS for entry in files)
            captions = any(field.role == "text" for dataset in datasets for field in dataset.fields)
            captions &= all(entry.suffix in TEXTS or looks_like_coco(entry) for entry in files)
            chats = any(dataset.conversation is not None for dataset in datasets)
            if told and not captions and not chats:
                continue  # what is told of pictures in a form that no layout of pictures knows
            if len(files) == 1 and (folder.claimed or len(groups) > 1) and _is_list(table_folders(folder), files[0]):
                folder.unread[files[0].parts] = Problem("not-scanned", files[0].shown, FEW)
                continue
            yield Claim(files, Basis.NAMES, f"{datasets[0].layout}: {datasets[0].evidence}", datasets)

    def datasets(self, claim: Claim) -> list[Dataset]:
        """Those of the tables in the files."""
        datasets: list[Dataset] = claim.content
        return datasets


def _is_list(found: FoundTables, entry: Entry) -> bool:
    """Whether the tables of a file are too short for samples, where others are there."""
    path = entry.path.absolute()
    tables = [table for table in found.seen if table.path.absolute() == path]
    rows = [max((len(column.values) for column in table.columns), default=0) for table in tables]
    return bool(rows) and all(0 < count < MIN_ROWS for count in rows)  # none at all is a fault, which a scan tells


class FoundTables(TableFolders):
    """The tables of a folder and the data sets that they make up."""

    @cached_property
    def sets(self) -> list[tuple[Dataset, list[Entry]]]:
        """The data sets of the tables that nobody has claimed; labels that two share are among the files of the first."""
        # What could not be read when it was looked at is not tried again.
        entries = [entry for entry in self.entries() if entry.parts not in self.folder.unread]
        by_path = {str(entry.path.absolute()): entry for entry in entries}
        found = []
        for dataset in self.datasets(entries, ()):
            read = {name for part in dataset.partitions for name in part.files_read}
            found.append((dataset, [by_path.pop(name) for name in sorted(read & by_path.keys())]))
        return found


def table_folders(folder: Folder) -> FoundTables:
    """The tables among the files that are left."""
    return folder.once(("tables", len(folder.claimed)), lambda: FoundTables(folder))
