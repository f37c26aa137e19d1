"""Rows mixed through files on disk come back whole, each at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from datalint.mending.shuffling import HELD, MOST_PARTS, cut, mixed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", [1, 3 * HELD + 1, 10 * MOST_PARTS * HELD])
@pytest.mark.parametrize("rows", [0, 1, 7, 5_000])
def test_every_row_comes_to_its_place(tmp_path: Path, rows: int, size: int) -> None:
    table = pa.table({"number": np.arange(rows), "text": [f"row {k}" for k in range(rows)]})
    order = np.random.default_rng(0).permutation(rows)
    places = np.empty(rows, np.int64)
    places[order] = np.arange(rows)
    batches = list(mixed(table.to_batches(max_chunksize=300), places, size, tmp_path))
    whole = pa.Table.from_batches(batches, table.schema)
    assert whole.equals(table.take(pa.array(order)))
    assert list(tmp_path.iterdir()) == []
    if rows and size > HELD:
        assert len(batches) == min(rows, 4 if size < 10 * HELD else MOST_PARTS)


def test_pieces_have_the_lengths_that_are_asked_for() -> None:
    table = pa.table({"number": np.arange(100)})
    pieces = [list(piece) for piece in cut(iter(table.to_batches(max_chunksize=30)), [10, 0, 55, 35])]
    assert [sum(batch.num_rows for batch in piece) for piece in pieces] == [10, 0, 55, 35]
    assert pa.Table.from_batches([batch for piece in pieces for batch in piece]).equals(table)
