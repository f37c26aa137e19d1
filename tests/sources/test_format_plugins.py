"""Table formats of other distributions, installed as pip leaves them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pyarrow import Table, orc
from sklearn.datasets import load_iris

from tests.sources.installed import example, install, run, scan

if TYPE_CHECKING:
    from pathlib import Path

IRIS = load_iris(as_frame=True).frame.sample(frac=1, random_state=0)
EXAMPLE = example("TableFormat")
FAILED = "the format 'orc' of acme-orc 1.0 is not used: "


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed distributions, one of them with the format of the guide."""
    return install(tmp_path, "acme-orc", "datalint.formats", "orc = OrcFormat", EXAMPLE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Iris in two splits, with rows of train in test as well."""
    (tmp_path / "flowers").mkdir()
    for name, rows in (("train", IRIS[:100]), ("test", IRIS[70:])):
        orc.write_table(Table.from_pandas(rows, preserve_index=False), tmp_path / "flowers" / f"{name}.orc")
    return tmp_path / "flowers"


def test_the_format_of_the_guide_is_read_and_written(site: Path, data: Path) -> None:
    (dataset,) = scan(site, data)["datasets"]
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
    report = json.dumps(scan(site, data))
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
    report = scan(site, tmp_path / "tables" / "iris.csv" if single else tmp_path / "tables")
    assert report["datasets"][0]["splits"][0]["samples"] == 150
    assert FAILED + why in json.dumps(report).replace("\\", "")


def test_one_that_breaks_down_on_a_file_is_named(site: Path, data: Path) -> None:
    (site / "acme_orc.py").write_text(EXAMPLE.replace("from pyarrow import orc\n", "1 / 0\n", 1))
    IRIS.to_csv(data / "iris.csv", index=False)
    report = json.dumps(scan(site, data))
    assert "cannot be read as a table by the format 'orc' of acme-orc 1.0" in report
