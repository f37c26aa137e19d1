"""svmlight as scikit-learn writes it, fastText lines, and ARFF in folders."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.io import arff
from sklearn.datasets import dump_svmlight_file, load_svmlight_file, load_wine

import datalint
from datalint.core.errors import DatalintError
from datalint.planting.load import load
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WORDS = "the of house river orbit moon probe question answer garden season red small great".split()  # noqa: SIM905


def wine() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    X, y = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order], y[order]
    X[::3, 4] = 0
    return X, y


def lines(count: int, seed: int, several: bool = False) -> list[str]:
    r = random.Random(seed)
    made = []
    for _ in range(count):
        labels = r.sample(["bake", "sauce", "meat", "eggs"], r.randint(1, 3) if several else 1)
        made.append(" ".join([*(f"__label__{label}" for label in labels), *r.choices(WORDS, k=20)]))
    return made


@pytest.mark.parametrize("zero_based", [True, False])
@pytest.mark.parametrize("names", ["wine.{}.svm", "{}.txt", "{}.libsvm"])
def test_svmlight(tmp_path: Path, names: str, zero_based: bool) -> None:
    X, y = wine()
    for split, rows in (("train", slice(0, 120)), ("test", slice(110, None))):
        path = tmp_path / names.format(split)
        dump_svmlight_file(X[rows], y[rows], str(path), zero_based=zero_based, comment="made by a test")
    report = datalint.scan(tmp_path, select=["SPL101", "FIL101", "LBL105"], cache=False)
    (dataset,) = report.datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 120, "test": 68}
    assert set(dataset.splits[0].classes or ()) == {"0", "1", "2"}
    assert [(f.code, f.affected.count) for f in report.findings] == [("SPL101", 10)]
    (found,) = datalint.detect(tmp_path)
    table = load(found).clean.tables["train"]
    features = [name for name in map(str, table) if name.startswith("x")]
    assert features[0] == ("x0" if zero_based else "x1") and len(features) == 13
    read, labels = load_svmlight_file(str(tmp_path / names.format("train")))
    np.testing.assert_allclose(table[features].to_numpy(), read.toarray(), rtol=1e-12)
    np.testing.assert_array_equal(table["label"].to_numpy(), labels)


def test_groups_quantities_and_lines_that_are_no_samples(tmp_path: Path) -> None:
    X, _ = wine()
    path = tmp_path / "t.svm"
    dump_svmlight_file(X, X[:, 0] * 1.5, str(path), query_id=np.arange(len(X)) // 9)
    text = path.read_text().splitlines()
    path.write_text("\n".join([*text[:100], "1 3:x", "nothing", *text[100:]]) + "\n")
    report = datalint.scan(path, select=["FIL101"], cache=False)
    (finding,) = report.findings
    assert (finding.severity, report.datasets[0].splits[0].samples) == ("warning", len(X))
    assert "2 lines are no samples, such as '1 3:x'" in finding.message
    assert {field.name for field in datalint.detect(path)[0].fields} > {"query_id", "label", "x1"}


def test_svmlight_that_is_too_wide_or_none(tmp_path: Path) -> None:
    (tmp_path / "wide.svm").write_text("1 3:1 900000:2\n0 4:1\n" * 30)
    (tmp_path / "none.svm").write_text("once upon a time\n" * 30)
    for name, why in (("wide.svm", "900,000 sparse columns; at most 5,000 are read"), ("none.svm", "no lines of")):
        with pytest.raises(DatalintError, match=why):
            datalint.detect(tmp_path / name)


def test_fasttext(tmp_path: Path) -> None:
    train = lines(300, 0)
    (tmp_path / "train.txt").write_text("\n".join(train) + "\n")
    (tmp_path / "test.txt").write_text("\n".join([*lines(80, 1), *train[:20]]) + "\n")
    report = datalint.scan(tmp_path, select=["SPL101", "LBL101", "TXT"], cache=False)
    (dataset,) = report.datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 300, "test": 100}
    assert set(dataset.splits[0].classes or ()) == {"bake", "sauce", "meat", "eggs"}
    assert [(f.code, f.affected.count) for f in report.findings] == [("SPL101", 20)]
    (found,) = datalint.detect(tmp_path)
    assert {field.name: field.role for field in found.fields} == {"label": "label", "text": "text"}


def test_several_labels_of_fasttext(tmp_path: Path) -> None:
    (tmp_path / "cooking.train").write_text("\n".join(lines(300, 0, several=True)) + "\n")
    (tmp_path / "cooking.valid").write_text("\n".join(lines(100, 1, several=True)) + "\n")
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.task, [split.name for split in dataset.splits]) == ("multi-label", ["train", "validation"])


def test_mending_fasttext(tmp_path: Path) -> None:
    text = lines(200, 0)
    (tmp_path / "t.txt").write_text("\n".join([*text, text[0]]) + "\n")
    outcome = call(tmp_path, "fix", "t.txt", "--out", "new", "--select", "DUP101")
    assert outcome.status == 0, outcome.err
    assert (tmp_path / "new" / "t.txt").read_text().splitlines() == text


def test_arff_in_a_folder(tmp_path: Path) -> None:
    X, y = wine()
    head = (
        "@relation wine\n"
        + "".join(f"@attribute a{k} numeric\n" for k in range(3))
        + "@attribute class {0,1,2}\n@data\n"
    )
    for split, rows in (("train", range(120)), ("test", range(120, len(X)))):
        body = "".join(f"{X[k, 0]},{X[k, 1]},{X[k, 2]},{y[k]}\n" for k in rows)
        (tmp_path / f"wine_{split}.arff").write_text(head + body)
    assert len(arff.loadarff(tmp_path / "wine_train.arff")[0]) == 120
    report = datalint.scan(tmp_path, select=["FIL101"], cache=False)
    (dataset,) = report.datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 120, "test": len(X) - 120}
    assert dataset.label is not None and dataset.label.name == "class"
