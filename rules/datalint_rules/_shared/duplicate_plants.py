"""Copies put into clean data."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import Clean, Planted, rows_of, training

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd


def repeat(clean: Clean, share: float, rng: np.random.Generator) -> Planted | None:
    """Append copies of some samples of the training split; files get new names in the same folder.

    None where the table repeats rows by itself, so that nobody could know which duplicates were planted.
    """
    import pandas as pd

    if clean.files:
        return _repeat_files(clean, share, rng)
    split = training(clean)
    table = clean.tables[split]
    if _tracked(table, clean.label).duplicated().any():
        return None
    chosen = np.sort(rng.choice(len(table), max(3, round(share * len(table))), replace=False))
    longer = pd.concat([table, table.iloc[chosen]], ignore_index=True)
    rows = frozenset(range(len(table), len(longer)))
    return Planted(Clean(clean.name, {**clean.tables, split: longer}, clean.label), split=split, rows={split: rows})


def _tracked(table: pd.DataFrame, label: Hashable | None) -> pd.DataFrame:
    """The columns without those that look like ids: unique whole numbers or texts."""
    table = table.map(lambda cell: str(cell) if isinstance(cell, list) else cell)
    kept = [
        column
        for column in table.columns
        if column == label or table[column].dtype.kind == "f" or not table[column].is_unique
    ]
    return table[kept]


def _repeat_files(clean: Clean, share: float, rng: np.random.Generator) -> Planted | None:
    paths = sorted(clean.files)
    if len({clean.files[path] for path in paths}) < len(paths):
        return None
    chosen = rng.choice(len(paths), max(3, round(share * len(paths))), replace=False)
    files = dict(clean.files)
    added = set()
    for k in chosen:
        path = PurePosixPath(paths[k])
        copy = str(path.with_name(f"{path.stem}z{path.suffix}"))  # sorts behind its original
        if copy in files:
            return None
        files[copy] = clean.files[paths[k]]
        added.add(copy)
    faulty = Clean(clean.name, files=files)
    return Planted(faulty, rows=rows_of(faulty, added))


def share(clean: Clean, amount: float, rng: np.random.Generator) -> Planted | None:
    """Replace some samples of the test split by copies of training samples, or add such files to it.

    None where there is no test split, or where the splits share samples by themselves.
    """
    import pandas as pd

    if clean.files:
        return _share_files(clean, amount, rng)
    if not {"train", "test"} <= clean.tables.keys():
        return None
    train, test = clean.tables["train"], clean.tables["test"].copy()
    both = _tracked(pd.concat([train, test], ignore_index=True), clean.label)
    if both.drop(columns=clean.label or []).duplicated().any():
        return None
    count = max(1, round(amount * len(test)))
    if count > len(train):
        return None
    rows = np.sort(rng.choice(len(test), count, replace=False))
    source = rng.choice(len(train), count, replace=False)
    for column in test.columns:
        values = test[column].to_numpy(copy=True)
        values[rows] = train[column].to_numpy()[source]
        test[column] = pd.Series(values, index=test.index).astype(test[column].dtype)
    faulty = Clean(clean.name, {**clean.tables, "test": test}, clean.label)
    return Planted(faulty, split="test", rows={"test": frozenset(int(row) for row in rows)})


def _share_files(clean: Clean, amount: float, rng: np.random.Generator) -> Planted | None:
    train = sorted(path for path in clean.files if path.startswith("train/"))
    test = sorted(path for path in clean.files if path.startswith("test/"))
    if not train or not test or len(set(clean.files.values())) < len(clean.files):
        return None
    files, added = dict(clean.files), set()
    for k in rng.choice(len(train), min(len(train), max(1, round(amount * len(test)))), replace=False):
        copy = "test" + train[k].removeprefix("train")
        copy = str(PurePosixPath(copy).with_name(f"z{PurePosixPath(copy).name}"))
        files[copy] = clean.files[train[k]]
        added.add(copy)
    faulty = Clean(clean.name, files=files)
    return Planted(faulty, split="test", rows=rows_of(faulty, added))
