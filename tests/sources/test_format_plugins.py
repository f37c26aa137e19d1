"""Table formats of other distributions, installed as pip leaves them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from sklearn.datasets import load_iris

from tests.sources.installed import example, install, run, scan

if TYPE_CHECKING:
    from pathlib import Path

IRIS = load_iris(as_frame=True).frame.sample(frac=1, random_state=0)
IRIS.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width", "target"]
EXAMPLE = example("TableFormat")
FAILED = "the format 'stata' of acme-stata 1.0 is not used: "


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed distributions, one of them with the format of the guide."""
    return install(tmp_path, "acme-stata", "datalint.formats", "stata = StataFormat", EXAMPLE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Iris in two splits, with rows of train in test as well."""
    (tmp_path / "flowers").mkdir()
    for name, rows in (("train", IRIS[:100]), ("test", IRIS[70:])):
        rows.to_stata(tmp_path / "flowers" / f"{name}.dta", write_index=False, version=118)
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
    rows = sum(len(pd.read_stata(fixed / f"{name}.dta")) for name in ("train", "test"))
    assert rows == len(IRIS.drop_duplicates())


def test_a_damaged_file_is_named(site: Path, data: Path) -> None:
    file = data / "test.dta"
    file.write_bytes(file.read_bytes()[:900])
    report = json.dumps(scan(site, data))
    assert "test.dta" in report
    assert "a damaged Stata file" in report


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        (
            "class StataFormat: pass",
            "TypeError: acme_stata:StataFormat is no datalint.sources.tables.format.TableFormat",
        ),
    ],
)
@pytest.mark.parametrize("single", [True, False])
def test_one_that_fails_is_named_and_the_scan_goes_on(
    site: Path, tmp_path: Path, code: str, why: str, single: bool
) -> None:
    (site / "acme_stata.py").write_text(code)
    (tmp_path / "tables").mkdir()
    IRIS.to_csv(tmp_path / "tables" / "iris.csv", index=False)
    report = scan(site, tmp_path / "tables" / "iris.csv" if single else tmp_path / "tables")
    assert report["datasets"][0]["splits"][0]["samples"] == 150
    assert FAILED + why in json.dumps(report).replace("\\", "")


def test_one_that_breaks_down_on_a_file_is_named(site: Path, data: Path) -> None:
    (site / "acme_stata.py").write_text(EXAMPLE.replace('"""Read the first rows."""\n', "1 / 0\n", 1))
    IRIS.to_csv(data / "iris.csv", index=False)
    report = json.dumps(scan(site, data))
    assert "cannot be read as a table by the format 'stata' of acme-stata 1.0" in report
