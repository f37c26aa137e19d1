"""Texts line by line, as translations, labelled lines and corpora lie: what is read, what is blamed, and what is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import datalint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

WORDS = [
    "time",
    "people",
    "way",
    "day",
    "man",
    "thing",
    "woman",
    "life",
    "child",
    "world",
    "school",
    "state",
    "family",
    "student",
    "group",
    "country",
]
RNG = np.random.default_rng(3)
SIZES = {"train": 300, "valid": 60, "test": 60}


def put(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def words(least: int = 5, most: int = 16) -> str:
    return " ".join(RNG.choice(WORDS, RNG.integers(least, most)))


def translations(root: Path) -> None:
    for split, size in SIZES.items():
        texts = [words() for _ in range(size)]
        put(root / f"{split}.en", texts)
        put(root / f"{split}.de", [" ".join(word[::-1] for word in text.split()) for text in texts])


def summaries(root: Path) -> None:
    for split, size in SIZES.items():
        put(root / f"{split}.source", [words(30, 50) for _ in range(size)])
        put(root / f"{split}.target", [words() for _ in range(size)])


def tweets(root: Path) -> None:
    for split, size in SIZES.items():
        kinds = RNG.integers(0, 3, size)
        put(root / f"{split}_text.txt", [f"{('glad', 'sad', 'cross')[k]} {words()}" for k in kinds])
        put(root / f"{split}_labels.txt", [str(k) for k in kinds])


def wikitext(root: Path) -> None:
    for split, size in SIZES.items():
        lines = [" "]
        for _ in range(size):
            lines += [f" = {words(1, 3)} = ", " ", f" {words(20, 40)} . ", f" {words(20, 40)} . ", " "]
        put(root / f"wiki.{split}.tokens", lines)


def shakespeare(root: Path) -> None:
    put(root / "input.txt", [line for k in range(200) for line in (f"{WORDS[k % 9].upper()}:", words(8, 30), "")])


@pytest.mark.parametrize(
    ("make", "layout", "columns", "label"),
    [
        (translations, "texts side by side", {"de", "en"}, None),
        (summaries, "texts side by side", {"source", "target"}, None),
        (tweets, "lines of text with a file of labels", {"text"}, "label"),
        (wikitext, "plain text", {"text"}, None),
        (shakespeare, "plain text", {"text"}, None),
    ],
)
def test_what_is_read(
    tmp_path: Path, make: Callable[[Path], None], layout: str, columns: set[str], label: str | None
) -> None:
    make(tmp_path)
    report = datalint.scan(tmp_path, cache=False, jobs=1, preset="fast")
    (info,) = report.datasets
    assert info.layout.startswith(layout)
    assert (info.label and info.label.name) == label
    (found,) = datalint.detect(tmp_path)
    assert {field.name for field in found.fields if field.role == "text"} == columns
    sizes = {split.name: split.samples for split in info.splits}
    assert sizes == ({"all": 200} if make is shakespeare else {"train": 300, "validation": 60, "test": 60})
    assert not [f.message for f in report.findings if f.severity != "info"]


@pytest.mark.parametrize(("make", "file"), [(translations, "train.en"), (tweets, "train_labels.txt")])
def test_a_line_too_few(tmp_path: Path, make: Callable[[Path], None], file: str) -> None:
    make(tmp_path)
    lines = (tmp_path / file).read_text().splitlines()
    put(tmp_path / file, lines[:100] + lines[101:])
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["FIL101"])
    (found,) = report.findings
    assert found.severity == "error"
    assert f"{file}: 299 rows for the 300" in found.message


def test_texts_of_test_in_train(tmp_path: Path) -> None:
    wikitext(tmp_path)
    train, test = tmp_path / "wiki.train.tokens", tmp_path / "wiki.test.tokens"
    train.write_text(train.read_text() + test.read_text())
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["SPL101"])
    assert [found.severity for found in report.findings] == ["error"]


def test_notes_are_no_corpus(tmp_path: Path) -> None:
    put(tmp_path / "notes.txt", [words() for _ in range(20)])
    with pytest.raises(datalint.DatalintError, match="no data set recognised"):
        datalint.scan(tmp_path, cache=False)


def test_records_in_a_file_each_are_texts_of_their_folders(tmp_path: Path) -> None:
    for k in range(60):
        record = {"id": k, "title": words(2, 4), "body": words(20, 40), "links": k % 3}
        put(tmp_path / ["ham", "spam"][k % 2] / f"{k:03}.json", [json.dumps(record, indent=1)])
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.layout, dataset.label and dataset.label.name) == ("text class folders", "class folder")
    (report,) = datalint.scan(tmp_path, select=["DUP101"], config=False, cache=False).datasets
    assert report.splits[0].classes == {"ham": 30, "spam": 30}


def test_tables_and_settings_in_folders_are_no_records(tmp_path: Path) -> None:
    for k in range(40):
        rows = [{"body": words(20, 40), "n": n} for n in range(30)]
        put(tmp_path / "a" / ["en", "de"][k % 2] / f"{k:03}.json", [json.dumps(rows)])
    assert all(dataset.label is None for dataset in datalint.detect(tmp_path / "a"))
    for k in range(40):
        put(tmp_path / "b" / ["x", "y"][k % 2] / f"{k:03}.json", [json.dumps({"rate": 0.1, "layers": [3, 4], "k": k})])
    with pytest.raises(datalint.DatalintError):
        datalint.detect(tmp_path / "b")
