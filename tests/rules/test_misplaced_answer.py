"""TXT108: answers that do not stand where the data says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import datalint
from tests.reference import named

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from datalint.report.models import Finding

ROWS = named("passages").tables["train"]


def found(source: Any) -> list[Finding]:
    return datalint.scan(source, select=["TXT108"], cache=False).findings


def squad(rows: pd.DataFrame, blanks: str = "") -> dict[str, Any]:
    """As SQuAD is published, with as many blanks before each passage."""
    return {
        "version": "1.1",
        "data": [
            {
                "title": f"Article {k // 10}",
                "paragraphs": [
                    {
                        "context": blanks + row["context"],
                        "qas": [
                            {
                                "id": row["id"],
                                "question": row["question"],
                                "answers": [{"text": row["answer"], "answer_start": row["answer_start"] + len(blanks)}],
                            }
                        ],
                    }
                ],
            }
            for k, row in enumerate(rows.to_dict("records"))
        ],
    }


@pytest.mark.parametrize("blanks", ["", " ", "\n  "])
def test_squad(tmp_path: Path, blanks: str) -> None:
    """Passages with blanks before them count these in."""
    path = tmp_path / "train-v1.1.json"
    path.write_text(json.dumps(squad(ROWS, blanks)), encoding="utf-8")
    (dataset,) = datalint.detect(tmp_path)
    assert [field.name for field in dataset.fields][:3] == ["id", "title", "context"]
    assert not found(tmp_path)
    wrong = ROWS.assign(answer_start=[start + (k % 7 == 0) for k, start in enumerate(ROWS.answer_start)])
    path.write_text(json.dumps(squad(wrong, blanks)), encoding="utf-8")
    (finding,) = found(tmp_path)
    assert (finding.severity, finding.affected.count, finding.evidence["shift"]) == ("warning", 30, 1)
    assert finding.affected.samples[0].id.endswith("train-v1.1.json[0]")


def test_questions_without_an_answer(tmp_path: Path) -> None:
    """SQuAD 2.0."""
    document = squad(ROWS)
    for k, article in enumerate(document["data"]):
        asked = article["paragraphs"][0]["qas"][0]
        asked["is_impossible"] = k % 3 == 0
        if k % 3 == 0:
            asked["plausible_answers"], asked["answers"] = asked["answers"], []
    (tmp_path / "train-v2.0.json").write_text(json.dumps(document))
    assert not found(tmp_path)


def test_other_names_and_blanks_in_tables() -> None:
    table = ROWS.rename(columns={"context": "sentence", "answer": "mention", "answer_start": "start"})
    assert not found(table)
    (finding,) = found(table.assign(start=[s + 2 * (k % 5 == 0) for k, s in enumerate(table.start)]))
    assert (finding.column, finding.evidence["shift"]) == ("start", 2)
    # Blanks that a reader takes away are no fault.
    assert not found(table.assign(sentence="  " + table.sentence, start=table.start + 2))


def test_all_of_them() -> None:
    (finding,) = found(ROWS.assign(answer_start=ROWS.answer_start - 1))
    assert (finding.severity, finding.affected.count) == ("error", sum(ROWS.answer_start > 0))


def test_other_numbers_are_no_places() -> None:
    """A start of something else than a text."""
    assert not found(ROWS.drop(columns="answer_start").assign(start=range(len(ROWS))))
