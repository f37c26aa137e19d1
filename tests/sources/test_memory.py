"""Objects in memory: whatever people hold their data in."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn import datasets

from datalint.core.errors import DatalintError
from datalint.sources.objects.memory import from_object

if TYPE_CHECKING:
    from datalint.core.dataset import Aspect, Dataset

N = 60
RNG = np.random.default_rng(11)
X, Y = RNG.random((N, 4)), RNG.integers(0, 3, N)
EVERYTHING: frozenset[Aspect] = frozenset({"labels", "table", "header", "pixels"})


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": RNG.random(N), "b": RNG.integers(0, 9, N) / 2, "label": ["x", "y"] * (N // 2)} | columns)


def inputs() -> pd.DataFrame:
    return frame().drop(columns="label")


def counts(source: Any, label: str | None = None, splits: Any = None) -> dict[str, dict[str, int]]:
    """Samples per class by split; missing labels under ""."""
    (dataset,) = from_object(source, label, splits)
    return counted(dataset)


def counted(dataset: Dataset) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for partition in dataset.partitions:
        for batch in partition.batches(EVERYTHING):
            assert not batch.problems
            assert len(batch.hashes) == batch.size
            mine = found.setdefault(batch.split, {})
            codes = [-1] * batch.size if batch.labels is None or batch.labels.codes is None else batch.labels.codes
            for code in codes:
                name = batch.labels.classes[code] if batch.labels is not None and code >= 0 else ""
                mine[name] = mine.get(name, 0) + 1
    return found


class Obstinate:
    """An object that will not be printed or compared."""

    def __str__(self) -> str:
        raise ValueError("no")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no")

    __hash__ = None  # type: ignore[assignment]


HALF = {"x": N // 2, "y": N // 2}


@pytest.mark.parametrize(
    "column",
    [
        pd.Categorical(RNG.choice(["u", "v"], N)),
        pd.array([1, None] * 30, dtype="Int64"),
        pd.array([1.5, None] * 30, dtype="Float64"),
        pd.array([True, None] * 30, dtype="boolean"),
        pd.array(["a", None] * 30, dtype="string"),
        pd.date_range("2020-01-01", periods=N),
        pd.date_range("2020-01-01", periods=N, tz="UTC"),
        pd.to_timedelta(range(N), "D"),
        pd.period_range("2020-01", periods=N, freq="M"),
        pd.interval_range(0, N),
        pd.arrays.SparseArray([0.0] * N),
        [1, "a", None, 2.5, b"x", (1, 2)] * 10,
        [[1, 2]] * N,
        [{"a": 1}] * N,
        [np.arange(3)] * N,
        RNG.random(N) + 1j,
        np.ones(N, np.float16),
        2**60 + np.arange(N),
        [10**30 + k for k in range(N)],
        np.full(N, 2**64 - 1, np.uint64),
        [decimal.Decimal("1.5")] * N,
        [datetime.date(1200, 1, 1)] * N,
        [np.inf] * N,
        [np.nan] * N,
        [None] * N,
        [pd.NA, 1] * 30,
        [pd.NaT, pd.Timestamp("2020")] * 30,
        [Path("a")] * N,
        ["a\0b"] * N,
        pd.Series(["\ud800a"] * N, dtype=object),
        [Obstinate()] * N,
    ],
    ids=lambda column: str(getattr(column, "dtype", type(column[0]).__name__)),
)
def test_any_column(column: Any) -> None:
    assert counts(frame(c=column)) == {"all": HALF}


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (pd.Categorical(["p", "q"] * 30), {"p": 30, "q": 30}),
        (pd.Categorical([1, 0] * 30), {"0": 30, "1": 30}),
        (pd.Categorical([1.5, None, 2.5] * 20), {"1.5": 20, "": 20, "2.5": 20}),
        (pd.array([1, None, 0] * 20, dtype="Int64"), {"0": 20, "1": 20, "": 20}),
        ([True, False] * 30, {"true": 30, "false": 30}),
        ([1, "a", 2.0] * 20, {"1": 20, "a": 20, "2.0": 20}),
        (np.array([np.int64(1), np.int64(0)] * 30, object), {"0": 30, "1": 30}),
        ([np.nan] * N, {"": N}),
        ([None] * N, {"": N}),
        ([[1]] * N, {"[1]": N}),
        (pd.Series(["\udcffa", "b"] * 30, dtype=object), {"\\xffa": 30, "b": 30}),
    ],
)
def test_any_label_column(label: Any, expected: dict[str, int]) -> None:
    assert counts(frame().assign(label=label), "label") == {"all": expected}


def test_names_of_columns() -> None:
    twice = frame()
    twice.columns = pd.Index(["a", "a", "label"])
    (dataset,) = from_object(twice, None)
    assert [field.name for field in dataset.fields] == ["a", "a.1", "label"]
    numbered = pd.DataFrame(np.column_stack([X, Y]))
    (dataset,) = from_object(numbered, "4")
    assert dataset.label is not None and dataset.label.name == "4"
    (dataset,) = from_object(numbered, "-1")
    assert dataset.label is not None and dataset.label.name == "4"
    odd = frame().rename(columns={"a": ("q", 1), "b": None})
    assert counts(odd) == {"all": HALF}
    with pytest.raises(DatalintError, match="did you mean 'label'"):
        from_object(frame(), "labl")


def test_rows_are_found_by_the_index() -> None:
    def first(index: Any) -> str:
        (dataset,) = from_object(frame().set_index(index), None)
        return dataset.partitions[0].sample_id(3)

    assert first(pd.RangeIndex(N)) == "df.iloc[3]"
    assert first(pd.Index(np.arange(N) + 7)) == "df.loc[10]"
    assert first(pd.Index([f"r{k}" for k in range(N)])) == "df.loc['r3']"
    assert first(pd.MultiIndex.from_product([range(6), range(10)])) == "df.loc[(0, 3)]"
    assert first(pd.Index([1] * N)) == "df.iloc[3]"
    assert "2020-01-04" in first(pd.date_range("2020-01-01", periods=N))


def test_labels_beside_a_frame() -> None:
    expected = {"all": {str(k): int(np.sum(k == Y)) for k in range(3)}}
    for labels in (Y, pd.Series(Y, index=range(5, 5 + N)), pd.DataFrame({"t": Y}), list(Y), Y[:, None]):
        (dataset,) = from_object((inputs(), labels), None)
        assert counted(dataset) == expected
        assert dataset.label is not None
        assert (dataset.label.confidence, dataset.label.evidence) == ("certain", "given with the inputs")
    (dataset,) = from_object((frame(), pd.Series(Y, name="a")), None)
    assert [field.name for field in dataset.fields] == ["a", "b", "label", "a_given"]
    assert dataset.label is not None and dataset.label.name == "a_given"
    missing = pd.Series([1, None] * 30, dtype="Int64")
    assert counts((inputs(), missing)) == {"all": {"1": 30, "": 30}}
    with pytest.raises(DatalintError, match="59 labels for 60 rows"):
        from_object((inputs(), Y[:-1]), None)
    with pytest.raises(DatalintError, match="3 labels per sample"):
        from_object((inputs(), np.eye(3)[Y]), None)


def test_tables_that_are_not_pandas() -> None:
    columns = {"a": [1.0, 2.0] * 30, "l": [[1]] * N, "label": ["x", "y"] * 30}
    for table in (pa.table(columns), pa.record_batch(columns)):
        assert counts(table) == {"all": HALF}
    bare = pa.table({"a": [1.0, 2.0] * 30})
    assert counts((bare, ["x", "y"] * 30)) == {"all": HALF}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array(["a", "b", "c"] * 20), {"a": 20, "b": 20, "c": 20}),
        (np.array(["a", "b", "c"] * 20, object), {"a": 20, "b": 20, "c": 20}),
        (np.array([0, 1, 2] * 20, object), {"0": 20, "1": 20, "2": 20}),
        (np.array([None, "a"] * 30, object), {"a": 30, "": 30}),
        (np.array([np.nan, 1.0] * 30), {"1": 30, "": 30}),
        (pd.Series([pd.NA, 1] * 30, dtype="Int64"), {"1": 30, "": 30}),
        (np.eye(2)[[0, 1] * 30], {"0": 30, "1": 30}),
        (np.array([0, 1] * 30)[:, None], {"0": 30, "1": 30}),
        ([0, 1] * 30, {"0": 30, "1": 30}),
    ],
)
def test_labels_beside_an_array(labels: Any, expected: dict[str, int]) -> None:
    assert counts((X, labels)) == {"all": expected}


@pytest.mark.parametrize("axes", [(0, 1, 2), (0, 1, 2, 3), (0, 3, 1, 2)])
def test_pictures(axes: tuple[int, ...]) -> None:
    pixels = RNG.integers(0, 255, (N, 16, 12, 3), dtype=np.uint8)
    array = pixels[..., 0] if len(axes) == 3 else pixels.transpose(axes)
    (dataset,) = from_object((array, Y), None)
    assert dataset.modality == "images"
    assert sum(counted(dataset)["all"].values()) == N
    assert (dataset.partitions[0].picture(5) or b"").startswith(b"RIFF")


def test_splits() -> None:
    assert set(counts({"train": (X, Y), "val": (X, Y)})) == {"train", "validation"}
    assert set(counts({"train": frame(), "test": frame().drop(columns="label")})) == {"train", "test"}
    assert set(counts((X, Y), splits={"test": (X, Y)})) == {"train", "test"}
    both = {"train": (inputs(), Y), "test": (inputs(), Y)}
    assert set(counts(both)) == {"train", "test"}
    for name in ("training", "Train"):
        with pytest.raises(DatalintError, match="two of the parts are the split 'train'"):
            from_object({"train": frame(), name: frame()}, None)


def test_mappings_that_are_not_by_split() -> None:
    expected = {str(k): int(np.sum(k == Y)) for k in range(3)}
    assert counts({"X": X, "y": Y}) == {"all": expected}
    by_name = {"X_train": X, "y_train": Y, "X_test": X, "y_test": Y}
    assert counts(by_name) == {"train": expected, "test": expected}
    assert counts({"a": [1, 2, 3], "b": [1.0, 2.0, 3.0], "label": ["x", "y", "x"]}) == {"all": {"x": 2, "y": 1}}
    assert counts(datasets.load_iris()) == {"all": {"0": 50, "1": 50, "2": 50}}
    assert counts(datasets.load_iris(as_frame=True)) == {"all": {"0": 50, "1": 50, "2": 50}}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "nothing to scan"),
        ({}, "the mapping is empty"),
        (3, "the type int"),
        ({1, 2}, "the type set"),
        (b"abc", "the type bytes"),
        pytest.param(
            (k for k in range(3)), "a generator can be read only once", id="generator"
        ),  # its address is in its repr
        ([[1, 2], [3]], "the type list"),
        ({"train": None}, "the type NoneType"),
        (np.array(3), "the type ndarray"),
        (np.array([["a"]]), "real numbers"),
        (X + 1j, "real numbers"),
        (np.zeros((0, 4)), "is empty"),
        (np.zeros((4, 0)), "is empty"),
        ([], "is empty"),
        (pd.DataFrame(), "is empty"),
        (frame().iloc[:0], "is empty"),
        ((X, X, Y, Y), "cannot tell what 4 parts are"),
        ((X, Y[:-1]), "59 labels for 60 inputs"),
        ((X, 3), "1 labels for 60 inputs"),
        ({"train": frame(), "test": (X, Y)}, "in the same form"),
        ({"train": frame(), "test": frame().iloc[:0]}, "the data frame of test is empty"),
    ],
    ids=str,
)
def test_what_is_refused(source: Any, message: str) -> None:
    with pytest.raises(DatalintError, match=message):
        from_object(source, None)


def test_labels_that_cannot_be_judged_are_told() -> None:
    (dataset,) = from_object((X, RNG.random((N, 2))), None)
    assert dataset.label is None
    assert [problem.kind for problem in dataset.problems] == ["not-scanned"]


def test_texts_in_view_types_are_read() -> None:
    view = pa.array(["a", "b"] * 30, pa.string_view())
    codes = pa.array([0, 1] * 30, pa.int16())
    months = pa.array([(1, 2, 3)] * 60, pa.month_day_nano_interval())
    coded = pa.DictionaryArray.from_arrays(codes, pa.array(["a", "b"], pa.string_view()))
    for column in (view, coded, months):
        for label in ("label", "c"):
            (dataset,) = from_object(pa.table({"c": column, "label": ["x", "y"] * 30}), label)
            (batch,) = [b for part in dataset.partitions for b in part.batches(frozenset({"labels", "table"}))]
            assert batch.size == 60
