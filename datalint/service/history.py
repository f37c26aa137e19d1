"""What a report changes in what is known of a data set: the life of its findings, and the verdict of the gate."""

from __future__ import annotations

import hashlib
import json
import re
import time
import zlib
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import func, insert, literal, or_, select, update

from datalint.core.errors import DatalintError
from datalint.core.severity import LEVELS, Severity, at_least
from datalint.report import wording
from datalint.report.escape import clean
from datalint.report.models import Report
from datalint.report.worse import Extent, worse
from datalint.service.models import (
    OPEN,
    STATES,
    Dataset,
    Delivery,
    Event,
    Finding,
    Occurrence,
    Scan,
    Sighting,
    Stored,
    Webhook,
)
from datalint.service.schedules import following
from datalint.suppress.baseline import Baseline, Entry, anywhere, renamed, stale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

TOLD = ("new", "worse", "reopened", "gate failed", "gate passed")
"""Events that webhooks are told."""

OVER = ("scan done", "scan failed")
"""Events from which a commit gets its status."""

FINGERPRINT = re.compile(r"[0-9a-f]{20}(:\d+)?")


def today() -> str:
    """The date until which something may be accepted."""
    return date.today().isoformat()


def note(session: Session, who: str, what: str, text: str = "", **about: int | None) -> None:
    """Write into the log what happened; ``about`` are the ids of what it happened to."""
    event = Event(who=who, what=what, text=text, **about)
    session.add(event)
    if what in TOLD + OVER:
        session.flush()
        hooks = select(Webhook.id, literal(event.id)).where(
            or_(Webhook.dataset_id.is_(None), Webhook.dataset_id == event.dataset_id),
            Webhook.kind == "github" if what in OVER else Webhook.kind != "github",
        )
        session.execute(insert(Delivery).from_select(["webhook_id", "event_id"], hooks))


def digest_of(report: Report) -> str:
    """By which a report that is sent twice is known."""
    return hashlib.sha256(report.model_dump_json(by_alias=True).encode()).hexdigest()


def check(report: Report) -> None:
    """See that a report made elsewhere can be kept.

    Raises:
        DatalintError: a fingerprint is not one of ours, or one is there twice.
    """
    known: set[str] = set()
    for finding in report.findings:
        if not FINGERPRINT.fullmatch(finding.fingerprint) or finding.fingerprint in known:
            raise DatalintError(f"the fingerprint {finding.fingerprint[:40]!r} of a finding is not valid or not unique")
        known.add(finding.fingerprint)


def take(session: Session, scan: Scan, report: Report, **kept: str) -> None:
    """Store the report of a scan, and follow its findings: new, still there, worse, gone or back.

    ``kept`` is what a report does not hold itself: its ``html`` and ``pictures``.
    """
    dataset = session.get_one(Dataset, scan.dataset_id, with_for_update=True)  # one scan of a data set after another
    expire(session, dataset.id)
    known = {f.fingerprint: f for f in session.scalars(select(Finding).where(Finding.dataset_id == dataset.id))}
    _follow_names(known, report)
    here = select(Sighting).join(Finding).where(Finding.dataset_id == dataset.id, Sighting.ref == scan.ref)
    seen = {sighting.finding_id: sighting for sighting in session.scalars(here)}
    scan.fresh = 0
    for part in report.datasets:
        for item in part.findings:
            extent = Extent.of(item, part)
            finding = known.get(item.fingerprint)
            if finding is None:
                finding = known[item.fingerprint] = Finding(
                    dataset_id=dataset.id,
                    fingerprint=item.fingerprint,
                    code=item.code,
                    rule=item.rule,
                    first_id=scan.id,
                    state="open",
                )
                change = "new"
            else:
                change = _change(seen.get(finding.id), extent)
            finding.part, finding.severity, finding.message = part.name, item.severity, item.message
            finding.place = ", ".join(name for _, name in wording.place(item))
            finding.count, finding.folded, finding.present = item.affected.count, item.part_of is not None, True
            finding.last_id = scan.id
            session.add(finding)
            session.flush()
            _reopen(session, scan, finding, change, extent)
            _record(session, scan, finding, change, extent, seen.get(finding.id))
            scan.fresh += change != "still" and not finding.folded
    _close(session, scan, report, known, seen)
    scan.status, scan.finished, scan.tool = "done", time.time(), report.tool.version
    scan.stage, scan.share = "", 1.0
    scan.errors, scan.warnings, scan.infos = report.summary.error, report.summary.warning, report.summary.info
    scan.samples = sum(wording.samples(part) for part in report.datasets)
    packed = {name: zlib.compress(text.encode()) for name, text in {"json": report.to_json(), **kept}.items()}
    session.add(Stored(scan_id=scan.id, **packed))
    note(session, scan.by, "scan done", f"{scan.fresh} new or worse", dataset_id=dataset.id, scan_id=scan.id)
    if scan.ref == dataset.ref:
        dataset.latest_id = scan.id
    session.flush()
    judge(session, dataset, scan)


def _follow_names(known: dict[str, Finding], report: Report) -> None:
    """A part that was renamed keeps its findings, though its name is in their fingerprints."""
    new_names = renamed([f.part for f in known.values()], [part.name for part in report.datasets])
    old = {anywhere(f.fingerprint): f for f in known.values() if f.part in new_names}
    for part in report.datasets if old else ():
        for item in part.findings:
            finding = old.get(anywhere(item.fingerprint))
            if item.fingerprint not in known and finding is not None and part.name in new_names.values():
                del known[finding.fingerprint]
                finding.fingerprint = item.fingerprint
                known[item.fingerprint] = finding


def _change(sighting: Sighting | None, extent: Extent) -> str:
    if sighting is None:  # another ref has it
        return "still"
    if not sighting.present:
        return "back"
    return "worse" if worse(Extent(**sighting.extent), extent) else "still"


def _reopen(session: Session, scan: Scan, finding: Finding, change: str, extent: Extent) -> None:
    """What was accepted is open again once it is worse; a false alarm stays one."""
    about = {"dataset_id": scan.dataset_id, "scan_id": scan.id, "finding_id": finding.id}
    grown = worse(Extent(**finding.extent), extent) if finding.state == "accepted" and finding.extent else None
    if grown:
        _decide(finding, "open")
        note(session, "", "reopened", f"was accepted at {grown[0]}, is {grown[1]}", **about)
    elif change == "back" and finding.state in OPEN:
        _decide(finding, "open")
        note(session, "", "reopened", "is back after it was gone", **about)
    elif change in ("new", "worse") and not finding.folded:  # what explains it is told of
        note(session, "", change, finding.message, **about)


def _record(
    session: Session, scan: Scan, finding: Finding, change: str, extent: Extent, sighting: Sighting | None
) -> None:
    session.add(
        Occurrence(
            scan_id=scan.id,
            finding_id=finding.id,
            change=change,
            severity=extent.severity,
            count=extent.count,
            samples=extent.samples,
        )
    )
    if sighting is None:
        sighting = Sighting(finding_id=finding.id, ref=scan.ref)
        session.add(sighting)
    sighting.present, sighting.extent = change != "gone", asdict(extent)


def _close(session: Session, scan: Scan, report: Report, known: dict[str, Finding], seen: dict[int, Sighting]) -> None:
    """What this ref had and no longer has; not where the rule could not judge, or its part was not scanned."""
    entries = [
        Entry(fingerprint=f.fingerprint, code=f.code, rule=f.rule, severity="info", dataset=f.part)
        for f in known.values()
        if f.id in seen and seen[f.id].present
    ]
    for fingerprint in stale(Baseline(entries=tuple(entries)), report.datasets):
        finding = known[fingerprint]
        sighting = seen[finding.id]
        _record(session, scan, finding, "gone", Extent(**sighting.extent), sighting)
        session.flush()
        finding.present = bool(
            session.scalar(select(func.count()).where(Sighting.finding_id == finding.id, Sighting.present.is_(True)))
        )
        if not finding.folded:
            about = {"dataset_id": scan.dataset_id, "scan_id": scan.id, "finding_id": finding.id}
            note(session, "", "gone", finding.message, **about)


def expire(session: Session, dataset_id: int | None = None) -> None:
    """Open again what was accepted until a day that is over."""
    over = select(Finding).where(Finding.until < today())
    for finding in session.scalars(over if dataset_id is None else over.where(Finding.dataset_id == dataset_id)):
        about = {"dataset_id": finding.dataset_id, "finding_id": finding.id}
        note(session, "", "reopened", f"was {finding.state} until {finding.until}", **about)
        _decide(finding, "open")
        if dataset_id is None:
            rejudge(session, finding.dataset_id)


def _decide(finding: Finding, state: str, reason: str = "", by: str = "", until: str | None = None) -> None:
    finding.state, finding.reason, finding.decided_by, finding.until = state, reason, by, until
    finding.extent = None


def triage(
    session: Session, findings: Sequence[Finding], who: str, state: str, reason: str = "", until: str | None = None
) -> None:
    """Decide what becomes of findings.

    Raises:
        DatalintError: the state does not exist, it needs a reason, or the day is over.
    """
    if state not in STATES:
        raise DatalintError(f"no state is called {state!r}: choose one of {', '.join(STATES)}")
    if state in ("accepted", "false alarm") and not reason.strip():
        raise DatalintError(f"say why: a finding is {state} for a reason")
    if until is not None:
        try:
            ok = date.fromisoformat(until).isoformat() >= today()
        except ValueError:
            ok = False
        if not ok or state in OPEN:
            raise DatalintError(f"{until!r} is no day until which it can be {state}: give YYYY-MM-DD, today or later")
    for finding in findings:
        _decide(finding, state, reason.strip(), who, until)
        if state == "accepted":
            last = session.get(Occurrence, (finding.last_id, finding.id))
            finding.extent = asdict(_extent(last)) if last else None
        told = f"{state}{f' until {until}' if until else ''}{f': {reason.strip()}' if reason.strip() else ''}"
        note(session, who, "triage", told, dataset_id=finding.dataset_id, finding_id=finding.id)
    session.flush()
    for dataset_id in {finding.dataset_id for finding in findings}:
        rejudge(session, dataset_id)


def comment(session: Session, finding: Finding, who: str, text: str, assignee: str | None = None) -> None:
    """Write something about a finding into its history, or say who mends it."""
    about = {"dataset_id": finding.dataset_id, "finding_id": finding.id}
    if assignee is not None and assignee.strip() != finding.assignee:
        finding.assignee = assignee.strip()[:200]
        note(session, who, "assigned", finding.assignee or "nobody", **about)
    if text.strip():
        note(session, who, "comment", text.strip()[:4000], **about)


def rejudge(session: Session, dataset_id: int) -> None:
    """Ask the gate again about the last scan."""
    dataset = session.get_one(Dataset, dataset_id)
    scan = session.get(Scan, dataset.latest_id) if dataset.latest_id else None
    if scan is not None:
        judge(session, dataset, scan)


def judge(session: Session, dataset: Dataset, scan: Scan) -> None:
    """The verdict of the gate on a scan, with its reasons.

    A version that passes is the accepted one from then on; until one has, the first is what new findings are measured by.
    """
    rows = _present(session, scan.id)
    before = _present(session, dataset.reference_id) if dataset.reference_id else rows
    levels: dict[str, Any] = dataset.gate
    reasons = []
    for finding, occurrence in rows.values():
        if finding.state not in OPEN or finding.folded or occurrence.severity is None:
            continue
        then = before.get(finding.id)
        severity = cast("Severity", finding.severity)
        fresh = "new" if then is None else "worse" if worse(_extent(then[1]), _extent(occurrence)) else ""
        if at_least(severity, levels["open"]):
            reasons.append(f"open {finding.severity}: {finding.code} {finding.message}")
        elif fresh and at_least(severity, levels["new"]):
            reasons.append(f"{fresh} {finding.severity}: {finding.code} {finding.message}")
    was, scan.passed, scan.reasons = scan.passed, not reasons, sorted(reasons)[:50]
    if scan.ref == dataset.ref and scan.id == dataset.latest_id:
        if scan.passed or dataset.reference_id is None:
            dataset.reference_id = scan.id
        before_it = select(Scan.passed).where(
            Scan.dataset_id == dataset.id, Scan.ref == scan.ref, Scan.status == "done", Scan.id < scan.id
        )
        if was is None:
            was = session.scalar(before_it.order_by(Scan.id.desc()).limit(1))
        if was != scan.passed:
            what = "gate passed" if scan.passed else "gate failed"
            note(session, "", what, "; ".join(scan.reasons[:3]), dataset_id=dataset.id, scan_id=scan.id)


def accept_version(session: Session, dataset: Dataset, who: str) -> None:
    """Measure new findings by the last version from now on."""
    dataset.reference_id = dataset.latest_id
    note(session, who, "version accepted", dataset_id=dataset.id, scan_id=dataset.latest_id)
    rejudge(session, dataset.id)


def change(session: Session, dataset: Dataset, who: str, fields: dict[str, Any]) -> None:
    """Change what is set of a data set, and ask the gate again.

    Raises:
        DatalintError: the gate has other levels, or the schedule is none.
    """
    gate = dataset.gate | fields.get("gate", {})
    if set(gate) != {"new", "open"} or not set(LEVELS) >= set(gate.values()):
        raise DatalintError("a gate has the levels 'new' and 'open', each error, warning, info or never")
    if fields.get("schedule") and dataset.root is None:
        raise DatalintError(f"{dataset.name} has no place below a root: send reports of it")
    if "schedule" in fields:
        dataset.due = following(fields["schedule"])
    changed = {name: value for name, value in (fields | {"gate": gate}).items() if getattr(dataset, name) != value}
    for name, value in changed.items():
        setattr(dataset, name, value)
    if changed:
        note(session, who, "settings changed", ", ".join(f"{n} {v}" for n, v in changed.items()), dataset_id=dataset.id)
    session.flush()
    rejudge(session, dataset.id)


def push(
    session: Session, dataset: Dataset, report: Report, who: str, ref: str = "", revision: str = ""
) -> tuple[Scan, bool]:
    """The scan of a report that was made elsewhere, and whether it is another one: sent twice, it is one scan."""
    check(report)
    session.get_one(Dataset, dataset.id, with_for_update=True)
    ref, digest = ref or dataset.ref, digest_of(report)
    known = session.scalar(select(Scan).where(Scan.dataset_id == dataset.id, Scan.ref == ref, Scan.digest == digest))
    if known is not None:
        return known, False
    scan = Scan(dataset_id=dataset.id, ref=ref, revision=revision, by=who, digest=digest, started=time.time())
    session.add(scan)
    session.flush()
    take(session, scan, report)
    return scan, True


def suppressions(session: Session, dataset: Dataset) -> str:
    """What was accepted or is a false alarm, as the suppressions of a ``datalint.toml``."""
    wanted = select(Finding).where(
        Finding.dataset_id == dataset.id, Finding.state.in_(("accepted", "false alarm")), Finding.present.is_(True)
    )
    lines = []
    for f in session.scalars(wanted.order_by(Finding.id)):
        until = f"expires = {f.until}\n" if f.until else ""
        lines.append(f'[[suppressions]]\nfingerprint = "{f.fingerprint}"\nreason = {_quoted(f.reason)}\n{until}')
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(clean(text), ensure_ascii=False)


def _present(session: Session, scan_id: int) -> dict[int, tuple[Finding, Occurrence]]:
    rows = (
        select(Finding, Occurrence).join(Occurrence).where(Occurrence.scan_id == scan_id, Occurrence.change != "gone")
    )
    return {finding.id: (finding, occurrence) for finding, occurrence in session.execute(rows)}


def _extent(occurrence: Occurrence) -> Extent:
    return Extent(cast("Severity | None", occurrence.severity), occurrence.count, occurrence.samples)


def report_of(session: Session, scan_id: int) -> Report | None:
    """The report of a scan."""
    packed = session.scalar(select(Stored.json).where(Stored.scan_id == scan_id))
    return None if packed is None else Report.model_validate_json(zlib.decompress(packed))


def page_of(session: Session, scan_id: int) -> str | None:
    """The page of a scan's report."""
    packed = session.scalar(select(Stored.html).where(Stored.scan_id == scan_id))
    if packed is not None:
        return zlib.decompress(packed).decode()
    report = report_of(session, scan_id)
    return None if report is None else report.to_html()


def cancel(session: Session, scan_id: int, who: str) -> bool:
    """Take a scan out of the queue, or have its worker stop it; False if it is over."""
    stopped = session.scalar(
        update(Scan)
        .where(Scan.id == scan_id, Scan.status.in_(("queued", "running")))
        .values(status="cancelled", finished=time.time(), reason=f"cancelled by {who}")
        .returning(Scan.dataset_id)
    )
    if stopped is not None:
        note(session, who, "scan cancelled", dataset_id=stopped, scan_id=scan_id)
    return stopped is not None
