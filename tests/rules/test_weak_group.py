"""SIG103: groups that are hard, and groups that are broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification

import datalint
from datalint_rules.signal.weak_group import _agreement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.report.models import Finding


def frame(rows: int = 1000) -> pd.DataFrame:
    X, y = make_classification(rows, 6, n_informative=4, class_sep=2, flip_y=0, random_state=0)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(X.round(3), columns=list("abcdef"))
    return table.assign(site=rng.choice(["north", "south", "east"], rows), y=np.where(y == 1, "yes", "no"))


def found(table: pd.DataFrame) -> Sequence[Finding]:
    return datalint.scan(table, label="y", select=["SIG103"], cache=False).findings


def test_groups_that_are_alike_are_silent() -> None:
    assert not [finding for finding in found(frame()) if finding.severity != "info"]


def test_a_site_whose_labels_are_exchanged() -> None:
    table = frame()
    north = table["site"] == "north"
    table.loc[north, "y"] = np.random.default_rng(1).permutation(table.loc[north, "y"])
    (finding,) = found(table)
    assert (finding.severity, finding.column) == ("warning", "site")
    assert finding.message.startswith("where site is 'north' (")
    assert "no better than by chance" in finding.message


def test_a_broken_site_shows_where_the_model_is_weak_everywhere() -> None:
    table = frame()
    rng = np.random.default_rng(3)
    flipped = rng.random(len(table)) < 0.2
    table.loc[flipped, "y"] = table.loc[flipped, "y"].map({"yes": "no", "no": "yes"})
    assert not [finding for finding in found(table) if finding.severity != "info"]
    north = table["site"] == "north"
    table.loc[north, "y"] = rng.permutation(table.loc[north, "y"])
    (finding,) = [finding for finding in found(table) if finding.severity == "warning"]
    assert finding.column == "site"
    groups = finding.evidence["groups"]
    assert isinstance(groups, list)
    group = groups[0]
    assert isinstance(group, dict)
    inside, elsewhere = group["kappa"], group["kappa_elsewhere"]
    assert isinstance(inside, float)
    assert isinstance(elsewhere, float)
    assert group["value"] == "'north'"
    assert abs(inside) < 0.2 < elsewhere


def test_a_site_that_is_only_harder_is_no_warning() -> None:
    table = frame()
    rng = np.random.default_rng(3)
    harder = (table["site"] == "north") & (rng.random(len(table)) < 0.15)
    table.loc[harder, "y"] = table.loc[harder, "y"].map({"yes": "no", "no": "yes"})
    assert not [finding for finding in found(table) if finding.severity != "info"]


def test_no_agreement_can_show_where_one_class_is_always_predicted() -> None:
    y = np.repeat([0, 1], [75, 25])
    constant = _agreement(np.zeros(100, np.intp), y)
    assert (constant.kappa, constant.most) == (0, 0)
    shuffled = _agreement(np.random.default_rng(0).permutation(y).astype(np.intp), y)
    assert shuffled.deviations < 3 < shuffled.most


def test_a_broken_site_with_few_more_errors_is_told_from_the_points_that_the_user_sets() -> None:
    table = frame()
    north = table["site"] == "north"
    table.loc[north, "y"] = np.random.default_rng(1).permutation(table.loc[north, "y"])
    config = {"rules": {"SIG103": {"broken_points": 60.0}}}
    report = datalint.scan(table, label="y", select=["SIG103"], cache=False, config=config)
    assert not [finding for finding in report.findings if finding.severity != "info"]


def test_a_range_where_classes_meet_is_no_warning() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=1500)
    table = pd.DataFrame({"x": x, "z": rng.normal(size=1500), "y": x + 0.2 * rng.normal(size=1500) > 0})
    assert all(finding.severity == "info" for finding in found(table))


def test_without_signal_nothing_is_said() -> None:
    table = frame(400)
    table["y"] = np.random.default_rng(1).permutation(table["y"])
    report = datalint.scan(table, label="y", select=["SIG103"], cache=False)
    assert report.datasets[0].rules[0].status == "skipped"
