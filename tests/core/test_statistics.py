"""The tests that compare groups of samples, by how often chance passes them."""

from __future__ import annotations

import numpy as np
import pytest

from datalint.core.statistics import chi_square, design_effect, kolmogorov_smirnov, ranks
from datalint.profile.statistics import poisson_tail


def test_the_design_effect_of_units() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(2_000), 5)
    second = units >= 1_400
    for likeness in (0.0, 0.3, 0.7, 1.0):
        own = rng.normal(size=2_000)[units]
        values = likeness**0.5 * own + (1 - likeness) ** 0.5 * rng.normal(size=len(units))
        assert design_effect(ranks(values), units, second) == pytest.approx(1 + 4 * likeness, abs=0.25)
        # What differs between the two groups is no likeness within units.
        assert design_effect(values + 9.0 * second, units, second) == pytest.approx(1 + 4 * likeness, abs=0.25)


def test_rows_that_are_units_by_themselves_have_no_design() -> None:
    rng = np.random.default_rng(0)
    second = np.arange(300) >= 200
    assert design_effect(rng.normal(size=300), np.full(300, -1), second) == 1
    assert design_effect(rng.normal(size=300), np.arange(300), second) == 1
    assert design_effect(np.ones(300), np.arange(300) // 3, second) == 1


def test_whole_units_drawn_at_random_are_alike_at_the_level() -> None:
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(150), 6)
    plain, mended, shares = 0, 0, 0
    for _ in range(400):
        own = rng.normal(size=150)
        values = own[units] + 0.7 * rng.normal(size=len(units))
        second = rng.permutation(150)[units] >= 105
        effect = design_effect(ranks(values), units, second)
        plain += kolmogorov_smirnov(values[~second], values[second])[1] < 0.01
        mended += kolmogorov_smirnov(values[~second], values[second], effect)[1] < 0.01
        table = np.array([np.bincount(values[part] > 0.5, minlength=2) for part in (~second, second)])
        shares += chi_square(table, effect=design_effect((values > 0.5).astype(float), units, second))[0] < 0.01
    assert plain > 60
    assert mended <= 12
    assert shares <= 12


def test_the_tail_of_a_rare_share_is_not_exaggerated() -> None:
    # 15 of 40 are rare where one in eight is expected: the binomial chance of that is 1 in 20,000.
    p_value, _ = chi_square(np.array([[485, 3_475], [15, 25]]))
    assert 1e-5 < p_value < 2e-4


def test_poisson_tails() -> None:
    assert poisson_tail(1, 0.5) == pytest.approx(1 - np.exp(-0.5))
    assert poisson_tail(2, 3.0) == pytest.approx(1 - 4 * np.exp(-3))
    assert poisson_tail(900, 950.0) == pytest.approx(0.95, abs=0.01)
    assert poisson_tail(1_200, 1_000.0) < 1e-9 < poisson_tail(900, 800.0)
    assert (poisson_tail(0, 0.0), poisson_tail(3, 0.0)) == (1, 0)
