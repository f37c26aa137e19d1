"""Layouts of other distributions, installed as pip leaves them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tests.sources.installed import example, install, run, scan

if TYPE_CHECKING:
    from pathlib import Path

IRIS = load_iris(as_frame=True).frame
EXAMPLE = example("Layout")

BROKEN = "the layout 'acme' of acme-layout 1.0 is not used: "
CLAIMS = """
from datalint.sources.layouts.base import Basis, Claim, Layout
class Records(Layout):
    def claim(self, folder):
        {}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed distributions, one of them with the layout of the guide."""
    return install(tmp_path, "acme-layout", "datalint.layouts", "acme = Records", EXAMPLE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Iris as records, in two splits."""
    place = tmp_path / "flowers"
    place.mkdir()
    rows = IRIS.sample(frac=1, random_state=0).to_numpy("<f4")
    (place / "a.rec").write_bytes(rows[:100].tobytes())
    (place / "b.rec").write_bytes(rows[100:].tobytes())
    about = {"columns": ["sepal", "width", "petal", "breadth"], "splits": {"train": "a.rec", "test": "b.rec"}}
    (place / "records.json").write_text(json.dumps(about))
    return place


def test_the_layout_of_the_guide_is_read(site: Path, data: Path) -> None:
    report = scan(site, data)
    (dataset,) = report["datasets"]
    assert dataset["layout"] == "binary records"
    assert dataset["label"]["task"] == "classification"
    counts = {split["name"]: split["classes"] for split in dataset["splits"]}
    truth = IRIS["target"].value_counts()
    for name, total in truth.items():
        assert sum(split[str(name)] for split in counts.values()) == total
    assert {split["name"]: split["samples"] for split in dataset["splits"]} == {"train": 100, "test": 50}
    assert {kind["suffix"]: kind["read"] for kind in report["inventory"]["kinds"]} == {".rec": 2, ".json": 1}


def test_a_change_of_its_code_is_not_answered_from_the_cache(site: Path, data: Path) -> None:
    assert "class" in json.dumps(scan(site, data))
    assert scan(site, data)["run"]["engine"] == "cache"
    (site / "acme_layout.py").write_text(EXAMPLE.replace('"binary records"', '"records of acme"'))
    assert scan(site, data)["datasets"][0]["layout"] == "records of acme"


def test_a_file_that_is_cut_is_a_finding(site: Path, data: Path) -> None:
    with (data / "b.rec").open("ab") as file:
        file.write(b"\0\0")
    (dataset,) = scan(site, data)["datasets"]
    assert any(
        found["code"] == "FIL101" and "ends within a record" in found["message"] for found in dataset["findings"]
    )


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("class Records: pass", "TypeError: acme_layout:Records is no datalint.sources.layouts.base.Layout"),
        (CLAIMS.format("raise KeyError('splits')"), "KeyError: 'splits'"),
        (
            CLAIMS.format("return [Claim(folder.left, Basis.DECLARED, '')] * 2"),
            "ValueError: claims iris.csv twice, or it is not there to be claimed",
        ),
        (CLAIMS.format("return [Claim([], Basis.DECLARED, '')]"), "ValueError: a claim without files"),
        (
            CLAIMS.format("return [Claim(folder.left, Basis.DECLARED, '')]")
            + "    def dataset(self, claim):\n        return 1 / 0\n",
            "ZeroDivisionError: division by zero",
        ),
    ],
)
def test_one_that_fails_is_named_and_the_scan_goes_on(site: Path, tmp_path: Path, code: str, why: str) -> None:
    (site / "acme_layout.py").write_text(code)
    folder = tmp_path / "tables"
    folder.mkdir()
    IRIS.sample(frac=1, random_state=np.random.RandomState(0)).to_csv(folder / "iris.csv", index=False)
    out = tmp_path / "report.json"
    shown = run(site, "scan", str(folder), "--no-report", "--select", "FIL", "--no-cache", "--json", str(out))
    report = json.loads(out.read_text())
    assert report["inventory"]["layouts_failed"] == [BROKEN + why]
    assert report["datasets"][0]["splits"][0]["samples"] == 150
    assert " ".join(shown.stdout.split()).count(BROKEN + why) == 1
    assert "Traceback" not in shown.stderr


def test_one_that_fails_where_nothing_else_reads_is_named_too(site: Path, data: Path) -> None:
    (data / "records.json").write_text("{")
    done = run(site, "scan", str(data))
    assert done.returncode == 2
    assert f"{BROKEN}JSONDecodeError" in done.stderr
    assert done.stderr.count("\n") == 1
