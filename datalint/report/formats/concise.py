"""One line per finding, for editors and for grep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.report.escape import clean, guard
from datalint.report.wording import by_rule

if TYPE_CHECKING:
    from datalint.report.models import DatasetReport, Finding, Report


def render(report: Report) -> str:
    """``PLACE: CODE severity message``, one line per finding, worst first within each data set.

    PLACE is the first affected sample's id, else the data set's path with split and column where the finding has them.
    Ends with a line break unless there is nothing to say.
    """
    return "".join(
        _line(dataset, finding) + "\n"
        for dataset in report.datasets
        for group in by_rule(dataset.leading)
        for finding in group
    )


def _line(dataset: DatasetReport, finding: Finding) -> str:
    if finding.affected.samples:
        place = finding.affected.samples[0].id
    else:
        place = ":".join(part for part in (dataset.path, finding.split, finding.column) if part is not None)
    return guard(clean(f"{place}: {finding.code} {finding.severity} {finding.message}"))
