"""GitLab's Code Quality report (``artifacts: reports: codequality``)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from datalint.report import wording
from datalint.report.escape import clean, guard_json
from datalint.report.formats.locations import location

if TYPE_CHECKING:
    from datalint.core.severity import Severity
    from datalint.report.models import Report

LONGEST: Final = 2_000
SEVERITIES: Final[dict[Severity, str]] = {"error": "major", "warning": "minor", "info": "info"}


def render(report: Report) -> str:
    """A JSON array, worst first.

    The widget shows neither rule nor code, so the description begins with the code; and it shows equal fingerprints as
    one entry, so none occurs twice.
    """
    entries = []
    seen: dict[str, int] = {}
    pairs = [(dataset, finding) for dataset in report.datasets for finding in dataset.leading]
    for dataset, finding in sorted(pairs, key=lambda pair: tuple(SEVERITIES).index(pair[1].severity)):
        place = location(dataset, finding)
        where = ", ".join(f"{kind} {name}" for kind, name in wording.place(finding))
        key = f"{finding.fingerprint}\x1f{dataset.path}"
        seen[key] = seen.get(key, 0) + 1
        number = "" if seen[key] == 1 else f"\x1f{seen[key]}"
        entries.append(
            {
                "description": clean(f"{finding.code} {f'{where}: ' if where else ''}{finding.message}", LONGEST),
                "check_name": clean(f"{finding.code} {finding.rule}"),
                "fingerprint": hashlib.sha256((key + number).encode("utf-8", "surrogatepass")).hexdigest()[:32],
                "severity": SEVERITIES[finding.severity],
                "location": {"path": place.path, "lines": {"begin": place.line or 1}},
            }
        )
    return guard_json(json.dumps(entries, indent=1)) + "\n"
