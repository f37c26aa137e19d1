"""Tables of other libraries, and rows: what each gives is what the same table of pandas gives."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any

import dask.array as da
import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pytest
from scipy import sparse
from sklearn import datasets

import datalint
from datalint.core.errors import DatalintError
from datalint.sources.objects import tabular

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.report.models import Report

IRIS: pd.DataFrame = datasets.load_iris(as_frame=True).frame
TABLE = pa.Table.from_pandas(IRIS, preserve_index=False)
TEXTS = [f"the text number {k} is about {'cats' if k % 2 else 'dogs'}" for k in range(100)]
LABELS = [k % 2 for k in range(100)]

Flower = collections.namedtuple("Flower", ["width", "length", "target"])


@dataclasses.dataclass
class Sample:
    width: float
    length: float
    target: int


class Stream:
    """Another library's table."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return TABLE.__arrow_c_stream__(requested_schema)


class Interchange:
    """An older library's table."""

    def __dataframe__(self, *arguments: Any, **options: Any) -> object:
        return IRIS.__dataframe__(*arguments, **options)  # type: ignore[operator]


def rows() -> Any:
    yield from IRIS.to_dict("records")


def scan(source: Any) -> Report:
    return datalint.scan(source, cache=False, preset="fast")


def relation(words: str = "*") -> Any:
    con = duckdb.connect()
    con.register("iris", IRIS)
    return con.sql(f"select {words} from iris order by target")


FRAMES: dict[str, Callable[[], Any]] = {
    "polars": lambda: pl.from_pandas(IRIS),
    "polars, lazy": lambda: pl.from_pandas(IRIS).lazy(),
    "arrow": lambda: TABLE,
    "arrow batch": lambda: TABLE.to_batches()[0],
    "arrow batches": lambda: TABLE.to_batches(max_chunksize=40),
    "arrow reader": TABLE.to_reader,
    "arrow data set": lambda: pads.dataset(TABLE),
    "duckdb": relation,
    "dask": lambda: dd.from_pandas(IRIS, npartitions=3),  # type: ignore[no-untyped-call]
    "c stream": Stream,
    "interchange": Interchange,
    "dicts": lambda: IRIS.to_dict("records"),
    "record array": lambda: IRIS.to_records(index=False),
    "function": lambda: rows,
}


@pytest.mark.filterwarnings("ignore:The DataFrame Interchange Protocol is deprecated")
@pytest.mark.parametrize("name", FRAMES)
def test_frames_give_what_pandas_gives(name: str) -> None:
    (expected,), (found,) = scan(IRIS).datasets, scan(FRAMES[name]()).datasets
    assert found.label == expected.label and found.splits == expected.splits
    assert [f.message for f in found.findings] == [f.message for f in expected.findings]
    assert found.findings


@pytest.mark.parametrize(
    "pair",
    [
        (pl.from_pandas(IRIS.drop(columns="target")), pl.Series("target", IRIS["target"])),
        (TABLE.drop(["target"]), TABLE["target"]),
        (relation("* exclude target"), IRIS["target"].to_numpy()),
        (IRIS.drop(columns="target").to_dict("records"), list(IRIS["target"])),
    ],
)
def test_labels_beside_a_frame(pair: Any) -> None:
    (found,) = scan(pair).datasets
    assert found.splits[0].classes == {"0": 50, "1": 50, "2": 50}


@pytest.mark.parametrize("made", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array, da.from_array])
def test_matrices(made: Any) -> None:
    x, y = IRIS.drop(columns="target").to_numpy(), IRIS["target"].to_numpy()
    (expected,), (found,) = scan((x, y)).datasets, scan((made(x), y)).datasets
    assert [f.message for f in found.findings] == [f.message for f in expected.findings]
    assert found.splits == expected.splits
    assert scan(made(x)).datasets[0].splits[0].samples == 150


@pytest.mark.parametrize("made", [list, pd.Series, np.array, pl.Series, pa.array, lambda t: np.array(t, object)])
def test_texts_and_labels(made: Any) -> None:
    (found,) = scan((made(TEXTS), LABELS)).datasets
    assert found.splits[0].classes == {"0": 50, "1": 50}
    (described,) = datalint.detect((made(TEXTS), LABELS))
    assert [(field.name, field.role) for field in described.fields if field.role != "label"] == [("text", "text")]


@pytest.mark.parametrize("row", [Flower, Sample, lambda *cells: (*cells[:2], str(cells[2]))])
def test_lists_of_rows(row: Any) -> None:
    (found,) = scan([row(k * 1.5, k % 7, k % 2) for k in range(80)]).datasets
    assert (found.layout, found.splits[0].samples) == ("data frame", 80)


def test_functions_of_pairs() -> None:
    x, y = IRIS.drop(columns="target").to_numpy(), IRIS["target"].to_numpy()
    (found,) = scan(lambda: iter(zip(x, y, strict=True))).datasets
    assert found.splits[0].classes == {"0": 50, "1": 50, "2": 50}


def test_splits_of_different_libraries() -> None:
    table = IRIS.sample(frac=1, random_state=0)
    parts = {
        "train": pl.from_pandas(table[:100]).lazy(),
        "test": pa.Table.from_pandas(table[90:], preserve_index=False),
    }
    report = scan(parts)
    assert [split.samples for split in report.datasets[0].splits] == [100, 60]
    assert "SPL101" in {finding.code for finding in report.findings}
    report = scan({"train": table[:100].to_dict("records"), "test": table[90:].to_dict("records")})
    assert [split.samples for split in report.datasets[0].splits] == [100, 60]


class Broken:
    columns = ("a",)

    def to_arrow(self) -> None:
        raise RuntimeError("the cluster\nis gone")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (5, "cannot scan an object of the type int"),
        ({1, 2}, "cannot scan an object of the type set"),
        (rows(), "can be read only once"),
        (Broken(), "the Broken cannot be read as a table: the cluster"),
        (lambda x: x, "wants x"),
        (lambda: iter(()), "yields nothing"),
        ([("a", 1), ("b", 2, 3)], "the rows of the list have from 2 to 3 values"),
        (pl.DataFrame(), "is empty"),
    ],
)
def test_one_line_says_what_is_wrong(source: Any, message: str) -> None:
    with pytest.raises(DatalintError) as raised:
        scan(source)
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_a_sparse_matrix_too_large_to_be_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = sparse.random_array((2_000, 200_000), density=1e-5, format="csr", rng=np.random.default_rng(0))
    with pytest.raises(DatalintError, match="2,000 x 200,000 is too large"):
        scan((wide, np.zeros(2_000)))
    monkeypatch.setattr(tabular, "MOST", 100)
    with pytest.raises(DatalintError, match="more than 100 rows"):
        scan(rows)
