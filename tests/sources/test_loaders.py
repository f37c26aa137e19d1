"""What is taken for a loader or data set, and what is said of objects that are none; the real packages have tests of their own."""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.core.errors import DatalintError
from datalint.sources.objects.loaders import source_kind

if TYPE_CHECKING:
    from collections.abc import Iterator


class Items:
    """Two classes of plain numbers, in the order of their labels."""

    def __init__(self, count: int = 200, broken: tuple[int, ...] = ()) -> None:
        self.count = count
        self.broken = broken

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[list[float], int]:
        if index in self.broken:
            raise OSError(f"shard {index} is gone")
        return [float(index % 17), float(index % 5) + random.random()], int(index >= self.count // 2)


class Loader:
    """Batches as somebody's own loader may make them."""

    batch_size = 20

    def __init__(self, dataset: Items) -> None:
        self.dataset = dataset

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self.dataset), self.batch_size):
            items = [self.dataset[k] for k in range(start, start + self.batch_size)]
            yield np.array([x for x, _ in items]), np.array([y for _, y in items])


class Endless:
    """One item after the other."""

    def __iter__(self) -> Iterator[tuple[list[float], str]]:
        return (([float(k), float(k % 3)], "ab"[k % 2]) for k in range(300))


@pytest.mark.parametrize(
    "value",
    [
        "data.csv",
        [1.0, 2.0],
        (np.zeros((3, 2)), np.zeros(3)),
        {"a": [1, 2]},
        range(5),
        deque([1, 2]),
        np.zeros(3),
        pd.DataFrame({"a": [1]}),
        pd.Series([1]),
        7,
        None,
        object(),
        Items,
    ],
)
def test_plain_values_are_no_loaders(value: object) -> None:
    assert source_kind(value) is None


def test_what_objects_offer_says_what_they_are() -> None:
    assert source_kind(Items()) == "data set"
    assert source_kind(Loader(Items())) == "loader"
    assert source_kind(Endless()) == "stream"


def test_items_are_asked_for_one_by_one_and_leave_no_trace() -> None:
    random.seed(4)
    state = random.getstate()
    report = datalint.scan(Items(), select=["ORD101", "LBL101"])
    assert random.getstate() == state
    assert report.datasets[0].layout == "an Items of 200 samples, drawn with random transforms"
    assert report.datasets[0].splits[0].classes == {"0": 100, "1": 100}
    assert [finding.code for finding in report.findings] == ["ORD101"]


def test_batches_of_a_loader_of_any_make() -> None:
    report = datalint.scan(Loader(Items()), select=["ORD101"])
    assert (
        report.datasets[0].layout
        == "a Loader of batches of 20, in its own order, over an Items of 200 samples, drawn with random transforms"
    )
    assert report.findings[0].evidence["batch_size"] == 20


def test_a_stream_of_items() -> None:
    report = datalint.scan({"train": Endless()}, select=["ORD101", "LBL101"])
    assert report.datasets[0].splits[0].classes == {"a": 150, "b": 150}
    assert "read up to 100,000 samples" in report.datasets[0].layout


def test_an_item_that_fails_is_named_and_the_others_are_read() -> None:
    report = datalint.scan(Items(broken=(3, 90)), select=["FIL101"])
    (finding,) = report.findings
    assert finding.severity == "error"
    assert [sample.id for sample in finding.affected.samples] == ["dataset[3]", "dataset[90]"]
    assert finding.message == "dataset[3]: OSError: shard 3 is gone (and 1 more)"
    assert report.datasets[0].splits[0].samples == 198


def test_a_loader_that_stops_says_where() -> None:
    (finding,) = datalint.scan(Loader(Items(broken=(70,))), select=["FIL101"]).findings
    assert "batch 3: OSError: shard 70 is gone; the rest was not read" in finding.message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Items(0), "the data set is empty: it gives no item"),
        (Items(broken=tuple(range(200))), r"the data set cannot be read: dataset\[0\] raises OSError: shard 0 is gone"),
        (iter([1, 2]), "a list_iterator can be read only once"),
        ({"train": Items(), "test": np.zeros((4, 2))}, "every split in the same form: 'test' is a ndarray"),
        ((Items(), Items()), "give the Items alone, or by split: {'train': ..., 'test': ...}"),
        (object(), "cannot scan an object of the type object; give a path"),
    ],
)
def test_what_cannot_be_scanned_is_said_in_one_line(value: object, message: str) -> None:
    with pytest.raises(DatalintError, match=message) as caught:
        datalint.scan(value)
    assert "\n" not in str(caught.value)


def test_a_part_that_is_named_as_the_label() -> None:
    report = datalint.scan(Loader(Items()), label="1", select=["LBL101"])
    assert report.datasets[0].splits[0].classes == {"0": 100, "1": 100}
    with pytest.raises(DatalintError, match="the loader gives no part 'species'; its parts are 0, 1"):
        datalint.scan(Loader(Items()), label="species")


class Sampled(Loader):
    """Batches of sizes of their own, as a sampler of batches draws them."""

    batch_size = None  # type: ignore[assignment]

    def __init__(self, dataset: Items, batches: list[list[int]]) -> None:
        super().__init__(dataset)
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        for batch in self.batches:
            items = [self.dataset[k] for k in batch]
            yield np.array([x for x, _ in items]), np.array([y for _, y in items])


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_batches_are_counted_as_the_loader_gives_them(share: float) -> None:
    rng = np.random.default_rng(0)
    halves = [rng.permutation(1500).tolist(), (1500 + rng.permutation(1500)).tolist()]
    batches, single = [], 0
    while min(map(len, halves)) > 30:
        size, alone = int(rng.integers(12, 25)), rng.random() < share
        side = int(rng.integers(2))
        batches.append([halves[side if alone else k % 2].pop() for k in range(size)])
        single += bool(alone)
    report = datalint.scan(Sampled(Items(3000), batches), select=["ORD103"])
    if share == 0:
        assert not report.findings
        return
    (finding,) = report.findings
    assert (finding.evidence["single_label_batches"], finding.evidence["full_batches"]) == (single, len(batches))
    assert "batches of 12 to 24" in finding.message and "as the loader gives them" in finding.message
