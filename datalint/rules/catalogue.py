"""What of the documentation follows from the code: ``python -m datalint.rules.catalogue [--check]``.

Run in the repository. Writes ``rules/datalint_rules/manual.json`` (the pages of the rules, so that ``datalint rules`` and
``explain`` need not import them), ``tests/rules/codes.txt`` (the codes that were given, for ever), and into ``README.md`` and
the pages in ``docs/`` what every command shown there prints. With ``--check`` it writes nothing and exits with 1 if something
is out of date. The site makes the rest when it is built: ``docs/_site``.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from datalint.rules.manual import as_json
from datalint.rules.packs import BUILT_IN
from datalint.rules.registry import every_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.rules.base import RuleBase

MODELLED = re.compile(r"(?<=LBL102  ).*?(?=\n\n)", re.DOTALL)
"""What rests on trained models: its figures may move with the version of scikit-learn and the kind of processor."""

BLOCK = re.compile(r"^```(?P<kind>console|python)\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
"""What is run of a page: a command with what it prints, or a program."""

MANUAL = Path("rules/datalint_rules/manual.json")
CODES = Path("tests/rules/codes.txt")


def built_in() -> list[type[RuleBase]]:
    """The rules of this distribution, by code; those of other installed packs are not ours to document."""
    return [rule for rule in every_rule() if rule.__module__.startswith(f"{BUILT_IN}.")]


def all_pages() -> dict[Path, str]:
    """The text of each file that is written here, by path."""
    pages = [page for page in (Path("README.md"), *sorted(Path("docs").rglob("*.md"))) if "```console\n" in _text(page)]
    with ThreadPoolExecutor(2) as pool:
        return records() | dict(zip(pages, pool.map(_shown, pages), strict=True))


def _shown(page: Path) -> str:
    """A page with what its commands print; programs after the last of them are left to the tests."""
    *_, last = (found.end() for found in BLOCK.finditer(_text(page)) if found["kind"] == "console")
    return executed(_text(page)[:last], str(page)) + _text(page)[last:]


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def records() -> dict[Path, str]:
    """What follows from the rules alone."""
    return {MANUAL: as_json(BUILT_IN), CODES: known_codes(CODES.read_text(encoding="utf-8"))}


def known_codes(text: str) -> str:
    """Every code with its name that was ever given: those of ``text``, and those of the rules that are new.

    Args:
        text: the list as it is.
    """
    known = text.splitlines()
    return "\n".join(sorted({*known, *(f"{rule.code} {rule.name}" for rule in built_in())})) + "\n"


def executed(text: str, name: str, output: Callable[[list[str], str, dict[str, str], str], str] | None = None) -> str:
    """A page with what its commands print.

    Programs and commands run one after the other, in one folder that shows the sample data, so that their files are not left
    in the repository; they know nothing of earlier scans.

    Args:
        text: the page as it is.
        name: what the page is called where something fails.
        output: what a command of Python prints, given its folder, its environment and what it is called; each is a process
            of its own if not given.
    """
    output = output or _output
    root = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sample_data").symlink_to(root / "sample_data", target_is_directory=True)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "rules")]),
            "DATALINT_CACHE_DIR": str(Path(folder, ".cache")),
            "NO_COLOR": "1",
            "COLUMNS": "88",
            "CI": "true",
        }

        def run(found: re.Match[str]) -> str:
            body = found["body"]
            if found["kind"] == "python":
                output([sys.executable, "-W", "error", "-c", body], folder, environment, f"{name}: {body}")
                return found[0]
            command = body.partition("\n")[0].removeprefix("$ ")
            words = shlex.split(command)
            if words[0] != "datalint":
                raise RuntimeError(f"{name}: {command}: only datalint is run")
            printed = output([sys.executable, "-c", START, *words[1:]], folder, environment, f"{name}: {command}")
            return f"```console\n$ {command}\n{printed}```"

        return BLOCK.sub(run, text)


START = "import sys; sys.argv[0] = 'datalint'; from datalint.cli import main; main()"


def _output(words: list[str], folder: str, environment: dict[str, str], what: str) -> str:
    done = subprocess.run(  # noqa: S603 - commands of our own pages
        words, cwd=folder, capture_output=True, text=True, encoding="utf-8", env=environment, check=False
    )
    if done.stderr:
        raise RuntimeError(f"{what}\n{done.stderr}")
    return done.stdout


def steady(page: str) -> str:
    """A page without the figures that may differ between two machines, for comparison."""
    return MODELLED.sub(lambda found: " ".join(re.sub(r"[\d.]+%?", "#", found[0]).split()), page)


def _differs(path: Path, text: str) -> bool:
    return steady(path.read_text(encoding="utf-8")) != steady(text)


def main() -> int:
    """Write or check the pages; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m datalint.rules.catalogue", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is out of date")
    check = parser.parse_args().check
    pages = all_pages()
    stale = [path for path, text in pages.items() if not path.exists() or _differs(path, text)]
    for path in stale:
        if not check:
            path.write_text(pages[path], encoding="utf-8")
        print(f"{path}: {'out of date; run python -m datalint.rules.catalogue' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
