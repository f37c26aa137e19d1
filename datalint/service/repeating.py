"""Requests that are sent again: answers that did not change are not sent twice, and what was done is not done twice.

``ETag``, ``If-None-Match`` and ``If-Match`` as RFC 9110 has them, ``Idempotency-Key`` as the draft of the IETF's HTTP API group.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from datalint.service.kept import Keeping
from datalint.service.models import Answer
from datalint.service.problems import Problem
from datalint.service.security import DAY, SESSION, principal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request
    from pydantic import BaseModel
    from sqlalchemy.orm import Session

ABANDONED: Final = 60.0
"""Seconds after which a request that was never answered may be made again."""

SECRET: Final = ("/api/v1/tokens",)
"""Paths whose answers are not kept: a secret is shown once."""


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}


_DOCUMENTED: Final[dict[str, dict[str, Any]]] = {
    "GET": {
        "parameters": [_header("If-None-Match", "`ETag`s of answers that are known already.")],
        "responses": {"304": {"description": "The answer is one of those known"}},
    },
    "PATCH": {
        "parameters": [_header("If-Match", "`ETag` of what is to be changed, as it was read.")],
        "responses": {"412": {"description": "Somebody changed it meanwhile"}},
    },
    "POST": {"parameters": [_header("Idempotency-Key", "Sent again with the same key, it is done once; for a day.")]},
}


class Repeatable(Keeping):
    """A route whose requests may be repeated."""

    def __init__(self, *args: Any, **options: Any) -> None:
        for method in options.get("methods") or ():
            extra = dict(options.get("openapi_extra") or {})
            options["openapi_extra"] = extra | _DOCUMENTED.get(method, {})
        super().__init__(*args, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, and what is done before and after it."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            if request.method == "POST" and "idempotency-key" in request.headers:
                return await _once(request, handle)
            response = await handle(request)
            return _unless_known(request, response) if request.method in ("GET", "HEAD") else response

        return answer


def expect(request: Request, item: BaseModel) -> None:
    """See that what is to be changed is what was read.

    Raises:
        Problem: it is not: 412.
    """
    wanted = request.headers.get("if-match")
    if wanted is not None and not _among(tag(item.model_dump_json().encode()), wanted):
        raise Problem(412, "somebody changed it meanwhile: read it again")


def tag(body: bytes) -> str:
    """The entity tag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _among(mine: str, header: str) -> bool:
    return header.strip() == "*" or mine in (part.strip().removeprefix("W/") for part in header.split(","))


def _unless_known(request: Request, response: Response) -> Response:
    body = getattr(response, "body", None)
    if response.status_code != 200 or not isinstance(body, bytes):  # a stream has none
        return response
    mine = tag(body)
    kept = {"etag": mine, "cache-control": "private, no-cache"}
    if _among(mine, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=kept)
    response.headers.update(kept)
    return response


async def _once(request: Request, handle: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    """Answer a key once; later requests with it get the same answer.

    Raises:
        Problem: the key was used for another request, or the first one is not answered yet.
    """
    who = await run_in_threadpool(principal, request)
    proof = request.headers.get("authorization") or request.cookies.get(SESSION, "")
    parts = (who.name, proof, request.url.path, request.url.query, request.headers["idempotency-key"])
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    digest = hashlib.sha256(await request.body()).hexdigest()
    database = request.app.state.service.database

    def claim() -> Response | None:
        with database.write() as session:
            return _claimed(session, key, digest)

    def keep(response: Response | None) -> None:
        with database.write() as session:
            if response is None or response.status_code >= 400:
                session.execute(delete(Answer).where(Answer.key == key))
                return
            body = b"" if request.url.path in SECRET else bytes(response.body)
            row = session.get_one(Answer, key)
            row.status, row.body, row.location = response.status_code, body, response.headers.get("location", "")

    known = await run_in_threadpool(claim)
    if known is not None:
        return known
    response = None
    try:
        response = await handle(request)
    finally:
        await run_in_threadpool(keep, response)
    return response


def _claimed(session: Session, key: str, digest: str) -> Response | None:
    now = time.time()
    session.execute(delete(Answer).where(Answer.at < now - DAY))
    row = session.get(Answer, key, with_for_update=True)
    if row is None:
        session.add(Answer(key=key, digest=digest))
        return None
    if row.digest != digest:
        raise Problem(422, "this Idempotency-Key was sent with another body: use a new one")
    if row.status is None:
        if row.at > now - ABANDONED:
            raise Problem(409, "the first request with this Idempotency-Key is not answered yet", {"retry-after": "2"})
        row.at = now
        return None
    if not row.body:
        raise Problem(409, "this was done already, and its answer is shown once only")
    headers = {"idempotent-replayed": "true", **({"location": row.location} if row.location else {})}
    return Response(row.body, row.status, headers, media_type="application/json")
