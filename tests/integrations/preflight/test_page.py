"""The example of the documentation runs, and its loop is sound until it is broken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import torch

from datalint.core.errors import FindingsError
from tests.integrations.workspace import ROOT, example

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]


def run(code: str) -> None:
    torch.manual_seed(0)
    exec(compile(code, "example", "exec", dont_inherit=True), {"__name__": "example"})


@pytest.fixture(autouse=True)
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings are near."""
    monkeypatch.chdir(tmp_path)


def test_the_example_of_the_page() -> None:
    run(example("check_loop.py"))


def test_the_example_stops_where_the_loop_is_broken() -> None:
    code = example("check_loop.py").replace("X = torch.randn(600, 20)", "X = 1e4 * torch.randn(600, 20)")
    assert "1e4" in code
    with pytest.raises(FindingsError):
        run(code)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_the_test_of_the_page(scale: float, pytester: pytest.Pytester) -> None:
    loop = example("check_loop.py").replace("X = torch", f"torch.manual_seed(0)\n    X = {scale} * torch")
    body, _, _ = loop.partition("report =")
    imports, _, rest = body.partition("X = ")
    imports, _, seed = imports.rpartition("\n\n")
    lines = "".join(f"    {line.strip()}\n" for line in f"{seed}X = {rest}".splitlines())
    pytester.makepyfile(
        train=f"{imports}\n\ndef make_loop():\n{lines}    return model, loss, loader, optimizer\n",
        test_loop=example("test_loop.py"),
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    if scale == 1:
        result.assert_outcomes(passed=1)
    else:
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["E       AssertionError: not clean: PRE*", "E *fix: *"])


def test_the_readme_shows_the_call_of_the_example() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (call,) = re.findall(r"^```py\nprint\((datalint\.preflight\(.*\))\)\n```", readme, re.MULTILINE)
    assert call in example("check_loop.py")
