"""The interface for programs: ``/api/v1``, described by its OpenAPI document."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator  # noqa: TC003 - FastAPI reads it
from contextlib import nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import anyio
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from datalint.core.severity import FailOn, Severity  # noqa: TC001 - pydantic reads them
from datalint.report.models import Report
from datalint.rules.manual import pages
from datalint.service import history
from datalint.service.kept import KEPT
from datalint.service.lookup import (
    compared,
    dataset_of,
    dataset_to_scan,
    dataset_to_send_to,
    finding_of,
    make_token,
    new_dataset,
    scan_of,
    service_of,
)
from datalint.service.models import MOST, OPEN, Base, Dataset, Event, Finding, Occurrence, Scan, State, Token, Webhook
from datalint.service.problems import Problem
from datalint.service.repeating import Repeatable, expect
from datalint.service.roots import NAME
from datalint.service.security import LONGEST, Admin, Reader, Role, Triager
from datalint.service.worker import enqueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

ITEMS: Final = 200
"""Items of one page."""


class ProblemBody(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ProblemBody, "content": {"application/problem+json": {}}, "description": word}
    for status, word in {
        400: "Not understood",
        401: "No valid token",
        403: "Not allowed",
        404: "Not there",
        409: "Already there",
        413: "Too large",
        422: "Cannot be done",
        429: "Too many wrong tokens",
    }.items()
}

router = APIRouter(prefix="/api/v1", responses=ERRORS, route_class=Repeatable)
watching = APIRouter()

Number = Annotated[int, Path(ge=1, le=MOST)]
After = Annotated[int, Query(ge=0, le=MOST, description="The cursor `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=ITEMS)]
Named = Annotated[str, Query(max_length=200)]


class Item(BaseModel):
    """Base of all that is answered."""

    model_config = ConfigDict(from_attributes=True)


class DatasetItem(Item):
    """A data set."""

    name: str
    root: str | None
    path: str
    label: str | None
    owner: str
    tags: list[str]
    ref: str
    gate: dict[str, str]
    schedule: str
    due: float | None = Field(description="When it is scanned next without being asked.")
    reference_id: int | None = Field(description="The scan of the last accepted version.")
    latest_id: int | None = Field(description="The last scan of the main ref.")


class NewDataset(BaseModel):
    """A data set to watch."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=f"^{NAME.pattern}$")
    root: str | None = None
    path: str = ""
    label: str | None = None


class Gate(BaseModel):
    """Levels from which a finding fails the gate."""

    model_config = ConfigDict(extra="forbid")

    new: FailOn = "warning"
    open: FailOn = "error"


class DatasetChange(BaseModel):
    """What to change; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    label: str | None = None
    owner: str = Field("", max_length=200)
    tags: list[Annotated[str, Field(max_length=100)]] = Field([], max_length=50)
    gate: Gate = Gate()
    schedule: str = Field("", max_length=100, description="A cron expression, in UTC; empty for none.")


class ScanItem(Item):
    """A scan."""

    id: int
    dataset: str
    ref: str
    revision: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    by: str
    queued: float
    started: float | None
    finished: float | None
    stage: str
    share: float
    reason: str
    samples: int
    errors: int
    warnings: int
    infos: int
    fresh: int = Field(description="Findings that are new, worse or back.")
    passed: bool | None = Field(description="The verdict of the gate.")
    reasons: list[str]


class NewScan(BaseModel):
    """A scan to queue."""

    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(max_length=200)
    revision: str = Field("", max_length=200)
    root: str | None = Field(None, max_length=200, description="With `path`, a place to watch if the name is new.")
    path: str = Field("", max_length=4000)
    label: str | None = None


class FindingItem(Item):
    """A finding, for all versions of its data set."""

    id: int
    dataset: str
    fingerprint: str
    code: str
    rule: str
    severity: Severity
    place: str
    message: str
    count: int
    present: bool
    first_id: int = Field(description="The first scan that had it.")
    last_id: int = Field(description="The last scan that had it.")
    state: State
    reason: str
    decided_by: str
    until: str | None
    assignee: str


class Seen(Item):
    """A finding in one scan."""

    scan_id: int
    change: Literal["new", "still", "worse", "gone", "back"]
    severity: Severity | None = Field(description="None where another finding explains it.")
    count: int


class Logged(Item):
    """Something that happened."""

    at: float
    who: str
    what: str
    text: str
    scan_id: int | None


class History(BaseModel):
    """A finding over time, newest first."""

    scans: list[Seen]
    log: list[Logged]


class Decision(BaseModel):
    """What becomes of a finding."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    reason: str = Field("", max_length=1000)
    until: str | None = Field(None, max_length=10)
    assignee: str | None = Field(None, max_length=200)
    comment: str = Field("", max_length=4000)


class Verdict(BaseModel):
    """What the gate says of the last version."""

    dataset: str
    passed: bool | None
    reasons: list[str]
    scan: int | None


class Page(BaseModel):
    """Some items, and the cursor of the next page."""

    next: int | str | None


class DatasetPage(Page):
    """Data sets."""

    items: list[DatasetItem]


class ScanPage(Page):
    """Scans."""

    items: list[ScanItem]


class FindingPage(Page):
    """Findings."""

    items: list[FindingItem]


class NewToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    role: Role
    datasets: list[str] = Field([], max_length=1000)
    days: float | None = Field(365, gt=0, le=LONGEST)


class TokenItem(Item):
    """A token, without its secret."""

    id: int
    name: str
    role: Role
    datasets: list[str]
    created: float
    expires: float | None
    revoked: bool


class HookItem(Item):
    """An address that is told what happens."""

    id: int
    dataset: str | None
    url: str
    kind: str
    attempts: int
    status: str = Field(description="What came of the last attempt.")


class Secret(BaseModel):
    """A token, shown this once."""

    token: str


def scan_item(scan: Scan, dataset: str) -> ScanItem:
    """A scan as it is answered."""
    return ScanItem.model_validate(_values(scan, dataset))


def _finding(finding: Finding, dataset: str) -> FindingItem:
    return FindingItem.model_validate(_values(finding, dataset))


def _values(row: Scan | Finding, dataset: str) -> dict[str, Any]:
    return _columns(row) | {"dataset": dataset}


def _columns(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


@router.get("/datasets", dependencies=[KEPT])
def datasets(request: Request, who: Reader, after: Named = "", limit: Limit = 50) -> DatasetPage:
    """Data sets by name."""
    with service_of(request).database.read() as session:
        wanted = select(Dataset).where(Dataset.name > after, who.sees()).order_by(Dataset.name).limit(limit + 1)
        found = [DatasetItem.model_validate(d) for d in session.scalars(wanted)]
    return DatasetPage(items=found[:limit], next=found[limit - 1].name if len(found) > limit else None)


@router.post("/datasets", status_code=201)
def add_dataset(request: Request, who: Admin, new: NewDataset) -> DatasetItem:
    """Watch a data set: a place below a root, or a name that reports are sent to."""
    service = service_of(request)
    with service.database.write() as session:
        return DatasetItem.model_validate(new_dataset(session, service.roots, who, **new.model_dump()))


@router.get("/datasets/{name}", dependencies=[KEPT])
def dataset(request: Request, who: Reader, name: str) -> DatasetItem:
    """One data set."""
    with service_of(request).database.read() as session:
        return DatasetItem.model_validate(dataset_of(session, who, name))


@router.patch("/datasets/{name}")
def change_dataset(request: Request, who: Admin, name: str, change: DatasetChange) -> DatasetItem:
    """Change the settings of a data set."""
    with service_of(request).database.write() as session:
        found = dataset_of(session, who, name)
        expect(request, DatasetItem.model_validate(found))
        history.change(session, found, who.name, change.model_dump(exclude_unset=True))
        return DatasetItem.model_validate(found)


@router.post("/datasets/{name}/accept")
def accept_version(request: Request, who: Triager, name: str) -> DatasetItem:
    """Measure new findings by the last version from now on."""
    with service_of(request).database.write() as session:
        found = dataset_of(session, who, name)
        history.accept_version(session, found, who.name)
        return DatasetItem.model_validate(found)


@router.get("/datasets/{name}/gate", dependencies=[KEPT])
def gate(request: Request, who: Reader, name: str) -> Verdict:
    """The verdict on the last version, for pipelines."""
    with service_of(request).database.read() as session:
        found = dataset_of(session, who, name)
        scan = session.get(Scan, found.latest_id) if found.latest_id else None
    if scan is None:
        return Verdict(dataset=name, passed=None, reasons=["it was not scanned yet"], scan=None)
    return Verdict(dataset=name, passed=scan.passed, reasons=scan.reasons, scan=scan.id)


@router.get("/datasets/{name}/findings", dependencies=[KEPT])
def findings(request: Request, who: Reader, name: str, after: After = 0, limit: Limit = 50) -> FindingPage:
    """All findings that a data set ever had, but for those that follow from others."""
    with service_of(request).database.read() as session:
        found = dataset_of(session, who, name)
        wanted = select(Finding).where(Finding.dataset_id == found.id, Finding.folded.is_(False), Finding.id > after)
        items = [_finding(f, name) for f in session.scalars(wanted.order_by(Finding.id).limit(limit + 1))]
    return FindingPage(items=items[:limit], next=items[limit - 1].id if len(items) > limit else None)


@router.get("/datasets/{name}/suppressions.toml", response_class=PlainTextResponse)
def suppressions(request: Request, who: Reader, name: str) -> str:
    """What was accepted or is a false alarm, for a datalint.toml."""
    with service_of(request).database.read() as session:
        return history.suppressions(session, dataset_of(session, who, name))


@router.get("/datasets/{name}/badge.svg", dependencies=[KEPT], response_class=Response)
def badge(request: Request, who: Reader, name: str) -> Response:
    """The verdict as a picture."""
    passed = gate(request, who, name).passed
    word, colour = (
        ("no verdict", "#566170") if passed is None else ("passed", "#1b7340") if passed else ("failed", "#b3261e")
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="140" height="20" role="img" aria-label="datalint: {word}">'
        f'<rect width="60" height="20" fill="#333"/><rect x="60" width="80" height="20" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="30" y="14">datalint</text><text x="100" y="14">{word}</text></g></svg>'
    )
    return Response(svg, media_type="image/svg+xml")


@router.get("/scans", dependencies=[KEPT])
def scans(request: Request, who: Reader, dataset: Named = "", after: After = 0, limit: Limit = 50) -> ScanPage:
    """Scans, newest first."""
    with service_of(request).database.read() as session:
        wanted = select(Scan, Dataset.name).join(Dataset).where(who.sees()).order_by(Scan.id.desc()).limit(limit + 1)
        if after:
            wanted = wanted.where(Scan.id < after)
        if dataset:
            wanted = wanted.where(Scan.dataset_id == dataset_of(session, who, dataset).id)
        items = [scan_item(scan, name) for scan, name in session.execute(wanted)]
    return ScanPage(items=items[:limit], next=items[limit - 1].id if len(items) > limit else None)


@router.post("/scans", status_code=202)
def new_scan(request: Request, response: Response, who: Triager, new: NewScan) -> ScanItem:
    """Queue a scan of a data set, or of a place below a root; while one waits, that is the one."""
    service = service_of(request)
    with service.database.write() as session:
        where = {"root": new.root, "path": new.path, "label": new.label}
        found = dataset_to_scan(session, service.roots, who, new.dataset, **where)
        scan = enqueue(session, found, who.name, new.revision)
        response.headers["location"] = f"/api/v1/scans/{scan.id}"
        return scan_item(scan, found.name)


@router.get("/scans/{number}", dependencies=[KEPT])
def scan(request: Request, who: Reader, number: Number) -> ScanItem:
    """One scan, with its progress."""
    with service_of(request).database.read() as session:
        found = scan_of(session, who, number)
        return scan_item(found, found.dataset.name)


@router.post("/scans/{number}/cancel")
def cancel(request: Request, who: Triager, number: Number) -> ScanItem:
    """Stop a scan that is queued or running."""
    with service_of(request).database.write() as session:
        found = scan_of(session, who, number)
        if not history.cancel(session, number, who.name):
            raise Problem(409, f"scan {number} is over")
        session.refresh(found)
        return scan_item(found, found.dataset.name)


@router.get("/scans/{number}/report.json", response_class=Response)
def report(request: Request, who: Reader, number: Number) -> Response:
    """The report, as the command line writes it."""
    with service_of(request).database.read() as session:
        found = history.report_of(session, scan_of(session, who, number).id)
    if found is None:
        raise Problem(404, f"scan {number} has no report")
    return Response(found.to_json(), media_type="application/json")


@router.get("/scans/{old}/diff/{new}", response_class=Response)
def diff(request: Request, who: Reader, old: Number, new: Number) -> Response:
    """What changed from one scan to another, as `datalint diff` writes it."""
    with service_of(request).database.read() as session:
        changes = compared(session, who, old, new)
    return Response(changes.to_json(), media_type="application/json")


async def _sent(request: Request) -> bytes:
    return await request.body()


_REPORT: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post("/reports", status_code=201, openapi_extra=_REPORT)
def push(
    request: Request,
    response: Response,
    who: Triager,
    body: Annotated[bytes, Depends(_sent)],
    dataset: Annotated[str, Query(min_length=1, max_length=200)],
    ref: Named = "",
    revision: Named = "",
) -> ScanItem:
    """Keep a report that was made elsewhere. The same report sent twice is one scan."""
    try:
        sent = Report.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))[:100] or "its top"
        raise Problem(422, f"this is no report of this version: at {place}: {first['msg']}"[:500]) from error
    service = service_of(request)
    for attempt in range(3):
        with suppress(IntegrityError) if attempt < 2 else nullcontext(), service.database.write() as session:
            # Somebody may be sending the first report of it at this moment, too: then once more.
            found = dataset_to_send_to(session, service.roots, who, dataset)
            scan, fresh = history.push(session, found, sent, who.name, ref, revision)
            response.status_code = 201 if fresh else 200
            response.headers["location"] = f"/api/v1/scans/{scan.id}"
            return scan_item(scan, found.name)
    raise AssertionError


@router.get("/findings/{number}", dependencies=[KEPT])
def finding(request: Request, who: Reader, number: Number) -> FindingItem:
    """One finding."""
    with service_of(request).database.read() as session:
        found = finding_of(session, who, number)
        return _finding(found, found.dataset.name)


@router.get("/findings/{number}/history", dependencies=[KEPT])
def finding_history(request: Request, who: Reader, number: Number) -> History:
    """One finding over time: the last scans that had it, what was decided and said, and by whom."""
    with service_of(request).database.read() as session:
        found = finding_of(session, who, number)
        seen = select(Occurrence).where(Occurrence.finding_id == found.id).order_by(Occurrence.scan_id.desc())
        log = select(Event).where(Event.finding_id == found.id).order_by(Event.id.desc())
        return History(
            scans=[Seen.model_validate(row) for row in session.scalars(seen.limit(ITEMS))],
            log=[Logged.model_validate(row) for row in session.scalars(log.limit(ITEMS))],
        )


@router.patch("/findings/{number}")
def decide(request: Request, who: Triager, number: Number, decision: Decision) -> FindingItem:
    """Decide what becomes of a finding, comment on it, give it to somebody."""
    with service_of(request).database.write() as session:
        found = finding_of(session, who, number)
        expect(request, _finding(found, found.dataset.name))
        if decision.state is not None:
            history.triage(session, [found], who.name, decision.state, decision.reason, decision.until)
        history.comment(session, found, who.name, decision.comment, decision.assignee)
        return _finding(found, found.dataset.name)


@router.get("/rules", dependencies=[KEPT])
def rules(_: Reader) -> list[dict[str, Any]]:
    """All rules."""
    return [{"code": r.code, "name": r.name, "severity": r.severity, "finds": r.finds} for r in pages()]


@router.get("/tokens", dependencies=[KEPT])
def tokens(request: Request, _: Admin) -> list[TokenItem]:
    """All tokens, newest first."""
    with service_of(request).database.read() as session:
        return [TokenItem.model_validate(token) for token in session.scalars(select(Token).order_by(Token.id.desc()))]


@router.get("/webhooks", dependencies=[KEPT])
def webhooks(request: Request, _: Admin) -> list[HookItem]:
    """All webhooks."""
    with service_of(request).database.read() as session:
        rows = session.execute(select(Webhook, Dataset.name).outerjoin(Dataset).order_by(Webhook.id))
        return [HookItem.model_validate({**_columns(hook), "dataset": name}) for hook, name in rows]


@router.post("/tokens", status_code=201)
def new_token(request: Request, who: Admin, new: NewToken) -> Secret:
    """A token, shown this once."""
    with service_of(request).database.write() as session:
        only = [dataset_of(session, who, name).name for name in new.datasets]
        return Secret(token=make_token(session, who.name, new.name, new.role, only, new.days))


@router.get("/events", response_class=EventSourceResponse)
async def events(
    request: Request, who: Reader, after: After = 0, last_event_id: Annotated[int | None, Header(ge=0, le=MOST)] = None
) -> AsyncIterator[ServerSentEvent]:
    """What happens, as it happens; `Last-Event-ID` resumes."""
    service = service_of(request)
    last = after if last_event_id is None else last_event_id

    def read() -> list[tuple[Event, str]]:
        with service.database.read() as session:
            wanted = select(Event, Dataset.name).join(Dataset).where(Event.id > last, who.sees())
            return [(event, name) for event, name in session.execute(wanted.order_by(Event.id).limit(ITEMS))]

    while not await request.is_disconnected():
        for event, name in await anyio.to_thread.run_sync(read):
            last = event.id
            data = {"dataset": name, "scan": event.scan_id, "finding": event.finding_id, "who": event.who}
            yield ServerSentEvent(id=str(event.id), event=event.what, data={**data, "text": event.text, "at": event.at})
        await anyio.sleep(1)


@watching.get("/healthz")
def healthz() -> PlainTextResponse:
    """Whether the process answers."""
    return PlainTextResponse("ok\n")


@watching.get("/readyz")
def readyz(request: Request) -> PlainTextResponse:
    """Whether the database answers."""
    with service_of(request).database.read() as session:
        session.execute(text("SELECT 1"))
    return PlainTextResponse("ok\n")


def _open(session: Session, ids: Sequence[int] | None) -> dict[int, dict[str, int]]:
    """Open findings of each data set by severity."""
    still = Finding.present.is_(True), Finding.folded.is_(False), Finding.state.in_(OPEN)
    rows = select(Finding.dataset_id, Finding.severity, func.count()).where(*still)
    rows = rows.group_by(Finding.dataset_id, Finding.severity)
    counted: dict[int, dict[str, int]] = {}
    for dataset_id, severity, number in session.execute(
        rows if ids is None else rows.where(Finding.dataset_id.in_(ids))
    ):
        counted.setdefault(dataset_id, {})[severity] = number
    return counted


def _total(counted: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for some in counted:
        total.update(some)
    return total


@watching.get("/metrics")
def metrics(request: Request, who: Reader) -> PlainTextResponse:
    """Numbers for Prometheus, of all data sets."""
    if who.datasets:
        raise Problem(403, f"{who.name} does not see all data sets")
    with service_of(request).database.read() as session:
        by_status = session.execute(select(Scan.status, func.count()).group_by(Scan.status)).all()
        by_severity = service_of(request).latest.of("open", session, partial(_open, session), _total)
        oldest = session.scalar(select(func.min(Scan.queued)).where(Scan.status == "queued"))
    lines = ["# TYPE datalint_scans gauge", *(f'datalint_scans{{status="{s}"}} {n}' for s, n in by_status)]
    lines += ["# TYPE datalint_open_findings gauge"]
    lines += [f'datalint_open_findings{{severity="{s}"}} {n}' for s, n in sorted(by_severity.items())]
    lines += [
        "# TYPE datalint_queue_seconds gauge",
        f"datalint_queue_seconds {time.time() - oldest if oldest else 0:.0f}",
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")
