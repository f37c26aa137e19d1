"""Cells of label and group that hold hardly a sample: of women only those who were refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import codes_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.author import Column, Dataset, SplitProfile

PEOPLE = frozenset(["sex", "gender", "race", "ethnicity", "religion", "nationality"])
"""Words that name a group of people."""

PLACES = frozenset(
    [
        "site",
        "hospital",
        "clinic",
        "center",
        "centre",
        "scanner",
        "device",
        "camera",
        "region",
        "country",
        "source",
        "language",
        "lang",
    ]
)
"""Words that say where samples come from."""

MOST = 20
"""Classes, and values of a group, up to which cells are looked at."""


@dataclass(frozen=True)
class Cell:
    """One class within one group."""

    column: str
    value: str
    label: str
    count: int
    expected: float
    group: int
    people: bool


def group_columns(dataset: Dataset) -> list[Column]:
    """Columns whose names say that they hold groups of people, or where samples come from."""
    wanted = PEOPLE | PLACES
    return [
        field
        for field in dataset.fields
        if field.role in {"feature", "group"}
        and field.kind in {"text", "number"}
        and wanted & set(words_of(field.name))
    ]


def empty_cells(dataset: Dataset, split: SplitProfile, least: float, share: float) -> Iterator[Cell]:
    """Cells that hold at most ``share`` of the ``least`` samples or more that independence lets expect, the emptiest first."""
    labels = split.rows.label
    known = np.array([label is not None for label in labels.tolist()], np.bool_)
    if not known.any():
        return
    classes, names = codes_of(labels[known])
    found = []
    for field in group_columns(dataset) if 2 <= len(names) <= MOST else []:
        if field.kind == "text" and field.name in split.rows.texts:
            cells = split.rows.texts[field.name][known]
        elif field.name in split.rows.at:
            column = split.rows.column(field.name)[known]
            if len(np.unique(column[np.isfinite(column)])) > MOST:
                continue  # a quantity
            cells = np.array([f"{value:g}" if np.isfinite(value) else None for value in column.tolist()], object)
        else:
            continue
        groups, values = codes_of(cells)
        if not 2 <= len(values) <= MOST:
            continue
        counts = np.zeros((len(values), len(names)), np.int64)
        np.add.at(counts, (groups[groups >= 0], classes[groups >= 0]), 1)
        expected = np.outer(counts.sum(1), counts.sum(0)) / max(1, counts.sum())
        people = bool(PEOPLE & set(words_of(field.name)))
        for g, c in np.argwhere((expected >= least) & (counts <= share * expected)):
            size = int(counts[g].sum())
            found.append(Cell(field.name, values[g], names[c], int(counts[g, c]), float(expected[g, c]), size, people))
    yield from sorted(found, key=lambda cell: (cell.count / cell.expected, -cell.expected))
