"""What holds for every rule about training loops, as far as it needs no framework."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import datalint
from datalint.rules.base import Rule
from datalint.rules.registry import all_rules, every_rule, find_rule, loop_rules, select_rules
from datalint.testing import check_page, check_params
from tests.command import environment

if TYPE_CHECKING:
    from pathlib import Path

RULES = loop_rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_page_and_parameters(rule: type) -> None:
    check_page(rule)
    check_params(rule)


def test_rules_about_data_and_loops_are_told_apart() -> None:
    assert {rule.code for rule in all_rules()} | {rule.code for rule in RULES} == {rule.code for rule in every_rule()}
    assert {rule.code[:3] for rule in RULES} == {"PRE"}
    assert all(issubclass(rule, Rule) for rule in select_rules(ignore="PRE"))
    assert all(rule.measures for rule in RULES)
    with pytest.raises(datalint.DatalintError, match="datalint preflight runs"):
        select_rules("PRE101")
    with pytest.raises(datalint.DatalintError, match="judges training loops, not data"):
        find_rule("first-loss")


def test_what_explains_a_rule_exists() -> None:
    codes = {rule.code for rule in RULES}
    assert {code for rule in RULES for code in rule.follows} <= codes


@pytest.mark.parametrize("model", [3, int, "net"])
def test_a_model_of_no_framework_is_told(model: object) -> None:
    with pytest.raises(datalint.DatalintError, match="is no model of PyTorch"):
        datalint.preflight(model, None, [1])


@pytest.mark.parametrize(
    ("factory", "code", "said"),
    [
        ("train", "", "is not of the form MODULE:FACTORY"),
        ("train:make", "", "the module cannot be imported"),
        ("train:make", "x = 1", "the module has no make"),
        ("train:make", "make = 1", "a function without arguments is expected, not int"),
        ("train:make", "def make():\n    return 1 / 0", "train:make fails: ZeroDivisionError"),
        (
            "train:make",
            "def make():\n    return 1",
            "train:make returns int; (model, loss, loader, optimizer) is expected",
        ),
        ("train:make", "def make():\n    return 1, 2", "train:make returns 2 values"),
        ("train:make", "def make():\n    return 1, 2, [], None", "model: int is no model of PyTorch"),
        ("train:make", "import os\ndef make():\n    os._exit(3)", "ended without an answer (exit status 3)"),
        ("train:make", "import os\ndef make():\n    os.kill(os.getpid(), 9)", "ended without an answer (signal 9)"),
    ],
)
def test_what_is_wrong_with_a_factory_is_one_line(tmp_path: Path, factory: str, code: str, said: str) -> None:
    if code:
        (tmp_path / "train.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "datalint", "preflight", factory, "--no-report"],
        cwd=tmp_path,
        env=environment(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
