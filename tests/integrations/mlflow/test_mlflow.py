"""A report in a store of MLflow."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING

import mlflow
import pytest

import datalint
from datalint.integrations.mlflow import log_report
from tests.integrations.workspace import bad, example, good

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a folder does for one test; a database would need more
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())


def only_run() -> mlflow.entities.Run:
    (run,) = mlflow.MlflowClient().search_runs(["0"])
    return run


def test_the_example_logs_what_was_found(tmp_path: Path) -> None:
    bad(tmp_path)
    (tmp_path / "train.py").write_text(example("train.py"), encoding="utf-8")
    runpy.run_path("train.py")
    run = only_run()
    assert run.data.metrics["datalint.error"] == 0
    assert run.data.metrics["datalint.warning"] == 1
    assert "ORD101" in run.data.tags["datalint.codes"].split(",")
    assert run.data.tags["datalint.version"] == datalint.__version__
    page = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/datalint/report.html")
    assert "ORD101" in page
    stored = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/datalint/report.json")
    report = datalint.Report.model_validate_json(stored)
    assert report.summary.warning == 1


def test_reports_side_by_side_and_their_fingerprints(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    files = {"good": good(tmp_path).rename("shuffled.csv"), "copy": good(tmp_path / "copy"), "bad": bad(tmp_path)}
    with mlflow.start_run():
        for name, file in files.items():
            log_report(datalint.scan(file, label="species", select=["ORD101", "VAL"]), name=name)
    tags = only_run().data.tags
    assert tags["good.codes"] == ""
    assert tags["good.fingerprint"] == tags["copy.fingerprint"] != tags["bad.fingerprint"]
