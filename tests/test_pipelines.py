"""What the documentation says of pipelines: the files are valid, and the commands in them do what is said."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import datalint
from tests.command import ROOT, call
from tests.integrations.workspace import bad, example, examples, good

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))]


def _commands(name: str) -> list[str]:
    """The calls of datalint in a file of the documentation."""
    file: dict[str, Any] = yaml.safe_load(example(name))
    lines = file["data"]["script"] if name == ".gitlab-ci.yml" else [file["stages"]["check"]["cmd"]]
    return [line for line in lines if line.startswith("datalint ")]


@pytest.mark.parametrize("name", [".gitlab-ci.yml", "dvc.yaml"])
def test_the_commands_stop_at_bad_data_alone(name: str, tmp_path: Path) -> None:
    (command,) = _commands(name)
    arguments = shlex.split(command)[1:]
    for make, status in ((good, 0), (bad, 1)):
        make(tmp_path)
        done = call(tmp_path, *arguments)
        assert done.status == status, done.err
        written = {path.name for path in tmp_path.iterdir()} - {"data", ".cache"}
        assert written == ({"datalint.json"} if name == "dvc.yaml" else {"datalint-quality.json", "datalint-report"})
    report = (tmp_path / ("datalint.json" if name == "dvc.yaml" else "datalint-quality.json")).read_text(
        encoding="utf-8"
    )
    assert "ORD101" in report


def test_the_files_that_are_kept_are_those_that_are_written() -> None:
    job = yaml.safe_load(example(".gitlab-ci.yml"))["data"]
    assert f"gitlab:{job['artifacts']['reports']['codequality']}" in " ".join(job["script"])
    assert job["artifacts"]["paths"] == ["datalint-report"]
    stages = yaml.safe_load(example("dvc.yaml"))["stages"]
    (kept,) = stages["check"]["outs"]
    (name,) = kept
    assert f"--json {name} " in f"{stages['check']['cmd']} "
    assert name in stages["train"]["deps"]


def test_the_workflow_gives_the_action_what_it_takes() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = yaml.safe_load(example(".github/workflows/data.yml"))["jobs"]["data"]["steps"]
    (step,) = [step for step in steps if "datalint" in step["uses"]]
    assert set(step["with"]) <= set(action["inputs"])
    assert step["uses"].endswith(f"@v{datalint.__version__}")


def test_every_example_is_run_by_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for block in examples():
        name = block.split()[1].rstrip(",;:")
        assert f'example("{name}")' in tests
        if name.endswith(".py"):
            ast.parse(block)
    fences = [fence for page in PAGES for fence in re.findall(r"^```(?:py|yml)$", page, re.MULTILINE)]
    assert len(fences) == len(examples())
