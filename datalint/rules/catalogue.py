"""The parts of the documentation that follow from the code: ``python -m datalint.rules.catalogue [--check]``.

Run in the repository. Writes ``rules/datalint_rules/manual.json`` (the pages of the rules, so that ``datalint rules`` and
``explain`` need not import them), ``tests/rules/codes.txt`` (the codes that were given, for ever), ``rules/README.md`` (the catalogue of rules), and in ``README.md`` the table of rules and
what every command shown there prints. With ``--check`` it writes nothing and exits with 1 if something is out of date.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from datalint.rules.detection_figures import all_figures
from datalint.rules.manual import as_json
from datalint.rules.packs import BUILT_IN
from datalint.rules.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.rules.base import Rule

MODELLED = re.compile(r"(?<=LBL102  ).*?(?=\n\n)", re.DOTALL)
"""What rests on trained models: its figures may move with the version of scikit-learn and the kind of processor."""

CONSOLE = re.compile(r"(```console\n\$ )(?P<command>datalint[^\n]*)\n(?P<output>.*?)(```)", re.DOTALL)
MANUAL = Path("rules/datalint_rules/manual.json")
CODES = Path("tests/rules/codes.txt")
TABLE = re.compile(r"(<!-- rules: .*? -->\n)(.*?)(<!-- end of rules -->)", re.DOTALL)

INTRODUCTION = """\
# The rules

One rule is one file in `datalint_rules/<family>/`, named like the rule; its docstring is its page (`datalint explain
CODE`). How to write one is in [CONTRIBUTING.md](../CONTRIBUTING.md). Severity is the worst that a rule reports: a finding may
be milder where the context allows. "37/n" is item n of the list "37 reasons why your neural network is not working".

This page is generated: `python -m datalint.rules.catalogue`.
"""

MEASURED = """\
## How often they are right

Measured by `python -m benchmarks.detection` on clean reference data and on the same data with each rule's own fault in it.
*Found*: faults of strength 0.5 (0 is barely there, 1 is blatant) unless another is said. *From strength*: where 95 % are
found, and at all greater ones. *False alarms*: clean scans with a warning or error of the rule, and the upper end of the 95 %
interval of their rate.
"""


def built_in() -> list[type[Rule]]:
    """The rules of this distribution, by code; those of other installed packs are not ours to document."""
    return [rule for rule in all_rules() if rule.__module__.startswith(f"{BUILT_IN}.")]


def rule_table(root: str, *, items: bool) -> str:
    """The rules as a Markdown table.

    Args:
        root: leads to the folder of the rules from where the table stands.
        items: whether to name the items of the list of 37 reasons.
    """
    rows = []
    for rule in built_in():
        path = f"{root}{rule.__module__.replace('.', '/')}.py"
        rows.append([f"[{rule.code}]({path}) {rule.name}", rule.severity, rule.finds(), rule.item])
    head = ["rule", "severity", "finds", "37/"]
    width = len(head) if items else len(head) - 1
    return _table([row[:width] for row in [head, *rows]])


def rules_page() -> str:
    """The text of ``rules/README.md``."""
    parameters = [
        [rule.code, f"`{name}`", str(parameter.default), parameter.description or ""]
        for rule in built_in()
        for name, parameter in rule.Params.model_fields.items()
    ]
    table = _table([["rule", "parameter", "default", "meaning"], *parameters])
    figures = figures_table()
    measured = [MEASURED, figures] if figures else []
    return "\n".join([INTRODUCTION, rule_table("", items=True), *measured, "## Parameters\n", table])


def figures_table() -> str:
    """How often each rule was right, as far as it was measured; empty if none was."""
    known = all_figures()
    head = ["rule", "severity", "37/", "found", "from strength", "false alarms", "at most per 1,000"]
    rows = [[*head, "named samples that are faulty", "faulty samples that are named", "CPU ms"]]
    for rule in built_in():
        item = known.get(rule.code)
        if item is not None:
            rows.append(
                [
                    f"{rule.code} {rule.name}",
                    rule.severity,
                    rule.item,
                    f"{item.found:,} of {item.planted:,}" + ("" if item.promise == 0.5 else f" at {item.promise:g}"),
                    "-" if item.found_from is None else f"{item.found_from:g}",
                    f"{item.false_alarms:,} in {item.clean_scans:,}",
                    f"{item.at_most_per_1000:g}",
                    "-" if item.precision is None else f"{item.precision:.0%}",
                    "-" if item.recall is None else f"{item.recall:.0%}",
                    "-" if item.cpu_ms is None else f"{item.cpu_ms:.0f}",
                ]
            )
    return _table(rows) if len(rows) > 1 else ""


def all_pages(run: Callable[[str], str]) -> dict[Path, str]:
    """The text of each generated file, by path; ``run`` gives the output of a ``datalint`` command."""
    readme = Path("README.md")
    return {
        MANUAL: as_json(BUILT_IN),
        CODES: known_codes(CODES.read_text(encoding="utf-8")),
        Path("rules/README.md"): rules_page(),
        readme: readme_page(readme.read_text(encoding="utf-8"), run),
    }


def readme_page(text: str, run: Callable[[str], str]) -> str:
    """``README.md`` with its generated parts updated.

    Args:
        text: the page as it is.
        run: the output of a ``datalint`` command.
    """
    text = TABLE.sub(lambda found: found[1] + rule_table("rules/", items=False) + found[3], text)
    return CONSOLE.sub(lambda found: f"{found[1]}{found['command']}\n{run(found['command'])}{found[4]}", text)


def known_codes(text: str) -> str:
    """Every code with its name that was ever given: those of ``text``, and those of the rules that are new.

    Args:
        text: the list as it is.
    """
    known = text.splitlines()
    return "\n".join(sorted({*known, *(f"{rule.code} {rule.name}" for rule in built_in())})) + "\n"


def run_command(command: str) -> str:
    """What a ``datalint`` command prints, at a width of 100 columns.

    It runs in a folder of its own that shows the sample data, so that its reports are not left in the repository, and
    knows nothing of earlier scans.
    """
    root = Path.cwd()
    path = os.pathsep.join([str(root), str(root / "rules")])
    settings = {"PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "100", "CI": "true"}
    start = "import sys; sys.argv[0] = 'datalint'; from datalint.cli import main; main()"
    words = [sys.executable, "-c", start, *shlex.split(command)[1:]]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sample_data").symlink_to(root / "sample_data", target_is_directory=True)
        environment = os.environ | settings | {"DATALINT_CACHE_DIR": str(Path(folder, "cache"))}
        done = subprocess.run(  # noqa: S603 - commands of our own README
            words, cwd=folder, capture_output=True, text=True, encoding="utf-8", env=environment, check=False
        )
    if done.stderr:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout


def steady(page: str) -> str:
    """A page without the figures that may differ between two machines, for comparison."""
    return MODELLED.sub(lambda found: " ".join(re.sub(r"[\d.]+%?", "#", found[0]).split()), page)


def _table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines) + "\n"


def _differs(path: Path, text: str) -> bool:
    return steady(path.read_text(encoding="utf-8")) != steady(text)


def main() -> int:
    """Write or check the pages; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m datalint.rules.catalogue", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is out of date")
    check = parser.parse_args().check
    pages = all_pages(run_command)
    stale = [path for path, text in pages.items() if not path.exists() or _differs(path, text)]
    for path in stale:
        if not check:
            path.write_text(pages[path], encoding="utf-8")
        print(f"{path}: {'out of date; run python -m datalint.rules.catalogue' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
