"""One fault reads as one fault: findings that follow from another are folded into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.severity import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.report.models import Finding


def fold(findings: Sequence[Finding], follows: Mapping[str, Sequence[str]]) -> list[Finding]:
    """
    Mark the findings that another one at the same place explains, and name them in it.

    A class-sorted file also has single-label batches and drifts: the order leads, the others become part of it and are
    only info. Nothing is folded into a finding that is milder than itself.

    Args:
        findings: all findings of one data set.
        follows: by code of a rule the codes of those that explain it.
    """
    leads: dict[str, str] = {}
    by_fingerprint = {finding.fingerprint: finding for finding in findings}
    for finding in findings:
        for code in follows.get(finding.code, ()):
            lead = next((other for other in findings if other.code == code and _explains(other, finding)), None)
            if lead is not None:
                leads[finding.fingerprint] = lead.fingerprint
                break
    also: dict[str, dict[str, None]] = {}
    for name in leads:
        root = _root(name, leads)
        also.setdefault(root, {})[by_fingerprint[name].code] = None
    return [
        finding.model_copy(update={"part_of": _root(finding.fingerprint, leads), "severity": "info"})
        if finding.fingerprint in leads
        else finding.model_copy(update={"also": tuple(sorted(also[finding.fingerprint]))})
        if finding.fingerprint in also
        else finding
        for finding in findings
    ]


def _explains(lead: Finding, finding: Finding) -> bool:
    if SEVERITIES.index(lead.severity) > SEVERITIES.index(finding.severity):
        return False
    pairs = ((lead.split, finding.split), (lead.column, finding.column), (lead.class_, finding.class_))
    return all(a is None or b is None or a == b for a, b in pairs)


def _root(name: str, leads: Mapping[str, str]) -> str:
    seen = {name}
    while name in leads and leads[name] not in seen:
        name = leads[name]
        seen.add(name)
    return name
