"""What is given stays: codes and names are never taken away, and a rule is on trial before everybody gets it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, get_args

import pytest

import datalint
from datalint.core.project import DOCUMENTATION
from datalint.rules.base import Stage
from datalint.rules.catalogue import CODES, built_in
from datalint.rules.registry import all_rules, select_rules
from tests.command import ROOT, call

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = (ROOT / CODES).read_text(encoding="utf-8").splitlines()


def test_codes_and_names_are_for_ever() -> None:
    known = {f"{rule.code} {rule.name}" for rule in built_in()}
    gone = set(GIVEN) - known
    assert not gone, f"were given and are no more, or have another name: {sorted(gone)}"
    assert known <= set(GIVEN), "run python -m datalint.rules.catalogue"


def test_no_code_and_no_name_was_given_twice() -> None:
    for words in zip(*(line.split() for line in GIVEN), strict=True):
        assert len(set(words)) == len(words)


def test_every_rule_says_since_when_and_how_far_it_is() -> None:
    for rule in all_rules():
        assert rule.stage in get_args(Stage)
        assert [int(part) for part in rule.since.split(".")] <= [int(part) for part in datalint.__version__.split(".")]


@pytest.mark.parametrize("stage", ["preview", "deprecated"])
def test_what_is_not_stable_runs_only_where_it_is_selected(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (rule,) = (rule for rule in all_rules() if rule.code == "ORD101")
    assert rule in select_rules()
    monkeypatch.setattr(rule, "stage", stage)
    assert rule not in select_rules()
    for pattern in ("ORD101", "sorted-by-label", "ORD"):
        assert rule in select_rules(pattern)


def test_explain_ends_with_the_address_of_the_page(tmp_path: Path) -> None:
    for key in ("ORD101", "sorted-by-label"):
        assert call(tmp_path, "explain", key).out.endswith(f"\n\n{DOCUMENTATION}rules/ORD101/\n")


def test_a_rule_of_another_pack_has_no_page_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datalint.rules.packs.BUILT_IN", "others")
    monkeypatch.setattr("datalint.rules.packs.rule_packages", lambda: iter(["datalint_rules"]))
    assert DOCUMENTATION not in call(tmp_path, "explain", "ORD101").out


def test_the_addresses_of_the_project_are_on_the_site() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert all(url.startswith(DOCUMENTATION) for url in project["urls"].values())
