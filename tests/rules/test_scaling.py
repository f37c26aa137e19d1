"""The judgement on scalers: where they were fitted, told from the numbers; and silence on everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import qmc
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer

from benchmarks.scaling import (
    FORMATS,
    NAMES,
    RAW,
    RIGHT,
    SPLITS,
    case_of,
    cut,
    facts_of,
    judge_arrays,
    real_tables,
    scaled,
    scalers,
)
from datalint_rules.splits._scaling import judge
from datalint_rules.splits._scaling_rows import pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLES = real_tables()
SCALERS = scalers()


def split_of(table: str, shares: str = "75/25", seed: int = 0) -> list[NDArray[np.float64]]:
    return cut(TABLES[table], SPLITS[shares], np.random.default_rng(seed))


@pytest.mark.parametrize("fitted", ["all", "train", "each"])
@pytest.mark.parametrize("kind", SCALERS)
@pytest.mark.parametrize("table", ["wine", "diabetes", "breast_cancer", "digits"])
def test_names_the_rows_the_scaler_was_fitted_on(table: str, kind: str, fitted: str) -> None:
    parts = scaled(split_of(table), SCALERS[kind], fitted)
    assert case_of([FORMATS["csv4"](part) for part in parts]) == RIGHT[fitted]


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("shares", SPLITS)
def test_finds_the_leak_at_every_precision_and_split(shares: str, write: str) -> None:
    for kind, make in SCALERS.items():
        parts = [FORMATS[write](part) for part in scaled(split_of("wine", shares, 1), make, "all")]
        verdict = judge_arrays(dict(zip(NAMES, parts, strict=False)))
        assert verdict is not None
        assert (verdict.case, verdict.kind, verdict.splits) == ("pooled", kind, NAMES[: len(parts)])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("table", ["wine", "breast_cancer"])
def test_two_decimals_suffice_for_ranges(table: str, seed: int) -> None:
    X = TABLES[table]
    parts = cut(MinMaxScaler().fit_transform(X).round(2), SPLITS["75/25"], np.random.default_rng(seed))
    assert case_of(parts) == "pooled"
    raw = split_of(table, "75/25", seed)
    assert case_of([part.round(2) for part in scaled(raw, MinMaxScaler, "train")]) in {None, "train"}


@pytest.mark.parametrize("output", ["uniform", "normal"])
@pytest.mark.parametrize("quantiles", [100, 1000])
@pytest.mark.parametrize("table", ["wine", "diabetes", "breast_cancer"])
@pytest.mark.filterwarnings("ignore:n_quantiles")
def test_quantile_transforms_are_scalers(table: str, quantiles: int, output: str) -> None:
    def make() -> QuantileTransformer:
        return QuantileTransformer(n_quantiles=quantiles, output_distribution=output)

    for fitted in ("all", "train"):
        parts = scaled(split_of(table), make, fitted)
        verdict = judge_arrays(dict(zip(NAMES, [FORMATS["csv4"](part) for part in parts], strict=False)))
        assert verdict is not None
        assert (verdict.case, verdict.kind) == (RIGHT[fitted], f"{output}-ranks")


def test_designs_that_fill_their_range_evenly_are_silent() -> None:
    times = np.linspace(0, 1, 600)
    normal = np.random.default_rng(0).normal(size=(600, 4))
    designs = [
        qmc.LatinHypercube(5, seed=0).random(600),
        qmc.Sobol(5, seed=0).random(512),
        qmc.Halton(5, seed=0).random(600),
        np.column_stack([times, normal]),
        np.column_stack([times, times, normal]),
        np.stack(np.meshgrid(np.linspace(0, 1, 25), np.linspace(0, 1, 25)), axis=-1).reshape(-1, 2),
    ]
    for X in designs:
        assert judge_arrays({"data": X}) is None
        assert all(case_of(cut(X, SPLITS["75/25"], np.random.default_rng(seed))) is None for seed in range(5))


@pytest.mark.parametrize("rows", [100, 300, 1000])
@pytest.mark.parametrize("shape", [(0.5, 0.5), (1, 1), (2, 2), (1, 5), (0.2, 2)])
def test_shares_of_two_decimals_are_silent(shape: tuple[float, float], rows: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.beta(*shape, (rows, 12)).round(2)
        X[:: rows // 4] = 0.0  # rows in which nothing was measured are the end of every column
        assert case_of(cut(X, SPLITS["75/25"], rng)) is None


@pytest.mark.parametrize("table", TABLES)
def test_raw_tables_are_silent(table: str) -> None:
    assert judge_arrays({"data": TABLES[table]}) is None
    for shares in SPLITS:
        assert case_of(split_of(table, shares)) is None


@pytest.mark.parametrize("name", RAW)
def test_unscaled_draws_are_silent(name: str) -> None:
    for trial, (width, decimals) in enumerate([(1, 4), (3, 2), (10, 4), (30, 6), (30, 2), (30, 1)]):
        rng = np.random.default_rng(trial)
        X = np.round(RAW[name](rng, 400, width), decimals)
        assert judge_arrays({"data": X}) is None
        assert case_of(cut(X, SPLITS["80/20"], rng)) is None


def test_pixels_over_their_common_maximum_are_silent() -> None:
    X = TABLES["digits"] / 16
    assert judge_arrays({"data": X}) is None
    for shares in SPLITS.values():
        assert case_of(cut(X, shares, np.random.default_rng(2))) is None


@pytest.mark.parametrize("kind", SCALERS)
@pytest.mark.parametrize("table", ["wine", "breast_cancer", "diabetes"])
def test_an_unsplit_scaled_table_is_named(table: str, kind: str) -> None:
    verdict = judge_arrays({"data": np.round(SCALERS[kind]().fit_transform(TABLES[table]), 4)})
    assert verdict is not None
    assert (verdict.case, verdict.kind) == ("unsplit", kind)


def test_unit_norm_columns_are_named() -> None:
    from sklearn.datasets import load_diabetes

    X = load_diabetes().data
    whole = judge_arrays({"data": X})
    parts = cut(X, SPLITS["75/25"], np.random.default_rng(0))
    split = judge_arrays(dict(zip(NAMES, parts, strict=False)))
    assert whole is not None
    assert (whole.case, whole.kind) == ("unsplit", "unit-norm")
    assert split is not None
    assert (split.case, split.kind, split.agreeing) == ("pooled", "unit-norm", 9)  # the tenth column is binary


def test_a_scaler_fitted_before_the_validation_split_names_those_splits() -> None:
    train, test, validation = split_of("breast_cancer", "70/15/15")
    scaler = SCALERS["standard"]().fit(np.concatenate([train, validation]))
    parts = {"train": train, "validation": validation, "test": test}
    verdict = judge_arrays({name: scaler.transform(part) for name, part in parts.items()})
    assert verdict is not None
    assert (verdict.case, verdict.splits) == ("pooled", ("train", "validation"))


def test_the_verdict_carries_its_numbers() -> None:
    parts = scaled(split_of("wine"), SCALERS["standard"], "all")
    verdict = judge_arrays(dict(zip(NAMES, parts, strict=False)))
    assert verdict is not None
    assert verdict.statistics == ("mean", "standard deviation")
    assert (verdict.agreeing, verdict.testable) == (13, 13)
    assert verdict.fitted_deviation < 1e-6
    assert 0.2 < verdict.other_deviation < 3
    assert verdict.chance < 1e-10
    row = verdict.rows[0]
    assert (row.column, row.name) == (verdict.columns[0], f"x{verdict.columns[0]}")
    assert set(row.values) == {"all", "train", "test"}
    assert row.values["all"] == pytest.approx((0, 1), abs=1e-9)
    assert row.values["train"][0] == pytest.approx(parts[0][:, row.column].mean())


def test_columns_left_unscaled_do_not_hide_the_leak_or_decide() -> None:
    rng = np.random.default_rng(3)
    parts = split_of("wine")
    rest = [
        np.column_stack([rng.integers(0, 2, len(p)), rng.integers(0, 90, len(p)), rng.gamma(2, 9, len(p))])
        for p in parts
    ]
    leak = [np.column_stack(pair) for pair in zip(scaled(parts, SCALERS["standard"], "all"), rest, strict=True)]
    verdict = judge_arrays(dict(zip(NAMES, leak, strict=False)))
    assert verdict is not None
    assert verdict.case == "pooled"
    assert set(verdict.columns) <= set(range(13))
    right = [np.column_stack(pair) for pair in zip(scaled(parts, SCALERS["standard"], "train"), rest, strict=True)]
    assert case_of(right) == "train"


@pytest.mark.parametrize("kind", SCALERS)
def test_gaps_do_not_matter(kind: str) -> None:
    rng = np.random.default_rng(4)
    X = np.where(rng.random(TABLES["breast_cancer"].shape) < 0.1, np.nan, TABLES["breast_cancer"])
    parts = cut(X, SPLITS["80/20"], rng)
    assert case_of(scaled(parts, SCALERS[kind], "all")) == "pooled"
    assert case_of(scaled(parts, SCALERS[kind], "train")) == "train"


@pytest.mark.parametrize("kind", SCALERS)
def test_sampled_rows_suffice(kind: str) -> None:
    rng = np.random.default_rng(5)
    parts = cut(rng.normal(3, 2, (60_000, 30)), SPLITS["75/25"], rng)
    assert case_of([part.astype(np.float32).astype(float) for part in scaled(parts, SCALERS[kind], "all")]) == "pooled"
    assert case_of([part.astype(np.float32).astype(float) for part in scaled(parts, SCALERS[kind], "train")]) == "train"


def test_pooled_facts_are_those_of_all_rows() -> None:
    parts = split_of("diabetes", "70/15/15")
    parts[1][:3, 0] = np.nan
    joined, whole = pool([facts_of(part) for part in parts]), facts_of(np.concatenate(parts))
    for name in ("count", "mean", "m2", "minimum", "maximum", "negative", "zero", "integral"):
        np.testing.assert_allclose(getattr(joined, name), getattr(whole, name), rtol=1e-12, err_msg=name)
    assert len(joined.sample) == len(whole.sample)


def test_nothing_to_judge_is_silence() -> None:
    assert judge([], []) is None
    assert judge_arrays({"data": np.zeros((50, 3))}) is None
    assert judge_arrays({"train": np.full((20, 2), np.nan), "test": np.ones((5, 2))}) is None
