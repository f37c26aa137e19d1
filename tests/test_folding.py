"""Findings about the same two splits read as one verdict; those about others stay their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.judge.fold import fold
from datalint.report.models import AffectedSample, Finding

CODES = ("SPL101", "SPL102", "SPL107", "SPL108")
FOLLOWS = {code: tuple(other for other in CODES if other != code) for code in CODES} | {"SPL107": CODES}


def finding(code: str, number: int = 0, **values: object) -> Finding:
    basis = {
        "rule": code,
        "severity": "warning",
        "confidence": 1,
        "message": code,
        "consequence": "",
        "remedy": f"mend {code}",
    }
    return Finding.model_validate({"code": code, "fingerprint": f"{code}{number}", **basis, **values})


def test_of_equal_severity_the_first_code_leads_and_no_two_lead_each_other() -> None:
    findings = [finding(code, split="test", against="train") for code in reversed(CODES)]
    folded = fold(findings, FOLLOWS, {f"{code}0": f"what {code} says" for code in CODES})
    (lead,) = [item for item in folded if item.part_of is None]
    assert (lead.code, lead.also) == ("SPL101", ("SPL102", "SPL107", "SPL108"))
    assert lead.message == "SPL101; also, what SPL108 says, what SPL107 says and what SPL102 says"
    assert {item.part_of for item in folded if item is not lead} == {"SPL1010"}


def test_the_more_severe_leads_whatever_its_code() -> None:
    findings = [
        finding("SPL101", split="test", against="train", severity="info"),
        finding("SPL108", split="train", against="test", severity="error", column="date"),
        finding("SPL107", split="test", against="train", column="patient"),
    ]
    folded = fold(findings, FOLLOWS, {})
    assert [item.code for item in folded if item.part_of is None] == ["SPL108"]
    assert folded[1].remedy == "mend SPL108"


def test_another_pair_is_another_verdict() -> None:
    findings = [finding("SPL101", split="test", against="train"), finding("SPL107", split="test", against="validation")]
    assert fold(findings, FOLLOWS, {}) == findings


def test_two_keys_of_one_pair_are_one_verdict() -> None:
    findings = [finding("SPL107", k, split="test", against="train", column=f"key{k}") for k in range(2)]
    folded = fold(findings, FOLLOWS, {"SPL1071": "12 videos"})
    assert [item.part_of for item in folded] == [None, "SPL1070"]
    assert folded[0].message == "SPL107; also, 12 videos"


@pytest.mark.parametrize(("severity", "part_of"), [("error", "VAL1010"), ("warning", None)])
def test_a_split_that_is_of_no_use_explains_what_else_is_odd_in_it(severity: str, part_of: str | None) -> None:
    findings = [finding("VAL101", split="test", severity=severity), finding("SPL106", split="test", against="train")]
    assert fold(findings, {"SPL106": ("VAL101:error",)}, {})[1].part_of == part_of


@pytest.mark.parametrize(
    ("rows", "part_of"), [(range(20), "IMG1060"), (range(10, 20), "IMG1060"), (range(15, 40), None)]
)
def test_samples_that_another_finding_names_are_explained_by_it(rows: range, part_of: str | None) -> None:
    findings = [finding("IMG106", split="all"), finding("DUP101", split="all")]
    named = {"IMG1060": range(20), "DUP1010": rows}
    affected = {
        name: [AffectedSample(id=f"{k}.png", index=k, split="all", fingerprint="") for k in own]
        for name, own in named.items()
    }
    assert fold(findings, {"DUP101": ("IMG106:samples",)}, {}, affected)[1].part_of == part_of
    assert fold(findings, {"DUP101": ("IMG106:samples",)}, {})[1].part_of is None


@pytest.mark.parametrize("test", [False, True])
def test_a_test_split_of_zeros_is_one_error(test: bool) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(50, 10, (600, 6))).add_prefix("f")
    table["y"] = np.where(table["f0"] + table["f1"] > 100, "a", "b")
    tables = {"train": table[:450].copy(), "test": table[450:].copy()}
    if test:
        tables["test"].iloc[:, :-1] = 0
    findings = datalint.scan(tables, label="y", cache=False).datasets[0].leading
    assert [f.code for f in findings if f.severity != "info"] == ["VAL101"] * test


@pytest.mark.parametrize(("column", "part_of"), [("age", "SPL1100"), ("sex", None), (None, None)])
def test_a_finding_about_the_same_column_explains_it(column: str | None, part_of: str | None) -> None:
    findings = [finding("SPL110", split="test", column="age"), finding("VAL103", split="test", column=column)]
    assert fold(findings, {"VAL103": ("SPL110:column",)}, {})[1].part_of == part_of


def test_an_array_whose_tail_was_never_filled_is_one_finding() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(50, 10, (600, 6))).add_prefix("f")
    table["y"] = rng.integers(0, 4, 600)
    table.iloc[520:] = 0
    select = ["VAL101", "ORD101", "ORD102", "ORD103"]
    (lead,) = datalint.scan(table, label="y", cache=False, select=select).datasets[0].leading
    assert lead.code == "VAL101"
    assert "ORD101" in lead.also


@pytest.mark.parametrize("first", [0, 100, 529])
def test_a_block_of_rows_written_twice_is_one_finding(first: int) -> None:
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame.sample(frac=1, random_state=0)
    table = pd.concat([table, table[first : first + 40]], ignore_index=True)
    (lead,) = datalint.scan(table, label="target", cache=False, select=["DUP101", "ORD104"]).datasets[0].leading
    assert (lead.code, lead.also, lead.affected.count) == ("ORD104", ("DUP101",), 40)
    table = pd.concat([table, table.iloc[200:300]], ignore_index=True).sample(frac=1, random_state=0)
    findings = datalint.scan(table, label="target", cache=False, select=["DUP101", "ORD104"]).datasets[0].leading
    assert [finding.code for finding in findings] == ["DUP101"]


def test_a_lead_that_names_a_sample_explains_what_it_counts() -> None:
    counted = {"IMG1060": 400, "DUP1010": 410}
    findings = [
        finding(code, affected={"count": counted[f"{code}0"], "exact": code != "IMG106"})
        for code in ("IMG106", "DUP101")
    ]
    named = {"IMG1060": range(0, 400, 10), "DUP1010": range(410)}
    affected = {
        name: [AffectedSample(id=f"{k}", index=k, split="all", fingerprint="") for k in own]
        for name, own in named.items()
    }
    follows = {"DUP101": ("IMG106:samples",)}
    assert fold(findings, follows, {}, affected)[1].part_of == "IMG1060"
    findings[0] = finding("IMG106", affected={"count": 200, "exact": False})
    assert fold(findings, follows, {}, affected)[1].part_of is None


@pytest.mark.parametrize("shared", [0, 14])
def test_a_set_with_four_overlaps(shared: int) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(50, 10, (1_000, 8)).round(3)).add_prefix("f")
    rows = rows.assign(
        patient_id=np.repeat(np.arange(200), 5),
        date=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(1_000), unit="D"),
        y=rng.choice(["a", "b"], 1_000),
    )
    train, test = rows[:800], rows[800:]
    numbers = [f"f{k}" for k in range(8)]
    near = train[50:75].assign(date=test["date"].to_numpy()[:25])
    near[numbers] = near[numbers].round(1)
    late = test[:30].assign(**{name: rng.normal(50, 10, 30).round(3) for name in numbers})
    tables = {"train": pd.concat([train, late]), "test": pd.concat([test, train[:shared], near])}
    findings = datalint.scan(tables, label="y", select=list(CODES), cache=False).findings
    (lead,) = [item for item in findings if item.part_of is None]
    told = lead.message.split("; also, ")[1]
    assert lead.code == ("SPL101" if shared else "SPL102")
    assert lead.message.startswith(f"{shared} of 239 test rows" if shared else "25 of 225 rows of test")
    assert "sources by 'patient_id' lie in both" in told
    assert "where test begins" in told
    assert lead.message.count("expected of a random split") == (4 if shared else 3)
