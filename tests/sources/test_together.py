"""Several paths: one data set where they make up one, and several where they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from sklearn import datasets

import datalint
from datalint.core.errors import DatalintError
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from datalint.report.models import Report

IRIS: pd.DataFrame = datasets.load_iris(as_frame=True).frame.sample(frac=1, random_state=0)
WINE: pd.DataFrame = datasets.load_wine(as_frame=True).frame.sample(frac=1, random_state=0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Iris in two overlapping files, wine in one and in four."""
    monkeypatch.chdir(tmp_path)
    IRIS[:100].to_csv("train.csv", index=False)
    IRIS[90:].to_csv("test.csv", index=False)
    WINE.to_csv("wine.csv", index=False)
    for k in range(3):
        WINE[50 * k : 50 * k + 50].to_parquet(f"train-{k}.parquet")
    WINE[150:].to_parquet("test.parquet")
    return tmp_path


def scan(source: object, **options: Any) -> Report:
    return datalint.scan(source, cache=False, preset="fast", **options)


def found(report: Report) -> list[dict[str, int]]:
    return [{split.name: split.samples for split in dataset.splits} for dataset in report.datasets]


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.mark.parametrize(
    "source",
    [
        ["train.csv", "test.csv"],
        ["test.csv", "./train.csv"],
        ["t*.csv"],
        {"train": "train.csv", "test": "test.csv"},
        {"training": "train.csv", "test": ["te*.csv"]},
    ],
)
def test_splits_by_name_are_compared(place: Path, source: object) -> None:
    report = scan(source)
    assert found(report) == [{"train": 100, "test": 60}]
    assert "SPL101" in codes(report)


def test_relative_and_absolute_paths(place: Path) -> None:
    assert found(scan(["train.csv", str(place / "test.csv"), "train.csv"])) == [{"train": 100, "test": 60}]


def test_shards_and_another_split(place: Path) -> None:
    report = scan(["train-*.parquet", "test.parquet"])
    assert found(report) == [{"train": 150, "test": 28}]
    assert "SPL101" not in codes(report)


def test_unrelated_files_are_sets_of_their_own(place: Path) -> None:
    report = scan(["train.csv", "wine.csv"])
    assert [dataset.name for dataset in report.datasets] == ["train", "wine"]


def test_two_sets_and_what_is_none(place: Path) -> None:
    (place / "notes.md").write_text("# Notes\n")
    (place / "bad.parquet").write_bytes(b"PAR1" + bytes(50))
    report = scan(["wine.csv", "notes.md", "train.csv", "bad.parquet", "test.csv"])
    assert found(report) == [{"all": 178}, {"train": 100, "test": 60}]
    assert {kind.suffix: (kind.files, kind.read) for kind in report.inventory.kinds} == {
        ".csv": (3, 3),
        ".md": (1, 0),
        ".parquet": (1, 0),
    }
    assert "FIL101" in codes(report)
    assert {"FIL101"} < codes(scan(["wine.csv", "train.csv", "bad.parquet"]))


def test_the_same_names_in_other_folders_are_other_sets(place: Path) -> None:
    for name, table in (("iris", IRIS), ("wine", WINE)):
        (place / name).mkdir()
        table[:100].to_csv(place / name / "train.csv", index=False)
        table[100:].to_csv(place / name / "test.csv", index=False)
    assert found(scan(["*/t*.csv"])) == [{"train": 100, "test": 50}, {"train": 100, "test": 78}]
    # Neither has the columns of the other.
    assert found(scan(["iris/train.csv", "wine/test.csv"])) == [{"all": 100}, {"all": 78}]
    assert found(scan(["iris", "wine"])) == [{"train": 100, "test": 50}, {"train": 100, "test": 78}]


def test_splits_in_different_folders(place: Path) -> None:
    for folder, name, rows in (("a", "iris_train", IRIS[:100]), ("b", "iris_test", IRIS[90:])):
        (place / folder).mkdir()
        rows.to_csv(place / folder / f"{name}.csv", index=False)
    report = scan(["a/iris_train.csv", "b/iris_test.csv"])
    assert found(report) == [{"train": 100, "test": 60}]
    assert "SPL101" in codes(report)


def test_folders_named_as_splits(place: Path) -> None:
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (place / "pets" / split / name).mkdir(parents=True)
            for k in range(8):
                picture = Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8))
                picture.save(place / "pets" / split / name / f"{k}.png")
    whole = scan("pets").datasets[0]
    for source in (["pets/train", "pets/test"], ["pets/*"], {"train": "pets/train", "test": "pets/test"}):
        (dataset,) = scan(source).datasets
        assert [split.classes for split in dataset.splits] == [{"cat": 8, "dog": 8}] * 2, source
        assert {f.fingerprint for f in dataset.findings} == {f.fingerprint for f in whole.findings}
    # Classes of pictures are no data sets that belong together, unless their folder is scanned.
    assert len(scan(["pets/train/cat", "pets/train/dog"]).datasets) == 2


def test_flat_folders_of_pictures_by_split_have_no_label(place: Path) -> None:
    for split in ("a", "b"):
        (place / split).mkdir()
        for k in range(6):
            Image.effect_noise((32, 32), 40 + k).save(place / split / f"{k}.png")
    (dataset,) = datalint.detect({"train": "a", "test": "b"})
    assert dataset.label is None
    assert [split.name for split in dataset.splits] == ["train", "test"]


def test_arrays_by_split(place: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        np.savez(place / f"{name}.npz", X=rng.normal(size=(80, 4)), y=rng.integers(0, 2, 80))
    report = scan({"train": "one.npz", "test": "two.npz"})
    assert found(report) == [{"train": 80, "test": 80}]
    assert report.datasets[0].label is not None


def test_split_patterns_among_several_paths(place: Path) -> None:
    report = scan(["train.csv", "test.csv"], splits={"validation": "te*", "train": "tr*"})
    assert found(report) == [{"train": 100, "validation": 60}]


def test_columns_are_no_paths(place: Path) -> None:
    texts = [f"text number {k}" for k in range(60)]
    (dataset,) = datalint.detect({"text": texts, "label": ["a", "b"] * 30})
    assert dataset.layout == "data frame"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (["nothing-*.csv"], "no file or folder matches nothing-*.csv"),
        (["train.csv", "gone.csv"], "no such file or folder: gone.csv"),
        ({"train": "train.csv", "test": "gone.csv"}, "no such file or folder: gone.csv"),
        ({"train": "train.csv", "test": "train.csv"}, "train.csv is in two splits"),
        ({"train": "train.csv", "training": "test.csv"}, "two of the parts are the split 'train'"),
        (["notes.md", "more.md"], "notes.md"),
    ],
)
def test_one_line_says_what_is_wrong(place: Path, source: object, message: str) -> None:
    for name in ("notes.md", "more.md"):
        (place / name).write_text("# Notes\n")
    with pytest.raises(DatalintError, match=message.replace("*", r"\*")) as raised:
        scan(source)
    assert "\n" not in str(raised.value)


def test_the_command_line_takes_patterns_and_paths(place: Path) -> None:
    options = ("--preset", "fast", "--no-report", "--no-cache")
    result = call(place, "scan", "train-*.parquet", "test.parquet", *options)
    assert "train 150" in result.out and "test 28" in result.out
    missing = call(place, "scan", "train-*.npy", *options)
    assert (missing.status, missing.err.strip()) == (2, "datalint: no file or folder matches train-*.npy")
