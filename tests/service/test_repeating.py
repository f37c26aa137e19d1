"""Requests that are sent again: entity tags and idempotency keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import anyio
import httpx2
import pytest
from sqlalchemy import func, select

from datalint.service.app import create
from datalint.service.models import Dataset
from datalint.service.shared import Service
from tests.service.reports import finding
from tests.service.test_api import Team, shared, team

if TYPE_CHECKING:
    from datalint.service.database import Database

__all__ = ["shared", "team"]


@pytest.mark.parametrize(
    "path", ["/datasets", "/datasets/{name}", "/scans/{scan}", "/scans/{scan}/report.json", "/rules"]
)
def test_what_is_known_is_not_sent_again(shared: Team, path: str) -> None:
    scan = shared.push("triager", "tags", finding("a")).json()["id"]
    path = path.format(name="tags", scan=scan)
    first = shared.ask("reader", "GET", path)
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"headers": {"if-none-match": f'"other", W/{first.headers["etag"]}'}}
    again = shared.ask("reader", "GET", path, **known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert shared.ask("", "GET", path, **known).status_code == 401


def test_a_change_is_refused_if_somebody_changed_it_meanwhile(shared: Team) -> None:
    shared.push("triager", "race", finding("a"))
    number = shared.ask("reader", "GET", "/datasets/race/findings").json()["items"][0]["id"]
    for who, path, change in (
        ("admin", "/datasets/race", {"owner": "x"}),
        ("triager", f"/findings/{number}", {"assignee": "x"}),
    ):
        tag = {"if-match": shared.ask("reader", "GET", path).headers["etag"]}
        assert shared.ask(who, "PATCH", path, json=change, headers=tag).status_code == 200
        late = shared.ask(who, "PATCH", path, json=change, headers=tag)
        assert (late.status_code, late.json()["detail"]) == (412, "somebody changed it meanwhile: read it again")
        assert shared.ask(who, "PATCH", path, json=change, headers={"if-match": "*"}).status_code == 200


def test_a_key_is_answered_once(team: Team) -> None:
    key = {"idempotency-key": "one"}
    new = {"name": "once"}
    first = team.ask("admin", "POST", "/datasets", json=new, headers=key)
    again = team.ask("admin", "POST", "/datasets", json=new, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    other = team.ask("admin", "POST", "/datasets", json={"name": "other"}, headers=key)
    assert other.status_code == 422
    assert team.ask("reader", "POST", "/datasets", json=new, headers=key).status_code == 403
    assert team.ask("", "POST", "/datasets", json=new, headers=key).status_code == 401


def test_a_request_that_failed_may_be_sent_again(shared: Team) -> None:
    key = {"idempotency-key": "late"}
    wanted = {"dataset": "later"}
    assert shared.ask("triager", "POST", "/scans", json=wanted, headers=key).status_code == 404
    shared.ask("admin", "POST", "/datasets", json={"name": "later", "root": "data", "path": "iris_sorted"})
    first = shared.ask("triager", "POST", "/scans", json=wanted, headers=key)
    again = shared.ask("triager", "POST", "/scans", json=wanted, headers=key)
    assert first.status_code == again.status_code == 202
    assert first.headers["location"] == again.headers["location"]


def test_a_secret_is_not_shown_again(shared: Team) -> None:
    new, key = {"name": "t", "role": "reader"}, {"idempotency-key": "secret"}
    assert shared.ask("admin", "POST", "/tokens", json=new, headers=key).status_code == 201
    again = shared.ask("admin", "POST", "/tokens", json=new, headers=key)
    assert (again.status_code, "dlt_" in again.text) == (409, False)


def test_at_once_it_is_done_once(team: Team, database: Database) -> None:
    def send(_: int) -> int:
        return team.ask(
            "admin", "POST", "/datasets", json={"name": "rush"}, headers={"idempotency-key": "k"}
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = set(pool.map(send, range(16)))
    assert codes <= {201, 409}
    assert 201 in codes
    with database.read() as session:
        assert session.scalar(select(func.count(Dataset.id)).where(Dataset.name == "rush")) == 1


def test_its_own_mistakes_are_answered_with_the_headers_of_all_answers() -> None:
    async def ask() -> httpx2.Response:
        app = create(Service(cast("Database", None)))
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/api/v1/rules")

    answer = anyio.run(ask)
    assert (answer.status_code, answer.json()["status"]) == (500, 500)
    assert answer.headers["x-content-type-options"] == "nosniff"
