"""JSON documents, as pandas and the json module write them."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

import datalint
from datalint.core.errors import DatalintError
from datalint.planting.load import load
from datalint.sources.tables import json_document, packed
from tests.command import call
from tests.reference import picture

if TYPE_CHECKING:
    from pathlib import Path

IRIS: pd.DataFrame = load_iris(as_frame=True).frame.sample(frac=1, random_state=0).reset_index(drop=True)
RECORDS: list[dict[str, Any]] = json.loads(IRIS.to_json(orient="records"))


def rows_of(path: Path) -> pd.DataFrame:
    (dataset,) = datalint.detect(path)
    tables = load(dataset).clean.tables
    return pd.concat(tables.values(), ignore_index=True)


@pytest.mark.parametrize(
    ("orient", "indent"),
    [("records", None), ("records", 2), ("columns", 2), ("index", None), ("split", None), ("table", None)],
)
def test_what_pandas_writes(tmp_path: Path, orient: Any, indent: int | None) -> None:
    IRIS.to_json(tmp_path / "t.json", orient=orient, indent=indent)
    (dataset,) = datalint.detect(tmp_path / "t.json")
    assert (dataset.layout, dataset.label and dataset.label.name) == ("JSON file", "target")
    pd.testing.assert_frame_equal(rows_of(tmp_path / "t.json")[[*IRIS]], IRIS, check_dtype=False)


@pytest.mark.parametrize(
    ("document", "columns"),
    [
        ({"version": "1", "data": RECORDS}, []),
        ({"info": {"by": "us"}, "authors": [{"name": "x"}], "examples": RECORDS}, []),
        (IRIS.to_dict(orient="list"), []),
        ({f"plant {k}": row for k, row in enumerate(RECORDS)}, ["key"]),
        ({"train": RECORDS[:100], "test": RECORDS[100:]}, ["split"]),
    ],
)
def test_what_the_json_module_writes(tmp_path: Path, document: Any, columns: list[str]) -> None:
    (tmp_path / "t.json").write_text(json.dumps(document))
    rows = rows_of(tmp_path / "t.json")
    pd.testing.assert_frame_equal(rows[[*IRIS]], IRIS, check_dtype=False)
    (dataset,) = datalint.detect(tmp_path / "t.json")
    assert {field.name for field in dataset.fields} == {*IRIS, *columns}
    splits = ["train", "test"] if columns == ["split"] else ["all"]
    assert [split.name for split in dataset.splits] == splits


@pytest.mark.parametrize("packed", [False, True])
def test_json_lines_under_the_name_of_a_document(tmp_path: Path, packed: bool) -> None:
    IRIS.to_json(tmp_path / ("t.json.gz" if packed else "t.json"), orient="records", lines=True)
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.layout, len(dataset.fields)) == ("JSON lines file", 5)


def test_splits_and_faults_in_a_folder(tmp_path: Path) -> None:
    for name, part in (("train", IRIS[:100]), ("test", IRIS[70:])):
        part.to_json(tmp_path / f"{name}.json", orient="records", indent=1)
    (tmp_path / "dataset_info.json").write_text(json.dumps({"features": {"x": {"dtype": "float"}}, "splits": {}}))
    (dataset,) = datalint.scan(tmp_path, select=["SPL101", "FIL101"], cache=False).datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 100, "test": 80}
    assert [(f.code, f.split) for f in dataset.findings] == [("SPL101", "test")]
    text = (tmp_path / "test.json").read_text()
    (tmp_path / "test.json").write_text(text[: len(text) // 2])
    (dataset,) = datalint.scan(tmp_path, select=["FIL101"], cache=False).datasets
    (finding,) = dataset.findings
    assert finding.severity == "error" and "test.json: breaks off: the file breaks off" in finding.message
    assert {split.name: split.samples for split in dataset.splits}["test"] in range(38, 41)


def test_objects_and_lists_in_records(tmp_path: Path) -> None:
    rows = [{"meta": {"k": k, "of": {"town": f"t{k % 3}"}}, "tags": [k], "label": "xy"[k % 2]} for k in range(60)]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    (dataset,) = datalint.detect(tmp_path / "t.json")
    kinds = {field.name: field.kind for field in dataset.fields}
    assert kinds == {"meta.k": "number", "meta.of.town": "text", "label": "text", "tags": "text"}


def test_it_is_a_table_only_if_its_content_says_so(tmp_path: Path) -> None:
    IRIS.to_csv(tmp_path / "iris.csv", index=False)
    about = [{"name": f"column {k}", "type": "float"} for k in range(30)]
    (tmp_path / "columns.json").write_text(json.dumps(about))
    (tmp_path / "few.json").write_text(json.dumps(RECORDS[:9]))
    (tmp_path / "broken.json").write_text('[{"a": 1}, {')
    report = datalint.scan(tmp_path, select=["FIL101"], cache=False)
    assert [dataset.name for dataset in report.datasets] == ["iris"]
    assert not report.findings


def test_a_list_of_texts_alone(tmp_path: Path) -> None:
    texts = [f"The {k}th page tells of {k * k} things, and of {k % 7} others that follow from them." for k in range(40)]
    (tmp_path / "pages.json").write_text(json.dumps([{"text": text} for text in texts]))
    (dataset,) = datalint.detect(tmp_path)
    assert [(field.name, field.role) for field in dataset.fields] == [("text", "text")]


def test_why_the_only_file_is_none_is_said(tmp_path: Path) -> None:
    pages = [{"title": f"page {k}", "paragraphs": [{"context": "...", "qas": []}]} for k in range(40)]
    for content, why in (
        ({"version": "v2.0", "data": pages}, "JSON without any record"),
        (RECORDS[:1], "too few rows"),
        ({"name": "x", "main": {}}, "JSON that holds neither records"),
    ):
        (tmp_path / "train.json").write_text(json.dumps(content))
        with pytest.raises(DatalintError, match=f"train.json: {why}"):
            datalint.detect(tmp_path)


def test_lists_of_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for k in range(40):
        content = picture(rng.integers(0, 255, (16, 16, 3)).astype(np.uint8))
        (tmp_path / "images" / f"{k}.png").write_bytes(content)
    rows = [{"file_name": f"{k}.png", "label": ["cat", "dog"][k % 2]} for k in range(40)]
    (tmp_path / "labels.json").write_text(json.dumps(rows))
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.layout, dataset.label and dataset.label.name) == ("images listed in a table", "label")
    chats = [{"id": k, "image": f"{k}.png", "turns": [{"from": "human", "value": "?"}]} for k in range(40)]
    (tmp_path / "labels.json").write_text(json.dumps(chats))
    dataset, told = datalint.detect(tmp_path)
    assert (dataset.modality, dataset.label) == ("images", None)
    assert told.conversation is not None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "an empty file"),
        (b"[", "broken JSON: the file breaks off"),
        (b'{"a": 1, "b": {"c": 2}}', "JSON that holds neither records"),
        (b"[1, 2, 3]", "a JSON list of values, not of records"),
        (b"[]", "JSON that holds neither records"),
        (
            b'{"images": [{"id": 1}], "groups": [{"id": 1}]}',
            "whose lists of objects (images, groups) are not",
        ),
        (b'[{"a": "\xff"}]', "broken JSON: text that is not UTF-8"),
        (b'[{"a": {"b": ' + b"[" * 100_000, "broken JSON: nested too deeply"),
        (b'{"data": [{"x": [[1]]}, {"x": [[2]]}]}', "its rows hold nothing but lists or objects (x)"),
        (b"version https://git-lfs.github.com/spec/v1\nsize 9\n", "a Git LFS pointer to 9 bytes"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(DatalintError) as caught:
        datalint.detect(tmp_path / "t.json")
    assert why in str(caught.value) and "\n" not in str(caught.value)


def test_records_that_are_none_and_columns_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps([*RECORDS[:50], 7, *RECORDS[50:]]))
    report = datalint.scan(tmp_path / "t.json", select=["FIL101"], cache=False)
    assert [(f.severity, f.message.partition(": ")[2]) for f in report.findings] == [
        ("warning", "1 line is no JSON object, such as '7'; left out of the scan")
    ]
    (tmp_path / "t.json").write_text(json.dumps({"a": list(range(50)), "b": list(range(50)), "label": [0] * 50})[:-9])
    with pytest.raises(DatalintError, match=r"t\.json is no data set that can be read"):
        datalint.detect(tmp_path / "t.json")


def test_a_gzip_bomb_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_document, "LOOKED_AT", 1 << 16)
    monkeypatch.setattr(packed, "UNPACKED", 1 << 20)
    text = json.dumps(RECORDS)[:-1]
    with gzip.open(tmp_path / "t.json.gz", "wb") as file:
        file.write(text.encode())
        for _ in range(40):
            file.write(b" " * (1 << 20))
    report = datalint.scan(tmp_path / "t.json.gz", select=["FIL101"], cache=False)
    (finding,) = report.findings
    assert finding.severity == "error" and "unpacks to more than" in finding.message


def test_mending_and_planting(tmp_path: Path) -> None:
    document = {"version": "1", "data": [*RECORDS, RECORDS[0]]}
    (tmp_path / "t.json").write_text(json.dumps(document, indent=1))
    outcome = call(tmp_path, "fix", "t.json", "--out", "new", "--select", "DUP101")
    assert outcome.status == 0, outcome.err
    unique = [dict(items) for items in dict.fromkeys(tuple(row.items()) for row in RECORDS)]
    assert json.loads((tmp_path / "new" / "t.json").read_text()) == {"version": "1", "data": unique}
    assert call(tmp_path, "plant", "LBL108", "new", "--out", "faulty").status == 0
    IRIS.to_json(tmp_path / "columns.json")
    outcome = call(tmp_path, "fix", "columns.json", "--out", "other", "--select", "DUP101")
    assert (outcome.status, outcome.out) == (2, "") and "save it as a list of records" in outcome.err
