"""SPL102: windows of one recording that overlap across splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.report.models import Finding


def recording(length: int, channels: int) -> NDArray[np.float32]:
    """What sensors on a person give: steps, and noise."""
    rng = np.random.default_rng(0)
    phase = np.cumsum(rng.normal(0.2, 0.02, length))
    waves = [np.sin(phase * (k + 1) + k) * rng.uniform(0.5, 2) for k in range(channels)]
    return (np.stack(waves, axis=1) + rng.normal(0, 0.1, (length, channels))).astype(np.float32)


def windows(step: int, count: int = 400, size: int = 128, channels: int = 3) -> NDArray[np.float32]:
    signal = recording(step * count + size, channels)
    return np.stack([signal[k * step : k * step + size] for k in range(count)])


def found(folder: Path, train: NDArray[np.float32], test: NDArray[np.float32]) -> list[Finding]:
    labels = [np.arange(len(part)) // 7 % 4 for part in (train, test)]
    np.savez(folder / "d.npz", x_train=train, y_train=labels[0], x_test=test, y_test=labels[1])
    return datalint.scan(folder, select=["SPL102"], cache=False).findings


def at_random(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    order = np.random.default_rng(1).permutation(len(rows))
    return rows[order[:300]], rows[order[300:]]


@pytest.mark.parametrize(("step", "part"), [(64, "50%"), (32, "up to 75%"), (96, "25%"), (16, "up to 75%")])
@pytest.mark.parametrize("channels_first", [False, True])
def test_windows_that_overlap_across_a_random_split(tmp_path: Path, step: int, part: str, channels_first: bool) -> None:
    rows = windows(step)
    (finding,) = found(tmp_path, *at_random(rows.transpose(0, 2, 1) if channels_first else rows))
    assert (finding.severity, finding.split, finding.against) == ("error", "test", "train")
    assert f"share {part} of their values, shifted" in finding.message
    assert finding.affected.count > 80


def test_rows_of_a_table_overlap_too(tmp_path: Path) -> None:
    rows = windows(50, size=100, channels=1)[:, :, 0].round(3)
    for name, part in zip(("train", "test"), at_random(rows), strict=True):
        table = pd.DataFrame(part).add_prefix("t").assign(activity=np.arange(len(part)) % 3)
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    (finding,) = datalint.scan(tmp_path, select=["SPL102"], cache=False).findings
    assert finding.severity == "error"


def test_what_does_not_overlap_is_silent(tmp_path: Path) -> None:
    apart = windows(128)
    assert not found(tmp_path, *at_random(apart))
    flat = np.zeros_like(apart)
    flat[:, :, 0] = (
        np.arange(len(flat))[:, None] % 5
    )  # nothing moves: constant channels are equal wherever they are cut
    assert not [f for f in found(tmp_path, *at_random(flat)) if "shifted" in f.message]
    half = windows(64)
    in_time = found(tmp_path, half[:300], half[300:])
    assert [finding.severity for finding in in_time] == ["info"]


def test_windows_of_another_half_are_few(tmp_path: Path) -> None:
    apart, overlapping = windows(128), windows(64)
    train, test = at_random(apart)
    test = np.concatenate([test[:97], overlapping[1:4:2] + 0, test[97:98]])
    assert all(finding.severity == "info" for finding in found(tmp_path, train, test))


def test_pictures_of_digits_share_no_halves(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits(as_frame=True).frame.sample(frac=1, random_state=0)
    digits[:1_200].to_csv(tmp_path / "train.csv", index=False)
    digits[1_200:].to_csv(tmp_path / "test.csv", index=False)
    findings = datalint.scan(tmp_path, label="target", select=["SPL102"], cache=False).findings
    assert not [finding for finding in findings if "shifted" in finding.message]
