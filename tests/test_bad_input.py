"""Bad input through the real command line: one clear line and status 2, or a finding; never a traceback."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from datalint.report.models import Report
from tests.command import COMMAND, Outcome, call, environment, run

RNG = np.random.default_rng(2)
PLAIN = ("--preset", "fast", "--no-cache", "--no-report")


def frame(rows: int = 60) -> pd.DataFrame:
    return pd.DataFrame({"a": RNG.random(rows), "b": RNG.random(rows), "label": RNG.choice(["x", "y"], rows)})


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 255, (9, 12, 3), dtype=np.uint8)).save(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that may go wrong, side by side."""
    place = tmp_path_factory.mktemp("bad")
    frame().to_csv(place / "good.csv", index=False)
    (place / "header.csv").write_text("a,b,label\n")
    (place / "zero.csv").write_bytes(b"")
    (place / "binary.csv").write_bytes(RNG.bytes(3000))
    (place / "page.csv").write_text("<!DOCTYPE html><html><body>404</body></html>")
    (place / "pointer.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 99\n")
    frame(500).to_parquet(place / "half.parquet")
    whole = (place / "half.parquet").read_bytes()
    (place / "half.parquet").write_bytes(whole[: len(whole) // 2])
    (place / "ragged.csv").write_text("a,b,label\n" + "1,2,x\n3,4,y\n" * 30 + "1,2\n1,2,3,4\n")
    frame(1).to_csv(place / "one.csv", index=False)
    (place / "empty").mkdir()
    (place / "other").mkdir()
    (place / "other" / "a.docx").write_bytes(b"x")
    os.mkfifo(place / "pipe.csv")
    for k in range(3):
        picture(place / "single" / "cat" / f"{k}.png")
    (place / "file").write_text("x")
    (place / "locked").mkdir()
    return place


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("good.cvs",), "no such file or folder: good.cvs; did you mean good.csv?"),
        (("",), "'' is not a path"),
        (("empty",), "empty holds no files; scan a folder of tables (CSV, Parquet)"),
        (("other",), "no data set recognised in other (its files: .docx); datalint reads CSV"),
        (("good.csv", "--label", "lable"), "good.csv: no column 'lable'; did you mean 'label'?"),
        (("good.csv", "--label", "zzz"), "good.csv: no column 'zzz'; its columns are a, b, label"),
        (("header.csv",), "header.csv holds column names and no rows"),
        (("zero.csv",), "zero.csv is no data set that can be read: an empty file; give a CSV"),
        (("binary.csv",), "binary.csv is no data set that can be read: binary content; give a CSV"),
        (("page.csv",), "page.csv is no data set that can be read: an HTML page; give a CSV"),
        (("pointer.parquet",), "a Git LFS pointer to 99 bytes that were not fetched (git lfs pull)"),
        (("half.parquet",), "half.parquet is no data set that can be read: a damaged Parquet file"),
        (("pipe.csv",), "pipe.csv is a pipe or device: save what it gives in a file"),
        (("good.csv", "--output-dir", "file"), "cannot write reports to file: choose another folder with --output-dir"),
        (("good.csv", "--json", "empty"), "cannot write empty: choose another place"),
        (
            ("good.csv", "--select", "ORD1O1"),
            "no rule matches 'ORD1O1'; did you mean 'ORD101'?",
        ),
        (("good.csv", "--ignore", "nonsense"), "no rule matches 'nonsense'"),
        (("good.csv", "--split", "train"), "'train' is not of the form NAME=GLOB"),
        (("empty/..", "--split", "train=none*"), "--split train=none*: no file below"),
        (("good.csv", "--batch-size", "0"), "Invalid value for '--batch-size'"),
        (("good.csv", "--nonsense"), "No such option"),
        ((), "Missing argument"),
        (("good.csv", "--pred-probs", "gone.npy"), "no such file: gone.npy"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_one_line_and_status_two(
    folder: Path,
    arguments: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from datalint.cli import main

    before = sorted(path.name for path in folder.iterdir())
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["datalint", "scan", *arguments, *([] if "--output-dir" in arguments else PLAIN)])
    with pytest.raises(SystemExit) as caught:
        main()
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (2, "")
    assert err.startswith("datalint: ") and err.count("\n") == 1
    assert words in err
    assert sorted(path.name for path in folder.iterdir()) == before


def test_the_same_as_a_process(folder: Path) -> None:
    outcome = run(folder, "scan", "binary.csv")
    message = "datalint: binary.csv is no data set that can be read: binary content; give a CSV, TSV, Parquet, Arrow, JSON, .npy or .npz"
    assert outcome == Outcome(2, "", message + " file, or a folder\n")
    assert run(folder, "scna").err.count("\n") == 1


def test_findings_instead_of_failures(folder: Path) -> None:
    ragged = call(folder, "scan", "ragged.csv", *PLAIN)
    assert (ragged.status, ragged.err) == (0, "")
    assert "2 rows do not" in ragged.out and "(lines 62, 63)" in " ".join(ragged.out.split())
    everything = call(folder, "scan", ".", *PLAIN, "--format", "concise")
    assert (everything.status, everything.err) == (1, "")
    assert "binary.csv" in everything.out and "pointer.parquet" in everything.out
    for source in ("single", "one.csv"):
        outcome = call(folder, "scan", source, "--no-cache", "--no-report")
        assert (outcome.status, outcome.err) == (0, "")
        assert "failed" not in outcome.out


def test_very_wide_table(tmp_path: Path) -> None:
    with (tmp_path / "wide.csv").open("w") as file:
        file.write(",".join(f"g{k}" for k in range(50_000)) + ",label\n")
        for k in range(6):
            file.write(",".join(["1.5", "2.5"] * 25_000) + f",{'xy'[k % 2]}\n")
    outcome = call(tmp_path, "scan", "wide.csv", "--no-cache", "--no-report", "--select", "FIL101,LBL101,ORD103")
    assert (outcome.status, outcome.err) == (0, "")
    assert "6 samples" in outcome.out and "label label, classification" in outcome.out


def powerless() -> None:
    """Take from root the right to read everybody's files; nobody else has it."""
    if sys.platform == "linux" and os.geteuid() == 0:
        drop_from_bounding_set = 24
        for capability in (1, 2):  # to overlook, and to read and search in spite of, the permissions
            ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0)


def test_permissions(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "good.csv", index=False)
    frame().to_csv(tmp_path / "secret.csv", index=False)
    for name in ("a/0", "a/1", "b/0", "b/secret"):
        picture(tmp_path / "pictures" / f"{name}.png")
    (tmp_path / "folder").mkdir()
    locked = [tmp_path / "secret.csv", tmp_path / "pictures" / "b" / "secret.png", tmp_path / "folder"]
    for path in locked:
        path.chmod(0)
    (tmp_path / "fixed").mkdir(mode=0o555)
    try:
        scan = run(tmp_path, "scan", ".", *PLAIN, "--format", "json", preexec_fn=powerless)
        assert (scan.status, scan.err) == (1, "")
        named = {
            sample["id"]: sample["detail"]
            for dataset in json.loads(scan.out)["datasets"]
            for finding in dataset["findings"]
            for sample in finding["affected"]["samples"]
        }
        assert set(named) == {"folder", "pictures/b/secret.png", "secret.csv"}
        assert all(detail == {"problem": "Permission denied"} for detail in named.values())
        for arguments, words in (
            (("secret.csv",), "secret.csv is no data set that can be read: Permission denied"),
            (("folder",), "cannot read folder: Permission denied"),
            (("folder/a.csv",), "cannot read folder/a.csv: Permission denied"),
        ):
            refused = run(tmp_path, "scan", *arguments, *PLAIN, preexec_fn=powerless)
            assert (refused.status, refused.out) == (2, "")
            assert words in refused.err and refused.err.count("\n") == 1
        unwritten = run(tmp_path, "scan", "good.csv", "--output-dir", "fixed/deep", preexec_fn=powerless)
        assert unwritten.status == 2
        assert "cannot write reports to fixed/deep: choose another folder" in unwritten.err
    finally:
        for path in locked:
            path.chmod(0o755)


def test_interrupted(tmp_path: Path) -> None:
    frame(40).to_csv(tmp_path / "a.csv", index=False)
    rows = (tmp_path / "a.csv").read_text().partition("\n")[2]
    with (tmp_path / "a.csv").open("a") as file:
        for _ in range(100_000):  # some seconds of work
            file.write(rows)
    with subprocess.Popen(
        [*COMMAND, "scan", "a.csv", "--no-cache", "--jobs", "1"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # Once the file is open the scan is under way.
        opened = Path(f"/proc/{process.pid}/fd")
        for _ in range(3000):
            if process.poll() is not None or any(_target(link).endswith("a.csv") for link in _links(opened)):
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err.strip()) == (130, "", "datalint: interrupted; no report was written")
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["a.csv"]


def _links(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_hostile_names_in_every_report(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for name in ("a\nb", "c\x1b[31m", "<script>alert(1)<", "::error::x", os.fsdecode(b"d\xff")):
        for k in range(3):
            picture(root / name / f"{k}.png")
    (root / "a\nb" / ("n" * 250 + ".png")).write_bytes(b"broken")
    (root / "c\x1b[31m" / os.fsdecode(b"\xfe\n.png")).write_bytes(b"broken")
    odd = frame().rename(columns={"a": "x\ny", "b": "\x1b[31mred"})
    odd["label"] = np.where(odd["label"] == "x", "</script>", "::warning::")
    odd.to_csv(root / "table.csv", index=False)
    outcome = call(tmp_path, "scan", "data", "--preset", "fast", "--no-cache")
    assert (outcome.status, outcome.err) == (1, "")
    assert "\x1b" not in outcome.out
    assert not any(line.lstrip().startswith("::") for line in outcome.out.splitlines())
    page = (tmp_path / "datalint-report" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    report = Report.read_json(tmp_path / "datalint-report" / "report.json")
    ids = [sample.id for f in report.findings if f.code == "IMG103" for sample in f.affected.samples]
    assert len(ids) == 2 and any(name.endswith("/\\xfe\n.png") for name in ids)
    for style in ("concise", "json"):
        again = call(tmp_path, "scan", "data", *PLAIN, "--format", style)
        assert (again.status, again.err) == (1, "")
    assert call(tmp_path, "detect", "data").status == 0


def test_closed_and_full_outputs(folder: Path) -> None:
    command = f"{' '.join(COMMAND)} rules"
    for redirection, status in ((">&-", 0), ("2>&-", 0), (">/dev/full", 2)):
        done = subprocess.run(
            f"{command} {redirection}",
            shell=True,
            cwd=folder,
            env=environment(folder),
            capture_output=True,
            check=False,
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (status, False)


def test_a_table_without_a_whole_row_does_not_end_the_scan_of_others(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "good.csv", index=False)
    (tmp_path / "cut.csv").write_text("p,q,r,label\n1,2")
    outcome = call(tmp_path, "scan", ".", *PLAIN, "--format", "json")
    report = Report.model_validate_json(outcome.out)
    assert outcome.status == 1
    assert any(dataset.name == "good" and dataset.splits[0].samples == 60 for dataset in report.datasets)
    assert any(f.code == "FIL101" and "cut.csv: holds no samples" in f.message for f in report.findings)


@pytest.mark.parametrize("name", ["train.csv.gz", "train.parquet"])
def test_a_damaged_list_beside_pictures(tmp_path: Path, name: str) -> None:
    table = pd.DataFrame({"file": [f"{k}.png" for k in range(3000)], "label": RNG.choice(["x", "y"], 3000)})
    for k in range(12):
        picture(tmp_path / "images" / f"{k}.png")
    path = tmp_path / name
    (table.to_csv if name.endswith("gz") else table.to_parquet)(path, index=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40] if name.endswith("gz") else whole[:200] + bytes(400) + whole[600:])
    outcome = call(tmp_path, "scan", ".", *PLAIN)
    assert outcome.status in {0, 1}
    assert "Traceback" not in outcome.err


def test_changed_files_that_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# notes")
    for path in ("notes.md", "gone.csv"):
        outcome = call(tmp_path, "scan", "--changed-only", path, *PLAIN, "--format", "json")
        assert outcome.status == 0, outcome.err
        assert Report.model_validate_json(outcome.out).datasets == ()


@pytest.mark.parametrize("name", ["label", "zzzzz"])
def test_parquet_whose_schema_denies_its_statistics(tmp_path: Path, name: str) -> None:
    """In a process of its own: pyarrow aborts when asked for a column whose counts of empty cells do not fit the schema."""
    frame().to_csv(tmp_path / "good.csv", index=False)
    frame().assign(zzzzz="x").to_parquet(tmp_path / "bad.parquet", row_group_size=20)
    data = (tmp_path / "bad.parquet").read_bytes()
    optional, required = (b"\x15\x0c\x25" + kind + b"\x18\x05" + name.encode() for kind in (b"\x02", b"\x00"))
    assert data.count(optional) == 1
    (tmp_path / "bad.parquet").write_bytes(data.replace(optional, required))
    outcome = call(tmp_path, "scan", ".", *PLAIN, "--format", "concise")
    assert (outcome.status, outcome.err) == (1, "")
    assert "bad.parquet" in outcome.out


def test_numbers_as_large_as_they_get(tmp_path: Path) -> None:
    """What overflows is infinite, and nothing to warn of; here a warning is an error."""
    table = pd.DataFrame(RNG.choice([1.7e308, -1.7e308, 1e300], (80, 3)), columns=["a", "b", "c"])
    table["d"] = 1e308 * RNG.random(80)
    table["label"] = RNG.choice(["x", "y"], 80)
    for name in ("train", "test"):
        table.sample(frac=0.9, random_state=len(name)).to_csv(tmp_path / f"{name}.csv", index=False)
    outcome = call(tmp_path, "scan", ".", "--no-cache", "--no-report", "--exit-zero", "--format", "json")
    assert (outcome.status, outcome.err) == (0, "")
    (dataset,) = json.loads(outcome.out)["datasets"]
    assert [rule for rule in dataset["rules"] if rule["status"] == "failed"] == []
