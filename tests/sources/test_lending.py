"""What pyarrow was given is let go before the reading is said to be over, or the end of the process may abort it."""

from __future__ import annotations

import gzip
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pyarrow.csv as pacsv
import pytest

import datalint
from datalint.mending.tables import load
from datalint.sources.tables.csvs import CsvPartition
from datalint.sources.tables.lending import PATIENCE, lending

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datalint.core.dataset import Aspect

ALL: frozenset[Aspect] = frozenset({"table", "labels"})


class Late:
    """Threads that hold what they were given for a while, as those of pyarrow sometimes do."""

    def __init__(self) -> None:
        self.given: list[weakref.ref[Any]] = []

    def hold(self, thing: Any) -> None:
        self.given.append(weakref.ref(thing))

        def holding(kept: list[Any]) -> None:
            time.sleep(0.2)
            kept.clear()

        threading.Thread(target=holding, args=([thing],)).start()

    def all_gone(self) -> bool:
        assert self.given
        return all(thing() is None for thing in self.given)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Late:
    late = Late()

    def held(read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(source: Any, reading: Any, parsing: Any, converting: Any) -> Any:
            late.hold(parsing.invalid_row_handler)
            return read(source, reading, parsing, converting)

        return reading

    monkeypatch.setattr(pacsv, "open_csv", held(pacsv.open_csv))
    monkeypatch.setattr(pacsv, "read_csv", held(pacsv.read_csv))
    return late


def partition(folder: Path, rows: int = 50, name: str = "t.csv") -> CsvPartition:
    text = "a,b,label\n" + "".join(f"{k},{k * 7 % 11},{'xy'[k % 2]}\n" for k in range(rows))
    data = text.encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (dataset,) = datalint.detect(folder / name, label="label")
    (part,) = dataset.partitions
    assert isinstance(part, CsvPartition)
    return part


def test_rows_that_were_read_to_the_end(tmp_path: Path, late: Late) -> None:
    part = partition(tmp_path)
    assert late.all_gone()  # what recognising it lent
    late.given.clear()
    assert sum(batch.size for batch in part.batches(ALL)) == 50
    assert late.all_gone()


def test_rows_of_which_only_the_first_were_wanted(tmp_path: Path, late: Late) -> None:
    rows = partition(tmp_path, 60_000).batches(ALL | {"head"})
    late.given.clear()
    assert next(rows).size < 60_000
    del rows
    assert late.all_gone()


def test_rows_that_break_off(tmp_path: Path, late: Late) -> None:
    part = partition(tmp_path, 60_000, "t.csv.gz")
    whole = part.path.read_bytes()
    part.path.write_bytes(whole[: len(whole) // 2])
    late.given.clear()
    (problem,) = [problem for batch in part.batches(ALL) for problem in batch.problems]
    assert problem.kind == "truncated"
    assert late.all_gone()


def test_rows_as_they_were_written(tmp_path: Path, late: Late) -> None:
    partition(tmp_path)
    (dataset,) = datalint.detect(tmp_path / "t.csv", label="label")
    (table,) = load(dataset)
    late.given.clear()
    assert len(table) == 50
    assert late.all_gone()


def test_what_someone_else_keeps_is_not_waited_for_long() -> None:
    kept = threading.Event()
    start = time.monotonic()
    with lending() as lend:
        assert lend(kept) is kept
    assert time.monotonic() - start >= PATIENCE
