"""SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from datalint.core.project import DOCUMENTATION
from datalint.report import wording
from datalint.report.escape import clean, guard_json
from datalint.report.formats.locations import location, of_sample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datalint.core.severity import Severity
    from datalint.report.models import DatasetReport, Finding, Report

MOST_RESULTS: Final = 5_000
"""GitHub keeps no more of one run."""

RELATED: Final = 20
"""Further samples of one result."""

SHORT: Final = 1_000
"""GitHub refuses short descriptions of more than 1,024 characters."""

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "note"}
PROBLEMS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "recommendation"}


def render(report: Report) -> str:
    """One run with the worst 5,000 findings, each at a file.

    A result without a physical location makes GitHub refuse all of them: where no sample is named, the place is the data
    set itself. What is not a line (column, class, split) stands in the message and in the logical locations.
    """
    pairs = [(dataset, finding) for dataset in report.datasets for finding in dataset.leading]
    pairs.sort(key=lambda pair: tuple(LEVELS).index(pair[1].severity))
    kept = pairs[:MOST_RESULTS]
    rules = _rules(finding for _, finding in kept)
    numbers = {rule["id"]: k for k, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": report.tool.name,
                        "semanticVersion": report.tool.version,
                        "informationUri": DOCUMENTATION,
                        "rules": rules,
                    },
                },
                "invocations": [_invocation(wording.data_settings(report))],
                "columnKind": "unicodeCodePoints",
                "results": [_result(dataset, finding, numbers, seen) for dataset, finding in kept],
                "properties": {"findings": len(pairs), "findingsLeftOut": len(pairs) - len(kept)},
            }
        ],
    }
    return guard_json(json.dumps(log, indent=1)) + "\n"


def _invocation(own: str) -> dict[str, Any]:
    """That the job was done, and what the data's own settings changed about it."""
    notes = [{"level": "note", "message": {"text": clean(own)}}] if own else []
    return {"executionSuccessful": True} | ({"toolConfigurationNotifications": notes} if notes else {})


def _result(dataset: DatasetReport, finding: Finding, numbers: dict[str, int], seen: Counter[str]) -> dict[str, Any]:
    code = clean(finding.code)
    seen[finding.fingerprint] += 1
    where = ", ".join(f"{kind} {clean(name)!r}" for kind, name in wording.place(finding))
    text = f"{f'{where}: ' if where else ''}{clean(finding.message)}. {clean(finding.remedy)}".strip()
    result: dict[str, Any] = {
        "ruleId": code,
        "ruleIndex": numbers[code],
        "level": LEVELS[finding.severity],
        # "[text](target)" would be a link.
        "message": {"text": text.replace("](", "] (")},
        "locations": [_location(dataset, finding)],
        # GitHub reads this one key only; the number distinguishes equal ones of several data sets.
        "partialFingerprints": {"primaryLocationLineHash": f"{clean(finding.fingerprint)}:{seen[finding.fingerprint]}"},
        "rank": round(100 * finding.confidence, 2),
        "properties": {"affected": finding.affected.count, "exact": finding.affected.exact},
    }
    related = [
        {"id": k, "physicalLocation": _physical(of_sample(dataset, sample)), "message": {"text": clean(sample.id)}}
        for k, sample in enumerate(finding.affected.samples[1 : RELATED + 1], 1)
    ]
    return result | ({"relatedLocations": related} if related else {})


def _location(dataset: DatasetReport, finding: Finding) -> dict[str, Any]:
    kinds = {"split": "namespace", "column": "member", "class": "type"}
    logical = [{"name": clean(dataset.name), "kind": "module"}]
    logical += [{"name": clean(name), "kind": kinds[kind]} for kind, name in wording.place(finding)]
    return {"physicalLocation": _physical(location(dataset, finding)), "logicalLocations": logical}


def _physical(place: Any) -> dict[str, Any]:
    # Without a region it is shown at the first line, and so it is the same finding whether or not a line is known.
    return {"artifactLocation": {"uri": place.uri}, "region": {"startLine": place.line or 1}}


def _rules(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """What found something, each with its page; a report of rules that are not installed speaks for itself."""
    from datalint.rules.registry import every_rule

    known = {rule.code: rule for rule in every_rule()}
    found: dict[str, dict[str, Any]] = {}
    for finding in findings:
        code = clean(finding.code)
        if code in found:
            continue
        rule = known.get(finding.code)
        short = clean(rule.finds() if rule else finding.message, SHORT) or code
        page = rule.page() if rule else f"{clean(finding.consequence)} {clean(finding.remedy)}".strip() or code
        severity = rule.severity if rule else finding.severity
        found[code] = {
            "id": code,
            "name": clean(finding.rule),
            "shortDescription": {"text": short},
            "fullDescription": {"text": short},
            "help": {"text": page, "markdown": page},
            "defaultConfiguration": {"level": LEVELS[severity]},
            "properties": {"problem.severity": PROBLEMS[severity], "precision": "high", "tags": ["data"]},
        }
    return [found[code] for code in sorted(found)]
