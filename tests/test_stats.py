"""Statistics of label sequences, against simulation and brute force."""

from __future__ import annotations

from itertools import groupby, permutations
from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datalint.core.dataset import Batch, LabelBlock
from datalint.measures.base import Settings
from datalint.measures.order import LabelRuns
from datalint.profile import statistics as stats

MIXES = [(50, 30, 15, 5), (150, 150), (400, 20, 3), (12,) * 25, (997, 3), (995, 5), (2_990, 10), (990, 5, 5), (5, 4, 3)]


@pytest.mark.parametrize("counts", MIXES, ids=str)
def test_z_of_shuffled_labels_is_standard_normal(counts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(counts)), counts)
    shuffles = rng.permuted(np.tile(labels, (2_000, 1)), axis=1)
    runs = 1 + (shuffles[:, 1:] != shuffles[:, :-1]).sum(1)
    z = np.array([stats.runs_test(int(r), counts)[0] for r in runs])
    assert z.min() > -5
    if np.ptp(runs) > 15:  # of a few rare samples the number of runs takes a few values, which is no bell
        assert abs(z.mean()) < 0.1  # 4.5 standard errors
        assert abs(z.std() - 1) < 0.12


@pytest.mark.parametrize("labels", ["aaabbc", "aab", "ab", "aaaabb", "aaaaaab", "aabbcdd"])
def test_moments_are_exact_for_a_short_sequence(labels: str) -> None:
    every = np.array([sum(1 for _ in groupby(order)) for order in permutations(labels)])
    counts = [labels.count(label) for label in sorted(set(labels))]
    mean, variance, skewness = stats._alike_neighbours(counts)
    alike = len(labels) - every
    assert mean == pytest.approx(alike.mean())
    assert variance == pytest.approx(alike.var())
    assert skewness * variance**1.5 == pytest.approx(((alike - alike.mean()) ** 3).mean(), abs=1e-12)
    assert stats.runs_test(2, counts)[1] == pytest.approx(every.mean())


def test_runs_test_of_data_sets_that_are_sorted() -> None:
    assert stats.runs_test(3, (50, 50, 50))[0] < -12
    assert stats.runs_test(10, (180,) * 10)[0] < -50
    assert stats.runs_test(2, (5_000_000, 5_000_000))[0] < -1_000
    _, expected = stats.runs_test(1, (1_000_000,) * 10)
    spread = (1e7 * 0.9 * 0.1) ** 0.5  # neighbours are alike nearly as if by independent chances of a tenth
    assert stats.runs_test(round(expected - 2 * spread), (1_000_000,) * 10)[0] == pytest.approx(-2, abs=0.01)


@pytest.mark.parametrize("counts", [(), (1,), (7,), (1, 1), (0, 5)])
def test_runs_test_has_nothing_to_say_where_every_order_has_as_many_runs(counts: tuple[int, ...]) -> None:
    assert stats.runs_test(max(1, sum(c > 0 for c in counts)), counts)[0] == 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 40)), max_size=15), st.integers(1, 33))
def test_single_label_batches_are_those_one_can_count(runs: list[tuple[str, int]], size: int) -> None:
    labels = "".join(label * length for label, length in runs)
    measured = LabelRuns(Settings(batch_size=size))
    codes = np.array([ord(label) - ord("a") for label in labels], np.int32)
    measured.update(Batch("all", 0, len(labels), labels=LabelBlock(codes, ["a", "b"])))
    batches = [labels[k : k + size] for k in range(0, len(labels) // size * size, size)]
    counted = (sum(len(set(batch)) == 1 for batch in batches), len(batches))
    assert stats.single_label_batches(measured.long_runs(), len(labels), size) == counted


@pytest.mark.parametrize(("counts", "size"), [((30, 20, 10), 4), ((95, 5), 8), ((3, 3, 3, 3), 2), ((500, 2), 32)])
def test_batches_of_a_shuffle_are_those_of_a_simulation(counts: tuple[int, ...], size: int) -> None:
    draws = np.random.default_rng(0).multivariate_hypergeometric(counts, size, 40_000)
    classes = (draws > 0).sum(1)
    named = {str(k): count for k, count in enumerate(counts)}
    single = stats.shuffled_single_label_share(named, size)
    assert abs(single - (classes == 1).mean()) < 5 * np.sqrt(single * (1 - single) / 40_000) + 1e-9
    expected = stats.shuffled_classes_per_batch(named, size)
    assert abs(expected - classes.mean()) < 5 * classes.std() / 200 + 1e-9


def test_batches_of_a_shuffle_at_the_edges() -> None:
    assert stats.shuffled_single_label_share({"a": 5}, 4) == pytest.approx(1)
    assert stats.shuffled_single_label_share({"a": 2, "b": 1}, 4) == 0
    assert stats.shuffled_single_label_share({"a": 3, "b": 1}, 4) == 0
    assert stats.shuffled_classes_per_batch({"a": 2, "b": 1}, 4) == 2
    huge = {"a": 900_000_000, "b": 100_000_000}
    assert isclose(stats.shuffled_single_label_share(huge, 32), 0.9**32 + 0.1**32, rel_tol=1e-5)


def test_class_weights_give_every_class_the_same_total() -> None:
    assert stats.class_weights({"a": 90, "b": 10}) == {"a": pytest.approx(100 / 180), "b": pytest.approx(5)}


# --- the shuffle buffer -----------------------------------------------------------------------------------------------


def streamed(codes: list[int], buffer: int, rng: np.random.Generator) -> list[int]:
    """What a streaming shuffle delivers (as in tf.data and webdataset): fill; hand out any, put the next in its place."""
    held, out = codes[:buffer], []
    for code in codes[buffer:]:
        at = int(rng.random() * buffer)
        out.append(held[at])
        held[at] = code
    return out + [held[k] for k in rng.permutation(len(held))]


def classes_per_batch(codes: list[int], size: int) -> float:
    full = len(codes) // size * size
    return float(np.mean([len(set(codes[k : k + size])) for k in range(0, full, size)]))


def simulated_buffer(codes: list[int], size: int, wanted: float) -> float:
    """The smallest buffer by bisection over simulations."""
    rng = np.random.default_rng(0)
    low, high = float(size), float(len(codes))
    while high / low > 1.05:
        middle = (low * high) ** 0.5
        enough = np.mean([classes_per_batch(streamed(codes, int(middle), rng), size) for _ in range(3)])
        low, high = (low, middle) if enough >= 0.9 * wanted else (middle, high)
    return high


def stored(kind: str) -> list[int]:
    rng = np.random.default_rng(7)
    n = 6_000
    if kind == "two classes sorted":
        labels = np.sort(rng.integers(2, size=n))
    elif kind == "ten classes sorted":
        labels = np.sort(rng.integers(10, size=n))
    elif kind == "imbalanced and sorted":
        labels = np.sort(rng.choice(4, size=n, p=[0.7, 0.2, 0.07, 0.03]))
    elif kind == "blocks of 100":
        labels = np.repeat(rng.integers(10, size=n // 100), 100)
    elif kind == "six sorted shards":
        labels = np.sort(rng.integers(10, size=(6, n // 6)), axis=1).reshape(-1)
    else:
        labels = rng.integers(10, size=n)
    return [int(label) for label in labels]


@pytest.mark.parametrize(
    "kind",
    ["two classes sorted", "ten classes sorted", "imbalanced and sorted", "blocks of 100", "six sorted shards"],
)
def test_smallest_buffer_is_that_of_a_simulation(kind: str) -> None:
    codes, size = stored(kind), 32
    counts = {str(k): codes.count(k) for k in set(codes)}
    wanted = stats.shuffled_classes_per_batch(counts, size)
    found = stats.smallest_buffer(np.arange(len(codes)), np.array(codes), len(codes), size, wanted)
    assert found is not None
    simulated = simulated_buffer(codes, size, wanted)
    assert simulated / 1.5 < found < simulated * 1.5, (found, simulated)


def test_smallest_buffer_from_a_sample_of_the_rows() -> None:
    codes = np.array(stored("six sorted shards"))
    rows = np.sort(np.random.default_rng(0).choice(len(codes), 1_500, replace=False))
    whole = stats.smallest_buffer(np.arange(len(codes)), codes, len(codes), 32, 9.6)
    part = stats.smallest_buffer(rows, codes[rows], len(codes), 32, 9.6)
    assert whole is not None
    assert part is not None
    assert whole / 1.3 < part < whole * 1.3


def test_shuffled_data_needs_no_buffer_worth_the_name_and_a_buffer_for_all_always_does() -> None:
    codes = np.array(stored("shuffled"))
    found = stats.smallest_buffer(np.arange(len(codes)), codes, len(codes), 32, 9.6)
    assert found is not None
    assert found < 100
    everything = stats.buffer_shares(np.arange(len(codes)), np.sort(codes), len(codes), len(codes))
    np.testing.assert_allclose(everything, np.tile(np.bincount(codes) / len(codes), (len(everything), 1)))


@pytest.mark.parametrize(("value", "rounded"), [(32.0, 32), (32.1, 33), (99.5, 100), (101.0, 110), (12_345.0, 13_000)])
def test_rounded_up_to_two_digits(value: float, rounded: int) -> None:
    assert stats.round_up(value) == rounded
