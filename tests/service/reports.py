"""Reports as a scan makes them, with findings that the test names."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from datalint.report.models import (
    Affected,
    DatasetReport,
    Finding,
    Report,
    RuleStatus,
    Run,
    SplitInfo,
    Summary,
    Tool,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datalint.core.severity import Severity


def fingerprint(name: str, part: str) -> str:
    """As the judge makes them: twelve digits of the finding, eight of its data set."""
    return hashlib.sha256(name.encode()).hexdigest()[:12] + hashlib.sha256(part.encode()).hexdigest()[:8]


def finding(name: str, severity: Severity = "warning", count: int = 10, part: str = "data", **more: Any) -> Finding:
    """A finding of the rule ``XMP`` and the first letter of its name."""
    return Finding(
        code=f"XMP{name[0]}",
        rule=f"example-{name[0]}",
        severity=severity,
        confidence=1,
        message=f"{count} samples are {name}",
        consequence="Training suffers.",
        remedy="Mend it.",
        affected=Affected(count=count),
        fingerprint=fingerprint(name, part),
        **more,
    )


def report(
    *findings: Finding, part: str = "data", samples: int = 1000, rules: Mapping[str, Any] | None = None, run: int = 0
) -> Report:
    """A report in which every rule could judge, but for those in ``rules``."""
    states = (
        {f"XMP{letter}": "passed" for letter in "abcdefgh"} | {f.code: "found" for f in findings} | dict(rules or {})
    )
    counts = {
        level: sum(f.severity == level and not f.part_of for f in findings) for level in ("error", "warning", "info")
    }
    return Report(
        tool=Tool(version="0.1.0"),
        summary=Summary(**counts, datasets=1),
        datasets=(
            DatasetReport(
                name=part,
                path=part,
                layout="delimited text file",
                modality="table",
                label=None,
                splits=(SplitInfo(name="all", samples=samples),),
                findings=findings,
                rules=tuple(
                    RuleStatus(code=code, rule=f"example-{code[-1]}", status=state) for code, state in states.items()
                ),
            ),
        ),
        run=Run(started=f"2026-01-01T00:00:{run:02}", seconds=1, engine="local", jobs=1),
    )
