"""Answers that are given again as long as nothing changed in the database.

Rendering a page takes many times as long as looking whether anything was committed since. What was answered is given again to the
same credentials alone, and made once where many ask for it at the same moment.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import anyio
from fastapi import Depends
from fastapi.routing import APIRoute
from markupsafe import escape
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from datalint.service.security import CSRF, PROXY, SESSION, csrf_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from fastapi import Request

    from datalint.service.database import Database
    from datalint.service.security import Attempts

MOST: Final = 32 << 20
"""Bytes that one process keeps."""

ABOUT: Final = 1 << 10
"""Bytes that an answer takes besides its body."""

MARK: Final = secrets.token_urlsafe(24)
"""Stands in a page where its forms have the token of whoever it is sent to."""


async def _kept() -> None:
    pass


KEPT: Final = Depends(_kept)
"""Marks a route whose answers hang on the database, the request and nothing else: not on the time, nor on files."""


class Page(HTMLResponse):
    """A page, as a cookie of the browser that it is sent to goes with its forms."""

    def __init__(self, pieces: Sequence[bytes], request: Request, csrf: str, status: int = 200) -> None:
        super().__init__(str(escape(csrf)).encode().join(pieces), status)
        self.pieces = pieces
        if request.cookies.get(CSRF) != csrf:
            self.set_cookie(CSRF, csrf, httponly=True, samesite="strict", secure=request.url.scheme == "https")


@dataclass(frozen=True)
class _Answer:
    pieces: Sequence[bytes]
    media_type: str | None
    page: bool
    until: float
    """When whom it was given to is no longer known."""

    def again(self, request: Request) -> Response:
        if self.page:
            return Page(self.pieces, request, csrf_of(request))
        return Response(b"".join(self.pieces), headers={"content-type": self.media_type or "text/plain"})


class Answers:
    """What one process answered since something was last committed, by whatever process."""

    def __init__(self) -> None:
        self._moment: object = None
        self._kept: dict[object, _Answer] = {}
        self._size = 0
        self._making: dict[object, anyio.Event] = {}

    async def of(
        self,
        request: Request,
        database: Database,
        attempts: Attempts,
        make: Callable[[Request], Awaitable[Response]],
    ) -> Response:
        """The answer that was given before, or a new one."""
        if request.client and attempts.too_many(request.client.host):
            return await make(request)
        key = _key(request)
        kept = await self._since(database)
        while key not in kept and key in self._making:
            await self._making[key].wait()
            kept = await self._since(database)
        found = kept.get(key)
        if found is not None and found.until > time.time():
            return found.again(request)
        made = self._making[key] = anyio.Event()
        try:
            response = await make(request)
        finally:
            if self._making.get(key) is made:
                del self._making[key]
            made.set()
        self._keep(kept, key, response, request.state.until)
        return response

    async def _since(self, database: Database) -> dict[object, _Answer]:
        moment = database.moment() if database.is_file else await run_in_threadpool(database.moment)
        if moment != self._moment:
            self._moment, self._kept, self._size = moment, {}, 0
        return self._kept

    def _keep(self, kept: dict[object, _Answer], key: object, response: Response, until: float) -> None:
        # Into those of the moment before it was made: what was read since may be newer, but never older.
        body = getattr(response, "body", None)
        if response.status_code != 200 or not isinstance(body, bytes):
            return
        if kept is self._kept:
            self._size += len(body) + ABOUT
            if self._size > MOST:
                self._size = 0
                kept.clear()
        pieces = response.pieces if isinstance(response, Page) else (body,)
        kept[key] = _Answer(pieces, response.headers.get("content-type"), isinstance(response, Page), until)


def _key(request: Request) -> object:
    """All of a request that its answer hangs on."""
    scope, headers = request.scope, request.headers
    return (
        scope["scheme"],
        headers.get("host"),
        scope.get("root_path"),
        scope["path"],
        scope["query_string"],
        headers.get("authorization"),
        request.cookies.get(SESSION),
        any(name in headers for name in PROXY),
    )


class Keeping(APIRoute):
    """A route that gives its answer again if it is marked :data:`KEPT`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._keeps = KEPT in (options.get("dependencies") or ())
        super().__init__(*args, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, and what was answered before."""
        handle = super().get_route_handler()
        if not self._keeps:
            return handle

        async def answer(request: Request) -> Response:
            service = request.app.state.service
            answers: Answers = service.answers
            return await answers.of(request, service.database, service.attempts, handle)

        return answer
