"""SPL112: evaluation texts within training texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.core.errors import DatalintError
from datalint.core.passages import passages
from datalint.measures.base import Settings
from datalint.measures.passages import Passages
from tests.command import call
from tests.conversations import chats
from tests.measures.streams import measured

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.core.dataset import Batch
    from datalint.report.models import Finding

TEXT = "The quick brown fox jumps over the lazy dog and then it runs far away from the small white house."


def splits(train: int = 200, test: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    some = chats(train + test, most=1)
    table = pd.DataFrame({"prompt": [chat[0][1] for chat in some], "completion": [chat[1][1] for chat in some]})
    return table[:train].reset_index(drop=True), table[train:].reset_index(drop=True)


def found(train: pd.DataFrame, test: pd.DataFrame) -> list[Finding]:
    return list(datalint.scan({"train": train, "test": test}, select=["SPL112"], config=False).findings)


def test_case_and_marks_do_not_count_and_words_do() -> None:
    owner, hashes = passages([TEXT, TEXT.upper().replace(" ", ", "), TEXT.replace("lazy", "old"), "too short", ""])
    sets = [set(hashes[owner == k].tolist()) for k in range(5)]
    assert len(sets[0]) == len(TEXT.split()) - 12
    assert sets[0] == sets[1] and not sets[0] & sets[2] and not sets[3] | sets[4]


def test_scripts_without_spaces_are_compared_by_their_signs() -> None:
    text = "".join(chr(0x4E00 + 37 * k) for k in range(80))
    owner, hashes = passages([text, f"前言{text}", text[:49]])
    first, second = (set(hashes[owner == k].tolist()) for k in (0, 1))
    assert len(first) == 31 and first < second and 2 not in owner


def test_passages_do_not_depend_on_what_is_hashed_beside() -> None:
    texts = [TEXT + f" {k}" for k in range(40)]
    owner, hashes = passages(texts)
    for k in (0, 17, 39):
        assert np.array_equal(np.sort(passages([texts[k]])[1]), np.sort(hashes[owner == k]))


def test_a_question_with_other_words_around_it() -> None:
    train, test = splits()
    train.loc[5, "prompt"] = f"Complete this. {test.completion[9]} Thank you."
    (finding,) = found(train, test)
    (sample,) = finding.affected.samples
    assert (finding.split, finding.against, sample.index) == ("test", "train", 9)
    assert sample.detail["train_index"] == 5


def test_what_many_training_texts_have_is_boilerplate() -> None:
    train, test = splits()
    train["prompt"] += " " + TEXT
    test["prompt"] += " " + TEXT
    assert not found(train, test)


def test_sets_whose_texts_share_their_wording_anyway() -> None:
    train, test = splits(300, 100)
    rng = np.random.default_rng(0)
    pool = [chat[1][1] for chat in chats(150, 5, 1)]
    # Each text of a small pool is there about three times, in either split.
    for table in (train, test):
        table["completion"] = rng.choice(pool, len(table))
    assert not found(train, test)


def test_most_of_a_split_is_an_error() -> None:
    train, test = splits(200, 60)
    train.loc[:39, "prompt"] = "I read this: " + test.completion[:40]
    (finding,) = found(train, test)
    assert (finding.severity, finding.affected.count) == ("error", 40)


def batches(count: int) -> list[Batch]:
    (dataset,) = datalint.detect(pd.DataFrame({"prompt": [TEXT + f" {k} and {k + 1}" for k in range(count)]}))
    return list(dataset.partitions[0].batches(frozenset({"table"})))


@pytest.mark.parametrize("memory", [200_000, 50_000])
def test_beyond_the_budget_a_sample_of_the_passages_is_kept(memory: int) -> None:
    state = measured(Passages, Settings(memory=memory), batches(300)).close()
    assert len(state.hashes) <= memory // 200
    assert state.rate < 1 and (state.hashes <= state.limit).all()
    assert state.owner.max() < len(state.places)


# --- texts that lie elsewhere ---------------------------------------------------------------------------------------


def benchmark(path: Path, texts: pd.DataFrame, name: str = "bench.jsonl") -> Path:
    target = path / name
    if name.endswith("csv"):
        texts.to_csv(target, index=False)
    else:
        texts.to_json(target, orient="records", lines=True)
    return target


@pytest.mark.parametrize("name", ["bench.jsonl", "bench.csv"])
@pytest.mark.parametrize("split", [False, True])
def test_a_benchmark_in_the_training_data(tmp_path: Path, name: str, split: bool) -> None:
    train, test = splits(300, 80)
    given = benchmark(tmp_path, test[:50], name)
    source = {"train": train, "test": test[50:]} if split else train
    assert not datalint.scan(source, select=["SPL112"], against=given).findings
    for k in range(5):
        train.loc[20 * k, "prompt"] = f"Complete this. {test.completion[k]} Thank you."
    (finding,) = datalint.scan(source, select=["SPL112"], against=[str(given)]).findings
    assert (finding.severity, finding.affected.count) == ("error", 5)
    assert [sample.index for sample in finding.affected.samples] == [0, 20, 40, 60, 80]
    assert str(finding.affected.samples[0].detail["near"]).startswith(str(given))
    assert finding.split == ("train" if split else None)
    assert "5 of 50 samples of bench (10.0%), given to compare with" in finding.message


def test_a_benchmark_of_another_shape(tmp_path: Path) -> None:
    """Questions with choices, against conversations."""
    train, test = splits(300, 60)
    rows = [{"question": text, "choices": ["a", "b"], "answer": 1} for text in test.completion]
    (tmp_path / "mmlu.jsonl").write_text("\n".join(map(json.dumps, rows)))
    train.loc[7, "prompt"] = f"Here: {test.completion[9]}"
    train.loc[8, "prompt"] = f"Here: {test.completion[10]}"
    turns = [
        [{"role": "user", "content": a}, {"role": "assistant", "content": b}]
        for a, b in zip(train.prompt, train.completion, strict=True)
    ]
    (finding,) = datalint.scan(pd.DataFrame({"messages": turns}), select=["SPL112"], against=tmp_path).findings
    assert [sample.index for sample in finding.affected.samples] == [7, 8]


def test_what_cannot_be_compared_with_says_so(tmp_path: Path) -> None:
    train, _ = splits(40, 1)
    with pytest.raises(DatalintError, match="--against: no such file or folder"):
        datalint.scan(train, against=tmp_path / "none.jsonl")
    pd.DataFrame({"x": [1.5, 2.5] * 20, "y": [0, 1] * 20}).to_csv(tmp_path / "numbers.csv", index=False)
    with pytest.raises(DatalintError, match="holds no texts of 13 words"):
        datalint.scan(train, against=tmp_path)


def test_the_command_takes_several(tmp_path: Path) -> None:
    train, test = splits(300, 60)
    train.loc[7, "prompt"] = f"Here: {test.completion[9]}"
    train.loc[8, "prompt"] = f"Here: {test.completion[40]}"
    benchmark(tmp_path, test[:30], "one.jsonl")
    benchmark(tmp_path, test[30:], "two.jsonl")
    benchmark(tmp_path, train, "train.jsonl")
    given = ("--against", "one.jsonl", "--against", "two.jsonl")
    outcome = call(tmp_path, "scan", "train.jsonl", *given, "--select", "SPL112", "--no-report", "--format", "concise")
    assert len([line for line in outcome.out.splitlines() if "SPL112" in line]) == 2
