"""What is shipped is what lies in the repository, no more and no less."""

from __future__ import annotations

import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import datalint
from datalint.core.project import DISTRIBUTION, DOCUMENTATION

ROOT = Path(__file__).parents[1]
STEM = DISTRIBUTION.replace("-", "_")
PACKAGES = {"datalint": ROOT / "datalint", "datalint_rules": ROOT / "rules" / "datalint_rules"}


def sources(folder: Path) -> set[str]:
    """The files below a folder, but for what Python leaves there."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that is built from the repository."""
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    assert Path(path).name == f"{STEM}-{datalint.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_every_source_file(package: str, wheel: set[str]) -> None:
    # A pattern in .gitignore keeps a file out of the wheel even if git tracks it.
    shipped = {name.removeprefix(f"{package}/") for name in wheel if name.startswith(f"{package}/")}
    assert shipped == sources(PACKAGES[package])
    assert "py.typed" in shipped


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel} == {*PACKAGES, f"{STEM}-{datalint.__version__}.dist-info"}
    assert f"{STEM}-{datalint.__version__}.dist-info/licenses/LICENSE" in wheel


def test_the_source_distribution_can_be_tested(tmp_path: Path) -> None:
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("datalint", "rules", "tests", "sample_data", "benchmarks", "docs"):
        assert {f"{folder}/{name}" for name in sources(ROOT / folder)} <= names
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", ".pre-commit-hooks.yaml", "mkdocs.yml"} <= names


def test_all_brings_all_that_is_optional() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    assert everything == f"{DISTRIBUTION}[{','.join(sorted(extras.keys() - {'all', 'dev', 'docs'}))}]"


def test_the_project_is_called_as_the_messages_say() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == DISTRIBUTION
    assert project["urls"]["Documentation"] == DOCUMENTATION
    for path in [*(ROOT / "datalint").rglob("*.py"), *(ROOT / "rules").rglob("*.py")]:
        told = "pip install '" in path.read_text(encoding="utf-8")
        assert not told or path.name == "project.py", f"{path}: datalint.core.project.install says it"


def test_nothing_else_lies_in_rules() -> None:
    # rules/ is on the path of a checkout: a module next to the package would import here and not exist for users.
    assert {path.name for path in (ROOT / "rules").iterdir()} <= {"datalint_rules", "__pycache__"}


def test_every_package_of_rules_is_a_package() -> None:
    rules = PACKAGES["datalint_rules"]
    for folder in {path.parent for path in rules.rglob("*.py")}:
        assert (folder / "__init__.py").is_file(), f"{folder} would not be looked into"
