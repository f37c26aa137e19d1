"""NRM103 and the tail statistics it shares with LBL109."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.profile.learn.tails import exponential_share, tail_of

if TYPE_CHECKING:
    from datalint.report.models import Finding


def found(values: np.ndarray) -> list[Finding]:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"price": values, "other": rng.normal(size=len(values)), "y": rng.choice(["a", "b"], len(values))}
    )
    return datalint.scan(table, label="y", select=["NRM103"]).findings


def drawn(kind: str, size: int = 5_000) -> np.ndarray:
    rng = np.random.default_rng(0)
    return {
        "normal": rng.normal(size=size),
        "exponential": rng.exponential(size=size),
        "counts": rng.poisson(0.1, size).astype(float),
        "lognormal": rng.lognormal(8, 2, size),
        "zeros": np.where(rng.random(size) < 0.8, 0, rng.lognormal(8, 2, size)),
        "cauchy": rng.standard_cauchy(size),
    }[kind]


@pytest.mark.parametrize("kind", ["normal", "exponential", "counts"])
def test_light_tails_pass(kind: str) -> None:
    assert not found(drawn(kind))


@pytest.mark.parametrize(
    ("kind", "function"), [("lognormal", "np.log "), ("zeros", "np.log1p"), ("cauchy", "np.arcsinh")]
)
def test_heavy_tails_are_info_with_the_function_that_mends_them(kind: str, function: str) -> None:
    (finding,) = found(drawn(kind))
    assert (finding.severity, finding.column) == ("info", "price")
    assert function in finding.remedy


def test_a_value_of_another_order_of_magnitude_is_a_warning() -> None:
    values = drawn("normal")
    values[3] = 1e9
    (finding,) = found(values)
    assert finding.severity == "warning"
    assert "100% of the sum of squares" in finding.message


def test_few_values_say_nothing() -> None:
    assert not found(drawn("lognormal", 60))
    assert tail_of(np.where(np.arange(1_000) < 20, 7.0**50, 0.0), 1) is None


def test_the_bound_holds_for_exponential_tails() -> None:
    rng = np.random.default_rng(0)
    for size in (200, 2_000):
        shares = [tail.share for _ in range(400) if (tail := tail_of(rng.laplace(size=size), 1))]
        top = -(-size // 1_000)
        assert max(shares) < exponential_share(size, top, 1e-3) < 8 * float(np.median(shares))
