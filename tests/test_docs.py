"""The documentation says what is so: its examples run, its listings are complete and up to date."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import pytest

import datalint
from datalint.cli import COMMANDS, cli
from datalint.core.dataset import Batch, TableBlock
from datalint.measures.base import Measurement, Settings
from datalint.rules import catalogue
from datalint.rules.base import Rule
from datalint.rules.registry import all_rules
from datalint.testing import check_page

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "rules/README.md"]
CONSOLE = {found["command"]: found["output"] for found in catalogue.CONSOLE.finditer(README)}
"""What the page shows of each command; two blocks of one command would show the same."""
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return [code for kind, code in FENCED.findall((ROOT / page).read_text(encoding="utf-8")) if kind == language]


def run(code: str) -> dict[str, object]:
    """Run an example as a program of its own would."""
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(code, "example", "exec", dont_inherit=True), names)
    return names


@pytest.fixture
def beside_sample_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the examples find the sample data and may leave their files."""
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data", target_is_directory=True)
    monkeypatch.setenv("DATALINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("code", blocks("README.md", "python"))
def test_the_examples_run(code: str, beside_sample_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(code)
    printed = capsys.readouterr().out
    assert printed
    assert "to_html" not in code or (beside_sample_data / "report.html").stat().st_size > 1_000


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
    for path, text in catalogue.all_pages(lambda command: CONSOLE[command]).items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m datalint.rules.catalogue"


@pytest.mark.slow
@pytest.mark.parametrize("command", CONSOLE)
def test_a_command_prints_what_the_page_shows(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown, printed = (f"$ {command}\n{output}" for output in (CONSOLE[command], catalogue.run_command(command)))
    assert catalogue.steady(shown) == catalogue.steady(printed), "run python -m datalint.rules.catalogue"


def test_every_command_and_option_is_documented() -> None:
    text = " ".join(README.split())
    for name in COMMANDS:
        assert f"datalint {name}" in text
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                for option in parameter.opts:
                    assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), f"{name} {option}"


def test_every_rule_is_documented() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for rule in catalogue.built_in():
        assert f"[{rule.code}](" in README
        assert rule.code in changes
    assert set(catalogue.built_in()) <= set(all_rules())


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_the_build_runs_the_command_of_the_page() -> None:
    install, test = "pip install '.[dev]'", "pytest"
    assert f"{install} && {test}\n" in blocks("README.md", "sh")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = [line.replace(" --quiet", "") for line in script.splitlines()]
    assert install in steps
    assert any(step.split()[:1] == [test] for step in steps)
