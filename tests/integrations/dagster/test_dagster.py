"""Checks of assets, executed by Dagster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster
import pytest

from datalint.integrations.dagster import datalint_check
from tests.integrations.workspace import bad, example, good

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def execute(definitions: dagster.Definitions) -> tuple[dagster.AssetCheckEvaluation, set[str], bool]:
    """What the only check said, the assets that were made, and whether the run succeeded."""
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(raise_on_error=False)
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation, made, result.success


def the_example() -> dagster.Definitions:
    names: dict[str, Any] = {"__name__": "definitions"}
    exec(compile(example("definitions.py"), "definitions.py", "exec", dont_inherit=True), names)
    definitions = names["definitions"]
    assert isinstance(definitions, dagster.Definitions)
    return definitions


def test_good_data_passes(tmp_path: Path) -> None:
    good(tmp_path)
    evaluation, made, success = execute(the_example())
    assert evaluation.passed
    assert made == {"samples", "model"}
    assert success


def test_bad_data_holds_back_what_depends_on_it(tmp_path: Path) -> None:
    bad(tmp_path)
    evaluation, made, success = execute(the_example())
    assert not evaluation.passed
    assert evaluation.blocking
    assert "ORD101" in (evaluation.description or "")
    assert evaluation.metadata["warning"].value == 1
    assert "sorted-by-label" in str(evaluation.metadata["report"].value)
    assert made == {"samples"}
    assert not success


def test_files_behind_an_asset(tmp_path: Path) -> None:
    file = bad(tmp_path)

    @dagster.asset
    def table() -> None:
        """Written elsewhere."""

    cases: list[tuple[dict[str, Any], bool]] = [
        ({}, True),
        ({"fail_on": "warning"}, False),
        ({"fail_on": "warning", "ignore": "ORD"}, True),
    ]
    for options, passes in cases:
        check = datalint_check(table, path=file, **options)
        evaluation, _, success = execute(dagster.Definitions(assets=[table], asset_checks=[check]))
        assert evaluation.passed == passes == success
