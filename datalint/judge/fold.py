"""One fault reads as one fault: findings that follow from another are folded into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.severity import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.report.models import AffectedSample, Finding


MOST = 0.9
"""Share of a finding's samples that another finding must name to explain it by them."""


def fold(
    findings: Sequence[Finding],
    follows: Mapping[str, Sequence[str]],
    briefs: Mapping[str, str],
    affected: Mapping[str, Sequence[AffectedSample]] | None = None,
) -> list[Finding]:
    """Mark the findings that another one at the same place explains, and name them in it.

    A class-sorted file also has single-label batches and drifts: the order leads, the others become part of it and are
    only info. Nothing is folded into a finding that is milder than itself. Findings about the same two splits become one
    verdict: the one that leads says in its message what else the two have in common, and in its remedy what helps.

    Args:
        findings: all findings of one data set.
        follows: by code of a rule the codes of those that explain it. Rules may follow each other, or themselves: then the
            most severe finding leads, of equal ones that of the first code, of these the first.
        briefs: by fingerprint of a finding about two splits, what the one that leads says of it.
        affected: by fingerprint of a finding the samples that it names, for codes that explain on condition.
    """
    samples = affected or {}
    at = {finding.fingerprint: k for k, finding in enumerate(findings)}

    def rank(finding: Finding) -> tuple[int, str, int]:
        return SEVERITIES.index(finding.severity), finding.code, at[finding.fingerprint]

    def leads_to(lead: Finding, finding: Finding) -> bool:
        mutual = finding.code in map(_code, follows.get(lead.code, ()))
        return _explains(lead, finding) and (not mutual or rank(lead) < rank(finding))

    leads: dict[str, str] = {}
    for finding in findings:
        for entry in follows.get(finding.code, ()):
            code = _code(entry)
            candidates = (other for other in findings if other.code == code and _meets(entry, other, finding, samples))
            lead = next((other for other in candidates if leads_to(other, finding)), None)
            if lead is not None:
                leads[finding.fingerprint] = lead.fingerprint
                break
    parts: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.fingerprint in leads:
            parts.setdefault(_root(finding.fingerprint, leads), []).append(finding)
    return [
        finding.model_copy(update={"part_of": _root(finding.fingerprint, leads), "severity": "info"})
        if finding.fingerprint in leads
        else _leading(finding, parts[finding.fingerprint], briefs)
        if finding.fingerprint in parts
        else finding
        for finding in findings
    ]


def _code(entry: str) -> str:
    return entry.partition(":")[0]


def _meets(entry: str, lead: Finding, finding: Finding, affected: Mapping[str, Sequence[AffectedSample]]) -> bool:
    """Whether the condition behind a code holds, such as ``VAL101:error``."""
    condition = entry.partition(":")[2]
    if condition == "error":
        return lead.severity == "error"
    if condition == "column":
        return lead.column is not None and lead.column == finding.column
    if condition == "samples":
        own, explained = (
            {(sample.split, sample.index) for sample in affected.get(item.fingerprint, ())} for item in (finding, lead)
        )
        if not lead.affected.exact:  # it names a sample of what it counts
            enough = lead.affected.count >= MOST * finding.affected.count
            return bool(explained) and enough and len(own & explained) >= MOST * len(explained)
        return bool(own) and len(own & explained) >= MOST * len(own)
    return True


def _leading(finding: Finding, parts: Sequence[Finding], briefs: Mapping[str, str]) -> Finding:
    """The finding with what follows from it."""
    update: dict[str, object] = {"also": tuple(sorted({part.code for part in parts}))}
    same_pair = [part for part in parts if finding.against is not None and _pair(part) == _pair(finding)]
    clauses = [briefs[part.fingerprint] for part in same_pair if briefs.get(part.fingerprint)]
    if clauses:
        update["message"] = f"{finding.message}; also, " + " and ".join(
            [part for part in [", ".join(clauses[:-1]), clauses[-1]] if part]
        )
        update["remedy"] = " ".join(
            dict.fromkeys([finding.remedy, *(part.remedy for part in same_pair if part.severity != "info")])
        )
    return finding.model_copy(update=update)


def _pair(finding: Finding) -> frozenset[str | None]:
    return frozenset({finding.split, finding.against})


def _explains(lead: Finding, finding: Finding) -> bool:
    if SEVERITIES.index(lead.severity) > SEVERITIES.index(finding.severity):
        return False
    if lead.against is not None and finding.against is not None:
        # Whichever columns tell it, it is the same two splits that are not apart.
        return _pair(lead) == _pair(finding)
    if lead.against is None or finding.split is None:
        same_split = lead.split is None or finding.split is None or lead.split == finding.split
    else:
        same_split = finding.split in _pair(lead)
    pairs = ((lead.column, finding.column), (lead.class_, finding.class_))
    return same_split and all(a is None or b is None or a == b for a, b in pairs)


def _root(name: str, leads: Mapping[str, str]) -> str:
    seen = {name}
    while name in leads and leads[name] not in seen:
        name = leads[name]
        seen.add(name)
    return name
