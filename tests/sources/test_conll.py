"""Sentences of tagged tokens."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import conllu
import numpy as np
import pytest

import datalint
from datalint.core.errors import DatalintError
from datalint.sources.tables.format import TablePartition

if TYPE_CHECKING:
    from pathlib import Path

WORDS = [
    "the",
    "red",
    "bird",
    "sang",
    "to",
    "Ann",
    "Lee",
    "in",
    "Oslo",
    "while",
    "rain",
    "fell",
    "on",
    "old",
    "roofs",
    "of",
    "Rome",
    "and",
    "nobody",
    "else",
    "heard",
    "it",
]
NAMES = {"Ann": "B-PER", "Lee": "I-PER", "Oslo": "B-LOC", "Rome": "B-LOC"}


def sentences(count: int, seed: int = 0) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    return [[*rng.choice(WORDS, int(rng.integers(4, 12))), "Ann", "Lee", "!"] for _ in range(count)]


def tagged(rows: list[list[str]], extra: str = "") -> str:
    return "\n\n".join("\n".join(f"{w}{extra} {NAMES.get(w, 'O')}" for w in row) for row in rows) + "\n\n"


@pytest.mark.parametrize("extra", ["", " NNP I-NP"])
def test_each_sentence_is_a_sample_of_any_file(tmp_path: Path, extra: str) -> None:
    (tmp_path / "train.txt").write_text("-DOCSTART- -X- -X- O\n\n" + tagged(sentences(300), extra))
    (tmp_path / "test.txt").write_text(tagged(sentences(80, 1), extra))
    (dataset,) = datalint.detect(tmp_path)
    assert dataset.layout == "CoNLL sentences, one file per split"
    report = datalint.scan(tmp_path, cache=False, preset="fast")
    assert {split.name: split.samples for split in report.datasets[0].splits} == {"train": 300, "test": 80}
    assert report.ok("warning")


def test_sentences_of_train_in_test_are_found(tmp_path: Path) -> None:
    rows = sentences(300)
    (tmp_path / "train.conll").write_text(tagged(rows))
    with gzip.open(tmp_path / "test.conll.gz", "wt") as file:
        file.write(tagged([*sentences(60, 1), *rows[:40]]))
    (finding,) = datalint.scan(tmp_path, cache=False, select=["SPL101"]).findings
    assert finding.severity == "error"
    assert finding.message.startswith("40 of 100 test")


def test_universal_dependencies(tmp_path: Path) -> None:
    tokens = [
        conllu.TokenList(
            [
                conllu.Token(
                    {"id": k, "form": w, "lemma": w, "upos": "X", "xpos": None, "feats": None}
                    | {"head": 0, "deprel": "_", "deps": None, "misc": None}
                )
                for k, w in enumerate(row, 1)
            ],
            metadata=conllu.Metadata({"text": " ".join(row)}),
        )
        for row in sentences(120)
    ]
    (tmp_path / "en-ud-train.conllu").write_text("".join(one.serialize() for one in tokens))
    (dataset,) = datalint.detect(tmp_path)
    (partition,) = dataset.partitions
    (batch, *_) = partition.batches(frozenset({"table"}))
    assert (batch.size, dataset.splits[0].name) == (120, "train")
    assert batch.table is not None
    assert batch.table.categories[0].values[0] == " ".join(tokens[0][k]["form"] for k in range(len(tokens[0])))


def test_sentences_are_written_as_they_were(tmp_path: Path) -> None:
    text = "# about\n" + tagged(sentences(30), "\tNNP")
    with gzip.open(tmp_path / "a.conll.gz", "wt") as file:
        file.write(text)
    (dataset,) = datalint.detect(tmp_path)
    (partition,) = dataset.partitions
    assert isinstance(partition, TablePartition)
    partition.write(tmp_path / "b.conll.gz", partition.raw_rows(verbatim=True))
    with gzip.open(tmp_path / "b.conll.gz", "rt") as file:
        assert file.read() == text


def test_a_large_file_is_cut_between_sentences(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(tagged(sentences(60_000)))
    report = datalint.scan(tmp_path, cache=False, select=["FIL101"])
    assert report.datasets[0].splits[0].samples == 60_000


def test_what_is_no_file_of_tagged_tokens(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("one\ntwo\n\nthree\n")
    with pytest.raises(DatalintError, match="no lines of a token and its tag"):
        datalint.scan(tmp_path, cache=False)
    (tmp_path / "a.conll").unlink()
    # Blank lines between rows of a table make no sentences of them.
    rows = "\n\n".join(f"{k} {k * 7 % 13} O" for k in range(200))
    (tmp_path / "t.txt").write_text(rows)
    (dataset,) = datalint.detect(tmp_path)
    assert dataset.layout == "delimited text file"
