"""DUP102 on tables, texts and pictures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint
from tests.reference import crop, named, photos, picture

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding


def found(source: object) -> list[Finding]:
    return datalint.scan(source, label="y", select=["DUP102"]).findings


def table(rows: int = 2_000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(50, 10, (rows, 10))).add_prefix("f")
    return numbers.assign(kind=rng.choice(["p", "q"], rows), y=rng.choice(["a", "b"], rows))


def test_rounded_copies_are_named_with_their_original() -> None:
    clean = table()
    (finding,) = found(pd.concat([clean, clean[:40].round(2)], ignore_index=True))
    assert finding.severity == "warning"
    assert finding.message.startswith("80 of 2,040 rows are near-identical to another one, in 40 groups; 40 (2.0%)")
    assert finding.affected.count == 80
    assert {sample.index for sample in finding.affected.samples} <= {*range(40), *range(2_000, 2_040)}
    assert finding.affected.samples[0].detail["comparison"] == "equal but for rounding"


def test_few_are_only_info() -> None:
    clean = table()
    (finding,) = found(pd.concat([clean, clean[:4].round(2)], ignore_index=True))
    assert finding.severity == "info"


def test_exact_copies_and_other_splits_are_not_its_business() -> None:
    clean = table()
    assert not found(pd.concat([clean, clean[:40]], ignore_index=True))
    assert not found({"train": clean[:1_500], "test": clean[:40].round(2)})


def test_three_of_a_kind_are_one_group() -> None:
    clean = table()
    (finding,) = found(pd.concat([clean, clean[:30].round(2), clean[:30].round(3)], ignore_index=True))
    assert finding.evidence["groups"] == 30
    assert finding.evidence["superfluous"] == 60


def test_coarse_tables_are_passed_or_skipped() -> None:
    rng = np.random.default_rng(0)
    coarse = pd.DataFrame(rng.integers(0, 4, (1_500, 14))).add_prefix("c")
    assert not found(coarse.assign(y=rng.choice(["a", "b"], 1_500)))
    report = datalint.scan(
        coarse[["c0", "c1", "c2", "c3", "c4"]].assign(y=rng.choice(["a", "b"], 1_500)), label="y", select=["DUP102"]
    )
    (status,) = [rule for rule in report.datasets[0].rules if rule.code == "DUP102"]
    assert status.status == "skipped"
    assert "too few" in str(status.reason)


def test_saved_again_among_photos(tmp_path: Path) -> None:
    k = 0
    for kind, photo in photos().items():
        for top in range(0, 427 - 64, 64):
            for left in range(0, 640 - 64, 64):
                path = tmp_path / kind / f"{k:03d}.jpg"
                path.parent.mkdir(exist_ok=True)
                pixels = photo[top : top + 64, left : left + 64]
                path.write_bytes(picture(pixels, "JPEG"))
                if k in {12, 15, 22, 31, 41, 51}:
                    (tmp_path / kind / f"{k:03d}_again.jpg").write_bytes(picture(pixels, "JPEG", quality=40))
                k += 1
    (finding,) = datalint.scan(tmp_path, select=["DUP102"]).findings
    assert finding.evidence["groups"] in {5, 6}  # a window of plain sky may be too plain to tell
    assert finding.severity == "warning"
    first, second = finding.affected.samples[:2]
    assert first.detail["near"] == second.id


def test_silent_on_digits() -> None:
    assert not datalint.scan(named("digits").tables["all"], label="target", select=["DUP102"]).findings


def test_questions_about_one_passage_are_no_duplicates(tmp_path: Path) -> None:
    """As SQuAD asks: the passage is most of the wording, and the question is what is asked."""
    rng = np.random.default_rng(0)
    words = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrs"])

    def text(count: int) -> str:
        return " ".join(rng.choice(words, count)).capitalize()

    asked = []
    for _ in range(100):
        passage = ". ".join(text(10) for _ in range(12))
        asked += [{"context": passage, "question": f"{text(7)}?", "answer": text(2)} for _ in range(4)]
    again = [{**one, "question": one["question"].lower()} for one in asked[:40:4]]
    files = {"clean": asked, "repeated": [*asked, *again]}
    for name, rows in files.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert not datalint.scan(tmp_path / "clean.jsonl", select=["DUP102"]).findings
    (finding,) = datalint.scan(tmp_path / "repeated.jsonl", select=["DUP102"]).findings
    assert finding.affected.count == 20


def versions(folder: Path, called: str, classes: tuple[str, str] = ("tree", "tree")) -> list[Finding]:
    """Photos of two classes, and of every second one a brighter version under another name."""
    rng = np.random.default_rng(5)
    for k in range(60):
        photo = crop(photos()[("china", "flower")[k % 2]], 128, 96, rng)
        own = folder / ("tree" if k % 4 < 2 else "house") / f"IMG_{k}.png"
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(picture(photo))
        if k % 4 == 0:
            lighter = np.clip(np.asarray(photo, float) * 1.15 + 6, 0, 255).astype(np.uint8)
            other = folder / classes[k % 8 == 0] / f"{called.format(k)}.png"
            other.parent.mkdir(parents=True, exist_ok=True)
            other.write_bytes(picture(lighter))
    return datalint.scan(folder, select=["DUP102"], cache=False).findings


@pytest.mark.parametrize("called", ["IMG_{}_aug_1", "IMG_{}.rf.0cc175b9c0f1b6a831c399e2", "IMG_{}-flipped"])
def test_versions_that_their_names_call_so_are_info(tmp_path: Path, called: str) -> None:
    (finding,) = versions(tmp_path, called)
    assert finding.severity == "info"
    assert "augmented versions" in finding.message


@pytest.mark.parametrize("called", ["{}", "copy of IMG_{}", "augsburg {}", "IMG_1_aug_{}"])
def test_versions_under_other_names_are_duplicates(tmp_path: Path, called: str) -> None:
    (finding,) = versions(tmp_path, called)
    assert (finding.severity, finding.evidence["unlike_groups"]) == ("warning", 0)
    assert "augmented" not in finding.message


def test_versions_in_another_class(tmp_path: Path) -> None:
    (finding,) = versions(tmp_path, "IMG_{}_aug_1", ("tree", "house"))
    pairs = {frozenset({sample.id, str(sample.detail["near"])}) for sample in finding.affected.samples}
    unlike = sum(len({name.split("/")[-2] for name in pair}) > 1 for pair in pairs)
    assert (finding.severity, finding.evidence["unlike_groups"]) == ("warning", unlike)
    assert unlike > 2
    assert f"in {unlike} groups the labels differ" in finding.message
    assert "correct the wrong one" in finding.remedy
