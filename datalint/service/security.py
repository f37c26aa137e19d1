"""Who may do what, and what a browser may be made to do."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, cast
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request
from sqlalchemy import select, true
from starlette.datastructures import Headers, MutableHeaders

from datalint.core.errors import DatalintError
from datalint.service.models import Dataset, Login, Token
from datalint.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Role = Literal["reader", "triager", "admin"]
ROLES: Final[tuple[Role, ...]] = ("reader", "triager", "admin")
"""Each may do what those before it may: read; scan, send reports and decide; change settings."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
CSRF: Final = "datalint_csrf"
SESSION: Final = "datalint_session"
DAY: Final = 86_400
LONGEST: Final = 36_500
"""Days that a token may be good for."""
LOGIN: Final = 7 * DAY
"""Seconds for which a browser stays logged in."""
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
    datasets: tuple[str, ...] = ()
    """The only ones that can be seen; all if empty."""

    def may(self, role: Role) -> bool:
        """Whether the role is enough."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def sees(self) -> ColumnElement[bool]:
        """The condition on :class:`Dataset` of what can be seen."""
        return Dataset.name.in_(self.datasets) if self.datasets else true()


class Guard:
    """Refuses other hosts and other sites' requests, and adds the headers that keep a browser safe."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, {host.lower() for host in hosts} | LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if replaced:
                return
            if message["type"] == "http.response.start":
                if message["status"] == 413 and Headers(scope=message)["content-type"].startswith("text/plain"):
                    # Starlette answers in a word of its own where the size is too large by its header.
                    await Problem(413, "the request is too large").response()(scope, receive, sending)
                    replaced = True
                    return
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


class Attempts:
    """Counts wrong tokens by the address they come from, in this process."""

    most, seconds = 10, 60.0

    def __init__(self) -> None:
        self._wrong: dict[str, list[float]] = {}

    def check(self, address: str) -> None:
        """See that not too many were wrong of late.

        Raises:
            Problem: there were.
        """
        self._wrong = {a: m for a, m in self._wrong.items() if m[-1] > time.monotonic() - self.seconds}
        if self.too_many(address):
            raise Problem(429, "too many wrong tokens; try again in a minute", {"retry-after": "60"})

    def too_many(self, address: str) -> bool:
        """Whether too many were wrong of late."""
        since = time.monotonic() - self.seconds
        return sum(moment > since for moment in self._wrong.get(address, ())) >= self.most

    def wrong(self, address: str) -> None:
        """Remember one."""
        self._wrong[address] = [*self._wrong.get(address, ())[-self.most :], time.monotonic()]


def new_token(session: Session, name: str, role: Role, datasets: Sequence[str] = (), days: float | None = None) -> str:
    """A token, which nobody can read again later.

    Raises:
        DatalintError: the role does not exist, or may not be of some data sets only.
    """
    if role not in ROLES or not name.strip() or (days is not None and not 0 < days <= LONGEST):
        raise DatalintError(f"give a token a name, up to {LONGEST:,} days and a role: {', '.join(ROLES)}")
    if role == "admin" and datasets:
        raise DatalintError("an admin changes settings of all data sets: choose another role for some of them")
    secret = secrets.token_urlsafe(32)
    expires = None if days is None else time.time() + days * DAY
    token = Token(
        name=name.strip()[:100],
        role=role,
        datasets=list(datasets),
        digest=digest(secret),
        expires=expires,
        revoked=False,
    )
    session.add(token)
    session.flush()
    return f"dlt_{token.id}_{secret}"


def digest(secret: str) -> str:
    """What is kept of a secret; it is too long to be guessed, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_of(session: Session, text: str) -> Token | None:
    """The token with this secret, if it is still good."""
    match = re.fullmatch(r"dlt_(\d{1,9})_([\w-]{43})", text)
    token = session.get(Token, int(match[1])) if match else None
    if match and token and secrets.compare_digest(token.digest, digest(match[2])):
        return token if good(token) else None
    return None


def good(token: Token) -> bool:
    """Whether it was not revoked and has not expired."""
    return not token.revoked and (token.expires is None or token.expires > time.time())


def any_token(session: Session) -> bool:
    """Whether there are tokens, so that everybody needs one."""
    return session.scalar(select(Token.id).limit(1)) is not None


def csrf_of(request: Request) -> str:
    """What the forms of a page that this browser gets carry."""
    return request.cookies.get(CSRF) or secrets.token_urlsafe(24)


def principal(request: Request) -> Principal:
    """Who asks: by a token, by the login of a browser, or on this machine as long as there are no tokens at all.

    Until when that holds is kept with the request.

    Raises:
        Problem: nobody known.
    """
    service = request.app.state.service
    address = request.client.host if request.client else ""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    cookie, until = csrf_of(request), float("inf")
    with service.database.read() as session:
        token = None
        if text:
            service.attempts.check(address)
            token = token_of(session, text.strip()) if scheme.lower() == "bearer" else None
            if token is None:
                service.attempts.wrong(address)
        elif SESSION in request.cookies:
            login = session.get(Login, digest(request.cookies[SESSION]))
            if login and login.expires > time.time():
                token, until = session.get_one(Token, login.token_id), login.expires
                token = token if good(token) else None
        elif service.oidc is None and not any_token(session):
            if any(name in request.headers for name in PROXY) and not service.insecure:
                raise Problem(401, "behind a proxy nobody is known without a token: create one first")
            request.state.until = until
            return Principal("local", "admin", cookie)
    if token is None:
        raise Problem(401, "a valid token is needed", {"www-authenticate": "Bearer"})
    request.state.until = until if token.expires is None else min(until, token.expires)
    return Principal(token.name, cast("Role", token.role), cookie, tuple(token.datasets))


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
