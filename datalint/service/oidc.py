"""Logins of people by an identity provider: the authorization code flow of OpenID Connect, with PKCE."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from datalint.core.errors import DatalintError
from datalint.service import history
from datalint.service.models import Login, Token
from datalint.service.problems import Problem
from datalint.service.security import LOGIN, ROLES, SESSION, Role, digest

if TYPE_CHECKING:
    from collections.abc import Iterable

COOKIE: Final = "datalint_oidc"
MINUTES: Final = 600
"""Seconds that a person has to log in at the provider."""

KNOWN: Final = 3600.0
"""Seconds for which what a provider says of itself is not asked again."""

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Of signatures with a public key; a shared secret or none at all proves nothing."""

TIMEOUT: Final = 10
router = APIRouter()


@dataclass
class Provider:
    """An identity provider, and what its groups may do here."""

    issuer: str
    client: str
    secret: str
    roles: dict[str, Role]
    """By group; ``*`` is everybody."""
    public: str = ""
    """The address of this service as browsers see it, if it is not the one that requests come to."""
    claim: str = "groups"
    _known: tuple[float, dict[str, Any], Any] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def metadata(self) -> tuple[dict[str, Any], Any]:
        """What it says of itself, and its keys.

        Raises:
            Problem: it does not answer, or is another one.
        """
        with self._lock:
            if self._known is None or self._known[0] < time.monotonic() - KNOWN:
                said = self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                if said.get("issuer", "").rstrip("/") != self.issuer.rstrip("/"):
                    raise Problem(502, "the identity provider says that it is another one")
                self._known = time.monotonic(), said, KeySet.import_key_set(self._get(said["jwks_uri"]))  # type: ignore[arg-type]
            return self._known[1:]

    def role(self, claims: dict[str, Any]) -> Role | None:
        """The highest role of somebody's groups."""
        groups = claims.get(self.claim) or ()
        held = {"*", *([groups] if isinstance(groups, str) else map(str, groups))}
        found = [role for group, role in self.roles.items() if group in held]
        return max(found, key=ROLES.index, default=None)

    def claims(self, code: str, verifier: str, nonce: str, redirect: str) -> dict[str, Any]:
        """What the provider says of whoever brought the code.

        Raises:
            Problem: it refuses the code, or what it says is not signed by it and made for us, now.
        """
        said, keys = self.metadata()
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        try:
            answer = httpx2.post(said["token_endpoint"], data=sent, auth=(self.client, self.secret), timeout=TIMEOUT)
            token = jwt.decode(answer.raise_for_status().json()["id_token"], keys, algorithms=ALGORITHMS)
            wanted = {
                "iss": {"essential": True, "value": said["issuer"]},
                "aud": {"essential": True, "value": self.client},
            }
            claims = CodeIDToken(token.claims, token.header, wanted, {"nonce": nonce, "client_id": self.client})
            claims.validate(leeway=60)
        except (httpx2.HTTPError, JoseError, AuthlibBaseError, ValueError, KeyError, TypeError) as error:
            raise Problem(403, f"the identity provider did not confirm the login: {type(error).__name__}") from error
        return dict(claims)

    def _get(self, url: str) -> dict[str, Any]:
        try:
            return dict(httpx2.get(url, timeout=TIMEOUT).raise_for_status().json())
        except (httpx2.HTTPError, ValueError) as error:
            raise Problem(502, "the identity provider does not answer") from error


def provider(issuer: str, client: str, secret: str, roles: Iterable[str], public: str = "") -> Provider:
    """From the command line.

    Raises:
        DatalintError: something is missing or not understood.
    """
    parts = urlsplit(issuer)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DatalintError(f"--oidc {issuer}: give the address of the issuer, such as https://login.example.org")
    if not client or not secret:
        raise DatalintError(
            "--oidc needs --oidc-client, and the secret in the environment variable DATALINT_OIDC_SECRET"
        )
    given: dict[str, Role] = {}
    for item in roles:
        group, _, name = item.rpartition("=")
        role = next((role for role in ROLES if role == name), None)
        if not group or role is None:
            raise DatalintError(
                f"--oidc-role {item}: give GROUP=ROLE, a role being {', '.join(ROLES)}; '*' is everybody"
            )
        given[group] = role
    if not given:
        raise DatalintError("--oidc lets nobody in without --oidc-role GROUP=ROLE")
    return Provider(issuer, client, secret, given, public.rstrip("/"))


def _provider(request: Request) -> tuple[Provider, str]:
    """The provider, and the address to which it sends people back."""
    found: Provider | None = request.app.state.service.oidc  # whose type names this file's
    if found is None:
        raise Problem(404, "this service has no identity provider")
    return found, f"{found.public or str(request.base_url).rstrip('/')}/login/oidc/back"


@router.get("/login/oidc")
def begin(request: Request) -> Response:
    """To the provider."""
    provider, redirect = _provider(request)
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    url = prepare_grant_uri(
        provider.metadata()[0]["authorization_endpoint"],
        provider.client,
        "code",
        redirect_uri=redirect,
        scope="openid profile email",
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]
        code_challenge_method="S256",
    )
    response = RedirectResponse(url, 303)
    # Lax, since the way back begins at another site.
    response.set_cookie(
        COOKIE,
        f"{state}.{nonce}.{verifier}",
        MINUTES,
        path="/login/oidc",
        httponly=True,
        samesite="lax",
        secure=redirect.startswith("https"),
    )
    return response


@router.get("/login/oidc/back")
def back(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """From the provider: who it is, and in."""
    provider, redirect = _provider(request)
    expected, nonce, verifier = [*request.cookies.get(COOKIE, "").split("."), "", "", ""][:3]
    if not expected or not secrets.compare_digest(expected.encode(), state.encode()):
        raise Problem(403, "this login was not begun in this browser, or took too long: begin again")
    if error or not code:
        raise Problem(403, f"the identity provider refused: {error or 'no code'}")
    claims = provider.claims(code, verifier, nonce, redirect)
    name = str(claims.get("email") or claims.get("preferred_username") or claims["sub"])[:100]
    role = provider.role(claims)
    if role is None:
        raise Problem(403, f"{name} has no role here: its administrator can give one to a group")
    secret, expires = secrets.token_urlsafe(32), time.time() + LOGIN
    with request.app.state.service.database.write() as session:
        # Nobody knows its secret: only the browser that was let in refers to it, and revoking it ends that.
        token = Token(name=name, role=role, datasets=[], digest=digest(secrets.token_urlsafe(32)), expires=expires)
        token.revoked = False
        session.add(token)
        session.flush()
        session.add(Login(digest=digest(secret), token_id=token.id, expires=expires))
        history.note(session, name, "login", f"by {urlsplit(provider.issuer).hostname}, {role}")
    # A redirect would still count as coming from the provider, and strict cookies would stay behind.
    response = HTMLResponse('<!doctype html><meta http-equiv="refresh" content="0; url=/"><a href="/">Logged in</a>')
    response.set_cookie(SESSION, secret, LOGIN, httponly=True, samesite="strict", secure=redirect.startswith("https"))
    response.delete_cookie(COOKIE, path="/login/oidc")
    return response
