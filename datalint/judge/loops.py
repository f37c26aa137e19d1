"""What the rules say of one training loop, and the report that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.errors import DatalintError
from datalint.core.severity import SEVERITIES
from datalint.core.terms import Storage
from datalint.core.wording import counted
from datalint.judge.fold import fold
from datalint.judge.judge import fingerprint
from datalint.profile.loop import NotMeasured
from datalint.report.models import Affected, DatasetReport, Finding, RuleStatus, SplitInfo
from datalint.rules.base import AllWell, Skip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.core.severity import Severity
    from datalint.profile.loop import LoopProfile
    from datalint.report.models import Status
    from datalint.rules.base import Found, LoopRule

PREDICTS = {
    "classes": "one class per sample",
    "labels": "yes or no",
    "numbers": "numbers",
    "tokens": "a class at each place",
}


def judge_loop(profile: LoopProfile, rules: Sequence[LoopRule], severities: Mapping[str, Severity]) -> DatasetReport:
    """The report of a loop; whatever a rule does, it ends as found, passed, skipped or failed."""
    findings: list[Finding] = []
    statuses: list[RuleStatus] = []
    for rule in rules:
        found: list[Finding] = []
        status: Status = "passed"
        reason = None
        try:
            for item in rule.check(profile):
                found.append(_finding(rule, item, profile, severities))  # noqa: PERF401 - what came before a Skip is kept
        except Skip as skip:
            status, reason = "skipped", str(skip)
        except NotMeasured as missing:
            status, reason = "failed" if missing.failed else "skipped", str(missing)
        except AllWell as good:
            reason = str(good)
        except DatalintError:
            raise
        except Exception as error:  # a broken rule must not take the others with it
            status, reason = "failed", f"{type(error).__name__}: {error}"
        findings += found
        status = "found" if found and status != "failed" else status
        coverage = f"batches of {profile.batch_size}" if status in {"found", "passed"} else "none"
        statuses.append(RuleStatus(code=rule.code, rule=rule.name, status=status, reason=reason, coverage=coverage))
    follows = {rule.code: rule.follows for rule in rules}
    folded = fold(findings, follows, {})
    about = f"{profile.framework}, {counted(profile.parameters, 'parameter')}"
    if profile.trainable != profile.parameters:
        about += f" ({profile.trainable:,} of them trainable)"
    if profile.target in PREDICTS:
        about += f", predicts {PREDICTS[profile.target]}"
    return DatasetReport(
        name=profile.name,
        path=profile.name,
        layout=f"training loop, batches of {profile.batch_size}",
        storage=Storage.MEMORY,
        modality="loop",
        evidence=about,
        label=None,
        splits=(SplitInfo(name="train", samples=profile.samples or 0, evidence="what the loader gives"),),
        findings=tuple(sorted(folded, key=lambda f: (SEVERITIES.index(f.severity), f.code))),
        rules=tuple(sorted(statuses, key=lambda item: item.code)),
    )


def _finding(rule: LoopRule, found: Found, profile: LoopProfile, severities: Mapping[str, Severity]) -> Finding:
    return Finding(
        code=rule.code,
        rule=rule.name,
        severity=severities.get(rule.code) or found.severity or rule.severity,
        confidence=round(found.confidence, 4),
        message=found.message,
        consequence=found.consequence,
        remedy=found.remedy,
        column=found.column,
        evidence=found.evidence,
        affected=Affected(count=found.count or 0),
        fingerprint=fingerprint(rule.code, profile.name, found.column or "", found.subject),
    )
