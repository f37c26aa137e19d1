"""The tests that compare groups of samples, by how often chance passes them."""

from __future__ import annotations

import numpy as np
import pytest

from datalint.core.statistics import (
    auc,
    binomial_tail,
    chi_square,
    chi_square_tail,
    design_effect,
    design_effect_of_classes,
    kolmogorov_smirnov,
    log_chi_square_tail,
    midranks,
    normal_tail,
    poisson_tail,
)


def test_the_design_effect_of_units() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(2_000), 5)
    second = units >= 1_400
    for likeness in (0.0, 0.3, 0.7, 1.0):
        own = rng.normal(size=2_000)[units]
        values = likeness**0.5 * own + (1 - likeness) ** 0.5 * rng.normal(size=len(units))
        assert design_effect(midranks(values), units, second) == pytest.approx(1 + 4 * likeness, abs=0.25)
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
        effect = design_effect(midranks(values), units, second)
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


def test_normal_tail() -> None:
    assert normal_tail(0) == 0.5
    assert normal_tail(1.959964) == pytest.approx(0.025, rel=1e-5)


def test_binomial_tail_agrees_with_scipy() -> None:
    from scipy.stats import binom

    for count, draws, chance in ((1, 1, 0.42), (2, 2, 0.42), (5, 9, 0.3), (40, 60, 0.5), (0, 4, 0.1), (5, 4, 0.1)):
        assert binomial_tail(count, draws, chance) == pytest.approx(binom.sf(count - 1, draws, chance), abs=1e-9)
    assert binomial_tail(430, 2000, 0.2) == pytest.approx(binom.sf(429, 2000, 0.2), rel=0.05)


@pytest.mark.parametrize("free", [1, 2, 3, 8, 25, 400])
@pytest.mark.parametrize("statistic", [0.0, 0.3, 5.0, 60.0, 900.0, 3_000.0])
def test_tails_of_chi_squared_agree_with_scipy(statistic: float, free: int) -> None:
    from scipy.stats import chi2

    assert chi_square_tail(statistic, free) == pytest.approx(chi2.sf(statistic, free), rel=1e-9, abs=1e-300)
    expected = chi2.logsf(statistic, free)
    if np.isinf(expected):  # scipy's underflows; the density says nearly as much
        expected = chi2.logpdf(statistic, free) + np.log(2)
    assert log_chi_square_tail(statistic, free) == pytest.approx(expected, rel=1e-3)


def test_midranks_and_auc_agree_with_scipy_and_scikit_learn() -> None:
    from scipy.stats import rankdata
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    values = rng.integers(0, 40, 300) / 7
    positive = rng.random(300) < values / 8
    assert midranks(values).tolist() == (rankdata(values) - 1).tolist()
    assert auc(values, positive) == pytest.approx(roc_auc_score(positive, values))
    assert midranks(np.array([3.0, np.nan, 1.0, np.nan])).tolist() == [1.0, 2.5, 0.0, 2.5]


def test_the_design_effect_on_shares_is_that_of_indicators() -> None:
    rng = np.random.default_rng(0)
    units = np.append(np.repeat(np.arange(300), 4), np.full(50, -1))
    classes = np.where(rng.random(1_250) < 0.5, units % 7, rng.integers(0, 7, 1_250)) % 7
    for second in (units >= 200, rng.random(1_250) < 0.3):  # units within the groups, and across them
        effect = design_effect_of_classes(classes, units, second)
        assert effect == pytest.approx(design_effect(np.eye(7)[classes], units, second))
        assert effect > 1.3


def test_the_design_effect_on_very_many_classes_takes_no_room() -> None:
    rows = 60_000
    units = np.arange(rows) // 3
    # Indicator columns would take 10 GB.
    assert design_effect_of_classes(units % 20_000, units, units % 2 == 0) == pytest.approx(3, abs=0.01)
