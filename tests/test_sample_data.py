"""The sample data shows what its notes say, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFile

import datalint
from sample_data import make

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(make.__file__).parent
FOLDERS = sorted(path.name for path in HERE.iterdir() if path.is_dir() and not path.name.startswith("__"))
SEVEN_FAULTS = {"ORD101", "ORD103", "LBL101", "LBL102", "SPL103", "IMG101", "VAL101"}


def expected(folder: str) -> dict[str, Any]:
    """What a scan must say of one folder."""
    with (HERE / folder / "expected.json").open(encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_scan_finds_what_is_wrong(folder: str) -> None:
    report = datalint.scan(HERE / folder, cache=False)
    (dataset,) = report.datasets
    assert [rule for rule in dataset.rules if rule.status == "failed"] == []
    found: dict[str, str] = {}
    leads = {finding.fingerprint: finding.severity for finding in report.findings}
    for finding in report.findings:  # worst first
        part = finding.part_of is not None and leads[finding.part_of] != "info"
        found.setdefault(finding.code, "part" if part else finding.severity)
    wanted = expected(folder)
    assert {code: severity for code, severity in found.items() if severity != "info"} == {
        code: severity for code, severity in wanted["found"].items() if severity != "info"
    }
    assert set(wanted["found"]) <= set(found)
    assert not set(wanted["absent"]) & set(found)


def test_every_folder_is_one_data_set() -> None:
    found = [Path(dataset.path).relative_to(HERE).parts[0] for dataset in datalint.detect(HERE)]
    assert sorted(found) == FOLDERS


def test_all_faults_are_shown_and_clean_sets_stay_silent() -> None:
    shown = {code for folder in FOLDERS for code, severity in expected(folder)["found"].items() if severity != "info"}
    assert SEVEN_FAULTS | {"FIL101", "IMG103"} <= shown
    for folder in FOLDERS:
        severities = set(expected(folder)["found"].values())
        assert folder.startswith("clean_") == (severities <= {"info"})


def test_every_folder_has_its_note_and_all_are_small() -> None:
    for folder in FOLDERS:
        note = (HERE / folder / "NOTE.md").read_text(encoding="utf-8")
        assert "**Origin and licence**" in note
        assert "**What is wrong with it**" in note
    files = [path for path in HERE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert len(files) < 1_000


def test_the_script_makes_the_data(tmp_path: Path) -> None:
    made = tmp_path / "sample_data"
    make.make(made)
    names = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
    kept = {path.relative_to(HERE) for folder in FOLDERS for path in (HERE / folder).rglob("*") if path.is_file()}
    assert names == {path for path in kept if path.name not in {"NOTE.md", "expected.json"}}
    for name in names:
        assert same(made / name, HERE / name), name


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same data; encoders may pack it differently from version to version."""
    if one.read_bytes() == other.read_bytes():
        return True
    equal: dict[str, Callable[[Path, Path], bool]] = {
        ".csv": lambda a, b: pd.read_csv(a).equals(pd.read_csv(b)),
        ".parquet": lambda a, b: pd.read_parquet(a).equals(pd.read_parquet(b)),
        ".npz": _same_arrays,
        ".png": lambda a, b: bool((_pixels(a) == _pixels(b)).all()),
        # Lossy: another version of the encoder may round otherwise.
        ".jpg": lambda a, b: bool(np.abs(_pixels(a) - _pixels(b)).mean() < 4),
    }
    return equal[one.suffix](one, other)


def _same_arrays(one: Path, other: Path) -> bool:
    with np.load(one) as a, np.load(other) as b:
        return set(a.files) == set(b.files) and all(bool((a[name] == b[name]).all()) for name in a.files)


def _pixels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    parser = ImageFile.Parser()  # reads a truncated file as far as it goes
    parser.feed(path.read_bytes())
    return np.asarray(parser.image or Image.new("L", (1, 1)), dtype=np.float64)
