"""Arrow files and streams: all that works on other tables works on them, and hostile ones are findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

import datalint
from datalint.planting.load import load
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path


def frame(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"x{k}": rng.normal(size=rows).round(4) for k in range(3)}
    columns |= {
        "town": pd.Series(["Rom", "Ulm", None])[rng.integers(0, 3, rows)].array,
        "label": rng.choice(["a", "b"], rows),
    }
    return pd.DataFrame(columns)


def stream(table: pa.Table, path: Path, rows: int = 50, codec: str | None = None) -> None:
    """As ``datasets.save_to_disk`` writes."""
    with pa.ipc.new_stream(str(path), table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table, max_chunksize=rows)


def file(table: pa.Table, path: Path, rows: int = 50, codec: str | None = None) -> None:
    pyarrow.feather.write_feather(table, str(path), compression=codec or "uncompressed", chunksize=rows)


def found(path: Path, select: tuple[str, ...] = ("DUP101", "FIL101", "VAL101")) -> list[tuple[str, str]]:
    report = datalint.scan(path, select=list(select), cache=False)
    return [(finding.code, finding.message) for finding in report.findings]


def samples(path: Path) -> int:
    report = datalint.scan(path, select=["DUP101"], cache=False)
    return sum(split.samples for dataset in report.datasets for split in dataset.splits)


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
@pytest.mark.parametrize("write", [stream, file])
def test_the_same_is_found_as_in_csv(tmp_path: Path, write: Any, codec: str | None) -> None:
    whole = pd.concat([frame(), frame().iloc[:7]], ignore_index=True)
    whole.loc[20, ["x0", "x1", "x2"]] = 0.0
    whole.to_csv(tmp_path / "t.csv", index=False)
    write(pa.Table.from_pandas(whole, preserve_index=False), tmp_path / "t.arrow", codec=codec)
    assert samples(tmp_path / "t.arrow") == 307
    assert {code for code, _ in found(tmp_path / "t.arrow")} == {code for code, _ in found(tmp_path / "t.csv")}
    (dataset,) = datalint.detect(tmp_path / "t.arrow")
    assert (dataset.layout, dataset.label and dataset.label.name) == ("Arrow file", "label")
    (rows,) = load(dataset).clean.tables.values()
    pd.testing.assert_frame_equal(rows, whole)


def test_columns_of_every_kind(tmp_path: Path) -> None:
    rows = 120
    table = pa.table(
        {
            "category": pa.array(["x", "y", None] * 40).dictionary_encode(),
            "view": pa.array(["a", "bc", "a long text of more than twelve bytes"] * 40, pa.string_view()),
            "flag": pa.array([True, None, False] * 40),
            "count": pa.array(range(rows), pa.uint8()),
            "price": pa.array(np.arange(rows) / 3, pa.float32()),
            "day": pa.array(range(rows), pa.date32()),
            "list": pa.array([[1, 2]] * rows),
            "vector": pa.array([[0.5, 2.5]] * rows),
            "nothing": pa.nulls(rows),
        }
    )
    file(table, tmp_path / "t.feather")
    (dataset,) = datalint.detect(tmp_path / "t.feather")
    assert {f.name: f.kind for f in dataset.fields} == {
        "category": "text",
        "view": "text",
        "flag": "text",
        "count": "number",
        "price": "number",
        "day": "time",
        "nothing": "text",
        "list": "text",
        "vector": "other",
    }
    assert "column 'vector' holds list<item: double> values" in dataset.problems[0].message
    assert samples(tmp_path / "t.feather") == rows
    (copy,) = load(dataset).clean.tables.values()
    assert copy["view"].tolist() == table["view"].to_pylist()


def test_a_folder_of_shards_and_class_names_of_hugging_face(tmp_path: Path) -> None:
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    for k in range(3):
        rng = np.random.default_rng(k)
        table = pa.table({"x": rng.normal(size=80), "label": rng.integers(0, 2, 80)})
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        stream(table, tmp_path / f"data-0000{k}-of-00003.arrow", 30)
    (tmp_path / "state.json").write_text("{}")
    (dataset,) = datalint.scan(tmp_path, select=["LBL103"], cache=False).datasets
    assert (dataset.layout, dataset.splits[0].samples) == ("Arrow, shards", 240)
    assert dataset.label is not None and set(dataset.splits[0].classes or ()) == {"cat", "dog"}


def test_plant_selftest_fix_subset_and_changed_files(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for k in range(2):
        part = frame(150, k).astype({"label": "category"})
        table = pa.Table.from_pandas(part if k else pd.concat([part, part.iloc[:5]]), preserve_index=False)
        (stream if k else file)(table, tmp_path / "data" / f"part-{k}.arrow", codec="zstd")
    changed = call(tmp_path, "scan", "--changed-only", "data/part-0.arrow", "--no-report", "--select", "DUP101")
    assert "DUP101" in changed.out
    planted = call(tmp_path, "plant", "DUP101", "data/part-1.arrow", "--out", "faulty", "--strength", "1")
    assert planted.status == 0, planted.err
    assert "caught" in call(tmp_path, "selftest", "data/part-1.arrow", "--select", "DUP101").out
    done = call(tmp_path, "fix", "data", "--out", "new", "--select", "DUP101,ORD101")
    assert (done.status, done.err) == (0, "") and "dropped 5 samples" in done.out
    assert (tmp_path / "new" / "part-0.arrow").read_bytes().startswith(b"ARROW1")
    assert (tmp_path / "new" / "part-1.arrow").read_bytes().startswith(b"\xff\xff\xff\xff")
    assert samples(tmp_path / "new") == 300
    small = call(tmp_path, "subset", "data", "--out", "small", "--per-class", "4")
    assert small.status == 0, small.err
    assert len(pd.read_csv(next((tmp_path / "small").glob("*.csv")))) == 8


def test_damaged_ones(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(frame(), preserve_index=False)
    frame().to_csv(tmp_path / "whole.csv", index=False)
    stream(table, tmp_path / "cut.arrow")
    content = (tmp_path / "cut.arrow").read_bytes()
    (tmp_path / "cut.arrow").write_bytes(content[: len(content) // 2])
    file(table, tmp_path / "end.feather")
    (tmp_path / "end.feather").write_bytes((tmp_path / "end.feather").read_bytes()[:-20])
    (tmp_path / "text.arrow").write_text("a,b\n" + "".join(f"{k},{k * k % 97}\n" for k in range(40)))
    for name in ("cut.arrow", "end.feather"):
        (message,) = [m for code, m in found(tmp_path) if code == "FIL101"]
        assert name in message or "2 files" in message or "more" in message


def test_what_unpacks_to_far_more_is_not_unpacked(tmp_path: Path) -> None:
    rows = 50_000_000
    path = tmp_path / "bomb.arrow"
    stream(pa.table({"x": np.zeros(rows), "label": np.zeros(rows, np.int8)}), path, rows, "zstd")
    assert path.stat().st_size < 1 << 20
    outcome = call(tmp_path, "scan", str(path), "--no-report")
    assert outcome.status == 2 and "too large to read" in outcome.err
    stream(pa.table({"nothing": pa.nulls((1 << 31) - 1)}), path, 1 << 31)
    outcome = call(tmp_path, "scan", str(path), "--no-report")
    assert outcome.status == 2 and "too large to read" in outcome.err


def test_bytes_that_are_changed_never_end_in_a_traceback(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "t.arrow"
    for write, codec in ((stream, None), (file, "lz4")):
        write(pa.Table.from_pandas(frame(60), preserve_index=False), path, codec=codec)
        content = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(40):
            changed = content.copy()
            changed[rng.integers(0, len(content), 8)] = rng.integers(0, 256, 8)
            path.write_bytes(changed.tobytes())
            try:
                datasets = datalint.detect(path)
            except datalint.DatalintError:
                continue
            for partition in datasets[0].partitions:
                for batch in partition.batches(frozenset({"labels", "table"})):
                    assert batch.size <= 60
