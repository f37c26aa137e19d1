"""Markdown of ten lines at most, to paste into a chat or a pull request; the format ``comment`` has the details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from datalint.core.severity import SEVERITIES
from datalint.report import wording
from datalint.report.formats.comment import MARKS, escape

if TYPE_CHECKING:
    from datalint.report.models import DatasetReport, Finding, Report

FINDINGS: Final = 4
"""Lines of findings, the last of which counts the others where there are more."""

SENTENCE, NAME = 300, 120


def render(report: Report) -> str:
    """Heading, totals, and the worst findings, one a line."""
    names = [dataset.name for dataset in report.datasets]
    heading = report.title or wording.listing(names, 3)
    lines = [f"### datalint: {escape(heading, NAME)}" if heading else "### datalint", ""]
    lines += [escape(wording.totals(report), SENTENCE), ""]
    pairs = [(dataset, finding) for dataset in report.datasets for finding in dataset.leading]
    pairs.sort(key=lambda pair: SEVERITIES.index(pair[1].severity))
    shown = pairs if len(pairs) <= FINDINGS else pairs[: FINDINGS - 1]
    lines += [_line(dataset, finding, several=len(names) > 1) for dataset, finding in shown]
    if len(pairs) > len(shown):
        codes = list(dict.fromkeys(finding.code for _, finding in pairs[len(shown) :]))
        lines.append(f"* and {len(pairs) - len(shown):,} more: {escape(wording.listing(codes, 8), SENTENCE)}")
    unseen = [line for dataset in report.datasets for line in wording.not_judged(dataset)]
    more = f" ({len(unseen) - 1:,} more in the report)" if len(unseen) > 1 else ""
    notes = [
        wording.data_settings(report),
        wording.inventory(report),
        f"not judged: {unseen[0]}{more}" if unseen else "",
    ]
    said = "; ".join(escape(note, SENTENCE) for note in notes if note)
    lines += ["", said] if said else []
    while lines[-1] == "":
        lines.pop()
    return "\n".join(lines) + "\n"


def _line(dataset: DatasetReport, finding: Finding, *, several: bool) -> str:
    places = [f"{kind} {name}" for kind, name in wording.place(finding)]
    where = ", ".join([dataset.name, *places] if several else places)
    said = wording.relative(finding.message, dataset)
    rule = escape(f"{finding.code} {finding.rule}", NAME)
    return f"* {MARKS[finding.severity]} **{rule}**{f' ({escape(where, NAME)})' if where else ''}: {escape(said, SENTENCE)}"
