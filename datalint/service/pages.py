"""The pages: complete without a script; htmx only spares reloading them."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import re
import secrets
import time
import zlib
from collections import Counter
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from pydantic import Field
from sqlalchemy import case, func, select

import datalint
from datalint.core.errors import DatalintError
from datalint.core.severity import LEVELS
from datalint.core.wording import plural
from datalint.report import wording
from datalint.report.escape import clean
from datalint.rules.detection_figures import all_figures
from datalint.rules.manual import find_page, pages
from datalint.service import history, webhooks
from datalint.service.child import PICTURES, call
from datalint.service.kept import KEPT, MARK, Keeping, Page
from datalint.service.lookup import compared, dataset_of, finding_of, make_token, new_dataset, scan_of, service_of
from datalint.service.models import (
    MOST,
    OPEN,
    STATES,
    Dataset,
    Event,
    Finding,
    Login,
    Occurrence,
    Scan,
    Stored,
    Token,
    Webhook,
)
from datalint.service.problems import Problem
from datalint.service.roots import discover, inside, place
from datalint.service.security import (
    CSRF,
    LOGIN,
    LONGEST,
    ROLES,
    SESSION,
    Admin,
    Principal,
    Reader,
    Role,
    Triager,
    csrf,
    csrf_of,
    digest,
    token_of,
)
from datalint.service.worker import enqueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from datalint.report.models import AffectedSample, DatasetReport
    from datalint.service.shared import Service


PAGE: Final = 50
"""Rows of one page."""
RECENT: Final = 16
"""Scans of a sparkline."""
LABELLED: Final = {"images": "image", "audio": "audio"}
"""What Label Studio's labels call a sample of a modality that is a file."""
REPORT_POLICY: Final = "sandbox allow-scripts allow-downloads; frame-ancestors 'none'"
"""The report has a stricter policy of its own inside; this one takes the service's origin away from it."""

_figures = cache(all_figures)
_rules = cache(pages)

Number = Annotated[int, Path(le=MOST)]
Chosen = Annotated[int | None, Query(le=MOST)]

router = APIRouter(route_class=Keeping)
safe = [Depends(csrf)]


def _shown(value: Any) -> Any:
    return clean(value, 2000) if type(value) is str else value


def _when(moment: float | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")


_environment = Environment(
    loader=FileSystemLoader(pathlib.Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _coded(text: str) -> Markup:
    """With what stands between two pairs of backticks as code."""
    return Markup(re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(text))))


_environment.filters |= {
    "when": _when,
    "coded": _coded,
    "amount": "{:,}".format,
    "title": wording.title,
    "plural": plural,
}


def _spark(scans: Sequence[Any], height: int = 28, wide: int = 8, of: Sequence[str] = ("errors", "warnings")) -> Markup:
    """Numbers of the scans that are done, one bar each, oldest first."""
    done = [[getattr(scan, name) for name in of] for scan in scans if scan.status == "done"]
    most = max(map(sum, done), default=0) or 1
    kinds = ("base", *of)
    unit, paths = (height - 2) / most, [""] * len(kinds)
    for number, amounts in enumerate(done):
        top = float(height)
        for k, tall in enumerate((2.0, *(amount * unit for amount in amounts))):
            top -= tall
            paths[k] += f"M{number * wide} {top:.1f}h{wide - 2}v{tall:.1f}h{2 - wide}z" if tall else ""
    width = max(len(done), 1) * wide
    said = f"last {len(done)} scans, the last with {' and '.join(map(str, done[-1]))}" if done else "no scans yet"
    drawn = "".join(f'<path class="spark-{kind}" d="{path}"/>' for kind, path in zip(kinds, paths, strict=True))
    return Markup(
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{" and ".join(of).capitalize()}: {said}">{drawn}</svg>'
    )


def _logged_in(request: Request) -> bool:
    return SESSION in request.cookies


_environment.globals |= {
    "logged_in": _logged_in,
    "spark": _spark,
    "version": datalint.__version__,
    "states": STATES,
    "open_states": OPEN,
}


def _page(template: str, request: Request, who: Principal | None, status: int = 200, **context: Any) -> HTMLResponse:
    marked = who and replace(who, csrf=MARK)
    text = _environment.get_template(template).render(request=request, who=marked, **context)
    return (
        HTMLResponse(text, status)
        if who is None
        else Page(text.encode().split(MARK.encode()), request, who.csrf, status)
    )


def problem(request: Request, error: Problem) -> HTMLResponse:
    """The page of an error."""
    response = _page("problem.html.j2", request, None, error.status, problem=error.body())
    response.headers.update(error.headers or {})
    return response


def wants_page(request: Request) -> bool:
    """Whether a person asks, not a program."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _back(url: str) -> RedirectResponse:
    return RedirectResponse(url, 303)


def recent(session: Session, ids: Sequence[int], most: int = RECENT) -> dict[int, list[Any]]:
    """What a page shows of the last scans of each data set, oldest first."""
    last = select(Scan.id).where(Scan.dataset_id == Dataset.id).order_by(Scan.id.desc()).offset(most - 1).limit(1)
    shown = (Scan.id, Scan.dataset_id, Scan.status, Scan.errors, Scan.warnings, Scan.fresh, Scan.samples, Scan.passed)
    rows = (
        select(*shown, Scan.finished, Scan.queued, Scan.ref, Scan.revision)
        .join(Dataset)
        .where(Dataset.id.in_(ids), Scan.id >= func.coalesce(last.correlate(Dataset).scalar_subquery(), 0))
    )
    found: dict[int, list[Any]] = {number: [] for number in ids}
    for scan in session.execute(rows.order_by(Scan.id)):
        found[scan.dataset_id].append(scan)
    return found


def _last_done(scans: Sequence[Any]) -> Any:
    return next((scan for scan in reversed(scans) if scan.status == "done"), None)


@router.get("/", dependencies=[KEPT])
def overview(request: Request, who: Reader, after: str = "", find: str = "") -> Response:
    """Every data set: gate, new findings, errors and warnings over time, last scan, size."""
    service = service_of(request)
    with service.database.read() as session:
        wanted = select(Dataset).where(Dataset.name > after, who.sees()).order_by(Dataset.name).limit(PAGE + 1)
        if find:
            wanted = wanted.where(Dataset.name.icontains(find, autoescape=True))
        datasets = list(session.scalars(wanted))
        scans = recent(session, [d.id for d in datasets])
        total = session.scalar(select(func.count(Dataset.id)).where(who.sees()))
    return _page(
        "overview.html.j2",
        request,
        who,
        rows=[(d, scans[d.id], _last_done(scans[d.id])) for d in datasets[:PAGE]],
        more=datasets[PAGE - 1].name if len(datasets) > PAGE else None,
        total=total,
        find=find,
        roots=service.roots,
    )


@router.post("/discover", dependencies=safe)
def look_again(request: Request, who: Admin) -> Response:
    """Look for data sets below the roots."""
    service = service_of(request)
    discover(service.database, service.roots, service.limits, who.name)
    return _back("/")


@router.get("/datasets/{name}", dependencies=[KEPT])
def dataset_page(
    request: Request, who: Reader, name: str, state: str = "open", after: Annotated[int, Query(le=MOST)] = 0
) -> Response:
    """History, open findings and what was decided."""
    with service_of(request).database.read() as session:
        dataset = dataset_of(session, who, name)
        wanted = select(Finding).where(Finding.dataset_id == dataset.id, Finding.folded.is_(False))
        match state:
            case "open":
                wanted = wanted.where(Finding.present.is_(True), Finding.state.in_(OPEN))
            case "gone":
                wanted = wanted.where(Finding.present.is_(False))
            case "decided":
                wanted = wanted.where(Finding.state != "open")
            case _:
                raise Problem(404, f"findings are open, decided or gone, not {state[:50]!r}")
        rows = list(session.scalars(wanted.where(Finding.id > after).order_by(Finding.id).limit(PAGE + 1)))
        changes = {}
        if dataset.latest_id:
            latest = select(Occurrence.finding_id, Occurrence.change).where(Occurrence.scan_id == dataset.latest_id)
            changes = {row.finding_id: row.change for row in session.execute(latest)}
        return _page(
            "dataset.html.j2",
            request,
            who,
            dataset=dataset,
            scans=recent(session, [dataset.id], PAGE)[dataset.id],
            latest=dataset.latest_id and session.get(Scan, dataset.latest_id),
            findings=sorted(rows[:PAGE], key=lambda f: (LEVELS.index(f.severity), f.id)),
            more=rows[PAGE - 1].id if len(rows) > PAGE else None,
            changes=changes,
            state=state,
            events=list(
                session.scalars(select(Event).where(Event.dataset_id == dataset.id).order_by(Event.id.desc()).limit(20))
            ),
        )


@router.post("/datasets/{name}/scan", dependencies=safe)
def scan_now(request: Request, who: Triager, name: str) -> Response:
    """Queue a scan."""
    with service_of(request).database.write() as session:
        scan = enqueue(session, dataset_of(session, who, name), who.name)
    return _back(f"/scans/{scan.id}")


@router.get("/scans/{number}", dependencies=[KEPT])
def scan_page(request: Request, who: Reader, number: Number) -> Response:
    """One scan: progress while it runs, then what it changed."""
    with service_of(request).database.read() as session:
        scan = scan_of(session, who, number)
        rows = (
            select(Finding, Occurrence)
            .join(Occurrence)
            .where(Occurrence.scan_id == scan.id, Finding.folded.is_(False))
            .order_by(case({level: k for k, level in enumerate(LEVELS)}, value=Finding.severity), Finding.id)
            .limit(500)
        )
        others = recent(session, [scan.dataset_id], 10)[scan.dataset_id]
        return _page(
            "scan.html.j2",
            request,
            who,
            scan=scan,
            dataset=session.get_one(Dataset, scan.dataset_id),
            rows=[(f, o) for f, o in session.execute(rows)],
            before=next((s.id for s in reversed(others) if s.id < scan.id and s.status == "done"), None),
        )


@router.get("/scans/{number}/progress")
def scan_progress(request: Request, who: Reader, number: Number) -> Response:
    """The part of the page that changes while the scan runs; the whole page once it is over."""
    with service_of(request).database.read() as session:
        scan = scan_of(session, who, number)
    if scan.status not in ("queued", "running"):
        return Response(headers={"HX-Redirect": f"/scans/{number}"})
    return _page("progress.html.j2", request, who, scan=scan)


@router.get("/scans/{number}/report.html")
def report_page(request: Request, who: Reader, number: Number) -> Response:
    """The report, as the command line writes it."""
    with service_of(request).database.read() as session:
        page = history.page_of(session, scan_of(session, who, number).id)
    if page is None:
        raise Problem(404, f"scan {number} has no report")
    return HTMLResponse(page, headers={"content-security-policy": REPORT_POLICY})


@router.post("/scans/{number}/cancel", dependencies=safe)
def cancel_scan(request: Request, who: Triager, number: Number) -> Response:
    """Stop a scan."""
    with service_of(request).database.write() as session:
        scan_of(session, who, number)
        history.cancel(session, number, who.name)
    return _back(f"/scans/{number}")


@router.get("/findings/{number}", dependencies=[KEPT])
def finding_page(request: Request, who: Reader, number: Number) -> Response:
    """One finding over time, with its samples, what was decided and why."""
    with service_of(request).database.read() as session:
        finding = finding_of(session, who, number)
        seen = select(Occurrence).where(Occurrence.finding_id == number).order_by(Occurrence.scan_id.desc()).limit(PAGE)
        events = select(Event).where(Event.finding_id == number).order_by(Event.id.desc()).limit(100)
        item, part, pictures = _item(session, finding)
        return _page(
            "finding.html.j2",
            request,
            who,
            finding=finding,
            dataset=session.get_one(Dataset, finding.dataset_id),
            item=item,
            samples=[
                (wording.relative(s.id, part), pictures.get(s.id), s.split, _details(s))
                for s in item.affected.samples[:PICTURES]
            ]
            if item and part
            else [],
            occurrences=list(session.scalars(seen)),
            events=list(session.scalars(events)),
            figures=_figures().get(finding.code),
        )


def _details(sample: AffectedSample) -> str:
    told = wording.told(sample.detail)
    return ", ".join(f"{wording.label(key)}: {wording.value(key, item, 6)}" for key, item in told.items())


def _item(session: Session, finding: Finding) -> tuple[Any, DatasetReport | None, dict[str, str]]:
    """What the last report says of a finding, where, and pictures of its samples as data URLs."""
    report = history.report_of(session, finding.last_id)
    parts = report.datasets if report else ()
    found = [(item, part) for part in parts for item in part.findings if item.fingerprint == finding.fingerprint]
    items = [item for item, _ in found]
    packed = session.scalar(select(Stored.pictures).where(Stored.scan_id == finding.last_id)) if items else None
    pictures = json.loads(zlib.decompress(packed)) if packed else {}
    urls = {name: f"data:image/webp;base64,{data}" for name, data in pictures.items()}
    return (*(found[0] if found else (None, None)), urls)


def firing(service: Service, session: Session, who: Principal) -> Counter[str]:
    """In how many data sets each rule fires, by code."""

    def count(ids: Iterable[int] | None) -> dict[int, list[str]]:
        spoken = Finding.present.is_(True), Finding.folded.is_(False)
        rows = select(Finding.code, Finding.dataset_id).where(*spoken).distinct()  # in the order of the index
        codes: dict[int, list[str]] = {}
        for code, dataset_id in session.execute(rows if ids is None else rows.where(Finding.dataset_id.in_(ids))):
            codes.setdefault(dataset_id, []).append(code)
        return codes

    def total(codes: Iterable[list[str]]) -> Counter[str]:
        return Counter(chain.from_iterable(codes))

    if who.datasets:
        return total(count(list(session.scalars(select(Dataset.id).where(who.sees())))).values())
    return service.latest.of("fires", session, count, total)


@router.get("/rules", dependencies=[KEPT])
def rules_page(request: Request, who: Reader) -> Response:
    """All rules, and in how many data sets each fires."""
    with service_of(request).database.read() as session:
        fires = firing(service_of(request), session, who)
    return _page("rules.html.j2", request, who, rules=_rules(), fires=fires)


@router.get("/rules/{code}", dependencies=[KEPT])
def rule_page(request: Request, who: Reader, code: str) -> Response:
    """The manual page of a rule, and where it fires."""
    try:
        rule = find_page(code)
    except DatalintError as error:
        raise Problem(404, str(error)) from error
    with service_of(request).database.read() as session:
        where = (
            select(Dataset.name)
            .join(Finding, Finding.dataset_id == Dataset.id)
            .where(Finding.code == rule.code, Finding.present.is_(True), Finding.folded.is_(False), who.sees())
            .distinct()
            .order_by(Dataset.name)
            .limit(200)
        )
        names = list(session.scalars(where))
    first, *parts = rule.text.split("\n## ")
    sections = [(head, body.strip()) for head, _, body in (part.partition("\n") for part in parts)]
    figures = _figures().get(rule.code)
    return _page(
        "rule.html.j2", request, who, rule=rule, first=first, sections=sections, datasets=names, figures=figures
    )


@router.post("/findings/triage", dependencies=safe)
def triage(
    request: Request,
    who: Triager,
    finding: Annotated[list[Annotated[int, Field(le=MOST)]], Form()],
    state: Annotated[str, Form()],
    back: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
) -> Response:
    """Decide what becomes of one finding or several."""
    with service_of(request).database.write() as session:
        findings = [finding_of(session, who, number) for number in finding]
        history.triage(session, findings, who.name, state, reason, until or None)
    return _back(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")


@router.post("/findings/{number}/comment", dependencies=safe)
def comment(
    request: Request,
    who: Triager,
    number: Number,
    text: Annotated[str, Form()] = "",
    assignee: Annotated[str | None, Form()] = None,
) -> Response:
    """Say something about a finding, or give it to somebody."""
    with service_of(request).database.write() as session:
        history.comment(session, finding_of(session, who, number), who.name, text, assignee)
    return _back(f"/findings/{number}")


@router.post("/datasets/{name}/accept", dependencies=safe)
def accept(request: Request, who: Triager, name: str) -> Response:
    """Measure new findings by the last version."""
    with service_of(request).database.write() as session:
        history.accept_version(session, dataset_of(session, who, name), who.name)
    return _back(f"/datasets/{name}")


@router.get("/compare", dependencies=[KEPT])
def compare(request: Request, who: Reader, old: Chosen = None, new: Chosen = None) -> Response:
    """Two scans, of one data set or of two."""
    changes, names = None, []
    with service_of(request).database.read() as session:
        done = select(Scan).join(Dataset).where(Scan.status == "done", who.sees()).order_by(Scan.id.desc()).limit(200)
        scans = [(scan.id, scan.dataset.name, scan.finished) for scan in session.scalars(done)]
        if old and new:
            names = [scan_of(session, who, number).dataset.name for number in (old, new)]
            changes = compared(session, who, old, new)
    return _page(
        "compare.html.j2", request, who, scans=scans, old=old, new=new, names=names, changes=changes, number=_number
    )


def _number(value: float | None) -> str:
    return "none" if value is None else wording.number(int(value) if value == int(value) else value)


@router.get("/add")
def add_page(request: Request, who: Admin, root: str = "", path: str = "", label: str = "") -> Response:
    """Look around below the roots; what would be recognised is shown before anything is scanned."""
    service = service_of(request)
    root = root or next(iter(service.roots), "")
    found: list[dict[str, Any]] = []
    entries = inside(service.roots, root, path) if root else []
    if path:
        there = str(place(service.roots, root, path))
        found = call("detect", {"paths": [there], "label": label or None}, service.limits)["found"][0]
    above = path.rpartition("/")[0]
    return _page(
        "add.html.j2",
        request,
        who,
        uploads=service.uploads is not None,
        roots=service.roots,
        root=root,
        path=path,
        label=label,
        above=above,
        entries=entries,
        found=found,
    )


@router.post("/add", dependencies=safe)
def add(
    request: Request,
    who: Admin,
    name: Annotated[str, Form()],
    root: Annotated[str, Form()],
    path: Annotated[str, Form()],
    label: Annotated[str, Form()] = "",
) -> Response:
    """Watch a data set from now on."""
    service = service_of(request)
    with service.database.write() as session:
        dataset = new_dataset(session, service.roots, who, name, root=root, path=path, label=label or None)
    return _back(f"/datasets/{dataset.name}")


def _named(request: Request, who: Principal, number: int) -> list[tuple[AffectedSample, str]]:
    """The samples of a finding, named from their data set on, and what kind of data they are."""
    with service_of(request).database.read() as session:
        item, part, _ = _item(session, finding_of(session, who, number))
    if item is None or part is None:
        return []
    samples: Sequence[AffectedSample] = item.affected.samples
    return [(s.model_copy(update={"id": wording.relative(s.id, part)}), part.modality) for s in samples]


@router.get("/findings/{number}/samples.csv")
def samples_csv(request: Request, who: Reader, number: Number) -> Response:
    """The samples that a finding names, for a spreadsheet."""
    samples = [sample for sample, _ in _named(request, who, number)]
    details = list(dict.fromkeys(name for sample in samples for name in sample.detail))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["split", "index", "id", "fingerprint", *details])
    for s in samples:
        row = [s.split, s.index, s.id, s.fingerprint, *(s.detail.get(name, "") for name in details)]
        # A spreadsheet would run what begins like a formula.
        writer.writerow(
            [f"'{v}" if isinstance(v, str) and v.startswith(("=", "+", "-", "@", "\t", "\r")) else v for v in row]
        )
    return Response(text.getvalue(), media_type="text/csv", headers={"content-disposition": "attachment"})


@router.get("/findings/{number}/tasks.json")
def tasks_json(request: Request, who: Reader, number: Number) -> Response:
    """The samples as tasks of Label Studio; a picture or a sound is named by what it is, as its labels ask for it."""
    tasks = [
        {
            "data": {"id": s.id, "split": s.split, **s.detail} | ({LABELLED[kind]: s.id} if kind in LABELLED else {}),
            "meta": {"fingerprint": s.fingerprint},
        }
        for s, kind in _named(request, who, number)
    ]
    return Response(json.dumps(tasks), media_type="application/json", headers={"content-disposition": "attachment"})


@router.get("/datasets/{name}/settings")
def dataset_settings(request: Request, who: Admin, name: str) -> Response:
    """Gate, owner, tags, label and schedule of one data set."""
    with service_of(request).database.read() as session:
        return _page("dataset_settings.html.j2", request, who, dataset=dataset_of(session, who, name), levels=LEVELS)


@router.post("/datasets/{name}/settings", dependencies=safe)
def change_dataset(
    request: Request,
    who: Admin,
    name: str,
    new: Annotated[str, Form()],
    open: Annotated[str, Form()],
    owner: Annotated[str, Form()] = "",
    tags: Annotated[str, Form()] = "",
    label: Annotated[str, Form()] = "",
    schedule: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Change them."""
    fields = {
        "gate": {"new": new, "open": open},
        "owner": owner,
        "tags": [tag.strip() for tag in tags.split(",") if tag.strip()],
        "label": label or None,
        "schedule": schedule.strip(),
    }
    with service_of(request).database.write() as session:
        history.change(session, dataset_of(session, who, name), who.name, fields)
    return _back(f"/datasets/{name}")


@router.get("/settings")
def settings(request: Request, who: Admin) -> Response:
    """Tokens, and the audit log."""
    return _settings(request, who)


def _settings(request: Request, who: Principal, secret: str = "") -> Response:
    with service_of(request).database.read() as session:
        tokens = list(session.scalars(select(Token).order_by(Token.id.desc())))
        events = list(session.scalars(select(Event).where(Event.who != "").order_by(Event.id.desc()).limit(100)))
        about = {event.dataset_id for event in events}
        names = {d.id: d.name for d in session.scalars(select(Dataset).where(Dataset.id.in_(about)))}
        hooks = list(session.execute(select(Webhook, Dataset.name).outerjoin(Dataset).order_by(Webhook.id)))
    return _page(
        "settings.html.j2",
        request,
        who,
        tokens=tokens,
        hooks=hooks,
        events=events,
        names=names,
        secret=secret,
        roles=ROLES,
    )


@router.post("/settings/webhooks", dependencies=safe)
def create_webhook(
    request: Request,
    who: Admin,
    url: Annotated[str, Form()],
    kind: Annotated[Literal["generic", "slack", "github"], Form()] = "generic",
    dataset: Annotated[str, Form()] = "",
    token: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Tell an address what happens; the secret of its signature is shown this once."""
    service = service_of(request)
    webhooks.check(url, service.hooks)
    if (kind == "github") != bool(token.strip()):
        raise Problem(422, "GitHub, and nobody else, needs a token of its own, which may write commit statuses")
    secret = token.strip() or secrets.token_urlsafe(32)
    with service.database.write() as session:
        only = dataset_of(session, who, dataset.strip()).id if dataset.strip() else None
        session.add(Webhook(url=url, kind=kind, secret=secret, dataset_id=only))
        history.note(session, who.name, "webhook created", url)
    return _settings(request, who, "" if token else secret)


@router.post("/settings/webhooks/{number}/delete", dependencies=safe)
def delete_webhook(request: Request, who: Admin, number: Number) -> Response:
    """Tell it nothing any more."""
    with service_of(request).database.write() as session:
        hook = session.get(Webhook, number)
        if hook is None:
            raise Problem(404, f"there is no webhook {number}")
        session.delete(hook)
        history.note(session, who.name, "webhook deleted", hook.url)
    return _back("/settings")


@router.post("/settings/tokens", dependencies=safe)
def create_token(
    request: Request,
    who: Admin,
    name: Annotated[str, Form()],
    role: Annotated[Role, Form()],
    datasets: Annotated[str, Form()] = "",
    days: Annotated[float, Form(gt=0, le=LONGEST)] = 365,
) -> Response:
    """A token, shown this once."""
    with service_of(request).database.write() as session:
        only = [dataset_of(session, who, part.strip()).name for part in datasets.split(",") if part.strip()]
        secret = make_token(session, who.name, name, role, only, days)
    return _settings(request, who, secret)


@router.post("/settings/tokens/{number}/revoke", dependencies=safe)
def revoke_token(request: Request, who: Admin, number: Number) -> Response:
    """Let nobody in with it any more."""
    with service_of(request).database.write() as session:
        token = session.get(Token, number)
        if token is None:
            raise Problem(404, f"there is no token {number}")
        token.revoked = True
        history.note(session, who.name, "token revoked", token.name)
    return _back("/settings")


@router.get("/login")
def login_page(request: Request) -> Response:
    """Where a person gives a token."""
    cookie = csrf_of(request)
    response = _page("login.html.j2", request, None, csrf=cookie, oidc=service_of(request).oidc)
    response.set_cookie(CSRF, cookie, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


@router.post("/login", dependencies=safe)
def login(request: Request, token: Annotated[str, Form()]) -> Response:
    """Remember the browser."""
    service = service_of(request)
    address = request.client.host if request.client else ""
    service.attempts.check(address)
    secret = secrets.token_urlsafe(32)
    with service.database.write() as session:
        found = token_of(session, token.strip())
        if found is not None:
            expires = min(time.time() + LOGIN, found.expires or float("inf"))
            session.add(Login(digest=digest(secret), token_id=found.id, expires=expires))
            history.note(session, found.name, "login")
    if found is None:
        service.attempts.wrong(address)
        raise Problem(401, "this token is not valid")
    response = _back("/")
    response.set_cookie(SESSION, secret, LOGIN, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


@router.post("/logout", dependencies=safe)
def logout(request: Request) -> Response:
    """Forget the browser."""
    with service_of(request).database.write() as session:
        login = session.get(Login, digest(request.cookies.get(SESSION, "")))
        if login is not None:
            session.delete(login)
    response = _back("/login")
    response.delete_cookie(SESSION)
    return response
