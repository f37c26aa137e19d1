"""VAL101 on tables, images and arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint
from tests.reference import crop, named, photos, picture

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def scan(source: Any, label: str | None = "y") -> Report:
    return datalint.scan(source, label=label, select=["VAL101"])


def rows(report: Report) -> list[int]:
    return sorted(int(k) for k in report.affected("VAL101")["index"])


def table(n: int = 300, columns: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(3, 2, (n, columns)), columns=[f"x{j}" for j in range(columns)]).assign(
        y=rng.choice(["a", "b"], n)
    )


# --- tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loader", ["wine", "breast_cancer", "iris", "digits"])
def test_real_tables_are_silent_until_rows_are_zeroed(loader: str) -> None:
    frame = getattr(datasets, f"load_{loader}")(as_frame=True).frame
    assert not scan(frame, "target").findings
    frame.iloc[[3, 40, 141], :-1] = 0
    report = scan(frame, "target")
    assert rows(report) == [3, 40, 141]
    assert report.findings[0].severity == "warning"


@pytest.mark.parametrize("columns", [2, 3, 5])
def test_more_zero_rows_never_are_a_milder_finding(columns: int) -> None:
    severities = []
    for share in (0.01, 0.1, 0.3, 0.6, 0.9, 1.0):
        frame = table(300, columns)
        frame.loc[: round(300 * share) - 1, [f"x{j}" for j in range(columns)]] = 0
        (finding,) = scan(frame).findings
        severities.append(finding.severity)
    assert severities == ["warning"] * 3 + ["error"] * 3


def test_the_label_does_not_count_but_every_feature_does() -> None:
    frame = table().assign(y=0)
    frame.loc[7, ["x0", "x1", "x2", "x3", "x4"]] = 0
    frame.loc[8, ["x0", "x1", "x2", "x3"]] = 0
    assert rows(scan(frame)) == [7]


def test_ids_and_times_do_not_save_a_row() -> None:
    frame = table()
    frame.insert(0, "id", np.arange(1, len(frame) + 1))
    frame.insert(1, "date", pd.date_range("2024-01-01", periods=len(frame)).astype(str))
    frame.loc[11, ["x0", "x1", "x2", "x3", "x4"]] = 0
    assert rows(scan(frame)) == [11]


def test_a_text_feature_saves_a_row_unless_it_is_empty() -> None:
    rng = np.random.default_rng(1)
    frame = table().assign(colour=rng.choice(["red", "green", "blue"], 300))
    numbers = ["x0", "x1", "x2", "x3", "x4"]
    frame.loc[[5, 6, 9], numbers] = 0
    frame["colour"] = frame["colour"].astype(object)
    frame.loc[6, "colour"] = None
    frame.loc[9, "colour"] = "0"
    assert rows(scan(frame)) == [6, 9]


def test_gaps_are_not_zeros() -> None:
    frame = table()
    frame.loc[4, ["x0", "x1", "x2", "x3", "x4"]] = [0, 0, np.nan, 0, 0]
    assert not scan(frame).findings


def test_a_column_of_zeros_is_no_row_of_zeros() -> None:
    assert not scan(table().assign(x2=0.0)).findings
    frame = table().assign(x2=0.0)
    frame.loc[[1, 2], ["x0", "x1", "x3", "x4"]] = 0
    assert rows(scan(frame)) == [1, 2]


def test_sparse_counts_are_not_blamed() -> None:
    rng = np.random.default_rng(2)
    for rate in (0.02, 0.1, 0.5):
        frame = pd.DataFrame(rng.poisson(rate, (500, 12)), columns=[f"n{j}" for j in range(12)])
        assert scan(frame.assign(y=rng.choice(["a", "b"], 500))).ok("warning")


def test_answers_that_go_together_are_not_blamed() -> None:
    """A survey: who says no once says no more often."""
    rng = np.random.default_rng(3)
    inclined = rng.beta(1, 1, 800)[:, None]
    answers = (rng.random((800, 6)) < inclined).astype(int)
    frame = pd.DataFrame(answers, columns=[f"question_{j}" for j in range(6)])
    assert scan(frame.assign(y=rng.choice(["a", "b"], 800))).ok("warning")


@pytest.mark.parametrize("zeros", [1, 30, 290])
def test_one_feature_may_well_be_zero(zeros: int) -> None:
    frame = table(columns=1)
    frame.loc[: zeros - 1, "x0"] = 0
    assert not scan(frame).findings


def test_mostly_zero_tables_get_info_only() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.poisson(0.4, (600, 40)), columns=[f"n{j}" for j in range(40)])
    frame.iloc[:60] = 0
    (finding,) = scan(frame.assign(y=rng.choice(["a", "b"], 600))).findings
    assert finding.severity == "info"


def test_each_split_by_itself() -> None:
    train, test = table(), table()
    test.iloc[[2, 5], :-1] = 0
    report = scan({"train": train, "test": test})
    assert [finding.split for finding in report.findings] == ["test"]
    assert rows(report) == [2, 5]


def test_rows_are_named_by_file_and_line(tmp_path: Path) -> None:
    frame = table()
    frame.iloc[[10, 20], :-1] = 0
    frame.to_csv(tmp_path / "data.csv", index=False)
    names = list(scan(tmp_path / "data.csv").affected("VAL101")["id"])
    lines = (tmp_path / "data.csv").read_text().splitlines()
    for name in names:
        line = lines[int(name.rpartition(":")[2]) - 1]
        assert {float(cell) for cell in line.split(",")[:-1]} == {0.0}


# --- images and arrays ----------------------------------------------------------------------------------------------


def test_black_pictures_in_a_tree(tmp_path: Path) -> None:
    clean = named("photo crops")
    folder = clean.write(tmp_path / "photos")
    assert not scan(folder, None).findings
    black = ["china/007.jpg", "flower/021.jpg"]
    for path in black:
        (folder / path).write_bytes(picture(np.zeros((64, 96, 3), np.uint8), "JPEG"))
    # One pixel that is not black, and a white picture, are no fault.
    nearly = np.zeros((64, 96, 3), np.uint8)
    nearly[0, 0] = 1
    (folder / "china" / "nearly.png").write_bytes(picture(nearly))
    (folder / "china" / "white.png").write_bytes(picture(np.full((64, 96, 3), 255, np.uint8)))
    report = scan(folder, None)
    assert report.findings[0].severity == "warning"
    assert sorted(report.affected("VAL101")["id"]) == [(folder / path).as_posix() for path in black]


@pytest.mark.parametrize("shape", [(60, 12, 12), (60, 12, 12, 3), (60, 3, 12, 12), (60, 20)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_zero_items_of_arrays(shape: tuple[int, ...], dtype: Any) -> None:
    rng = np.random.default_rng(5)
    items = rng.integers(1, 255, shape).astype(dtype)
    labels = rng.integers(0, 3, len(items))
    assert not scan((items, labels), None).findings
    items[[0, 17, 59]] = 0
    assert rows(scan((items, labels), None)) == [0, 17, 59]


def test_zero_items_of_npz_splits(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    train, test = rng.random((50, 8, 8)), rng.random((20, 8, 8))
    test[4] = 0
    labels = rng.integers(0, 2, 70)
    np.savez(tmp_path / "set.npz", x_train=train, y_train=labels[:50], x_test=test, y_test=labels[50:])
    report = scan(tmp_path / "set.npz", None)
    assert [finding.split for finding in report.findings] == ["test"]
    assert rows(report) == [4]


def test_a_table_of_nothing_but_zeros() -> None:
    frame = table()
    frame[[f"x{j}" for j in range(5)]] = 0.0
    assert len(rows(scan(frame))) == len(frame)


# --- channels -------------------------------------------------------------------------------------------------------


def colours(seed: int, n: int = 60) -> Any:
    """Small pictures of patches in all colours."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8).repeat(4, axis=1).repeat(4, axis=2)


@pytest.mark.parametrize("value", [0, 7, 255])
@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_a_channel_of_one_value(share: float, value: int) -> None:
    for channel, name in enumerate(("red", "green", "blue")):
        pictures = colours(channel)
        dead = list(range(max(1, round(share * len(pictures)))))
        pictures[dead, :, :, channel] = value
        report = scan((pictures, np.arange(60) % 2), None)
        (finding,) = report.findings
        assert (finding.severity, finding.evidence["channel"]) == ("warning", name)
        assert rows(report) == dead


def test_a_channel_of_floating_point_pictures() -> None:
    pictures = colours(3).astype(np.float32)
    pictures[[4, 9], :, :, 1] = 0
    pictures = (pictures - pictures.mean()) / pictures.std()
    assert rows(scan((pictures, np.arange(60) % 2), None)) == [4, 9]


def test_grey_pictures_and_drawings_in_one_colour_lack_no_channel() -> None:
    grey = colours(4)[..., :1].repeat(3, axis=3)
    yellow = grey * np.array([1, 1, 0], np.uint8)
    red = grey * np.array([1, 0, 0], np.uint8)
    for pictures in (colours(5), grey, yellow, red):
        assert not scan((pictures, np.arange(60) % 2), None).findings


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_a_channel_of_photos(tmp_path: Path, share: float) -> None:
    rng = np.random.default_rng(6)
    for k in range(40):
        photo = crop(list(photos().values())[k % 2], 192, 128, rng)
        lost = k % round(1 / share) == 0
        path = tmp_path / ("china", "flower")[k % 2] / f"{k:03d}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(photo * np.array([1, 1, not lost], np.uint8)))
    (finding,) = scan(tmp_path, None).findings
    assert finding.evidence["channel"] == "blue"
    assert finding.affected.count >= 0.9 * 40 * share


def test_dim_light_of_one_colour(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    for k in range(40):
        photo = crop(list(photos().values())[k % 2], 192, 128, rng)
        light = np.array([1, 0.6, k / 60])
        path = tmp_path / ("china", "flower")[k % 2] / f"{k:03d}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture((photo * light).astype(np.uint8), "JPEG", quality=90))
    assert not scan(tmp_path, None).findings


def test_the_list_is_cut_while_parts_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    from datalint.measures import zeros
    from datalint.measures.base import Settings
    from datalint.measures.places import Places

    monkeypatch.setattr(zeros, "MAX_LISTED", 1_000)
    whole = zeros.ZeroSamples(Settings())
    for k in range(5):
        part = zeros.ZeroSamples(Settings())
        part.samples = part.count = 300
        lines = np.arange(300)
        part.places = Places(lines, np.full(300, k, np.int32), lines, lines.astype(np.uint64))
        whole = whole.merge(part)
        assert len(whole.places) <= 1_000
    assert whole.places.row.tolist() == list(range(1_000))
    assert (whole.count, whole.samples) == (1_500, 1_500)
