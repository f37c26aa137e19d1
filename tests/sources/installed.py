"""Distributions of others, installed as pip leaves them, and the command that sees them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def example(kind: str) -> str:
    """The class of that kind in the guide."""
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    codes: list[str] = re.findall(r"^```python\n(.*?)^```", guide, re.M | re.S)
    (found,) = (code for code in codes if f"({kind})" in code)
    return found


def install(folder: Path, name: str, group: str, point: str, code: str) -> Path:
    """A folder with the distribution ``name`` 1.0: one module of that name, and an entry point ``NAME = CLASS``."""
    module = name.replace("-", "_")
    info = folder / "site" / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{point.replace('= ', f'= {module}:')}\n")
    (info.parent / f"{module}.py").write_text(code)
    return info.parent


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with what is installed there."""
    paths = os.pathsep.join([str(site), str(ROOT), str(ROOT / "rules")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "DATALINT_CACHE_DIR": str(site / "cache")}
    command = [sys.executable, "-m", "datalint", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def scan(site: Path, data: Path, *options: str) -> dict[str, Any]:
    """The report of a scan."""
    done = run(site, "scan", str(data), "--no-report", "--format", "json", "--preset", "fast", *options)
    assert done.returncode in {0, 1}, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report
