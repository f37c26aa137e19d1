"""Parts of pages that follow from the code, and pages that are kept elsewhere in the repository."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from datalint.cli import COMMANDS, cli
from datalint.config.schema import TABLES, Config
from datalint.core.project import DISTRIBUTION
from datalint.sources.inventory import WHAT
from datalint.sources.layouts.base import Basis
from datalint.sources.layouts.installed import installed_layouts
from datalint.sources.tables.formats import BUILT_IN
from docs._site.markdown import table

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]

ELSEWHERE: Final = {
    "README.md": ("index.md", "What datalint finds, and how to try it."),
    "CONTRIBUTING.md": ("extending.md", "How to write a rule, a layout, a format, a measurement."),
    "SECURITY.md": ("security.md", "What is promised of hostile data, and how to report a hole."),
    "CHANGELOG.md": ("changelog.md", "What changed, newest first."),
}
"""Pages of the site by the file that holds them, with what they are about."""

SUREST = {
    Basis.ASKED: "the user says so",
    Basis.DECLARED: "metadata that lists the files",
    Basis.STRUCTURE: "contents that fit together",
    Basis.NAMES: "names of files and folders",
}

EXTRAS = {
    "all": "everything below",
    "audio": "recordings that are compressed",
    "dask": "scans on a Dask cluster",
    "excel": "sheets of Excel and LibreOffice workbooks",
    "remote": "`hf://` and what else fsspec reads",
    "service": "`datalint serve`, `push` and `gate`",
    "watch": "`datalint scan --watch`",
}
"""What an extra is for; one without a line is still listed."""


def pages() -> dict[str, str]:
    """The text of every page that another file holds."""
    return {name: _moved(source, about) for source, (name, about) in ELSEWHERE.items()}


def _moved(source: str, about: str) -> str:
    def link(found: re.Match[str]) -> str:
        text, target, anchor = found.groups()
        if target in ELSEWHERE:
            return f"[{text}]({ELSEWHERE[target][0]}{anchor})"
        if target == "rules/datalint_rules":
            return f"[{text}](rules/index.md)"
        if target.startswith("docs/"):
            return f"[{text}]({target.removeprefix('docs/')}{anchor})"
        return text if not (text.startswith("!") or ":" in target) else found[0]  # in the repository alone

    text = (ROOT / source).read_text(encoding="utf-8")
    return f"---\ndescription: {about}\n---\n" + re.sub(r"\[([^\]]*)\]\(([^)#\s]+)((?:#[^)\s]*)?)\)", link, text)


def _formats() -> str:
    rows = [
        [known.title, " ".join(f"`{suffix}`" for suffix in sorted(known.suffixes)), "name" if known.sure else "content"]
        for known in (make() for make in BUILT_IN)
    ]
    return table(["tables", "suffixes", "known by"], rows)


def _layouts() -> str:
    rows = []
    for item in installed_layouts()[0]:
        if not item.plugin:
            about = (item.layout.__doc__ or "").split("\n\n", 1)[0]
            rows.append(
                [
                    f"`{type(item.layout).__module__.rpartition('.')[2]}`",
                    " ".join(about.split()),
                    SUREST[item.layout.surest],
                ]
            )
    return table(["layout", "what it takes", "rests at best on"], rows)


def _unread() -> str:
    suffixes = defaultdict(list)
    for suffix, what in WHAT.items():
        suffixes[what].append(f"`{suffix}`")
    return table(
        ["suffixes", "what the report says of them"], [[" ".join(found), what] for what, found in suffixes.items()]
    )


def _extras() -> str:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = sorted(found.keys() - {"dev", "docs"})
    return table(
        ["extra", "for", "installs"],
        [[f"`{name}`", EXTRAS.get(name, ""), ", ".join(_package(line) for line in found[name])] for name in names],
    )


def _package(requirement: str) -> str:
    return "" if requirement.startswith(DISTRIBUTION) else f"`{re.split(r'[<>=!~; ]', requirement)[0]}`"


def _commands() -> str:
    parts = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        context = click.Context(command, info_name=f"datalint {name}", terminal_width=88)
        parts.append(f"## datalint {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _configuration() -> str:
    schema = Config.model_json_schema(by_alias=True, mode="validation")
    parts = [_keys(schema, schema, "key")]
    for name, model in TABLES.items():
        about = " ".join((model.__doc__ or "").split("\n\n", 1)[0].split())
        own = model.model_json_schema(by_alias=True, mode="validation")
        parts.append(f"### `[[{name}]]`\n\n{about}\n\n{_keys(own, own, 'key')}")
    return "\n".join(parts)


def _keys(table_of: dict[str, Any], schema: dict[str, Any], head: str) -> str:
    rows = []
    for key, about in table_of["properties"].items():
        default = about.get("default")
        shown = "" if default in (None, [], {}, "") else f"`{default}`"
        rows.append([f"`{key}`", _kind(about, schema), shown, about.get("description", "")])
    return table([head, "is", "default", "meaning"], rows)


def _kind(about: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in about:
        return _kind(schema["$defs"][about["$ref"].rpartition("/")[2]], schema)
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    if "anyOf" in about:
        kinds = dict.fromkeys(_kind(option, schema) for option in about["anyOf"] if option.get("type") != "null")
        return " or ".join(kinds)
    if about.get("format") == "date":
        return "date"
    kind = str(about.get("type", ""))
    return {"string": "text", "integer": "whole number", "array": "list", "object": "table"}.get(kind, kind)


def _between(start: str, end: str) -> str:
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    return text.partition(start)[2].partition(end)[0].strip()


PARTS: Final[dict[str, Callable[[], str]]] = {
    "commands": _commands,
    "configuration": _configuration,
    "extras": _extras,
    "formats": _formats,
    "layouts": _layouts,
    "peers": lambda: _between("### Beside other tools", "<!-- /detection -->"),
    "speed": lambda: _between("<!-- speed -->", "<!-- /speed -->").replace("|  | CPU s |", "| what | CPU s |"),
    "unread": _unread,
}
"""What a page gets where it says ``<!-- generated: NAME -->``."""
