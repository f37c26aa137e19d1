"""A section for the card of a data set (``README.md`` of a hub repository): what was checked, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from datalint.core.project import DOCUMENTATION
from datalint.core.severity import SEVERITIES
from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.formats.comment import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.report.models import DatasetReport, Report

ROWS: Final = 30
SENTENCE, NAME = 600, 120


def render(report: Report) -> str:
    """A heading, and for each data set what was read, a table of findings, and what could not be judged."""
    about = [escape(report.description, SENTENCE), ""] if report.description else []
    lines = ["## Data quality", "", *about]
    lines += [f"Checked with [datalint]({DOCUMENTATION}) {report.tool.version}.", ""]
    for dataset in report.datasets:
        if len(report.datasets) > 1:
            lines += [f"### {escape(dataset.name, NAME)}", ""]
        lines += _dataset(dataset)
    return "\n".join(lines).rstrip() + "\n"


def _dataset(dataset: DatasetReport) -> Iterator[str]:
    splits = [f"{escape(split.name, NAME)} {split.samples:,}" for split in dataset.splits[:ROWS]]
    held = f" ({', '.join(splits)})" if len(splits) > 1 else ""
    label = f", label {escape(dataset.label.name, NAME)}" if dataset.label is not None else ""
    yield f"{counted(wording.samples(dataset), 'sample')}{held}{label}. Rules: {wording.ran(dataset.rules)}."
    yield ""
    found = sorted(dataset.leading, key=lambda finding: SEVERITIES.index(finding.severity))
    if found:
        yield "| severity | rule | where | what |"
        yield "| --- | --- | --- | --- |"
        for finding in found[:ROWS]:
            where = ", ".join(f"{kind} {name}" for kind, name in wording.place(finding))
            said = wording.relative(finding.message, dataset)
            cells = (finding.severity, f"{finding.code} {finding.rule}", where, said)
            yield "| " + " | ".join(escape(cell, SENTENCE) for cell in cells) + " |"
        if len(found) > ROWS:
            yield ""
            yield f"and {len(found) - ROWS:,} more findings."
    else:
        yield "No findings."
    yield ""
    unseen = wording.not_judged(dataset)
    if unseen:
        yield "Not judged:"
        yield ""
        yield from (f"* {escape(line, SENTENCE)}" for line in unseen[:ROWS])
        yield ""
