"""Who may do what, and what a browser may be made to do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request
from starlette.datastructures import Headers, MutableHeaders

from datalint.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Role = Literal["reader", "triager", "admin"]
ROLES: Final[tuple[Role, ...]] = ("reader", "triager", "admin")
"""Each may do what those before it may: read; scan, send reports and decide; change settings."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
CSRF: Final = "datalint_csrf"
PROXY: Final = ("forwarded", "x-forwarded-for", "x-real-ip")
HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True)
class Principal:
    """Who asks."""

    name: str
    role: Role
    csrf: str = ""

    def may(self, role: Role) -> bool:
        """Whether the role is enough."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Guard:
    """Refuses other hosts and other sites' requests, and adds the headers that keep a browser safe."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, {host.lower() for host in hosts} | LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal:
            await Problem(*refusal).response()(scope, receive, sending)
        else:
            await self._app(scope, receive, sending)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            name = ""
        if name not in self._hosts:
            return 421, f"this service does not answer for the host {name[:100]!r}; its operator can --allow-host it"
        if method in ("GET", "HEAD", "OPTIONS"):
            return None
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != host
        if foreign or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "the request comes from another site"
        return None


def principal(request: Request) -> Principal:
    """Who asks.

    Raises:
        Problem: nobody known.
    """
    if any(name in request.headers for name in PROXY):
        raise Problem(401, "behind a proxy nobody is known without a token: create one first")
    return Principal("local", "admin", request.cookies.get(CSRF) or secrets.token_urlsafe(24))


def needs(role: Role) -> Callable[[Principal], Principal]:
    """A dependency: who asks, if the role is enough."""

    def check(who: Annotated[Principal, Depends(principal)]) -> Principal:
        if not who.may(role):
            raise Problem(403, f"{who.name} is a {who.role}; this needs the role {role}")
        return who

    return check


Reader = Annotated[Principal, Depends(needs("reader"))]
Triager = Annotated[Principal, Depends(needs("triager"))]
Admin = Annotated[Principal, Depends(needs("admin"))]


def csrf(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """That a form was sent from a page of this service.

    Raises:
        Problem: it was not.
    """
    if not secrets.compare_digest(csrf.encode(), request.cookies.get(CSRF, "-").encode()):
        raise Problem(403, "the form is out of date or comes from another site: load the page again")
