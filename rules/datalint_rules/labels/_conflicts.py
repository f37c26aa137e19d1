"""Copies with another label, put into clean data."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import Clean, Planted, rows_of, training

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd


def contradict(clean: Clean, share: float, rng: np.random.Generator) -> Planted | None:
    """Append copies of some samples of the training split with another label; files go to another class folder.

    None without classes, or where inputs repeat by themselves.
    """
    import pandas as pd

    if clean.files:
        return _contradict_files(clean, share, rng)
    if clean.label is None:
        return None
    split = training(clean)
    table = clean.tables[split]
    labels = table[clean.label]
    classes = labels.dropna().unique()
    inputs = [column for column in table.columns if column != clean.label and not _id(table, column)]
    everything = pd.concat(list(clean.tables.values()), ignore_index=True)
    if len(classes) < 2 or len(classes) > len(table) / 4 or everything[inputs].duplicated().any():
        return None
    chosen = np.sort(rng.choice(len(table), max(1, round(share * len(table))), replace=False))
    copies = table.iloc[chosen].copy()
    others = [rng.choice([c for c in classes if c != own]) for own in copies[clean.label]]
    copies[clean.label] = pd.Series(others, index=copies.index).astype(labels.dtype)
    longer = pd.concat([table, copies], ignore_index=True)
    rows = frozenset([*(int(k) for k in chosen), *range(len(table), len(longer))])
    return Planted(Clean(clean.name, {**clean.tables, split: longer}, clean.label), rows={split: rows})


def _id(table: pd.DataFrame, column: Hashable) -> bool:
    """Whether a column looks like an id: unique whole numbers or texts."""
    return bool(table[column].is_unique) and table[column].dtype.kind != "f"


def _contradict_files(clean: Clean, share: float, rng: np.random.Generator) -> Planted | None:
    paths = sorted(clean.files)
    folders = sorted({str(PurePosixPath(path).parent) for path in paths})
    if len({clean.files[path] for path in paths}) < len(paths):
        return None
    files, added = dict(clean.files), set()
    for k in rng.choice(len(paths), max(1, round(share * len(paths))), replace=False):
        path = PurePosixPath(paths[k])
        siblings = [f for f in folders if PurePosixPath(f).parent == path.parent.parent and f != str(path.parent)]
        if not siblings:
            return None
        copy = f"{rng.choice(siblings)}/{path.stem}z{path.suffix}"
        files[copy] = clean.files[paths[k]]
        added |= {copy, paths[k]}
    faulty = Clean(clean.name, files=files)
    return Planted(faulty, rows=rows_of(faulty, added))
