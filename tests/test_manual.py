"""The pages that the built-in pack ships are used as long as they are those of its rules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from datalint.rules.manual import FILE
from datalint.rules.packs import BUILT_IN, folders_of
from tests.test_docs import blocks

ROOT = Path(__file__).parents[1]

WRITE = f"from datalint.rules.manual import as_json; print(as_json({BUILT_IN!r}))"
SHOW = """
import sys
from datalint.cli import cli
cli(sys.argv[1:], standalone_mode=False)
print("imported:", *(name for name in sys.modules if name.count(".") == 2 and name.startswith("datalint_rules.")))
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the built-in pack, with its manual up to date."""
    (folder,) = folders_of(BUILT_IN)
    copy = tmp_path / BUILT_IN
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / FILE).write_text(run(copy, "-c", WRITE), encoding="utf-8")
    return copy


def run(pack: Path, *arguments: str) -> str:
    """The output of Python where this copy of the pack is installed."""
    # Python itself takes an edited file of the same size and time for the one that it compiled.
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(pack.parent), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def show(pack: Path, *arguments: str) -> tuple[str, set[str]]:
    """What a command prints, and the rule files that were imported for it."""
    printed, _, imported = run(pack, "-c", SHOW, *arguments).rpartition("imported:")
    return printed, set(imported.split())


def test_a_manual_that_is_up_to_date_spares_importing_the_rules(pack: Path) -> None:
    printed, imported = show(pack, "rules")
    assert "ORD101  sorted-by-label" in printed
    assert not imported


def test_a_rule_that_is_dropped_in_is_known_at_once(pack: Path) -> None:
    before = show(pack, "rules")[0].splitlines()
    (code,) = (code for code in blocks("CONTRIBUTING.md", "python") if "(Rule)" in code)
    (pack / "scale" / "tiny_set.py").write_text(code, encoding="utf-8")
    printed, imported = show(pack, "rules")
    (new,) = set(printed.splitlines()) - set(before)
    assert new.split()[:3] == ["XMP101", "tiny-set", "warning"]
    assert f"{BUILT_IN}.scale.tiny_set" in imported
    assert show(pack, "explain", "XMP101")[0].startswith("XMP101 tiny-set (warning)")


def test_a_page_that_was_edited_is_shown_as_it_is(pack: Path) -> None:
    file = pack / "order" / "sorted_by_label.py"
    state = file.stat()
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("Samples stored in the order", "Records stored in the order"), encoding="utf-8")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file.stat().st_size == state.st_size
    assert "Records stored in the order of their labels." in show(pack, "rules")[0]


def test_a_rule_that_was_removed_is_unknown_at_once(pack: Path) -> None:
    (pack / "order" / "sorted_by_label.py").unlink()
    assert "ORD101" not in show(pack, "rules")[0]


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"sources": null, "pages": []}', "no JSON"])
def test_an_unusable_manual_is_ignored(pack: Path, broken: str) -> None:
    manual = pack / FILE
    codes = [page["code"] for page in json.loads(manual.read_text(encoding="utf-8"))["pages"]]
    manual.write_text(broken, encoding="utf-8")
    assert [line.split()[0] for line in show(pack, "rules")[0].splitlines()] == codes
