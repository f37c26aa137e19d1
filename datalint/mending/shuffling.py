"""Mixing the rows of tables that do not fit into memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

HELD: Final = 64 << 20
"""Bytes of rows that are mixed at a time, about."""

MOST_PARTS: Final = 200
"""Files that are open at once."""

_PLACE: Final = "\x00place"


def mixed(batches: Iterable[Any], places: NDArray[np.int64], size: int, folder: Path) -> Iterator[Any]:
    """The same rows in another order, as Arrow record batches.

    First every row is put into the part of the result where it belongs, each part a file; then each part is sorted by
    itself.

    Args:
        batches: the rows.
        places: for each row, its place in the result.
        size: bytes of all rows, about.
        folder: for the parts, which are gone at the end.
    """
    import pyarrow as pa

    count = len(places)
    if not count:
        return
    parts = min(max(1, -(-size // HELD)), MOST_PARTS, count)
    each = -(-count // parts)
    with tempfile.TemporaryDirectory(dir=folder) as held:
        names = [Path(held) / str(k) for k in range(parts)]
        writers: dict[int, Any] = {}
        start = 0
        try:
            for batch in batches:
                goal = places[start : start + batch.num_rows]
                start += batch.num_rows
                marked = batch.append_column(_PLACE, pa.array(goal))
                part_of = goal // each
                for k in np.unique(part_of).tolist():
                    if k not in writers:
                        writers[k] = pa.ipc.new_stream(str(names[k]), marked.schema)
                    writers[k].write_batch(marked.take(pa.array(np.flatnonzero(part_of == k))))
        finally:
            for writer in writers.values():
                writer.close()
        for k in sorted(writers):
            with pa.OSFile(str(names[k])) as file:
                table = pa.ipc.open_stream(file).read_all()
            order = np.argsort(table.column(_PLACE).to_numpy())
            yield from table.drop_columns([_PLACE]).take(pa.array(order)).combine_chunks().to_batches()
            names[k].unlink()


def cut(batches: Iterator[Any], lengths: Iterable[int]) -> Iterator[Iterator[Any]]:
    """The rows in pieces of these lengths; each piece is to be used up before the next is asked for."""
    rest: list[Any] = []

    def piece(left: int) -> Iterator[Any]:
        while left:
            batch = rest.pop() if rest else next(batches)
            if batch.num_rows > left:
                rest.append(batch.slice(left))
                batch = batch.slice(0, left)
            left -= batch.num_rows
            yield batch

    for length in lengths:
        yield piece(length)
