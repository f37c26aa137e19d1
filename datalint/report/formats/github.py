"""Workflow commands by which GitHub Actions shows findings next to the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.escape import clean, guard
from datalint.report.formats.locations import location

if TYPE_CHECKING:
    from datalint.core.severity import Severity
    from datalint.report.models import Report

SHOWN: Final = 10
"""GitHub shows that many annotations of each kind per step."""

LONGEST: Final = 2_000
KINDS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report) -> str:
    """``::error title=CODE rule,file=PATH,line=N::message``, worst first; the ten worst of each severity; then what the data's own settings change."""
    lines = []
    for severity, kind in KINDS.items():
        pairs = [(d, f) for d in report.datasets for f in d.leading if f.severity == severity]
        for dataset, finding in pairs[:SHOWN]:
            place = location(dataset, finding)
            where = ", ".join(f"{kind} {name}" for kind, name in wording.place(finding))
            properties = {"title": f"{finding.code} {finding.rule}", "file": place.path}
            if place.line is not None:
                properties["line"] = str(place.line)
            text = f"{f'{where}: ' if where else ''}{finding.message}. {finding.remedy}"
            listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
            lines.append(f"::{kind} {listed}::{_data(text)}\n")
        if len(pairs) > SHOWN:
            lines.append(f"and {counted(len(pairs) - SHOWN, severity)} more\n")
    own = wording.data_settings(report)
    lines += [f"::notice title=settings of the data::{_data(own)}\n"] if own else []
    return "".join(lines)


def _data(text: str) -> str:
    """What stands behind the second ``::``."""
    plain = guard(clean(text, LONGEST))
    return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
