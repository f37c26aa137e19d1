"""The web application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Match, Route

import datalint
from datalint.core.errors import DatalintError
from datalint.report.html import html
from datalint.service import api, pages
from datalint.service.problems import Problem
from datalint.service.security import HEADERS, Guard

if TYPE_CHECKING:
    from starlette.responses import Response

    from datalint.service.shared import Service

MAX_BODY: Final = 64 << 20
"""Bytes of a request, and so of a report that is sent."""


def create(service: Service) -> FastAPI:
    """The application."""
    app = FastAPI(
        title="datalint",
        version=datalint.__version__,
        max_body_size=MAX_BODY,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.service = service
    app.add_middleware(Guard, hosts=service.hosts)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "assets"))
    app.mount("/report", StaticFiles(directory=Path(html.__file__).parent / "assets"))
    app.include_router(api.router)
    app.include_router(api.watching, include_in_schema=False)
    app.include_router(pages.router, include_in_schema=False)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(DatalintError, _problem)
    app.add_exception_handler(HTTPException, _problem)
    app.add_exception_handler(RequestValidationError, _problem)
    app.add_exception_handler(IntegrityError, _problem)
    app.add_exception_handler(OperationalError, _problem)
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
        case IntegrityError():
            problem = Problem(409, "somebody else did the same at this moment; look again")
        case OperationalError():
            problem = Problem(503, "the database does not answer; try again in a moment", {"retry-after": "5"})
        case _:
            # Starlette answers these outside of the guard, so that its headers would be missing.
            problem = Problem(500, "this is a mistake in datalint; the log of the service says more", dict(HEADERS))
    if problem.status == 401 and request.method == "GET" and pages.wants_page(request):
        return RedirectResponse("/login", 303)
    if not pages.wants_page(request):
        return problem.response()
    return pages.problem(request, problem)
