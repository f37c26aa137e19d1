"""Arrays in files of their own, listed in a table with their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import datalint

if TYPE_CHECKING:
    from pathlib import Path


def lay(folder: Path, count: int = 80, named: str = "{:04}.npy") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    (folder / "features").mkdir(parents=True)
    rows = []
    for k in range(count):
        label = ["cough", "speech"][k % 2]
        values = rng.normal(size=(12, 8)) + 3 * (label == "cough")
        np.save(folder / "features" / f"{k:04}.npy", values.astype(np.float32))
        rows.append({"file": named.format(k), "label": label, "split": ["train", "test"][k % 4 == 3]})
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def test_labels_and_splits_of_the_table(tmp_path: Path) -> None:
    lay(tmp_path, named="features/{:04}.npy").to_csv(tmp_path / "labels.csv", index=False)
    (dataset,) = datalint.scan(tmp_path, select=["LBL101", "FIL101", "VAL"], config=False, cache=False).datasets
    assert (dataset.layout, dataset.label and dataset.label.name) == ("arrays listed in a table", "label")
    assert [(s.name, s.samples, s.classes) for s in dataset.splits] == [
        ("train", 60, {"cough": 40, "speech": 20}),
        ("test", 20, {"speech": 20}),
    ]


def test_faults_are_found_in_the_arrays(tmp_path: Path) -> None:
    table = lay(tmp_path)
    for k in (4, 8, 12):
        np.save(tmp_path / "features" / f"{k:04}.npy", np.zeros((12, 8), np.float32))
    table.loc[20, "label"] = None
    table.drop(columns="split").to_csv(tmp_path / "labels.csv", index=False)
    report = datalint.scan(tmp_path, select=["VAL101", "LBL104"], config=False, cache=False)
    assert {f.code: f.affected.count for f in report.findings} == {"VAL101": 3, "LBL104": 1}


def test_a_table_that_names_nothing_stays_a_table(tmp_path: Path) -> None:
    table = lay(tmp_path)
    table.assign(file=[f"other{k}.npy" for k in range(len(table))]).to_csv(tmp_path / "labels.csv", index=False)
    assert all(dataset.layout != "arrays listed in a table" for dataset in datalint.detect(tmp_path))
