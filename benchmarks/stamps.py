"""What the figures of a rule depend on, so that finished work is done again only where something of it has changed."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datalint.rules.base import Rule

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "rules"

APART = (
    "__main__.py",
    "cli",
    "config/discovery.py",
    "config/starter.py",
    "engine/cache.py",
    "engine/known_reports.py",
    "integrations",
    "judge/facts.py",
    "judge/thumbnails.py",
    "mending",
    "planting",
    "rules/catalogue.py",
    "rules/detection_figures.py",
    "rules/manual.py",
    "service",
    "suppress/baseline.py",
)
"""Of the package: what starts, shows, keeps, compares or mends. The trials see findings, and scan without a cache."""

MODELS = "models.py"
"""The one part of the reports that the trials read."""

TRIALS = ("benchmarks/families.py", "benchmarks/trials.py", "tests/reference.py")

LIBRARIES = ("cleanlab", "numpy", "pandas", "pillow", "pyarrow", "scikit-learn", "scipy")


@cache
def stamp_of(rule: type[Rule]) -> str:
    """Of all that can change what a rule finds: its file, what that imports of its pack, the layers below, libraries."""
    file = RULES / f"{rule.__module__.replace('.', '/')}.py"
    return digest([file, *sorted(helpers(file))], [common()])


@cache
def common() -> str:
    """Of all that rules stand on, and of the trials themselves."""
    package = ROOT / "datalint"
    files = [path for path in sorted(package.rglob("*.py")) if matters(path.relative_to(package))]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    return digest([*files, *(ROOT / name for name in TRIALS)], versions)


def matters(path: Path) -> bool:
    """Whether a file of the package, by its path therein, can change what a rule finds."""
    if path.parts[0] == "report":
        return path.name == MODELS
    return not any(path.is_relative_to(part) for part in APART)


def digest(files: Iterable[Path], texts: Iterable[str] = ()) -> str:
    """Of the contents of files, wherever the checkout lies, and of some texts."""
    found = hashlib.sha256()
    for path in files:
        found.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    for text in texts:
        found.update(text.encode() + b"\0")
    return found.hexdigest()[:16]


@cache
def helpers(file: Path) -> frozenset[Path]:
    """The files of the packs that a file imports, at its top or later, directly or through others."""
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop().read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                path = RULES / f"{name.replace('.', '/')}.py"
                if path.exists() and path not in found and path != file:
                    found.add(path)
                    waiting.append(path)
    return frozenset(found)
