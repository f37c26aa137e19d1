"""The plugin in real sessions of pytest, each a process of its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.command import ROOT, environment
from tests.integrations.workspace import bad, example, good

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest_plugins = ["pytester"]

SORTED = """
def test_data(datalint):
    datalint.assert_clean("data", preset="fast", {options})
"""


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Run tests with the plugin of this checkout, whatever is installed, and with warnings as errors."""
    for name, value in environment(pytester.path, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}).items():
        monkeypatch.setenv(name, value)

    def run(code: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_data=code)
        return pytester.runpytest_subprocess("-p", "datalint.integrations.pytest_plugin", "-W", "error", *options)

    return run


def test_the_example_passes_on_good_data(session: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    good(pytester.path)
    session(example("test_data.py")).assert_outcomes(passed=1)


def test_the_example_fails_on_bad_data(session: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    bad(pytester.path)
    result = session(example("test_data.py"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       datalint.assert_clean(*",
            "E       AssertionError: not clean: ORD101 sorted-by-label",
            "E       iris  delimited text file, 150 samples",
            "E         warning  ORD101 sorted-by-label  labels are stored in order*",
            "E                  fix: Shuffle before training*",
            "FAILED test_data.py::test_data - AssertionError: not clean: ORD101 sorted-by-*",
        ]
    )
    # What is known to be less severe, the rest of the report and datalint's own code are no part of the message.
    result.stdout.no_fnmatch_line("*DUP101*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


OPTIONS = {
    "": "PASSED",  # a warning is no error
    "fail_on='warning'": "FAILED",
    "fail_on='warning', ignore='LBL,ORD'": "PASSED",
    "fail_on='warning', select=['LBL']": "PASSED",
    "fail_on='never'": "PASSED",
}


def test_options(session: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    bad(pytester.path)
    code = [SORTED.format(options=options).replace("test_data", f"test_{k}") for k, options in enumerate(OPTIONS)]
    result = session("".join(code), "-v")
    result.stdout.fnmatch_lines([f"*::test_{k} {said}*" for k, said in enumerate(OPTIONS.values())])


def test_the_configuration_is_obeyed(session: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    bad(pytester.path)
    file = pytester.path / "datalint.toml"
    file.write_text('fail-on = "warning"\n', encoding="utf-8")
    session(SORTED.format(options="")).assert_outcomes(failed=1)
    file.write_text('fail-on = "warning"\nignore = ["ORD"]\n', encoding="utf-8")
    session(SORTED.format(options="")).assert_outcomes(passed=1)
    file.write_text("fial-on = 1\n", encoding="utf-8")
    result = session(SORTED.format(options=""))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E       datalint.core.errors.DatalintError: *datalint.toml*fial-on*fail-on*"])


def test_frames_arrays_and_splits(session: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    bad(pytester.path)
    code = """
import pandas as pd
import pytest
from datalint.integrations.pytest_plugin import assert_clean

table = pd.read_csv("data/iris.csv")
X, y = table.drop(columns="species").to_numpy(), table["species"].to_numpy()

@pytest.mark.parametrize("data", [table, (X, y), {"train": (X[::2], y[::2]), "test": (X[1::2], y[1::2])}])
def test_sorted(datalint, data):
    with pytest.raises(AssertionError, match="ORD101"):
        assert_clean(data, fail_on="warning", preset="fast")
    report = datalint.assert_clean(data, fail_on="warning", ignore=["ORD", "SPL"], preset="fast")
    assert sum(split.samples for split in report.datasets[0].splits) == 150
    assert [finding.code for finding in datalint.scan(data, select=["ORD101"]).findings][:1] == ["ORD101"]
"""
    session(code).assert_outcomes(passed=3)


def test_what_cannot_be_scanned_fails_with_one_line(session: Callable[..., pytest.RunResult]) -> None:
    result = session(SORTED.format(options=""))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E       datalint.core.errors.DatalintError: no such file or folder: data"])
    result.stdout.no_fnmatch_line("*api.py*")


def test_a_session_without_it_loads_nothing(session: Callable[..., pytest.RunResult]) -> None:
    code = """
import sys

def test_nothing():
    heavy = {"numpy", "pandas", "pydantic", "PIL", "sklearn", "cleanlab", "pyarrow", "joblib"}
    assert not heavy & set(sys.modules)
    assert {name for name in sys.modules if name.startswith("datalint")} == {
        "datalint",
        "datalint.integrations",
        "datalint.integrations.pytest_plugin",
    }
"""
    session(code).assert_outcomes(passed=1)


def test_pytest_finds_it_by_itself(tmp_path: Path) -> None:
    # As it is shipped: the entry point is read from the wheel, by a session that is told nothing.
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    bad(tmp_path)
    (tmp_path / "test_data.py").write_text(SORTED.format(options="fail_on='warning'"), encoding="utf-8")
    for options, told in (
        (["-W", "error"], "not clean: ORD101"),
        (["-p", "no:datalint"], "fixture 'datalint' not found"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options],
            cwd=tmp_path,
            env=environment(tmp_path, {"PYTHONPATH": str(tmp_path / "site")}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert told in done.stdout
