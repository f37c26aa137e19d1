"""LBL110, and the rules on classes where samples have several labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.report.models import Finding

SHARES = {"bird": 0.3, "boat": 0.25, "car": 0.35, "cat": 0.4, "dog": 0.3}


def flags(seed: int, size: int = 600, **shares: float) -> dict[str, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    return {name: rng.random(size) < share for name, share in (SHARES | shares).items()}


def frame(has: dict[str, NDArray[np.bool_]]) -> pd.DataFrame:
    rows = [[name for name in has if has[name][k]] for k in range(len(next(iter(has.values()))))]
    x = np.random.default_rng(1).normal(20, 4, len(rows))
    return pd.DataFrame({"x": x, "tags": ["|".join(row) for row in rows]})


def found(source: Any, code: str) -> list[Finding]:
    report = datalint.scan(source, label="tags", select=[code], config=False)
    assert report.datasets[0].label is not None
    assert report.datasets[0].label.task == "multi-label"
    return [finding for finding in report.findings if finding.severity != "info"]


@pytest.mark.parametrize("code", ["LBL101", "LBL103", "LBL104", "LBL105", "LBL108", "LBL110"])
def test_silent_on_independent_labels(code: str) -> None:
    for seed in range(3):
        assert not found(frame(flags(seed)), code)


def test_always_together() -> None:
    has = flags(0)
    has["cat"] = has["dog"]
    (finding,) = found(frame(has), "LBL110")
    evidence: Any = finding.evidence
    assert [(pair["one"], pair["other"]) for pair in evidence["pairs"]] == [("cat", "dog")]
    assert finding.affected.count == has["dog"].sum()


def test_frequent_labels_agree_by_chance() -> None:
    assert not found(frame(flags(0, 4_000, cat=0.997, dog=0.997)), "LBL110")


def test_never_together_is_worth_knowing() -> None:
    has = flags(0)
    has["cat"] &= ~has["dog"]
    report = datalint.scan(frame(has), label="tags", select=["LBL110"], config=False)
    assert any("'cat' and 'dog' never occur together" in finding.message for finding in report.findings)


def test_one_label_each_are_classes() -> None:
    one = np.random.default_rng(0).integers(0, 5, 600)
    table = frame({name: one == k for k, name in enumerate(SHARES)})
    wide = pd.concat([pd.DataFrame({"x": table["x"]}), pd.get_dummies(table["tags"], dtype=int)], axis=1)
    report = datalint.scan(wide, label=",".join(SHARES), select=["LBL110"], config=False)
    (finding,) = report.findings
    assert (finding.severity, "they are classes" in finding.message) == ("info", True)


def test_imbalance_counts_labels() -> None:
    has = flags(0, boat=0.01)
    (finding,) = found(frame(has), "LBL101")
    assert finding.class_ == "boat"
    assert finding.evidence["ratio"] == pytest.approx(has["cat"].sum() / has["boat"].sum(), rel=1e-3)
    assert finding.evidence["majority_accuracy"] == pytest.approx(1 - has["boat"].mean(), rel=1e-3)


def test_rare_labels() -> None:
    has = flags(0)
    has["boat"] = np.arange(600) < 3
    (finding,) = found(frame(has), "LBL103")
    assert (finding.class_, finding.affected.count) == ("boat", 3)


def test_placeholders_and_spellings_among_labels() -> None:
    has = flags(0)
    has["?"], has["Cat"] = has.pop("boat") & (np.arange(600) < 100), has["cat"] & (np.arange(600) < 50)
    has["cat"] = has["cat"] & (np.arange(600) >= 50)
    (placeholder,) = found(frame(has), "LBL104")
    assert placeholder.affected.count == has["?"].sum()
    (spelling,) = found(frame(has), "LBL105")
    assert (spelling.class_, spelling.affected.count) == ("Cat", has["Cat"].sum())


def test_a_label_on_every_sample_or_on_none() -> None:
    has = {**flags(0), "cat": np.ones(600, np.bool_)}
    assert [finding.class_ for finding in found(frame(has), "LBL108")] == ["cat"]
    wide = pd.DataFrame({name: values.astype(int) for name, values in {**flags(0), "cat": np.zeros(600)}.items()})
    report = datalint.scan(wide.assign(x=1.5), label=",".join(map(str, wide)), select=["LBL108"], config=False)
    assert [finding.class_ for finding in report.findings] == ["cat"]


def test_shift_is_judged_per_label() -> None:
    assert not found({"train": frame(flags(0)), "test": frame(flags(1, 300))}, "SPL105")
    (finding,) = found({"train": frame(flags(0)), "test": frame(flags(1, 300, dog=0.6))}, "SPL105")
    assert (finding.class_, finding.split) == ("dog", "test")
    (finding,) = found(
        {"train": frame(flags(0)), "test": frame({**flags(1, 300), "fox": flags(2, 300)["cat"]})}, "SPL105"
    )
    assert (finding.class_, finding.severity) == ("fox", "error")


def test_rules_of_one_class_per_sample_say_that_they_are_skipped() -> None:
    report = datalint.scan(frame(flags(0)), label="tags", select=["ORD101", "LBL102", "SIG101"], config=False)
    assert {rule.status for rule in report.datasets[0].rules} == {"skipped"}
    assert all("several labels" in (rule.reason or "") for rule in report.datasets[0].rules)
