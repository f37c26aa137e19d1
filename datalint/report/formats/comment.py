"""Markdown for a comment on a pull request or for a job's summary, with the details of each finding."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.escape import clean, guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from datalint.report.models import DatasetReport, Finding, Report

MOST_CHARACTERS: Final = 60_000
"""A comment on GitHub holds 65,536."""

ROWS: Final = 50
SAMPLES: Final = 10
SENTENCE, NAME = 600, 120
MARKS = {"error": "🔴", "warning": "🟡", "info": "🔵"}

_SYNTAX = re.compile(r"([\\`*_\[\]#|~$])")
_BEGINNING = re.compile(r"^(\d{0,9})([-+>=.)])")
"""What would make a list, a quotation or a rule of a line."""


def render(report: Report) -> str:
    """Verdict, a table of the findings, and the details of each folded away."""
    pairs = [(dataset, finding) for dataset in report.datasets for finding in dataset.leading]
    pairs.sort(key=lambda pair: tuple(MARKS).index(pair[1].severity))
    lines = [
        f"## datalint{f': {escape(report.title, NAME)}' if report.title else ''}",
        "",
        escape(wording.verdict(report), SENTENCE),
        "",
    ]
    if pairs:
        lines += ["| | rule | where | what |", "| --- | --- | --- | --- |"]
        lines += [_row(dataset, finding, len(report.datasets) > 1) for dataset, finding in pairs[:ROWS]]
        lines.append("")
        if len(pairs) > ROWS:
            lines += [f"and {len(pairs) - ROWS:,} more findings", ""]
    size = sum(len(line) + 1 for line in lines)
    for told, (dataset, finding) in enumerate(pairs[:ROWS]):
        block = _details(dataset, finding)
        size += sum(len(line) + 1 for line in block)
        if size > MOST_CHARACTERS:
            lines += [f"The details of {counted(min(len(pairs), ROWS) - told, 'finding')} are left out.", ""]
            break
        lines += block
    for note in (wording.inventory(report), wording.data_settings(report)):
        lines += [f"<sub>{escape(note, SENTENCE)}</sub>", ""] if note else []
    lines.append(f"<sub>{escape(wording.totals(report), SENTENCE)}</sub>")
    return "\n".join(lines) + "\n"


def _row(dataset: DatasetReport, finding: Finding, several: bool) -> str:
    places = [f"{kind} {_name(name)}" for kind, name in wording.place(finding)]
    where = ", ".join([_name(dataset.name), *places] if several else places)
    rule = f"{finding.code} {finding.rule}"
    cells = [f"{MARKS[finding.severity]} {finding.severity}", _name(rule), where, escape(finding.message, SENTENCE)]
    return "| " + " | ".join(cells) + " |"


def _details(dataset: DatasetReport, finding: Finding) -> list[str]:
    # Markdown is not read in this line, only HTML.
    title = _inert(html.escape(guard(clean(f"{finding.code} {finding.rule} in {dataset.name}", NAME)), quote=False))
    lines = ["<details>", f"<summary>{title}</summary>", "", escape(finding.message, SENTENCE), ""]
    if finding.consequence:
        lines += [f"**Why it hurts:** {escape(finding.consequence, SENTENCE)}", ""]
    if finding.remedy:
        lines += [f"**Fix:** {escape(finding.remedy, SENTENCE)}", ""]
    if finding.also:
        lines += [f"**Also found, and part of the same fault:** {_name(', '.join(finding.also))}", ""]
    shown = finding.affected.samples[:SAMPLES]
    lines += [f"* <code>{_name(sample.id)}</code>{_detail(sample.detail)}" for sample in shown]
    more = finding.affected.count - len(shown)
    if shown and more > 0:
        lines.append(f"* and {'' if finding.affected.exact else 'about '}{more:,} more")
    return [*lines, "", "</details>", ""] if shown else [*lines, "</details>", ""]


def _detail(detail: Mapping[str, JsonValue]) -> str:
    pairs = [f"{_name(wording.label(k))} {_name(wording.value(k, v))}" for k, v in wording.told(detail).items()]
    return f" ({', '.join(pairs)})" if pairs else ""


def _name(text: str) -> str:
    return escape(text, NAME)


def escape(text: str, limit: int) -> str:
    """``text`` as plain words: no markup, links, mentions, issue references or HTML of its own.

    An empty comment behind the sign keeps a server from turning ``@name`` into a mention and an address into a link.
    """
    plain = guard(clean(text, limit)).replace("&", "&amp;").replace("<", "&lt;")
    return _inert(_BEGINNING.sub(r"\1\\\2", _SYNTAX.sub(r"\\\1", plain.lstrip())))


def _inert(plain: str) -> str:
    plain = plain.replace("@", "@<!-- -->").replace("#", "#<!-- -->").replace("://", ":<!-- -->//")
    return re.sub(r"(?i)\bwww\.", "www<!-- -->.", plain)
