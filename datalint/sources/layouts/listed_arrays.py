"""Arrays in a ``.npy`` file each whose labels stand in a table: ``labels.csv`` next to ``features/0001.npy``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Label, split_order
from datalint.core.vocabulary import WHOLE
from datalint.sources.files import printable
from datalint.sources.layouts.array_folders import FEWEST, LOOKED_AT, arrays_dataset, arrays_of, one_of_most
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.tables import table_folders
from datalint.sources.tables.labels import choose_label, find_split_column, roles
from datalint.sources.tables.named_files import Places, name_column, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.format import TableFile
    from datalint.sources.tables.labels import ColumnHead

ARRAY = frozenset({".npy"})


class ListedArrays(Layout):
    """Arrays with the table that says the class of each."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The table and the arrays that it names, each once, where it has a label for them."""
        arrays = [entry for entry in folder.left if entry.suffix in ARRAY]
        if len(arrays) < FEWEST:
            return
        places = Places(arrays, ARRAY)
        tables = table_folders(folder)
        for table in tables.seen if tables.sets else ():
            column = name_column(table, places)
            entry = next((one for one in folder.left if one.path.absolute() == table.path.absolute()), None)
            if column is None or entry is None:
                continue
            dataset, listed = _dataset(folder, table, column, places)
            if dataset is not None:
                yield Claim([entry, *listed], Basis.STRUCTURE, dataset.evidence, dataset)
                return


def _dataset(folder: Folder, table: TableFile, column: str, places: Places) -> tuple[Dataset | None, list[Entry]]:
    others = [head for head in table.columns if head.name != column]
    split_column, splits = find_split_column(others, roles(others))
    choice = choose_label(
        [h for h in others if h.name != split_column], header=table.header, explicit=folder.wishes.label
    )
    if choice is None or _is_quantity(next(head for head in others if head.name == choice.name)):
        return None, []
    home, own = folder.place_of(table.path), vocabulary.split_of(table.name) or WHOLE
    by_split: dict[str, list[tuple[Entry, str]]] = {}
    seen: set[tuple[str, ...]] = set()
    for name, split, label in rows_of(table, [column, split_column or column, choice.name]):
        entry = places.entry(name, home, None)
        if entry is not None and entry.parts not in seen:
            seen.add(entry.parts)
            where = (splits.get(split.strip()) or own) if split_column else own
            by_split.setdefault(where, []).append((entry, printable(label.strip())))
    listed = [entry for held in by_split.values() for entry, _ in held]
    looked_at = folder.once(("listed arrays", table.path), lambda: arrays_of(listed))
    if len(listed) < FEWEST or 10 * len(looked_at) < 9 * min(len(listed), LOOKED_AT):
        return None, []
    why = f"values of the column {split_column!r}" if split_column else f"table {table.name!r}"
    ordered = {split: by_split[split] for split in sorted(by_split, key=split_order)}
    dataset = arrays_dataset(folder, home, ordered, dict.fromkeys(ordered, why), one_of_most(looked_at))
    dataset = replace(
        dataset,
        layout="arrays listed in a table",
        evidence=f"{dataset.evidence}, named in {table.name!r}, column {column!r}",
        label=Label(choice.name, choice.evidence, choice.confidence),
    )
    return dataset, listed


def _is_quantity(head: ColumnHead) -> bool:
    """Whether a label is a number of which most samples have their own."""
    return head.kind == "number" and 2 * len(head.facts.counts) > head.facts.present
