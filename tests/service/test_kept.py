"""Answers that are given again: as long as nothing changed, and to the same credentials alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
import httpx2
import pytest
from sqlalchemy import event, select, update

from datalint.service import history
from datalint.service.app import create
from datalint.service.database import Database
from datalint.service.models import Dataset, Finding, Scan, Token
from datalint.service.pages import firing
from datalint.service.security import Principal, new_token
from datalint.service.shared import Service
from datalint.service.worker import claim, enqueue_due
from tests.service.reports import finding, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

PATHS = ["/", "/datasets/set", "/scans/1", "/findings/1", "/api/v1/datasets", "/api/v1/datasets/set/findings"]


@pytest.fixture
def filled(database: Database) -> Database:
    """With one data set, its scan and its findings."""
    with database.write() as session:
        session.add(Dataset(name="set"))
        session.flush()
        history.push(session, session.get_one(Dataset, 1), report(finding("a"), finding("b")), "ann")
    return database


class Asking:
    """The application in this process, and how often it asked the database for rows."""

    def __init__(self, database: Database) -> None:
        self.app = create(Service(database))
        self.selects = 0
        event.listen(database.engine, "before_cursor_execute", self._count)

    def _count(self, _: object, __: object, statement: str, *___: object) -> None:
        self.selects += "FROM" in statement

    async def get(self, path: str, token: str = "", cookie: str = "") -> httpx2.Response:
        """One request, as a browser sends it."""
        headers = {"accept": "text/html"}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"cookie": f"datalint_csrf={cookie}"} if cookie else {}
        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
            return await client.get(path)


def test_the_moment_is_another_after_a_commit_and_none_else(filled: Database) -> None:
    other = Database(filled.url)  # as another process has it
    first = filled.moment()
    with other.read() as session:
        session.scalars(select(Finding)).all()
    with other.write() as session:  # what workers do while nothing waits
        enqueue_due(session, ["sample_data"])
        claim(session, "worker", ["sample_data"])
    assert filled.moment() == first
    moments = {first}
    for database in (other, filled):
        with database.write() as session:
            session.execute(update(Finding).values(reason=f"{len(moments)}"))
        moments.add(filled.moment())
    other.engine.dispose()
    assert len(moments) == 3


@pytest.mark.parametrize("path", PATHS)
def test_what_was_answered_is_given_again_until_something_changes(filled: Database, path: str) -> None:
    asking, other = Asking(filled), Database(filled.url)

    async def ask() -> None:
        first = await asking.get(path, cookie="x")
        made = asking.selects
        assert first.status_code == 200
        again = await asking.get(path, cookie="x")
        assert (again.content, again.headers) == (first.content, first.headers)
        assert asking.selects == made > 0
        with other.write() as session:
            session.execute(update(Dataset).values(owner="somebody"))
            session.execute(update(Scan).values(by="somebody"))
            session.execute(update(Finding).values(assignee="somebody"))
        assert "somebody" in (await asking.get(path, cookie="x")).text

    anyio.run(ask)
    other.engine.dispose()


def test_many_at_once_wait_for_one(filled: Database) -> None:
    asking = Asking(filled)
    found: list[bytes] = []

    async def ask() -> None:
        await asking.get("/")
        alone = asking.selects
        with filled.write() as session:
            session.execute(update(Dataset).values(owner="somebody"))
        asking.selects = 0

        async def one() -> None:
            found.append((await asking.get("/", cookie="x")).content)

        async with anyio.create_task_group() as group:
            for _ in range(30):
                group.start_soon(one)
        assert asking.selects <= alone

    anyio.run(ask)
    assert (len(found), len(set(found))) == (30, 1)


def test_what_is_counted_of_all_data_sets_follows_each_of_them(filled: Database) -> None:
    asking = Asking(filled)

    async def counted() -> tuple[int, int, str]:
        """Data sets in which two rules fire, and open findings."""
        with filled.read() as session:
            fires = firing(asking.app.state.service, session, Principal("ann", "admin"))
        return fires["XMPa"], fires["XMPb"], (await asking.get("/metrics")).text

    async def ask() -> None:
        one, two, metrics = await counted()
        assert (one, two) == (1, 1)
        assert 'datalint_open_findings{severity="warning"} 2' in metrics
        with filled.write() as session:
            session.add(Dataset(name="other"))
            session.flush()
            history.push(session, session.get_one(Dataset, 2), report(finding("a")), "ann")
            history.triage(session, [session.get_one(Finding, 2)], "ann", "false alarm", "as it should be")
        one, two, metrics = await counted()
        assert (one, two) == (2, 1)
        assert 'datalint_open_findings{severity="warning"} 2' in metrics
        with filled.write() as session:
            history.push(session, session.get_one(Dataset, 1), report(finding("b"), run=1), "ann")
        one, two, metrics = await counted()
        assert (one, two) == (1, 1)
        assert 'datalint_open_findings{severity="warning"} 1' in metrics

    anyio.run(ask)


def _revoke(session: Session) -> None:
    session.execute(update(Token).values(revoked=True))


def _expire(session: Session) -> None:
    session.execute(update(Token).values(expires=time.time() + 0.5))


@pytest.mark.parametrize("end", [_revoke, _expire])
def test_nobody_gets_what_was_answered_to_another(filled: Database, end: Callable[[Session], None]) -> None:
    asking = Asking(filled)
    with filled.write() as session:
        session.add(Dataset(name="secret"))
        admin = new_token(session, "ann", "admin")
        one = new_token(session, "bob", "reader", ["set"])

    async def ask() -> None:
        for _ in range(2):
            for path in ("/", "/api/v1/datasets"):
                answers = [await asking.get(path, token) for token in (admin, one, "", f"{admin[:-1]}!")]
                assert [answer.status_code for answer in answers] == [200, 200, *[303 if path == "/" else 401] * 2]
                assert ["secret" in answer.text for answer in answers] == [True, False, False, False]
        with filled.write() as session:
            end(session)
        await asking.get("/api/v1/datasets", admin)
        await anyio.sleep(0.5)
        assert (await asking.get("/api/v1/datasets", admin)).status_code == 401

    anyio.run(ask)


def test_forms_carry_the_cookie_of_the_browser_that_they_are_sent_to(filled: Database) -> None:
    asking = Asking(filled)

    async def ask() -> None:
        for cookie in ("first", "second", "a<b"):
            answer = await asking.get("/datasets/set", cookie=cookie)
            assert f'name="csrf" value="{cookie.replace("<", "&lt;")}"' in answer.text
            assert "set-cookie" not in answer.headers
        fresh = [await asking.get("/datasets/set") for _ in range(2)]
        assert fresh[0].cookies["datalint_csrf"] != fresh[1].cookies["datalint_csrf"]
        assert all(answer.cookies["datalint_csrf"] in answer.text for answer in fresh)

    anyio.run(ask)
