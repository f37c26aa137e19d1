"""Table formats of other distributions, installed as pip leaves them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyarrow import Table, orc
from sklearn.datasets import load_iris

ROOT = Path(__file__).parents[2]
IRIS = load_iris(as_frame=True).frame.sample(frac=1, random_state=0)
GUIDE = re.findall(r"^```python\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M | re.S)
(EXAMPLE,) = (code for code in GUIDE if "(TableFormat)" in code)
FAILED = "the format 'orc' of acme-orc 1.0 is not used: "


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed distributions, one of them with the format of the guide."""
    info = tmp_path / "site" / "acme_orc-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-orc\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[datalint.formats]\norc = acme_orc:OrcFormat\n")
    (info.parent / "acme_orc.py").write_text(EXAMPLE)
    return info.parent


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Iris in two splits, with rows of train in test as well."""
    (tmp_path / "flowers").mkdir()
    for name, rows in (("train", IRIS[:100]), ("test", IRIS[70:])):
        orc.write_table(Table.from_pandas(rows, preserve_index=False), tmp_path / "flowers" / f"{name}.orc")
    return tmp_path / "flowers"


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(site), str(ROOT), str(ROOT / "rules")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "DATALINT_CACHE_DIR": str(site / "cache")}
    command = [sys.executable, "-m", "datalint", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def scan(site: Path, *options: str) -> dict[str, Any]:
    done = run(site, "scan", *options, "--no-report", "--format", "json", "--preset", "fast")
    assert done.returncode in {0, 1}, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_the_format_of_the_guide_is_read_and_written(site: Path, data: Path) -> None:
    (dataset,) = scan(site, str(data))["datasets"]
    assert {split["name"]: split["samples"] for split in dataset["splits"]} == {"train": 100, "test": 80}
    assert dataset["label"]["name"] == "target"
    (found,) = (finding for finding in dataset["findings"] if finding["code"] == "SPL101")
    assert found["affected"]["count"] == len(IRIS[70:].merge(IRIS[:100].drop_duplicates()))
    fixed = data.parent / "fixed"
    done = run(site, "fix", str(data), "--out", str(fixed))
    assert done.returncode == 0, done.stderr
    rows = sum(orc.ORCFile(fixed / f"{name}.orc").nrows for name in ("train", "test"))
    assert rows == len(IRIS.drop_duplicates())


def test_a_damaged_file_is_named(site: Path, data: Path) -> None:
    file = data / "test.orc"
    file.write_bytes(file.read_bytes()[:-40])
    report = json.dumps(scan(site, str(data)))
    assert "test.orc" in report
    assert "a damaged ORC file" in report


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("class OrcFormat: pass", "TypeError: acme_orc:OrcFormat is no datalint.sources.tables.format.TableFormat"),
    ],
)
@pytest.mark.parametrize("single", [True, False])
def test_one_that_fails_is_named_and_the_scan_goes_on(
    site: Path, tmp_path: Path, code: str, why: str, single: bool
) -> None:
    (site / "acme_orc.py").write_text(code)
    (tmp_path / "tables").mkdir()
    IRIS.to_csv(tmp_path / "tables" / "iris.csv", index=False)
    report = scan(site, str(tmp_path / "tables" / "iris.csv" if single else tmp_path / "tables"))
    assert report["datasets"][0]["splits"][0]["samples"] == 150
    assert FAILED + why in json.dumps(report).replace("\\", "")


def test_one_that_breaks_down_on_a_file_is_named(site: Path, data: Path) -> None:
    (site / "acme_orc.py").write_text(EXAMPLE.replace("from pyarrow import orc\n", "1 / 0\n", 1))
    IRIS.to_csv(data / "iris.csv", index=False)
    report = json.dumps(scan(site, str(data)))
    assert "cannot be read as a table by the format 'orc' of acme-orc 1.0" in report
