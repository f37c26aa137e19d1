"""``fix`` and ``subset`` through the real command line: what is written, what is left alone, what is refused."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import datasets

from datalint.report.models import Report
from tests.command import Outcome, call
from tests.conversations import chats

RULES = "ORD101,DUP101,SPL101,VAL101,VAL110,IMG103,IMG107,FIL101"
NUMBERS = ["x1", "x2", "x3"]


def table(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    label = rng.choice(["a", "b", "c"], rows)
    columns = {name: rng.normal(size=rows).round(6) for name in NUMBERS}
    return pd.DataFrame(columns | {"colour": rng.choice(["red", "green"], rows), "label": label})


def findings(folder: Path, path: str, select: str = RULES) -> set[str]:
    """Codes found at warning or error."""
    call(
        folder,
        "scan",
        path,
        "--select",
        select,
        "--no-report",
        "--no-cache",
        "--json",
        "found.json",
        "--fail-on",
        "never",
    )
    return {f.code for f in Report.read_json(folder / "found.json").findings if f.severity != "info"}


def contents(folder: Path) -> dict[str, bytes]:
    """All files but the log."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-log.json"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def log(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "fix-log.json").read_text(encoding="utf-8"))
    return record


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A train and a test file with all the faults that are safe to mend, and one mended copy of them."""
    place = tmp_path_factory.mktemp("fix")
    train, test = table(300, 1), table(150, 2)
    train.loc[[3, 100], NUMBERS] = 0.0
    train.loc[[3, 100], "colour"] = None
    train.loc[10:14, "colour"] = train.loc[10:14, "colour"].str.upper()
    train.loc[20:22, "colour"] = " " + train.loc[20:22, "colour"]
    train.loc[30, "colour"] = "gr\u200been"
    train = pd.concat([train, train.iloc[50:60], test.iloc[:12]], ignore_index=True)
    train = train.sort_values("label", kind="stable", ignore_index=True)
    (place / "data").mkdir()
    train.to_csv(place / "data" / "train.csv", index=False)
    test.to_csv(place / "data" / "test.csv", index=False)
    before = contents(place / "data")
    done = call(place, "fix", "data", "--out", "clean", "--keep-list", "keep.csv", "--seed", "3")
    assert (done.status, done.err) == (0, "")
    assert contents(place / "data") == before
    (place / "printed").write_text(done.out, encoding="utf-8")
    return place


def test_a_mended_table_has_none_of_the_findings(faulty: Path) -> None:
    assert findings(faulty, "data") == {"ORD101", "DUP101", "SPL101", "VAL101", "VAL110"}
    assert findings(faulty, "clean") == set()
    printed = (faulty / "printed").read_text(encoding="utf-8")
    assert "\nDUP101: dropped 10 samples; " in f"\n{printed}"
    assert "448 of 472 samples kept; 5 findings mended, 0 left to you\n" in printed
    assert printed.endswith("written: clean/, clean/fix-log.json, keep.csv\n")


def test_rows_stay_whole_and_test_rows_stay_where_they_are(faulty: Path) -> None:
    assert (faulty / "clean" / "test.csv").read_bytes() == (faulty / "data" / "test.csv").read_bytes()
    before = pd.read_csv(faulty / "data" / "train.csv", dtype=str, keep_default_na=False)
    after = pd.read_csv(faulty / "clean" / "train.csv", dtype=str, keep_default_na=False)
    assert set(after["colour"]) == {"red", "green"}
    keys = [*NUMBERS, "label"]
    assert {*map(tuple, after[keys].to_numpy())} < {*map(tuple, before[keys].to_numpy())}
    assert not after[keys].duplicated().any()
    assert list(after["label"]) != sorted(after["label"])


def test_every_change_is_in_the_log_and_the_keep_list_agrees(faulty: Path) -> None:
    record = log(faulty / "clean")
    assert record["samples"] == {"before": 472, "after": 448} and record["files"] == ["test.csv", "train.csv"]
    lines = (faulty / "data" / "train.csv").read_text(encoding="utf-8").splitlines()
    respelt = next(change for change in record["changes"] if change["code"] == "VAL110")
    assert respelt["count"] == len(respelt["samples"]) == 9
    for sample in respelt["samples"]:
        assert sample["from"] in lines[int(sample["id"].rpartition(":")[2]) - 1].split(",")
    dropped = {s["id"] for change in record["changes"] if change["action"] == "drop" for s in change["samples"]}
    assert len(dropped) == 24
    zeros = next(change for change in record["changes"] if change["code"] == "VAL101")
    assert all(lines[int(s["id"].rpartition(":")[2]) - 1].startswith("0.0,0.0,0.0,") for s in zeros["samples"])
    with (faulty / "keep.csv").open(newline="", encoding="utf-8") as file:
        kept = list(csv.DictReader(file))
    assert len(kept) == 448 and not dropped & {row["id"] for row in kept}
    mixed = (faulty / "clean" / "train.csv").read_text(encoding="utf-8").splitlines()
    row = next(row for row in kept if row["split"] == "train")
    assert row["id"] == f"data/train.csv:{int(row['index']) + 2}"
    assert mixed[1].split(",")[:3] == lines[int(row["index"]) + 1].split(",")[:3]


def test_twice_changes_nothing_and_the_seed_decides(faulty: Path) -> None:
    again = call(faulty, "fix", "clean", "--out", "again", "--seed", "9")
    assert "0 findings mended" in again.out
    assert contents(faulty / "again") == contents(faulty / "clean")
    call(faulty, "fix", "data", "--out", "other", "--seed", "4")
    other, clean = contents(faulty / "other"), contents(faulty / "clean")
    assert other != clean
    assert all(sorted(other[name].splitlines()) == sorted(clean[name].splitlines()) for name in clean)


def test_only_what_is_selected_is_mended(faulty: Path) -> None:
    done = call(faulty, "fix", "data", "--out", "one", "--select", "DUP101")
    assert done.status == 0 and {change["code"] for change in log(faulty / "one")["changes"]} == {"DUP101"}
    assert findings(faulty, "one") == {"ORD101", "SPL101", "VAL101", "VAL110"}
    listed = call(faulty, "fix", "data", "--keep-list", "only.csv", "--select", "DUP101")
    assert listed.out.endswith("written: only.csv\n")
    assert len((faulty / "only.csv").read_text(encoding="utf-8").splitlines()) == 463


def test_cells_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows = [f'{k}.50;"a; ""b""\n c";NA; {k} ;{"xy"[k % 2]}' for k in range(80)]
    text = "sep=;\r\nnumber;text;gap;padded;label\r\n" + "\r\n".join([*rows, rows[5], rows[6]]) + "\r\n"
    (tmp_path / "odd.csv.gz").write_bytes(gzip.compress(text.encode("utf-8-sig")))
    done = call(tmp_path, "fix", "odd.csv.gz", "--out", "new", "--select", "DUP101", "--label", "label")
    assert (done.status, done.err) == (0, "") and "dropped 2 samples" in done.out
    new = gzip.decompress((tmp_path / "new" / "odd.csv.gz").read_bytes()).decode()
    assert new == "sep=;\nnumber;text;gap;padded;label\n" + "\n".join(rows).replace("\r\n", "\n") + "\n"


def test_a_table_with_a_split_column_and_shards_of_parquet(tmp_path: Path) -> None:
    whole = table(240, 5)
    whole["split"] = ["train"] * 160 + ["test"] * 80
    whole.loc[5] = [*whole.loc[200, [*NUMBERS, "colour", "label"]], "train"]
    whole = whole.sort_values(["label"], kind="stable", ignore_index=True)
    (tmp_path / "shards").mkdir()
    for k in range(2):
        part = whole.iloc[k * 120 : k * 120 + 120].astype({"colour": "category"})
        part.to_parquet(tmp_path / "shards" / f"part-{k}.parquet", index=False)
    done = call(tmp_path, "fix", "shards", "--out", "new")
    assert (done.status, done.err) == (0, "")
    assert findings(tmp_path, "shards") >= {"SPL101", "ORD101"} and findings(tmp_path, "new") == set()
    new = pd.concat([pd.read_parquet(path) for path in sorted((tmp_path / "new").glob("*.parquet"))])
    assert len(new) == 239 and (new["split"] == "test").sum() == 80
    assert isinstance(new["label"].iloc[0], str) and sorted(new["x1"]) == sorted(set(whole["x1"]))


def test_json_lines_stay_as_they_are(tmp_path: Path) -> None:
    frame = table(80, 3)
    frame.loc[5, "x1"] = None
    lines = [json.dumps({**row, "extra": [k]}) for k, row in enumerate(json.loads(frame.to_json(orient="records")))]
    lines[7] = lines[7].replace('"label": "', '"label": " ')
    (tmp_path / "t.jsonl").write_text("\n".join([*lines, lines[2], "no object"]) + "\n")
    outcome = call(tmp_path, "fix", "t.jsonl", "--out", "new", "--label", "label", "--select", "DUP101,VAL110,ORD")
    assert outcome.status == 0, outcome.err
    mended = (tmp_path / "new" / "t.jsonl").read_text().splitlines()
    assert sorted(mended) == sorted([*lines[:7], lines[7].replace('"label": " ', '"label": "'), *lines[8:]])


def test_conversations_are_kept_line_by_line(tmp_path: Path) -> None:
    """Without those that hold nothing, copies, and training samples that the test holds."""
    some = chats(200, most=1)
    rows = [[{"role": role, "content": text} for role, text in chat] for chat in some]
    for k in (3, 40, 77):
        rows[k][1]["content"] = ""
    rows[90][0]["content"] = f"Complete this, please: {rows[160][1]['content']}"
    rows[91][0]["content"] = f"Complete this, please: {rows[161][1]['content']}"
    lines = [json.dumps({"messages": row, "source": {"page": k}}) for k, row in enumerate(rows)]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text("\n".join([*lines[:140], lines[11]]) + "\n")
    (tmp_path / "data" / "test.jsonl").write_text("\n".join(lines[140:]) + "\n")
    done = call(tmp_path, "fix", "data", "--out", "new", "--select", "CHT,DUP101,SPL112")
    assert (done.status, done.err) == (0, "")
    mended = (tmp_path / "new" / "train.jsonl").read_text().splitlines()
    assert mended == [line for k, line in enumerate(lines[:140]) if k not in {3, 40, 77, 90, 91}]
    assert (tmp_path / "new" / "test.jsonl").read_text() == (tmp_path / "data" / "test.jsonl").read_text()


def test_damaged_files_and_torn_rows_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table(60, 1).to_csv(tmp_path / "data" / "a.csv", index=False)
    with (tmp_path / "data" / "a.csv").open("a") as file:
        file.write("1,2\n3,4,5,6,7,8,9\n")
    table(60, 2).to_csv(tmp_path / "data" / "b.csv", index=False)
    (tmp_path / "data" / "c.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 99\n")
    done = call(tmp_path, "fix", "data", "--out", "new")
    assert (done.status, done.err) == (0, "")
    assert sorted(contents(tmp_path / "new")) == ["a.csv", "b.csv"]
    assert len((tmp_path / "new" / "a.csv").read_text().splitlines()) == 61
    assert "FIL101" not in findings(tmp_path, "new")
    problems = {s["id"]: s["problem"] for c in log(tmp_path / "new")["changes"] for s in c["samples"]}
    assert "Git LFS pointer" in problems["data/c.csv"] and "do not have 5 fields" in problems["data/a.csv"]


def test_doubtful_labels_need_unsafe(tmp_path: Path) -> None:
    frame = datasets.load_breast_cancer(as_frame=True).frame.sample(300, random_state=0, ignore_index=True)
    wrong = np.random.default_rng(3).choice(300, 25, replace=False)
    frame.loc[wrong, "target"] = 1 - frame.loc[wrong, "target"]
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = ("--select", "LBL102", "--unsafe")
    dropped = call(tmp_path, "fix", "t.csv", "--out", "new", *options)
    assert (dropped.status, dropped.err) == (0, "")
    (change,) = log(tmp_path / "new")["changes"]
    assert change["action"] == "drop" and 15 <= change["count"] <= 40
    named = {int(sample["id"].rpartition(":")[2]) - 2 for sample in change["samples"]}
    assert len(named & set(wrong.tolist())) >= 0.8 * len(named)
    assert len(pd.read_csv(tmp_path / "new" / "t.csv")) == 300 - change["count"]
    assert call(tmp_path, "fix", "t.csv", "--out", "better", "--relabel", *options).status == 0
    better = pd.read_csv(tmp_path / "better" / "t.csv")
    for sample in log(tmp_path / "better")["changes"][0]["samples"]:
        assert str(better.loc[int(sample["id"].rpartition(":")[2]) - 2, "target"]) == sample["to"] != sample["from"]
    again = call(tmp_path, "fix", "better", "--out", "again", *options)
    assert again.status == 0 and contents(tmp_path / "again") == contents(tmp_path / "better")


def test_what_cannot_be_undone_is_said(tmp_path: Path) -> None:
    frame = table(400, 3)
    frame[NUMBERS] = (frame[NUMBERS] - frame[NUMBERS].mean()) / frame[NUMBERS].std(ddof=0)
    frame["x4"], frame["x5"] = frame["x1"] ** 2, frame["x2"] ** 3
    for name in ("x4", "x5"):
        frame[name] = (frame[name] - frame[name].mean()) / frame[name].std(ddof=0)
    (tmp_path / "data").mkdir()
    frame.iloc[:300].to_csv(tmp_path / "data" / "train.csv", index=False)
    frame.iloc[300:].to_csv(tmp_path / "data" / "test.csv", index=False)
    done = call(tmp_path, "fix", "data", "--out", "new", "--select", "SPL103")
    assert done.status == 0
    assert done.out.startswith("SPL103: left to you; ")
    assert "cannot be undone from the data alone. Split the raw data first" in done.out
    assert [item["code"] for item in log(tmp_path / "new")["left"]] == ["SPL103"]


def test_a_time_series_is_not_shuffled_and_no_split_is_emptied(tmp_path: Path) -> None:
    frame = table(120, 4).sort_values("label", ignore_index=True)
    frame.insert(0, "date", pd.date_range("2024-01-01", periods=120).strftime("%Y-%m-%d"))
    frame.to_csv(tmp_path / "series.csv", index=False)
    done = call(tmp_path, "fix", "series.csv", "--out", "one")
    assert "the column 'date' says when each row was recorded" in done.out
    assert (tmp_path / "one" / "series.csv").read_bytes() == (tmp_path / "series.csv").read_bytes()
    (tmp_path / "same").mkdir()
    for name in ("train", "test"):
        table(60, 4).to_csv(tmp_path / "same" / f"{name}.csv", index=False)
    done = call(tmp_path, "fix", "same", "--out", "two")
    assert done.status == 0 and "nothing would be left of train" in done.out
    assert contents(tmp_path / "two") == contents(tmp_path / "same")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders with odd names, a copy, a black picture, a torn one, a turned one and one under two labels."""
    place = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name in ("a b,c", "ü:1"):
        (place / "data" / name).mkdir(parents=True)
        for k in range(12):
            pixels = rng.integers(0, 255, (10, 16, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
            Image.fromarray(pixels).save(place / "data" / name / f"{k}.jpg", quality=90)
    first, second = place / "data" / "a b,c", place / "data" / "ü:1"
    (first / "copy\u202e.jpg").write_bytes((first / "1.jpg").read_bytes())
    (second / "both.jpg").write_bytes((first / "2.jpg").read_bytes())
    Image.new("RGB", (64, 40)).save(first / "black.jpg")
    (second / "torn.jpg").write_bytes((second / "3.jpg").read_bytes()[:400])
    exif = Image.Exif()
    exif[274], exif[305] = 6, "a camera"
    with Image.open(second / "4.jpg") as image:
        image.save(second / "turned.jpg", exif=exif, quality=90)
    return place


def test_pictures_are_dropped_and_turned(pictures: Path) -> None:
    done = call(pictures, "fix", "data", "--out", "clean")
    assert (done.status, done.err) == (0, "")
    assert findings(pictures, "data") >= {"DUP101", "VAL101", "IMG103"}
    assert findings(pictures, "clean", "VAL101,IMG103,IMG107") == set()
    before, after = contents(pictures / "data"), contents(pictures / "clean")
    gone = {"a b,c/copy\u202e.jpg", "a b,c/black.jpg", "ü:1/torn.jpg"}
    assert before.keys() - after.keys() == gone and after.keys() < before.keys()
    assert {name for name in after if after[name] != before[name]} == {"ü:1/turned.jpg"}
    with Image.open(pictures / "clean" / "ü:1" / "turned.jpg") as image:
        assert image.size == (40, 64) and 274 not in image.getexif() and image.getexif()[305] == "a camera"
        with Image.open(pictures / "data" / "ü:1" / "turned.jpg") as old:
            as_shown = np.rot90(np.asarray(old.convert("L"), int), -1)
        assert np.corrcoef(np.asarray(image.convert("L"), int).ravel(), as_shown.ravel())[0, 1] > 0.99
    assert "the duplicates carry different labels" in done.out
    again = call(pictures, "fix", "clean", "--out", "again")
    assert "0 findings mended" in again.out and contents(pictures / "again") == after


def test_a_subset_of_pictures(pictures: Path) -> None:
    done = call(pictures, "subset", "data", "--per-class", "3", "--out", "few")
    assert (done.status, done.err) == (0, "")
    found = contents(pictures / "few")
    assert sorted(name.partition("/")[0] for name in found) == ["a b,c"] * 3 + ["ü:1"] * 3
    bad = {"copy\u202e.jpg", "black.jpg", "torn.jpg", "both.jpg", "turned.jpg"}
    assert not bad & {name.partition("/")[2] for name in found}


def test_a_subset_of_a_table(faulty: Path) -> None:
    done = call(faulty, "subset", "data", "--per-class", "8", "--out", "small", "--seed", "1")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("24 samples of train in 3 classes: 'a' (8), 'b' (8) and 'c' (8)\n")
    rows = pd.read_csv(faulty / "small" / "data.csv", dtype=str, keep_default_na=False)
    assert rows["label"].value_counts().to_dict() == {"a": 8, "b": 8, "c": 8}
    assert list(rows["label"]) != sorted(rows["label"])
    assert not set(rows["x1"]) & {"0.0"} and not rows.duplicated().any()
    two = call(faulty, "subset", "data", "--classes", "c,a", "--out", "two")
    assert "in 2 classes" in two.out
    chosen = pd.read_csv(faulty / "two" / "data.csv", dtype=str, keep_default_na=False)
    assert set(chosen["label"]) == {"a", "c"} and not chosen.duplicated().any()
    assert json.loads((faulty / "two" / "subset-log.json").read_text())["files"] == ["data.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fix", "data"), "nothing to write: give --out DIR, --keep-list FILE or both"),
        (("fix", "data", "--out", "data/new"), "--out data/new lies in data, which is never changed"),
        (("fix", "data", "--out", "data"), "--out data lies in data, which is never changed"),
        (("fix", "link", "--out", "data/new"), "--out data/new lies in link"),
        (("fix", "data", "--out", "link/new"), "--out link/new lies in data"),
        (("fix", "data/train.csv", "--out", "data", "--force"), "--out data lies in data/train.csv"),
        (("fix", "data", "--out", "."), "--out . holds data, which is never changed"),
        (("fix", "data", "--out", "full"), "--out full is not empty (mine.txt is there)"),
        (("fix", "data", "--out", "full/mine.txt"), "--out full/mine.txt is a file"),
        (("fix", "data", "--out", "full/mine.txt/new"), "cannot write full/mine.txt/new"),
        (("fix", "nowhere", "--out", "new"), "no such file or folder: nowhere"),
        (("fix", ".", "--out", "../new"), "holds 2 data sets"),
        (("fix", "x.npy", "--out", "new"), "only tables and class folders of images can be written"),
        (("fix", "data", "--out", "new", "--relabel"), "--relabel changes labels, which may be right"),
        (("fix", "data", "--out", "new", "--select", "LBL102"), "LBL102 can only be mended with --unsafe"),
        (("fix", "data", "--out", "new", "--select", "LBL101"), "none of the selected rules can be mended"),
        (("fix", "data", "--keep-list", "full/mine.txt"), "--keep-list full/mine.txt exists"),
        (("fix", "data/train.csv", "--keep-list", "data/train.csv", "--force"), "which is never changed"),
        (("fix", "data", "--keep-list", "link/kept.csv"), "--keep-list link/kept.csv lies in data"),
        (("subset", "data", "--per-class", "3"), "nothing to write: give --out DIR"),
        (("subset", "data", "--out", "new"), "say how small"),
        (("subset", "data", "--out", "full", "--per-class", "3"), "--out full is not empty"),
        (("subset", "data", "--out", "new", "--classes", "z"), "there is no class 'z'; there are 'a', 'b' and 'c'"),
        (("subset", "target.csv", "--out", "new", "--per-class", "3"), "is a number to be predicted"),
        (("subset", "x.npy", "--out", "new", "--per-class", "3"), "only tables and class folders"),
    ],
)
def test_what_is_refused(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "data").mkdir()
    table(40, 1).to_csv(tmp_path / "data" / "train.csv", index=False)
    (tmp_path / "link").symlink_to("data")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    np.save(tmp_path / "x.npy", np.zeros((9, 9)))
    numbers = np.random.default_rng(0).normal(size=(60, 3))
    pd.DataFrame(numbers, columns=["a", "b", "target"]).to_csv(tmp_path / "target.csv", index=False)
    if arguments[1] == ".":
        (tmp_path / "x.npy").unlink()
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    done: Outcome = call(tmp_path, *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err and len(done.err.splitlines()) == 1
    after = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if ".cache" not in p.parts)
    assert after == before and not (tmp_path.parent / "new").exists()


def test_force_replaces_what_we_wrote_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("one", "two"):
        table(40, 1).to_csv(tmp_path / "data" / f"{name}.csv", index=False)
    assert call(tmp_path, "fix", "data", "--out", "new", "--select", "VAL101").status == 0
    (tmp_path / "new" / "notes.md").write_text("mine")
    (tmp_path / "data" / "two.csv").unlink()
    assert call(tmp_path, "fix", "data", "--out", "new", "--select", "VAL101").status == 2
    assert call(tmp_path, "fix", "data", "--out", "new", "--select", "VAL101", "--force").status == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["fix-log.json", "notes.md", "one.csv"]
    # A log that somebody else wrote must not lead us out of the folder, nor a link in it.
    record = log(tmp_path / "new") | {"files": ["../data/one.csv", str(tmp_path / "data" / "one.csv"), "out/one.csv"]}
    (tmp_path / "new" / "fix-log.json").write_text(json.dumps(record))
    (tmp_path / "new" / "out").symlink_to(tmp_path / "data")
    assert call(tmp_path, "fix", "data", "--out", "new", "--select", "VAL101", "--force").status == 0
    assert (tmp_path / "data" / "one.csv").exists()


def test_no_cell_of_the_keep_list_is_a_formula(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for k, name in enumerate(["=cmd", "+1", "-1", "@sum", "plain"]):
        for j in range(4):
            place = tmp_path / "pics" / name / f"{j}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8) if k + j else np.zeros((8, 8), np.uint8)).save(
                place
            )
    done = call(tmp_path / "pics", "fix", ".", "--keep-list", "../kept.csv", "--select", "VAL101")
    assert done.status == 0
    with (tmp_path / "kept.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 19
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    assert all((tmp_path / "pics" / row["id"]).is_file() for row in rows)
    assert {row["id"].split("/")[0] for row in rows} == {".", "plain"}


def test_the_keep_list_may_be_a_pipe(faulty: Path) -> None:
    done = call(faulty, "fix", "data", "--keep-list", "/dev/null", "--select", "DUP101")
    assert (done.status, done.err) == (0, "")
    assert not Path("/dev/null").is_file()


def test_what_is_replaced_by_force_hands_on_its_mode(faulty: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call(faulty, "fix", "data", "--out", str(out), "--select", "DUP101").status == 0
    (out / "train.csv").chmod(0o604)
    assert call(faulty, "fix", "data", "--out", str(out), "--select", "DUP101", "--force").status == 0
    assert (out / "train.csv").stat().st_mode & 0o777 == 0o604
    (out / "train.csv").unlink()
    (out / "train.csv").mkdir()
    (out / "train.csv" / "mine").write_text("mine")
    before = contents(out)
    done = call(faulty, "fix", "data", "--out", str(out), "--select", "DUP101", "--force")
    assert done.status == 2
    assert "train.csv is in the way and no file" in done.err
    assert contents(out) == before


def test_what_the_next_scan_finds_is_named_as_left(tmp_path: Path) -> None:
    frame = table(400, 3)
    frame["colour2"] = frame["colour"]
    frame.loc[5, NUMBERS] = 0.0
    for name, rows in (("train", frame[:300]), ("test", frame[300:])):
        (tmp_path / "data").mkdir(exist_ok=True)
        rows.to_csv(tmp_path / "data" / f"{name}.csv", index=False)
    done = call(tmp_path, "fix", "data", "--out", "new", "--label", "label")
    left = {item["code"] for item in log(tmp_path / "new")["left"]}
    call(tmp_path, "scan", "new", "--label", "label", "--no-report", "--json", "after.json", "--fail-on", "never")
    report = Report.read_json(tmp_path / "after.json")
    found = {f.code for f in report.datasets[0].leading if f.severity != "info"}
    assert found <= left
    assert found, done.out
