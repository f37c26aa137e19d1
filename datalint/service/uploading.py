"""Data that is sent, scanned and removed: only where the operator named a folder for it.

Each upload is one file, such as an archive, in a folder of its own; it is read where it lies and never unpacked.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from datalint.service import history, uploads
from datalint.service.api import ERRORS, Named, ScanItem, scan_item
from datalint.service.lookup import dataset_to_send_to, service_of
from datalint.service.models import Scan
from datalint.service.problems import Problem
from datalint.service.repeating import Repeatable
from datalint.service.security import Principal, Triager, csrf

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE: Final = re.compile(r"[\w][\w. -]{0,199}")
PIECE: Final = 1 << 20


def routes(limit: int) -> tuple[APIRouter, APIRouter]:
    """For programs and for people, up to so many bytes each."""
    api = APIRouter(prefix="/api/v1", responses=ERRORS, route_class=Repeatable, max_body_size=limit)
    pages = APIRouter(max_body_size=limit + PIECE)  # the form around the file
    body = {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
    api.post("/uploads", status_code=202, openapi_extra={"requestBody": body})(upload)
    pages.post("/upload", dependencies=[Depends(csrf)])(upload_form)
    return api, pages


async def upload(
    request: Request,
    response: Response,
    who: Triager,
    dataset: Annotated[str, Query(min_length=1, max_length=200)],
    file: Annotated[str, Query(pattern=f"^{FILE.pattern}$", description="Its name, by which its format is known.")],
    revision: Named = "",
) -> ScanItem:
    """Scan a file that is sent, such as an archive, and remove it after that."""
    with _kept(request, file) as place:
        with place.open("xb") as out:
            async for piece in request.stream():
                await run_in_threadpool(out.write, piece)
        scan = await run_in_threadpool(_queued, request, who, dataset, place, revision)
    response.headers["location"] = f"/api/v1/scans/{scan.id}"
    return scan


def upload_form(
    request: Request,
    who: Triager,
    data: Annotated[UploadFile, File()],
    dataset: Annotated[str, Form(min_length=1, max_length=200)],
) -> Response:
    """The same from a page."""
    with _kept(request, Path(data.filename or "").name) as place:
        with place.open("xb") as out:
            shutil.copyfileobj(data.file, out, PIECE)
        scan = _queued(request, who, dataset, place, "")
    return RedirectResponse(f"/scans/{scan.id}", 303)


@contextlib.contextmanager
def _kept(request: Request, name: str) -> Iterator[Path]:
    """A place for a file, which is removed again if anything goes wrong."""
    folder = service_of(request).uploads
    if folder is None:
        raise Problem(403, "this service takes no uploads: its operator can name a folder for them with --uploads")
    if not FILE.fullmatch(name):
        raise Problem(422, f"{name[:200]!r} is no name of a file: use letters, digits, spaces, dots and hyphens")
    place = None
    try:
        place = uploads.place(folder, name)
        yield place
    except BaseException as error:
        if place is not None:
            shutil.rmtree(place.parent, ignore_errors=True)
        if isinstance(error, OSError):
            raise Problem(507, f"the upload could not be kept: {error.strerror or 'no more room'}") from error
        raise


def _queued(request: Request, who: Principal, name: str, place: Path, revision: str) -> ScanItem:
    if not place.stat().st_size:
        raise Problem(422, "the upload is empty")
    service = service_of(request)
    with service.database.write() as session:
        dataset = dataset_to_send_to(session, service.roots, who, name)
        scan = Scan(dataset_id=dataset.id, ref=dataset.ref, revision=revision, by=who.name)
        scan.upload = f"{place.parent.name}/{place.name}"
        session.add(scan)
        session.flush()
        history.note(session, who.name, "upload queued", place.name, dataset_id=dataset.id, scan_id=scan.id)
        return scan_item(scan, dataset.name)
