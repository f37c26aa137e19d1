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


# "Ann Lee" is a person and "New York" a place, one next to the other; "Rome" is a place of one word.
SENTENCE = ["in", "Rome", "we", "met", "Ann", "Lee", "New", "York", "and", "Oslo", "Rome"]
SCHEMES = {
    "IOB1": ["O", "I-LOC", "O", "O", "I-PER", "I-PER", "I-LOC", "I-LOC", "O", "I-LOC", "B-LOC"],
    "IOB2": ["O", "B-LOC", "O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "O", "B-LOC", "B-LOC"],
    "BIOES": ["O", "S-LOC", "O", "O", "B-PER", "E-PER", "B-LOC", "E-LOC", "O", "S-LOC", "S-LOC"],
    "BILOU": ["O", "U-LOC", "O", "O", "B-PER", "L-PER", "B-LOC", "L-LOC", "O", "U-LOC", "U-LOC"],
}


def of_tags(path: Path, tags: list[list[str]]) -> list[str]:
    blocks = [
        "\n".join(f"{w}{k} {t}".rstrip() for w, t in zip(SENTENCE, row, strict=True)) for k, row in enumerate(tags)
    ]
    (path / "train.conll").write_text("\n\n".join(blocks) + "\n\n")
    return [f.message for f in datalint.scan(path, cache=False, select=["FIL102"]).findings]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tags_of_one_scheme_pass(tmp_path: Path, scheme: str) -> None:
    assert not of_tags(tmp_path, [SCHEMES[scheme]] * 60)


@pytest.mark.parametrize(
    ("scheme", "at", "tag", "told"),
    [
        ("IOB2", 1, "I-LOC", "3 of 240 entities begin with I- where the others begin with B- (first in sentence 8)"),
        ("IOB2", 6, "I-LOC", "3 of 240 entities begin with I- where the others begin with B-"),
        ("IOB1", 1, "B-LOC", "3 of 240 entities begin with B- where the others begin with I-"),
        ("BIOES", 1, "I-LOC", "3 of 240 entities begin with I- where the others begin with B-"),
        ("BIOES", 5, "I-PER", "3 of 120 entities of several tokens lack the tag that ends them"),
        ("IOB2", 3, "LOC", "3 rows have a tag of no scheme, such as 'LOC' (first in sentence 8)"),
        ("IOB2", 3, "", "3 rows have no tag (first in sentence 8)"),
        ("IOB2", 1, "B-loc", "'loc' stands in 3 tags and 'LOC' in "),
    ],
)
def test_tags_that_follow_no_scheme(tmp_path: Path, scheme: str, at: int, tag: str, told: str) -> None:
    tags = [[*SCHEMES[scheme]] for _ in range(60)]
    for row in tags[7:10]:
        row[at] = tag
    (message,) = of_tags(tmp_path, tags)
    assert told in message


def test_parts_of_speech_follow_no_scheme_and_need_none(tmp_path: Path) -> None:
    assert not of_tags(tmp_path, [["NN", "NNP", "I", "VB", "B-X", "NN", "DT", "JJ", "CC", "NN", "."]] * 60)
