"""What must stay quick loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from datalint.cli import COMMANDS

HEAVY = {"PIL", "cleanlab", "joblib", "numpy", "pandas", "pyarrow", "scipy", "sklearn"}

COMMAND = """
import sys
from datalint.cli import main
sys.argv = ["datalint", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
"""


def _loaded(code: str) -> set[str]:
    """The heavy libraries that a fresh interpreter has loaded after running some code."""
    code += f"\nimport sys\nprint('loaded:', *sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["scan", "--help"], ["rules"], ["explain", "ORD101"], ["config"]],
    ids=" ".join,
)
def test_the_manual_loads_nothing_heavy(arguments: list[str]) -> None:
    assert _loaded(COMMAND.format(arguments=arguments)) == set()


@pytest.mark.parametrize(("command", "module"), sorted(COMMANDS.items()))
def test_a_command_loads_its_own_module_alone(command: str, module: str) -> None:
    code = COMMAND.format(arguments=[command, "--help"])
    code += (
        "\nprint('loaded:', *(name for name in sys.modules if name.startswith(('datalint.', 'pydantic', 'jinja2'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("loaded:")[2].split())
    shared = {"datalint.cli", "datalint.cli.options", f"datalint.cli.{module}"}
    shown = {"datalint.cli.showing"} if module == "scanning" else set()
    assert {name for name in loaded if name.startswith("datalint.cli")} == shared | shown
    assert not {name.split(".")[0] for name in loaded} - {"datalint"}
    assert "datalint.api" not in loaded


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _loaded("import datalint; datalint.__version__") == set()


def test_a_table_needs_no_pillow_and_no_cleanlab_unless_a_rule_trains() -> None:
    scan = "import datalint; datalint.scan('sample_data/iris_sorted', preset='fast', cache=False)"
    assert not _loaded(scan) & {"PIL", "cleanlab", "sklearn"}


def test_public_names_are_there() -> None:
    import datalint

    assert datalint.__all__ == sorted(datalint.__all__)
    for name in datalint.__all__:
        assert getattr(datalint, name) is not None
