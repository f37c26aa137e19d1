"""The action of GitHub: its steps are run as a runner runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import datalint

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]


@dataclass
class Runner:
    """As much of a runner as the action asks for."""

    workspace: Path
    temp: Path
    inputs: dict[str, str]
    outputs: dict[str, str] = field(default_factory=lambda: {"steps.python.outputs.python-path": sys.executable})
    log: str = ""

    def value(self, expression: str) -> str:
        """``inputs.a``, ``steps.a.outputs.b`` and the like, and the first that is not empty of ``a || b``."""
        known = self.outputs | {f"inputs.{name}": value for name, value in self.inputs.items()}
        known |= {"github.action_path": str(ROOT), "runner.temp": str(self.temp)}
        values = [known.get(name.strip(), "") for name in expression.split("||")]
        return next((value for value in values if value), "")

    def filled(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self.value(found[1]), text)

    def run(self, *names: str) -> int:
        """Run the steps of these names; the status of the last."""
        status = 0
        for step in ACTION["runs"]["steps"]:
            if step.get("name") not in names:
                continue
            assert "${{" not in step["run"]
            output, summary = self.temp / "output", self.temp / "summary"
            output.write_text("", encoding="utf-8")
            env = {name: self.filled(value) for name, value in step["env"].items()}
            done = subprocess.run(
                [*BASH, step["run"]],
                cwd=self.workspace,
                env=os.environ
                | {"DATALINT_CACHE_DIR": str(self.temp / "cache"), "PIP_COMPILE": "0", "CI": "true"}
                | {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
                | env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            for line in output.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition("=")
                self.outputs[f"steps.{step['id']}.outputs.{name}"] = value
            self.log += done.stdout
            status = done.returncode
            if status:
                break
        return status

    @property
    def summary(self) -> str:
        return (self.temp / "summary").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for temporary files where datalint was installed by the action."""
    temp = tmp_path_factory.mktemp("runner")
    runner = Runner(temp, temp, {"version": ""})
    assert runner.run("Install datalint") == 0, runner.log
    return temp


@pytest.fixture
def workspace(tmp_path: Path, installed: Path) -> Path:
    """A repository with data; the summary of the job is empty."""
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data", target_is_directory=True)
    (installed / "summary").unlink(missing_ok=True)
    return tmp_path


def runner(workspace: Path, temp: Path, **given: str) -> Runner:
    inputs = {name: str(about["default"]) for name, about in ACTION["inputs"].items()}
    return Runner(workspace, temp, inputs | {name.replace("_", "-"): value for name, value in given.items()})


def test_findings_are_annotated_summed_up_and_fail(workspace: Path, installed: Path) -> None:
    job = runner(
        workspace,
        installed,
        path="sample_data/iris_sorted\nsample_data/breast_cancer_imbalanced\n",
        fail_on="warning",
        args="--batch-size\n\n16\n",
        select="ORD101,LBL101",
    )
    assert job.run("Scan", "Verdict") == 1, job.log
    assert job.outputs["steps.scan.outputs.status"] == "1"
    assert "::warning title=ORD101" in job.log
    assert "batches of 16" in job.log
    assert job.summary.startswith("## datalint")
    assert "ORD101" in job.summary
    report = datalint.Report.read_json(Path(job.value("steps.scan.outputs.report")) / "report.json")
    assert len(report.datasets) == 2
    assert {rule.code for rule in report.datasets[0].rules} == {"LBL101", "ORD101"}
    assert "ORD101" in Path(job.value("steps.scan.outputs.sarif")).read_text(encoding="utf-8")


def test_what_does_not_reach_the_threshold_passes(workspace: Path, installed: Path) -> None:
    job = runner(workspace, installed, path="sample_data/iris_sorted", ignore="LBL,SIG")
    assert job.run("Scan", "Verdict") == 0, job.log
    assert "ORD101" in job.summary


def test_the_configuration_says_what_fails_if_the_input_does_not(workspace: Path, installed: Path) -> None:
    (workspace / "datalint.toml").write_text('fail-on = "warning"\nselect = ["ORD101"]\n', encoding="utf-8")
    job = runner(workspace, installed, path="sample_data/iris_sorted")
    job.inputs["args"] = "--config=datalint.toml"
    assert job.run("Scan", "Verdict") == 1, job.log


def test_no_data_is_an_error_of_its_own(workspace: Path, installed: Path) -> None:
    job = runner(workspace, installed, path="nowhere")
    assert job.run("Scan", "Verdict") == 2, job.log
    assert "no such file or folder: nowhere" in job.log
    assert "::error title=datalint::" in job.log
    assert job.value("steps.scan.outputs.sarif") == ""


@pytest.mark.parametrize("name", ["path", "select", "ignore", "fail-on", "args"])
def test_inputs_are_data_and_not_code(name: str, workspace: Path, installed: Path) -> None:
    for text in ("$(touch owned)", '"; touch owned; "', "`touch owned`", "a\ntouch owned", "--fail-on"):
        job = runner(workspace, installed, path="sample_data/iris_sorted", select="ORD101")
        job.inputs[name] = text
        assert job.run("Scan", "Verdict") == 2, (text, job.log)
        assert not (workspace / "owned").exists()


def test_no_expression_stands_in_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        assert ("run" in step) == (step.get("shell") == "bash")


def test_every_input_and_output_is_described_and_used() -> None:
    steps = str(ACTION["runs"]["steps"])
    for name, about in ACTION["inputs"].items():
        assert about["description"]
        assert f"inputs.{name}" in steps
    outputs = {value["value"] for value in ACTION["outputs"].values()}
    assert outputs == {f"${{{{ steps.scan.outputs.{name} }}}}" for name in ("status", "report", "sarif")}
