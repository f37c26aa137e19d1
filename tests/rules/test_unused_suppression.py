"""CFG101: what silences nothing is reported, and only where this scan can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding, Report


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A table with a constant column."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.random(80), "b": 1, "label": rng.choice(["x", "y"], 80)})
    (tmp_path / "data").mkdir()
    table.to_csv(tmp_path / "data" / "a.csv", index=False)
    return tmp_path / "data"


def scan(data: Path, config: dict[str, Any], **options: Any) -> Report:
    chosen: dict[str, Any] = {"cache": False, "preset": "fast", **options}
    return datalint.scan(data, config={"label": "label", **config}, **chosen)


def unused(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == "CFG101"]


def test_a_name_that_is_mistyped(data: Path) -> None:
    ignores = [{"rules": "VAL105", "column": "b"}, {"rules": "VAL105", "column": "bb", "reason": "typed in haste"}]
    (finding,) = unused(scan(data, {"preset": "fast", "ignores": ignores}))
    assert finding.message == "1 ignore of 2 silenced nothing in this scan: rules VAL105, column bb"
    assert finding.severity == "warning"
    assert finding.affected.count == 1
    assert finding.evidence["entries"] == [{"file": "config", "entry": "rules VAL105, column bb"}]


def test_a_suppression_of_what_is_mended(data: Path) -> None:
    (constant,) = scan(data, {}, select=["VAL105"]).findings
    part = constant.fingerprint[12:]
    entry = {"fingerprint": "0" * 12 + part, "reason": "checked"}
    config = {"preset": "fast", "suppressions": [entry, {"fingerprint": constant.fingerprint, "reason": "a key"}]}
    report = scan(data, config)
    (finding,) = unused(report)
    assert finding.message == f"1 suppression of 2 silenced nothing in this scan: {'0' * 12}{part} (checked)"
    assert "VAL105" not in {f.code for f in report.findings}


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ({"ignores": [{"rules": "SIG101"}]}, {}),  # left out by the preset given on top of the file
        ({"ignores": [{"rules": "LBL101", "column": "q"}]}, {"select": ["VAL", "CFG"]}),
        ({"ignores": [{"rules": "IMG"}]}, {}),  # skipped: no images
        ({"ignores": [{"rules": "VAL105", "file": "nowhere/other.csv"}]}, {}),  # not scanned
        ({"suppressions": [{"fingerprint": "0" * 20, "reason": "of another data set"}]}, {}),
        ({"ignores": [{"rules": "VAL105", "column": "bb"}]}, {"changed_only": True}),
        ({"ignores": [{"rules": "VAL105", "column": "bb"}], "ignore": ["CFG101"]}, {}),
    ],
)
def test_what_this_scan_cannot_tell(data: Path, config: dict[str, Any], options: dict[str, Any]) -> None:
    source: Any = [data / "a.csv"] if "changed_only" in options else data
    assert not unused(scan(source, config, **options))


def test_an_ignore_of_a_rule_that_never_runs(data: Path) -> None:
    (finding,) = unused(scan(data, {"preset": "fast", "ignore": ["VAL105"], "ignores": [{"rules": "VAL105"}]}))
    assert finding.message == "1 ignore of 1 silenced nothing in this scan: rules VAL105"


def test_it_stands_once_with_the_first_of_several_data_sets(data: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    (tmp_path / "data" / "more").mkdir()
    table = pd.DataFrame({"c": rng.random(80), "d": rng.random(80), "label": rng.choice(["x", "y"], 80)})
    table.to_csv(tmp_path / "data" / "more" / "m.csv", index=False)
    ignores = [{"rules": "VAL105", "column": "b"}, {"rules": "VAL105", "column": "c"}]
    report = scan(data, {"preset": "fast", "ignores": ignores})
    assert len(report.datasets) == 2
    (finding,) = unused(report)
    assert finding in report.datasets[0].findings
    assert "column c" in finding.message
    assert [sum(status.code == "CFG101" for status in part.rules) for part in report.datasets] == [1, 0]


def test_nothing_to_judge(data: Path) -> None:
    (status,) = [s for s in scan(data, {}).datasets[0].rules if s.code == "CFG101"]
    assert (status.status, status.reason) == ("passed", "nothing is silenced")
