"""Every measurement is a monoid: however the stream is cut and the parts are merged, the result is that of the whole."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import datalint.measures
from datalint.measures.base import Measurement, Settings
from datalint.measures.columns import NumberStats
from datalint.measures.contents import BYTES_PER_SAMPLE
from datalint.measures.order import TargetOrder
from datalint.measures.sample import Sample
from tests.measures.streams import KINDS, Section, Stream, measured, streams


def measurements() -> list[type[Measurement]]:
    """All concrete measurements of datalint."""
    found = {}
    for info in pkgutil.iter_modules(datalint.measures.__path__, "datalint.measures."):
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, type) and issubclass(value, Measurement) and not inspect.isabstract(value):
                found[value.__name__] = value
    return [found[name] for name in sorted(found)]


ALL = measurements()

MEMORY = 120 * BYTES_PER_SAMPLE
"""Of which the longer streams have too much."""


def public(state: Any) -> dict[str, Any]:
    """What a record holds, without what is private to it."""
    names = vars(state) if hasattr(state, "__dict__") else state.__slots__
    return {name: getattr(state, name) for name in names if not name.startswith("_") and name != "settings"}


def rounding(state: Measurement) -> dict[str, Any]:
    """How far sums of floats may differ beyond a relative 1e-9: by their terms' rounding, where terms cancel."""
    if not isinstance(state, NumberStats | TargetOrder):
        return {}
    size = np.maximum(np.abs(state.low), np.abs(state.high))
    size = np.where(np.isfinite(size), size, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        square = size * size * state.samples * 1e-15  # infinite where squares of the numbers are none
    return {"mean": size * 1e-12, "m2": square, "squared_steps": square}


def assert_same(a: Any, b: Any, where: str = "", slack: Any = 0.0) -> None:
    """Equal in every public part; floats to a relative 1e-9."""
    assert type(a) is type(b), where
    if isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), where
        if a.dtype.kind == "f":
            any_will_do = np.isinf(slack)
            near = np.isclose(a, b, rtol=1e-9, atol=np.where(any_will_do, 0.0, slack), equal_nan=True)
            close = near | any_will_do
            assert close.all(), f"{where}: {a[~close]} and {b[~close]}"
        else:
            assert (a == b).all() if a.dtype != object else a.tolist() == b.tolist(), where
    elif isinstance(a, float):
        assert np.isinf(slack) or np.isclose(a, b, rtol=1e-9, atol=slack, equal_nan=True), f"{where}: {a} and {b}"
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key}]")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), where
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}[{k}]", slack)
    elif isinstance(a, Measurement) or type(a).__module__.startswith("datalint.measures"):
        allowed = rounding(a) if isinstance(a, Measurement) else {}
        for name, value in public(a).items():
            assert_same(value, getattr(b, name), f"{where}.{name}", allowed.get(name, 0.0))
    else:
        assert a == b, where


def merged(states: list[Measurement], rng: np.random.Generator) -> Measurement:
    """Merge neighbours in random order; some states are closed, or go through a pickle, on their way."""
    while len(states) > 1:
        at = int(rng.integers(len(states) - 1))
        pair = [state.close() if rng.random() < 0.5 else state for state in states[at : at + 2]]
        pair = [pickle.loads(pickle.dumps(state)) if rng.random() < 0.3 else state for state in pair]
        states[at : at + 2] = [pair[0].merge(pair[1])]
    return states[0]


@pytest.mark.parametrize("stream_kind", KINDS)
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_cut_and_any_order_of_merges_gives_the_whole(
    kind: type[Measurement], stream_kind: str, data: st.DataObject
) -> None:
    stream = data.draw(streams(stream_kind))
    seed = data.draw(st.integers(0, 2**32 - 1))
    check(kind, stream, seed, Settings(batch_size=int(seed % 40) + 1, sample_size=200, memory=MEMORY))


def check(kind: type[Measurement], stream: Stream, seed: int, given_settings: Settings) -> None:
    """Measure a stream as a whole and in parts."""
    rng = np.random.default_rng(seed)
    cuts = {int(cut) for cut in rng.integers(0, stream.size + 1, int(rng.integers(0, 8)))}
    whole = measured(kind, given_settings, stream.batches(0, stream.size, cuts, rng)).close()
    ends = [0, *sorted(int(cut) for cut in rng.integers(0, stream.size + 1, int(rng.integers(0, 9)))), stream.size]
    finer = {int(cut) for cut in rng.integers(0, stream.size + 1, 20)}
    parts = [measured(kind, given_settings, stream.batches(a, b, finer, rng)) for a, b in pairwise(ends)]
    assert_same(whole, merged([*parts], rng).close())


@pytest.mark.parametrize("stream_kind", KINDS)
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_closing_twice_changes_nothing_and_an_empty_part_is_neutral(
    kind: type[Measurement], stream_kind: str, data: st.DataObject
) -> None:
    stream = data.draw(streams(stream_kind))
    rng = np.random.default_rng(0)
    given_settings = Settings(sample_size=200, memory=MEMORY)
    state = measured(kind, given_settings, stream.batches(0, stream.size, set(), rng)).close()
    before = copy.deepcopy(state)
    assert_same(before, state.close())
    assert_same(before, pickle.loads(pickle.dumps(state)).close())
    assert_same(before, copy.deepcopy(state).merge(kind(given_settings)).close())
    assert_same(before, kind(given_settings).close().merge(state).close())


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_streams_exercise_every_measurement(kind: type[Measurement]) -> None:
    """A new measurement that these streams leave empty needs streams of its own."""
    fresh = public(kind(Settings()).close())
    touched: set[str] = set()

    @settings(max_examples=40, deadline=None, database=None, derandomize=True)
    @given(data=st.data())
    def look(stream_kind: str, data: st.DataObject) -> None:
        stream = data.draw(streams(stream_kind))
        state = measured(
            kind, Settings(memory=MEMORY), stream.batches(0, stream.size, set(), np.random.default_rng(0))
        ).close()
        for name, value in public(state).items():
            try:
                assert_same(value, fresh[name])
            except AssertionError:
                touched.add(name)

    for kind_of_stream in KINDS:
        look(kind_of_stream)
    assert touched == set(fresh)


def test_there_are_measurements() -> None:
    assert len(ALL) >= 8


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("late", ["column", "text", "colour"])
def test_what_only_dropped_samples_have_does_not_depend_on_the_cut(late: str, seed: int) -> None:
    """A full sample meets one more sample, likely too late to be kept, that has a column or a colour of its own."""
    rng = np.random.default_rng(seed)
    many, one = Section(400), Section(1)
    if late == "colour":
        many.pictures = [*rng.integers(0, 256, (400, 4, 4)).astype(np.uint8)]
        one.pictures = [rng.integers(0, 256, (4, 4, 3)).astype(np.uint8)]
        many.image, one.image = rng.integers(2**63, size=400).astype(np.uint64), np.full(1, 2**64 - 1, np.uint64)
    else:
        many.names, many.numbers = ("a",), rng.normal(size=(400, 1))
        one.names = ("a", "b") if late == "column" else ("a",)
        one.numbers = rng.normal(size=(1, len(one.names)))
        one.texts = {"t": np.array(["x"], dtype=object)} if late == "text" else {}
    for again in range(4):
        check(Sample, Stream([many, one, many]), seed * 4 + again, Settings(sample_size=200))
