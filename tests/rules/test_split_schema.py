"""SPL110: columns, types and categories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from datalint.report.models import Finding

RNG = np.random.default_rng(0)


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "width": rng.normal(9, 2, rows).round(3),
            "height": rng.normal(3, 1, rows).round(3),
            "city": rng.choice(["Rome", "Oslo", "Lima"], rows),
            "y": rng.choice(["a", "b"], rows),
        }
    )


TRAIN, TEST = table(400), table(120, 1)


def found(test: pd.DataFrame, train: pd.DataFrame = TRAIN) -> list[Finding]:
    return datalint.scan({"train": train, "test": test}, label="y", select=["SPL110"]).findings


def test_like_splits_pass_and_so_does_a_test_without_labels() -> None:
    assert not found(TEST)
    assert not found(TEST.drop(columns="y"))


def test_columns_missing_and_new() -> None:
    (finding,) = found(TEST.drop(columns="height").assign(depth=1.5))
    assert finding.message == "test lacks the column 'height' and has the column 'depth' unlike train"
    assert finding.severity == "warning"


def test_a_benchmark_need_not_be_written_as_chats_are(tmp_path: Path) -> None:
    def written(name: str, rows: Sequence[Mapping[str, object]]) -> None:
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    asked = [f"What is {k} times {k + 3} in words, and why is it so?" for k in range(60)]
    train = [
        {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": f"It is {q}"}]} for q in asked
    ]
    written("train", train[:40])
    written("test", [{"task_id": k, "prompt": q, "solution": f"It is {q}"} for k, q in enumerate(asked[40:])])
    (finding,) = datalint.scan(tmp_path, select=["SPL110"]).findings
    assert finding.severity == "info"
    written("train", [{"instruction": q, "output": f"It is {q}", "words": len(q.split())} for q in asked[:40]])
    written("test", [{"instruction": q, "words": len(q.split())} for q in asked[40:]])
    assert not datalint.scan(tmp_path, select=["SPL110"]).findings


def test_another_type_is_an_error_but_an_empty_column_is_none(tmp_path: Path) -> None:
    (finding,) = found(TEST.assign(width=TEST["width"].astype(str) + " cm"))
    assert (finding.severity, finding.column) == ("error", "width")
    assert finding.message.startswith("'width' holds numbers in train and text in test")
    assert [f.evidence["columns"] for f in found(TEST.assign(width=None))] == [["width"]]
    TRAIN.to_csv(tmp_path / "train.csv", index=False)
    TEST.assign(width=TEST["width"].astype(str) + " cm").to_csv(tmp_path / "test.csv", index=False)
    (finding,) = datalint.scan(tmp_path, label="y", select=["SPL110"]).findings
    assert (finding.severity, finding.column) == ("error", "width")


def test_a_column_that_is_empty_in_all_of_test() -> None:
    (finding,) = found(TEST.assign(width=np.nan))
    assert (finding.severity, finding.column) == ("warning", "width")
    assert finding.message == "column 'width' is empty in all of test"
    assert not found(TEST.assign(width=TEST["width"].where(TEST.index > 100)))
    assert not found(TEST.assign(width=np.nan), TRAIN.assign(width=np.nan))
    assert not found(TEST[:10].assign(width=np.nan))


def test_columns_in_another_order(tmp_path: Path) -> None:
    (finding,) = found(TEST[["height", "width", "y", "city"]])
    assert finding.severity == "warning"
    assert finding.message.startswith("2 of 3 columns of test stand in another place than in train: 'height' where")
    assert not found(TEST[["y", "width", "height", "city"]])  # where the label stands is no matter
    assert not [f for f in found(TEST[["width", "city"]]) if "place" in f.message]
    for name, frame in (("train", TRAIN), ("test", TEST[["height", "width", "y", "city"]])):
        frame.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    assert not datalint.scan(tmp_path, label="y", select=["SPL110"]).findings


def test_a_new_category_is_told_with_its_rows() -> None:
    city = TEST["city"].replace("Rome", "Bonn")
    (finding,) = found(TEST.assign(city=city))
    assert (finding.severity, finding.column) == ("warning", "city")
    assert finding.affected.count == (city == "Bonn").sum()
    assert "such as 'Bonn'" in finding.message


def test_another_spelling_is_recognised() -> None:
    (finding,) = found(TEST.assign(city=TEST["city"].str.upper()))
    assert (
        "(its 'Oslo' in another spelling)" in finding.message or "(its 'Lima' in another spelling)" in finding.message
    )


@pytest.mark.parametrize("many", [30, 80])
def test_rare_categories_of_a_random_split_are_no_alarm(many: int) -> None:
    chances = 1 / np.arange(1, many + 1) ** 1.5
    names = RNG.choice([f"place {k}" for k in range(many)], 520, p=chances / chances.sum())
    findings = found(TEST.assign(city=names[400:]), TRAIN.assign(city=names[:400]))
    assert all(finding.severity == "info" for finding in findings)


def test_names_and_free_text_are_no_categories() -> None:
    train = TRAIN.assign(city=[f"street {k}" for k in range(400)])
    assert not found(TEST.assign(city=[f"road {k}" for k in range(120)]), train)


def ratings() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"user_id": rng.integers(0, 200, 5000), "item_id": rng.integers(0, 300, 5000)})
    table = table.drop_duplicates(ignore_index=True)
    table = table.assign(rating=rng.integers(1, 6, len(table)))
    return {"train": table.iloc[:3500], "test": table.iloc[3500:].reset_index(drop=True)}


def about_keys(splits: dict[str, pd.DataFrame]) -> list[Finding]:
    return datalint.scan(splits, label="rating", select=["SPL110"]).findings


@pytest.mark.parametrize(("share", "severity"), [(0.3, "warning"), (0.04, "info")])
def test_items_that_train_never_has(share: float, severity: str) -> None:
    splits = ratings()
    assert not about_keys(splits)
    new = np.random.default_rng(7).random(len(splits["test"])) < share
    splits["test"] = splits["test"].assign(item_id=splits["test"]["item_id"] + 9000 * new)
    (finding,) = about_keys(splits)
    assert (finding.severity, finding.column) == (severity, "item_id")
    assert finding.affected.count == new.sum()


def test_keys_that_splits_are_not_meant_to_share() -> None:
    table = pd.concat(ratings().values(), ignore_index=True)
    told = table["user_id"] < 140
    assert not about_keys({"train": table[told], "test": table[~told].reset_index(drop=True)})
    names = {name: split.assign(item_id=range(k, k + len(split))) for k, (name, split) in enumerate(ratings().items())}
    names["test"]["item_id"] += 10_000
    assert not about_keys(names)
