"""Putting a fault into one column of numbers, which several rules of table values do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datalint.author import Clean, Planted, training

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def spoil_column(
    clean: Clean,
    rng: np.random.Generator,
    fits: Callable[[pd.Series], bool],
    spoil: Callable[[NDArray[Any]], NDArray[np.int64]],
) -> Planted | None:
    """Spoil values of one feature of the training split.

    Args:
        clean: the data set; None comes back where it holds files, or no column that fits.
        rng: draws one of the columns that fit.
        fits: whether a column of numbers can hold the fault.
        spoil: changes the values in place and returns the rows that it has changed.
    """
    if clean.files:
        return None
    split = training(clean)
    table = clean.tables[split].copy()
    features = [name for name in table.columns if name != clean.label and table[name].dtype.kind in "fi"]
    columns = [name for name in features if fits(table[name])]
    if not columns:
        return None
    column = columns[int(rng.integers(len(columns)))]
    values = table[column].to_numpy(copy=True)
    rows = spoil(values)
    table[column] = values
    faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
    return Planted(faulty, split=split, column=str(column), rows={split: frozenset(int(row) for row in rows)})
