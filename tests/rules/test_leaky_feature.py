"""SIG102: strong features are no leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, make_blobs, make_classification

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.report.models import Finding


def found(frame: pd.DataFrame, label: str = "target") -> Sequence[Finding]:
    return datalint.scan(frame, label=label, select=["SIG102"], cache=False).findings


def hard(rows: int = 1000) -> pd.DataFrame:
    X, y = make_classification(rows, 6, n_informative=3, flip_y=0.1, random_state=0)
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(6)]).assign(target=np.where(y == 1, "yes", "no"))


def test_strong_features_are_silent() -> None:
    assert not found(load_iris(as_frame=True).frame)
    assert not found(load_breast_cancer(as_frame=True).frame)


def test_an_easy_problem_is_silent() -> None:
    X, y = make_blobs(600, 4, centers=2, cluster_std=0.3, random_state=1)
    assert not found(pd.DataFrame(X, columns=list("abcd")).assign(target=y))


def test_a_code_of_the_label_is_an_error() -> None:
    frame = hard()
    (finding,) = found(frame.assign(status=frame["target"].map({"yes": "closed", "no": "open"})))
    assert (finding.severity, finding.column) == ("error", "status")
    assert "is a code of the label" in finding.message


def test_a_threshold_on_a_quantity_is_found() -> None:
    frame = hard()
    noise = np.random.default_rng(0).uniform(1, 50, len(frame))
    (finding,) = found(frame.assign(days_late=np.where(frame["target"] == "yes", noise, -noise).round(2)))
    assert (finding.severity, finding.column) == ("warning", "days_late")


def test_a_feature_that_is_right_in_95_of_100_is_silent() -> None:
    frame = hard()
    wrong = np.random.default_rng(0).random(len(frame)) < 0.05
    assert not found(frame.assign(guess=(frame["target"] == "yes") ^ wrong))


def test_identifiers_given_out_by_class() -> None:
    frame = hard().sort_values("target").reset_index(drop=True)
    frame.insert(0, "sample_id", 10_000 + np.arange(len(frame)) * 7)
    # Sorted by label the position says as much, which is another rule's finding.
    assert not found(frame)
    (finding,) = found(frame.sample(frac=1, random_state=0))
    assert (finding.severity, finding.column) == ("info", "sample_id")


def test_a_numeric_target_with_its_own_rescaling() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    frame = pd.DataFrame(X, columns=list("abc")).assign(target=X @ [1, 2, 3] + rng.normal(size=500))
    assert not found(frame)
    (finding,) = found(frame.assign(euros=frame["target"] * 100 + 3))
    assert finding.column == "euros"


@pytest.mark.parametrize("key", ["id", "order_id"])
def test_a_key_of_rows_that_coincide_says_nothing_of_random_labels(key: str) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"colour": rng.choice(list("rgb"), 1200), "size": rng.integers(1, 4, 1200)})
    table.insert(0, key, np.arange(1200) if key == "id" else rng.permutation(1200) + 7000)
    report = datalint.scan(table.assign(y=rng.choice(["no", "yes"], 1200)), label="y", select=["SIG102"])
    assert not report.findings
    repeated = pd.concat([table.iloc[:, 1:].assign(x=rng.normal(size=1200))] * 2, ignore_index=True)
    repeated.insert(0, key, np.arange(2400))
    report = datalint.scan(repeated.assign(y=np.tile(rng.choice(["no", "yes"], 1200), 2)), label="y", select=["SIG102"])
    assert not report.findings


def test_a_slow_series_foretells_itself() -> None:
    rng = np.random.default_rng(1)

    def series(keeps: float) -> pd.DataFrame:
        load = [100.0]
        for step in rng.normal(size=801):
            load.append(100 + keeps * (load[-1] - 100) + step)
        days = pd.date_range("2020-01-01", periods=800)
        return pd.DataFrame({"date": days, "load": load[:800], "news": rng.normal(size=800), "target": load[1:801]})

    assert not found(series(1.0))
    quick = series(0.9)
    (finding,) = found(quick.assign(settled=quick["target"] * 0.9 + 0.01 * rng.normal(size=800)))
    assert finding.column == "settled"
