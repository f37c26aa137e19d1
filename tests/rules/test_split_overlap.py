"""SPL101 and LBL106: what splits share, what chance would give, and what conflicts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint
from tests.recordings import made, packed

if TYPE_CHECKING:
    from pathlib import Path


def measured(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "y": rng.choice(["p", "q"], n)})


def test_names_the_test_rows_and_their_partners() -> None:
    train, test = measured(400, 0), measured(100, 1)
    test.iloc[[7, 50]] = train.iloc[[3, 300]].to_numpy()
    report = datalint.scan({"train": train, "test": test.infer_objects()}, label="y", select=["SPL101"])
    (finding,) = report.findings
    assert finding.severity == "error"
    assert finding.message.startswith("2 of 100 test rows are also in train (2 %); 0 expected")
    assert list(report.affected("SPL101")["index"]) == [7, 50]
    assert [sample.detail["train_index"] for sample in finding.affected.samples] == [3, 300]


def test_a_leak_is_one_whatever_the_label_says() -> None:
    train, test = measured(400, 0), measured(100, 1)
    test.loc[:4, ["a", "b"]] = train.loc[:4, ["a", "b"]]
    test.loc[:4, "y"] = [{"p": "q", "q": "p"}[y] for y in train.loc[:4, "y"]]
    (finding,) = datalint.scan({"train": train, "test": test}, label="y", select=["SPL101"]).findings
    assert finding.affected.count == 5


def test_copies_within_the_splits_say_what_chance_would_give() -> None:
    whole = measured(1000, 0)
    whole = pd.concat([whole, whole.iloc[:200]], ignore_index=True).sample(frac=1, random_state=0)
    train, test = whole.iloc[:900].reset_index(drop=True), whole.iloc[900:].reset_index(drop=True)
    (finding,) = datalint.scan({"train": train, "test": test}, label="y", select=["SPL101"]).findings
    expected = finding.evidence["expected_at_random"]
    assert isinstance(expected, float)
    assert finding.affected.count == pytest.approx(expected, rel=0.5)


def coarse_sets() -> list[tuple[str, pd.DataFrame]]:
    """Real tables whose rows coincide, from half of them to nearly all, and one of very uneven frequencies."""
    iris = datasets.load_iris(as_frame=True).frame.iloc[:, [1, 3, 4]]
    wine = datasets.load_wine(as_frame=True).frame.round(0).iloc[:, [2, 3, 5, 7, 13]]
    digits = datasets.load_digits(as_frame=True).frame.iloc[:, [1, 2, 9, 14, 33, 62, 64]]
    rng = np.random.default_rng(0)
    uneven = pd.DataFrame({"a": rng.zipf(1.5, 1500).clip(0, 10**6), "b": rng.integers(0, 3, 1500), "target": 0})
    uneven["target"] = rng.integers(0, 2, 1500)
    return [("iris", iris), ("wine", wine), ("digits", digits), ("uneven", uneven)]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize(("name", "whole"), coarse_sets(), ids=[name for name, _ in coarse_sets()])
def test_what_is_expected_is_what_random_splits_give(name: str, whole: pd.DataFrame, share: float) -> None:
    whole = whole.assign(target="c" + whole["target"].astype(str))
    rows = whole.groupby(list(whole.columns[:-1])).ngroup().to_numpy()
    rng = np.random.default_rng(1)
    size = round(len(whole) * share)
    shared, told = [], []
    for _ in range(300):
        order = rng.permutation(len(whole))
        shared.append(np.isin(rows[order[:size]], rows[order[size:]]).sum())
    for _ in range(3):
        order = rng.permutation(len(whole))
        splits = {
            "train": whole.iloc[order[size:]].reset_index(drop=True),
            "test": whole.iloc[order[:size]].reset_index(drop=True),
        }
        (finding,) = datalint.scan(splits, label="target", select=["SPL101"]).findings
        assert finding.affected.count == np.isin(rows[order[:size]], rows[order[size:]]).sum()
        expected = finding.evidence["expected_at_random"]
        assert isinstance(expected, float)
        told.append(expected)
    spread = np.std(shared)
    assert abs(np.mean(told) - np.mean(shared)) < 3 * spread / 3**0.5 + 0.005 * np.mean(shared)


def test_one_row_with_a_hundred_copies_is_one_input() -> None:
    """Its copies make thousands of pairs, by which twenty rows that leaked would be nothing unusual."""
    train, test = measured(6000, 0), measured(3000, 1)
    train.iloc[:100] = train.iloc[0].to_numpy()
    test.iloc[:20] = train.iloc[200:220].to_numpy()
    (finding,) = datalint.scan(
        {"train": train.infer_objects(), "test": test.infer_objects()}, label="y", select=["SPL101"]
    ).findings
    assert finding.severity == "warning"


@pytest.mark.parametrize(("shared", "severity"), [(1, "info"), (2, "info"), (5, "info"), (9, "warning"), (12, "error")])
def test_a_few_repeats_that_any_split_would_part_are_no_leak(shared: int, severity: str) -> None:
    train, test = measured(3000, 0), measured(1000, 1)
    test.iloc[:shared] = train.iloc[:shared].to_numpy()
    (finding,) = datalint.scan({"train": train, "test": test.infer_objects()}, label="y", select=["SPL101"]).findings
    assert finding.severity == severity


def test_coarse_rows_are_no_leak() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"x{j}": rng.integers(0, 3, 900) for j in range(4)}).assign(y=rng.choice(["p", "q"], 900))
    report = datalint.scan({"train": table.iloc[:700], "test": table.iloc[700:]}, label="y", select=["SPL101"])
    assert [finding.severity for finding in report.findings] == ["info"]


def test_coarse_rows_are_none_even_where_they_coincide_across_splits_only() -> None:
    rng = np.random.default_rng(3)
    whole = pd.DataFrame({f"x{j}": rng.integers(0, 6, 500) for j in range(6)}).assign(y=rng.choice(["p", "q"], 500))
    inputs = [f"x{j}" for j in range(6)]
    whole = whole[~whole.duplicated(inputs)]
    train, test = whole.iloc[:350], whole.iloc[350:].reset_index(drop=True)
    few, many = test.copy(), test.copy()
    few.loc[:2, inputs] = train.iloc[:3][inputs].to_numpy()
    many.loc[:29, inputs] = train.iloc[:30][inputs].to_numpy()
    told = [datalint.scan({"train": train, "test": t}, label="y", select=["SPL101"]).findings for t in (few, many)]
    # 6 ** 6 rows are possible: about one of the 52,500 pairs across the two is equal by chance, and thirty are not.
    assert [finding.severity for (finding,) in told] == ["info", "error"]


def test_a_category_next_to_texts_that_never_repeat_explains_no_leak() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{k}" for k in range(300)]
    whole = pd.DataFrame({"text": [" ".join(rng.choice(words, 10)) for _ in range(1500)]})
    whole = whole.assign(source=rng.choice(["web", "app", "mail"], 1500), y=rng.choice(["p", "q"], 1500))
    train, test = whole.iloc[:1200], whole.iloc[1200:]
    leaked = pd.concat([test, train.head(60)], ignore_index=True)
    (finding,) = datalint.scan({"train": train, "test": leaked}, label="y", select=["SPL101"]).findings
    assert finding.severity == "error"
    assert not datalint.scan({"train": train, "test": test}, label="y", select=["SPL101"]).findings


@pytest.mark.parametrize(("copied", "severity"), [(0, "info"), (300, "error"), (700, "error")])
def test_coarse_rows_copied_on_top_of_those_that_coincide_are_a_leak(copied: int, severity: str) -> None:
    rng = np.random.default_rng(1)
    whole = pd.DataFrame(rng.integers(0, 7, (4000, 5)), columns=list("abcde")).assign(y=rng.choice(["p", "q"], 4000))
    train, test = whole.iloc[:3000], whole.iloc[3000:]
    test = pd.concat([test, train.head(copied)], ignore_index=True)
    (finding,) = datalint.scan({"train": train, "test": test}, label="y", select=["SPL101"]).findings
    assert finding.severity == severity


def test_every_pair_of_splits_is_compared() -> None:
    train, validation, test = measured(300, 0), measured(100, 1), measured(100, 2)
    test.iloc[:10] = validation.iloc[:10].to_numpy()
    data = {"train": train, "validation": validation, "test": test.infer_objects()}
    (finding,) = datalint.scan(data, label="y", select=["SPL101"]).findings
    assert (finding.split, finding.evidence["with"]) == ("test", "validation")


def test_conflicts_say_what_accuracy_is_left() -> None:
    table = measured(190, 0)
    again = pd.concat([table.iloc[:5]] * 2, ignore_index=True)
    again["y"] = [{"p": "q", "q": "p"}[y] for y in again["y"]]
    both = pd.concat([table, again], ignore_index=True)
    report = datalint.scan(both, label="y", select=["LBL106"])
    (finding,) = report.findings
    # Five groups of three: two samples of each have one label, and one the other.
    assert finding.evidence["best_training_accuracy"] == 0.975
    assert finding.message.startswith("15 rows in 5 groups of identical inputs carry different labels")
    labels = report.affected("LBL106")["label"].tolist()
    assert sorted(set(labels)) == ["p", "q"]


def test_a_missing_label_conflicts_with_nothing() -> None:
    table = measured(200, 0)
    again = table.iloc[:20].assign(y=None)
    report = datalint.scan(pd.concat([table, again], ignore_index=True), label="y", select=["LBL106"])
    assert not report.findings


def test_silence_is_no_overlap(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for k in range(120):
        path = tmp_path / ("test" if k % 4 == 0 else "train") / ("bell", "rain")[k % 2] / f"{k}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = made(("bell", "rain")[k % 2], rng)
        path.write_bytes(packed(sound[:8000] * (k % 10 > 1)))
    assert not datalint.scan(tmp_path, select=["SPL101"], cache=False).findings
    shutil.copy(tmp_path / "train" / "bell" / "2.wav", tmp_path / "test" / "bell" / "copy.wav")
    (finding,) = datalint.scan(tmp_path, select=["SPL101"], cache=False).findings
    assert finding.affected.count == 1
