"""LBL102 through the public API; the models and the noise estimate have tests of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint
from tests.reference import named, shuffled

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def scan(source: Any, label: str | None = "target", **options: Any) -> Report:
    return datalint.scan(source, label=label, select=["LBL102"], **options)


def flipped(frame: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, set[int]]:
    """Another class for a share of the rows, each other class alike."""
    rng = np.random.default_rng(seed)
    frame = shuffled(frame, rng)
    rows = rng.choice(len(frame), round(share * len(frame)), replace=False)
    classes = int(frame["target"].max()) + 1
    frame.loc[rows, "target"] = (frame.loc[rows, "target"] + rng.integers(1, classes, len(rows))) % classes
    return frame, {int(row) for row in rows}


@pytest.mark.parametrize("loader", ["digits", "wine", "breast_cancer"])
def test_names_the_flipped_rows(loader: str) -> None:
    clean = getattr(datasets, f"load_{loader}")(as_frame=True).frame.iloc[:900]
    right = named_in_all = wrong = 0
    rates = []
    for seed in range(2):
        frame, rows = flipped(clean, 0.05, seed)
        report = scan(frame)
        found = {int(k) for k in report.affected("LBL102")["index"]}
        right, named_in_all, wrong = right + len(found & rows), named_in_all + len(found), wrong + len(rows)
        rates.append(float(str(report.findings[0].evidence["estimated_noise_rate"])))
    assert right >= 0.85 * named_in_all
    assert right >= 0.75 * wrong
    assert np.mean(rates) == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(("loader", "true", "given"), [("digits", 4, 9), ("digits", 3, 8), ("wine", 1, 2)])
def test_a_quarter_of_one_class_called_another(loader: str, true: int, given: int) -> None:
    frame = shuffled(getattr(datasets, f"load_{loader}")(as_frame=True).frame, np.random.default_rng(0))
    mine = np.flatnonzero(frame["target"] == true)
    rows = np.random.default_rng(1).choice(mine, round(0.25 * len(mine)), replace=False)
    frame.loc[rows, "target"] = given
    report = scan(frame)
    (finding,) = report.findings
    assert finding.severity == "warning"
    assert f"labelled '{given}' look like '{true}'" in finding.message
    found, wrong = {int(k) for k in report.affected("LBL102")["index"]}, {int(k) for k in rows}
    assert len(found & wrong) >= 0.9 * len(found)
    assert len(found & wrong) >= 0.8 * len(wrong)


@pytest.mark.parametrize("seed", range(2))
def test_a_class_within_a_wider_one_is_left_alone(seed: int) -> None:
    """Some samples of the wider class lie in the middle of the other, and look like it however clear they are."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 2, 1000)
    inputs = rng.normal(size=(1000, 5)) * np.where(classes == 1, 3, 1)[:, None]
    frame = pd.DataFrame(inputs, columns=list("abcde")).assign(target=classes)
    assert scan(frame).ok("warning")


def test_each_sample_with_its_given_and_suggested_label() -> None:
    frame, rows = flipped(datasets.load_wine(as_frame=True).frame, 0.08, 5)
    truth = datasets.load_wine(as_frame=True).frame
    affected = scan(frame).affected("LBL102")
    assert list(affected["given"]) == [str(frame["target"][k]) for k in affected["index"]]
    assert (affected["given"] != affected["suggested"]).all()
    inputs = truth.drop(columns="target").round(9).apply(tuple, axis=1)
    real = dict(zip(inputs, truth["target"].astype(str), strict=True))
    keys = frame.drop(columns="target").round(9).apply(tuple, axis=1)
    agree = [real[keys[k]] == suggested for k, suggested in zip(affected["index"], affected["suggested"], strict=True)]
    assert np.mean([k in rows for k in affected["index"]]) > 0.8
    assert np.mean(agree) > 0.8


def test_a_clean_hard_problem_is_left_alone() -> None:
    X, y = datasets.make_classification(
        3_000, 20, n_informative=4, n_classes=4, class_sep=0.6, flip_y=0, random_state=0
    )
    report = scan((X, y), None)
    assert report.ok("warning")


def test_chance_is_left_alone_and_says_so() -> None:
    rng = np.random.default_rng(0)
    report = scan((rng.normal(size=(400, 5)), rng.integers(0, 3, 400)), None)
    (status,) = report.datasets[0].rules
    assert status.status == "skipped"
    assert status.reason


def test_moved_pictures(tmp_path: Path) -> None:
    folder = named("photo crops").write(tmp_path / "photos")
    moved = []
    for k in range(9):
        target = folder / "flower" / f"moved{k}.jpg"
        (folder / "china" / f"{k:03d}.jpg").rename(target)
        moved.append(target.as_posix())
    report = scan(folder, None)
    named_files = set(report.affected("LBL102")["id"])
    assert len(named_files & set(moved)) >= 6
    assert len(named_files - set(moved)) <= 1


def test_predictions_of_the_user() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 800)
    given = truth.copy()
    wrong = rng.choice(800, 40, replace=False)
    given[wrong] = (truth[wrong] + rng.integers(1, 4, 40)) % 4
    probabilities = rng.dirichlet(np.ones(4), 800) * 0.15
    probabilities[np.arange(800), truth] += 0.85
    frame = pd.DataFrame({"x": rng.normal(size=800), "target": given})
    found = {int(k) for k in scan(frame, pred_probs=probabilities).affected("LBL102")["index"]}
    assert len(found & set(wrong.tolist())) >= 36
    assert len(found - set(wrong.tolist())) <= 2


def test_columns_of_given_predictions_are_in_numeric_order() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 12, 600)
    probabilities = np.full((600, 12), 0.002)
    probabilities[np.arange(600), y] = 1 - 11 * 0.002
    report = datalint.scan((rng.normal(size=(600, 3)), y), select=["LBL102"], pred_probs=probabilities)
    assert not report.findings
    assert report.datasets[0].facts["model"]["accuracy"] == 1.0  # type: ignore[call-overload,index]
