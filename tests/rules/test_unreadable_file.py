"""FIL101 on tables and arrays."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import datalint
from datalint.core.clean import POINTER
from tests.reference import named

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding


def found(folder: Path) -> list[Finding]:
    return datalint.scan(folder, select=["FIL101"]).findings


@pytest.fixture
def table() -> pd.DataFrame:
    return named("wine").tables["all"]


@pytest.fixture
def shards(tmp_path: Path, table: pd.DataFrame) -> Path:
    """Three good shards."""
    for k in range(3):
        table.iloc[k::3].to_csv(tmp_path / f"part-{k}.csv", index=False)
    return tmp_path


def test_good_files_are_silent(shards: Path) -> None:
    assert not found(shards)
    (shards / "README.md").write_text("# Wine\n")
    assert not found(shards)


@pytest.mark.parametrize("kind", ["half", "empty", "noise"])
def test_a_parquet_file_that_is_none(tmp_path: Path, table: pd.DataFrame, kind: str) -> None:
    whole = table.to_parquet(None)
    (tmp_path / "train.parquet").write_bytes(whole)
    content = {"half": whole[: len(whole) // 2], "empty": b"", "noise": np.random.default_rng(0).bytes(3_000)}[kind]
    (tmp_path / "test.parquet").write_bytes(content)
    (finding,) = found(tmp_path)
    assert finding.severity == "error"
    assert [sample.id for sample in finding.affected.samples] == [(tmp_path / "test.parquet").as_posix()]


@pytest.mark.parametrize("kind", ["empty", "noise"])
def test_a_csv_file_that_is_none(shards: Path, kind: str) -> None:
    content = {"empty": b"", "noise": np.random.default_rng(0).bytes(3_000)}[kind]
    (shards / "part-3.csv").write_bytes(content)
    (finding,) = found(shards)
    assert finding.severity == "error"
    assert finding.affected.samples[0].id.endswith("part-3.csv")


@pytest.mark.parametrize("name", ["part-3.csv", "extra.parquet", "extra.npy"])
def test_pointers_in_place_of_data(shards: Path, name: str) -> None:
    (shards / name).write_bytes(POINTER)
    (finding,) = found(shards)
    assert finding.severity == "error"
    assert "Git LFS pointer" in finding.message
    assert "git lfs pull" in finding.remedy


def test_rows_with_a_wrong_number_of_fields(tmp_path: Path, table: pd.DataFrame) -> None:
    path = tmp_path / "wine.csv"
    lines = table.to_csv(index=False).splitlines()
    lines[100] += ",7,7"
    lines[150] = "1,2,3"
    path.write_text("\n".join(lines) + "\n")
    (finding,) = found(tmp_path)
    assert finding.severity == "warning"
    assert finding.affected.samples[0].id.endswith("wine.csv")
    assert "101, 151" in str(finding.affected.samples[0].detail["problem"])
    assert datalint.scan(tmp_path).datasets[0].splits[0].samples >= 176


def test_a_shard_that_is_missing(tmp_path: Path, table: pd.DataFrame) -> None:
    for k in (0, 1, 3):
        table.iloc[k::4].to_parquet(tmp_path / f"train-{k:05d}-of-00004.parquet")
    (finding,) = found(tmp_path)
    assert "missing" in finding.message
    assert "2" in finding.message


def test_several_broken_files_are_one_finding_that_lists_them(shards: Path) -> None:
    for k in range(3, 6):
        (shards / f"part-{k}.csv").write_bytes(b"")
    (finding,) = found(shards)
    assert finding.affected.count == 3
    assert sorted(sample.id[-10:] for sample in finding.affected.samples) == [f"part-{k}.csv" for k in range(3, 6)]
    assert len(datalint.scan(shards).affected("FIL101")) == 3


def test_a_new_broken_file_does_not_change_the_fingerprint(shards: Path) -> None:
    (shards / "part-3.csv").write_bytes(b"")
    before = found(shards)[0].fingerprint
    (shards / "part-4.csv").write_bytes(b"")
    assert found(shards)[0].fingerprint == before


def test_arrays_cut_short(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "good.npz", x=rng.random((30, 4)), y=np.arange(30) % 2)
    np.save(tmp_path / "X.npy", rng.random((500, 9)))
    np.save(tmp_path / "y.npy", np.arange(500) % 2)
    assert not found(tmp_path)
    content = (tmp_path / "X.npy").read_bytes()
    (tmp_path / "X.npy").write_bytes(content[: len(content) // 2])
    findings = found(tmp_path)
    (damaged,) = [finding for finding in findings if finding.severity == "error"]
    assert [sample.id.rpartition("/")[2] for sample in damaged.affected.samples] == ["X.npy"]


def test_labels_that_do_not_match_their_inputs(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    np.savez(tmp_path / "set.npz", X=rng.random((50, 4)), y=np.arange(49) % 2)
    (finding,) = found(tmp_path)
    assert "49 labels for 50 inputs" in finding.message


class Bomb:
    """What pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('unpickled')",))


def test_pickles_are_never_opened(shards: Path) -> None:
    np.save(shards / "labels.npy", np.array([Bomb(), None], dtype=object), allow_pickle=True)
    (shards / "model.npy").write_bytes(pickle.dumps(Bomb()))
    findings = found(shards)
    named_files = {sample.id.rpartition("/")[2] for finding in findings for sample in finding.affected.samples}
    assert {"labels.npy", "model.npy"} <= named_files


def test_links_out_of_the_folder_are_told(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text("a,b\n1,2\n3,4\n")
    (shards / "link.csv").symlink_to(outside)
    (finding,) = found(shards)
    assert finding.severity == "info"
    assert "leads out of the scanned folder" in finding.message


def listed(folder: Path, where: str = "images") -> Path:
    """Pictures, and a list of them with labels."""
    (folder / where).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for k in range(40):
        Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)).save(folder / where / f"{k:03}.png")
    lines = [f"{k:03}.png,{'ab'[k % 2]}" for k in range(40)]
    (folder / "labels.csv").write_text("\n".join(["file,label", *lines]) + "\n")
    return folder


@pytest.mark.parametrize("where", ["images", ".", "a/b"])
def test_pictures_that_a_list_names_and_that_are_not_there(tmp_path: Path, where: str) -> None:
    listed(tmp_path, where)
    assert not found(tmp_path)
    (tmp_path / where / "007.png").unlink()
    (tmp_path / where / "031.png").unlink()
    (finding,) = found(tmp_path)
    assert finding.severity == "error"
    assert finding.message.endswith("labels.csv: names 2 of 40 files in 'file' that are not there, such as '007.png'")


@pytest.mark.parametrize("lost", [1, 39, 40, 60, 80])
def test_a_list_whose_pictures_are_lost_is_an_error_however_many(tmp_path: Path, lost: int) -> None:
    names = [f"{k:03d}.png" for k in range(80)]
    for name in names[lost:]:
        Image.new("L", (20, 20), int(name[:3]) + 9).save(tmp_path / name)
    pd.DataFrame({"file": names, "label": ["cat", "dog"] * 40}).to_csv(tmp_path / "labels.csv", index=False)
    report = datalint.scan(tmp_path, select=["FIL101"])
    (finding,) = [finding for finding in report.findings if finding.severity != "info"]
    assert finding.severity == "error" and f"names {lost} of 80 files" in finding.message


def test_pictures_kept_elsewhere_are_not_lost(tmp_path: Path) -> None:
    names = [f"{k:03d}.png" for k in range(80)]
    for number, name in enumerate(["https://example.org/", "/mnt/pictures/", ""]):
        table = pd.DataFrame({"file": [name + own for own in names], "label": ["cat", "dog"] * 40})
        table = table if name else table.assign(width=range(80), height=[h % 7 for h in range(80)])
        table.to_csv(tmp_path / f"labels{number}.csv", index=False)
    assert not datalint.scan(tmp_path, select=["FIL101"]).findings
