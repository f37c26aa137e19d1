"""JUnit XML: one suite per data set, one case per rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from datalint.core.severity import at_least
from datalint.report import wording
from datalint.report.escape import clean, guard_xml

if TYPE_CHECKING:
    from datalint.core.severity import FailOn
    from datalint.report.models import DatasetReport, Finding, Report, RuleStatus

MOST_FINDINGS: Final = 20
"""Findings of one rule that are written out."""

SAMPLES: Final = 5
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, fail_on: FailOn = "error") -> str:
    """A case fails where its rule found something at least as severe as ``fail_on``; milder findings are its output.

    A rule that broke down is an error, one that could not judge is skipped with its reason. A finding that follows from
    another one is reported with that one, and its own case passes.
    """
    root = ET.Element("testsuites", {"name": report.tool.name})
    own = wording.data_settings(report)
    for dataset in report.datasets:
        root.append(_suite(dataset, fail_on, own))
    _count(root)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + guard_xml(ET.tostring(root, encoding="unicode")) + "\n"


def _suite(dataset: DatasetReport, fail_on: FailOn, own: str) -> ET.Element:
    suite = ET.Element("testsuite", {"name": _text(dataset.name)})
    found: dict[str, list[Finding]] = {}
    for finding in wording.ordered(dataset.leading):
        found.setdefault(finding.code, []).append(finding)
    for rule in dataset.rules:
        suite.append(_case(dataset, rule, found.pop(rule.code, []), fail_on))
    if own:
        ET.SubElement(suite, "system-out").text = _text(own)
    _count(suite)
    return suite


def _case(dataset: DatasetReport, rule: RuleStatus, findings: list[Finding], fail_on: FailOn) -> ET.Element:
    name = _text(f"{rule.code} {rule.rule}")
    case = ET.Element("testcase", {"name": name, "classname": _text(f"datalint.{dataset.name}")})
    told = "\n\n".join(_told(finding) for finding in findings[:MOST_FINDINGS])
    if len(findings) > MOST_FINDINGS:
        told += f"\n\nand {len(findings) - MOST_FINDINGS:,} more"
    if rule.status == "failed":
        ET.SubElement(case, "error", {"message": _text(rule.reason or "the rule failed")})
    elif rule.status == "skipped" and not findings:
        ET.SubElement(case, "skipped", {"message": _text(rule.reason or "not judged")})
    if any(at_least(finding.severity, fail_on) for finding in findings):
        worst = findings[0]
        attributes = {"message": _text(worst.message), "type": worst.severity}
        ET.SubElement(case, "failure", attributes).text = told
    elif findings:
        ET.SubElement(case, "system-out").text = told
    return case


def _told(finding: Finding) -> str:
    where = ", ".join(f"{kind} {name}" for kind, name in wording.place(finding))
    lines = [f"{finding.severity}: {f'{where}: ' if where else ''}{finding.message}", f"fix: {finding.remedy}"]
    lines += [f"at: {sample.id}" for sample in finding.affected.samples[:SAMPLES]]
    more = finding.affected.count - len(finding.affected.samples[:SAMPLES])
    if finding.affected.samples and more > 0:
        lines.append(f"and {more:,} more")
    return "\n".join(map(_text, lines))


def _count(element: ET.Element) -> None:
    for attribute, path in (
        ("tests", ".//testcase"),
        ("failures", ".//failure"),
        ("errors", ".//error"),
        ("skipped", ".//skipped"),
    ):
        element.set(attribute, str(len(element.findall(path))))


def _text(text: str) -> str:
    """On one line, in characters that XML can hold."""
    return _NOT_XML.sub("\ufffd", clean(text))
