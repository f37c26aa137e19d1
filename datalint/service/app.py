"""The web application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Match, Route

import datalint
from datalint.core.errors import DatalintError
from datalint.report.html import html
from datalint.service import api, pages, uploading
from datalint.service.problems import Problem
from datalint.service.security import Guard

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from datalint.service.shared import Service

MAX_BODY: Final = 64 << 20
"""Bytes of a request, and so of a report that is sent."""

DATABASE: Final[dict[type[Exception], tuple[int, str, dict[str, str]]]] = {
    IntegrityError: (409, "somebody else did the same at this moment; look again", {}),
    DataError: (422, "it has characters that the database does not take, such as NUL", {}),
    OperationalError: (503, "the database does not answer; try again in a moment", {"retry-after": "5"}),
}
"""What is said of errors of the database."""


class _Guarded(FastAPI):
    """With the guard around all of it: what FastAPI answers outside of added middleware needs its headers, too."""

    def build_middleware_stack(self) -> ASGIApp:
        """The guard, and all that is called through it."""
        return Guard(super().build_middleware_stack(), self.state.service.hosts)


def create(service: Service) -> FastAPI:
    """The application."""
    app = _Guarded(
        title="datalint",
        version=datalint.__version__,
        max_body_size=max(MAX_BODY, service.largest + uploading.PIECE if service.uploads else 0),
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.service = service
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "assets"))
    app.mount("/report", StaticFiles(directory=Path(html.__file__).parent / "assets"))
    app.include_router(api.router, max_body_size=MAX_BODY)
    app.include_router(api.watching, include_in_schema=False, max_body_size=MAX_BODY)
    app.include_router(pages.router, include_in_schema=False, max_body_size=MAX_BODY)
    if service.oidc:
        from datalint.service import oidc  # an extra of its own

        app.include_router(oidc.router, include_in_schema=False, max_body_size=MAX_BODY)
    if service.uploads:
        for_programs, for_people = uploading.routes(service.largest)
        app.include_router(for_programs)
        app.include_router(for_people, include_in_schema=False)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(DatalintError, _problem)
    app.add_exception_handler(HTTPException, _problem)
    app.add_exception_handler(RequestValidationError, _problem)
    for kind in DATABASE:
        app.add_exception_handler(kind, _problem)
    app.add_exception_handler(Exception, _problem)
    return app


def _problem(request: Request, error: Exception) -> Response:
    """Every error as one line: for a program as RFC 9457 says, for a person on a page."""
    match error:
        case Problem():
            problem = error
        case DatalintError():
            problem = Problem(422, str(error))
        case HTTPException(status_code=405):
            # Starlette names the methods of the first route with this path alone.
            routes = [*api.router.routes, *api.watching.routes, *pages.router.routes]
            allowed = {
                method
                for route in routes
                if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL
                for method in route.methods or ()
            }
            problem = Problem(405, str(error.detail), headers={"allow": ", ".join(sorted(allowed))})
        case HTTPException():
            problem = Problem(error.status_code, str(error.detail), dict(error.headers or {}))
        case RequestValidationError():
            first = error.errors()[0]
            problem = Problem(422, f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}"[:500])
        case IntegrityError() | DataError() | OperationalError():
            problem = next(Problem(*said) for kind, said in DATABASE.items() if isinstance(error, kind))
        case _:
            problem = Problem(500, "this is a mistake in datalint; the log of the service says more")
    if problem.status == 401 and request.method == "GET" and pages.wants_page(request):
        return RedirectResponse("/login", 303)
    if not pages.wants_page(request):
        return problem.response()
    return pages.problem(request, problem)
