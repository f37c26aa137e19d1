from __future__ import annotations

import pytest

from datalint.core.vocabulary import (
    family_of,
    left_out,
    missing_shards,
    split_files,
    split_folders,
    split_of,
    split_values,
)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("TRAIN.csv", "train"),
        ("my_train_file.csv", "train"),
        ("train1.csv", "train"),
        ("train2017", "train"),
        ("train-0001.csv", "train"),
        ("data-train-00000-of-00002.parquet", "train"),
        ("x_train", "train"),
        ("X_test", "test"),
        ("sat.trn", "train"),
        ("sat.tst", "test"),
        ("iris-5-1tra.dat", "train"),
        ("data_batch_3", "train"),
        ("KDDTrain+.txt", "train"),
        ("test_batch", "test"),
        ("t10k-images-idx3-ubyte", "test"),
        ("PublicTest", "test"),
        ("eval", "test"),
        ("hold-out", "test"),
        ("val2017", "validation"),
        ("valid", "validation"),
        ("dev.tsv", "validation"),
        ("trainval", "trainval"),
        ("train_val.csv", "trainval"),
        ("unlabeled", "unlabeled"),
        ("testfile.csv", None),
        ("contest.csv", None),
        ("pretrained.csv", None),
        ("value.csv", None),
        ("validity.csv", None),
        ("train_test.csv", None),
        ("data.csv", None),
        ("", None),
    ],
)
def test_split_of(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_folders_are_splits_only_if_all_of_them_are() -> None:
    assert split_folders(["train", "valid", "test"]) == {"train": "train", "valid": "validation", "test": "test"}
    assert split_folders(["train2017", "val2017"]) == {"train2017": "train", "val2017": "validation"}
    assert split_folders(["trainval", "test"]) == {"trainval": "train", "test": "test"}
    assert split_folders(["trainval", "train", "val"]) == {
        "trainval": "trainval",
        "train": "train",
        "val": "validation",
    }
    assert split_folders(["train"]) == {"train": "train"}
    assert split_folders(["train", "car", "bus"]) is None  # a class called "train"
    assert split_folders(["test", "val"]) is None
    assert split_folders([]) is None


def test_files_of_a_competition() -> None:
    names = ["train.csv", "test.csv", "sample_submission.csv", "extra.csv"]
    assert split_files(names) == {"train.csv": "train", "test.csv": "test"}
    assert set(left_out(names)) == {"sample_submission.csv", "extra.csv"}
    assert "submission" in left_out(names)["sample_submission.csv"]


def test_a_lone_keyword_is_no_split() -> None:
    assert split_files(["blood_test.csv", "patients.csv"]) == {}
    assert left_out(["blood_test.csv", "patients.csv"]) == {}
    assert split_files(["test.csv", "val.csv"]) == {"test.csv": "test", "val.csv": "validation"}
    assert split_files(["train-00000-of-00002.csv", "train-00001-of-00002.csv"]) == {
        "train-00000-of-00002.csv": "train",
        "train-00001-of-00002.csv": "train",
    }


def test_families() -> None:
    assert family_of("iris_train.csv") == family_of("iris-test.csv.gz") == "iris"
    assert family_of("train.csv") == family_of("test2.csv") == family_of("train-00000-of-00002.parquet") == ""
    assert family_of("sat.trn") == family_of("sat.tst") == "sat"
    assert family_of("wine_train.csv") != family_of("iris_train.csv")


def test_missing_shards() -> None:
    names = ["train-00000-of-00003.parquet", "train-00002-of-00003.parquet", "test-00000-of-00001.parquet", "a.csv"]
    assert missing_shards(names) == {"train.parquet": (1,)}
    assert missing_shards(["s-1-of-3.csv", "s-3-of-3.csv"]) == {"s.csv": (2,)}
    assert missing_shards([f"x-{i:05d}-of-00004.csv" for i in range(4)]) == {}
    assert len(missing_shards(["x-0-of-999999999.csv"])["x.csv"]) < 100_001


def test_values_of_a_split_column() -> None:
    assert split_values({"Train", "dev", "TEST"}) == {"Train": "train", "dev": "validation", "TEST": "test"}
    assert split_values({"Training", "PublicTest", "PrivateTest"}) == {
        "Training": "train",
        "PublicTest": "test",
        "PrivateTest": "test",
    }
    assert split_values({"train"}) == {"train": "train"}
    assert split_values({"train", "car"}) is None
    assert split_values({"test"}) is None
    assert split_values({"1", "2"}) is None
    assert split_values(set()) is None
