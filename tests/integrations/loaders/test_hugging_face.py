"""Data sets of Hugging Face: the features they declare, the tables and pictures they keep."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, Value
from PIL import Image as Pictures
from sklearn.datasets import load_breast_cancer, load_digits
from torch.utils.data import DataLoader

import datalint
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding, Report

NAMES = ["malignant", "benign"]
LABELS = ("ORD101", "ORD103", "LBL101", "LBL104", "FIL101", "DUP101")


def table(rows: slice = slice(None)) -> Dataset:
    """The breast cancer data, which is well mixed."""
    frame = load_breast_cancer(as_frame=True).frame.iloc[rows].rename(columns={"target": "diagnosis"})
    features = {name: Value("float64") for name in frame.columns[:-1]} | {"diagnosis": ClassLabel(names=NAMES)}
    return Dataset.from_pandas(frame, features=Features(features), preserve_index=False)


def in_order() -> Dataset:
    """The same, class by class, as a view of its rows."""
    data = table()
    return data.select(np.argsort(data["diagnosis"][:], kind="stable"))


def digits() -> Dataset:
    """Pictures of digits, class by class, of which one is damaged."""
    data = load_digits()
    rows: dict[str, list[Any]] = {"image": [], "label": [], "writer": []}
    for k in np.argsort(data.target[:400], kind="stable"):
        out = io.BytesIO()
        Pictures.fromarray((data.images[k] * 15.9).astype(np.uint8)).resize((16, 16)).save(out, "PNG")
        held = out.getvalue() if len(rows["label"]) != 17 else out.getvalue()[:60]
        rows["image"].append({"bytes": held, "path": f"{k}.png"})
        rows["label"].append(int(data.target[k]))
        rows["writer"].append(f"w{k % 9}")
    names = [f"digit {k}" for k in range(10)]
    features = Features({"image": Image(), "label": ClassLabel(names=names), "writer": Value("string")})
    return Dataset.from_dict(rows, features=features)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def one(report: Report, code: str) -> Finding:
    (found,) = [finding for finding in report.findings if finding.code == code]
    return found


def test_a_table_with_declared_classes() -> None:
    report = datalint.scan(table(), select=LABELS)
    (dataset,) = report.datasets
    assert dataset.layout == "a Hugging Face Dataset of 569 rows, its Arrow table read as it is"
    assert dataset.label is not None
    assert (dataset.label.name, dataset.label.evidence) == ("diagnosis", "declared as ClassLabel in the features")
    assert dataset.splits[0].classes == {"malignant": 212, "benign": 357}
    assert not codes(report)


def test_rows_in_the_order_that_the_data_set_gives_them() -> None:
    ordered = in_order()
    assert "ORD101" in codes(datalint.scan(ordered, select=LABELS))
    assert not codes(datalint.scan(ordered.shuffle(seed=0), select=LABELS))
    loader = DataLoader(ordered.with_format("torch"), batch_size=16)
    report = datalint.scan(loader, select=LABELS)
    assert one(report, "ORD101").evidence["batch_size"] == 16
    assert report.datasets[0].splits[0].classes == {"malignant": 212, "benign": 357}
    assert "over a Hugging Face Dataset of 569 samples" in report.datasets[0].layout


def test_splits_of_a_dictionary() -> None:
    parts = table().train_test_split(test_size=0.3, seed=0)
    assert isinstance(parts, DatasetDict)
    report = datalint.scan(parts, select=[*LABELS, "SPL101", "SPL105"])
    assert [(split.name, split.samples) for split in report.datasets[0].splits] == [("train", 398), ("test", 171)]
    assert not codes(report)
    parts["test"] = parts["train"].select(range(100))
    found = one(datalint.scan(parts, select=["SPL101"]), "SPL101")
    assert found.affected.count >= 100
    assert {sample.id for sample in found.affected.samples} <= {f"test[{k}]" for k in range(100)}


def test_another_column_may_be_the_label() -> None:
    report = datalint.scan(table(), label="mean radius", select=["LBL"])
    assert report.datasets[0].label is not None
    assert report.datasets[0].label.name == "mean radius"
    with pytest.raises(DatalintError, match="no column 'mean raduis'; did you mean 'mean radius'"):
        datalint.scan(table(), label="mean raduis")


def test_a_label_that_is_not_known() -> None:
    texts = [f"this plate of number {k} is {'fine' if k % 2 else 'broken'}" for k in range(120)]
    labels = [-1 if k % 10 == 0 else k % 2 for k in range(120)]
    features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
    report = datalint.scan(Dataset.from_dict({"text": texts, "label": labels}, features=features), select=LABELS)
    assert one(report, "LBL104").affected.count == 12
    assert {"no", "yes"} <= set(report.datasets[0].splits[0].classes)


def test_pictures_are_read_as_they_are_stored() -> None:
    report = datalint.scan(digits())
    (dataset,) = report.datasets
    assert dataset.modality == "images"
    assert "its pictures read as they are stored in 'image'; writer is not looked at" in dataset.layout
    assert dataset.splits[0].classes["digit 3"] == np.count_nonzero(load_digits().target[:400] == 3)
    assert [sample.id for sample in one(report, "IMG103").affected.samples] == ["dataset[17]"]
    assert one(report, "ORD101").severity == "warning"
    assert "ORD101" not in codes(datalint.scan(digits().shuffle(seed=0), select=["ORD101"]))


def test_vectors_are_features() -> None:
    inputs, labels = load_breast_cancer(return_X_y=True)
    features = Features({"vector": List(Value("float32")), "label": Value("int64")})
    data = Dataset.from_dict({"vector": inputs.tolist(), "label": labels.tolist()}, features=features)
    report = datalint.scan(data, select=["NRM101", "LBL101"])
    assert report.datasets[0].splits[0].classes == {"0": 212, "1": 357}
    assert "NRM101" in codes(report)


def test_a_stream_says_what_was_read() -> None:
    report = datalint.scan(in_order().to_iterable_dataset(), select=LABELS)
    (dataset,) = report.datasets
    assert "read up to 100,000 samples" in dataset.layout
    assert dataset.splits[0].classes == {"malignant": 212, "benign": 357}
    assert "ORD101" in codes(report)


def test_an_empty_split() -> None:
    with pytest.raises(DatalintError, match="the data set of test is empty"):
        datalint.scan(DatasetDict({"train": table(), "test": table(slice(0, 0))}))


def drawn(wrong: bool) -> Dataset:
    """Pictures with objects, as the hub's sets for detectors have them."""
    rng = np.random.default_rng(3)
    rows: dict[str, list[Any]] = {"image": [], "objects": []}
    for k in range(60):
        rows["image"].append(Pictures.fromarray(rng.integers(0, 255, (60, 80, 3)).astype(np.uint8)))
        boxes = [[float(rng.integers(0, 50)), float(rng.integers(0, 40)), 25.0, 15.0] for _ in range(1 + k % 3)]
        boxes[0] = [70.0, 5.0, 30.0, 10.0] if wrong and k == 12 else boxes[0]
        rows["objects"].append({"bbox": boxes, "category": [k % 2] * len(boxes)})
    objects = {"bbox": List(List(Value("float32"), length=4)), "category": List(ClassLabel(names=["cat", "dog"]))}
    return Dataset.from_dict(rows, features=Features({"image": Image(), "objects": objects}))


@pytest.mark.parametrize("stored", [False, True])
def test_boxes_in_memory_and_as_they_are_stored(stored: bool, tmp_path: Path) -> None:
    for wrong in (False, True):
        data = drawn(wrong)
        if stored:
            (tmp_path / str(wrong)).mkdir()
            data.to_parquet(tmp_path / str(wrong) / "train-00000-of-00001.parquet")
        report = datalint.scan(tmp_path / str(wrong) if stored else data, select=["ANN"], config=False)
        assert "left, top, width and height in pixels" in report.datasets[0].evidence
        found = {
            f.code: [sample.index for sample in f.affected.samples] for f in report.findings if f.severity != "info"
        }
        assert found == ({"ANN103": [12]} if wrong else {})
