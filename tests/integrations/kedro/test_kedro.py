"""Hooks, in a project of Kedro that is run by its command."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integrations.workspace import bad, example, good

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "pyproject.toml": """
[tool.kedro]
package_name = "flowers"
project_name = "flowers"
kedro_init_version = "1.0.0"
""",
    "conf/base/catalog.yml": """
samples: {type: pandas.CSVDataset, filepath: data/iris.csv}
prepared: {type: pandas.CSVDataset, filepath: data/prepared.csv}
""",
    "conf/local/credentials.yml": "",
    "src/flowers/__init__.py": "",
    "src/flowers/pipeline_registry.py": """
from kedro.pipeline import node, pipeline

def prepare(samples):
    return samples.sort_values("petal_length")

def train(samples):
    print("training")
    return len(samples)

def register_pipelines():
    nodes = [node(prepare, "samples", "prepared"), node(train, "samples", "model")]
    return {"__default__": pipeline(nodes)}
""",
}
HOOKS = """
from datalint.integrations.kedro import DatalintHooks
HOOKS = (DatalintHooks({%r: {"label": "species", "fail_on": "warning"}}),)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def run(project: Path, settings: str) -> subprocess.CompletedProcess[str]:
    """``kedro run`` with these settings."""
    (project / "src" / "flowers" / "settings.py").write_text(settings, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "kedro", "run"],
        cwd=project,
        env=os.environ | {"DO_NOT_TRACK": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_good_data_goes_through(project: Path) -> None:
    good(project)
    done = run(project, example("src/PACKAGE/settings.py"))
    assert done.returncode == 0, done.stdout
    assert "training" in done.stdout
    assert (project / "data" / "prepared.csv").exists()


def test_bad_data_stops_the_pipeline_when_it_is_loaded(project: Path) -> None:
    bad(project)
    done = run(project, example("src/PACKAGE/settings.py"))
    assert done.returncode != 0
    assert "samples is not clean" in done.stdout
    assert "ORD101" in done.stdout
    assert not (project / "data" / "prepared.csv").exists()


def test_bad_data_is_not_saved(project: Path) -> None:
    good(project)
    done = run(project, HOOKS % "prepared")
    assert done.returncode != 0
    assert "prepared is not clean" in done.stdout
    assert not (project / "data" / "prepared.csv").exists()


def test_a_name_that_nothing_bears_is_refused(project: Path) -> None:
    good(project)
    done = run(project, HOOKS % "sampels")
    assert done.returncode != 0
    assert "'sampels'" in done.stdout
    assert "training" not in done.stdout
