"""Recordings that a table lists with what is said in them: NeMo manifests, LJSpeech, Common Voice, ``metadata.csv``."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from datalint.core.dataset import Dataset, Problem
from datalint.core.terms import Storage
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import are, counted
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.tables import table_folders
from datalint.sources.sounds.columns import recordings_of
from datalint.sources.sounds.listed import ListedSounds
from datalint.sources.tables.convert import texts_of
from datalint.sources.tables.format import TablePartition
from datalint.sources.tables.named_files import MAX_COLUMNS, PEEK, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.format import TableFile
    from datalint.sources.tables.named_files import Places

ROWS, PARTS = 256, 64
"""Rows of a part at least, and parts of a table at most, each of which reads the table."""


class ListedRecordings(Layout):
    """Recordings with the tables that list them."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The tables of which at least half of the names are those of recordings that are there."""
        if not folder.sounds.known:
            return
        found = table_folders(folder)
        sets = found.sets
        tables = {str(table.path.absolute()): table for table in found.seen}
        taken: set[tuple[str, ...]] = set()
        for dataset, entries in sets:
            parts = [part for part in dataset.partitions if isinstance(part, TablePartition)]
            if not entries or len(parts) < len(dataset.partitions):
                continue
            table = tables.get(parts[0].files_read[0])
            if table is None:
                continue
            places = {str(entry.path.absolute()): entry.folder for entry in entries}
            column: str | None = folder.once(("sounds", table.path), lambda t=table: _column(t, folder.sounds))  # type: ignore[misc]
            if column is None:
                continue
            listed, sounds = listed_in(parts, column, folder.sounds, places)
            if not sounds:
                continue
            if not taken.isdisjoint(sounds) or not folder.claimed.isdisjoint(sounds):
                for entry in entries:
                    note = "lists recordings that another table lists too"
                    folder.unread[entry.parts] = Problem("not-scanned", entry.shown, note)
                continue
            taken |= sounds.keys()
            homes = {entry.folder for entry in sounds.values()}
            others = [
                e for e in folder.left if e.folder in homes and e.suffix in _suffixes(sounds) and e.parts not in sounds
            ]
            made = heard(dataset, table, column, listed, len(sounds), others)
            yield Claim([*entries, *sounds.values(), *others], Basis.STRUCTURE, made.evidence, made, others)


def _suffixes(sounds: dict[tuple[str, ...], Entry]) -> set[str]:
    return {entry.suffix for entry in sounds.values()}


def _column(table: TableFile, places: Places) -> str | None:
    """The column whose values name recordings that are there, nearly all of them different."""
    names = list(table.kinds)[:MAX_COLUMNS]
    rows = list(islice(rows_of(table, names), PEEK))
    for at, column in enumerate(names):
        shown = [row[at] for row in rows if row[at]]
        if len(shown) < 2 or len(set(shown)) < 0.5 * len(shown):
            continue
        if 2 * sum(any(map(places.holds, _ends(name))) for name in shown) >= len(shown):
            return column
    return None


def entry_of(name: str, places: Places, home: tuple[str, ...], split: str | None) -> Entry | None:
    """The recording that a name in a table of the folder ``home`` means: paths of another machine are found by their end."""
    found = (places.entry(end, home, split) for end in _ends(name))
    return next((entry for entry in found if entry is not None), None)


def _ends(name: str) -> Iterator[str]:
    """A path, and the ends of it."""
    left = name.strip().replace("\\", "/")
    while left:
        yield left
        left = left.partition("/")[2]


def listed_in(
    parts: list[TablePartition], column: str, places: Places, homes: Mapping[str, tuple[str, ...]]
) -> tuple[list[ListedSounds], dict[tuple[str, ...], Entry]]:
    """The rows in parts, each with its recording, and the recordings by their place; ``homes`` has the folders of tables."""
    made: list[ListedSounds] = []
    sounds: dict[tuple[str, ...], Entry] = {}
    for part in parts:
        names: list[str] = []
        for record in part.raw_rows([column]):
            texts = texts_of(column, record.column(0))
            names += [[*texts.values, ""][code] for code in texts.codes.tolist()]
        home, split = homes.get(part.files_read[0], ()), None if part.split == WHOLE else part.split
        found = [entry_of(name, places, home, split) if name else None for name in names]
        sounds |= {entry.parts: entry for entry in found if entry is not None}
        size = max(ROWS, -(-len(names) // PARTS))
        for start in range(0, len(names), size):
            mine = found[start : start + size]
            files = tuple(None if entry is None else entry.where for entry in mine)
            weight = sum(entry.size for entry in mine if entry is not None)
            base = next((entry.place for entry in mine if entry is not None and entry.place), None) or Path.cwd()
            made.append(ListedSounds(part, start, tuple(names[start : start + size]), files, weight, base))
    return made, sounds


def heard(
    dataset: Dataset, table: TableFile, column: str, listed: list[ListedSounds], count: int, others: list[Entry]
) -> Dataset:
    """The data set of a table with the recordings that a column names; ``others`` are named nowhere."""
    problems = [p for p in dataset.problems if p.kind != "absent"]
    if others:
        them = f"{counted(len(others), 'recording')} that no table lists {are(len(others))} left out, this the first"
        problems.append(Problem("not-scanned", others[0].shown, them))
    return replace(
        dataset,
        layout="recordings listed in a table",
        modality="audio",
        evidence=f"{counted(count, 'recording')}, named in {table.name!r}, column {column!r}",
        partitions=listed,
        problems=problems,
        storage=Storage.SOUNDS,
        conversation=None,
        recordings=recordings_of(table.columns, column),
        skipped_label=dataset.skipped_label if dataset.conversation is None else "what is said is predicted",
    )
