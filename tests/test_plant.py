"""`datalint plant` and what it rests on: a user's data taken into memory as it is."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import datalint
from datalint.core.clean import Clean
from datalint.core.errors import DatalintError
from datalint.planting.load import load
from datalint.planting.write import NOTE, plant
from tests.command import ROOT, call, run

SAMPLES = ROOT / "sample_data"
BREAST, DIGITS = SAMPLES / "clean_breast_cancer", SAMPLES / "clean_digit_pictures"


def files(folder: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- the command ----------------------------------------------------------------------------------------------------


def test_a_faulty_table_is_found_where_it_was_said_to_be(tmp_path: Path) -> None:
    outcome = call(tmp_path, "plant", "DUP101", str(BREAST), "--out", "faulty", "--strength", "1")
    assert (outcome.status, outcome.err) == (0, "")
    note = json.loads((tmp_path / "faulty" / NOTE).read_text())
    assert (note["code"], note["strength"], note["seed"], note["label"]) == ("DUP101", 1.0, 0, "diagnosis")
    rows = note["samples"]["train"]
    assert f"faulty samples of train: {len(rows)} " in outcome.out
    assert "datalint scan faulty --label diagnosis --select DUP101" in outcome.out
    report = datalint.scan(tmp_path / "faulty", label="diagnosis", cache=False)
    assert [split.name for split in report.datasets[0].splits] == ["train", "test"]
    affected = report.affected("DUP101")
    assert sorted(affected["index"]) == rows
    assert set(affected["split"]) == {"train"}
    # Nothing but the fault has come: the note is no data, and the other rules say what they said.
    assert {finding.code for finding in report.findings if finding.severity != "info"} == {"DUP101"}


def test_a_faulty_image_tree_keeps_its_folders(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    rng = np.random.default_rng(0)
    for k in range(60):
        place = tree / ("Training" if k % 4 else "val") / ("cat", "dog")[k % 2] / f"{k:02d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (24, 32, 3), np.uint8)).save(place)
    outcome = call(tmp_path, "plant", "all-zero-inputs", "tree", "--out", "faulty", "--strength", "1", "--seed", "4")
    assert (outcome.status, outcome.err) == (0, "")
    written = files(tmp_path / "faulty")
    note = json.loads(written.pop(NOTE))
    assert written.keys() == files(tree).keys()
    changed = {name for name, content in files(tree).items() if written[name] != content}
    assert changed == set(note["files"])
    report = datalint.scan(tmp_path / "faulty", select=["VAL101"], cache=False)
    named = report.affected("VAL101")
    assert {name.partition("/faulty/")[2] for name in named["id"]} == changed
    assert {split: sorted(rows["index"]) for split, rows in named.groupby("split")} == note["samples"]


def test_the_same_seed_gives_the_same_copy(tmp_path: Path) -> None:
    copies = []
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        plant("VAL104", BREAST, tmp_path / name, seed=seed)
        copies.append(files(tmp_path / name))
    assert copies[0] == copies[1] != copies[2]


def test_force_replaces_an_earlier_copy_and_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    out = tmp_path / "faulty"
    plant("VAL101", DIGITS, out)
    (out / "mine.md").write_text("keep this")
    refused = call(tmp_path, "plant", "DUP101", str(BREAST), "--out", "faulty")
    assert (refused.status, refused.out) == (2, "")
    assert refused.err == (
        "datalint: --out faulty is not empty (mine.md is there): choose another folder, or give --force to replace what an "
        "earlier run wrote there\n"
    )
    assert call(tmp_path, "plant", "DUP101", str(BREAST), "--out", "faulty", "--force").status == 0
    assert files(out).keys() == {"train.csv", "test.csv", NOTE, "mine.md"}


def test_a_note_that_was_tampered_with_removes_nothing_outside(tmp_path: Path) -> None:
    out, victim = tmp_path / "faulty", tmp_path / "victim.csv"
    victim.write_text("precious")
    out.mkdir()
    (out / NOTE).write_text(json.dumps({"copy": ["../victim.csv", str(victim), 3]}))
    plant("DUP101", BREAST, out, force=True)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    ("code", "source", "out", "why"),
    [
        ("ORD999", "{sample}/iris_sorted", "new", "no rule is called 'ORD999'"),
        ("IMG101", "{sample}/iris_sorted", "new", "IMG101 cannot be planted in .*: applies to images only"),
        ("TXT101", "{sample}/iris_sorted", "new", "this data has no place for the fault"),
        ("ORD101", "{sample}/nothing", "new", "no such file or folder"),
        ("ORD101", "{sample}", "new", r"there are \d+ data sets .*: give one of them"),
        ("ORD101", "broken", "new", "broken"),
        ("ORD101", "own", "own/inside", "own/inside lies in own"),
        ("ORD101", "own", "own", "own lies in own"),
        ("ORD101", "own", ".", r"\. holds own"),
        ("ORD101", "own", "own/t.csv", "own/t.csv lies in own"),
        ("ORD101", "own", "file", "file is a file: choose a folder"),
        ("ORD101", "own", "file/below", "cannot write file/below"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    tmp_path: Path, code: str, source: str, out: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    pd.DataFrame({"x": np.arange(200.0), "y": ["a", "b"] * 100}).to_csv("own/t.csv", index=False)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "t.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "file").touch()
    before = files(tmp_path)
    with pytest.raises(DatalintError, match=why) as error:
        plant(code, Path(source.format(sample=SAMPLES)), Path(out))
    assert "\n" not in str(error.value)
    assert files(tmp_path) == before


def test_errors_of_the_command_have_no_traceback(tmp_path: Path) -> None:
    outcome = call(tmp_path, "plant", "LBL999", str(BREAST), "--out", "new")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    outcome = call(tmp_path, "plant", "LBL101", str(BREAST), "--out", "new", "--strength", "3")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert not (tmp_path / "new").exists()


# --- taking data into memory ----------------------------------------------------------------------------------------


def loaded(path: Path, **options: int) -> dict[str, pd.DataFrame]:
    """The tables of the data set at a path."""
    (dataset,) = datalint.detect(path)
    return dict(load(dataset, **options).clean.tables)


def test_columns_keep_their_order_and_types(tmp_path: Path) -> None:
    n = 60
    table = pd.DataFrame(
        {
            "name": [f"n {k % 7}" for k in range(n)],
            "whole": np.arange(n) * 3,
            "part": np.arange(n) / 7,
            "flag": np.arange(n) % 3 == 0,
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), unit="h"),
            "code": [f"{k:03d}x" for k in range(n)],
            "gap": [None if k % 5 else 1.5 * k for k in range(n)],
            "label": ["yes", "no"] * (n // 2),
        }
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    (tables,) = loaded(tmp_path / "t.csv").values()
    pd.testing.assert_frame_equal(tables, table, check_dtype=False)
    kinds = [tables[name].dtype.kind for name in table]
    assert kinds == [table[name].dtype.kind for name in table]
    table.to_parquet(tmp_path / "t.parquet")
    (tables,) = loaded(tmp_path / "t.parquet").values()
    pd.testing.assert_frame_equal(tables, table, check_dtype=False)


def test_unusual_text_tables_are_read_as_a_scan_reads_them(tmp_path: Path) -> None:
    lines = ["größe;preis;klasse"] + [f"{k},5;{k * 2};{'ä' if k % 2 else 'b'}" for k in range(50)]
    (tmp_path / "t.csv").write_bytes("\n".join(lines).encode("cp1252"))
    (table,) = loaded(tmp_path / "t.csv").values()
    assert list(table) == ["größe", "preis", "klasse"]
    assert table["größe"].tolist() == [k + 0.5 for k in range(50)]
    assert set(table["klasse"]) == {"ä", "b"}


def test_json_lines_and_tables_beside_each_other_are_read_as_the_one_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 2)).round(3), columns=["width", "height"])
    frame.loc[3, "height"] = np.nan
    frame["open"] = rng.random(60) < 0.5
    frame["colour"] = rng.choice(["red", "blue", "green"], 60)
    frame["target"] = rng.choice(["yes", "no"], 60)
    for kind in ("json", "beside", "whole"):
        (tmp_path / kind).mkdir()
    frame.to_json(tmp_path / "json" / "d.jsonl", orient="records", lines=True)
    frame.drop(columns="target").to_csv(tmp_path / "beside" / "X.csv", index=False)
    frame[["target"]].to_csv(tmp_path / "beside" / "y.csv", index=False)
    frame.to_csv(tmp_path / "whole" / "d.csv", index=False)
    (whole,) = loaded(tmp_path / "whole").values()
    for kind in ("json", "beside"):
        (table,) = loaded(tmp_path / kind).values()
        pd.testing.assert_frame_equal(table, whole)


@pytest.mark.parametrize("kind", ["json", "beside"])
def test_a_fault_is_planted_into_them(tmp_path: Path, kind: str) -> None:
    frame = pd.read_csv(BREAST / "train.csv")
    data = tmp_path / "data"
    data.mkdir()
    if kind == "json":
        frame.to_json(data / "d.jsonl", orient="records", lines=True)
    else:
        frame.drop(columns="diagnosis").to_csv(data / "X.csv", index=False)
        frame[["diagnosis"]].to_csv(data / "y.csv", index=False)
    outcome = call(tmp_path, "plant", "DUP101", "data", "--out", "faulty", "--strength", "1")
    assert (outcome.status, outcome.err) == (0, "")
    report = datalint.scan(tmp_path / "faulty", label="diagnosis", cache=False, select=["DUP101"])
    (rows,) = json.loads((tmp_path / "faulty" / NOTE).read_text())["samples"].values()
    assert sorted(report.affected("DUP101")["index"]) == rows


def test_a_split_column_becomes_splits_and_shards_become_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=90), "split": ["train", "train", "test"] * 30, "y": ["a", "b"] * 45})
    table.to_csv(tmp_path / "t.csv", index=False)
    tables = loaded(tmp_path / "t.csv")
    assert {split: (len(part), list(part)) for split, part in tables.items()} == {
        "train": (60, ["x", "y"]),
        "test": (30, ["x", "y"]),
    }
    shards = tmp_path / "shards"
    shards.mkdir()
    for k in range(3):
        table[["x", "y"]][30 * k : 30 * k + 30].to_csv(shards / f"part-{k:05d}-of-00003.csv", index=False)
    assert loaded(shards)["all"]["x"].tolist() == table["x"].tolist()


def test_thinning_keeps_order_and_splits() -> None:
    whole, thin = loaded(BREAST), loaded(BREAST, samples=100)
    assert {split: len(part) for split, part in thin.items()} == {"train": 75, "test": 25}
    for split, part in thin.items():
        kept = whole[split].merge(part.drop_duplicates(), how="left", indicator=True)["_merge"] == "both"
        assert whole[split][kept.to_numpy()].reset_index(drop=True).equals(part)
    (dataset,) = datalint.detect(DIGITS)
    found = load(dataset, samples=40)
    assert (found.taken, found.total) == (40, 200)
    assert {path.split("/")[0] for path in found.clean.files} == {"train", "test"}


def test_arrays_are_tables_unless_they_are_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 4)), rng.integers(0, 2, 50)
    np.savez(tmp_path / "t.npz", X=X, y=y)
    (table,) = loaded(tmp_path / "t.npz").values()
    assert table["y"].tolist() == y.tolist()
    assert np.array_equal(table.drop(columns="y").to_numpy(), X)
    np.savez(tmp_path / "p.npz", X=rng.integers(0, 255, (20, 16, 16, 3), np.uint8), y=y[:20])
    with pytest.raises(DatalintError, match="pictures as arrays"):
        loaded(tmp_path / "p.npz")


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datalint.planting.load.MAX_ROWS", 100)
    with pytest.raises(DatalintError, match="holds 569 rows: at most 100 can be taken"):
        loaded(BREAST)
    monkeypatch.setattr("datalint.planting.load.MAX_BYTES", 1_000)
    with pytest.raises(DatalintError, match="can be taken into memory; give a part of it"):
        loaded(DIGITS)
    assert loaded(BREAST, samples=50)


# --- names that lead elsewhere --------------------------------------------------------------------------------------

HOSTILE = ("..", ".", "../../escaped", "/tmp/escaped by a label", "a/../../b", "__hidden", ".hidden", "x" * 300, "ok")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Pictures with labels from a table, in which labels are paths."""
    place = tmp_path / "deep" / "down" / "data"
    (place / "train").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for k in range(8 * len(HOSTILE)):
        Image.fromarray(rng.integers(0, 255, (16, 24, 3), np.uint8)).save(place / "train" / f"{k:03d}.png")
        rows.append(f'train/{k:03d}.png,"{HOSTILE[k % len(HOSTILE)]}"')
    (place / "train.csv").write_text("file,label\n" + "\n".join(rows) + "\n")
    return place


def everything(folder: Path) -> set[str]:
    """All names below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_labels_that_are_paths_stay_in_the_copy(listed: Path, tmp_path: Path) -> None:
    before = everything(tmp_path)
    outcome = call(listed.parent, "plant", "VAL101", "data", "--out", "out", "--strength", "1")
    assert (outcome.status, outcome.err) == (0, "")
    new = everything(tmp_path) - before
    assert all(name == "deep/down/out" or name.startswith("deep/down/out/") for name in new)
    assert not Path("/tmp/escaped by a label").exists()
    out = listed.parent / "out"
    assert len([*out.rglob("*.png")]) == 8 * len(HOSTILE)
    (dataset,) = datalint.detect(out)
    assert sum(len(part.files_read) for part in dataset.partitions) == 8 * len(HOSTILE)  # a scan passes none over
    assert len({path.parent for path in out.rglob("*.png")}) == len(HOSTILE)
    assert any(path.name == "ok" for path in out.rglob("*"))


def test_selftest_writes_in_its_temporary_folder_alone(listed: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    before = everything(tmp_path)
    outcome = run(listed.parent, "selftest", "data", "--select", "VAL101,IMG106", extra={"TMPDIR": str(temporary)})
    assert (outcome.status, outcome.err) == (0, "")
    assert {name for name in everything(tmp_path) - before if not name.startswith("deep/down/.cache")} == set()
    assert not Path("/tmp/escaped by a label").exists()


def test_split_names_that_are_paths_stay_in_the_copy(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    data.mkdir(parents=True)
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=300), "y": ["a", "b", "c"] * 100})
    for name in "ab":
        frame.to_csv(data / f"{name}.csv", index=False)
    splits = ["--split", "../../up=a.csv", "--split", "train=b.csv"]
    outcome = call(tmp_path / "deep", "plant", "DUP101", "data", "--out", "out", "--strength", "1", *splits)
    assert (outcome.status, outcome.err) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert len([*(tmp_path / "deep" / "out").glob("*.csv")]) == 2


def test_force_writes_through_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "outside.csv").write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "train.csv").symlink_to(precious / "outside.csv")
    plant("DUP101", BREAST, out, force=True)
    assert (precious / "outside.csv").read_text() == "mine"
    assert not (out / "train.csv").is_symlink()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "train").symlink_to(precious)
    with pytest.raises(DatalintError, match="lies behind a link that leads out of"):
        plant("VAL101", DIGITS, tree, force=True)
    assert [path.name for path in precious.iterdir()] == ["outside.csv"]


def test_a_rule_that_writes_elsewhere_is_stopped(tmp_path: Path) -> None:
    for path in ("../x.csv", "/tmp/x of a rule.csv", "a/../../x.csv", "."):
        with pytest.raises(DatalintError, match="leads out of the folder of the copy"):
            Clean("set", files={path: b"1"}).write(tmp_path / "out")
    assert not (tmp_path / "x.csv").exists()


def test_the_command_that_is_printed_can_be_typed(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=200), "it's; a $(label)": ["a", "b"] * 100})
    frame.to_csv(tmp_path / "my data.csv", index=False)
    label = ["--label", "it's; a $(label)"]
    outcome = call(tmp_path, "plant", "DUP101", "my data.csv", "--out", "the copy", *label)
    assert outcome.status == 0
    line = next(line for line in outcome.out.splitlines() if line.startswith("to see it found: "))
    assert shlex.split(line.partition(": ")[2]) == ["datalint", "scan", "the copy", *label, "--select", "DUP101"]
