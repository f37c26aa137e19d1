"""Texts in a file each, as load_files of scikit-learn and text_dataset_from_directory of Keras read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.datasets import load_files

import datalint
from datalint.core.errors import DatalintError
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

WORDS = [
    "the",
    "of",
    "a",
    "to",
    "and",
    "in",
    "on",
    "with",
    "from",
    "over",
    "old",
    "new",
    "red",
    "small",
    "great",
    "house",
    "river",
    "engine",
    "orbit",
    "rocket",
    "pixel",
    "shader",
    "belief",
    "reason",
    "church",
    "vector",
    "image",
    "colour",
    "launch",
    "planet",
    "moon",
    "probe",
    "argument",
    "question",
    "answer",
    "season",
    "garden",
]


def text(rng: np.random.Generator, about: str) -> str:
    return f"Subject: {about}\n\n" + " ".join(rng.choice(WORDS, 60).tolist()) + ".\n"


def lay(root: Path, forms: dict[str, str], files: int = 30) -> Path:
    """Folders of classes, with the form of the names in them."""
    rng = np.random.default_rng(0)
    for k, (folder, form) in enumerate(forms.items()):
        (root / folder).mkdir(parents=True)
        for number in range(files):
            (root / folder / form.format(1000 * k + number)).write_text(text(rng, folder.rpartition("/")[2]))
    return root


CASES = {
    "newsgroups": {
        f"20news-bydate-{s}/{c}": "{}" for s in ("train", "test") for c in ("alt.atheism", "comp.graphics", "sci.space")
    },
    "imdb": {f"aclImdb/{s}/{c}": "{}_7.txt" for s in ("train", "test") for c in ("neg", "pos")},
    "mails": dict.fromkeys(("easy_ham", "spam"), "{:05}.7c53336b37003a9286aba55d2945844c"),
    "keras": dict.fromkeys(("class_a", "class_b"), "{}.txt"),
}


@pytest.mark.parametrize("name", CASES)
def test_layouts(tmp_path: Path, name: str) -> None:
    forms = CASES[name]
    lay(tmp_path, forms)
    (tmp_path / "README").write_text("What lies here.\n")
    report = datalint.scan(tmp_path, select=["FIL101", "DUP101", "SPL101", "LBL101", "TXT"], cache=False)
    (dataset,) = report.datasets
    splits = {"train", "test"} if "/" in next(iter(forms)) else {"all"}
    assert {split.name: split.samples for split in dataset.splits} == {
        split: 30 * len(forms) // len(splits) for split in splits
    }
    assert set(dataset.splits[0].classes or ()) == {form.rpartition("/")[2] for form in forms}
    assert not report.findings
    assert dataset.layout.startswith("text class folders")


def test_what_is_read_is_what_scikit_learn_reads(tmp_path: Path) -> None:
    lay(tmp_path, CASES["keras"])
    bunch = load_files(tmp_path, encoding="utf-8", shuffle=False)
    (dataset,) = datalint.detect(tmp_path)
    (batch,) = dataset.partitions[0].batches(frozenset({"table", "labels"}))
    assert batch.table is not None and batch.labels is not None and batch.labels.codes is not None
    (column,) = batch.table.categories
    assert sorted(column.values[code] for code in column.codes) == sorted(map(str.strip, bunch.data))
    assert np.bincount(batch.labels.codes).tolist() == np.bincount(bunch.target).tolist()
    assert dataset.partitions[0].sample_id(0).endswith("class_a/0.txt")


def test_faults(tmp_path: Path) -> None:
    lay(tmp_path, CASES["imdb"])
    train, test = tmp_path / "aclImdb" / "train", tmp_path / "aclImdb" / "test"
    for k in range(8):
        (test / "neg" / f"copy{k}.txt").write_bytes((train / "pos" / f"{1000 + k}_7.txt").read_bytes())
    (train / "neg" / "empty.txt").write_bytes(b"")
    (train / "neg" / "binary.txt").write_bytes(bytes(range(256)))
    (train / "neg" / "pointer.txt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    (train / "pos" / "old.txt").write_bytes("Schöne Grüße aus dem Süden und mehr davon".encode("cp1252"))
    (train / "urls.txt").write_text("http://example.org\n" * 30)
    report = datalint.scan(tmp_path, select=["FIL101", "FIL102", "SPL101", "LBL106", "TXT101"], cache=False)
    found = [(f.code, f.severity, f.affected.count) for f in report.findings if f.code != "FIL101"]
    assert sorted(found) == [
        ("FIL102", "info", 1),
        ("LBL106", "warning", 16),
        ("SPL101", "error", 8),
        ("TXT101", "warning", 3),
    ]
    told = " ".join(f.message for f in report.findings if f.code == "FIL101")
    assert "binary.txt: binary content" in told and "pointer.txt: a Git LFS pointer" in told and "urls.txt" in told


def test_a_folder_without_labels_is_a_split_without_labels(tmp_path: Path) -> None:
    lay(tmp_path, {**CASES["imdb"], "aclImdb/train/unsup": "{}_0.txt"})
    report = datalint.scan(tmp_path, select=["LBL101", "LBL104", "LBL106", "LBL108", "SPL105"], cache=False)
    (dataset,) = report.datasets
    assert {s.name: s.samples for s in dataset.splits} == {"train": 60, "test": 60, "unlabeled": 30}
    assert set(dataset.splits[0].classes or ()) == {"neg", "pos"}
    assert not report.findings


@pytest.mark.parametrize("case", ["series", "few", "pictures", "program"])
def test_what_is_something_else(tmp_path: Path, case: str) -> None:
    if case == "series":
        rng = np.random.default_rng(0)
        for name in ("run", "walk"):
            (tmp_path / name).mkdir()
            for k in range(30):
                np.savetxt(tmp_path / name / f"{k}.txt", rng.normal(size=(40, 3)))
    else:
        lay(tmp_path, {"docs": "{}.txt", "notes": "{}.txt"}, 4 if case == "few" else 30)
    if case == "pictures":
        (tmp_path / "docs" / "table.csv").write_text("a,b,label\n" + "1,2,x\n3,4,y\n" * 30)
        for k in range(10):
            (tmp_path / "docs" / f"p{k}.csv").write_text("a,b,label\n" + "1,2,x\n3,4,y\n" * 30)
    if case == "program":
        for k in range(99):
            (tmp_path / "docs" / f"p{k}.py").write_text("print()\n")
    try:
        layouts = {dataset.layout for dataset in datalint.detect(tmp_path)}
    except DatalintError:
        layouts = set()
    assert not any(layout.startswith("text class folders") for layout in layouts)


def test_they_cannot_be_planted_into_or_mended_and_say_so(tmp_path: Path) -> None:
    lay(tmp_path, CASES["keras"])
    for command in (("plant", "DUP101", str(tmp_path)), ("fix", str(tmp_path)), ("subset", str(tmp_path))):
        outcome = call(tmp_path, *command, "--out", str(tmp_path.with_name("new")))
        assert (outcome.status, len(outcome.err.splitlines())) == (2, 1), outcome.err
