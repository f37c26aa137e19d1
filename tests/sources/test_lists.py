"""Columns of lists: options to choose from, tokens, numbers of tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report

RNG = np.random.default_rng(0)
WORDS = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou\u00e9" for c in "lmnrs"])


def text(count: int) -> str:
    return " ".join(RNG.choice(WORDS, count))


def write(rows: list[dict[str, Any]], folder: Path, suffix: str) -> Path:
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), folder / "test.parquet")
    else:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "test.jsonl").write_text(lines, "utf-8")
    return folder / f"test.{suffix}"


def scanned(path: Path, *select: str) -> Report:
    return datalint.scan(path, select=select, config=False, cache=False)


@pytest.fixture(params=["jsonl", "parquet"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("name", "given"), [("answer", [0, 1, 2, 3]), ("answerKey", ["A", "B", "C", "D"])])
def test_the_right_one_of_several_options_is_the_label(
    tmp_path: Path, suffix: str, name: str, given: list[object]
) -> None:
    rows = [
        {
            "question": f"{text(8)}?",
            "choices": [text(4) for _ in range(4)],
            name: given[k % 4],
            "subject": ["law", "art"][k % 2],
        }
        for k in range(200)
    ]
    (dataset,) = datalint.detect(write(rows, tmp_path, suffix))
    assert dataset.label is not None
    assert (dataset.label.name, dataset.label.confidence) == (name, "high")
    assert not scanned(tmp_path, "FIL101", "DUP", "TXT", "VAL").findings


def test_rows_that_differ_in_a_list_are_no_duplicates(tmp_path: Path, suffix: str) -> None:
    rows = [{"question": "Which is right?", "options": [text(3), text(4)]} for _ in range(100)]
    assert not scanned(write(rows, tmp_path, suffix), "DUP101").findings
    (finding,) = scanned(write([*rows, *rows[:9]], tmp_path, suffix), "DUP101").findings
    assert "9 of 109" in finding.message


def test_numbers_of_tokens_are_samples(tmp_path: Path, suffix: str) -> None:
    rows = []
    for _ in range(120):
        tokens = [int(k) for k in RNG.integers(5, 30_000, int(RNG.integers(20, 90)))]
        rows.append({"input_ids": tokens, "attention_mask": [1] * len(tokens), "labels": tokens})
    report = scanned(write([*rows, *rows[:5]], tmp_path, suffix), "FIL101", "DUP101", "LBL", "VAL107")
    (finding,) = report.findings
    assert (finding.code, report.datasets[0].label) == ("DUP101", None)
    assert "5 of 125" in finding.message
