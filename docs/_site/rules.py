"""The pages of the rules, from the rules themselves and from what was measured of them."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.rules.catalogue import built_in
from datalint.rules.detection_figures import all_figures
from docs._site import faults
from docs._site.markdown import table

if TYPE_CHECKING:
    from datalint.rules.base import RuleBase

ROOT = Path(__file__).parents[2]

FAMILIES = {
    "annotations": "Boxes and masks",
    "config": "Configuration",
    "images": "Pictures",
    "preflight": "Training loops",
    "text": "Texts",
}
"""What families are called, where not like their folder."""

REPAIRS = {
    "drop": "drops the samples",
    "drop-copies": "drops the copies",
    "drop-from-earlier": "drops the samples from the earlier split",
    "leave-out": "leaves out what cannot be read",
    "shuffle": "shuffles the rows",
    "turn": "turns the pictures",
    "respell": "writes each value in one way",
    "relabel": "drops or relabels the samples, with `--unsafe`",
}

INTRODUCTION = """\
---
description: Every rule, with its severity and what it finds.
---
# Rules

A code never changes and is never given to another rule. Severity is the worst that a rule reports: a finding may be milder
where the context allows. `datalint rules` prints this list, `datalint explain CODE` a page of it; [configuration](../guide/configuration.md)
says how to choose rules and set their parameters.

Rules are *stable* unless their page says otherwise. What is new may be a *preview*: its verdicts may still change. A rule
that another one replaced is *deprecated*. Both run only where they are selected.
"""

MEASURED = """\
## How often they are right

Measured by `python -m benchmarks.detection` on clean reference data and on the same data with each rule's own fault in it.
*Found*: faults of strength 0.5 (0 is barely there, 1 is blatant) unless another is said. *From strength*: where 95 % are
found, and at all greater ones. *False alarms*: clean scans with a warning or error of the rule, and the upper end of the 95 %
interval of their rate.
"""


@cache
def families() -> dict[str, list[type[RuleBase]]]:
    """The rules by what their family is called."""
    found = defaultdict(list)
    for rule in built_in():
        folder = rule.__module__.split(".")[1]
        found[FAMILIES.get(folder, folder.capitalize())].append(rule)
    return dict(sorted(found.items()))


def navigation() -> list[Any]:
    """The pages by family."""
    listing: list[Any] = ["rules/index.md"]
    for family, rules in families().items():
        listing.append({family: [{f"{rule.code} {rule.name}": f"rules/{rule.code}.md"} for rule in rules]})
    return listing


def pages() -> dict[str, str]:
    """The text of every page."""
    return {"rules/index.md": _index()} | {f"rules/{rule.code}.md": _page(rule) for rule in built_in()}


def of_items(items: str, where: str) -> str:
    """Links to the rules that answer items of the list of 37 reasons."""
    wanted = {item.strip() for item in items.split(",")}
    rules = [rule for rule in built_in() if wanted & {item.strip() for item in rule.item.split(",")}]
    return ", ".join(f"[{rule.code}]({_way(where)}{rule.code}.md)" for rule in rules)


def _way(where: str) -> str:
    return os.path.relpath("rules", Path(where).parent).replace(os.sep, "/") + "/"


def _index() -> str:
    parts = [INTRODUCTION]
    for family, rules in families().items():
        rows = [[f"[{rule.code}]({rule.code}.md) {rule.name}", rule.severity, rule.finds()] for rule in rules]
        parts += [f"## {family}\n", table(["rule", "severity", "finds"], rows)]
    return "\n".join([*parts, MEASURED, _figures()])


def _figures() -> str:
    known, rows = all_figures(), []
    for rule in built_in():
        item = known.get(rule.code)
        if item is not None:
            at = "" if item.promise == 0.5 else f" at {item.promise:g}"
            rows.append(
                [
                    f"[{rule.code}]({rule.code}.md)",
                    f"{item.found:,} of {item.planted:,}{at}",
                    "-" if item.found_from is None else f"{item.found_from:g}",
                    f"{item.false_alarms:,} in {item.clean_scans:,}",
                    f"{item.at_most_per_1000:g}",
                    "-" if item.precision is None else f"{item.precision:.0%}",
                    "-" if item.recall is None else f"{item.recall:.0%}",
                    "-" if item.cpu_ms is None else f"{item.cpu_ms:.0f}",
                ]
            )
    head = ["rule", "found", "from strength", "false alarms", "at most per 1,000"]
    return table([*head, "named samples that are faulty", "faulty samples that are named", "CPU ms"], rows)


def _page(rule: type[RuleBase]) -> str:
    facts = [f"**{rule.severity}**", f"since {rule.since}"]
    if rule.stage != "stable":
        facts.insert(1, f"**{rule.stage}**: runs only where it is selected")
    if any(character.isdigit() for character in rule.item):
        facts.append(f"[37 reasons](../loss.md), item {rule.item}")
    if rule.repair in REPAIRS:
        facts.append(f"[`datalint fix`](../guide/mending.md) {REPAIRS[rule.repair]}")
    if rule.trains:
        facts.append("trains a model, so it is not in `--preset fast`")
    parts = [
        f"---\ndescription: {json.dumps(rule.finds(), ensure_ascii=False)}\n---",
        f"# {rule.code} {rule.name}",
        " · ".join(facts),
        rule.page(),
        *faults.section(rule.code, "../assets/"),
        *_parameters(rule),
        *_measured(rule),
        *_related(rule),
    ]
    return "\n\n".join(parts) + "\n"


def _parameters(rule: type[RuleBase]) -> list[str]:
    fields = rule.Params.model_fields
    if not fields:
        return []
    rows = [[f"`{name}`", f"`{field.default}`", field.description or ""] for name, field in fields.items()]
    text = "Set in [`datalint.toml`](../guide/configuration.md), here to what they are without it:"
    return [
        "## Parameters",
        table(["name", "default", "meaning"], rows).rstrip(),
        text,
        f"```toml\n{settings(rule)}```",
    ]


def settings(rule: type[RuleBase]) -> str:
    """The parameters as they may stand in ``datalint.toml``."""
    lines = [f"{name} = {json.dumps(field.default)}\n" for name, field in rule.Params.model_fields.items()]
    return f"[rules.{rule.code}]\n{''.join(lines)}"


def _measured(rule: type[RuleBase]) -> list[str]:
    figures = all_figures().get(rule.code)
    if figures is None:
        return ["## How often it is right", "Not measured yet."]
    parts = ["## How often it is right", "\n".join(f"* {sentence}" for sentence in figures.sentences())]
    curve = _detection().get(rule.code, {}).get("detection") or {}
    if curve:
        head = ["strength of the fault", *curve]
        found = ["found", *(f"{point['found']:,} of {point['planted']:,}" for point in curve.values())]
        parts.append(table(head, [found]).rstrip())
    word = "data/ --out faulty/"
    parts.append(f"`datalint plant {rule.code} {word}` puts this fault into a copy of your data.")
    return [*parts, "[How this is measured](../reference/comparison.md)."]


def _related(rule: type[RuleBase]) -> list[str]:
    by_code = {other.code: other for other in built_in()}
    leads = [code for code in rule.follows if code in by_code and code != rule.code]
    parts = [other.code for other in built_in() if rule.code in other.follows and other is not rule]
    lines = []
    if leads:
        lines.append(f"Part of the finding where one of these finds the cause: {_links(leads)}.")
    if parts:
        lines.append(f"Takes in what these find of the same fault: {_links(parts)}.")
    return ["## Together with other rules", "\n".join(f"* {line}" for line in lines)] if lines else []


def _links(codes: list[str]) -> str:
    return ", ".join(f"[{code}]({code}.md)" for code in codes)


@cache
def _detection() -> dict[str, Any]:
    text = (ROOT / "benchmarks" / "detection.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["rules"]
    return found


def measured_on() -> str:
    """The day and the machine of the figures."""
    text = (ROOT / "benchmarks" / "detection.json").read_text(encoding="utf-8")
    return re.split(r"(?<=\d)\. ", json.loads(text)["run"])[0]
