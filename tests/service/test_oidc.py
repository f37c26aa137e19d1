"""Logins by an identity provider that is really there: a small one, which signs as large ones do."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64decode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from datalint.core.errors import DatalintError
from datalint.service.oidc import provider
from tests.command import run
from tests.service.conftest import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = {"accept": "text/html"}


class Issuer:
    """Lets everybody in whose ``person`` it is told, and checks what a provider has to check."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
        self.person: dict[str, Any] = {}
        self.signed_by: Any = self.key
        self.header = {"alg": "ES256", "kid": "one"}
        self.asked: dict[str, dict[str, str]] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                match parts.path:
                    case "/.well-known/openid-configuration":
                        ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
                        told = {name: issuer.url + path for name, path in ends.items()}
                        self.tell(200, {"issuer": issuer.url, **told})
                    case "/keys":
                        self.tell(200, KeySet([issuer.key]).as_dict(private=False))
                    case "/authorize":
                        code = f"code{len(issuer.asked)}"
                        issuer.asked[code] = asked
                        self.send_response(302)
                        self.send_header("location", f"{asked['redirect_uri']}?code={code}&state={asked['state']}")
                        self.end_headers()

            def do_POST(self) -> None:
                body = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                asked = issuer.asked.pop(body["code"][0], None)
                client = b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()
                if (
                    asked is None
                    or client != "us:s3cret"
                    or create_s256_code_challenge(body["code_verifier"][0]) != asked["code_challenge"]  # type: ignore[no-untyped-call]
                    or body["redirect_uri"][0] != asked["redirect_uri"]
                ):
                    self.tell(400, {"error": "invalid_grant"})
                    return
                now = int(time.time())
                claims = {
                    "iss": issuer.url,
                    "aud": "us",
                    "sub": "1",
                    "iat": now,
                    "exp": now + 60,
                    "nonce": asked["nonce"],
                }
                token = jwt.encode(issuer.header, claims | issuer.person, issuer.signed_by)
                self.tell(200, {"access_token": "x", "token_type": "Bearer", "id_token": token})

            def tell(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever).start()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Issuer, Served]]:
    issuer, folder = Issuer(), tmp_path_factory.mktemp("oidc")
    roles = ["--oidc-role", "lab=triager", "--oidc-role", "boss=admin"]
    options = ["--oidc", issuer.url, "--oidc-client", "us", *roles, "--database", f"sqlite:///{folder}/s.db"]
    with serving(folder, *options, DATALINT_OIDC_SECRET="s3cret") as served:
        yield issuer, served
    issuer.server.shutdown()
    issuer.server.server_close()


@contextmanager
def log_in(served: Served) -> Iterator[tuple[httpx2.Client, httpx2.Response]]:
    """As a browser does, up to the page that says that one is in."""
    with httpx2.Client(base_url=served.url, trust_env=False, timeout=30, headers=PAGE) as client:
        yield client, _through(client)


def _through(client: httpx2.Client) -> httpx2.Response:
    away = client.get("/login/oidc")
    sent_back = client.get(away.headers["location"])
    return client.get(sent_back.headers.get("location", "/login"))


@pytest.fixture(autouse=True)
def _honest(both: tuple[Issuer, Served]) -> None:
    issuer = both[0]
    issuer.person, issuer.signed_by, issuer.header = (
        {"email": "ann@x", "groups": ["lab"]},
        issuer.key,
        {"alg": "ES256", "kid": "one"},
    )


def test_a_person_comes_in_with_the_role_of_a_group(both: tuple[Issuer, Served]) -> None:
    issuer, served = both
    assert served.client.get("/", headers=PAGE).headers["location"] == "/login"
    assert served.client.get("/api/v1/datasets").status_code == 401
    assert "/login/oidc" in served.client.get("/login", headers=PAGE).text
    with log_in(served) as (client, page):
        assert page.status_code == 200
        assert "ann@x · triager" in client.get("/").text
        assert client.get("/settings").status_code == 403
        issuer.person = {"preferred_username": "bob", "groups": ["other", "lab", "boss"]}
        with log_in(served) as (boss, _):
            assert "bob · admin" in boss.get("/").text
            number = boss.get("/settings").text.split("/settings/tokens/")[2].split("/")[0]  # the older one: ann's
            form = {"csrf": boss.cookies["datalint_csrf"]}
            assert boss.post(f"/settings/tokens/{number}/revoke", data=form).status_code == 303
        assert client.get("/").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("person", "header"),
    [
        ({"nonce": "another"}, {}),
        ({"aud": "somebody else"}, {}),
        ({"iss": "http://elsewhere"}, {}),
        ({"exp": 1}, {}),
        ({}, {"kid": "two"}),
        ({}, {"alg": "HS256"}),
    ],
)
def test_what_the_provider_did_not_say_of_us_now_lets_nobody_in(
    both: tuple[Issuer, Served], person: dict[str, Any], header: dict[str, str]
) -> None:
    issuer, served = both
    issuer.person |= person
    issuer.header |= header
    if header:
        issuer.signed_by = OctKey.generate_key(256) if "alg" in header else ECKey.generate_key("P-256", {"kid": "two"})
    with log_in(served) as (client, page):
        assert (page.status_code, "did not confirm the login" in page.text) == (403, True)
        assert client.get("/").headers["location"] == "/login"


def test_whoever_has_no_role_or_began_elsewhere_stays_outside(both: tuple[Issuer, Served]) -> None:
    issuer, served = both
    issuer.person["groups"] = ["guests"]
    with log_in(served) as (client, page):
        assert (page.status_code, "ann@x has no role here" in page.text) == (403, True)
        for query in ("", "?code=code0&state=x", "?error=access_denied"):
            assert client.get(f"/login/oidc/back{query}").status_code == 403
        assert client.get("/").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("issuer", "client", "secret", "roles"),
    [
        ("login.example.org", "us", "s", ["*=reader"]),
        ("https://login.example.org", "", "s", ["*=reader"]),
        ("https://login.example.org", "us", "", ["*=reader"]),
        ("https://login.example.org", "us", "s", []),
        ("https://login.example.org", "us", "s", ["lab=owner"]),
    ],
)
def test_what_is_missing_is_said_in_one_line(issuer: str, client: str, secret: str, roles: list[str]) -> None:
    with pytest.raises(DatalintError, match="--oidc"):
        provider(issuer, client, secret, roles)


def test_without_a_secret_it_does_not_start(tmp_path: Path) -> None:
    done = run(
        tmp_path, "serve", "--oidc", "https://login.example.org", "--oidc-client", "us", "--oidc-role", "*=reader"
    )
    assert (done.status, done.err.count("\n")) == (2, 1)
