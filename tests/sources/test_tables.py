"""Reading tables: what the head of a file does not tell, and what must never become an exception."""

from __future__ import annotations

import datetime
import decimal
import gzip
import json
import os
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datalint.core.dataset import Field
from datalint.core.errors import DatalintError
from datalint.sources import files
from datalint.sources.recognise import Wishes, recognise
from datalint.sources.tables import csvs, packed, parquets
from datalint.sources.tables.convert import UNASSIGNED, TablePlan, TableReader
from datalint.sources.tables.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datalint.core.dataset import Aspect, Batch, Dataset, Problem

EVERYTHING: frozenset[Aspect] = frozenset({"labels", "table"})


def only(path: Path) -> Dataset:
    (dataset,) = recognise(path, Wishes()).datasets
    return dataset


def batches(dataset: Dataset) -> list[Batch]:
    return [batch for part in dataset.partitions for batch in part.batches(EVERYTHING)]


def rows(dataset: Dataset) -> int:
    return sum(batch.size for batch in batches(dataset))


def problems(dataset: Dataset) -> list[Problem]:
    return [problem for batch in batches(dataset) for problem in batch.problems]


def numbers(dataset: Dataset) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {}
    for batch in batches(dataset):
        if batch.table is not None:
            for j, name in enumerate(batch.table.names):
                columns.setdefault(name, []).extend(batch.table.numbers[:, j].tolist())
    return columns


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


LINES = "".join(f"{k},{k / 7:.3f},{'xy'[k % 2]}\n" for k in range(400))
HEAD = "id,b,label\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("end", "last"), [("\n", "\n"), ("\r\n", "\r\n"), ("\r", "\r"), ("\r", "\n")])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str, last: str) -> None:
    text = (HEAD + LINES).replace("x\n", "é\n")[:-1].replace("\n", end) + last
    dataset = only(written(tmp_path / "a.csv", text, encoding))
    assert dataset.label is not None and dataset.label.name == "label"
    assert rows(dataset) == 400
    assert numbers(dataset)["b"][:2] == [0.0, 0.143]
    names = {name for batch in batches(dataset) if batch.labels for name in batch.labels.classes}
    assert names == {"é", "y"}


def test_another_encoding_further_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((HEAD + LINES * 60).encode() + b"1,2,\xe9\n1,2,\x81\n")
    dataset = only(path)
    assert rows(dataset) == 24_002
    (problem,) = problems(dataset)
    assert problem.kind == "encoding"


def test_text_in_a_column_of_numbers_further_on(tmp_path: Path) -> None:
    dataset = only(written(tmp_path / "a.csv", HEAD + LINES * 60 + "1,unknown,x\n2,7,y\n"))
    assert (rows(dataset), problems(dataset)) == (24_002, [])
    last = next(batch for batch in reversed(batches(dataset)) if batch.table)
    assert last.table is not None and last.table.tokens["b"] == {"unknown": 1}
    assert numbers(dataset)["b"][-1] == 7


def test_ragged_rows_are_told_once_with_their_lines(tmp_path: Path) -> None:
    dataset = only(written(tmp_path / "a.csv", HEAD + LINES + "1,2,x,4\n2,1,y\n3,4\n"))
    assert rows(dataset) == 401
    (problem,) = problems(dataset)
    assert problem.kind == "ragged"
    assert "2 rows do not have 3 fields (lines 402, 404)" in problem.message


@pytest.mark.parametrize("block", [200, 333, 1000])
def test_quoted_line_breaks_after_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(csvs, "BLOCK", block)
    plain = "".join(f"{k},text,y\n" for k in range(30_000))
    broken = "".join(f'{k},"two\nlines, or {"so" * (k % 5)}",x\n' for k in range(300))
    dataset = only(written(tmp_path / "a.csv", "id,note,label\n" + plain + broken + "1,2\n"))
    part = dataset.partitions[0]
    assert isinstance(part, csvs.CsvPartition)
    assert not part.dialect.newlines_in_values
    assert rows(dataset) == 30_300
    (problem,) = problems(dataset)
    assert "1 row does not have 3 fields" in problem.message


def test_lines_longer_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvs, "BLOCK", 256)
    dataset = only(written(tmp_path / "a.csv", "note,label\n" + f"{'word ' * 200},x\n" * 30))
    assert rows(dataset) == 30
    assert problems(dataset) == []


def test_blank_separated(tmp_path: Path) -> None:
    text = "".join(f"  {k * 1.5:8.3f}   {k % 7:4d}  {k % 2}\n" for k in range(50))
    dataset = only(written(tmp_path / "a.txt", text))
    assert rows(dataset) == 50
    assert numbers(dataset)["column_1"][2] == 3.0


def test_decimal_comma_and_semicolon(tmp_path: Path) -> None:
    text = "a;label\n" + "".join(f"{k},5;{'xy'[k % 2]}\n" for k in range(50))
    assert numbers(only(written(tmp_path / "a.csv", text)))["a"][:2] == [0.5, 1.5]


@pytest.mark.parametrize("outputs", ["@outputs Kind\n", ""])
def test_names_declared_above_the_rows(tmp_path: Path, outputs: str) -> None:
    head = "@relation x\n@attribute a real\n@attribute b real\n@attribute Kind {p,n}\n" + outputs + "@data\n"
    dataset = only(written(tmp_path / "k.dat", head + "".join(f"{k / 2},{k % 7},{'pn'[k % 2]}\n" for k in range(40))))
    assert [field.name for field in dataset.fields] == ["a", "b", "Kind"]
    assert dataset.label is not None and dataset.label.name == "Kind"
    # A name of its own that says nothing of a label leaves only its place.
    assert dataset.label.confidence == ("certain" if outputs else "low")


@pytest.mark.parametrize("rows", [5_000, 9_000, 20_000])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_a_unique_key_is_one_in_files_little_longer_than_the_head(tmp_path: Path, rows: int, suffix: str) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"customerID": [f"C-{number:07d}" for number in rng.permutation(10**7)[:rows]]})
    table = table.assign(
        plan=rng.choice(["basic", "plus"], rows), spent=rng.normal(50, 9, rows).round(2), y=rng.integers(2, size=rows)
    )
    table.to_csv(tmp_path / f"churn.{suffix}", index=False)
    key = only(tmp_path).column("customerID")
    assert key is not None and key.role == "id"


def test_label_by_position_is_sure_only_without_a_header(tmp_path: Path) -> None:
    body = "".join(f"{k / 7:.3f},{k / 3:.3f},{k / 11:.3f},{k / 13:.3f},{'uv'[k % 2]}\n" for k in range(60))
    bare = only(written(tmp_path / "bare.csv", body))
    named = only(written(tmp_path / "named.csv", "a,b,c,d,kind\n" + body))
    assert bare.label is not None and bare.label.confidence == "medium"
    assert named.label is not None and named.label.confidence == "low"


def test_broken_gzip(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    text = HEAD + "".join(f"{k},{k * 7919 % 1000},{'xy'[k % 2]}\n" for k in range(100_000))
    path.write_bytes(gzip.compress(text.encode())[:-20_000])
    (problem,) = problems(only(path))
    assert problem.kind == "truncated"


def test_lists_that_repeat_a_value_are_read_in_pieces(tmp_path: Path) -> None:
    table = pa.table({"a": np.arange(200.0), "v": [[0.0] * 100_000] * 200, "y": ["u", "v"] * 100})
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.OSFile(str(tmp_path / "a.parquet")) as raw:
        stored = parquets.Decoder(raw, (tmp_path / "a.parquet").stat().st_size)
        sizes = [record.nbytes for record in stored.records(stored.names, stored.groups, 20_000)]
    assert max(sizes) < 1.5 * parquets.BATCH_BYTES < sum(sizes)


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: {"t": text}], ids=["texts", "objects"])
def test_lists_that_repeat_a_long_text_are_left_out(tmp_path: Path, wrap: Callable[[str], Any]) -> None:
    for name, length, left in (("long", 5_000, 1), ("short", 20, 0)):
        cells = [[wrap("x" * length)] * 300] * 300
        table = pa.table({"a": np.arange(300.0), "tags": cells, "y": ["u", "v"] * 150})
        pq.write_table(table, tmp_path / f"{name}.parquet")
        with pa.OSFile(str(tmp_path / f"{name}.parquet")) as raw:
            stored = parquets.Decoder(raw, (tmp_path / f"{name}.parquet").stat().st_size)
            readable, bombs = stored.decodable(stored.names, stored.groups)
            assert (len(bombs), "tags" in readable) == (left, not left)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "libsvm", "txt"])
def test_all_lines_before_the_damage_are_read(tmp_path: Path, suffix: str) -> None:
    drawn = np.random.default_rng(0).normal(size=(60_000, 2)).round(4).tolist()
    line = {
        "csv": "{},{},{}",
        "txt": "{}   {}  {}",
        "jsonl": '{{"a": {}, "b": {}, "y": {}}}',
        "libsvm": "{2} 1:{0} 2:{1}",
    }[suffix]
    head = {"csv": HEAD, "txt": "a   b  y\n"}.get(suffix, "")
    packed_ = gzip.compress(
        (head + "".join(f"{line.format(*row, k % 2)}\n" for k, row in enumerate(drawn))).encode(), 1
    )
    cut = packed_[: len(packed_) * 3 // 4]
    whole = zlib.decompressobj(wbits=31).decompress(cut).count(b"\n") - bool(head)
    (tmp_path / f"a.{suffix}.gz").write_bytes(cut)
    dataset = only(tmp_path / f"a.{suffix}.gz")
    for _ in range(2):
        assert rows(dataset) == whole
        assert [problem.kind for problem in problems(dataset)] == ["truncated"]
    (tmp_path / f"a.{suffix}.gz").write_bytes(cut + b"\xff" * 300)
    # What stands before the damage may be no text any more.
    assert {"truncated", "unreadable"} & {problem.kind for problem in problems(only(tmp_path / f"a.{suffix}.gz"))}


def test_gzip_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "UNPACKED", 1 << 20)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(HEAD.encode() + b"1,2,x\n2,3,y\n" * 2_000_000))
    dataset = only(path)
    (problem,) = problems(dataset)
    assert "unpacks to more than" in problem.message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "an empty file"),
        ("a.csv", b"\x00" * 300, "a file of zero bytes"),
        ("a.csv", b"a,b\n" + b"\x00" * 300, "binary content"),
        ("a.csv", b"a,b,label\n", "holds column names and no rows"),
        ("a.csv", b"<!DOCTYPE html><html></html>", "an HTML page"),
        ("a.csv", b"PK\x03\x04abc", "a zip archive"),
        ("a.csv", b'{"a": 1}\n{"a": 2}\n', "JSON lines"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 9\n", "git lfs pull"),
        ("a.parquet", b"PAR1", "a damaged Parquet file"),
        ("a.parquet", b"PAR1" + b"x" * 99 + b"\xff\xff\xff\x7fPAR1", "a damaged Parquet file"),
    ],
)
def test_what_is_no_table(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DatalintError, match=message) as caught:
        recognise(path, Wishes())
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_odd_columns(tmp_path: Path) -> None:
    count = 60
    table = pd.DataFrame(
        {
            "huge": 2**60 + np.arange(count),
            "beyond": [str(10**30 + k) for k in range(count)],
            "nothing": np.nan,
            "date": [f"1{k % 7}12-03-0{k % 9 + 1}" for k in range(count)],
            "infinite": np.inf,
            "label": [1.0, np.nan] * (count // 2),
        }
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    dataset = only(tmp_path / "a.csv")
    kinds = {field.name: field.kind for field in dataset.fields}
    assert kinds == {
        "huge": "number",
        "beyond": "number",
        "nothing": "text",
        "date": "time",
        "infinite": "number",
        "label": "number",
    }
    assert (rows(dataset), problems(dataset)) == (count, [])
    labels = np.concatenate([b.labels.codes for b in batches(dataset) if b.labels and b.labels.codes is not None])
    assert (labels < 0).sum() == count / 2


def test_parquet_types(tmp_path: Path) -> None:
    n = 40
    table = pa.table(
        {
            "words": pa.array(["a", "b"] * 20).dictionary_encode(),
            "codes": pa.DictionaryArray.from_arrays(pa.array([0, 1] * 20, pa.int8()), pa.array([10, 20])),
            "decimal": pa.array([decimal.Decimal("1.50"), None] * 20, pa.decimal128(10, 2)),
            "stamp": pa.array([datetime.datetime(2020, 1, 1)] * n, pa.timestamp("us", tz="UTC")),
            "date": pa.array([datetime.date(1600, 1, 1)] * n),
            "span": pa.array([datetime.timedelta(1)] * n),
            "none": pa.nulls(n),
            "flag": pa.array([True, None] * 20),
            "half": pa.array(np.ones(n, np.float16)),
            "byte": pa.array(np.arange(n, dtype=np.uint8)),
            "gaps": pa.array([None, 5] * 20, pa.int64()),
            "long": pa.array(["é"] * n, pa.large_string()),
            "list": pa.array([[1, 2]] * n),
            "record": pa.array([{"x": 1}] * n),
            "bytes": pa.array([b"\xff"] * n),
            "label": pa.array([0, 1] * 20),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=7)
    dataset = only(tmp_path / "a.parquet")
    assert sorted(p.message.split("'")[1] for p in dataset.problems) == ["bytes"]
    assert numbers(dataset)["record.x"][0] == 1
    assert (rows(dataset), problems(dataset)) == (n, [])
    read = numbers(dataset)
    assert read["codes"][:2] == [10, 20]
    assert read["decimal"][0] == 1.5 and np.isnan(read["decimal"][1])
    assert np.isnan(read["gaps"][0]) and read["byte"][-1] == n - 1


def test_parquet_values_that_python_does_not_have(tmp_path: Path) -> None:
    late = pa.array([9 * 10**17, None] * 20, pa.timestamp("us"))  # the year 30,489
    raw = pa.array([b"\xff", b"ok"] * 20, pa.binary()).view(pa.string())
    pq.write_table(pa.table({"late": late, "raw": raw, "label": [0, 1] * 20}), tmp_path / "a.parquet")
    dataset = only(tmp_path / "a.parquet")
    assert (rows(dataset), problems(dataset)) == (40, [])
    texts = {c.name: c.values for batch in batches(dataset) if batch.table for c in batch.table.categories}
    assert texts["raw"] == ["\\xff", "ok"] and len(texts["late"]) == 1


def test_parquet_without_rows_or_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "a.parquet")
    pq.write_table(pa.table({}), tmp_path / "b.parquet")
    for name in "ab":
        with pytest.raises(DatalintError, match="no rows"):
            recognise(tmp_path / f"{name}.parquet", Wishes())


def test_parquet_split_that_lacks_the_label(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": np.arange(40.0), "label": ["x", "y"] * 20}), tmp_path / "train.parquet")
    pq.write_table(pa.table({"a": np.arange(20.0)}), tmp_path / "test.parquet")
    dataset = only(tmp_path)
    only_labels: frozenset[Aspect] = frozenset({"labels"})
    for aspects in (EVERYTHING, only_labels):
        read = [batch for part in dataset.partitions for batch in part.batches(aspects)]
        assert sum(batch.size for batch in read if batch.split == "test") == 20


def test_rows_that_name_no_split() -> None:
    plan = TablePlan(
        (Field("a", "number"), Field("part", "text", "split")),
        split_column="part",
        split_values={"Train": "train", "Test": "test"},
    )
    reader = TableReader(plan, labels_only=False)
    parts = ["Train", "Test", "val", "stranger 1", "stranger 2", None]
    read = list(reader.read(pa.record_batch({"a": np.arange(6.0), "part": parts})))
    assert {b.split: b.size for b in read} == {"train": 1, "test": 1, "validation": 1, UNASSIGNED: 3}
    assert reader.home == "train"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", None], ("number", "int64")),
        (["1.0", "2"], ("number", "double")),
        (["1", "?"], ("number", "int64")),
        (["nan", "inf"], ("number", "double")),
        (["true", "False"], ("text", "bool")),
        (["1200-01-01", "2020-02-30"], ("time", "timestamp")),
        (["a", "1"], ("text", "string")),
        ([None], ("text", "null")),
        ([], ("text", "null")),
    ],
)
def test_kinds(cells: list[str | None], kind: tuple[str, str]) -> None:
    assert kind_of(cells) == kind


# --- anything at all ------------------------------------------------------------------------------------------------

CELL = st.one_of(
    st.sampled_from(
        ["", "1", "-2.5", "1e999", "nan", "?", '"', "'", '"a', 'b"c', "x\ty", "é", "NA", "true", "2020-01-01"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6),
)
GRID = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width + 1), max_size=9))
QUICK = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def survives(path: Path) -> None:
    """Recognised and read, or refused in one line."""
    try:
        found = recognise(path, Wishes()).datasets
    except DatalintError as error:
        assert path.name in str(error)
        return
    for dataset in found:
        for batch in batches(dataset):
            assert batch.table is None or len(batch.hashes) == batch.size


@QUICK
@given(
    st.binary(max_size=300), st.sampled_from([".csv", ".tsv", ".data", ".txt", ".parquet", ".npy", ".npz", ".csv.gz"])
)
def test_any_bytes(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    survives(path)


@QUICK
@given(GRID, st.sampled_from([",", ";", "\t", "|", " "]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_small_table(tmp_path: Path, grid: list[list[str]], delimiter: str, end: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(delimiter.join(row) for row in grid).encode())
    survives(path)


@QUICK
@given(st.data())
def test_any_damage_to_a_good_file(tmp_path: Path, data: Any) -> None:
    suffix = data.draw(st.sampled_from([".parquet", ".npz", ".npy", ".csv.gz"]))
    path = tmp_path / f"good{suffix}"
    values = np.arange(60.0).reshape(20, 3)
    if suffix == ".parquet":
        pq.write_table(pa.table({"a": values[:, 0], "b": ["u", "v"] * 10}), path)
    elif suffix == ".npz":
        np.savez_compressed(path, X=values, y=np.arange(20) % 2)
    elif suffix == ".npy":
        np.save(path, values)
    else:
        path.write_bytes(gzip.compress((HEAD + LINES).encode()))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    flip = data.draw(st.binary(max_size=8))
    content[at : at + len(flip)] = flip
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
    survives(broken)


# --- hostile input ---------------------------------------------------------------------------------------------------

UNUSABLE = st.characters().filter(lambda c: not (c.isascii() and not c.isalnum() and c.isprintable()))


@pytest.mark.parametrize("delimiter", [":", "^", "~", "!", "#", " ", "\t"])
def test_any_mark_may_be_named_as_the_delimiter(tmp_path: Path, delimiter: str) -> None:
    lines = [["a", "b", "label"], *([str(k % 7), str(k % 5), "xy"[k % 2]] for k in range(60))]
    text = f"sep={delimiter}\n" + "".join(delimiter.join(line) + "\n" for line in lines)
    dataset = only(written(tmp_path / "a.csv", text))
    assert [field.name for field in dataset.fields] == ["a", "b", "label"]
    assert sum(batch.size for batch in batches(dataset)) == 60


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(delimiter=UNUSABLE | st.sampled_from("\"'\\+-._a7"))
def test_a_delimiter_that_cannot_be_one_is_said(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"sep={delimiter}\na,b\n1,2\n3,4\n", "utf-8", newline="")
    try:
        dataset = only(path)
    except DatalintError as error:
        assert "\n" not in str(error)
    else:
        batches(dataset)


@given(
    members=st.lists(
        st.tuples(st.binary(max_size=3000), st.integers(1, 300), st.sampled_from([0, 1, 4000])), min_size=1
    )
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_members_of_gzip_and_the_zeros_between_them(tmp_path: Path, members: list[tuple[bytes, int, int]]) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(b"".join(gzip.compress(piece * count, 1) + bytes(pad) for piece, count, pad in members))
    whole = b"".join(piece * count for piece, count, _ in members)
    with packed.open_bytes(path, "gzip") as file:
        assert file.read() == whole
    assert files.head_of(path, 1000) == (whole[:1000], len(whole) <= 1000)


def test_a_hole_behind_a_gzip_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress((HEAD + "1,2,x\n2,3,y\n" * 30).encode()))
    os.truncate(path, 1 << 40)
    assert sum(batch.size for batch in batches(only(path))) == 60


def test_blank_lines_cost_no_more_than_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress((HEAD + "1,2,x\n2,3,y\n" * 30).encode() + b"\n" * 5_000_000))
    assert sum(batch.size for batch in batches(only(path))) == 60


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FEATURES = st.dictionaries(
    st.sampled_from(["label", "b", "info"]),
    JSON | st.fixed_dictionaries({"_type": st.just("ClassLabel") | JSON, "names": JSON | st.lists(st.text())}),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(told=JSON | st.fixed_dictionaries({"info": JSON | st.fixed_dictionaries({"features": JSON | FEATURES})}))
def test_metadata_that_lies_is_passed_over(tmp_path: Path, told: Any) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"b": list(range(60)), "label": [0, 1] * 30})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(told)}), path)
    dataset = only(path)
    classes = {name for batch in batches(dataset) if batch.labels for name in batch.labels.classes}
    assert dataset.label is not None
    assert len(classes) == {"label": 2, "b": 60}[dataset.label.name]  # whichever column is declared
    for name in classes:
        name.encode()


def test_a_time_zone_that_is_not_known_here(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    times = pa.array(range(60), pa.timestamp("us", tz="Mars/Olympus"))
    pq.write_table(pa.table({"t": times, "label": ["x", "y"] * 30}), path)
    (batch,) = batches(only(path))
    assert batch.table is not None
    assert batch.table.categories[0].values[0].startswith("1970-01-01 00:00:00")


def test_a_long_text_that_fills_a_column_is_held_once(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["x" * 1_500_000]))
    pq.write_table(pa.table({"t": text, "label": ["x", "y"] * 25_000}), path, compression="zstd")
    before = pa.total_allocated_bytes()
    pa.default_memory_pool().release_unused()
    found = batches(only(path))
    assert pa.total_allocated_bytes() - before < 50_000_000
    assert sum(batch.size for batch in found) == 50_000
    (problem,) = [problem for batch in found for problem in batch.problems]
    assert problem.message == "what lies beyond the first 1,000,000 characters of 50,000 values in column 't'"


def test_a_column_that_unpacks_without_end_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquets, "UNPACKED", 1 << 20)
    path = tmp_path / "a.parquet"
    table = pa.table({"t": [f"{k}" + "x" * 100_000 for k in range(60)], "label": ["x", "y"] * 30})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    found = batches(only(path))
    assert sum(batch.size for batch in found) == 60
    (problem,) = [problem for batch in found for problem in batch.problems]
    assert problem.kind == "unreadable"
    assert "'t' unpacks from" in problem.message


def test_rows_that_take_no_room_are_read_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquets, "CELLS", 100_000)
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"b": [0] * 300_000, "label": [1] * 300_000}), path, row_group_size=20_000)
    found = batches(only(path))
    rows = sum(batch.size for batch in found)
    assert 50_000 <= rows < 300_000
    (problem,) = [problem for batch in found for problem in batch.problems]
    assert f"rows from {rows:,} on, of 300,000" in problem.message


def test_keys_that_are_half_a_surrogate_pair(tmp_path: Path) -> None:
    lines = "".join(f'{{"a": {k % 7}, "\\udfff": {k % 3}, "label": "\\ud800{"xy"[k % 2]}"}}\n' for k in range(60))
    dataset = only(written(tmp_path / "a.jsonl", lines))
    assert [field.name for field in dataset.fields] == ["a", "\\udfff", "label"]
    (batch,) = batches(dataset)
    assert batch.table is not None
    assert np.nanmax(batch.table.numbers) == 6
    assert not np.isnan(batch.table.numbers).any()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    above=st.integers(1, 3000),
    below=st.integers(0, 3000),
    column=st.integers(0, 3),
    end=st.sampled_from(["", "\n", "\r\n"]),
)
def test_a_quote_that_is_open_at_the_end(tmp_path: Path, above: int, below: int, column: int, end: str) -> None:
    path = tmp_path / "a.csv"
    rows = [[str(k % 7), str(k % 5), "nm"[k % 2], "xy"[k % 2]] for k in range(above + 1 + below)]
    rows[above][column] = '"' + rows[above][column]
    line = end or "\n"
    path.write_text("a,b,c,label" + line + line.join(map(",".join, rows)) + end, newline="")
    told = [problem.message for problem in problems(only(path)) if problem.kind == "quote"]
    if not told:  # so few rows that the head says to read quotes as plain text
        assert above + below < 100 or only(path).partitions[0].dialect.quote == ""  # type: ignore[attr-defined]
        return
    drawn = f", and draws {below:,} {'lines' if below > 1 else 'line'} after it into one row" if below else ""
    assert told == [f"a quote that opens in line {above + 2:,} is not closed before the end{drawn}"]


@pytest.mark.parametrize("column", [1, 3])
def test_a_quote_that_draws_in_rows_up_to_the_next_one(tmp_path: Path, column: int) -> None:
    rows = [[str(k % 7), "nm"[k % 2], str(k % 5), "xy"[k % 2]] for k in range(20_000)]
    rows[15_000][column] = '"' + rows[15_000][column]
    rows[15_300][column] += '"'
    dataset = only(written(tmp_path / "a.csv", "a,c,b,label\n" + "\n".join(map(",".join, rows)) + "\n"))
    assert [p.message for p in problems(dataset) if p.kind == "quote"] == [
        "a quote that opens in line 15,002 draws 300 lines into one row"
    ]


def test_values_of_several_lines_are_no_open_quote(tmp_path: Path) -> None:
    rows = [f'{k % 7},"one{k}\ntwo ""x"", five\nthree",{"xy"[k % 2]}' for k in range(500)]
    rows += [f'{k % 7},"last\n{k}","{"xy"[k % 2]}"' for k in range(500)]
    for end in ("", "\n", "\n\n"):
        dataset = only(written(tmp_path / "a.csv", HEAD.replace("b", "text") + "\n".join(rows) + end))
        assert not [problem for problem in problems(dataset) if problem.kind == "quote"]


def test_keys_cost_no_more_than_their_values(tmp_path: Path) -> None:
    rows = [{**{f"k{k}_{j}": j for j in range(40)}, "label": "xy"[k % 2]} for k in range(1500)]
    dataset = only(written(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    assert len(dataset.fields) == 10_000
    assert dataset.label is not None
    (problem,) = dataset.problems
    assert problem.message == "its keys beyond the first 10,000: so many are values and no columns"
    sizes = [batch.size for batch in batches(dataset)]
    assert sum(sizes) == 1500
    assert max(sizes) <= 400
