"""What must stay quick loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import grimp
import pytest

from datalint.cli import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def test_no_file_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("datalint", exclude_type_checking_imports=False)
    imports = {name: graph.find_modules_directly_imported_by(name) - {"datalint"} for name in graph.modules}
    circles = {frozenset(found) for found in _circles(imports)}
    # A path at a URL opens itself through the store that it lies in, and a store takes paths.
    assert all(name.startswith("datalint.sources.remote.") for circle in circles for name in circle), circles


def _circles(imports: dict[str, set[str]]) -> Iterator[set[str]]:
    """The groups of files each of which imports every other one, by way of others or at once."""
    above: dict[str, set[str]] = {name: set() for name in imports}
    for name, below in imports.items():
        for other in below:
            above[other].add(name)
    for name in imports:
        circle = _reached(name, imports) & _reached(name, above)
        if circle:
            yield circle


def _reached(name: str, ways: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    todo = [*ways[name]]
    while todo:
        if (other := todo.pop()) not in reached:
            reached.add(other)
            todo += ways[other]
    return reached


def test_public_names_are_there() -> None:
    import datalint

    assert datalint.__all__ == sorted(datalint.__all__)
    for name in datalint.__all__:
        assert getattr(datalint, name) is not None
