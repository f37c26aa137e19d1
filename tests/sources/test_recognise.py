"""What lies at a path: layouts, splits and labels, each told apart from what looks like it."""

from __future__ import annotations

import gzip
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from datalint.core.errors import DatalintError
from datalint.sources.recognise import Wishes, recognise, recognise_files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from datalint.core.dataset import Dataset

RNG = np.random.default_rng(7)


def frame(rows: int = 60, label: str | None = "label") -> pd.DataFrame:
    columns: dict[str, Any] = {"a": RNG.random(rows), "b": RNG.integers(0, 50, rows) / 7}
    return pd.DataFrame(columns if label is None else columns | {label: RNG.choice(["x", "y"], rows)})


def csv(path: Path, rows: int = 60, label: str | None = "label") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame(rows, label).to_csv(path, index=False)
    return path


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 255, (9, 12, 3), dtype=np.uint8)).save(path)
    return path


def pictures(root: Path, *classes: str, each: int = 3) -> None:
    for name in classes:
        for k in range(each):
            picture(root / name / f"{k}.png")


def found(path: Path, **wishes: Any) -> dict[str, Dataset]:
    return {dataset.name: dataset for dataset in recognise(path, Wishes(**wishes)).datasets}


def only(path: Path, **wishes: Any) -> Dataset:
    (dataset,) = recognise(path, Wishes(**wishes)).datasets
    return dataset


def read(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Samples per class of each split, as they are really read."""
    counts: dict[str, dict[str, int]] = {}
    for partition in dataset.partitions:
        for batch in partition.batches(frozenset({"labels", "table"})):
            mine = counts.setdefault(batch.split, {})
            for k in range(batch.size):
                code = -1 if batch.labels is None or batch.labels.codes is None else batch.labels.codes[k]
                name = "" if code < 0 or batch.labels is None else batch.labels.classes[code]
                mine[name] = mine.get(name, 0) + 1
    return counts


def sizes(dataset: Dataset) -> dict[str, int]:
    return {split: sum(counts.values()) for split, counts in read(dataset).items()}


def told(datasets: Iterable[Dataset]) -> dict[str, str]:
    """Problems by the last part of their path."""
    return {p.path.rsplit("/", 1)[-1]: p.kind for d in datasets for p in d.problems if p.kind != "dialect"}


# --- tables ---------------------------------------------------------------------------------------------------------


def test_one_file_and_shards(tmp_path: Path) -> None:
    assert sizes(only(csv(tmp_path / "a-0.csv"))) == {"all": 60}
    csv(tmp_path / "a-1.csv", 20)
    dataset = only(tmp_path)
    assert sizes(dataset) == {"all": 80}
    assert dataset.label is not None and (dataset.label.name, dataset.label.confidence) == ("label", "high")


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "test.csv"),
        ("wine_train.csv", "wine-test.csv.gz"),
        ("train/part-0.csv", "test/part-0.csv"),
        ("split=train/a.csv", "split=test/a.csv"),
        ("data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"),
    ],
)
def test_splits_of_tables(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, rows in zip(names, (60, 30), strict=True):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("parquet"):
            frame(rows).to_parquet(path)
        else:
            frame(rows).to_csv(path, index=False)
    dataset = only(tmp_path)
    assert sizes(dataset) == {"train": 60, "test": 30}
    assert [split.name for split in dataset.splits] == ["train", "test"]


def test_split_folders_beside_others(tmp_path: Path) -> None:
    csv(tmp_path / "train" / "a.csv")
    csv(tmp_path / "test" / "a.csv", 30)
    csv(tmp_path / "prices" / "b.csv", 25)
    datasets = found(tmp_path)
    assert sizes(datasets.pop(tmp_path.name)) == {"train": 60, "test": 30}
    (other,) = datasets.values()
    assert sizes(other) == {"all": 25}


def test_hive_folders_are_shards(tmp_path: Path) -> None:
    csv(tmp_path / "year=2020" / "a.csv")
    csv(tmp_path / "year=2021" / "a.csv", 30)
    assert sizes(only(tmp_path)) == {"all": 90}


def test_missing_shard(tmp_path: Path) -> None:
    for k in (0, 2):
        frame().to_parquet(tmp_path / f"train-{k:05}-of-00003.parquet")
    (problem,) = only(tmp_path).problems
    assert problem.kind == "unreadable"
    assert "one more shard: number 1" in problem.message


def test_competition(tmp_path: Path) -> None:
    csv(tmp_path / "train.csv", label="price_class")
    csv(tmp_path / "test.csv", 30, label=None)
    pd.DataFrame({"id": range(30), "price_class": ["x"] * 30}).to_csv(tmp_path / "sample_submission.csv", index=False)
    dataset = only(tmp_path)
    assert dataset.label is not None and dataset.label.name == "price_class"
    assert sizes(dataset) == {"train": 60, "test": 30}
    assert read(dataset)["test"] == {"": 30}
    assert told([dataset]) == {"sample_submission.csv": "not-scanned"}


def test_problem_without_samples_makes_no_split(tmp_path: Path) -> None:
    table = frame(90)
    table["split"] = ["train"] * 60 + ["test"] * 30
    path = tmp_path / "a.csv"
    table.to_csv(path, index=False)
    with path.open("a") as file:
        file.write("1,2\n")
    assert sizes(only(path)) == {"train": 60, "test": 30}


def test_label_by_name_position_and_case(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv")
    for asked in ("b", "1", "-2", " B "):
        label = only(path, label=asked).label
        assert label is not None and (label.name, label.confidence) == ("b", "certain")
    with pytest.raises(DatalintError, match="no column 'labl'; did you mean 'label'"):
        recognise(path, Wishes(label="labl"))
    with pytest.raises(DatalintError, match="no column 'zzz'; its columns are a, b, label"):
        recognise(path, Wishes(label="zzz"))


def test_label_concerns_those_that_have_it(tmp_path: Path) -> None:
    csv(tmp_path / "one" / "a.csv", label="kind")
    csv(tmp_path / "two" / "b.csv", label="label")
    labels = {d.path.rsplit("/", 1)[-1]: d.label for d in recognise(tmp_path, Wishes(label="KIND")).datasets}
    assert labels["a.csv"] is not None and labels["a.csv"].confidence == "certain"
    assert labels["b.csv"] is not None and labels["b.csv"].name == "label"
    pictures(tmp_path / "three", "cat", "dog")
    with pytest.raises(DatalintError, match="none of the data sets"):
        recognise(tmp_path / "three", Wishes(label="kind"))


def test_wished_splits(tmp_path: Path) -> None:
    csv(tmp_path / "one.csv")
    csv(tmp_path / "two.csv", 30)
    dataset = only(tmp_path, splits={"train": ["one*"], "test": ["two.csv"]})
    assert sizes(dataset) == {"train": 60, "test": 30}
    with pytest.raises(DatalintError, match="no file below"):
        recognise(tmp_path, Wishes(splits={"train": ["three*"]}))
    with pytest.raises(DatalintError, match="is in two splits"):
        recognise(tmp_path, Wishes(splits={"train": ["*.csv"], "test": ["two*"]}))
    with pytest.raises(DatalintError, match="scan the folder instead"):
        recognise(tmp_path / "one.csv", Wishes(splits={"train": ["*"]}))


def test_text_files_only_where_nothing_else_is_data(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\nthere\n")
    csv(tmp_path / "data.txt")
    assert sizes(only(tmp_path)) == {"all": 60}


def test_gzip_by_content_not_by_name(tmp_path: Path) -> None:
    text = frame().to_csv(index=False).encode()
    (tmp_path / "a.csv").write_bytes(gzip.compress(text))
    (tmp_path / "b.csv.gz").write_bytes(text)
    assert sizes(only(tmp_path / "a.csv")) == sizes(only(tmp_path / "b.csv.gz")) == {"all": 60}


def test_declared_classes(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    info = {"info": {"features": {"kind": {"_type": "ClassLabel", "names": ["neg", "pos"]}}}}
    table = pa.table({"x": np.arange(40.0), "kind": [0, 1] * 20})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), tmp_path / "a.parquet")
    dataset = only(tmp_path)
    assert dataset.label is not None and dataset.label.confidence == "certain"
    assert read(dataset) == {"all": {"neg": 20, "pos": 20}}
    pq.write_table(table.replace_schema_metadata({"huggingface": "[[["}), tmp_path / "a.parquet")
    assert only(tmp_path).label is None or only(tmp_path).label.confidence != "certain"  # type: ignore[union-attr]


# --- images ---------------------------------------------------------------------------------------------------------


def test_class_folders(tmp_path: Path) -> None:
    pictures(tmp_path, "cat", "dog")
    picture(tmp_path / "dog" / "UPPER.PNG")
    picture(tmp_path / ".hidden" / "a.png")
    (tmp_path / "dog" / "Thumbs.db").write_bytes(b"x")
    dataset = only(tmp_path)
    assert (read(dataset), dataset.by_class) == ({"all": {"cat": 3, "dog": 4}}, True)
    assert [problem.kind for problem in dataset.problems] == ["hidden"]


def test_a_class_called_train(tmp_path: Path) -> None:
    pictures(tmp_path, "train", "car", "bus")
    assert set(read(only(tmp_path))["all"]) == {"train", "car", "bus"}


@pytest.mark.parametrize("above", ["", "images", "data/images"])
def test_class_folders_in_split_folders(tmp_path: Path, above: str) -> None:
    for split in ("train", "val", "test"):
        pictures(tmp_path / above / split, "cat", "dog")
    dataset = only(tmp_path)
    assert read(dataset) == {split: {"cat": 3, "dog": 3} for split in ("train", "validation", "test")}


def test_split_folders_with_company(tmp_path: Path) -> None:
    pictures(tmp_path / "training_set", "cat", "dog")
    pictures(tmp_path / "test_set", "cat", "dog")
    for k in range(2):
        picture(tmp_path / "single_prediction" / f"{k}.png")
    picture(tmp_path / "logo.png")
    datasets = found(tmp_path)
    main = datasets.pop(tmp_path.name)
    assert read(main) == {split: {"cat": 3, "dog": 3} for split in ("train", "test")}
    assert told([main]) == {"logo.png": "not-scanned", "0.png": "not-scanned"}
    assert not datasets


def test_nested_class_folders_are_all_reported(tmp_path: Path) -> None:
    pictures(tmp_path, "animals/cat", "animals/dog", "cars/red", each=5)
    assert sum(sum(sizes(dataset).values()) for dataset in recognise(tmp_path, Wishes()).datasets) == 15


def test_strays_and_empty_class_folders(tmp_path: Path) -> None:
    pictures(tmp_path, "cat", "dog")
    picture(tmp_path / "logo.png")
    (tmp_path / "bird").mkdir()
    dataset = only(tmp_path)
    assert told([dataset]) == {"logo.png": "not-scanned", "bird": "not-scanned"}


def test_a_folder_of_images(tmp_path: Path) -> None:
    pictures(tmp_path, ".", each=5)
    dataset = only(tmp_path)
    assert dataset.label is None and "no class folders" in dataset.skipped_label
    assert sizes(dataset) == {"all": 5}


# --- several, and the hostile ---------------------------------------------------------------------------------------


def test_several_data_sets_in_one_folder(tmp_path: Path) -> None:
    csv(tmp_path / "tab.csv")
    frame().to_parquet(tmp_path / "other.parquet")
    np.savez(tmp_path / "arr.npz", X=RNG.random((50, 4)), y=RNG.integers(0, 2, 50))
    pictures(tmp_path / "pics", "a", "b")
    np.save(tmp_path / "y.npy", np.arange(3))
    datasets = found(tmp_path)
    assert set(datasets) == {"tab", "other", "arr", "pics"}
    assert told(datasets.values()) == {"y.npy": "not-scanned"}


def test_broken_files_beside_good_ones(tmp_path: Path) -> None:
    csv(tmp_path / "good.csv")
    frame(500).to_parquet(tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12345\n"
    broken: dict[str, tuple[bytes, str]] = {
        "bin.csv": (RNG.bytes(4000), "unreadable"),
        "page.csv": (b"<!DOCTYPE html><html>404</html>", "unreadable"),
        "empty.csv": (b"", "unreadable"),
        "header.csv": (b"a,b,label\n", "not-scanned"),
        "lfs.csv": (pointer, "pointer"),
        "lfs.parquet": (pointer, "pointer"),
        "lfs.npy": (pointer, "pointer"),
        "lfs.npz": (pointer, "pointer"),
        "half.parquet": (whole[: len(whole) // 2], "unreadable"),
        "short.parquet": (b"PAR1", "unreadable"),
        "cut.csv.gz": (gzip.compress(frame(2000).to_csv().encode())[:200], "unreadable"),
    }
    for name, (data, _) in broken.items():
        (tmp_path / name).write_bytes(data)
    datasets = recognise(tmp_path, Wishes()).datasets
    assert told(datasets) == {name: kind for name, (_, kind) in broken.items()}
    assert {dataset.name for dataset in datasets} == {"good", "whole"}


def test_nothing_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatalintError, match="holds no files"):
        recognise(tmp_path, Wishes())
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(DatalintError, match=r"no data set recognised .*\.docx"):
        recognise(tmp_path, Wishes())
    (tmp_path / "header.csv").write_text("a,b\n")
    with pytest.raises(DatalintError, match=r"header\.csv: holds column names and no rows"):
        recognise(tmp_path, Wishes())
    with pytest.raises(DatalintError, match="did you mean"):
        recognise(tmp_path / "heade.csv", Wishes())


def test_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    pictures(root, "cat", "dog")
    outside = picture(tmp_path / "outside" / "o.png")
    (root / "cat" / "out.png").symlink_to(outside)
    (root / "bird").symlink_to(outside.parent)
    (root / "dog" / "in.png").symlink_to(root / "cat" / "0.png")
    (root / "dog" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "dog" / "self.png").symlink_to("self.png")
    (root / "loop").symlink_to(root)
    dataset = only(root)
    assert read(dataset) == {"all": {"cat": 3, "dog": 4}}
    problems = told([dataset])
    assert problems.pop("self.png") in {"unreadable", "not-scanned"}  # which depends on Python's version
    assert problems == {"out.png": "not-scanned", "bird": "not-scanned", "gone.png": "not-scanned"}
    with pytest.raises(DatalintError, match="leads out of the scanned folder"):
        (tmp_path / "links").mkdir()
        (tmp_path / "links" / "a.png").symlink_to(outside)
        recognise(tmp_path / "links", Wishes())


def test_pipes_and_devices_are_not_opened(tmp_path: Path) -> None:
    pictures(tmp_path, "cat", "dog")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    os.mkfifo(tmp_path / "pipe.csv")
    assert told([only(tmp_path)]) == {"pipe.png": "not-scanned", "pipe.csv": "not-scanned"}
    with pytest.raises(DatalintError, match="pipe or device"):
        recognise(tmp_path / "pipe.csv", Wishes())


def test_names_that_no_report_can_hold(tmp_path: Path) -> None:
    pictures(tmp_path, "a\nb", "c\x1b[31m")
    folder = tmp_path / os.fsdecode(b"d\xff")
    folder.mkdir()
    (tmp_path / "a\nb" / "0.png").rename(folder / os.fsdecode(b"x\xfe.png"))
    long = picture(tmp_path / "a\nb" / ("n" * 240 + ".png"))
    dataset = only(tmp_path)
    assert read(dataset) == {"all": {"a\nb": 3, "c\x1b[31m": 3, "d\\xff": 1}}
    names = [p.sample_id(k) for p in dataset.partitions for k in range(len(p.files))]  # type: ignore[attr-defined]
    assert long.as_posix() in names
    assert "".join(names).encode()  # would raise
    (batch,) = dataset.partitions[0].batches(frozenset({"header", "pixels"}))
    assert batch.images is not None and batch.images.readable is not None and batch.images.readable.all()
    frame().to_csv(tmp_path / "t.csv", index=False)
    frame().to_parquet(tmp_path / "t.parquet")
    np.save(tmp_path / "t.npy", RNG.random((9, 3)))
    for suffix in (".csv", ".parquet", ".npy"):
        (tmp_path / f"t{suffix}").rename(tmp_path / (os.fsdecode(b"t\xff") + suffix))
    datasets = recognise(tmp_path, Wishes()).datasets
    assert [sum(sizes(dataset).values()) for dataset in datasets] == [7, 9, 60, 60]
    assert all(f"{dataset}".encode() for dataset in datasets)


def test_deep_folders(tmp_path: Path) -> None:
    csv(tmp_path.joinpath(*["d"] * 90) / "a.csv")
    assert sizes(only(tmp_path)) == {"all": 60}
    csv(tmp_path.joinpath(*["d"] * 200) / "a.csv")
    assert sizes(only(tmp_path)) == {"all": 60}
    assert "not-scanned" in told([only(tmp_path)]).values()


def test_changed_files(tmp_path: Path) -> None:
    good, image = csv(tmp_path / "good.csv"), picture(tmp_path / "a.png")
    (tmp_path / "bad.csv").write_bytes(b"<html>")
    (tmp_path / "header.csv").write_text("a,b\n")
    (tmp_path / "code.py").write_text("print()")
    paths = [good, image, tmp_path / "bad.csv", tmp_path / "header.csv", tmp_path / "code.py", tmp_path / "gone.csv"]
    table, rest = recognise_files(paths)
    assert sizes(table) == {"all": 60}
    assert sizes(rest) == {"all": 1}
    assert told([rest]) == {"bad.csv": "unreadable", "header.csv": "not-scanned"}
