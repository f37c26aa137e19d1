"""VAL102: infinity anywhere, NaN in arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def scan(source: Any, label: str | None = None) -> Report:
    return datalint.scan(source, label=label, select=["VAL102"])


def numbers(n: int = 200) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.random.default_rng(0).normal(size=(n, 4))


def test_nan_in_arrays_in_memory_and_on_disk(tmp_path: Path) -> None:
    X, y = numbers(), np.arange(200) % 2
    assert not scan((X, y)).findings
    X[3, 2], X[9, 0], X[9, 1] = np.nan, np.inf, np.nan
    np.savez(tmp_path / "d.npz", X=X, y=y)
    for source in ((X, y), tmp_path / "d.npz"):
        report = scan(source)
        (finding,) = report.findings
        assert finding.severity == "error"
        assert finding.message.startswith("1 infinite value and 2 NaN in 2 of 200 samples: ")
        assert sorted(report.affected("VAL102")["index"]) == [3, 9]


def test_gaps_of_tables_are_no_nan() -> None:
    frame = pd.DataFrame(numbers(), columns=list("abcd")).assign(y=["u", "v"] * 100)
    frame.loc[3, "a"] = np.nan
    assert not scan(frame, "y").findings


def test_infinity_written_in_a_csv(tmp_path: Path) -> None:
    frame = pd.DataFrame(numbers(), columns=list("abcd")).assign(y=["u", "v"] * 100)
    frame.loc[[5, 6], "c"] = [np.inf, -np.inf]
    frame.to_csv(tmp_path / "t.csv", index=False)
    report = scan(tmp_path / "t.csv", "y")
    assert report.findings[0].column == "c"
    assert sorted(report.affected("VAL102")["index"]) == [5, 6]


def test_the_split_is_named_where_it_is_one() -> None:
    parts = {
        name: pd.DataFrame(numbers(), columns=list("abcd")).assign(y=["u", "v"] * 100) for name in ("train", "test")
    }
    parts["test"].loc[5, "c"] = np.inf
    (finding,) = scan(parts, "y").findings
    assert finding.split == "test"


def test_pictures_in_arrays(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    train, test = (rng.random((60, 12, 12, 3)).astype("f4") for _ in range(2))
    y = np.arange(60) % 2
    np.savez(tmp_path / "d.npz", x_train=train, y_train=y, x_test=test, y_test=y)
    assert not scan(tmp_path / "d.npz").findings
    test[7, 3, 3, 0], test[9, :, 0, 1] = np.nan, np.inf
    np.savez(tmp_path / "d.npz", x_train=train, y_train=y, x_test=test, y_test=y)
    report = scan(tmp_path / "d.npz")
    (finding,) = report.findings
    assert finding.split == "test"
    assert finding.message.startswith("2 of 60 pictures hold values that are NaN or infinite, such as ")
    assert finding.message.endswith("x_test[7]: 1 NaN")
    assert sorted(report.affected("VAL102")["index"]) == [7, 9]
