"""Faults of texts, put into a clean table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.author import Clean, Planted, training
from datalint_rules._shared.turns import are_turns, with_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


def text_column(clean: Clean) -> str | None:
    """The first column of sentences of the training table."""
    import pandas as pd

    if not clean.tables:
        return None
    table = clean.tables[training(clean)]
    for column in table.columns:
        if column == clean.label or pd.api.types.is_numeric_dtype(table[column]) or len(table) < 60:
            continue
        if isinstance(table[column].iloc[0], list) and not are_turns(table[column].iloc[0]):
            continue
        texts = table[column].dropna().astype(str)
        if len(texts) and texts.is_unique and texts.str.count(" ").median() >= 4:
            return str(column)
    return None


def spoiled(
    clean: Clean, share: float, rng: np.random.Generator, change: Callable[[str], str | None], least: int = 3
) -> Planted | None:
    """Change so many texts of the training split, at least a few."""
    import pandas as pd

    column = text_column(clean)
    if column is None:
        return None
    split = training(clean)
    texts = clean.tables[split][column].astype(object)
    rows = sorted(int(row) for row in rng.choice(len(texts), max(least, round(share * len(texts))), replace=False))
    values = texts.tolist()
    for row in rows:
        cell = values[row]
        values[row] = (with_answer(cell, change) or cell) if isinstance(cell, list) else change(str(cell))
    table = clean.tables[split].assign(**{column: pd.Series(values, index=texts.index, dtype=object)})
    return Planted(
        Clean(clean.name, {**clean.tables, split: table}, clean.label),
        split=split,
        column=column,
        rows={split: frozenset(rows)},
    )
