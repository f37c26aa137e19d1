"""IMG102: turned pictures, turned splits, and pictures that have no upright."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import datalint
from tests.reference import crop, photos

if TYPE_CHECKING:
    from datalint.report.models import Finding


def digits() -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return np.kron((X.reshape(-1, 8, 8) * 15).astype(np.uint8), np.ones((1, 2, 2), np.uint8))[:1_000], y[:1_000]


def found(source: Any) -> list[Finding]:
    return datalint.scan(source, select=["IMG102"]).findings


def test_some_transposed() -> None:
    X, y = digits()
    turned = [5, 101, 333, 402, 511, 640, 702, 803, 904, 990]
    X[turned] = X[turned].transpose(0, 2, 1)
    (finding,) = found((X, y))
    assert finding.severity == "warning"
    named = {sample.index for sample in finding.affected.samples}
    assert len(named & set(turned)) >= 7
    assert len(named - set(turned)) <= 1


@pytest.mark.parametrize(("turns", "words"), [(0, "transposed"), (1, "rotated by 90 degrees")])
def test_a_whole_split(turns: int, words: str) -> None:
    X, y = digits()
    test = np.rot90(X[700:], turns, axes=(1, 2)) if turns else X[700:].transpose(0, 2, 1)
    (finding,) = found({"train": (X[:700], y[:700]), "test": (np.ascontiguousarray(test), y[700:])})
    assert finding.severity == "error"
    assert finding.split == "test"
    assert finding.evidence["version"] == words


def test_a_table_of_pixels() -> None:
    X, y = load_digits(return_X_y=True)
    names = [f"pixel{k}" for k in range(64)]

    def table(pictures: Any, rows: slice) -> pd.DataFrame:
        return pd.DataFrame(pictures[rows].reshape(-1, 64), columns=names).assign(label=y[rows])

    grid = X.reshape(-1, 8, 8)
    first, last = slice(0, 1_000), slice(1_000, 1_600)
    assert not found({"train": table(grid, first), "test": table(grid, last)})
    report = datalint.scan(
        {"train": table(grid, first), "test": table(grid.transpose(0, 2, 1), last)}, select=["IMG102", "SPL106"]
    )
    (finding,) = [finding for finding in report.findings if finding.severity != "info"]
    assert (finding.code, finding.severity, finding.also) == ("IMG102", "error", ("SPL106",))
    assert finding.evidence["version"] == "transposed"
    other = datalint.scan(table(grid, first).drop(columns="pixel9"), label="label", select=["IMG102"])
    assert [rule.status for rule in other.datasets[0].rules] == ["skipped"]


def test_upright_digits() -> None:
    X, y = digits()
    assert not found({"train": (X[:700], y[:700]), "test": (X[700:], y[700:])})


def test_textures_have_no_upright() -> None:
    rng = np.random.default_rng(0)
    flower = photos()["flower"]
    X = np.stack([crop(flower, 32, 32, rng) for _ in range(200)])
    X[:10] = X[:10].transpose(0, 2, 1, 3)
    y = np.arange(200) % 2
    report = datalint.scan((X, y), select=["IMG102"])
    assert not report.findings
    (status,) = [rule for rule in report.datasets[0].rules if rule.code == "IMG102"]
    assert "no upright" in str(status.reason)


def test_few_pictures_are_skipped() -> None:
    X, y = digits()
    report = datalint.scan((X[:40], y[:40]), select=["IMG102"])
    (status,) = [rule for rule in report.datasets[0].rules if rule.code == "IMG102"]
    assert status.status == "skipped"
