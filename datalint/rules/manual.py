"""What the rules say of themselves, without importing them: a pack ships its pages as one file with its rules.

Importing dozens of rules takes several times as long as starting the command line. The file is made from the rules by
``python -m datalint.rules.catalogue`` and holds a checksum of each source file of the pack. A pack without one, or whose source
files have changed since, is imported.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.rules.packs import folders_of, rule_packages, sources_of

if TYPE_CHECKING:
    from datalint.rules.base import RuleBase

FILE = "manual.json"


@dataclass(frozen=True)
class Page:
    """One rule's page."""

    code: str
    name: str
    severity: str
    finds: str
    """What it finds, in one line."""
    text: str
    parameters: list[dict[str, Any]]
    """Name, default and description of each."""
    repair: str | None = None
    """How its findings are mended, if they can be."""
    since: str = "0.1.0"
    stage: str = "stable"
    pack: str = ""
    """The package that it was found in; not stored."""


def page_of(rule: type[RuleBase]) -> Page:
    """The page of a rule."""
    parameters = [
        {"name": name, "default": parameter.default, "description": parameter.description}
        for name, parameter in rule.Params.model_fields.items()
    ]
    return Page(
        rule.code, rule.name, rule.severity, rule.finds(), rule.page(), parameters, rule.repair, rule.since, rule.stage
    )


def pages() -> list[Page]:
    """The pages of all rules, by code."""
    found: dict[str, Page] = {}
    for package in rule_packages():
        for page in _shipped(package) or _imported(package):
            found.setdefault(page.code, replace(page, pack=package))
    return sorted(found.values(), key=lambda page: page.code)


def find_page(key: str) -> Page:
    """The page of the rule with this code or name.

    Raises:
        DatalintError: there is none; the message names the nearest.
    """
    known = pages()
    for page in known:
        if key.casefold() in {page.code.casefold(), page.name}:
            return page
    from datalint.rules.registry import unknown_rule

    raise unknown_rule(key, ((page.code, page.name) for page in known))


def as_json(package: str) -> str:
    """The file of a pack."""
    pages = sorted((_stored(page) for page in _imported(package)), key=lambda page: str(page["code"]))
    return json.dumps({"sources": sources_of(package), "pages": pages}, indent=1, ensure_ascii=False) + "\n"


def _stored(page: Page) -> dict[str, Any]:
    record = asdict(page)
    del record["pack"]
    return record


def _shipped(package: str) -> list[Page]:
    """The pages that a pack ships; empty if there are none or if they are out of date."""
    for folder in folders_of(package):
        try:
            shipped = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if shipped["sources"] == sources_of(package):
                return [Page(**item) for item in shipped["pages"]]
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return []


def _imported(package: str) -> list[Page]:
    from datalint.rules.registry import rules_in

    return [page_of(rule) for rule in rules_in(package)]
