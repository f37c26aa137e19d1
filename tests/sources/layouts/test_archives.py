"""Archives of any layout, made by the standard library: read like folders, and nothing is extracted."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris

import datalint
from datalint.core.errors import DatalintError
from datalint.sources import packing
from datalint.sources.remote import archives
from tests.command import run
from tests.crops import CLASSES, crops

if TYPE_CHECKING:
    from datalint.report.models import Report

KINDS = ("zip", "tar", "tar.gz", "tgz", "tar.zst")


def pack(folder: Path, goal: Path) -> Path:
    """Put a folder into an archive, and remove the folder."""
    kind = "".join(goal.suffixes[-2:]) if ".tar" in goal.suffixes else goal.suffix
    if kind == ".tar.zst":
        shutil.make_archive(str(goal.with_suffix("").with_suffix("")), "tar", folder)
        plain = goal.with_suffix("")
        with pa.output_stream(str(goal), compression="zstd") as out:
            out.write(plain.read_bytes())
        plain.unlink()
    else:
        form = {".zip": "zip", ".tar": "tar"}.get(kind, "gztar")
        made = shutil.make_archive(str(goal.parent / "made"), form, folder)
        Path(made).rename(goal)
    shutil.rmtree(folder)
    return goal


def pictures(folder: Path, leak: int = 0) -> Path:
    items = crops(200)
    for k, (data, kind) in enumerate([*items, *items[:leak]]):
        home = folder / ("train" if k < 160 else "test") / CLASSES[kind]
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{k:03d}.jpg").write_bytes(data)
    return folder


def tables(folder: Path, leak: int = 0) -> Path:
    folder.mkdir(parents=True)
    frame = load_iris(as_frame=True).frame.drop_duplicates().sample(frac=1, random_state=0)
    frame.iloc[:100].to_csv(folder / "train.csv", index=False)
    pd.concat([frame.iloc[100:], frame.iloc[:leak]]).to_csv(folder / "test.csv", index=False)
    return folder


def faults(report: Report) -> dict[str, int]:
    return {f.code: f.affected.count for f in report.findings if f.severity in {"error", "warning"}}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, into which no other test writes."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.mark.parametrize("kind", KINDS)
def test_class_folders(tmp_path: Path, kind: str) -> None:
    path = pack(pictures(tmp_path / "src", leak=20), tmp_path / f"photos.{kind}")
    report = datalint.scan(path, preset="fast")
    (dataset,) = report.datasets
    assert (dataset.name, dataset.layout) == ("photos", "image class folders in split folders")
    assert {split.name: split.samples for split in dataset.splits} == {"train": 160, "test": 60}
    assert faults(report) == {"SPL101": 20}
    assert f"photos.{kind}!/test/" in report.findings[0].affected.samples[0].id
    assert report.to_html().count("data:image/webp") > 3
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", KINDS)
def test_tables(tmp_path: Path, kind: str) -> None:
    assert not faults(datalint.scan(pack(tables(tmp_path / "src"), tmp_path / f"iris.{kind}"), preset="fast"))
    path = pack(tables(tmp_path / "src", leak=30), tmp_path / f"more.{kind}")
    report = datalint.scan(path, preset="fast")
    assert {split.name: split.samples for split in report.datasets[0].splits} == {"train": 100, "test": 79}
    assert faults(report)["SPL101"] == 30


def test_archives_beside_other_data(tmp_path: Path) -> None:
    pack(tables(tmp_path / "src", leak=9), tmp_path / "iris.zip")
    tables(tmp_path / "plain")
    (tmp_path / "plain/test.csv").rename(tmp_path / "plain/valid.csv")
    pictures(tmp_path / "photos")
    shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "photos")
    report = datalint.scan(tmp_path, select=["FIL101"])
    assert sorted(dataset.name for dataset in report.datasets) == ["iris", "photos", "plain"]
    assert any("what it holds lies unpacked next to it" in finding.message for finding in report.findings)


def test_arrays_and_workbooks_within(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    X, y = np.random.default_rng(0).normal(size=(200, 4)), np.arange(200) * 7 % 3
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    np.savez(tmp_path / "src/data.npz", X=X, y=y)
    frame.assign(label=y).to_parquet(tmp_path / "src/rows.parquet")
    report = datalint.scan(pack(tmp_path / "src", tmp_path / "all.zip"), select=["FIL101"])
    assert sorted(dataset.splits[0].samples for dataset in report.datasets) == [200, 200]


def test_nothing_is_left_behind(tmp_path: Path, temporary: Path) -> None:
    path = pack(tables(tmp_path / "src"), tmp_path / "iris.tar.gz")
    options = ("--no-report", "--jobs", "2", "--preset", "fast")
    done = run(tmp_path, "scan", str(path), *options, extra={"TMPDIR": str(temporary)})
    assert done.status == 0
    assert list(temporary.glob("datalint-*")) == []


def hostile(path: Path) -> Path:
    """A sound table next to members that must not be followed."""
    table = tables(path.parent / "src") / "train.csv"
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(table, "good.csv")
            for name in ("../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "C:/evil.csv"):
                archive.writestr(name, table.read_bytes())
            link = zipfile.ZipInfo("link.csv")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "/etc/passwd")
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as packed:
            packed.add(table, "good.csv")
            for name in ("../evil.csv", "/etc/evil.csv", "a/../../evil.csv"):
                item = tarfile.TarInfo(name)
                item.size = table.stat().st_size
                packed.addfile(item, io.BytesIO(table.read_bytes()))
            for kind, name in (
                (tarfile.SYMTYPE, "link.csv"),
                (tarfile.LNKTYPE, "hard.csv"),
                (tarfile.FIFOTYPE, "pipe"),
            ):
                item = tarfile.TarInfo(name)
                item.type, item.linkname = kind, "/etc/passwd"
                packed.addfile(item)
    shutil.rmtree(table.parent)
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_members_that_lead_out(tmp_path: Path, name: str) -> None:
    report = datalint.scan(hostile(tmp_path / name), select=["FIL101"])
    (dataset,) = report.datasets
    assert [split.samples for split in dataset.splits] == [100]
    told = report.to_json()
    assert "a name that leads out of the archive (and " in told
    assert "a link, which is not followed" in told
    assert "root:" not in told
    assert not (tmp_path.parent / "evil.csv").exists()


def test_bombs(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (packing, archives):
        monkeypatch.setattr(module, "UNPACKED", 8 << 20)  # a gigabyte would take as long to pack
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as out,
    ):
        for _ in range(11):
            out.write(bytes(1 << 20))
    with pytest.raises(DatalintError, match="far more than data do: not opened"):
        datalint.scan(path)
    packed = tmp_path / "bomb.tar.gz"
    with pa.output_stream(str(packed), compression="gzip") as file:
        item = tarfile.TarInfo("a.csv")
        item.size = 11 << 20
        file.write(item.tobuf())
        for _ in range(11):
            file.write(bytes(1 << 20))
    with pytest.raises(DatalintError, match="unpacks to more than"):
        datalint.scan(packed)
    assert list(temporary.glob("datalint-*")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_archives_that_are_cut(tmp_path: Path, kind: str) -> None:
    path = pack(pictures(tmp_path / "src"), tmp_path / f"photos.{kind}")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    try:
        report = datalint.scan(path, select=["FIL101"])
    except DatalintError as error:
        assert "damaged archive" in str(error) or "breaks off" in str(error)
    else:
        assert any(finding.severity == "error" for finding in report.findings)


def test_a_member_that_is_damaged(tmp_path: Path) -> None:
    path = pack(pictures(tmp_path / "src"), tmp_path / "photos.zip")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    told = datalint.scan(path, select=["IMG103"]).to_json()
    assert "damaged within the archive" in told or "more than the archive says" in told


def test_an_archive_without_data(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.py").write_text("print()")
    with pytest.raises(DatalintError, match="no data set recognised"):
        datalint.scan(pack(tmp_path / "src", tmp_path / "code.zip"))
