"""A kept report is the same report: samples, pictures and page, loaded when they are asked for."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import datalint
from tests.command import environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of which 150 are black."""
    place = tmp_path_factory.mktemp("kept")
    rng = np.random.default_rng(0)
    for label in "ab":
        (place / "data" / label).mkdir(parents=True)
        for k in range(100):
            pixels = np.zeros((8, 8), np.uint8) if k < 75 else rng.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(place / "data" / label / f"{k:03}.png")
    return place


def without_run(page: str) -> str:
    return page[: page.index('id="run"')] + page[page.index("<script>") :]


def test_samples_pictures_and_page_come_back(folder: Path) -> None:
    options: dict[str, Any] = {"cache_dir": folder / "cache", "select": ["VAL101"]}
    first = datalint.scan(folder / "data", **options)
    page = first.to_html()
    again = datalint.scan(folder / "data", **options)
    assert (first.run.engine, again.run.engine) == ("serial", "cache")
    assert "thumbnails" not in vars(again.held)  # not yet asked for
    assert again.to_html() != page
    assert without_run(again.to_html()) == without_run(page)
    assert "engine cache" in again.to_html()
    assert len(again.affected("VAL101")) == 150
    pd.testing.assert_frame_equal(again.affected("VAL101"), first.affected("VAL101"))
    assert again.thumbnails == first.thumbnails
    assert first.thumbnails
    for report in (first, again, datalint.Report.model_validate_json(first.to_json())):
        copied = pickle.loads(pickle.dumps(report))
        assert copied == report and copied.thumbnails == report.thumbnails


def test_a_report_that_was_changed_gets_a_page_of_its_own(folder: Path) -> None:
    options: dict[str, Any] = {"cache_dir": folder / "cache", "select": ["VAL101"]}
    datalint.scan(folder / "data", **options).to_html()
    report = datalint.scan(folder / "data", **options)
    dataset = report.datasets[0]
    report.datasets = (dataset.model_copy(update={"name": "renamed"}),)
    assert "renamed" in report.to_html()


def test_a_second_scan_loads_nothing_that_reads_or_draws(folder: Path) -> None:
    code = (
        "import datalint, sys, json\n"
        "report = datalint.scan('data', cache_dir='cache2')\n"
        "report.to_html(); str(report)\n"
        "print(json.dumps([report.run.engine, sorted(sys.modules)]))\n"
    )
    loaded = []
    for _ in range(2):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=True)
        loaded.append(json.loads(done.stdout))
    assert [engine for engine, _ in loaded] == ["serial", "cache"]
    heavy = {"numpy", "pyarrow", "PIL", "jinja2", "sklearn", "joblib", "datalint_rules.values.all_zero_inputs"}
    assert heavy <= set(loaded[0][1])
    assert not heavy & set(loaded[1][1])
