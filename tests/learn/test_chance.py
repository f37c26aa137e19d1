"""Whether inputs say anything about a label: never more often of noise than the level, and nothing hangs on order or scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datalint.profile.learn.chance import (
    MOST_TARGETS,
    category_design,
    class_targets,
    number_design,
    number_targets,
    relation,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from datalint.profile.learn.chance import Relation

    Labels = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]


def judged(X: NDArray[np.float32], targets: NDArray[np.float32], blocks: NDArray[np.int64] | None = None) -> Relation:
    contents = np.random.default_rng(9).integers(0, 2**63, len(X)).astype(np.uint64)
    designs = [number_design(column.astype(np.float64)) for column in X.T]
    return relation(X, targets, designs, contents, np.zeros(len(X), np.int64) if blocks is None else blocks)


def noise(seed: int, rows: int = 300) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(rows, 6)).astype(np.float32)


@pytest.mark.parametrize("numeric", [False, True])
def test_of_noise_it_says_nothing_as_often_as_its_level(numeric: bool) -> None:
    said = []
    for seed in range(120):
        rng = np.random.default_rng(1000 + seed)
        targets = number_targets(rng.standard_cauchy(300)) if numeric else class_targets(rng.integers(0, 3, 300))
        said.append(judged(noise(seed), targets).p_value)
    # One in ten at the level of 0.1; more than 25 of 120 in one run of 10,000.
    assert 2 <= sum(p <= 0.1 for p in said) <= 25
    assert sum(p <= 0.01 for p in said) <= 7


@pytest.mark.parametrize("shape", ["line", "sum", "pair", "ring"])
@pytest.mark.parametrize("numeric", [False, True])
def test_signal_of_any_shape_is_seen(shape: str, numeric: bool) -> None:
    X = noise(0, 1000)
    a, b = X[:, 0], X[:, 1]
    signal = {"line": a, "sum": X.sum(1) / 2, "pair": 1.5 * a * b, "ring": 1.5 * (a * a + b * b - 2)}[shape]
    y = signal + np.random.default_rng(1).logistic(size=1000)
    assert judged(X, number_targets(y) if numeric else class_targets((y > 0).astype(int))).p_value <= 0.01


def test_order_changes_nothing() -> None:
    X = noise(3)
    y = np.random.default_rng(4).integers(0, 2, 300)
    contents = np.random.default_rng(5).integers(0, 2**63, 300).astype(np.uint64)
    zeros = np.zeros(300, np.int64)
    mixed = np.random.default_rng(6).permutation(300)
    first = relation(X, class_targets(y), [], contents, zeros)
    second = relation(X[mixed], class_targets(y[mixed]), [], contents[mixed], zeros)
    assert (first.p_value, first.shuffles) == (second.p_value, second.shuffles)


def test_what_tells_only_the_block_is_no_signal() -> None:
    # Two splits of other places and other class shares: within each, labels are noise.
    rng = np.random.default_rng(7)
    blocks = np.repeat([0, 1], 500)
    y = (rng.random(1000) < np.where(blocks == 0, 0.4, 0.6)).astype(int)
    X = (noise(8, 1000) + 0.5 * blocks[:, None]).astype(np.float32)
    assert judged(X, class_targets(y), blocks).p_value > 0.01
    assert judged(X, class_targets(y)).p_value <= 0.01


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=2, max_size=200), st.integers(0, 10))
def test_targets_are_orthonormal_and_centred(labels: list[int], seed: int) -> None:
    targets = class_targets(np.array(labels))
    assert targets.shape[1] <= max(1, min(MOST_TARGETS, len(set(labels)) - 1))
    assert np.allclose(targets.T @ targets, np.eye(targets.shape[1]), atol=1e-4)
    assert np.allclose(targets.sum(0), 0, atol=1e-3)


def test_equal_labels_say_nothing() -> None:
    assert judged(noise(0), class_targets(np.zeros(300, int))).p_value == 1
    assert judged(noise(0), number_targets(np.ones(300))).p_value == 1


def test_a_rare_category_stands_with_the_others() -> None:
    codes = np.array([0] * 50 + [1] * 50 + [2, 3, 4, -1])
    assert category_design(codes).shape == (104, 3)
    assert category_design(np.zeros(50, int)).shape[1] == 0
