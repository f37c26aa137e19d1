"""VAL112: columns of which one stands some rows further on than it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Finding


def found(frame: pd.DataFrame) -> list[Finding]:
    return list(datalint.scan(frame, select=["VAL112"], config=False, cache=False).findings)


def bodies(size: int = 1500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    height = rng.normal(170, 10, size)
    frame = pd.DataFrame({"height": height, "arm": 0.4 * height + rng.normal(0, 1, size)})
    return frame.assign(leg=0.5 * height + rng.normal(0, 1, size), age=rng.integers(18, 90, size))


def sentences(size: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    words = [f"word{k}" for k in range(300)]
    counts = rng.integers(3, 40, size)
    first = [" ".join(rng.choice(words, count)) for count in counts]
    second = [" ".join(rng.choice(words, max(2, count + int(rng.integers(-2, 3))))).upper() for count in counts]
    return pd.DataFrame({"src": first, "tgt": second})


@pytest.mark.parametrize("lag", [1, -1, 3])
@pytest.mark.parametrize("start", [300, 1000])
def test_a_column_of_numbers_is_moved(lag: int, start: int) -> None:
    frame = bodies()
    frame.loc[start:, "arm"] = frame["arm"].shift(lag).loc[start:]
    (finding,) = found(frame.dropna().reset_index(drop=True))
    assert (finding.severity, finding.column, finding.evidence["lag"]) == ("error", "arm", lag)
    assert (
        f"is moved {abs(lag)} row{'s' if abs(lag) > 1 else ''} {'down' if lag > 0 else 'up'} against" in finding.message
    )
    assert abs(int(str(finding.evidence["rows"])) - (1500 - start)) <= 100


@pytest.mark.parametrize("start", [0, 400])
def test_texts_lie_beside_the_translations_of_others(start: int) -> None:
    frame = sentences()
    assert not found(frame)
    moved = frame["tgt"].tolist()
    moved = [*moved[:start], "A line too many.", *moved[start:-1]]
    (finding,) = found(frame.assign(tgt=moved))
    assert "is moved 1 row " in finding.message
    assert f"from about row {start + 1:,} on: their lengths correlate by " in finding.message


def test_series_and_earlier_values_are_no_slips() -> None:
    """What goes up and down in turn, what repeats another column some rows later, and rows in any order."""
    t = np.arange(1500)
    rng = np.random.default_rng(1)
    noise = rng.normal(size=1500)
    series = pd.DataFrame({"a": np.sin(t / 5), "b": np.cos(t / 5), "walk": noise.cumsum(), "noise": noise})
    series = series.assign(
        before=series["noise"].shift(1), earlier=series["noise"].shift(2), later=series["walk"].shift(2)
    )
    assert not found(series.dropna().reset_index(drop=True))
    assert not found(bodies())
    assert not found(bodies().sort_values("height", ignore_index=True))
    halves = pd.concat([bodies(), bodies(seed=1).assign(arm=np.random.default_rng(2).normal(70, 4, 1500))])
    assert not found(halves.reset_index(drop=True))  # measured otherwise from some row on
