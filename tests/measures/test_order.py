"""Runs of labels and serial dependence of targets, against what a few plain lines say."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datalint.core.dataset import Batch, LabelBlock
from datalint.measures.base import Settings
from datalint.measures.order import MAX_CLASSES, LabelRuns, Run, TargetOrder

LABELS = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=120)
RUNS = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(1, 50)), max_size=12)


def label_batch(labels: list[str | None], start: int = 0) -> Batch:
    names = sorted({label for label in labels if label is not None}, reverse=True)
    codes = np.array([-1 if label is None else names.index(label) for label in labels], np.int32)
    return Batch("all", start, len(labels), labels=LabelBlock(codes, names))


@settings(max_examples=150, deadline=None)
@given(LABELS | RUNS.map(lambda runs: [label for label, length in runs for _ in range(length)]), st.integers(1, 40))
def test_label_runs_are_those_of_groupby(labels: list[str | None], size: int) -> None:
    state = LabelRuns(Settings(batch_size=size))
    for start in range(0, len(labels), 17):
        state.update(label_batch(labels[start : start + 17], start))
    state.close()
    runs, at = [], 0
    for label, group in groupby(label or "" for label in labels):
        length = len(list(group))
        runs.append(Run(at, length, label))
        at += length
    assert state.runs == len(runs)
    assert (state.first, state.last) == ((runs[0], runs[-1]) if runs else (None, None))
    assert state.long_runs() == [run for run in runs if run.length >= size]
    assert state.counts == {
        key: sum(r.length for r in runs if r.label == key) for key in sorted({r.label for r in runs})
    }
    assert state.samples == len(labels)


@pytest.mark.parametrize(("classes", "counted"), [(MAX_CLASSES, True), (MAX_CLASSES + 1, False)])
def test_too_many_classes_are_not_counted_however_they_come(classes: int, counted: bool) -> None:
    names = [f"c{k}" for k in range(classes)]
    for step in (classes, 999):
        state = LabelRuns(Settings())
        for start in range(0, classes, step):
            part = names[start : start + step]
            state.update(Batch("all", start, len(part), labels=LabelBlock(np.arange(len(part), dtype=np.int32), part)))
        state.close()
        assert (state.counts is not None) is counted
        assert state.runs == (classes if counted else 0)
        assert (state.first is not None) is counted


def test_an_empty_class_name_is_a_missing_label_and_twice_declared_names_are_one_class() -> None:
    state = LabelRuns(Settings(batch_size=2))
    state.update(Batch("all", 0, 6, labels=LabelBlock(np.array([0, -1, 0, 1, 2, 1], np.int32), ["", "a", "a"])))
    assert state.close().counts == {"": 3, "a": 3}
    assert state.runs == 2
    assert state.long_runs() == [Run(0, 3, ""), Run(3, 3, "a")]


FLOATS = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([float("nan"), float("inf"), 1.0, 2.0]), max_size=60)


@settings(max_examples=100, deadline=None)
@given(FLOATS, st.integers(1, 20))
def test_target_order_is_what_numpy_says(targets: list[float], size: int) -> None:
    state = TargetOrder(Settings())
    for start in range(0, len(targets), size):
        values = np.array(targets[start : start + size])
        state.update(Batch("all", start, len(values), labels=LabelBlock(None, [], values)))
    state.close()
    x = np.array([value for value in targets if np.isfinite(value)])
    steps = np.diff(x)
    assert (state.samples, state.present, state.steps) == (len(targets), len(x), len(steps))
    assert (state.rising, state.falling) == ((steps > 0).sum(), (steps < 0).sum())
    assert state.squared_steps == pytest.approx((steps**2).sum(), rel=1e-9)
    if len(x):
        assert state.mean == pytest.approx(x.mean(), rel=1e-9, abs=1e-6)
        assert state.m2 == pytest.approx(((x - x.mean()) ** 2).sum(), rel=1e-9, abs=1e-3)
        assert (state.low, state.high, state.first, state.last) == (x.min(), x.max(), x[0], x[-1])
        assert state.whole == (x == np.round(x)).all()


def test_huge_targets_do_not_raise() -> None:
    state = TargetOrder(Settings())
    for value in (1.7e308, -1.7e308, 1e200, 0.0):
        state.update(Batch("all", 0, 2, labels=LabelBlock(None, [], np.array([value, value]))))
    assert state.mean == pytest.approx(1e200 / 4, abs=1e293)
    assert state.m2 == state.squared_steps == float("inf")
