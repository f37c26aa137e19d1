"""Templates are compiled once per installation."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from datalint.report.html.compiled import TEMPLATES

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """
from datalint.report.html import compiled
from jinja2 import Environment, FileSystemLoader
made = []
class Counted(Environment):
    def compile(self, *args, **kwargs):
        made.append(args[1])
        return super().compile(*args, **kwargs)
environment = Counted(loader=FileSystemLoader(compiled.TEMPLATES), bytecode_cache=compiled.Compiled())
environment.get_template("report.html.j2")
print(len(made))
"""


def _compiled(prefix: Path | str, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    root = str(TEMPLATES.parents[3])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PAGE],
        env=kept | {"PYTHONPATH": root, "PYTHONPYCACHEPREFIX": str(prefix)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_second_process_compiles_nothing(tmp_path: Path) -> None:
    assert _compiled(tmp_path) == "1"
    assert _compiled(tmp_path) == "0"


def test_what_is_damaged_is_compiled_again(tmp_path: Path) -> None:
    _compiled(tmp_path)
    (kept,) = tmp_path.rglob("report.html*.pyc")
    whole = kept.read_bytes()
    for damaged in (b"", whole[:20], whole[: len(whole) // 2], b"x" * 500):
        kept.write_bytes(damaged)
        assert _compiled(tmp_path) == "1"
    assert kept.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing(tmp_path: Path) -> None:
    assert _compiled(tmp_path, PYTHONDONTWRITEBYTECODE="1") == "1"
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert _compiled(blocked) == "1"
