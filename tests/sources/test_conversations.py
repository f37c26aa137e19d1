"""Conversations in the shapes that people train on, as files and in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import datalint
from datalint.core.dialogues import Conversation, joined, parted
from datalint.sources.tables.conversations import as_texts, conversation_of, plain_texts, text_of
from datalint.sources.tables.labels import ColumnHead
from tests.conversations import chats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from datalint.core.dataset import Dataset
    from datalint.core.dialogues import Part
    from datalint.report.models import Report

Row = dict[str, Any]


def turns(chat: Sequence[tuple[str, str]], who: str = "role", what: str = "content", **names: str) -> list[Row]:
    return [{who: names.get(role, role), what: text} for role, text in chat]


def shared(chat: Sequence[tuple[str, str]]) -> list[Row]:
    return turns(chat, "from", "value", user="human", assistant="gpt")


SHAPES: dict[str, Callable[[list[tuple[str, str]], int], Row]] = {
    "messages": lambda chat, _: {"messages": turns(chat)},
    "content parts": lambda chat, _: {
        "messages": [{"role": r, "content": [{"type": "text", "text": t}]} for r, t in chat]
    },
    "system prompt": lambda chat, _: {"messages": turns([("system", "Be brief."), *chat])},
    "another name": lambda chat, k: {"id": f"c{k}", "thread": turns(chat, "speaker", "text"), "source": "forum"},
    "sharegpt": lambda chat, k: {"id": f"c{k}", "conversations": shared(chat)},
    "tools": lambda chat, _: {
        "messages": turns(chat),
        "tools": [{"type": "function", "function": {"name": "search"}}],
    },
    "alpaca": lambda chat, k: {"instruction": chat[0][1], "input": "" if k % 3 else "As a list.", "output": chat[1][1]},
    "prompt and completion": lambda chat, _: {"prompt": chat[0][1], "completion": chat[1][1]},
    "both as turns": lambda chat, _: {"prompt": turns(chat[:1]), "completion": turns(chat[1:2])},
    "question and answer": lambda chat, k: {"question": chat[0][1], "answer": chat[1][1], "topic": "abc"[k % 3]},
}
PREFERENCES: dict[str, Callable[[list[tuple[str, str]], str], Row]] = {
    "texts": lambda chat, worse: {"prompt": chat[0][1], "chosen": chat[1][1], "rejected": worse},
    "turns": lambda chat, worse: {
        "chosen": turns(chat[:2]),
        "rejected": turns([chat[0], ("assistant", worse)]),
        "score": 0.5,
    },
    "one turn each": lambda chat, worse: {
        "conversations": shared(chat[:1]),
        "chosen": shared(chat[1:2])[0],
        "rejected": shared([("assistant", worse)])[0],
    },
}


def write(path: Path, rows: Sequence[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def detected(path: Path) -> Dataset:
    (dataset,) = datalint.detect(path)
    return dataset


def loud(report: Report) -> list[str]:
    return [f"{finding.code} {finding.message}" for finding in report.findings if finding.severity != "info"]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_recognised_and_clean_ones_are_silent(tmp_path: Path, shape: str) -> None:
    rows = [SHAPES[shape](chat, k) for k, chat in enumerate(chats(120))]
    dataset = detected(write(tmp_path / "data.jsonl", rows))
    assert dataset.conversation is not None
    assert (dataset.task, dataset.label) == ("chat", None)
    assert [problem.kind for problem in dataset.problems] == (["unseen"] if shape == "tools" else [])
    report = datalint.scan(tmp_path)
    assert report.datasets[0].splits[0].samples == 120
    assert loud(report) == []


@pytest.mark.parametrize("shape", ["sharegpt", "alpaca", "messages"])
@pytest.mark.parametrize("others", [False, True])
def test_one_document_of_conversations(tmp_path: Path, shape: str, others: bool) -> None:
    """A list of objects, each with nothing but its turns, alone and next to tables of something else."""
    rows = [SHAPES[shape](chat, k) for k, chat in enumerate(chats(60))]
    turns_only = [{k: v for k, v in row.items() if k != "id"} for row in rows]
    (tmp_path / "chats.json").write_text(json.dumps(turns_only), "utf-8")
    if others:
        write(tmp_path / "pages.jsonl", [{"text": f"A page about the number {k}.", "words": k} for k in range(40)])
        (tmp_path / "names.json").write_text(json.dumps([{"name": f"n{k}", "of": "x"} for k in range(40)]), "utf-8")
    found = {dataset.name: dataset.conversation is not None for dataset in datalint.detect(tmp_path)}
    assert found == {"chats": True, **({"pages": False} if others else {})}


@pytest.mark.parametrize("shape", PREFERENCES)
def test_two_answers_are_compared(tmp_path: Path, shape: str) -> None:
    some, others = chats(120), chats(120, seed=1)
    rows = [PREFERENCES[shape](chat, other[1][1]) for chat, other in zip(some, others, strict=True)]
    dataset = detected(write(tmp_path / "data.jsonl", rows))
    assert dataset.task == "preference"
    assert loud(datalint.scan(tmp_path)) == []


def test_a_label_of_good_and_bad_answers_is_one(tmp_path: Path) -> None:
    rows = [{"prompt": c[0][1], "completion": c[1][1], "label": k % 2 == 0} for k, c in enumerate(chats(60))]
    dataset = detected(write(tmp_path / "data.jsonl", rows))
    assert dataset.label is not None
    assert dataset.label.name == "label"
    assert dataset.conversation is not None


def test_what_the_user_names_is_the_label(tmp_path: Path) -> None:
    rows = [{"prompt": c[0][1], "response": "yes" if k % 2 else "no"} for k, c in enumerate(chats(60))]
    path = write(tmp_path / "data.jsonl", rows)
    assert detected(path).conversation is not None
    (dataset,) = datalint.detect(path, label="response")
    assert dataset.conversation is None


@pytest.mark.parametrize(
    "columns",
    [
        {"question": ["Is it so?", "Is it not?"] * 40, "answer": ["yes", "no"] * 40},
        {"input": [f"word {k} of a sentence" for k in range(80)], "output": ["good", "bad"] * 40},
        {"prompt": list(range(80)), "completion": list(range(80))},
        {"text": [f"word {k} of a sentence" for k in range(80)], "response": ["a", "b"] * 40},
    ],
)
def test_classes_and_numbers_are_no_answers(columns: dict[str, list[Any]]) -> None:
    heads = [ColumnHead(n, "text" if isinstance(v[0], str) else "number", v) for n, v in columns.items()]
    assert conversation_of(heads, {}, None)[0] is None


def stored(rows: list[Row], path: Path, kind: str) -> Any:
    """The same rows as the libraries write them that people use."""
    table = pa.Table.from_pylist(rows)
    path.mkdir()
    if kind == "parquet":
        pq.write_table(table, path / "data.parquet")
    elif kind == "json":
        pd.DataFrame(rows).to_json(path / "data.jsonl", orient="records", lines=True)
    elif kind == "arrow":
        with pa.ipc.new_stream(path / "data.arrow", table.schema) as writer:
            writer.write_table(table)
    else:
        return pd.DataFrame(rows) if kind == "frame" else table
    return path


@pytest.mark.parametrize("kind", ["parquet", "json", "arrow", "frame", "table"])
@pytest.mark.parametrize("shape", ["messages", "content parts", "sharegpt"])
def test_however_they_are_stored(tmp_path: Path, shape: str, kind: str) -> None:
    rows = [SHAPES[shape](chat, k) for k, chat in enumerate(chats(40))]
    rows.append(rows[3] | {"id": "another"} if "id" in rows[3] else rows[3])
    source = stored(rows, tmp_path / "data", kind)
    (dataset,) = datalint.detect(source)
    assert dataset.conversation is not None
    (finding,) = datalint.scan(source, select=["DUP101"]).findings
    assert [sample.index for sample in finding.affected.samples] == [40]


@pytest.mark.parametrize("shape", ["messages", "alpaca", "sharegpt"])
def test_copies_and_near_copies_within_and_across_splits(tmp_path: Path, shape: str) -> None:
    # Answers of words that nobody else uses, so that they share none of their wording but what is copied.
    rng = np.random.default_rng(0)
    words = [["".join(rng.choice([*"abdeiklmnorstu"], 6)) for _ in range(60)] for _ in range(260)]
    some = [[chat[0], ("assistant", " and the ".join(own))] for chat, own in zip(chats(260), words, strict=True)]
    train, test = some[:200], some[200:]
    test[5] = train[17]
    test[9] = [(role, text.replace(" the ", " this ", 1)) for role, text in train[23]]
    train[60] = train[61]
    train[70] = [(role, text.replace(" and ", " or ", 1)) for role, text in train[71]]
    write(tmp_path / "train.jsonl", [SHAPES[shape](chat, 3 * k) for k, chat in enumerate(train)])
    write(tmp_path / "test.jsonl", [SHAPES[shape](chat, 3 * k) for k, chat in enumerate(test)])
    report = datalint.scan(tmp_path)
    codes = {finding.code for finding in report.findings}
    assert {"DUP101", "SPL101", "DUP102", "SPL102"} <= codes


def test_a_benchmark_in_another_shape(tmp_path: Path) -> None:
    some = chats(180)
    write(tmp_path / "train.jsonl", [SHAPES["messages"](chat, 0) for chat in some[:120]])
    rows = [{"task_id": f"b/{k}", "prompt": c[0][1], "solution": c[1][1]} for k, c in enumerate(some[120:])]
    write(tmp_path / "test.jsonl", rows)
    assert not [text for text in loud(datalint.scan(tmp_path)) if not text.startswith("SPL110")]
    write(tmp_path / "test.jsonl", [{"task": row["prompt"], "choices": "ABCD"} for row in rows])
    assert not [text for text in loud(datalint.scan(tmp_path)) if not text.startswith(("SPL110", "VAL105"))]


def test_reports_show_who_speaks(tmp_path: Path) -> None:
    write(tmp_path / "data.jsonl", [SHAPES["messages"](chat, 0) for chat in chats(40)])
    report = datalint.scan(tmp_path).to_json()
    assert '"user: ' in report and "\\u001e" not in report and "\\u001f" not in report


def test_half_a_line_and_what_is_no_turn(tmp_path: Path) -> None:
    lines = [json.dumps({"messages": turns(chat)}) for chat in chats(60)]
    lines += [
        '{"messages": "only a text"}',
        '{"messages": [["user", "as a list"]]}',
        '{"messages": [{"role": 7, "content": 8}, {"role": "user"}, null, 3]}',
        '{"messages": [{"role": "user", "content": "half a pair \\ud83d"}]}',
        '{"messages": null}',
        '{"messages": []}',
        "[1, 2]",
        lines[0][:50],
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    report = datalint.scan(tmp_path)
    assert report.datasets[0].splits[0].samples == 66
    assert "FIL101" in {finding.code for finding in report.findings}


def test_pictures_tell_samples_apart(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "What is on it?"}, {"type": "image", "url": "?"}]
    answer = {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]}
    rows = [
        {"messages": [{"role": "user", "content": [parts[0], parts[1] | {"url": f"{k}.jpg"}]}, answer]}
        for k in range(50)
    ]
    write(tmp_path / "a.jsonl", rows)
    rows = [{"messages": turns([("user", "<image>What is it?"), ("assistant", "A cat.")])} for k in range(50)]
    write(tmp_path / "b" / "b.jsonl", [row | {"images": [f"{k}.jpg"]} for k, row in enumerate(rows)])
    assert not datalint.scan(tmp_path, select=["DUP101"]).findings


def test_texts_come_apart_as_they_were_joined() -> None:
    said = [("system", ""), ("user", "a\nb: c"), ("assistant", ""), ("tool", "x")]
    assert [tuple(turn) for turn in parted(joined(said))] == said
    assert parted(joined([("", "a\x1eb\x1fc"), ("n" * 99, "")]).strip())[0].text == "a b c"
    assert parted("") == ()


def test_arrow_joins_as_python_does() -> None:
    cells = [turns(chat) for chat in chats(20)] + [None, [], turns([("user", "  blanks \n")])]
    array = pa.array(cells)
    assert plain_texts(array) is not None
    assert plain_texts(array.slice(3, 9)).to_pylist() == [text_of(cell) for cell in cells[3:12]]
    assert as_texts(array).to_pylist() == [text_of(cell) for cell in cells]
    calls = pa.array([[{"role": "assistant", "content": "", "tool_calls": [{"name": "search"}]}]])
    assert "search" in as_texts(calls)[0].as_py()


def test_parts_of_a_row_in_their_order() -> None:
    parts: tuple[tuple[str, Part], ...] = (("sys", "system"), ("q", "user"), ("more", "input"), ("a", "assistant"))
    texts = {"sys": "s", "q": "ask", "more": "this", "a": None}
    made = Conversation(parts, "").dialogues({n: np.array([t], dtype=object) for n, t in texts.items()}, 1)
    assert [tuple(turn) for turn in made[0].turns] == [("system", "s"), ("user", "ask\nthis"), ("assistant", "")]


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "frame"])
@pytest.mark.parametrize("spaced", [False, True])
def test_turns_that_are_written_as_json(form: str, spaced: bool, tmp_path: Path) -> None:
    """In one text per conversation, as tables that cannot hold lists have them."""
    separators = (", ", ": ") if spaced else (",", ":")
    some = chats(120, most=2)
    turns = [[{"role": role, "content": text} for role, text in chat] for chat in some]
    turns[7][1]["content"] = ""
    turns[9][0]["content"] = '[{"a": "text that is JSON itself"}]'
    table = pd.DataFrame({"id": range(120), "messages": [json.dumps(cell, separators=separators) for cell in turns]})
    source: Any = table
    if form != "frame":
        source = tmp_path / f"chats.{form}"
        if form == "csv":
            table.to_csv(source, index=False)
        elif form == "parquet":
            table.to_parquet(source)
        else:
            table.to_json(source, orient="records", lines=True)
    (dataset,) = datalint.detect(source)
    assert (dataset.task, dataset.conversation is not None) == ("chat", True)
    report = datalint.scan(source, select=["CHT"], cache=False)
    (finding,) = [finding for finding in report.findings if finding.code == "CHT102"]
    assert [sample.index for sample in finding.affected.samples] == [7]


def test_json_of_something_else_is_no_conversation(tmp_path: Path) -> None:
    rows = [{"a": json.dumps([{"x": k, "y": 2}]), "b": f"a sentence of several words, number {k}"} for k in range(60)]
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    (dataset,) = datalint.detect(tmp_path)
    assert dataset.conversation is None


def test_chats_about_pictures_are_read_next_to_them(tmp_path: Path) -> None:
    """As LLaVA has them: a list of conversations that name their pictures."""
    (tmp_path / "images").mkdir()
    rows = []
    for k, chat in enumerate(chats(30)):
        Image.new("RGB", (40, 30), (k, 9 * k % 250, 200)).save(tmp_path / "images" / f"{k:03}.png")
        turns = [{"from": "human", "value": f"<image>\n{chat[0][1]}"}, {"from": "gpt", "value": chat[1][1]}]
        rows.append({"id": k, "image": f"images/{k:03}.png", "conversations": turns})
    (tmp_path / "train.json").write_text(json.dumps(rows), "utf-8")
    pictures, told = datalint.detect(tmp_path)
    assert pictures.modality == "images"
    assert "turns in 'conversations'" in told.evidence
