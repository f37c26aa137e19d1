"""Statistics of numeric columns, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datalint.core.dataset import Batch, TableBlock
from datalint.measures.base import Settings
from datalint.measures.columns import MAX_TOKENS, NumberStats

N = 2_000


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=N)
    return pd.DataFrame(
        {
            "noise": noise,
            "gaps": np.where(rng.random(N) < 0.3, np.nan, noise),
            "infinite": np.where(rng.random(N) < 0.01, np.inf, np.where(rng.random(N) < 0.01, -np.inf, noise)),
            "whole": rng.integers(-5, 6, N).astype(float),
            "offset": 1e8 + noise,
            "constant": np.full(N, 0.1),
            "minus zero": np.where(rng.random(N) < 0.5, -0.0, 0.0),
            "missing": np.full(N, np.nan),
            "late fraction": np.append(np.arange(N - 1), 0.5),
        }
    )


def stats_of(table: pd.DataFrame, size: int) -> NumberStats:
    state = NumberStats(Settings())
    for start in range(0, len(table), size):
        part = table.iloc[start : start + size]
        numbers = np.asfortranarray(part.to_numpy(np.float64))
        state.update(Batch("all", start, len(part), table=TableBlock(tuple(part.columns), numbers)))
    return state.close()


@pytest.mark.parametrize("size", [N, 300, 7])
def test_statistics_are_those_of_pandas(size: int) -> None:
    table = frame()
    state = stats_of(table, size)
    assert state.names == tuple(sorted(table.columns))
    finite = table[list(state.names)].replace([np.inf, -np.inf], np.nan)
    assert state.count.tolist() == finite.count().tolist()
    assert state.missing.tolist() == table[list(state.names)].isna().sum().tolist()
    assert state.infinite.tolist() == np.isinf(table[list(state.names)]).sum().tolist()
    assert state.zero.tolist() == (finite == 0).sum().tolist()
    assert state.negative.tolist() == (finite < 0).sum().tolist()
    some = state.count > 0
    np.testing.assert_allclose(state.mean[some], finite.mean()[some], rtol=1e-9, atol=1e-12)
    # The rounding of values near 1e8 is the tolerance of their deviation.
    np.testing.assert_allclose(state.deviation[some], finite.std(ddof=0)[some], rtol=1e-8, atol=1e-12)
    assert state.low[some].tolist() == finite.min()[some].tolist()
    assert state.high[some].tolist() == finite.max()[some].tolist()
    whole = dict(zip(state.names, state.whole.tolist(), strict=True))
    assert {name for name, yes in whole.items() if yes} == {"whole", "minus zero", "missing"}


def test_a_column_that_a_part_lacks_is_missing_there() -> None:
    state = stats_of(pd.DataFrame({"b": [1.0, 2.0]}), 2).merge(stats_of(pd.DataFrame({"a": [4.0], "b": [3.0]}), 1))
    state.close()
    assert state.names == ("a", "b")
    assert state.missing.tolist() == [2, 0]
    assert state.mean.tolist() == [4.0, 2.0]


def test_huge_values_have_a_mean_and_no_deviation_that_is_nan() -> None:
    huge = pd.DataFrame({"x": [1.7e308, 1.7e308, -1.7e308, 0.0], "y": [1e200, 1e200, 1e200, 1e200]})
    for size in (4, 2, 1):
        state = stats_of(huge, size)
        np.testing.assert_allclose(state.mean, [1.7e308 / 4, 1e200], rtol=1e-9)
        assert state.deviation[0] == np.inf
        assert state.deviation[1] < 1e186
        assert state.merge(NumberStats(Settings())).close().deviation[0] == np.inf


def test_stray_texts_are_counted_while_they_are_few() -> None:
    def part(tokens: dict[str, int]) -> Batch:
        return Batch("all", 0, 1, table=TableBlock(("a",), np.full((1, 1), np.nan), tokens={"a": tokens}))

    state = NumberStats(Settings())
    state.update(part({"?": 2}))
    state.update(part({"?": 1, "-": 1}))
    assert state.close().tokens == {"a": {"-": 1, "?": 3}}
    state.update(part({f"t{k}": 1 for k in range(MAX_TOKENS)}))
    assert state.close().tokens == {"a": None}
    state.update(part({"?": 2}))
    assert state.close().tokens == {"a": None}
