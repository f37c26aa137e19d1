"""Repositories of the Hugging Face hub; what its own library writes is in ``tests/integrations/loaders``."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import datalint
from tests.command import call
from tests.crops import CLASSES, crops

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from datalint.report.models import Report

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
IMAGE = {"image": {"_type": "Image"}}
LABEL = {"label": {"names": list(CLASSES), "_type": "ClassLabel"}}


def table(items: Sequence[tuple[bytes, int]], column: str = "image", features: Any = None) -> pa.Table:
    """Pictures and labels as the library stores them."""
    held = {column: pa.array([{"bytes": data, "path": f"{k}.jpg"} for k, (data, _) in enumerate(items)], PICTURE)}
    made = pa.table({**held, "label": pa.array([kind for _, kind in items], pa.int64())})
    about = json.dumps({"info": {"features": features or {**IMAGE, **LABEL}}})
    return made.replace_schema_metadata({"huggingface": about})


def put(path: Path, made: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(made, path, row_group_size=50)


def repository(root: Path) -> Path:
    """160 pictures to train on in two shards, 40 to test."""
    items = crops(200)
    for k in range(2):
        put(root / f"data/train-{k:05d}-of-00002.parquet", table(items[80 * k : 80 * k + 80]))
    put(root / "data/test-00000-of-00001.parquet", table(items[160:]))
    return root


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity != "info"}


def counts(report: Report) -> dict[str, dict[str, int]]:
    (dataset,) = report.datasets
    return {split.name: dict(split.classes or {}) for split in dataset.splits}


def test_pictures_in_parquet_are_pictures(tmp_path: Path) -> None:
    report = datalint.scan(repository(tmp_path), preset="fast")
    (dataset,) = report.datasets
    assert (dataset.modality, dataset.layout) == ("images", "Parquet of pictures, one file per split")
    assert dataset.label is not None
    assert dataset.label.name == "label"
    assert {name: sum(held.values()) for name, held in counts(report).items()} == {"train": 160, "test": 40}
    assert counts(report)["train"].keys() == set(CLASSES)
    assert not codes(report)


def test_what_is_wrong_with_them_is_found(tmp_path: Path) -> None:
    repository(tmp_path)
    items = crops(200)
    spoilt = [(data[:300] if k % 10 == 3 else data, kind) for k, (data, kind) in enumerate(items[:80])]
    put(tmp_path / "data/train-00000-of-00002.parquet", table(spoilt))
    put(tmp_path / "data/test-00000-of-00001.parquet", table([*items[160:], *items[80:100]]))
    report = datalint.scan(tmp_path, preset="fast")
    found = {finding.code: finding for finding in report.findings}
    assert found["IMG103"].affected.count == 8
    assert found["IMG103"].affected.samples[0].id.endswith("data/train-00000-of-00002.parquet[3]")
    assert found["SPL101"].affected.count == 20
    page = report.to_html()
    assert page.count("data:image/webp") > 3


def test_plain_bytes_and_other_columns(tmp_path: Path) -> None:
    items = crops(120)
    made = table(items).append_column("caption", pa.array([f"photo {k} of a thing" for k in range(120)]))
    plain = pa.table({"img": [data for data, _ in items], "width": [96] * 120, "label": [CLASSES[k] for _, k in items]})
    put(tmp_path / "a/all.parquet", made)
    put(tmp_path / "b/all.parquet", plain)
    report = datalint.scan(tmp_path, preset="fast")
    assert not codes(report)
    first, second = report.datasets
    assert first.modality == second.modality == "images"
    assert "caption is not looked at" in first.evidence
    assert "width is not looked at" in second.evidence
    assert set(second.splits[0].classes or ()) == set(CLASSES)


def test_columns_that_hold_no_pictures(tmp_path: Path) -> None:
    rows = [{"bytes": b"RIFF....WAVE" + bytes(50), "path": f"{k}.wav"} for k in range(60)]
    sound = pa.table({"audio": pa.array(rows, PICTURE), "label": [k * 7 % 3 for k in range(60)]})
    put(tmp_path / "sound.parquet", sound)
    paths = [{"bytes": None, "path": f"/elsewhere/{k}.jpg"} for k in range(60)]
    put(tmp_path / "paths.parquet", pa.table({"image": pa.array(paths, PICTURE), "label": [k % 2 for k in range(60)]}))
    assert {dataset.modality for dataset in datalint.scan(tmp_path, preset="fast").datasets} == {"table", "audio"}


def test_a_row_without_a_picture(tmp_path: Path) -> None:
    items = crops(60)
    made = table(items).to_pylist()
    made[50]["image"] = {"bytes": None, "path": "/etc/passwd"}
    made[51]["image"] = None
    schema = table(items).schema
    put(tmp_path / "all.parquet", pa.Table.from_pylist(made, schema))
    report = datalint.scan(tmp_path, select=["IMG103"])
    (found,) = report.findings
    assert found.affected.count == 2
    problems = [
        str(sample.attributes if hasattr(sample, "attributes") else sample) for sample in found.affected.samples
    ]
    assert "holds the path of a file and no picture" in "".join(problems)
    assert "holds no picture" in "".join(problems)


def test_labels_that_are_hidden_are_none(tmp_path: Path) -> None:
    repository(tmp_path)
    put(tmp_path / "data/test-00000-of-00001.parquet", table([(data, -1) for data, _ in crops(200)[160:]]))
    report = datalint.scan(tmp_path, preset="fast")
    assert counts(report)["test"] == {}
    assert not codes(report)


CARD = """---
license: mit
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': china
          '1': flower
  splits:
  - name: train
    num_examples: {train}
  - name: test
    num_examples: 40
configs:
- config_name: default
  data_files:
  - split: train
    path: {pattern}
  - split: test
    path: data/late-*
---
# A card
"""


def declared(root: Path, train: int = 160, pattern: str = "data/early-*") -> Path:
    """Files whose names tell nothing, and a card that does."""
    items = [(data, kind) for data, kind in crops(200)]
    for k in range(2):
        put(root / f"data/early-{k}.parquet", table(items[80 * k : 80 * k + 80], features=IMAGE))
    put(root / "data/late-0.parquet", table(items[160:], features=IMAGE))
    (root / "README.md").write_text(CARD.format(train=train, pattern=pattern))
    return root


def test_the_card_says_which_files_are_which_split(tmp_path: Path) -> None:
    report = datalint.scan(declared(tmp_path), preset="fast")
    assert {name: sum(held.values()) for name, held in counts(report).items()} == {"train": 160, "test": 40}
    assert counts(report)["test"].keys() == set(CLASSES)
    assert report.datasets[0].layout == "Parquet of pictures, shared out by its card"
    assert not codes(report)
    done = call(tmp_path, "detect", ".")
    assert "split train: README.md names 'data/early-*'" in done.out


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"train": 170}, "declares 170 rows of the split 'train', whose files hold 160"),
        ({"pattern": "data/erly-*"}, "names 'data/erly-*' for the split 'train', and no file matches"),
    ],
)
def test_a_card_that_contradicts_the_files(tmp_path: Path, fault: dict[str, Any], told: str) -> None:
    report = datalint.scan(declared(tmp_path, **fault), select=["FIL101"])
    assert any(told in finding.message and finding.severity == "error" for finding in report.findings)


def test_a_card_that_cannot_be_read(tmp_path: Path) -> None:
    declared(tmp_path)
    (tmp_path / "README.md").write_text("---\nconfigs: [\n---\n")
    report = datalint.scan(tmp_path, select=["FIL101"])
    assert any("front matter cannot be read" in finding.message for finding in report.findings)


@pytest.mark.parametrize("odd", ["5", "true", "text", "{a: 1}", "[1, [2]]"])
def test_configurations_that_are_no_list_are_none(tmp_path: Path, odd: str) -> None:
    declared(tmp_path)
    (tmp_path / "README.md").write_text(f"---\nconfigs: {odd}\n---\n")
    assert datalint.scan(tmp_path, select=["FIL101"]).datasets


@pytest.mark.parametrize("odd", [5, True, "x", {"filename": "x"}, [1, [2]]])
def test_files_of_a_saved_folder_that_are_no_list_are_none(tmp_path: Path, odd: object) -> None:
    declared(tmp_path)
    (tmp_path / "data" / "state.json").write_text(json.dumps({"_data_files": odd}))
    (tmp_path / "data" / "dataset_info.json").write_text("{}")
    assert datalint.scan(tmp_path, select=["FIL101"]).datasets


def test_configurations_and_lists_of_a_card(tmp_path: Path) -> None:
    rows = "\n".join(f"{k * 7 % 31},{k * 13 % 17},{'ab'[k * 5 % 11 % 2]}" for k in range(80))
    for name in ("en/part1.csv", "en/part2.csv", "de/all.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"x,y,label\n{rows}\n")
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: en\n  data_files:\n  - split: train\n    path: [en/part1.csv]\n"
        "  - split: test\n    path: en/part2.csv\n- config_name: de\n  data_files: de/*.csv\n---\n"
    )
    report = datalint.scan(tmp_path, select=["SPL101", "FIL101"])
    found = {dataset.name: [split.name for split in dataset.splits] for dataset in report.datasets}
    assert found == {f"{tmp_path.name}/en": ["train", "test"], f"{tmp_path.name}/de": ["train"]}
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["SPL101"]


def test_a_folder_that_was_saved(tmp_path: Path) -> None:
    items = crops(200)
    for split, some in (("train", items[:160]), ("test", items[160:])):
        home = tmp_path / split
        home.mkdir()
        made = table(some, features=IMAGE)
        with (
            pa.OSFile(str(home / "data-00000-of-00001.arrow"), "wb") as file,
            pa.ipc.new_stream(file, made.schema) as out,
        ):
            out.write_table(made)
        (home / "cache-1.arrow").write_bytes(b"left over")
        names = ["data-00000-of-00001.arrow", *(["data-00001-of-00002.arrow"] if split == "test" else [])]
        (home / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
        (home / "dataset_info.json").write_text(json.dumps({"features": {**IMAGE, **LABEL}}))
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    report = datalint.scan(tmp_path, preset="fast")
    assert report.datasets[0].layout == "Arrow of pictures, saved by Hugging Face Datasets"
    assert counts(report)["test"].keys() == set(CLASSES)
    assert [finding.message for finding in report.findings if finding.severity == "error"] == [
        f"{tmp_path.as_posix()}/test/state.json: lists 'data-00001-of-00002.arrow', which is not there"
    ]


def test_a_large_picture_is_bounded(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    put(tmp_path / "all.parquet", table([*crops(40), (out.getvalue(), 0)]))
    report = datalint.scan(tmp_path, select=["FIL101", "IMG103"])
    assert any("not decoded" in finding.model_dump_json() for finding in report.findings)
