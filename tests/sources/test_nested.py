"""Objects and lists within rows: objects become columns of their own, lists tell rows apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import datalint
from datalint.planting.load import load
from datalint.sources.tables import unseen
from datalint.sources.tables.unseen import array_hashes, cell_hashes
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path


def rows(count: int = 200, seed: int = 0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "id": f"a{k:04}",
            "meta": None
            if k % 10 == 9
            else {"lang": str(rng.choice(["de", "en"])), "size": {"w": float(rng.normal())}},
            "tags": rng.integers(0, 9, 6).tolist(),
            "label": str(rng.choice(["x", "y"])),
        }
        for k in range(count)
    ]


def written(path: Path, items: list[Any]) -> Path:
    path.write_text("".join(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in items))
    return path


def codes(path: Path, *select: str) -> dict[str, tuple[str, int]]:
    report = datalint.scan(path, select=list(select), cache=False)
    return {f.code: (f.severity, f.affected.count) for f in report.findings}


def test_objects_are_flattened_with_dots(tmp_path: Path) -> None:
    (dataset,) = datalint.detect(written(tmp_path / "t.jsonl", rows()))
    assert {f.name: f.kind for f in dataset.fields} == {
        "id": "text",
        "meta.lang": "text",
        "meta.size.w": "number",
        "label": "text",
        "tags": "text",
    }
    (frame,) = load(dataset).clean.tables.values()
    wanted = [row["meta"] and row["meta"]["size"]["w"] for row in rows()]
    assert [None if np.isnan(value) else value for value in frame["meta.size.w"]] == wanted


def test_values_of_another_type_are_read_as_well(tmp_path: Path) -> None:
    """The quick reader gives up on such a block."""
    items = rows()
    items[150]["meta"]["size"]["w"] = "wide"
    items[151]["meta"] = "none"
    (gaps,) = datalint.scan(written(tmp_path / "t.jsonl", items), select=["VAL103"], cache=False).findings
    assert "22 of 200 rows have gaps: 21 (10.5%) of 'meta.lang', 21 (10.5%) of 'meta.size.w'" in gaps.message


def test_a_key_with_a_dot_and_objects_that_are_maps_stay(tmp_path: Path) -> None:
    items = [{"a.b": k, "a": {"b": k, "c": 1}, "counts": {f"w{k}": 1}, "label": "xy"[k % 2]} for k in range(300)]
    (dataset,) = datalint.detect(written(tmp_path / "t.jsonl", items))
    assert {f.name: f.kind for f in dataset.fields} == {
        "a.b": "number",
        "label": "text",
        "a": "other",
        "counts": "other",
    }


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "feather"])
def test_rows_that_differ_in_a_list_are_no_copies(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"text": [f"q{k % 5}" for k in range(300)], "label": rng.choice(["a", "b"], 300)})
    frame["embedding"] = [row.tolist() for row in rng.normal(size=(300, 4))]
    path = tmp_path / f"t.{kind}"

    def write(content: pd.DataFrame) -> None:
        if kind == "jsonl":
            content.to_json(path, orient="records", lines=True, double_precision=15)
        elif kind == "parquet":
            content.to_parquet(path)
        else:
            content.to_feather(path)

    write(frame)
    assert codes(path, "DUP101", "DUP102", "LBL106", "SIG101") == {}
    write(pd.concat([frame, frame[:6]], ignore_index=True))
    assert codes(path, "DUP101", "DUP102", "LBL106", "SIG101") == {"DUP101": ("info", 6)}
    (finding,) = datalint.scan(path, select=["FIL101"], cache=False).findings
    assert finding.severity == "info" and "column 'embedding' holds" in finding.message
    assert "left out of the scan" not in finding.message


def test_rows_of_lists_alone_are_refused_in_one_line(tmp_path: Path) -> None:
    written(tmp_path / "data.jsonl", [{"rows": [{"a": 1, "b": "hi"}]}] * 3)
    outcome = call(tmp_path, "scan", "data.jsonl", "--no-report")
    assert (outcome.status, outcome.out) == (2, "")
    assert "its rows hold nothing but lists or objects (rows)" in outcome.err


def test_mending_writes_objects_again(tmp_path: Path) -> None:
    items = rows()
    written(tmp_path / "t.jsonl", [*items, items[3]])
    outcome = call(tmp_path, "fix", "t.jsonl", "--out", "new", "--select", "DUP101")
    assert outcome.status == 0, outcome.err
    assert [json.loads(line) for line in (tmp_path / "new" / "t.jsonl").read_text().splitlines()] == items
    assert call(tmp_path, "plant", "VAL104", "t.jsonl", "--out", "faulty").status == 0


CELLS: list[list[Any]] = [
    [[1, 2], [2, 1], None, [], [1, 2], [1, None]],
    [["a"], ["b", "a"], None, [""], ["a"], []],
    [{"a": [1]}, {"a": [1, 1]}, None, {"a": None}, {"a": [1]}, {"a": []}],
    [[[1], [2]], [[1, 2]], None, [[]], [[1], [2]], [[], []]],
    [b"x", b"y", None, b"", b"x", b"xy"],
    [True, None, False, True],
]


def squad(count: int = 120, off: int = 0) -> list[dict[str, Any]]:
    """Questions as the hub stores them; ``off``: by how much every tenth answer is misplaced, and each seventh has none."""
    found = []
    for k in range(count):
        words = f"The {k}th house has {k + 2} rooms and {k % 7} doors, and stands at the end of the road.".split()
        context, answer = " ".join(words), " ".join(words[3 : 5 + k % 3])
        start = context.index(answer) + (off if k % 10 == 0 else 0)
        answers: dict[str, list[Any]] = {"text": [answer], "answer_start": [start]}
        if k % 7 == 0:
            answers = {"text": [], "answer_start": []}
        found.append({"id": f"q{k}", "context": context, "question": f"What of house {k}?", "answers": answers})
    return found


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_answers_in_lists_stand_for_the_first(tmp_path: Path, kind: str) -> None:
    for off, expected in ((0, []), (2, ["TXT108"])):
        place = tmp_path / f"train.{kind}"
        if kind == "parquet":
            pq.write_table(pa.Table.from_pylist(squad(off=off)), place)
        else:
            place.write_text("".join(json.dumps(row) + "\n" for row in squad(off=off)))
        (dataset,) = datalint.detect(tmp_path)
        assert {"answers.text", "answers.answer_start"} <= {f.name for f in dataset.fields if f.role != "ignored"}
        report = datalint.scan(tmp_path, cache=False)
        assert [f.code for f in report.findings if f.severity != "info"] == expected


def test_structures_of_parquet_are_columns(tmp_path: Path) -> None:
    """As data sets of translations are stored."""
    items: list[dict[str, Any]] = [
        {
            "translation": {"en": f"There are {k} red houses.", "de": f"Da sind {k} rote Häuser."},
            "of": {"by": {"n": k % 5}},
        }
        for k in range(150)
    ]
    for k in (7, 8, 9, 60):
        items[k]["translation"]["de"] = items[k]["translation"]["de"].encode().decode("latin-1")
    items[90:93] = items[20:23]
    items[40]["of"] = None
    pq.write_table(pa.Table.from_pylist(items), tmp_path / "t.parquet")
    (dataset,) = datalint.detect(tmp_path)
    assert [field.name for field in dataset.fields] == ["translation.en", "translation.de", "of.by.n"]
    assert not dataset.problems
    report = datalint.scan(tmp_path)
    assert {(f.code, f.column) for f in report.findings if f.severity != "info"} == {
        ("DUP101", None),
        ("TXT102", "translation.de"),
    }
    assert call(tmp_path, "fix", "t.parquet", "--out", "new", "--select", "DUP101").status == 0
    assert pq.read_table(tmp_path / "new" / "t.parquet").to_pylist() == [*items[:90], *items[93:]]
    (frame,) = load(dataset).clean.tables.values()
    assert frame["translation.en"].tolist() == [item["translation"]["en"] for item in items]
    assert call(tmp_path, "plant", "VAL103", "t.parquet", "--out", "faulty").status == 0


@pytest.mark.parametrize("cells", CELLS)
def test_equal_cells_have_equal_hashes_wherever_they_lie(cells: list[Any]) -> None:
    whole = array_hashes(pa.array(cells))
    assert [[a == b for b in whole] for a in whole] == [[a == b for b in cells] for a in cells]
    for start in range(len(cells)):
        assert array_hashes(pa.array(cells).slice(start)).tolist() == whole[start:].tolist()


def test_many_cells_are_hashed_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unseen, "PIECE", 64)
    for cells in CELLS:
        assert cell_hashes(pa.array(cells * 20)).tolist() == array_hashes(pa.array(cells * 20)).tolist()


def test_hashes_do_not_depend_on_the_type(tmp_path: Path) -> None:
    values = [[1, 2], [3, 4]]
    kinds = [pa.list_(pa.int8()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 2)]
    assert len({tuple(array_hashes(pa.array(values, kind)).tolist()) for kind in kinds}) == 1
    texts = pa.array(["a", None, "b", "a"])
    assert array_hashes(texts.dictionary_encode()).tolist() == array_hashes(texts).tolist()
    pq.write_table(
        pa.table({"m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64()))}), tmp_path / "m.parquet"
    )
    first, second = array_hashes(pq.read_table(tmp_path / "m.parquet")["m"].combine_chunks())
    assert first != second
