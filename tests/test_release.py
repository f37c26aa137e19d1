"""What a release needs: the container, the workflows, the forms, the citation."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from typing import Any

import click
import pytest
import yaml

import datalint
from datalint.cli import cli
from tests.command import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def instructions() -> list[tuple[str, str]]:
    """The lines of the container file, each with its first word apart."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def workflow(name: str) -> dict[Any, Any]:
    """A workflow file."""
    found: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    return found


def test_the_container_runs_the_service_without_rights() -> None:
    last = dict(instructions())
    assert int(last["USER"]) > 0
    assert json.loads(last["ENTRYPOINT"]) == ["datalint"]
    name, *words = json.loads(last["CMD"])
    assert name == "serve"
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    words[words.index("/data")] = str(ROOT)
    context = command.make_context(name, words)
    assert context.params["port"] == int(last["EXPOSE"])
    assert context.params["host"] == "0.0.0.0"
    assert not context.params["insecure"]
    assert context.params["database"].startswith(f"sqlite:///{last['VOLUME']}/")


def test_the_container_is_built_of_what_the_package_needs() -> None:
    copied = {
        name for word, rest in instructions() if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]
    }
    assert all((ROOT / name).exists() for name in copied)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {path.split("/")[0] for path in settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    assert copied == {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"], *packages}
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").split()
    assert {f"!{name}" for name in copied} <= set(ignored)
    (image,) = {rest.split()[0] for word, rest in instructions() if word == "FROM"}
    assert f"Programming Language :: Python :: {image.partition(':')[2].partition('-')[0]}" in PROJECT["classifiers"]


def test_every_python_that_is_named_is_tested() -> None:
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if line.startswith("Programming Language")}
    tested = set(workflow("ci.yml")["jobs"]["ci"]["strategy"]["matrix"]["python"])
    assert named - {"Only"} == tested


def test_a_tag_publishes_with_attestations_and_no_password() -> None:
    publish = workflow("publish.yml")
    assert publish[True] == {"push": {"tags": ["v*"]}}  # "on" is a word for true in YAML 1.1
    assert publish["permissions"] == {"contents": "read"}
    jobs = publish["jobs"]
    assert jobs["index"]["permissions"] == {"id-token": "write", "attestations": "write"}
    uses = {step["uses"].partition("@")[0]: step for step in jobs["index"]["steps"]}
    assert uses["pypa/gh-action-pypi-publish"]["with"] == {"attestations": True}
    assert "secrets." not in (ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    assert jobs["index"]["needs"] == "build" and jobs["site"]["needs"] == "index"


def test_what_is_published_is_the_version_of_its_tag() -> None:
    (check,) = [
        step["run"] for step in workflow("publish.yml")["jobs"]["build"]["steps"] if "tag" in step.get("name", "")
    ]
    program = shlex.split(check.splitlines()[0].removeprefix("version=$(").removesuffix(")"))
    done = subprocess.run([sys.executable, *program[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == datalint.__version__


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_for_what_is_needed(form: Any) -> None:
    content = yaml.safe_load(form.read_text(encoding="utf-8"))
    if form.stem == "config":
        assert set(content) <= {"blank_issues_enabled", "contact_links"}
        return
    assert content["name"] and content["description"]
    assert any(item.get("validations", {}).get("required") for item in content["body"])
    for item in content["body"]:
        assert item["type"] in {"markdown", "input", "textarea", "dropdown", "checkboxes"}
        assert item["attributes"]["label"]


def test_the_hooks_of_this_repository_are_valid() -> None:
    words = [sys.executable, "-m", "pre_commit", "validate-config", str(ROOT / ".pre-commit-config.yaml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == datalint.__version__
    assert citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


def test_the_command_can_be_run_without_installing_it() -> None:
    # pipx run and uvx look for a command that is called like the distribution.
    assert PROJECT["scripts"][PROJECT["name"]] == PROJECT["scripts"]["datalint"]
