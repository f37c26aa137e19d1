"""The documentation says what is so: its examples run, its listings are complete and up to date."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path
from unittest import mock

import click
import numpy as np
import pytest

import datalint
from datalint.cli import COMMANDS, cli
from datalint.config.discovery import rule_options, settle
from datalint.core.dataset import Batch, TableBlock
from datalint.measures.base import Measurement, Settings
from datalint.rules import catalogue
from datalint.rules.base import Rule
from datalint.rules.registry import find_rule
from datalint.testing import check_page
from docs._site import faults
from docs._site.rules import settings
from tests.command import call
from tests.integrations.workspace import good

ROOT = Path(__file__).parents[1]
DOCS = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))]
IN_ROOT = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
EXECUTED = [name for name in ["README.md", *DOCS] if catalogue.BLOCK.search((ROOT / name).read_text(encoding="utf-8"))]
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
"""A block of code, with its language."""

LANGUAGES = {
    "console": "run by test_a_page_shows_what_its_commands_print",
    "python": "run by test_a_page_shows_what_its_commands_print",
    "py": "files of users: test_pipelines.py and tests/integrations",
    "yml": "files of users: test_pipelines.py and tests/integrations",
    "toml": "test_config.py",
    "yaml": "test_pre_commit.py",
    "sh": "test_commands_that_are_shown_can_be_given",
    "text": "other programs: test_release.py checks what they are given",
}
"""What may stand on a page, and who sees to it that it is right."""

OTHERS = {"--hook-stage", "--help", "--version"}
"""Options of other commands, and those that click brings."""


def text_of(page: str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return [code for kind, code in FENCED.findall(text_of(page)) if kind == language]


def commands(page: str) -> list[list[str]]:
    """The words of each datalint command in the shell blocks of a page."""
    lines = [line.partition("#")[0] for code in blocks(page, "sh") for line in code.splitlines()]
    calls = [shlex.split(part) for line in lines for part in line.split("&&")]
    return [words for words in calls if words and words[0] == "datalint"]


def run(code: str) -> dict[str, object]:
    """Run an example as a program of its own would."""
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(code, "example", "exec", dont_inherit=True), names)
    return names


def output_of(words: list[str], folder: str, environment: dict[str, str], what: str) -> str:
    """What a command or program of a page prints in this process."""
    extra = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    if catalogue.START in words:
        done = call(Path(folder), *words[words.index(catalogue.START) + 1 :], extra=extra)
        assert not done.err, what
        return done.out
    with contextlib.chdir(folder), mock.patch.dict(os.environ, extra), contextlib.redirect_stdout(io.StringIO()) as out:
        run(words[-1])
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("page", EXECUTED)
def test_a_page_shows_what_its_commands_print(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    printed = catalogue.executed(text_of(page), page, output_of)
    assert catalogue.steady(text_of(page)) == catalogue.steady(printed), "run python -m datalint.rules.catalogue"


def test_a_page_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for block in ("```console\n$ ls\n```", "```python\nnope\n```", "```console\n$ datalint nope\n```"):
        with pytest.raises(RuntimeError, match=r"^docs/x\.md: "):
            catalogue.executed(f"Text.\n\n{block}\n", "docs/x.md")


@pytest.mark.parametrize("page", ["README.md", *DOCS])
def test_every_block_is_of_a_kind_that_is_tested(page: str) -> None:
    text = text_of(page)
    assert {kind for kind, _ in FENCED.findall(text)} <= set(LANGUAGES)
    assert text.count("```") == 2 * len(FENCED.findall(text)), "a block without a language, or within something else"


@pytest.mark.parametrize("page", [page for page in ["README.md", *DOCS] if commands(page)])
def test_commands_that_are_shown_can_be_given(page: str) -> None:
    for _, name, *words in commands(page):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        files = {"data", "FILE", "PATH", "PATH|URL"}
        shown = [str(ROOT) if word in files or word.startswith(("data/", "sample_data")) else word for word in words]
        command.make_context(name, shown, resilient_parsing=True)


def test_the_readme_is_short_and_its_commands_run(tmp_path: Path) -> None:
    assert len(text_of("README.md").encode()) <= 9_000
    table = good(tmp_path) / "iris.csv"
    names = {"PATH": "data", "FILE": f"data/{table.name}", "sample_data": "data"}
    served = []
    for _, *words in commands("README.md"):
        if words[0] == "serve":  # until somebody stops it; tests/service start it
            served.append(words)
            continue
        done = call(tmp_path, *(names.get(word, word) for word in words))
        assert done.status == 0, done.err
    assert served
    assert {path.name for path in tmp_path.iterdir()} >= {"datalint-report", "datalint-baseline.json", "cleaned", "few"}


@pytest.mark.parametrize("page", [*IN_ROOT, *DOCS])
def test_every_option_that_is_named_exists(page: str) -> None:
    known = set(OTHERS)
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        known |= {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    prose = re.sub(
        r"^```.*?^```|`(?:podman|ruff|pytest|python|pip|\.ci/)[^`]*`", "", text_of(page), flags=re.DOTALL | re.MULTILINE
    )
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose))
    if page in DOCS:
        assert named <= known


def test_the_rule_of_the_guide_is_a_rule() -> None:
    (code,) = (code for code in blocks("CONTRIBUTING.md", "python") if "(Rule)" in code)
    names = run(code)
    rule = names["TinySet"]
    assert isinstance(rule, type)
    assert issubclass(rule, Rule)
    rule.__module__ = "fruit_rules.size.tiny_set"  # where its author would put it
    check_page(rule)


def test_the_measurement_of_the_guide_obeys_the_law() -> None:
    (code,) = (code for code in blocks("CONTRIBUTING.md", "python") if "(Measurement)" in code)
    kind = run(code)["Largest"]
    assert isinstance(kind, type)
    assert issubclass(kind, Measurement)
    rng = np.random.default_rng(0)
    rows, seen = rng.normal(size=(90, 2)), []
    for cuts in ([0, 90], [0, 1, 40, 40, 90]):
        whole = kind(Settings())
        for start, stop in pairwise(cuts):
            part = kind(Settings())
            table = TableBlock(("b", "a"), np.asfortranarray(rows[start:stop]))
            part.update(Batch("all", start, stop - start, table=table))
            whole = whole.merge(part.close())
        seen.append(vars(whole.close())["largest"])
    assert seen[0] == seen[1] == {"a": rows[:, 1].max(), "b": rows[:, 0].max()}


def test_the_format_of_the_guide_writes_every_finding() -> None:
    (code,) = (code for code in blocks("CONTRIBUTING.md", "python") if "def render(" in code)
    render = run(code)["render"]
    assert callable(render)
    report = datalint.scan(ROOT / "sample_data" / "iris_sorted", cache=False)
    rows = list(csv.DictReader(render(report).splitlines()))
    assert [row["code"] for row in rows] == [finding.code for finding in report.datasets[0].leading]


def test_generated_parts_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for path, text in catalogue.records().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m datalint.rules.catalogue"


def test_every_rule_shows_its_fault() -> None:
    assert not faults.stale(), f"run python -m docs._site.faults: {', '.join(faults.stale())}"
    shown = {code for code, item in faults.examples().items() if item["picture"]}
    assert {place.stem for place in faults.PICTURES.iterdir()} == shown
    for code in ("VAL104", "ANN103", "AUD103"):
        (part, *_) = faults.section(code, "../assets/")
        assert part == "## What it looks like"


@pytest.mark.parametrize("code", ["VAL104", "IMG101"])
def test_what_is_shown_of_a_fault_is_what_is_said(code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = faults.examples()[code]
    monkeypatch.setattr(faults, "PICTURES", tmp_path)
    assert faults.make(find_rule(code)) == kept
    assert (tmp_path / f"{code}.webp").exists() is kept["picture"]


def test_settings_of_a_page_change_nothing() -> None:
    text = "".join(settings(rule) for rule in catalogue.built_in() if rule.Params.model_fields)
    params, severities = rule_options(settle(None, tomllib.loads(text)))
    assert not severities
    assert params == {rule.code: rule.Params() for rule in catalogue.built_in() if rule.Params.model_fields}


@pytest.mark.parametrize("page", IN_ROOT)
def test_links_lead_somewhere(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]+)(?:#([^)]*))?\)", text_of(page)):
        place = (ROOT / page).parent / target
        assert place.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", place.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, anchor


def test_the_build_runs_the_commands_of_the_guide() -> None:
    guide = " ".join(blocks("CONTRIBUTING.md", "sh")).replace("-e ", "").replace("-n auto", "")
    steps = [line.replace(" --quiet", "") for line in text_of(".ci/run").splitlines()]
    for command in ("pip install '.[dev]'", "pytest", "python -m mkdocs build --strict"):
        assert command in guide or command in text_of("CONTRIBUTING.md")
        assert any(step.startswith(command) for step in steps), command
